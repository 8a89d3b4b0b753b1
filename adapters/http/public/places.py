"""Where districts lie: their boundaries as GeoJSON, and whether a point or box meets one."""

from functools import lru_cache
from typing import Any

import shapely
from msgspec.json import encode
from shapely.geometry import MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from adapters.http.public.query import Box
from domain.ports import Gazetteer

KEPT = 8_192


class Places:
    """The boundaries that a gazetteer knows, each made once. Safe from many threads."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        """Ask this gazetteer."""
        self._gazetteer = gazetteer
        self.geometry = lru_cache(maxsize=KEPT)(self._geometry)
        self._shape = lru_cache(maxsize=KEPT)(self._made)

    def _geometry(self, code: str) -> bytes:
        """A Polygon or MultiPolygon as JSON (RFC 7946: longitude first), of the outer rings; `null` without one."""
        rings = [[[longitude, latitude] for latitude, longitude in ring] for ring in self._gazetteer.boundary(code)]
        shape: dict[str, Any] | None = None
        if len(rings) == 1:
            shape = {"type": "Polygon", "coordinates": rings}
        elif rings:
            shape = {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}
        return encode(shape)

    def is_located(self, code: str) -> bool:
        """Whether the district's boundary is known; without one nobody can say what lies in it."""
        return self._shape(code) is not None

    def meets_point(self, code: str, point: tuple[float, float]) -> bool:
        """Whether the (latitude, longitude) lies in the district or on its boundary."""
        shape = self._shape(code)
        return shape is not None and bool(shape.intersects(Point(point[1], point[0])))

    def meets_box(self, code: str, wanted: Box) -> bool:
        """Whether any part of the district lies in the box."""
        shape = self._shape(code)
        west, south, east, north = wanted
        parts = [box(west, south, east, north)]
        if west > east:
            parts = [box(west, south, 180, north), box(-180, south, east, north)]
        return shape is not None and any(bool(shape.intersects(part)) for part in parts)

    def _made(self, code: str) -> BaseGeometry | None:
        rings = self._gazetteer.boundary(code)
        if not rings:
            return None
        shape = MultiPolygon([Polygon([(longitude, latitude) for latitude, longitude in ring]) for ring in rings])
        sound = shape if shape.is_valid else shapely.make_valid(shape)
        shapely.prepare(sound)
        return sound
