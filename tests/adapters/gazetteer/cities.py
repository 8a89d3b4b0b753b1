"""Gazetteers that several tests ask: two Chinese cities as an outlet would set them up, and a made-up country."""

import json
from functools import cache
from typing import Any

from adapters.gazetteer import ExtraPlace, TableGazetteer, china_gazetteer, geojson_gazetteer
from domain.areas import AreaClaim, Geocode

SHAOXING = ("330602", "330603", "330604", "330624", "330681", "330683")
SHENZHEN = ("440303", "440304", "440305", "440306", "440307", "440308", "440309", "440310", "440311")

SHENZHEN_EXTRAS = (
    ExtraPlace(
        code="441590",
        name="深汕特别合作区",
        within="4403",
        aliases=("深汕合作区", "深汕"),
        covers=("441521102", "441521103", "441521104", "441521105"),
        is_district=True,
    ),
    ExtraPlace(
        code="440312",
        name="大鹏新区",
        within="4403",
        covers=("440307009", "440307010", "440307011"),
        is_district=True,
    ),
    *(
        ExtraPlace(code=code, name=name, within="4403", is_district=True, is_sea=True)
        for code, name in (
            ("440391", "珠江口"),
            ("440392", "深圳湾"),
            ("440393", "大鹏湾"),
            ("440394", "大亚湾"),
            ("440395", "深汕海域"),
        )
    ),
    # The table writes 鮜门镇, the city's bureaus 鲘门.
    ExtraPlace(name="鲘门", aliases=("鲘门镇", "鲘门街道"), covers=("441521105",)),
)
"""440312, 440391 to 440395 and 441590 are codes of this outlet's own."""


def square(west: float, south: float, side: float = 1.0) -> dict[str, Any]:
    east, north = west + side, south + side
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(code: str, name: str, geometry: dict[str, Any] | None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"code": code, "name": name, **properties}, "geometry": geometry}


def collection(*features: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


COUNTRY = (
    feature("FL", "Florida Nova", None, geocodes={"STATE": ["FL"]}),
    feature(
        "FL-1", "Monroe County", square(10, 50), parent="FL", geocodes={"UGC": ["FLC087", "FLZ076"], "SAME": ["012087"]}
    ),
    feature("FL-2", "Dade County", square(11, 50), parent="FL", geocodes={"UGC": ["FLC086"], "SAME": ["012086"]}),
    feature("GA-1", "Lowland", square(10, 51), parent="GA", geocodes={"NUTS3": ["XX123"], "SAME": ["013001"]}),
)
"""Monroe and Dade lie side by side, Lowland north of Monroe; GA is a region of which nothing is known but its code."""


@cache
def shaoxing() -> TableGazetteer:
    return china_gazetteer(districts=SHAOXING)


@cache
def shenzhen() -> TableGazetteer:
    return china_gazetteer(districts=SHENZHEN, extra_places=SHENZHEN_EXTRAS, short_names="townships")


@cache
def country() -> TableGazetteer:
    return geojson_gazetteer(collection(*COUNTRY), code_system="NATIONAL")


def named(*names: str) -> AreaClaim:
    return AreaClaim(place_names=names)


def coded(*values: str, system: str = "areaCode") -> AreaClaim:
    return AreaClaim(geocodes=tuple(Geocode(name=system, value=value) for value in values))


def meant(gazetteer: TableGazetteer, claim: AreaClaim, threshold: float = 0.1) -> list[str]:
    """The codes a claim resolves to, when nothing in it was unknown or outside."""
    resolution = gazetteer.resolve(claim, threshold=threshold)
    assert (resolution.unknown, resolution.outside) == ((), ())
    return [area.code for area in resolution.areas]
