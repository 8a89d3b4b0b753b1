"""`outlet policy`, `doctor`, `bench`, `version`: what an operator looks after."""

import json
import sqlite3

import pytest
from typer.testing import CliRunner

from adapters.bench.row import Row
from adapters.cli.app import app, in_front
from adapters.cli.bench import BENCHES, row_document
from tests.adapters.cli.conftest import Outlet
from tests.adapters.cli.samples import POLICY, cap, write_policy


def test_the_doctor_finds_a_fresh_outlet_healthy(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"), at="2026-01-01T00:00:00+00:00")
    found = outlet.json("doctor")
    assert found["healthy"]
    assert {set(check) == {"check", "ok", "detail"} for check in found["checks"]} == {True}
    details = {check["check"]: check["detail"] for check in found["checks"]}
    assert details["durability"] == "synchronous=FULL, journal_mode=wal"
    assert "2 districts" in details["places"]


def test_the_doctor_ends_with_1_when_the_log_knows_a_later_time_than_the_clock(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"), at="2999-01-01T00:00:00+00:00")
    found = outlet.json("doctor", code=1)
    assert [check["check"] for check in found["checks"] if not check["ok"]] == ["clock"]


def test_the_doctor_ends_with_1_when_the_places_of_the_policy_are_gone(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"), at="2026-01-01T00:00:00+00:00")
    (outlet.data / "districts.geojson").unlink()
    found = outlet.json("doctor", code=1)
    assert [check["check"] for check in found["checks"] if not check["ok"]] == ["places"]


def test_a_damaged_log_ends_in_a_sentence(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    for path in outlet.data.glob("events.sqlite*"):
        path.unlink()
    (outlet.data / "events.sqlite").write_bytes(b"no database at all" * 1000)
    result = outlet("board", code=1)
    assert "event log" in result.stderr
    assert "Traceback" not in result.output


def test_a_policy_is_shown_as_it_was_adopted(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    assert outlet("policy", "show").stdout == POLICY
    shown = outlet.json("policy", "show")
    assert (shown["outlet"], shown["districts"], shown["text"]) == ("sample", ["N1", "S2"], POLICY)


def test_everything_wrong_with_a_policy_is_told_and_nothing_is_adopted(outlet: Outlet) -> None:
    broken = write_policy(outlet.folder / "broken", POLICY.replace("Asia/Tokyo", "Asia/Nowhere"))
    result = outlet("policy", "check", broken, code=1)
    assert "Asia/Nowhere" in result.stderr
    places = write_policy(outlet.folder / "places", POLICY.replace('"S2"', '"S9"'))
    found = json.loads(outlet("policy", "check", places, "--json", code=1).stdout)
    assert not found["usable"]
    assert "S9" in " ".join(found["problems"])
    outlet("policy", "adopt", broken, code=1)
    assert not outlet.data.exists()


def test_an_adopted_policy_stays_until_another_is_adopted_and_merges_what_is_in_force_again(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"), at="2031-03-04T08:00:00+00:00")
    other = write_policy(outlet.folder / "other", POLICY.replace("Heavy rain", "Downpour"))
    assert outlet.json("policy", "adopt", other)["adopted"]
    assert not outlet.json("policy", "adopt", other)["adopted"]
    (section,) = outlet.json("board", "--at", "2031-03-04T09:00:00+00:00")["districts"][0]["sections"]
    assert section["hazard"]["name_en"] == "Downpour"
    assert "Downpour" in section["headlines"]["en"]


def test_a_policy_with_places_of_its_own_is_found_again_without_being_named(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    for path in outlet.policy.parent.iterdir():
        path.unlink()
    path = outlet.file("b.xml", cap("a2", "Severe"))
    assert outlet.json("ingest", "--at", "2031-03-04T08:30:00+00:00", path)["receipts"][0]["outcome"] == "accepted"


def test_the_versions_are_told(outlet: Outlet) -> None:
    found = json.loads(outlet.plain("version", "--json").stdout)
    assert set(found) == {"outlet", "python", "sqlite"}
    assert found["sqlite"] == sqlite3.sqlite_version


def test_an_unknown_measure_is_wrong_usage() -> None:
    result = CliRunner().invoke(app, ["bench", "P99"])
    assert result.exit_code == 2
    assert set(BENCHES) <= set(result.stderr.replace(",", " ").split())


def test_a_measure_that_cannot_be_loaded_is_skipped_with_its_reason(
    outlet: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BENCHES, "P4", "adapters.bench.no_such_module")
    result = outlet.plain("bench", "P4", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["rows"] == []
    assert found["skipped"][0]["id"] == "P4"
    assert "no_such_module" in found["skipped"][0]["reason"]


def test_a_row_of_the_benchmark_says_whether_its_goal_is_met() -> None:
    row = Row(id="P0", measure="ours", beside="theirs", ratio=0.5, goal=0.9, rounds=(0.5,), note="")
    assert row_document(row)["met"] is False


@pytest.mark.parametrize(
    ("given", "sorted_out"),
    [
        (["board", "--data", "d", "--json"], ["--data", "d", "board", "--json"]),
        (["check", "--policy=p", "x"], ["--policy=p", "check", "x"]),
        (["check", "--", "--data"], ["check", "--", "--data"]),
    ],
)
def test_options_in_front_may_stand_behind(given: list[str], sorted_out: list[str]) -> None:
    assert in_front(given) == sorted_out
