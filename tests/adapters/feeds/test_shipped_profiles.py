"""The shipped profiles read what the bureaus really publish."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from adapters.feeds.list_reader import ListReader, ListReading
from adapters.feeds.profile_files import shipped_profile
from domain.areas import Geocode
from domain.levels import Level
from domain.messages import MessageType


def read(name: str, content: bytes) -> ListReading:
    return ListReader(shipped_profile(name)).read_list(content)


@pytest.fixture(scope="module")
def shenzhen_rows(shared_data: Path) -> list[dict[str, Any]]:
    (path,) = (shared_data / "shenzhen").glob("warnings_*.ndjson")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def shenzhen(shared_data: Path) -> ListReading:
    (path,) = (shared_data / "shenzhen").glob("warnings_*.ndjson")
    return read("shenzhen", path.read_bytes())


def test_every_warning_of_shenzhen_is_read(shenzhen: ListReading, shenzhen_rows: list[dict[str, Any]]) -> None:
    assert shenzhen.refused == ()
    assert shenzhen.complete
    assert [message.identifier for message in shenzhen.messages] == [str(row["keyId"]) for row in shenzhen_rows]
    assert len(shenzhen.messages) == 315


def test_shenzhens_hazards_levels_and_agencies_are_those_of_the_rows(
    shenzhen: ListReading, shenzhen_rows: list[dict[str, Any]]
) -> None:
    hazards = Counter(message.infos[0].event_codes[0].value for message in shenzhen.messages)
    assert hazards == {"11B03": 149, "11B14": 53, "11B20": 70, "11B37": 31, "11B09": 10, "11B01": 2}
    levels = Counter(message.infos[0].level for message in shenzhen.messages)
    assert levels == {Level.YELLOW: 243, Level.ORANGE: 60, Level.RED: 10, Level.WHITE: 2}
    agencies = Counter(entry.agency for entry in shenzhen.listed)
    assert agencies == {"meteorology": 234, "shenshan": 50, "natural-resources": 31}


def test_shenzhens_texts_places_and_spans_are_kept(shenzhen: ListReading, shenzhen_rows: list[dict[str, Any]]) -> None:
    for entry, row in zip(shenzhen.listed, shenzhen_rows, strict=True):
        (info,) = entry.message.infos
        assert info.description == row["matter"]
        assert info.areas[0].description == row["area"]
        assert info.areas[0].place_names == tuple(row["area"].split("、"))
        assert info.expires is None
        assert [[span.begins.isoformat(), span.ends and span.ends.isoformat()] for span in entry.spans] == row["listed"]


def test_every_street_that_shenzhen_lists_has_an_alias(shenzhen: ListReading, shared_data: Path) -> None:
    divisions = json.loads((shared_data / "shenzhen" / "shenzhen_divisions.json").read_text(encoding="utf-8"))
    streets = {street["name"] for county in divisions["counties"] for street in county["streets"]}
    counties = {county["name"] for county in divisions["counties"]}
    known_elsewhere = {"珠江口", "深圳湾", "大鹏湾", "大亚湾", "深汕海域", "深汕特别合作区", "大鹏新区", "赤石镇"}
    places = shipped_profile("shenzhen").places
    listed = {name for message in shenzhen.messages for name in message.infos[0].areas[0].place_names}
    assert listed - counties - known_elsewhere <= set(places)
    assert {name for names in places.values() for name in names if name.endswith("街道")} <= streets


def test_shenzhens_ocean_bureau_is_the_ocean_agency() -> None:
    assert shipped_profile("shenzhen").agency_of("深圳市海洋监测预报中心") == "ocean"


def test_nmcs_provincial_warnings_are_read_and_claim_no_part_of_their_province(shared_data: Path) -> None:
    (path,) = (shared_data / "messages").glob("nmc_findAlarm_*.json")
    reading = read("nmc", path.read_bytes())
    assert reading.refused == ()
    seen = [
        (entry.agency, entry.message.sender, entry.message.infos[0].event_codes[0].value, entry.message.infos[0].level)
        for entry in reading.listed
    ]
    assert seen == [
        ("water", "33000033200000", "11A51", Level.BLUE),
        ("natural-resources", "14000041600000", "11B37", Level.YELLOW),
    ]
    areas = [message.infos[0].areas[0] for message in reading.messages]
    assert [area.description for area in areas] == ["浙江省", "山西省"]
    assert not any(area.geocodes or area.place_names for area in areas)


def nmc(title: str) -> ListReading:
    entry = {"alertid": "33060241600000_20300607080910", "issuetime": "2030/06/07 08:09", "title": title, "url": "/x"}
    return read("nmc", json.dumps({"code": 0, "data": {"page": {"list": [entry]}}}).encode())


@pytest.mark.parametrize(
    ("title", "hazard", "level", "message_type"),
    [
        ("样例省样例市气象台发布暴雨红色预警信号", "11B03", Level.RED, MessageType.ALERT),
        ("样例市气象台更新大雾橙色预警", "11B17", Level.ORANGE, MessageType.ALERT),
        ("样例市气象台变更雷电黄色预警为雷电橙色预警", "11B14", Level.ORANGE, MessageType.ALERT),
        ("样例市气象台将暴雨黄色预警信号变更为暴雨蓝色预警信号", "11B03", Level.BLUE, MessageType.ALERT),
        ("样例省将乐县气象台将暴雨黄色预警升级为红色", "11B03", Level.RED, MessageType.ALERT),
        ("样例省红河州气象台发布寒潮蓝色预警[Ⅳ级/一般]", "11B05", Level.BLUE, MessageType.ALERT),
        ("样例市气象台解除高温橙色预警", "11B09", Level.ORANGE, MessageType.CANCEL),
    ],
)
def test_nmcs_titles_are_taken_apart(title: str, hazard: str, level: Level, message_type: MessageType) -> None:
    (entry,) = nmc(title).listed
    info = entry.message.infos[0]
    assert (info.event_codes[0].value, info.level, entry.message.message_type) == (hazard, level, message_type)
    assert info.areas[0].geocodes == (Geocode(name="12379", value="330602000000"),)


@pytest.mark.parametrize(
    "title", ["样例市气象台发布暴雨橙色预警和雷电黄色预警", "样例市气象台发布暴雨橙色、雷电黄色预警"]
)
def test_a_title_of_two_warnings_is_refused_rather_than_halved(title: str) -> None:
    reading = nmc(title)
    assert (reading.listed, len(reading.refused)) == ((), 1)


def test_weather_cns_detail_is_read(shared_data: Path) -> None:
    (path,) = (shared_data / "messages").glob("weathercn_*.js")
    (entry,) = read("weather-cn", path.read_bytes()).listed
    info = entry.message.infos[0]
    assert (entry.agency, entry.message.sender) == ("meteorology", "65402641600000")
    assert entry.message.identifier == "65402641600000_20261006212927"
    assert (info.event, info.level, info.sender_name) == ("雷电", Level.YELLOW, "昭苏县气象台")
    assert info.expires is None
    assert info.areas[0].geocodes == (Geocode(name="12379", value="654026000000"),)
    assert entry.message.message_type is MessageType.ALERT


def test_qweathers_chinese_alert_is_read(shared_data: Path) -> None:
    path = next((shared_data / "cn_feeds").glob("qwd__dev-site__28ae459f98.json"))
    (entry,) = read("qweather", path.read_bytes()).listed
    info = entry.message.infos[0]
    assert (entry.agency, info.event_codes[0].value, info.level) == ("meteorology", "11B06", Level.BLUE)
    assert info.areas[0].place_names == ("临桂区",)
    assert info.expires is None
