"""`outlet drill`: whom it reaches is read before it starts, its exercises stay apart, and its end lifts all of it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.app import app
from adapters.clocks import ManualClock
from adapters.http.public.query import Filter
from adapters.settings import Settings
from adapters.webhooks.store import FILE_NAME, Webhooks
from adapters.wiring import build
from domain.messages import Mode
from domain.telling_events import TellingPlanned
from tests.adapters.cli.conftest import Outlet
from tests.adapters.cli.samples import cap

TITLE = "秋季防汛演练"
PEOPLE = "role,phone,email,areas,channels\nwatcher,{phone},,North,sms\nwatcher,,{mail}@town.example,North,email\n"


@pytest.fixture
def drilling(outlet: Outlet) -> Outlet:
    """An outlet with two people on a live roster and two on one for drills."""
    for number, mode in enumerate(("live", "drill")):
        people = outlet.file("people.csv", PEOPLE.format(phone=f"+861380013800{number}", mail=f"a{number}"))
        outlet("--policy", outlet.policy, "roster", "import", people, "--roster", f"{mode}-people", "--mode", mode)
    return outlet


def typed(outlet: Outlet, text: str, *, code: int) -> Result:
    words = ["--data", str(outlet.data), "drill", "start", "--title", TITLE, "--by", "officer 7"]
    result = CliRunner().invoke(app, words, input=text, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def start(outlet: Outlet) -> Any:
    return outlet.json("drill", "start", "--title", TITLE, "--by", "officer 7", "--yes")


def feed(outlet: Outlet, identifier: str, status: str, *, code: int = 0) -> Any:
    now = datetime.now(UTC).replace(microsecond=0)
    path = outlet.file(f"{identifier}.xml", cap(identifier, "Severe", sent=now, status=status))
    return outlet.json("drill", "message", path, "--agency", "weather", code=code)


def test_whoever_starts_a_drill_reads_whom_it_reaches_and_whom_it_cannot_and_types_its_title(
    drilling: Outlet,
) -> None:
    said = typed(drilling, f"{TITLE}\n", code=0).stderr
    assert f"DRILL, not live: {TITLE}" in said
    assert "reaches: 2 of 2 recipients of 1 drill roster(s) (drill-people): sms 1, email 1" in said
    assert "cannot reach: the public, its board and feeds, and the 2 recipients of 1 live roster(s)" in said
    assert str(drilling.data / "spool" / "drill") in said
    assert "[DRILL]" in said
    assert drilling.json("drill", "status")["running"]["title"] == TITLE


@pytest.mark.parametrize("text", ["", "y\n", "yes\n", "秋季\n"])
def test_anything_but_the_title_starts_no_drill(drilling: Outlet, text: str) -> None:
    assert "drill-not-confirmed" in typed(drilling, text, code=1).stderr
    assert drilling.json("drill", "status")["running"] is None
    assert drilling.json("drill", "list") == {"drills": []}


def test_what_is_set_up_for_drills_elsewhere_is_named_before_the_start(drilling: Outlet) -> None:
    with Webhooks(drilling.data / FILE_NAME) as webhooks:
        webhooks.add("https://a.example/", Filter(), datetime.now(UTC), mode=Mode.DRILL)
        webhooks.add("https://b.example/", Filter(), datetime.now(UTC))
    found = start(drilling)
    assert found["reaches"]["webhooks"] == 1
    assert (found["mode"], found["reaches"]["by_channel"]) == ("drill", {"sms": 1, "email": 1})
    assert found["cannot_reach"] == {"rosters": 1, "recipients": 2, "public": True}


def test_a_second_drill_is_refused_before_anybody_is_asked(drilling: Outlet) -> None:
    start(drilling)
    said = typed(drilling, f"{TITLE}\n", code=1).stderr
    assert "drill-running" in said
    assert "type the drill's title" not in said


def test_a_title_or_a_name_that_is_missing_is_wrong_usage(drilling: Outlet) -> None:
    for title, by in ((" ", "officer 7"), ("Drill", " ")):
        drilling("drill", "start", "--title", title, "--by", by, "--yes", code=2)
    start(drilling)
    drilling("drill", "stop", "--by", "officer 7", "--reason", " ", code=2)


def test_a_drill_from_its_start_to_its_end(drilling: Outlet) -> None:
    drill = start(drilling)["drill"]
    fed = feed(drilling, "d1", "Exercise")
    assert (fed["drill"], [one["outcome"] for one in fed["receipts"]]) == (drill, ["accepted"])
    assert drilling.json("board")["districts"] == []
    status = drilling.json("drill", "status")
    assert [(one["code"], one["level"], one["hazards"]) for one in status["in_force"]] == [("N1", "orange", ["RAIN0"])]
    assert "RAIN0" in drilling("drill", "status").stdout
    ended = drilling.json("drill", "stop", "--by", "officer 9", "--reason", "all done")
    assert (ended["drill"], ended["districts"], len(ended["released"])) == (drill, ["N1"], 1)
    assert drilling.json("drill", "status")["in_force"] == []
    [listed] = drilling.json("drill", "list")["drills"]
    assert (listed["by"], listed["stopped_by"], listed["reason"]) == ("officer 7", "officer 9", "all done")
    assert drill in drilling("drill", "list").stdout
    plans = telling(drilling.data, drilling.policy)
    assert [(plan.mode, plan.message_type.value, sum(send.count for send in plan.sends)) for plan in plans] == [
        (Mode.DRILL, "Alert", 2),
        (Mode.DRILL, "Cancel", 2),
    ]


def telling(data: Path, policy: Path) -> list[TellingPlanned]:
    with build(Settings(data_dir=data, policy=str(policy)), clock=ManualClock(datetime.now(UTC))) as platform:
        return [one.event for one in platform.log.read() if isinstance(one.event, TellingPlanned)]


def test_a_live_message_in_a_drill_is_refused_and_warns_nobody(drilling: Outlet) -> None:
    start(drilling)
    fed = feed(drilling, "r1", "Actual", code=1)
    [receipt] = fed["receipts"]
    assert (receipt["outcome"], [found["code"] for found in receipt["findings"]]) == ("rejected", ["status"])
    assert drilling.json("board")["districts"] == []
    assert drilling.json("drill", "status")["in_force"] == []
    assert [item["codes"] for item in drilling.json("parked")["items"]] == [["status"]]


def test_without_a_drill_there_is_nothing_to_feed_and_nothing_to_stop(drilling: Outlet) -> None:
    path = drilling.file("d1.xml", cap("d1", status="Exercise"))
    assert "no-drill" in drilling("drill", "message", path, "--agency", "weather", code=1).stderr
    assert "no-drill" in drilling("drill", "stop", "--by", "officer 7", "--reason", "why", code=1).stderr


def test_a_partner_who_exercises_alone_is_processed_apart_and_ends_with_the_next_drill(drilling: Outlet) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    path = drilling.file("p1.xml", cap("p1", "Severe", sent=now, status="Exercise"))
    assert drilling.json("ingest", path)["receipts"][0]["outcome"] == "accepted"
    status = drilling.json("drill", "status")
    assert (status["running"], len(status["in_force"])) == (None, 1)
    start(drilling)
    drilling("drill", "stop", "--by", "officer 7", "--reason", "all done")
    assert drilling.json("drill", "status")["in_force"] == []


def test_an_unknown_agency_or_file_is_named(drilling: Outlet) -> None:
    start(drilling)
    path = drilling.file("d1.xml", cap("d1", status="Exercise"))
    assert "nobody" in drilling("drill", "message", path, "--agency", "nobody", code=2).stderr
    assert (
        "lost.xml" in drilling("drill", "message", drilling.folder / "lost.xml", "--agency", "weather", code=1).stderr
    )
