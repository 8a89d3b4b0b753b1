"""Places: what a message claims, and what the gazetteer makes of it.

A claim is what the sender wrote; an `Area` is a place that we know, inside one of our districts. A missing or
unknown area is an error or a note, never "everyone".
"""

from domain.values import Value

Point = tuple[float, float]
"""(latitude, longitude) in degrees, WGS 84, in CAP's order."""


class Geocode(Value):
    """A coded place as CAP's `geocode`: the name of the code system and the code in it."""

    name: str
    value: str


class Circle(Value):
    """A circle around a point; the radius is in kilometres whatever unit the format used."""

    latitude: float
    longitude: float
    radius_km: float


class AreaClaim(Value):
    """One `area` of a message, as its sender wrote it: `place_names` holds names where a format lists them."""

    description: str = ""
    polygons: tuple[tuple[Point, ...], ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[Geocode, ...] = ()
    place_names: tuple[str, ...] = ()
    altitude: float | None = None
    ceiling: float | None = None


class Area(Value):
    """A known place within one district.

    `code` is the code in the gazetteer's own system (China: 6 digits for a county, 9 for a township, 12 for a
    village), `district` the code of the district that holds it (the district's own code for itself), `within`
    the codes of every larger known area around it, innermost first, up to and including the district.
    """

    code: str
    name: str
    district: str
    within: tuple[str, ...] = ()


class Resolution(Value):
    """What the gazetteer made of a claim: known areas, names or codes it did not know, ones outside our districts."""

    areas: tuple[Area, ...] = ()
    unknown: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
