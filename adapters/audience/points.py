"""Who has a point whose circle touches a shape: candidates by a grid, then exactly.

A circle touches a shape when its centre lies in it, border included, or no further from it than the radius. Distances
are in kilometres on the sphere that domain.geometry uses. What does not belong here: codes, and who is told.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyroaring import FrozenBitMap
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from adapters.audience.grid import Grid, Rows
from adapters.audience.people import NOBODY, Numbers, all_of, people_of
from adapters.audience.places import FULL_TURN
from adapters.audience.table import Floats
from domain.geometry import EARTH_RADIUS_KM

KM_PER_DEGREE: Final = math.radians(EARTH_RADIUS_KM)
CLASSES_KM: Final = (0.0, 2.0, 8.0, 32.0, np.inf)
"""Circles are kept apart by their radius: one of 1000 km among many of 1 km does not make candidates of all."""

BAND_DEGREES: Final = 0.5
"""Within a band of latitudes of this height lengths along a parallel differ by at most 0.4 % (at 60° north)."""

FLAT_KM: Final = 32.0
"""Up to this radius distances are taken on a plane; beyond, along great circles."""

STEP_DEGREES: Final = 0.02
"""How densely a border is sampled for great circles: a chord of 2.2 km is 20 m from an arc's end 32 km away."""

AT_ONCE: Final = 512
LEAST_COSINE: Final = 0.01


class PointIndex:
    """Circles of recipients, by their centres and radii."""

    def __init__(self, numbers: Numbers, circles: Floats) -> None:
        """Keep circles as rows of (latitude, longitude, radius in km), each with its recipient's number."""
        radii = circles[:, 2]
        kind = np.searchsorted(CLASSES_KM, radii, side="left")
        self._classes = [_RadiusClass(numbers[kind == one], circles[kind == one]) for one in np.unique(kind).tolist()]

    def touching(self, shape: BaseGeometry) -> FrozenBitMap:
        """Who has a circle that touches the shape, whose longitudes may run on beyond 180."""
        if shape.is_empty:
            return NOBODY
        west, south, east, north = shape.bounds
        found: list[FrozenBitMap] = []
        for one in self._classes:
            margin = one.margin(south, north)
            turns = (
                turn
                for turn in (0.0, FULL_TURN, -FULL_TURN)
                if west + turn - margin[0] <= one.east and east + turn + margin[0] >= one.west
            )
            found += [one.touching(translate(shape, xoff=turn) if turn else shape, margin) for turn in turns]
        return all_of(found)


class _RadiusClass:
    """Circles of about the same radius in one grid."""

    def __init__(self, numbers: Numbers, circles: Floats) -> None:
        self._grid = Grid(circles[:, 1], circles[:, 0])
        self._numbers = numbers[self._grid.order]
        self._radii = circles[self._grid.order, 2]
        self._largest_km = float(self._radii.max())
        self.west, self.east = float(circles[:, 1].min()), float(circles[:, 1].max())

    def touching(self, shape: BaseGeometry, margin: tuple[float, float]) -> FrozenBitMap:
        """Who has one of these circles that touches the shape."""
        inside, uncertain = self._grid.candidates(shape, margin)
        if len(uncertain):
            exact = uncertain[self._touches(shape, uncertain)]
            inside = np.concatenate((inside, exact)) if len(inside) else exact
        return people_of(np.sort(self._numbers[inside]), lasting=False)

    def margin(self, south: float, north: float) -> tuple[float, float]:
        """How far from a shape between these latitudes a circle's centre may be, in degrees east and north."""
        if self._largest_km == 0:
            return 0.0, 0.0
        high = self._largest_km / KM_PER_DEGREE * 1.01
        nearest_pole = min(max(abs(south), abs(north)) + high, 90.0)
        return min(high / max(math.cos(math.radians(nearest_pole)), LEAST_COSINE), FULL_TURN), high

    def _touches(self, shape: BaseGeometry, rows: Rows) -> NDArray[np.bool_]:
        shapely.prepare(shape)
        longitudes, latitudes = self._grid.longitudes[rows], self._grid.latitudes[rows]
        touches = shapely.intersects_xy(shape, longitudes, latitudes)
        if self._largest_km == 0:
            return touches
        outside = np.flatnonzero(~touches)
        near = _near_flat if self._largest_km <= FLAT_KM else _near_far
        touches[outside] = near(shape, longitudes[outside], latitudes[outside], self._radii[rows[outside]])
        return touches


def _near_flat(shape: BaseGeometry, longitudes: Floats, latitudes: Floats, radii: Floats) -> NDArray[np.bool_]:
    """Which points are no further from the shape than their radius, on a plane for each band of latitudes."""
    near = np.zeros(len(longitudes), dtype=bool)
    for rows, latitude in _bands(latitudes):
        scale = np.array((np.cos(np.radians(latitude)) * KM_PER_DEGREE, KM_PER_DEGREE))
        flat = _scaled(shape, scale)
        shapely.prepare(flat)
        points = shapely.points(longitudes[rows] * scale[0], latitudes[rows] * scale[1])
        near[rows] = shapely.dwithin(flat, points, radii[rows])  # type: ignore[call-overload]  # one distance each; the stubs know one for all
    return near


def _scaled(shape: BaseGeometry, scale: Floats) -> BaseGeometry:
    return shapely.transform(shape, lambda points: points * scale)


def _bands(latitudes: Floats) -> Iterator[tuple[Rows, float]]:
    """Rows by band of latitudes, with the latitude of the band's middle."""
    band = np.floor(latitudes / BAND_DEGREES)
    for one in np.unique(band).tolist():
        yield np.flatnonzero(band == one), (one + 0.5) * BAND_DEGREES


def _near_far(shape: BaseGeometry, longitudes: Floats, latitudes: Floats, radii: Floats) -> NDArray[np.bool_]:
    """The same along great circles, to points close together on the shape's border."""
    near = np.zeros(len(longitudes), dtype=bool)
    border = _on_the_sphere(*shapely.get_coordinates(shapely.segmentize(shape.boundary, STEP_DEGREES)).T)
    for start in range(0, len(longitudes), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        centres = _on_the_sphere(longitudes[part], latitudes[part])
        # The chord of the nearest point: exact for near points too, unlike the arc's cosine.
        chord = np.sqrt(np.maximum(2 - 2 * (centres @ border.T).max(axis=1), 0))
        near[part] = 2 * np.arcsin(np.minimum(chord / 2, 1)) * EARTH_RADIUS_KM <= radii[part]
    return near


def _on_the_sphere(longitudes: Floats, latitudes: Floats) -> Floats:
    """Positions as vectors of length 1."""
    turn, height = np.radians(longitudes), np.radians(latitudes)
    return np.column_stack((np.cos(height) * np.cos(turn), np.cos(height) * np.sin(turn), np.sin(height)))
