"""`outlet callups` and `outlet callup confirm`: who has not answered, and what an officer heard."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli.app import app
from tests.streams.called import bureau_in, person


def outlet(data: Path, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["--data", str(data), *words])
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.output


def document(data: Path, *words: str) -> Any:
    return json.loads(outlet(data, *words, "--json"))


@pytest.fixture
def called(tmp_path: Path) -> tuple[Path, str]:
    """Three posts were called up, of which one has confirmed; and the warning's id. It stands until 2091."""
    people = [person(1, "dam", 1), person(2, "dam", 2), person(3, "hall"), person(4, "slope")]
    with bureau_in(tmp_path, people) as bureau:
        bureau.deliver("f1", 0, hours=600_000)
        bureau.wait_until(1)
        bureau.confirm(3)
        bureau.wait_until(4)
        return tmp_path / "data", bureau.warning_id


def test_who_has_not_answered_stands_there_with_what_was_done_and_the_others_are_counted(
    called: tuple[Path, str],
) -> None:
    data, warning = called
    found = document(data, "callups")
    assert (found["mode"], found["waiting"], found["confirmed"]) == ("live", 2, 1)
    [dam] = [one for one in found["call_ups"] if one["post"] == "duty/dam"]
    assert (dam["warning_id"], dam["numbers"], dam["is_waiting"]) == (warning, [1, 2], True)
    assert [(one["step"], one["number"]) for one in dam["steps"]] == [("asked", 1), ("called", 1), ("next-asked", 2)]
    assert dam["next_step"] == "2022-09-13T08:06:00+08:00"
    assert dam["questions_due"] == "2022-09-13T08:15:00+08:00"
    [hall] = [one for one in found["call_ups"] if one["post"] == "duty/hall"]
    assert hall["confirmed"] == {
        "number": 3,
        "how": "sms",
        "by": "",
        "at": "2022-09-13T08:01:00+08:00",
        "seconds": 60.0,
    }
    shown = outlet(data, "callups", "--district", "上虞区")
    assert "上虞区\tduty/dam\t乡镇值班员\tred\t1 (telephoned), 2" in shown
    assert "1 of 3 posts have confirmed, the first after 60 s, the last after 60 s" in shown
    assert "duty/hall" not in shown
    assert "duty/hall" in outlet(data, "callups", "--all")
    assert outlet(data, "callups", "--district", "330683") == "nobody is waited for\n"
    assert outlet(data, "callups", "--mode", "drill") == "nobody is waited for\n"


def test_an_officer_confirms_for_whom_they_heard_and_a_second_time_nothing_is_recorded(
    called: tuple[Path, str],
) -> None:
    data, warning = called
    words = ("callup", "confirm", warning, "2", "--by", "duty officer")
    done = document(data, *words)
    assert (done["posts"], done["by"], done["number"]) == (["duty/dam"], "duty officer", 2)
    assert outlet(data, *words) == "confirmed before; nothing was recorded\n"
    assert outlet(data, "callup", "confirm", warning, "4", "--by", "duty officer") == "confirmed: duty/slope\n"
    found = document(data, "callups", "--all")
    assert {one["post"]: one["confirmed"]["how"] for one in found["call_ups"]} == {
        "duty/dam": "officer",
        "duty/hall": "sms",
        "duty/slope": "officer",
    }
    assert outlet(data, "callups") == "nobody is waited for\n"


def test_what_cannot_be_confirmed_is_refused_with_its_code(called: tuple[Path, str]) -> None:
    data, warning = called
    assert "not-called-up" in outlet(data, "callup", "confirm", warning, "9", "--by", "duty officer", code=1)
    assert "unknown-call-up" in outlet(data, "callup", "confirm", "w", "1", "--by", "duty officer", code=1)
    assert "no-name" in outlet(data, "callup", "confirm", warning, "1", "--by", " ", code=1)


def test_a_warning_that_is_over_shows_its_report(tmp_path: Path) -> None:
    with bureau_in(tmp_path, [person(1)]) as bureau:
        bureau.deliver("f1", 0)
        bureau.confirm(1)
        bureau.deliver("f2", 1, kind="Cancel", references=(("f1", 0),))
        bureau.wait_until(40)
        warning = bureau.warning_id
    [report] = document(tmp_path / "data", "callups", "--warning", warning)["reports"]
    assert (report["posts"], report["confirmed"], report["longest_seconds"]) == (1, 1, 0)
    shown = outlet(tmp_path / "data", "callups", "--warning", warning, "--all")
    assert f"1 of 1 posts of {warning} confirmed, 0 reported" in shown
    assert "lifted" in shown
