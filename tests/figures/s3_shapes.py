"""Polygons and circles with vertices just outside: of the agency's own district, and of all of ours.

A shape means a district when it covers a share of it (or the district of the shape) that the policy's threshold asks
for; a vertex that strays by less names nobody's district. On the made-up squares the shares are exact.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from random import Random

from shapely.geometry import MultiPolygon, Polygon, shape

from tests.figures.s3_cases import Case, message, said
from tests.figures.s3_policy import CORNERS, OWN, SOUTH, SQUARE_DEGREES, Speaker, real_boundaries, square, written

THRESHOLD = 0.05
Ring = list[tuple[float, float]]


def shares(ring: Ring) -> dict[str, float]:
    """Of an upright rectangle: by district the common surface over the smaller of the two.

    Surfaces are differences of the sine of the latitude times differences of the longitude: exact on a sphere.
    """
    (south, west), (north, east) = ring[0], ring[2]
    own = _surface(south, north, west, east)
    found = {}
    for code, corner in CORNERS.items():
        (low, left), (high, right) = (square(*corner)[place] for place in (0, 2))
        common = _surface(max(low, south), min(high, north), max(left, west), min(right, east))
        found[code] = common / min(own, _surface(low, high, left, right))
    return found


def _surface(south: float, north: float, west: float, east: float) -> float:
    height = math.sin(math.radians(north)) - math.sin(math.radians(south))
    return max(0.0, height) * max(0.0, east - west)


def rectangles(narrow: Speaker, seed: int, count: int) -> Iterator[tuple[Case, frozenset[str]]]:
    """Rectangles about the own square's borders, each with the districts that it means."""
    random = Random(seed)
    number = 0
    while number < count:
        ring = _about_a_border(random)
        found = shares(ring)
        if any(abs(share - THRESHOLD) < 1e-6 for share in found.values()):
            continue  # the threshold itself is a matter of rounding
        meant = frozenset(code for code, share in found.items() if share >= THRESHOLD)
        codes = _codes(meant)
        info = said("11A51", "yellow", {"areaDesc": "x", "polygon": [written(ring)]})
        content = message(narrow, f"rectangle-{number}", info, within=not codes)
        yield Case(f"rectangle {number}: {written(ring)}", narrow.id, content, codes), meant
        number += 1


def _codes(meant: frozenset[str]) -> tuple[frozenset[str], ...]:
    if not meant:
        return (frozenset({"outside"}),)
    return () if meant == {OWN} else (frozenset({"remit-area"}),)


def _about_a_border(random: Random) -> Ring:
    """A rectangle that lies within the own square but for one side, which is moved by little or by much."""
    stray = random.choice((-1, 1)) * 10 ** random.uniform(-6, 0)
    height, width = random.uniform(0.05, 1), random.uniform(0.05, 1)
    along_rows, along_columns = random.uniform(0, 1 - height), random.uniform(0, 1 - width)
    match random.randrange(4):
        case 0:  # over the north border, where nobody of ours is
            return square(2 + stray - height, 1 + along_columns, height, width)
        case 1:
            return square(1 - stray, 1 + along_columns, height, width)
        case 2:
            return square(1 + along_rows, 2 + stray - width, height, width)
        case _:
            return square(1 + along_rows, 1 - stray, height, width)


def outside_all(narrow: Speaker, wide: Speaker) -> Iterator[Case]:
    """Just outside every district: for the agency of one and for the agency of all."""
    gap = 1e-6
    rings = {
        "north": square(2 + gap, 0, 0.5, 3),
        "south": square(-0.5 - gap, 0, 0.5, 3),
        "west": square(0, -0.5 - gap, 2, 0.5),
        "east": square(0, 3 + gap, 2, 0.5),
        "a frame's corner": square(2 + gap, 3 + gap, 0.5, 0.5),
        "on the border": square(2, 1, 0.5, 1),
    }
    for name, ring in rings.items():
        for speaker in (narrow, wide):
            info = said("11A51", "yellow", {"areaDesc": "绍兴市柯桥区", "polygon": [written(ring)]})
            content = message(speaker, f"outside-{name}-{speaker.id}", info)
            yield Case(f"just outside, {name}", speaker.id, content, (frozenset({"outside"}),))


def bent_shapes(narrow: Speaker) -> Iterator[Case]:
    """Shapes that are none, and shapes in pieces: refused, each with a reason among these."""
    own = square(1.2, 1.2, 0.5, 0.5)
    south, west = own[0]
    north, east = own[2]
    broken = ("polygon", "coordinates", "circle", "no-area", "outside", "value", "remit-area", "schema")
    middle = f"{SOUTH + 1.5 * SQUARE_DEGREES:.6f},{120.7:.6f}"
    areas = {
        "two polygons, one outside": {"polygon": [written(own), written(square(1.2, 2.2, 0.5, 0.5))]},
        "a polygon around everything": {"polygon": ["-89,-179 -89,179 89,179 89,-179 -89,-179"]},
        "latitude and longitude swapped": {"polygon": [" ".join(f"{x},{y}" for y, x in own)]},
        "a bow tie into the neighbour": {
            "polygon": [f"{south},{west} {north},{east + 0.2} {south},{east + 0.2} {north},{west} {south},{west}"]
        },
        "over the antimeridian": {
            "polygon": [f"{south},{west} {south},-179 {north},-179 {north},{west} {south},{west}"]
        },
        "beyond the pole": {"polygon": [f"{south},{west} 91,{west} 91,{east} {south},{east} {south},{west}"]},
        "not a number": {"polygon": [f"nan,{west} {south},{east} {north},{east} nan,{west}"]},
        "a line": {"polygon": [f"{south},{west} {north},{east} {south},{west} {south},{west}"]},
        "a circle over the border": {"circle": [f"{middle} 12"]},
        "a circle around the world": {"circle": [f"{middle} 20000"]},
        "a negative circle": {"circle": [f"{middle} -5"]},
        "a circle of no number": {"circle": [f"{middle} nan"]},
        "a point in the neighbour": {"circle": [f"{SOUTH + 1.5 * SQUARE_DEGREES},{120.8 + 1e-4} 0"]},
    }
    for name, area in areas.items():
        content = message(narrow, f"shape-{name}", said("11A51", "yellow", {"areaDesc": "x", **area}))
        yield Case(name, narrow.id, content, tuple(frozenset({code}) for code in broken))


def near_real_borders(narrow: Speaker, shared: Path, seed: int, count: int) -> Iterator[Case]:
    """Triangles beside the real border of the own district, none of which touches it: a few metres to kilometres off.

    They may lie in a neighbour, in nobody's land, or in both; what they must not do is to be let through.
    """
    random = Random(seed)
    own = _surface_of(shared, OWN)
    corners = [point for part in own.geoms for point in part.exterior.coords]
    number = 0
    while number < count:
        longitude, latitude = random.choice(corners)
        away = 10 ** random.uniform(-4.5, -1)
        points = [(longitude + random.uniform(-2, 2) * away, latitude + random.uniform(-2, 2) * away) for _ in range(3)]
        triangle = Polygon(points)
        if triangle.area == 0 or triangle.intersects(own):
            continue
        ring = [(y, x) for x, y in triangle.exterior.coords]
        info = said("11A51", "yellow", {"areaDesc": "x", "polygon": [written(ring)]})
        codes = (frozenset({"remit-area"}), frozenset({"outside"}), frozenset({"polygon"}))
        yield Case(f"triangle {number}: {written(ring)}", narrow.id, message(narrow, f"real-{number}", info), codes)
        number += 1


def _surface_of(shared: Path, code: str) -> MultiPolygon:
    features = real_boundaries(shared)["features"]
    [geometry] = [one["geometry"] for one in features if one["properties"]["code"] == code]
    found = shape(geometry)
    assert isinstance(found, MultiPolygon)
    return found
