"""Another country's districts: its own code systems, its shapes, and what is told of a bad document."""

import json
from typing import Any

import pytest

from adapters.gazetteer import GazetteerError, geojson_gazetteer, read_boundaries
from domain.areas import AreaClaim, Circle, Geocode, Point
from tests.adapters.gazetteer.cities import COUNTRY, coded, collection, country, feature, meant, named, square


def problems(content: bytes) -> tuple[str, ...]:
    with pytest.raises(GazetteerError) as caught:
        geojson_gazetteer(content)
    return caught.value.problems


def ring(west: float, south: float, east: float, north: float) -> tuple[Point, ...]:
    return ((south, west), (south, east), (north, east), (north, west), (south, west))


@pytest.mark.parametrize(
    ("system", "value", "codes"),
    [
        ("UGC", "FLC086", ["FL-2"]),
        ("ugc", "flz076", ["FL-1"]),
        ("SAME", "012087", ["FL-1"]),
        ("NUTS3", "XX123", ["GA-1"]),
        ("STATE", "FL", ["FL-1", "FL-2"]),
        ("NATIONAL", "FL", ["FL-1", "FL-2"]),
        ("NATIONAL", "GA", ["GA-1"]),
        ("NATIONAL", "GA-1", ["GA-1"]),
    ],
)
def test_a_geocode_resolves_in_the_system_of_its_sender(system: str, value: str, codes: list[str]) -> None:
    assert meant(country(), coded(value, system=system)) == codes


def test_a_code_in_the_wrong_system_is_unknown() -> None:
    assert country().resolve(coded("FLC086", system="SAME"), threshold=0.1).unknown == ("FLC086",)
    assert country().resolve(coded("FL-1", system="UGC"), threshold=0.1).unknown == ("FL-1",)


def test_a_system_that_is_not_kept_is_listed_only_when_nothing_else_was_understood() -> None:
    other = Geocode(name="EMMA_ID", value="XX9")
    known, wrong = Geocode(name="UGC", value="FLC086"), Geocode(name="UGC", value="FLC999")
    understood = country().resolve(AreaClaim(geocodes=(other, known, wrong)), threshold=0.1)
    assert understood.unknown == ("FLC999",)
    assert country().resolve(AreaClaim(geocodes=(other, wrong)), threshold=0.1).unknown == ("FLC999", "XX9")


def test_one_code_may_stand_for_several_places() -> None:
    shared = [feature(code, code, square(west, 0), geocodes={"SAME": ["1"]}) for code, west in (("A", 0), ("B", 1))]
    assert meant(geojson_gazetteer(collection(*shared)), coded("1", system="SAME")) == ["A", "B"]


def test_names_resolve_whatever_their_case_and_white_space() -> None:
    assert meant(country(), named("monroe  COUNTY", "Florida Nova")) == ["FL-1", "FL-2"]


def test_the_features_own_codes_are_published_and_nothing_else() -> None:
    assert country().geocodes("FL-1") == (("UGC", "FLC087"), ("UGC", "FLZ076"), ("SAME", "012087"))
    assert country().geocodes("GA-1") == (("NUTS3", "XX123"), ("SAME", "013001"))


def test_the_districts_may_be_chosen_and_the_rest_is_elsewhere() -> None:
    some = geojson_gazetteer(collection(*COUNTRY), districts=["FL-1"])
    assert [district.code for district in some.districts()] == ["FL-1"]
    assert some.resolve(coded("FLC086", system="UGC"), threshold=0.1).outside == ("FLC086",)
    assert some.resolve(named("Dade County"), threshold=0.1).outside == ("Dade County",)


def test_a_shape_becomes_the_districts_that_it_means() -> None:
    claim = AreaClaim(polygons=(ring(9, 49, 11.3, 51),))
    assert meant(country(), claim, threshold=0.2) == ["FL-1", "FL-2"]
    assert meant(country(), claim, threshold=0.5) == ["FL-1"]
    assert meant(country(), AreaClaim(circles=(Circle(latitude=51.5, longitude=10.5, radius_km=0),))) == ["GA-1"]


def test_a_shape_that_reaches_none_of_our_districts_is_outside_by_its_description() -> None:
    claim = AreaClaim(description=" The far sea ", polygons=(ring(-50, 0, -49, 1), ring(10.1, 50.1, 10.2, 50.2)))
    resolution = country().resolve(claim, threshold=0.5)
    assert [area.code for area in resolution.areas] == ["FL-1"]
    assert resolution.outside == ("The far sea",)
    unnamed = country().resolve(AreaClaim(polygons=claim.polygons[:1]), threshold=0.5)
    assert unnamed.outside == ("shape",)


def test_shapes_are_not_heard_when_a_geocode_is_understood() -> None:
    claim = AreaClaim(geocodes=(Geocode(name="UGC", value="FLC086"),), polygons=(ring(9, 49, 13, 53),))
    assert meant(country(), claim) == ["FL-2"]


def test_a_boundary_is_the_outer_ring_in_latitude_and_longitude() -> None:
    assert country().boundary("FL-1") == (((50, 10), (50, 11), (51, 11), (51, 10), (50, 10)),)
    assert country().boundary("FL") == ()


def test_every_problem_of_a_document_is_told_at_once() -> None:
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    swapped = {"type": "Polygon", "coordinates": [[[30, 120], [31, 120], [31, 121], [30, 120]]]}
    outer = square(0, 0)["coordinates"]
    found = problems(
        collection(
            feature("", "Nameless", square(0, 0)),
            feature("A", "", square(0, 0)),
            feature("B", "Twice", square(0, 0)),
            feature("B", "Twice", square(0, 0)),
            feature("C", "Bow tie", bow_tie),
            feature("D", "Swapped", swapped),
            feature("E", "Point", {"type": "Point", "coordinates": [0, 0]}),
            feature("F", "Words", {"type": "Polygon", "coordinates": "none"}),
            feature("G", "Empty", {"type": "MultiPolygon", "coordinates": []}),
            feature("H", "Overlap", {"type": "MultiPolygon", "coordinates": [outer, outer]}),
            feature("I", "Codes", square(0, 0), geocodes={"UGC": "FLC1"}),
            feature("J", "Own child", square(0, 0), parent="J"),
            7,
        )
    )
    words = [
        "Feature 1 (Nameless) has no code.",
        "Feature 2 (A) has no name.",
        "Feature 5 (C): The polygon crosses itself",
        "Feature 6 (D): Latitude and longitude are probably swapped",
        "Feature 7 (E): a boundary must be a Polygon or a MultiPolygon, not Point.",
        "Feature 8 (F): the coordinates are not lists",
        "Feature 9 (G): the boundary is empty.",
        "Feature 10 (H): the parts of the boundary overlap",
        "Feature 11 (I): geocodes must be lists",
        "Feature 13 has no properties.",
        "The code B comes 2 times.",
        "The place J lies within itself.",
    ]
    assert len(found) == len(words)
    assert all(problem.startswith(start) for problem, start in zip(found, words, strict=True))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"7", b'{"features": []}', b'{"features": 3}'])
def test_a_file_that_is_no_feature_collection_is_refused(content: bytes) -> None:
    assert len(problems(content)) == 1


def test_a_boundary_of_an_unknown_place_is_refused() -> None:
    from adapters.gazetteer import china_gazetteer  # noqa: PLC0415

    boundaries = read_boundaries(collection(feature("nowhere", "Nowhere", square(0, 0))))
    with pytest.raises(GazetteerError, match="boundary of nowhere"):
        china_gazetteer(districts=["330602"], boundaries=boundaries)


def test_a_feature_without_a_place_is_known_by_name_and_code_only() -> None:
    document: dict[str, Any] = json.loads(collection(*COUNTRY))
    document["features"][1]["geometry"] = None
    partly = geojson_gazetteer(json.dumps(document).encode())
    assert partly.boundary("FL-1") == ()
    assert meant(partly, named("Monroe County")) == ["FL-1"]
    far = AreaClaim(polygons=(ring(-50, 0, -49, 1),))
    assert partly.resolve(far, threshold=0.1).unknown == ("shape",)
