"""What a ledger reads in one go is what it would read one by one, and never older than what it looks for."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from adapters.clocks import ManualClock
from adapters.wiring import build
from domain.messages import Mode
from streams.intake import Delivery
from streams.ledger import Ledger, district_stream
from tests.streams.conftest import Desk
from tests.streams.messages import START, cap
from tests.streams.simulation import settings_of

DISTRICTS = ("330602", "330604", "330624")


def told(desk: Desk) -> None:
    for number, district in enumerate(DISTRICTS):
        desk.deliver(cap(f"m{number}", level="red", codes=(district,)))


def test_districts_that_are_expected_are_read_in_one_question(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    told(desk)
    log, cold = desk.platform.log, Ledger(desk.platform.log)
    expected = {one: cold.outlet(one, Mode.LIVE) for one in DISTRICTS}
    cold.forget()
    together = Mock(wraps=log.streams)
    monkeypatch.setattr(log, "streams", together)
    monkeypatch.setattr(log, "stream", None)
    cold.expect(district_stream(one, Mode.LIVE) for one in DISTRICTS)
    assert {one: cold.outlet(one, Mode.LIVE) for one in DISTRICTS} == expected
    together.assert_called_once()


def test_what_was_read_ahead_and_not_asked_for_is_read_anew_after_the_commit(tmp_path: Path) -> None:
    with build(settings_of(tmp_path), clock=ManualClock(START)) as one, build(settings_of(tmp_path)) as two:
        ledger = two.house.ledger
        ledger.refresh()
        ledger.expect(district_stream(district, Mode.LIVE) for district in DISTRICTS)
        ledger.outlet(DISTRICTS[0], Mode.LIVE)
        ledger.commit()
        one.runner.submit([Delivery(cap("m", level="red", codes=(DISTRICTS[1],)), None, "test")])
        one.runner.pump()
        ledger.refresh()
        assert [section.hazard for section in ledger.outlet(DISTRICTS[1], Mode.LIVE).sections] == ["11B03"]


def test_a_stage_asks_for_what_its_step_looks_at(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, district in enumerate(DISTRICTS):
        content = cap(f"m{number}", level="red", codes=(district,))
        desk.platform.runner.submit([Delivery(content, None, "test")])
    desk.platform.house.ledger.forget()
    alone = Mock(wraps=desk.platform.log.stream)
    monkeypatch.setattr(desk.platform.log, "stream", alone)
    desk.platform.runner.pump()
    assert desk.levels(DISTRICTS[0]) == {"11B03": "red"}
    alone.assert_not_called()
