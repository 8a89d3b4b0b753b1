"""The gazetteer that a policy asks for: China's table, or another country's districts as GeoJSON."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from adapters.gazetteer.china import china_gazetteer, divisions
from adapters.gazetteer.errors import GazetteerError
from adapters.gazetteer.geojson import geojson_gazetteer, read_boundaries
from adapters.gazetteer.places import TableGazetteer
from adapters.gazetteer.tree import ExtraPlace
from adapters.gazetteer.villages import read_villages
from domain.policy import GazetteerDefinition

CHINA = "china"
COUNTY_DIGITS = 6


def gazetteer_of(definition: GazetteerDefinition, *, beside: Path | None = None) -> TableGazetteer:
    """Build the gazetteer. Paths in the definition are relative to `beside`, the policy file's folder.

    `boundaries` may also name a shipped file (`shaoxing`).

    Raises:
        GazetteerError: with everything in the data that does not fit, or the file that is missing.
    """
    extra = [ExtraPlace.model_validate(place.model_dump()) for place in definition.places]
    if definition.source == CHINA:
        return china_gazetteer(
            districts=counties_of(definition.districts),
            extra_places=extra,
            villages=read_villages(_content(definition.villages, beside)) if definition.villages else None,
            boundaries=read_boundaries(_content(definition.boundaries, beside)) if definition.boundaries else None,
            short_names=definition.short_names,
            code_system=definition.geocode_system,
        )
    return geojson_gazetteer(
        _content(definition.source, beside),
        districts=definition.districts,
        extra_places=extra,
        short_names=definition.short_names,
        code_system=definition.geocode_system,
    )


def counties_of(codes: Sequence[str]) -> tuple[str, ...]:
    """The districts that a policy names: a province's (2 digits) or a city's code (4) stands for all its counties."""
    known = divisions()
    found: list[str] = []
    for code in codes:
        if len(code) < COUNTY_DIGITS and code in known:
            found += [county for county in known if len(county) == COUNTY_DIGITS and county.startswith(code)]
        else:
            found.append(code)
    return tuple(dict.fromkeys(found))


def _content(name: str, beside: Path | None) -> bytes:
    shipped = files("adapters.gazetteer").joinpath("data", "boundaries", f"{name}.geojson")
    if "/" not in name and shipped.is_file():
        return shipped.read_bytes()
    path = Path(name) if beside is None else beside / name
    try:
        return path.read_bytes()
    except OSError as error:
        raise GazetteerError([f"{path}: {error.strerror}"]) from error
