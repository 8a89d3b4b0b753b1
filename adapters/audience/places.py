"""What the index asks of the gazetteer: what lies around a code that somebody is entered for, and an area's shape.

Here: the one rule by which a code that the gazetteer does not list is placed, and boundaries as shapes. Whom an area
concerns is `part`'s.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from domain.areas import AreaClaim, Geocode, Point
from domain.ports import Gazetteer

LARGER_DIGITS: Final = {12: 9, 9: 6}
"""Digits of a Chinese village's or township's code, and of the code of what is around it."""

HALF_TURN, FULL_TURN = 180.0, 360.0


class Places:
    """Codes and shapes, each looked up once."""

    def __init__(self, gazetteer: Gazetteer, code_system: str = "") -> None:
        """`code_system` is the name of the system that the gazetteer's own codes belong to, if senders use them."""
        self._gazetteer = gazetteer
        self._code_system = code_system
        self.meant_by = lru_cache(maxsize=None)(self._meant_by)
        self.around = lru_cache(maxsize=None)(self._around)
        self.shape = lru_cache(maxsize=None)(self._shape)

    def _meant_by(self, code: str) -> tuple[str, ...]:
        """The areas that somebody entered for this code is entered for; empty when it means no place of ours.

        An area of ours is itself. A code above our districts (a city, a province) is all of our districts in it. A
        Chinese village or township that the table does not list, since divisions are renumbered every year, stays
        itself within what its first digits name.
        """
        if self._gazetteer.area(code) is not None or self._around(code):
            return (code,)
        claim = AreaClaim(geocodes=(Geocode(name=self._code_system, value=code),))
        return tuple(area.code for area in self._gazetteer.resolve(claim, threshold=1.0).areas)

    def _around(self, code: str) -> tuple[str, ...]:
        """The codes of every larger area of ours around one, innermost first; empty for a district or none of ours."""
        area = self._gazetteer.area(code)
        if area is not None:
            return area.within
        larger = code[: LARGER_DIGITS[len(code)]] if len(code) in LARGER_DIGITS and code.isdecimal() else ""
        if not larger or code.endswith("000"):
            return ()
        if self._gazetteer.area(larger) is None and not self._around(larger):
            return ()
        return (larger, *self._around(larger))

    def _shape(self, code: str) -> BaseGeometry | None:
        """The area's own surface, x the longitude; None when the gazetteer has no boundary of it."""
        rings = self._gazetteer.boundary(code)
        return surface_of(rings) if rings else None

    def deciding_shape(self, code: str, within: Sequence[str] = ()) -> tuple[str, BaseGeometry] | None:
        """The smallest of the area and those around it that has a boundary; None where none has."""
        for place in (code, *(within or self.around(code))):
            shape = self.shape(place)
            if shape is not None:
                return place, shape
        return None

    def districts(self) -> Sequence[str]:
        """The codes of our districts."""
        return tuple(area.code for area in self._gazetteer.districts())


def surface_of(rings: Sequence[Sequence[Point]]) -> BaseGeometry:
    """The surface within closed rings of (latitude, longitude), x the longitude.

    A ring that jumps from 180 to -180 crosses the antimeridian: its longitudes run on beyond 180.

    Raises:
        ValueError: a ring has fewer than three positions, so that it has no inside.
    """
    polygons = []
    for ring in rings:
        points = np.asarray(ring, dtype=float)[:, ::-1]
        if len(points) and (np.abs(np.diff(points[:, 0])) > HALF_TURN).any():
            points = np.column_stack((np.where(points[:, 0] < 0, points[:, 0] + FULL_TURN, points[:, 0]), points[:, 1]))
        polygons.append(Polygon(points))
    if len(polygons) == 1 and polygons[0].is_valid:
        return polygons[0]
    mended = shapely.union_all([shapely.make_valid(polygon) for polygon in polygons])
    parts = shapely.get_parts(shapely.get_parts(mended))  # lines and points that came out of mending have no inside
    return MultiPolygon(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON].tolist())
