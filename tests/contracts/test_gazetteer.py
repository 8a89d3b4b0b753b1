"""What `domain.ports.Gazetteer` promises, asked of every gazetteer."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.areas import AreaClaim, Circle, Geocode
from domain.ports import Gazetteer
from tests.adapters.gazetteer.cities import country, shaoxing, shenzhen

MAKERS: dict[str, Callable[[], Gazetteer]] = {
    "Shaoxing from the table": shaoxing,
    "Shenzhen with places of its own": shenzhen,
    "a country from GeoJSON": country,
}
EVERY_GAZETTEER = pytest.mark.parametrize("gazetteer", [make() for make in MAKERS.values()], ids=list(MAKERS))
UNKNOWN = AreaClaim(
    geocodes=(Geocode(name="X", value="nowhere"),),
    place_names=("忘忧谷",),
    description="Somewhere",
)


@EVERY_GAZETTEER
def test_districts_come_in_code_order_and_hold_themselves(gazetteer: Gazetteer) -> None:
    districts = gazetteer.districts()
    assert [district.code for district in districts] == sorted({district.code for district in districts})
    for district in districts:
        assert (district.district, district.within) == (district.code, ())
        assert district.name
        assert gazetteer.area(district.code) == district


@EVERY_GAZETTEER
def test_a_code_that_is_not_ours_has_no_area_no_boundary_and_no_geocodes(gazetteer: Gazetteer) -> None:
    for code in ("", "nowhere", "330200", "33"):
        assert gazetteer.area(code) is None
        assert gazetteer.boundary(code) == ()
        assert gazetteer.geocodes(code) == ()


@EVERY_GAZETTEER
def test_what_is_published_resolves_back_to_places_within_the_same_district(gazetteer: Gazetteer) -> None:
    for district in gazetteer.districts():
        pairs = gazetteer.geocodes(district.code)
        claim = AreaClaim(geocodes=tuple(Geocode(name=system, value=value) for system, value in pairs))
        resolution = gazetteer.resolve(claim, threshold=0.5)
        assert {area.district for area in resolution.areas} <= {district.code}
        assert bool(resolution.areas) == bool(pairs)
        assert (resolution.unknown, resolution.outside) == ((), ())


@EVERY_GAZETTEER
def test_every_district_resolves_by_its_full_name_alone(gazetteer: Gazetteer) -> None:
    for district in gazetteer.districts():
        resolution = gazetteer.resolve(AreaClaim(place_names=(f" {district.name}　",)), threshold=0.5)
        assert resolution.areas == (district,)


@EVERY_GAZETTEER
def test_boundaries_are_closed_rings_of_latitude_and_longitude(gazetteer: Gazetteer) -> None:
    for district in gazetteer.districts():
        for ring in gazetteer.boundary(district.code):
            assert ring[0] == ring[-1]
            assert all(abs(latitude) <= 90 and abs(longitude) <= 180 for latitude, longitude in ring)


@EVERY_GAZETTEER
def test_what_is_not_known_is_listed_and_never_widened(gazetteer: Gazetteer) -> None:
    resolution = gazetteer.resolve(UNKNOWN, threshold=0.5)
    assert resolution.areas == ()
    assert resolution.unknown == ("nowhere", "忘忧谷")


@EVERY_GAZETTEER
def test_an_empty_claim_means_nothing_and_not_everything(gazetteer: Gazetteer) -> None:
    resolution = gazetteer.resolve(AreaClaim(), threshold=0.0)
    assert (resolution.areas, resolution.unknown, resolution.outside) == ((), (), ())


@EVERY_GAZETTEER
def test_names_win_over_shapes_and_an_unknown_code_stays_listed(gazetteer: Gazetteer) -> None:
    first = gazetteer.districts()[0]
    everywhere = Circle(latitude=30.0, longitude=120.0, radius_km=15_000)
    claim = AreaClaim(geocodes=(Geocode(name="X", value="nowhere"),), place_names=(first.name,), circles=(everywhere,))
    resolution = gazetteer.resolve(claim, threshold=0.1)
    assert resolution.areas == (first,)
    assert resolution.unknown == ("nowhere",)


@EVERY_GAZETTEER
def test_geocodes_win_over_names(gazetteer: Gazetteer) -> None:
    first, second = [district for district in gazetteer.districts() if gazetteer.geocodes(district.code)][:2]
    system, value = gazetteer.geocodes(first.code)[0]
    claim = AreaClaim(geocodes=(Geocode(name=system, value=value),), place_names=(second.name,))
    resolution = gazetteer.resolve(claim, threshold=0.1)
    assert {area.district for area in resolution.areas} == {first.code}


@EVERY_GAZETTEER
@given(data=st.data())
def test_order_and_repetition_of_a_claim_do_not_matter(gazetteer: Gazetteer, data: st.DataObject) -> None:
    names = [district.name for district in gazetteer.districts()]
    picked = data.draw(st.lists(st.sampled_from([*names, "忘忧谷"]), min_size=1))
    once = gazetteer.resolve(AreaClaim(place_names=tuple(sorted(set(picked)))), threshold=0.1)
    many = gazetteer.resolve(AreaClaim(place_names=tuple(picked)), threshold=0.1)
    assert many == once
    assert [area.code for area in many.areas] == sorted({area.code for area in many.areas})


@EVERY_GAZETTEER
@given(name=st.text(max_size=90), value=st.text(max_size=15))
def test_any_text_resolves_without_an_error(gazetteer: Gazetteer, name: str, value: str) -> None:
    claim = AreaClaim(place_names=(name,), geocodes=(Geocode(name=name, value=value),))
    resolution = gazetteer.resolve(claim, threshold=0.1)
    assert all(gazetteer.area(area.code) == area for area in resolution.areas)
