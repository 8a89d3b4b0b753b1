"""`outlet roster`: lists taken in whole, compared, asked who would be told, and single persons erased."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli.app import app
from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import build
from domain.telling_events import TellingPlanned
from streams.intake import Delivery
from tests.streams.messages import START, at, cap

HEADINGS = "姓名,手机,邮箱,角色,区域,灾种,最低级别,渠道"
ROWS = (
    "甲,13800138000,a@town.example,乡镇值班员,330604,,黄色,短信",
    "乙,13800138001,,村级责任人,330604,,红色,",
    "丙,13800138002,,村级责任人,330683,,,",
    "丁,13800138003,,地灾监测员,330604,11D01,,",
)


def outlet(data: Path, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["--data", str(data), *words])
    assert result.exit_code == code, result.output
    return result.stdout


def roster(folder: Path, *rows: str) -> Path:
    path = folder / "roster.csv"
    path.write_text("\n".join((HEADINGS, *rows)) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    outlet(folder, "roster", "import", str(roster(tmp_path, *ROWS)), "--roster", "duty")
    return folder


def released(data: Path, level: str) -> list[TellingPlanned]:
    """Release a rainstorm in 330604 and give back what was planned."""
    with build(Settings(data_dir=data), clock=ManualClock(START)) as platform:
        delivery = Delivery(content=cap("a", level=level), agency="meteorology", source="test")
        [receipt] = platform.runner.submit([delivery])
        assert receipt.outcome.value == "accepted", receipt
        platform.advance(at(2))
        return [one.event for one in platform.log.read() if isinstance(one.event, TellingPlanned)]


def test_one_bad_row_keeps_the_whole_list_out(tmp_path: Path) -> None:
    path = roster(tmp_path, *ROWS, "戊,12,,村级责任人,330604,,,")
    report = tmp_path / "bad.csv"
    words = ("roster", "import", str(path), "--roster", "duty", "--report", str(report), "--json")
    found = json.loads(outlet(tmp_path / "data", *words, code=1))
    assert (found["taken_in"], [one["code"] for one in found["findings"]]) == (False, ["phone"])
    assert report.read_text(encoding="utf-8-sig").splitlines()[1].startswith("6,phone,phone,")
    assert json.loads(outlet(tmp_path / "data", "roster", "list", "--json")) == {"rosters": []}


def test_a_version_says_how_it_differs_from_the_one_before(data: Path, tmp_path: Path) -> None:
    path = roster(tmp_path, ROWS[0].replace("黄色", "红色"), *ROWS[1:3], "己,13800138009,,村级责任人,330604,,,")
    found = json.loads(outlet(data, "roster", "import", str(path), "--roster", "duty", "--json"))
    assert (found["version"], found["entered"], found["changed"], found["left"]) == (2, 1, 1, 1)
    change = json.loads(outlet(data, "roster", "diff", "duty", "--json"))
    assert (change["changed"], change["left"]) == ([1], [4])
    assert [one["version"] for one in json.loads(outlet(data, "roster", "versions", "duty", "--json"))["rosters"]] == [
        2,
        1,
    ]


def test_a_roster_for_drills_is_never_one_for_live_warnings(data: Path, tmp_path: Path) -> None:
    words = ("roster", "import", str(roster(tmp_path, *ROWS)), "--roster", "duty", "--mode", "drill")
    outlet(data, *words, code=1)


def test_a_check_takes_nothing_in(data: Path, tmp_path: Path) -> None:
    path = roster(tmp_path, *ROWS, "己,13800138009,,村级责任人,330604,,,")
    found = json.loads(outlet(data, "roster", "import", str(path), "--roster", "duty", "--check", "--json"))
    assert (found["known"], found["new"], found["taken_in"]) == (4, 1, False)
    assert json.loads(outlet(data, "roster", "list", "--json"))["rosters"][0]["version"] == 1


def test_a_release_records_who_is_told_and_who_is_not_and_why(data: Path) -> None:
    [found] = released(data, "orange")
    [send] = found.sends
    assert (send.count, [item.kind.value for item in send.items]) == (1, ["new"])
    assert {(one.reason.value, one.count) for one in found.withheld} == {
        ("below-their-level", 1),
        ("not-their-hazard", 1),
    }
    assert found.by_role == {"乡镇值班员": 1}
    assert {text.language for text in send.texts} == {"zh-CN", "en"}


def who(data: Path, *words: str) -> dict[str, Any]:
    [found] = json.loads(outlet(data, "roster", "who", *words, "--json"))["districts"]
    assert isinstance(found, dict)
    return found


def test_who_answers_what_is_then_planned(data: Path) -> None:
    asked = who(data, "--hazard", "11B03", "--level", "orange", "--area", "330604")
    [planned] = released(data, "orange")
    for found in (asked, who(data, "330604", "--afresh")):
        assert found["people"] == sum(send.count for send in planned.sends)
        assert {(one["reason"], one["people"]) for one in found["withheld"]} == {
            (one.reason.value, one.count) for one in planned.withheld
        }
        assert (found["role"], found["channel"]) == (dict(planned.by_role), {"sms": 1})


def test_who_was_told_would_not_be_told_again(data: Path) -> None:
    released(data, "orange")
    found = who(data, "330604")
    assert (found["people"], {one["reason"] for one in found["withheld"]} >= {"already-told"}) == (0, True)


def test_who_is_asked_about_a_place_or_a_hazard(data: Path) -> None:
    outlet(data, "roster", "who", code=2)
    outlet(data, "roster", "who", "--hazard", "11B03", code=2)
    outlet(data, "roster", "who", "--hazard", "99Z99", "--area", "330604", code=1)


def test_an_erased_person_is_told_no_more_and_is_in_no_file(data: Path) -> None:
    found = json.loads(outlet(data, "roster", "erase", "--phone", "138 0013 8000", "--reason", "asked", "--json"))
    assert found == {"erased": [1]}
    assert released(data, "orange")[0].sends == ()
    held = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    for secret in ("13800138000", "a@town.example", "甲"):
        assert secret.encode() not in held
    outlet(data, "roster", "erase", "--phone", "138 0013 8000", "--reason", "asked", code=1)


def test_nothing_of_a_contact_is_in_the_log_or_the_read_tables(data: Path) -> None:
    released(data, "red")
    held = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    for secret in ("13800138000", "13800138001", "a@town.example"):
        assert secret.encode() not in held


def test_an_erased_number_is_gone_from_what_would_be_told(data: Path) -> None:
    outlet(data, "roster", "erase", "2", "--reason", "asked")
    with build(Settings(data_dir=data)) as platform:
        platform.audience.follow(platform.log.head())
        assert 2 not in platform.audience.reachable()
