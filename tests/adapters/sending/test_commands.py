"""`outlet deliveries`, `outlet stop` and `outlet resume`, on a data directory with something in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli.app import app
from adapters.clocks import ManualClock
from adapters.sending.tables import FILE_NAME, OUTBOX
from adapters.settings import Settings
from adapters.wiring import build
from domain.recipients import ChannelKind
from tests.adapters.sending.house import Desk, town_in, until
from tests.adapters.sending.test_notices import SUBJECT, planned
from tests.streams.messages import START, cap


@pytest.fixture(autouse=True)
def in_the_environment(url: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTLET_DATABASE_URL", url or "")


@pytest.fixture
def folder(tmp_path: Path, url: str | None) -> Path:
    with town_in(tmp_path / "data", url=url) as town:
        town.people(3)
        town.people(1, channels=(ChannelKind.EMAIL,), address=lambda place: "")
        town.deliver(cap("r1", level="red"), minutes=0)
        with town.worker(Desk()):
            until(lambda: len(town.outcomes()) == 3)
    return tmp_path / "data"


def outlet(folder: Path, *words: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["--data", str(folder), *words, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_deliveries_counts_by_state_and_channel_and_says_when(folder: Path) -> None:
    [plan] = outlet(folder, "deliveries")["plans"]
    counts = {(one["state"], one["channel"]): one["messages"] for one in plan["counts"]}
    assert counts == {("accepted", "sms"): 3, ("waiting", "email"): 1}
    assert plan["people"] == 4
    assert plan["not_filled_in"] == 0
    assert plan["first_seconds"] is not None
    assert outlet(folder, "deliveries", "--warning", plan["warning_id"])["plans"] == [plan]
    assert outlet(folder, "deliveries", "--warning", "another")["plans"] == []
    assert outlet(folder, "deliveries", "--mode", "drill")["plans"] == []


def test_notices_are_counted_under_the_warning_that_they_are_about(tmp_path: Path, url: str | None) -> None:
    with town_in(tmp_path / "data", url=url) as town:
        [number] = town.people(1)
        planned(town, [number])
        with town.worker(Desk()):
            until(lambda: len(town.outcomes()) == 1)
    [plan] = outlet(tmp_path / "data", "deliveries", "--warning", "w-1")["plans"]
    assert (plan["purpose"], plan["subject"], plan["people"]) == ("call-up", str(SUBJECT), 1)
    assert plan["not_filled_in"] == 0
    [one] = outlet(tmp_path / "data", "deliveries", "--number", str(number))["messages"]
    assert (one["purpose"], one["warning_id"], one["state"]) == ("call-up", "w-1", "accepted")
    done = CliRunner().invoke(app, ["--data", str(tmp_path / "data"), "deliveries"])
    assert "call-up" in done.output


def test_deliveries_of_one_recipient_shows_each_message(folder: Path) -> None:
    [one] = outlet(folder, "deliveries", "--number", "1")["messages"]
    assert (one["state"], one["route"]) == ("accepted", "desk")


def test_stop_and_resume_are_recorded_and_shown(folder: Path) -> None:
    assert outlet(folder, "stop", "--by", "officer", "--reason", "a wrong text")["stopped"] is True
    assert outlet(folder, "deliveries")["stopped"] is True
    assert outlet(folder, "resume", "--by", "officer", "--reason", "mended")["stopped"] is False
    assert outlet(folder, "deliveries")["stopped"] is False


def test_a_stop_needs_a_name_and_a_reason(folder: Path) -> None:
    done = CliRunner().invoke(app, ["--data", str(folder), "stop", "--by", " ", "--reason", "x"])
    assert done.exit_code == 2


def test_deliveries_of_an_outlet_without_an_outbox_are_none_and_none_is_made(tmp_path: Path, url: str | None) -> None:
    settings = Settings(data_dir=tmp_path, policy="shaoxing", database_url=url)
    build(settings, clock=ManualClock(START)).close()
    assert outlet(tmp_path, "deliveries")["plans"] == []
    assert OUTBOX.found(tmp_path / FILE_NAME, url) is None
