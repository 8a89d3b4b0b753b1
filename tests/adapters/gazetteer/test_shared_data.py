"""The gazetteer on the public data beside the project: a city's real warnings, villages and boundaries."""

import json
from collections import Counter
from pathlib import Path

import pytest

from adapters.gazetteer import china_gazetteer, read_boundaries, read_villages
from domain.areas import AreaClaim, Circle
from domain.geometry import Surfaces
from tests.adapters.gazetteer.cities import SHAOXING, collection, feature, meant, named, shenzhen


@pytest.fixture(scope="module")
def boundaries(shared_data: Path) -> bytes:
    return collection(
        *(
            feature(
                code, code, json.loads((shared_data / "shaoxing" / f"{code}000000.geojson").read_bytes())["geometry"]
            )
            for code in SHAOXING
        )
    )


def test_every_place_in_two_months_of_shenzhens_warnings_resolves(shared_data: Path) -> None:
    rows = 0
    for path in (shared_data / "shenzhen").glob("warnings_*.ndjson"):
        for line in path.read_text(encoding="utf-8").splitlines():
            names = json.loads(line)["area"].split("、")
            resolution = shenzhen().resolve(named(*names), threshold=0.1)
            assert (resolution.unknown, resolution.outside) == ((), ()), names
            assert resolution.areas
            rows += 1
    assert rows == 315


def test_every_listed_division_of_both_cities_is_in_the_table(shared_data: Path) -> None:
    for path, districts, parts in (
        ("shaoxing/shaoxing_divisions.json", "areas", SHAOXING),
        ("shenzhen/shenzhen_divisions.json", "counties", None),
    ):
        listed = json.loads((shared_data / path).read_bytes())[districts]
        gazetteer = china_gazetteer(districts=[district["code"] for district in listed])
        assert parts is None or [area.code for area in gazetteer.districts()] == list(parts)
        for district in listed:
            for street in district["streets"]:
                area = gazetteer.area(street["code"])
                assert area is not None
                assert (area.name, area.within) == (street["name"], (district["code"],))


def test_all_villages_of_shaoxing_import_and_resolve(shared_data: Path) -> None:
    villages = read_villages((shared_data / "shaoxing" / "shaoxing_villages.csv").read_bytes())
    assert len(villages) == 2168
    gazetteer = china_gazetteer(districts=SHAOXING, villages=villages)
    places = []
    for code, name in villages.items():
        area = gazetteer.area(code)
        assert area is not None
        assert (area.name, len(area.within)) == (name, 2)
        places.append((code, area.within[0], name))
    # Within one township a village's name is enough, unless the township has two of it.
    spelled = Counter((township, name) for _, township, name in places)
    for code, township, name in places[::7]:
        holder = gazetteer.area(township)
        assert holder is not None
        if spelled[township, name] == 1:
            district = gazetteer.area(holder.district)
            assert district is not None
            assert meant(gazetteer, named(f"{district.name}{holder.name}{name}")) == [code]


def test_a_shape_over_shaoxing_means_its_counties(boundaries: bytes) -> None:
    gazetteer = china_gazetteer(districts=SHAOXING, boundaries=read_boundaries(boundaries))
    yuecheng = Circle(latitude=29.99, longitude=120.58, radius_km=1)
    assert meant(gazetteer, AreaClaim(circles=(yuecheng,)), threshold=0.3) == ["330602"]
    everything = Circle(latitude=29.8, longitude=120.6, radius_km=120)
    assert meant(gazetteer, AreaClaim(circles=(everything,)), threshold=0.9) == list(SHAOXING)


def test_each_county_means_itself_and_no_neighbour(boundaries: bytes) -> None:
    shapes = read_boundaries(boundaries)
    surfaces = Surfaces(shapes)
    gazetteer = china_gazetteer(districts=SHAOXING, boundaries=shapes)
    for code in SHAOXING:
        largest = max(gazetteer.boundary(code), key=len)
        assert surfaces.meant_by_ring(largest, 0.5) == (code,)
