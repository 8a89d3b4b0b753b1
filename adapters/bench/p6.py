"""P6: who gets it, by a polygon of 100 corners among a million points, beside a bare numpy pass over all of them.

The bare pass looks at box, hazard and level, and for the large polygon then tests what it found by `contains_xy`. Ours
answers exactly in all three. Once before the rounds both sides are held to the same people.
"""

import time
from statistics import median

import numpy as np
import shapely
from pyroaring import FrozenBitMap

from adapters.audience.people import Numbers, people_of
from adapters.bench.p6_people import (
    EAST,
    HAZARD,
    LEVEL,
    NORTH,
    PEOPLE,
    SOUTH,
    WEST,
    Province,
    hearing,
    province,
)
from adapters.bench.row import Row
from domain.messages import Mode

CORNERS = 100
SMALL, MEDIUM, LARGE = 0.02, 0.075, 0.8
"""Shares of the province's extent across: as its townships are on average, as its counties, and most of it."""

RADII_KM = (0.0, 1.0, 3.0, 5.0)
REPEATS = {SMALL: 50, MEDIUM: 50, LARGE: 5}


def measure(rounds: int = 5, *, people: int = PEOPLE) -> list[Row]:
    """P6's figures: small, medium and large, and for comparison the medium one among circles."""
    points = province(people, with_points=True)
    circles = province(people, with_points=True, radii_km=RADII_KM)
    box, exact = "one bare numpy pass (box, hazard, level)", "numpy box, hazard, level, then contains_xy"
    return [
        _row(points, rounds, SMALL, "small", box, 0.1),
        _row(points, rounds, MEDIUM, "medium", box, 0.25),
        _row(points, rounds, LARGE, "large", exact, 1.0),
        _row(circles, rounds, MEDIUM, "medium, among circles of 0 to 5 km", box, 0.0, with_radii=True),
    ]


def _row(
    side: Province, rounds: int, size: float, name: str, beside: str, most: float, *, with_radii: bool = False
) -> Row:
    shape = polygon(size)
    found = len(ours(side, shape))
    if not with_radii and ours(side, shape) != people_of(bare(side, shape, is_exact=True)):
        raise AssertionError("both sides do not find the same people")
    ratios = [_ratio(side, shape, is_exact=size == LARGE, repeats=REPEATS[size]) for _ in range(rounds)]
    note = f"{found:,} people" + (f"; the goal is {most:g} of its time" if most else "; shown without a goal")
    return Row(
        id="P6",
        measure=f"who gets it: {name} polygon of {CORNERS} corners × {len(side.columns.level):,} recipients",
        beside=beside,
        ratio=median(ratios),
        goal=1 / most if most else 0.0,
        rounds=tuple(ratios),
        note=note,
    )


def polygon(size: float) -> shapely.Polygon:
    """A lobed polygon of so many corners, about this share of the province's extent across."""
    turn = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    reach = size / 2 * (0.8 + 0.15 * np.sin(3 * turn) + 0.05 * np.sin(11 * turn))
    latitudes = (NORTH + SOUTH) / 2 + (NORTH - SOUTH) * reach * np.sin(turn)
    longitudes = (EAST + WEST) / 2 + (EAST - WEST) * reach * np.cos(turn)
    return shapely.Polygon(np.column_stack((longitudes, latitudes)))


def ours(side: Province, shape: shapely.Polygon) -> FrozenBitMap:
    """Who has a point in the polygon, is to hear of the hazard, and from this level on."""
    view = side.view
    return view.people_within(Mode.LIVE, shape) & view.wanting(HAZARD) & view.from_level(LEVEL)


def bare(side: Province, shape: shapely.Polygon, *, is_exact: bool) -> Numbers:
    """The numbers in the polygon's box, by one pass over the columns; in the polygon itself where it is to be exact."""
    columns = side.columns
    west, south, east, north = shape.bounds
    found = np.flatnonzero(
        (columns.longitudes >= west)
        & (columns.longitudes <= east)
        & (columns.latitudes >= south)
        & (columns.latitudes <= north)
        & hearing(columns)
    )
    if is_exact:
        found = found[shapely.contains_xy(shape, columns.longitudes[found], columns.latitudes[found])]
    return (found + 1).astype(np.uint32)


def _ratio(side: Province, shape: shapely.Polygon, *, is_exact: bool, repeats: int) -> float:
    """One round: each side some times, in turn."""
    started = time.perf_counter()
    for _ in range(repeats):
        ours(side, shape)
    between = time.perf_counter()
    for _ in range(repeats):
        bare(side, shape, is_exact=is_exact)
    return (time.perf_counter() - between) / (between - started)
