"""Shapes: what is wrong with one, and which districts it means.

The only file of the domain that knows shapely. Positions come in as (latitude, longitude) in degrees, WGS 84; inside,
shapes lie in Lambert's cylindrical equal-area projection, so that a share of a surface is a share of square
kilometres at every latitude. What does not belong here: names and codes of places, and formats.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from domain.areas import Circle, Point
from domain.findings import Code, Finding, note, refusal

EARTH_RADIUS_KM = 6371.0088
"""The mean radius of WGS 84 (IUGG's R1)."""

MOST_LATITUDE = 90.0
MOST_LONGITUDE = 180.0
LIMITS = np.array((MOST_LATITUDE, MOST_LONGITUDE))
FULL_TURN = 360.0
FEWEST_POINTS = 4
"""CAP 1.2, section 3.2.4: a polygon has at least four points, the first and last the same."""

LARGEST_RADIUS_KM = math.pi * EARTH_RADIUS_KM
SMALLEST_RADIUS_KM = 0.001
"""Senders write a radius of 0 for a point; it then stands for the metre around it, which lies in some district."""

CIRCLE_CORNERS = 64
SHARE_TOLERANCE = 1e-9

Ring = Sequence[Point]


def polygon_findings(ring: Ring, path: str, *, refuses: bool) -> tuple[Finding, ...]:
    """What is wrong with a polygon's ring; empty for a sound one, which costs one pass and one validity test.

    Found are: fewer than four points, a ring that is not closed, positions out of range (or with latitude and
    longitude swapped), no area, and a ring that crosses itself. A ring with longitudes beyond ±180 is out of range;
    one that jumps from 180 to -180 is taken to cross the antimeridian.
    """
    if len(ring) < FEWEST_POINTS:
        return (_found(Code.POLYGON, path, f"The polygon has {len(ring)} points; it needs four.", refuses),)
    found: list[Finding] = []
    if ring[0] != ring[-1]:
        found.append(_found(Code.POLYGON, path, "The polygon's last point is not its first.", refuses))
    points = np.asarray(ring, dtype=float)
    if not (np.abs(points) <= LIMITS).all():
        found.append(_found(Code.COORDINATES, path, _out_of_range(ring), refuses))
    elif fault := _fault(Polygon(_unwrapped(points))):
        found.append(_found(Code.POLYGON, path, fault, refuses))
    return tuple(found)


def circle_findings(circle: Circle, path: str, *, refuses: bool) -> tuple[Finding, ...]:
    """What is wrong with a circle; empty for a sound one. A radius of 0 is a point, and sound."""
    found: list[Finding] = []
    sentence = _out_of_range(((circle.latitude, circle.longitude),))
    if sentence:
        found.append(_found(Code.COORDINATES, path, sentence, refuses))
    if not 0 <= circle.radius_km <= LARGEST_RADIUS_KM:
        sentence = f"The circle's radius is {circle.radius_km} km; it must be from 0 to {LARGEST_RADIUS_KM:.0f}."
        found.append(_found(Code.CIRCLE, path, sentence, refuses))
    return tuple(found)


def circle_ring(circle: Circle, corners: int = CIRCLE_CORNERS) -> tuple[Point, ...]:
    """A circle as a closed ring of `corners` positions on it.

    Each position is the end of a great-circle arc of the radius' length (Snyder, Map Projections: A Working Manual,
    USGS 1987, equations 5-5 and 5-6), so that the ring is a circle in the azimuthal equidistant projection about
    its centre. Longitudes run on beyond ±180 where the circle crosses the antimeridian.
    """
    arc = max(circle.radius_km, SMALLEST_RADIUS_KM) / EARTH_RADIUS_KM
    latitude = math.radians(circle.latitude)
    ring: list[Point] = []
    for corner in range(corners):
        bearing = 2 * math.pi * corner / corners
        height = math.sin(latitude) * math.cos(arc) + math.cos(latitude) * math.sin(arc) * math.cos(bearing)
        turn = math.atan2(
            math.sin(arc) * math.sin(bearing),
            math.cos(latitude) * math.cos(arc) - math.sin(latitude) * math.sin(arc) * math.cos(bearing),
        )
        ring.append((math.degrees(math.asin(min(1.0, max(-1.0, height)))), circle.longitude + math.degrees(turn)))
    return (*ring, ring[0])


def outer_rings(geometry: Polygon | MultiPolygon) -> tuple[tuple[Point, ...], ...]:
    """The closed outer rings, in (latitude, longitude), of a geometry in GeoJSON's order of axes."""
    parts = geometry.geoms if isinstance(geometry, MultiPolygon) else (geometry,)
    return tuple(tuple((y, x) for x, y in shapely.get_coordinates(part.exterior).tolist()) for part in parts)


class Surfaces:
    """The surfaces of districts, ready to be asked which of them a shape means."""

    def __init__(self, boundaries: Mapping[str, BaseGeometry]) -> None:
        """Keep boundaries by district code, in GeoJSON's order of axes (x is the longitude), WGS 84."""
        self._codes = tuple(sorted(boundaries))
        self._known = frozenset(self._codes)
        self._surfaces = np.array([_equal_area(boundaries[code]) for code in self._codes], dtype=object)
        self._areas = shapely.area(self._surfaces)
        self._tree = shapely.STRtree(self._surfaces)

    @classmethod
    def empty(cls) -> Self:
        """No surfaces: every shape means nothing."""
        return cls({})

    def __contains__(self, code: object) -> bool:
        return code in self._known

    def meant_by_ring(self, ring: Ring, threshold: float) -> tuple[str, ...]:
        """The codes, in order, of the districts that a polygon means: see `_meant_by`."""
        if len(set(ring)) < FEWEST_POINTS - 1:
            return ()
        return self._meant_by(_whole(_unwrapped(np.asarray(ring, dtype=float))), threshold)

    def meant_by_circle(self, circle: Circle, threshold: float) -> tuple[str, ...]:
        """The codes, in order, of the districts that a circle means: see `_meant_by`."""
        return self._meant_by(_whole(np.asarray(circle_ring(circle))), threshold)

    def _meant_by(self, shape: BaseGeometry, threshold: float) -> tuple[str, ...]:
        """Districts of which the shape covers at least `threshold` (0 to 1), or that hold as much of the shape.

        A common border alone is no share, whatever the threshold.
        """
        surface = _equal_area(shape)
        candidates = np.sort(self._tree.query(surface, predicate="intersects"))
        if not len(candidates):
            return ()
        shared = shapely.area(shapely.intersection(self._surfaces[candidates], surface))
        smaller = np.minimum(self._areas[candidates], shapely.area(surface))
        meant = (shared > 0) & (shared >= (threshold - SHARE_TOLERANCE) * smaller)
        return tuple(self._codes[candidate] for candidate in candidates[meant])


def _found(code: Code, path: str, sentence: str, refuses: bool) -> Finding:  # noqa: FBT001  (passed on as it came)
    return (refusal if refuses else note)(code, path, sentence)


def _out_of_range(ring: Ring) -> str:
    """A sentence on the first position that is none; empty when all are."""
    for latitude, longitude in ring:
        if abs(latitude) <= MOST_LATITUDE and abs(longitude) <= MOST_LONGITUDE:
            continue
        place = f"{latitude}, {longitude}"
        swapped = all(abs(first) <= MOST_LONGITUDE and abs(second) <= MOST_LATITUDE for first, second in ring)
        if swapped:
            return f"Latitude and longitude are probably swapped: {place}."
        return f"{place} is no position: the latitude must lie within ±90, the longitude within ±180."
    return ""


def _fault(polygon: Polygon) -> str:
    """A sentence on a polygon that has no area or crosses itself; empty for a sound one.

    Whether it does is the same with its axes exchanged, so it comes as (latitude, longitude), as its sender wrote it.
    """
    if polygon.is_valid:
        return ""
    if shapely.area(shapely.make_valid(polygon)) == 0:
        return "The polygon has no area."
    return f"The polygon crosses itself: {shapely.is_valid_reason(polygon)}."


def _unwrapped(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same ring without a jump at the antimeridian: west of a jump, longitudes run on beyond 180.

    Taken as it stands, such a ring would lie around the whole globe and mean districts that it never touches.
    """
    longitudes = points[:, 1]
    if (np.abs(np.diff(longitudes)) <= MOST_LONGITUDE).all():
        return points
    return np.column_stack((points[:, 0], np.where(longitudes < 0, longitudes + FULL_TURN, longitudes)))


def _whole(points: NDArray[np.float64]) -> BaseGeometry:
    """The ring's sound surface within longitudes ±180; what lies beyond one end is put back at the other."""
    surface = shapely.make_valid(Polygon(points[:, ::-1]))
    west, _, east, _ = surface.bounds
    if west >= -MOST_LONGITUDE and east <= MOST_LONGITUDE:
        return surface
    turned = [translate(surface, xoff=turn) for turn in (-FULL_TURN, 0.0, FULL_TURN)]
    return shapely.clip_by_rect(
        shapely.union_all(turned), -MOST_LONGITUDE, -MOST_LATITUDE, MOST_LONGITUDE, MOST_LATITUDE
    )


def _equal_area(geometry: BaseGeometry) -> BaseGeometry:
    """The geometry in Lambert's cylindrical equal-area projection (Snyder 1987, equations 10-1 and 10-2).

    Units are Earth radii, so that an area is a share of the sphere times 4π. Only corners are projected: over the
    extent of a district the edges between them stay where they were to well below a boundary's own accuracy.
    """

    def project(points: NDArray[np.float64]) -> NDArray[np.float64]:
        radians = np.radians(points)
        return np.column_stack((radians[:, 0], np.sin(radians[:, 1])))

    projected = shapely.transform(geometry, project)
    return projected if projected.is_valid else shapely.make_valid(projected)
