"""Districts and boundaries from GeoJSON (RFC 7946): how a country other than China brings its places.

What belongs here: reading and checking the document. What the places mean is the gazetteer's.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry import shape as shapely_shape

from adapters.gazetteer.codes import ListedCodes, PublishedCode
from adapters.gazetteer.errors import GazetteerError, refuse_if_any
from adapters.gazetteer.lookup import ShortNames
from adapters.gazetteer.places import TableGazetteer
from adapters.gazetteer.tree import ExtraPlace
from domain.geometry import polygon_findings

Document = Mapping[str, object]


class _Place(NamedTuple):
    """One feature as read: empty and None where it has nothing."""

    code: str
    name: str
    parent: str
    codes: tuple[PublishedCode, ...]
    boundary: Polygon | MultiPolygon | None


def geojson_gazetteer(
    content: bytes,
    *,
    districts: Sequence[str] = (),
    extra_places: Iterable[ExtraPlace] = (),
    short_names: ShortNames = "districts",
    code_system: str = "",
) -> TableGazetteer:
    """A gazetteer of the districts in a FeatureCollection.

    Each feature has the properties `code` and `name`, and may have `parent` (the code of the region around it, which
    may be a feature or not) and `geocodes`: codes by the name that CAP gives their system, `{"UGC": ["FLC086"]}`.
    A feature that is another's parent is a region, every other one a district; `districts` says otherwise, and then
    the rest is elsewhere. `code_system` is the name of the system that the own codes belong to, if senders use it.

    Raises:
        GazetteerError: with everything that is wrong with the document.
    """
    places = _places(content)
    parents = {place.code: place.parent for place in places}
    regions = {place.parent for place in places if place.parent}
    names = {region: region for region in regions} | {place.code: place.name for place in places}
    return TableGazetteer(
        names,
        parent_of=lambda code: parents.get(code, ""),
        districts=districts or [place.code for place in places if place.code not in regions],
        codes=ListedCodes({place.code: place.codes for place in places}, code_system),
        extra_places=extra_places,
        boundaries={place.code: place.boundary for place in places if place.boundary is not None},
        short_names=short_names,
    )


def read_boundaries(content: bytes) -> dict[str, Polygon | MultiPolygon]:
    """Boundaries by code, from a FeatureCollection whose features have the properties `code` and `name`.

    Raises:
        GazetteerError: with everything that is wrong with the document.
    """
    return {place.code: place.boundary for place in _places(content) if place.boundary is not None}


def _places(content: bytes) -> list[_Place]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:  # JSON's own errors, numbers without end and nesting without end
        raise GazetteerError([f"The file is not JSON: {error}."]) from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not features:
        raise GazetteerError(["The file is no GeoJSON FeatureCollection with features."])
    problems: list[str] = []
    places = [_place(feature, f"Feature {index}", problems) for index, feature in enumerate(features, start=1)]
    counted = Counter(place.code for place in places if place.code)
    problems += [f"The code {code} comes {count} times." for code, count in counted.items() if count > 1]
    problems += _circles_of_parents(places)
    refuse_if_any(problems)
    return places


def _place(feature: object, label: str, problems: list[str]) -> _Place:
    """One feature; what is wrong with it is added to the problems."""
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(feature, dict) or not isinstance(properties, dict):
        problems.append(f"{label} has no properties.")
        return _Place("", "", "", (), None)
    code, name, parent = (_text(properties.get(field)) for field in ("code", "name", "parent"))
    label = f"{label} ({code or name or 'unnamed'})"
    problems += [f"{label} has no {field}." for field, value in (("code", code), ("name", name)) if not value]
    codes = _codes(properties.get("geocodes", {}), label, problems)
    return _Place(code, name, parent, codes, _boundary(feature.get("geometry"), label, problems))


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _codes(geocodes: object, label: str, problems: list[str]) -> tuple[PublishedCode, ...]:
    if not isinstance(geocodes, dict) or not all(
        isinstance(codes, list) and all(_text(code) for code in codes) for codes in geocodes.values()
    ):
        problems.append(f"{label}: geocodes must be lists of codes by the name of their system.")
        return ()
    return tuple(
        PublishedCode(system=system, value=_text(code)) for system, codes in geocodes.items() for code in codes
    )


def _boundary(geometry: object, label: str, problems: list[str]) -> Polygon | MultiPolygon | None:
    """The boundary, None when there is none (RFC 7946 allows a feature without a place)."""
    if geometry is None:
        return None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in ("Polygon", "MultiPolygon"):  # it may be a list
        problems.append(f"{label}: a boundary must be a Polygon or a MultiPolygon, not {kind}.")
        return None
    try:
        polygons = geometry["coordinates"] if kind == "MultiPolygon" else [geometry["coordinates"]]
        rings = [[(float(y), float(x)) for x, y, *_ in ring] for polygon in polygons for ring in polygon]
    except (KeyError, TypeError, ValueError, OverflowError):
        problems.append(f"{label}: the coordinates are not lists of longitude and latitude.")
        return None
    found = [finding for ring in rings for finding in polygon_findings(ring, label, refuses=True)]
    if found or not rings:
        problems += [f"{label}: {finding.sentence}" for finding in found] or [f"{label}: the boundary is empty."]
        return None
    boundary = shapely_shape(geometry)
    if not isinstance(boundary, Polygon | MultiPolygon) or not boundary.is_valid:
        problems.append(f"{label}: the parts of the boundary overlap or its holes lie outside.")
        return None
    return boundary


def _circles_of_parents(places: Sequence[_Place]) -> list[str]:
    """Sentences on places that lie within themselves by way of their parents."""
    parents = {place.code: place.parent for place in places}
    problems = []
    for code, parent in parents.items():
        around, seen = parent, {code}
        while around and around not in seen:
            seen.add(around)
            around = parents.get(around, "")
        if around and around == code:
            problems.append(f"The place {code} lies within itself.")
    return problems
