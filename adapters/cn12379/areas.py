"""The `area` blocks of a 12379 message: codes, polygons and circles, checked and in our units.

What is wrong with a shape or code refuses the message: an area that is lost must never become "everywhere".
"""

import re
from itertools import pairwise

from lxml import etree

from adapters.cn12379.fields import Fields, quoted
from domain.areas import AreaClaim, Circle, Geocode, Point
from domain.findings import Code

GEOCODE_SYSTEM = "12379"

_GEOCODE = re.compile(r"[0-9]{6}|[0-9]{9}|[0-9]{12}")
_FULL_GEOCODE_DIGITS = 12
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:\.[0-9]{1,15})?")
_SEPARATORS = re.compile(r"[,，;；\s]+")
_FEWEST_POINTS = 4
_MOST_POINTS = 10_000
_MOST_CODES = 5_000
_CHARACTERS_OF_A_CODE = 13
_METRES_PER_KILOMETRE = 1000
_CIRCUMFERENCE_KM = 40_075


def area_claim(fields: Fields, area: etree._Element) -> AreaClaim:
    """One `area` block as a claim; geocodes without repeats, in the sender's order."""
    description = fields.text(area, "areaDesc")
    if not description.strip():
        fields.note(Code.INCOMPLETE_NOTE, fields.path(area, "areaDesc"), "The area has no words.")
    codes = [code for element in fields.every(area, "geocode") for code in _geocodes(fields, element)]
    polygons = [_polygon(fields, element) for element in fields.every(area, "polygon")]
    circles = [_circle(fields, element) for element in fields.every(area, "circle")]
    return AreaClaim(
        description=description,
        polygons=tuple(polygon for polygon in polygons if polygon),
        circles=tuple(circle for circle in circles if circle is not None),
        geocodes=tuple(Geocode(name=GEOCODE_SYSTEM, value=code) for code in dict.fromkeys(codes)),
    )


def _geocodes(fields: Fields, element: etree._Element) -> list[str]:
    """The codes of a comma-joined list. One finding speaks for all that are wrong in the same way."""
    text = fields.coded_in(element)
    # Before splitting, which costs far more than counting characters.
    if len(text) > _MOST_CODES * _CHARACTERS_OF_A_CODE:
        fields.refuse(Code.LIMIT, fields.path(element), f"There are more than {_MOST_CODES} division codes.")
        return []
    codes = [code for code in _SEPARATORS.split(text) if code]
    strange = [code for code in codes if not _GEOCODE.fullmatch(code)]
    if strange:
        sentence = f"{_first_of(strange)} is not a division code of 12 digits."
        fields.refuse(Code.GEOCODE, fields.path(element), sentence)
        return []
    short = [code for code in codes if len(code) < _FULL_GEOCODE_DIGITS]
    if short:
        sentence = f"The division code {_first_of(short)} is shorter than 12 digits."
        fields.note(Code.GEOCODE, fields.path(element), sentence)
    return codes


def _first_of(values: list[str]) -> str:
    return quoted(values[0]) if len(values) == 1 else f"{quoted(values[0])} (and {len(values) - 1} more)"


def _polygon(fields: Fields, element: etree._Element) -> tuple[Point, ...]:
    """A ring from `lat,lon lat,lon …`; an open one is closed, since only one closing is possible."""
    ring = _points(fields, element, fields.coded_in(element).split())
    if not ring:
        return ()
    if ring[0] != ring[-1]:
        sentence = "The polygon was not closed; its first point was repeated at the end."
        fields.note(Code.POLYGON, fields.path(element), sentence)
        ring = (*ring, ring[0])
    if len(ring) < _FEWEST_POINTS or not _twice_the_surface(ring):
        sentence = "The polygon has fewer than four points or no surface."
        fields.refuse(Code.POLYGON, fields.path(element), sentence)
        return ()
    return ring


def _points(fields: Fields, element: etree._Element, pairs: list[str]) -> tuple[Point, ...]:
    """All points, or none as soon as one is wrong."""
    if len(pairs) > _MOST_POINTS:
        fields.refuse(Code.LIMIT, fields.path(element), f"The polygon has more than {_MOST_POINTS} points.")
        return ()
    points: list[Point] = []
    for pair in pairs:
        point = _point(fields, element, pair)
        if point is None:
            return ()
        points.append(point)
    return tuple(points)


def _circle(fields: Fields, element: etree._Element) -> Circle | None:
    """A circle from `lat,lon radius`, the radius in metres."""
    words = fields.coded_in(element).split()
    if not words:
        return None
    if len(words) != 2 or not _NUMBER.fullmatch(words[1]):  # noqa: PLR2004 (centre and radius)
        fields.refuse(Code.CIRCLE, fields.path(element), "A circle is `latitude,longitude radius`, radius in metres.")
        return None
    centre = _point(fields, element, words[0])
    radius_km = float(words[1]) / _METRES_PER_KILOMETRE
    if not 0 < radius_km <= _CIRCUMFERENCE_KM:
        fields.refuse(Code.CIRCLE, fields.path(element), f"A radius of {words[1]} metres cannot be meant.")
        return None
    return None if centre is None else Circle(latitude=centre[0], longitude=centre[1], radius_km=radius_km)


def _point(fields: Fields, element: etree._Element, pair: str) -> Point | None:
    words = pair.split(",")
    if len(words) != 2 or not all(_NUMBER.fullmatch(word) for word in words):  # noqa: PLR2004 (a pair)
        fields.refuse(Code.COORDINATES, fields.path(element), f"{quoted(pair)} is not a pair `latitude,longitude`.")
        return None
    latitude, longitude = (float(word) for word in words)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 (degrees)
        fields.refuse(Code.COORDINATES, fields.path(element), f"{quoted(pair)} is not on earth; latitude comes first.")
        return None
    return latitude, longitude


def _twice_the_surface(ring: tuple[Point, ...]) -> float:
    """The shoelace formula, in square degrees: good for telling a surface from none."""
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring)))
