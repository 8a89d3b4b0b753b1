"""Polygons and circles: from text to numbers, fast where the text is as CAP wants it.

A shape that cannot be read is never dropped in silence: a lost polygon has once warned ten million people.
"""

import itertools
import math
import re
from collections.abc import Sequence
from operator import mul, ne, sub
from typing import Annotated

import msgspec
import numpy as np
import shapely

from adapters.cap.blocks import Part
from adapters.cap.checks import Verdict
from adapters.cap.findings import Found, Place, path_at
from domain.areas import Circle, Point
from domain.findings import Code
from domain.geometry import circle_findings, polygon_findings

Ring = tuple[Point, ...]

_Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
_Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
# A list of "lat,lon" pairs becomes JSON by adding brackets; the decoder then reads numbers, checks their range and
# makes the tuples in one pass, which no loop of ours comes near.
_decode = msgspec.json.Decoder(tuple[tuple[_Latitude, _Longitude], ...]).decode

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_PAIR = re.compile(rf"({_NUMBER}),({_NUMBER})", re.ASCII)
_CIRCLE = re.compile(rf"({_NUMBER})\s*,\s*({_NUMBER})\s+({_NUMBER})", re.ASCII)
_FEWEST_CORNERS = 3
_CERTAIN = 1e-10
"""Square degrees: more than rounding can make of nothing anywhere on Earth."""
_MEETINGS = 2
_FEW_POINTS = 20
"""Up to here it is worth looking whether a ring plainly winds once; most that are longer do not."""
_MOST_LATITUDE = 90
_MOST_LONGITUDE = 180


class Rings:
    """The polygons of one message: each text is read once, and all are tested together at the end."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._by_text: dict[str, Ring | None] = {}
        self._first: list[tuple[Ring, Place]] = []

    def ring(self, text: str, element: Place) -> Ring | None:
        """The closed ring that an element's text describes; None, and a finding, when it describes none.

        Blocks in several languages repeat their polygons, so the same text is read only once.
        """
        if text in self._by_text:
            return self._by_text[text]
        ring = _read(text, element, self._found)
        self._by_text[text] = ring
        if ring is not None:
            self._first.append((ring, element))
        return ring

    def test(self) -> None:
        """Find the rings that cross themselves or have no area.

        One call tests all that are not plainly sound; those that fail it are looked at one by one, for the sentence.
        """
        verdict = self._found.checks.crossing_polygon
        if verdict is Verdict.IGNORE:
            return
        doubtful = [first for first in self._first if len(first[0]) > _FEW_POINTS or not _winds_once(first[0])]
        for (ring, element), is_sound in zip(doubtful, _sound([ring for ring, _ in doubtful]), strict=True):
            if is_sound:
                continue
            for finding in polygon_findings(ring, path_at(element), refuses=verdict is Verdict.REFUSE):
                self._found.record(finding)


def _sound(rings: Sequence[Ring]) -> Sequence[bool]:
    """Whether each ring is free of crossings and has an area."""
    if not rings:
        return ()
    lengths = [len(ring) for ring in rings]
    points = itertools.chain.from_iterable(itertools.chain.from_iterable(rings))
    coordinates = np.fromiter(points, np.float64, 2 * sum(lengths)).reshape(-1, 2)
    lines = shapely.linearrings(coordinates, indices=np.repeat(np.arange(len(rings)), lengths))
    return [bool(verdict) for verdict in np.atleast_1d(shapely.is_valid(shapely.polygons(lines)))]


def _winds_once(ring: Ring) -> bool:
    """Whether the ring goes once around the middle of its corners and never turns back: then it cannot cross itself.

    That settles boxes, circles, sectors and whatever else can be seen whole from its middle, at a tenth of the cost
    of a search for crossings; of other rings it says nothing.
    """
    corners = len(ring) - 1
    middle_y, middle_x = sum([y for y, _ in ring[1:]]) / corners, sum([x for _, x in ring[1:]]) / corners
    ys, xs = [y - middle_y for y, _ in ring], [x - middle_x for _, x in ring]
    # Twice the area between the middle and each side; its sign is the direction in which the side leads around.
    areas = list(map(sub, map(mul, xs, ys[1:]), map(mul, ys, xs[1:])))
    if min(areas) < _CERTAIN and max(areas) > -_CERTAIN:
        return False
    is_below = [y < 0 for y in ys]
    # Going around once, the line through the middle is met twice.
    meetings: int = sum(map(ne, is_below, is_below[1:]))
    return meetings == _MEETINGS


def _read(text: str, element: Place, found: Found) -> Ring | None:
    """The ring in a polygon's text, closed and within range."""
    ring = _as_cap_wants(text)
    if ring is None:
        stripped = " ".join(text.split())
        if not stripped:
            found.add(found.checks.incomplete, Code.MISSING, element, "The polygon is empty.")
            return None
        ring = _as_cap_wants(stripped)
        if ring is None:
            ring = _as_written(stripped.split(" "), element, found)
        elif stripped != text:
            found.note(Code.WHITESPACE, element, "The polygon has stray white space.")
    return _closed(ring, element, found) if ring is not None else None


def _as_cap_wants(text: str) -> Ring | None:
    if "[" in text:
        return None
    try:
        return _decode("[[" + text.replace(" ", "],[") + "]]")
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


def _as_written(tokens: Sequence[str], element: Place, found: Found) -> Ring | None:
    """The ring in numbers that JSON would not write (`+30.5`, `.5`), or the reason why there is none."""
    points: list[Point] = []
    for token in tokens:
        match = _PAIR.fullmatch(token)
        if match is None:
            sentence = f"“{token[:40]}” in the polygon is not a latitude and a longitude."
            found.add(found.checks.shape, Code.POLYGON, element, sentence)
            return None
        point = (float(match[1]), float(match[2]))
        if sentence := _out_of_range(point):
            found.add(found.checks.shape, Code.COORDINATES, element, sentence)
            return None
        points.append(point)
    return tuple(points)


def _closed(ring: Ring, element: Place, found: Found) -> Ring | None:
    is_open = ring[0] != ring[-1]
    if len(ring) - (not is_open) < _FEWEST_CORNERS:
        sentence = "The polygon has fewer than four points, the last being the first."
        found.add(found.checks.shape, Code.POLYGON, element, sentence)
        return None
    if not is_open:
        return ring
    sentence = "The polygon's last point is not its first; it is closed with a straight line."
    found.add(found.checks.open_polygon, Code.POLYGON, element, sentence)
    return (*ring, ring[0])


def _out_of_range(point: Point) -> str:
    latitude, longitude = point
    if abs(latitude) <= _MOST_LATITUDE and abs(longitude) <= _MOST_LONGITUDE:
        return ""
    if abs(latitude) <= _MOST_LONGITUDE and abs(longitude) <= _MOST_LATITUDE:
        return f"{latitude},{longitude} has latitude and longitude swapped; latitude comes first."
    return f"{latitude},{longitude} is not a place on Earth."


def circle(text: str, element: Place, found: Found) -> Circle | None:
    """The circle in `latitude,longitude radius_km`; None, and a finding, when there is none."""
    text = text.strip()
    if not text:
        found.add(found.checks.incomplete, Code.MISSING, element, "The circle is empty.")
        return None
    match = _CIRCLE.fullmatch(text)
    if match is None:
        sentence = f"“{text[:60]}” is not a circle of the form latitude,longitude radius."
        found.add(found.checks.shape, Code.CIRCLE, element, sentence)
        return None
    latitude, longitude, radius_km = map(float, match.groups())
    read = Circle(latitude=latitude, longitude=longitude, radius_km=radius_km)
    # Paths are only worked out for circles that are worth a finding.
    if not circle_findings(read, "", refuses=True):
        return read
    for finding in circle_findings(read, path_at(element), refuses=found.checks.shape is Verdict.REFUSE):
        found.record(finding)
    return None


def height_feet(block: Part, name: str, found: Found) -> float | None:
    """The number in an altitude or ceiling (CAP: feet above sea level); None, and a note, when there is none."""
    text = block.texts[name].strip()
    try:
        value = float(text) if text else math.nan
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    found.note(Code.VALUE, block.where(name), f"“{text[:40]}” is not a height.")
    return None
