"""A profile says what it means or is refused with everything that is wrong with it."""

from pathlib import Path

import pytest

from adapters.feeds.profile_files import (
    ProfileError,
    load_profile,
    profile_from_toml,
    shipped_profile,
    shipped_profile_names,
)
from domain.levels import Level
from tests.adapters.feeds.samples import PROFILE, TITLE_PROFILE, profile


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ProfileError) as refused:
        profile_from_toml(text)
    return refused.value.problems


def test_included_tables_stand_below_what_the_profile_says() -> None:
    read = profile(PROFILE.replace('"样例灾" = "11B99"', '"暴雨" = "11B49"'))
    assert (read.hazards["暴雨"], read.hazards["雷电"]) == ("11B49", "11B14")
    assert read.levels["红色"] is Level.RED


def test_names_are_looked_up_before_patterns() -> None:
    read = profile(PROFILE.replace('"样例市气象台" =', '"样例市规划和自然资源局" = "ocean"\n"样例市气象台" ='))
    assert read.agency_of("样例市规划和自然资源局") == "ocean"
    assert read.agency_of("别市规划和自然资源局") == "natural-resources"
    assert read.agency_of("别市气象台") is None


def test_place_aliases_are_kept_for_the_gazetteer() -> None:
    assert profile().places == {"全市": ("甲区", "乙区")}


def test_every_error_is_listed() -> None:
    broken = PROFILE.replace('identifier = "id"', 'identifer = "id"').replace('"11B99"', '"rain"')
    found = problems(broken.replace("web_base", "base").replace('name = "sample"', 'zone = "Mars/Olympus"'))
    places = [problem.split(": ")[0] for problem in found]
    assert sorted(places) == sorted(["name", "zone", "base", "fields.identifier", "fields.identifer", "hazards.样例灾"])


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("(?P<value>.+)$", "(?P<value>.+$", "fields.hazard.pattern"),
        ("(?P<value>.+)$", "(.+)$", "fields.hazard.pattern"),
        ('names = "area"\n', "", "area"),
        ('"样例市气象台" = "meteorology"', '"样例市气象台" = "Meteo"', "agencies.样例市气象台"),
        ('items = "data.list"', 'items = "data.list"\nshape = "lines"', "envelope"),
        ('level = "wLevel"\n', "", "neither a field nor every pattern of the title gives the level"),
        ('include = ["chinese-signals"]', 'include = ["../nmc"]', "include lists names among chinese-signals"),
        ('include = ["chinese-signals"]', "include = [[1]]", "include lists names among chinese-signals"),
        ('name = "sample"', "name = ", "not TOML"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, where: str) -> None:
    assert old in PROFILE
    (problem,) = problems(PROFILE.replace(old, new))
    assert problem.startswith(where)


def test_a_profile_without_agencies_is_refused() -> None:
    text = PROFILE.split("[agencies]")[0] + '[hazards]\n"样例灾" = "11B99"\n'
    assert problems(text) == ("no agencies: agencies or agency_patterns is needed",)


def test_a_title_pattern_names_known_groups_only() -> None:
    (problem,) = problems(TITLE_PROFILE.replace("(?P<verb>升级为)", "(?P<word>升级为)"))
    assert problem.startswith("title.patterns.0")


def test_a_profile_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(PROFILE, encoding="utf-8")
    assert load_profile(path) == profile()


def test_a_file_that_cannot_be_read_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profile(tmp_path / "none.toml")


@pytest.mark.parametrize("name", shipped_profile_names())
def test_every_shipped_profile_loads_under_its_own_name(name: str) -> None:
    assert shipped_profile(name).name == name


def test_the_shipped_profiles_are_these() -> None:
    assert shipped_profile_names() == ("nmc", "qweather", "shenzhen", "weather-cn")
    with pytest.raises(ProfileError, match="no such profile"):
        shipped_profile("../shenzhen")
