"""The national catalogue as data: every listed code, each name leading to one hazard."""

import csv
from pathlib import Path

import pytest

from adapters.policies import catalogues
from domain.hazards import HazardIndex
from domain.levels import Level
from domain.messages import Info, Named

CAP_CATEGORIES = {
    "Geo",
    "Met",
    "Safety",
    "Security",
    "Rescue",
    "Fire",
    "Health",
    "Env",
    "Transport",
    "Infra",
    "CBRNE",
    "Other",
}


def index() -> HazardIndex:
    return HazardIndex(catalogues()["cn"])


def test_every_public_code_is_in_the_catalogue_under_its_official_name(shared_data: Path) -> None:
    with (shared_data / "codes" / "event_codes.csv").open(encoding="utf-8", newline="") as file:
        public = {row["code"]: row["name_zh"] for row in csv.DictReader(file)}
    ours = {hazard.code: {*hazard.events, *hazard.names.values()} for hazard in catalogues()["cn"]}
    assert list(ours) == sorted(public)
    assert [code for code, name in public.items() if name not in ours[code]] == []


def test_every_hazard_has_both_names_a_cap_category_and_leads_somewhere() -> None:
    known = {hazard.code for hazard in catalogues()["cn"]}
    for hazard in catalogues()["cn"]:
        assert set(hazard.names) == {"zh-CN", "en"}, hazard.code
        assert all(hazard.names.values()), hazard.code
        assert hazard.category in CAP_CATEGORIES, hazard.code
        assert hazard.merges_into is None or hazard.merges_into in known, hazard.code


def test_english_names_tell_hazards_apart() -> None:
    names = [hazard.names["en"].casefold() for hazard in catalogues()["cn"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("山洪", "11A51"),
        ("山洪灾害事件", "11A51"),
        ("Flash Flood", "11A51"),
        ("flash  flooding", "11A51"),
        ("地质灾害", "11B37"),
        ("突发地质灾害", "11B37"),
        ("地质灾害气象风险", "11B37"),
        ("海浪", "11E06"),
        ("浓雾", "11B17"),
        ("Tropical Cyclone", "11B01"),
        ("11B03", "11B03"),
    ],
)
def test_the_words_of_texts_and_lists_lead_to_the_hazard(words: str, code: str) -> None:
    found = index().of(Info(language="zh-CN", event=words))
    assert found is not None
    assert found.code == code


def test_a_coded_value_wins_over_the_words() -> None:
    info = Info(language="zh-CN", event="地质灾害", event_codes=(Named(name="12379", value="11D01"),))
    found = index().of(info)
    assert found is not None
    assert found.code == "11D01"


def test_colours_are_the_published_ones() -> None:
    levels = {hazard.code: hazard.levels for hazard in catalogues()["cn"]}
    assert levels["11B15"] == (Level.ORANGE, Level.RED)
    assert levels["11B16"] == (Level.BLUE, Level.YELLOW, Level.ORANGE)
    assert levels["11A51"] == (Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED)
    assert levels["12D00"] == ()


def test_geological_risk_is_public_from_yellow_up_under_each_of_its_codes() -> None:
    geological = [h for h in catalogues()["cn"] if "11B37" in {h.code, h.merges_into}]
    assert [hazard.code for hazard in geological] == ["11B37", "11D08", "11D09", "11D10", "11D11"]
    assert {hazard.published_from for hazard in geological} == {Level.YELLOW}
