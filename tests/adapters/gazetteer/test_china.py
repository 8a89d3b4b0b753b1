"""Codes and names of Chinese places, as senders really write them."""

import pytest

from adapters.gazetteer import ExtraPlace, GazetteerError, china_gazetteer
from adapters.gazetteer.china import divisions
from domain.areas import Area, AreaClaim, Circle
from tests.adapters.gazetteer.cities import SHAOXING, SHENZHEN, coded, meant, named, shaoxing, shenzhen

LAND = [*SHENZHEN, "440312", "441590"]
SEA = ["440391", "440392", "440393", "440394", "440395"]


def test_the_table_holds_every_level_of_the_whole_country() -> None:
    by_digits = [sum(len(code) == digits for code in divisions()) for digits in (2, 4, 6, 9)]
    assert by_digits == [31, 342, 2978, 41352]


@pytest.mark.parametrize("code", ["330602", "330602000", "330602000000", " 330602000000 "])
def test_a_county_code_resolves_at_any_length(code: str) -> None:
    assert meant(shaoxing(), coded(code)) == ["330602"]


@pytest.mark.parametrize("system", ["12379", "areaCode", "行政区划代码", ""])
def test_the_name_of_the_code_system_is_the_senders_own_affair(system: str) -> None:
    assert meant(shaoxing(), coded("330602010000", system=system)) == ["330602010"]


@pytest.mark.parametrize("code", ["33", "330000", "330000000000", "3306", "330600", "330600000", "330600000000"])
def test_the_code_of_the_city_or_province_is_all_our_districts(code: str) -> None:
    assert meant(shaoxing(), coded(code)) == list(SHAOXING)


def test_a_city_without_counties_is_its_own_district() -> None:
    dongguan = china_gazetteer(districts=["441900"])
    assert meant(dongguan, coded("441900000000")) == ["441900"]
    assert meant(dongguan, named("东莞市")) == ["441900"]


@pytest.mark.parametrize("code", ["330205", "330205004", "330205004001", "330200000000", "410000000000"])
def test_a_known_code_that_is_not_ours_is_outside(code: str) -> None:
    resolution = shaoxing().resolve(coded(code), threshold=0.1)
    assert (resolution.areas, resolution.unknown, resolution.outside) == ((), (), (code,))


@pytest.mark.parametrize("code", ["330699", "330602999", "330602999001", "990000", "33060", "33０６02", "FLC086", ""])
def test_a_code_that_nobody_knows_is_unknown(code: str) -> None:
    resolution = shaoxing().resolve(coded(code), threshold=0.1)
    assert (resolution.areas, resolution.unknown, resolution.outside) == ((), (code,), ())


def test_a_village_that_was_not_imported_is_never_widened_to_its_township() -> None:
    (area,) = shaoxing().resolve(coded("330602010005"), threshold=0.1).areas
    assert area == Area(
        code="330602010005", name="东浦街道（330602010005）", district="330602", within=("330602010", "330602")
    )
    assert shaoxing().area("330602010005") == area
    assert shaoxing().geocodes("330602010005") == (("CN-GB2260", "330602010005"),)


def test_an_imported_village_has_its_name_and_its_neighbours_code_is_unknown() -> None:
    gazetteer = china_gazetteer(districts=["330602"], villages={"330602010201": "鲁东村村委会"})
    assert meant(gazetteer, coded("330602010201")) == ["330602010201"]
    for spelled in ("鲁东村", "东浦街道鲁东村", "越城区东浦街道鲁东村民委员会"):
        assert meant(gazetteer, named(spelled)) == ["330602010201"]
    assert gazetteer.resolve(coded("330602010202"), threshold=0.1).unknown == ("330602010202",)


def test_areas_come_largest_first_and_a_covered_one_is_kept() -> None:
    codes = ["330602010005", "330681", "330602010", "330602", "330602", "330681000000"]
    assert meant(shaoxing(), coded(*codes)) == ["330602", "330681", "330602010", "330602010005"]


def test_a_geocode_elsewhere_settles_a_claim_whose_shape_reaches_into_ours() -> None:
    claim = AreaClaim(geocodes=coded("330205").geocodes, circles=(Circle(latitude=30, longitude=120.6, radius_km=50),))
    assert shaoxing().resolve(claim, threshold=0.0).areas == ()


def test_without_boundaries_a_shape_is_unknown_and_not_outside() -> None:
    claim = AreaClaim(description="绍兴北部", circles=(Circle(latitude=30, longitude=120.6, radius_km=50),))
    resolution = shaoxing().resolve(claim, threshold=0.0)
    assert (resolution.areas, resolution.unknown, resolution.outside) == ((), ("绍兴北部",), ())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("上虞", "330604"),
        ("上虞区", "330604"),
        ("上虞市", "330604"),
        ("（诸暨市）", "330681"),
        ("诸暨市全市", "330681"),
        ("新昌全县", "330624"),
        ("绍 兴 市\u3000越城区", "330602"),
        ("浙江省绍兴市越城区", "330602"),
        ("绍兴市越城区东浦街道", "330602010"),
        ("越城东浦", "330602010"),
        ("东浦镇", "330602010"),
        ("东浦街道办事处", "330602010"),
        ("城南乡", "330624200"),
        ("新昌县城南", "330624200"),
        ("越城区城南", "330602005"),
    ],
)
def test_a_place_of_shaoxing_resolves_as_it_is_spelled(name: str, code: str) -> None:
    assert meant(shaoxing(), named(name)) == [code]


@pytest.mark.parametrize("name", ["全市", "绍兴市", "绍兴", "浙江省", "绍兴全市", "浙江省绍兴市", "全市陆地"])
def test_a_word_for_the_whole_is_all_our_districts(name: str) -> None:
    assert meant(shaoxing(), named(name)) == list(SHAOXING)


@pytest.mark.parametrize(
    "name",
    ["城南", "全区", "全市海域", "上虞区东部山区", "绍兴市越城镇", "绍兴市绍兴", "忘忧谷", "", "城" * 90],
)
def test_a_name_that_is_ambiguous_or_not_known_is_unknown(name: str) -> None:
    resolution = shaoxing().resolve(named(name), threshold=0.1)
    assert (resolution.areas, resolution.unknown, resolution.outside) == ((), (name,), ())


@pytest.mark.parametrize("name", ["宁波市", "浙江省宁波市", "宁波市海曙区", "海曙区", "广东省"])
def test_the_full_name_of_a_place_elsewhere_is_outside(name: str) -> None:
    resolution = shaoxing().resolve(named(name), threshold=0.1)
    assert (resolution.areas, resolution.unknown, resolution.outside) == ((), (), (name,))


def test_the_whole_of_a_single_district_has_its_own_word() -> None:
    only = china_gazetteer(districts=["330624"])
    assert meant(only, named("全县")) == ["330624"]
    assert only.resolve(named("上虞区"), threshold=0.1).outside == ("上虞区",)


def test_the_name_of_a_people_is_left_out_of_a_short_name() -> None:
    gazetteer = china_gazetteer(districts=["330723", "331123"])
    (area,) = gazetteer.resolve(named("三仁"), threshold=0.1).areas
    assert area.name == "三仁畲族乡"
    assert meant(gazetteer, named("俞源")) == meant(gazetteer, named("俞源乡"))


@pytest.mark.parametrize("short", ["龙岗", "南山", "盐田", "光明", "坪山", "龙华", "福田"])
def test_the_policy_says_whether_a_short_name_is_the_township_or_the_district(short: str) -> None:
    districts = china_gazetteer(districts=SHENZHEN, short_names="districts")
    (area,) = shenzhen().resolve(named(short), threshold=0.1).areas
    assert area.name == f"{short}街道"
    assert meant(districts, named(short)) == [area.district]
    assert meant(shenzhen(), named(f"{short}区")) == [area.district]
    assert meant(shenzhen(), named(f"{short}区{short}")) == [area.code]


def test_a_functional_district_takes_its_townships_with_it() -> None:
    (area,) = shenzhen().resolve(named("葵涌"), threshold=0.1).areas
    assert (area.code, area.district, area.within) == ("440307009", "440312", ("440312",))
    assert meant(shenzhen(), named("大鹏", "大鹏新区")) == ["440312", "440307010"]
    assert meant(shenzhen(), coded("440307000000")) == ["440307"]
    (far,) = shenzhen().resolve(coded("441521104001"), threshold=0.1).areas
    assert far.within == ("441521104", "441590")
    assert meant(shenzhen(), named("赤石街道", "鲘门", "鲘门镇")) == ["441521104", "441521105"]


def test_what_a_functional_district_left_behind_is_outside() -> None:
    resolution = shenzhen().resolve(coded("441521", "441521101"), threshold=0.1)
    assert resolution.outside == ("441521", "441521101")


def test_the_whole_city_holds_its_seas_and_its_land_does_not() -> None:
    assert meant(shenzhen(), named("全市")) == sorted([*LAND, *SEA])
    assert meant(shenzhen(), coded("440300")) == sorted([*LAND, *SEA])
    assert meant(shenzhen(), named("全市陆地")) == sorted(LAND)
    assert meant(shenzhen(), named("深圳市全市陆地")) == sorted(LAND)
    assert meant(shenzhen(), named("全市海域")) == SEA


def test_the_outlets_own_codes_are_never_published_as_national_ones() -> None:
    assert shenzhen().geocodes("440391") == ()
    assert shenzhen().geocodes("440312") == tuple(("CN-GB2260", f"4403070{part}000") for part in ("09", "10", "11"))
    own = china_gazetteer(districts=["330602"], code_system="12379")
    assert own.geocodes("330602") == (("12379", "330602000000"),)


def test_a_place_inside_a_district_and_a_name_for_several_are_the_outlets_to_add() -> None:
    gazetteer = china_gazetteer(
        districts=SHAOXING,
        extra_places=[
            ExtraPlace(code="X-1", name="镜湖湿地", within="330602010", aliases=("镜湖",)),
            ExtraPlace(name="北部平原", covers=("330602", "330603010")),
        ],
    )
    (lake,) = gazetteer.resolve(named("镜湖"), threshold=0.1).areas
    assert lake == Area(code="X-1", name="镜湖湿地", district="330602", within=("330602010", "330602"))
    assert gazetteer.geocodes("X-1") == ()
    assert meant(gazetteer, named("北部平原")) == ["330602", "330603010"]
    assert meant(gazetteer, named("绍兴市北部平原")) == ["330602", "330603010"]
    assert gazetteer.resolve(named("上虞区北部平原"), threshold=0.1).areas == ()


def test_everything_that_does_not_fit_is_told_at_once() -> None:
    extras = [
        ExtraPlace(name="甲", is_district=True),
        ExtraPlace(code="330602", name="乙", is_district=True),
        ExtraPlace(code="X", name="丙"),
        ExtraPlace(code="Y", name="丁", is_district=True, within="9999", covers=("330681", "000")),
        ExtraPlace(code="Z", name="戊", is_district=True, covers=("000",)),
    ]
    with pytest.raises(GazetteerError) as caught:
        china_gazetteer(districts=["330681", "330681", "123456"], extra_places=extras)
    assert sorted(caught.value.problems) == [
        "The district 123456 is not in the table.",
        "The district 330681 is named 2 times.",
        "The extra place  甲 needs a code.",
        "The extra place 330602 乙 has a code that is already in use.",
        "The extra place X 丙 is no district, covers nothing and lies within nothing.",
        "The extra place Y 丁 lies within 9999, which is not in the table.",
        "The extra place Y 丁 takes in 000, and so does another.",
        "The extra place Y 丁 takes in 000, which is not in the table.",
        "The extra place Y 丁 takes in 330681, which is a district of its own.",
        "The extra place Z 戊 takes in 000, and so does another.",
        "The extra place Z 戊 takes in 000, which is not in the table.",
    ]


def test_places_that_would_lie_outside_our_districts_are_refused() -> None:
    with pytest.raises(GazetteerError) as caught:
        china_gazetteer(
            districts=["330602"],
            extra_places=[
                ExtraPlace(code="X", name="甲", within="330603"),
                ExtraPlace(name="乙", covers=("330604",)),
            ],
            villages={"330205004001": "丙"},
        )
    assert len(caught.value.problems) == 3
