"""What a ledger reads in one go is what it would read one by one, and never older than what it looks for."""

from pathlib import Path
from unittest.mock import Mock, call

import pytest

from adapters.clocks import ManualClock
from adapters.wiring import Platform, build
from domain.messages import Mode
from domain.outlet import Lapse
from streams.district import act
from streams.intake import Delivery, take_in
from streams.ledger import Ledger, agency_stream, district_stream
from tests.streams.conftest import Desk
from tests.streams.messages import START, at, cap
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


def test_a_state_that_others_have_appended_to_is_brought_up_with_what_came_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with build(settings_of(tmp_path), clock=ManualClock(START)) as one, build(settings_of(tmp_path)) as two:
        told_to(one, "m1", "11B03")
        ledger, cold = two.house.ledger, Ledger(two.log)
        ledger.refresh()
        book = ledger.book("meteorology", Mode.LIVE)
        assert len(ledger.outlet("330604", Mode.LIVE).sections) == 1
        versions = {stream: version for _, stream, version in two.log.versions_since(0)}
        told_to(one, "m2", "11B01")
        read = Mock(wraps=two.log.stream)
        monkeypatch.setattr(two.log, "stream", read)
        ledger.refresh()
        assert ledger.outlet("330604", Mode.LIVE) == cold.outlet("330604", Mode.LIVE)
        assert ledger.book("meteorology", Mode.LIVE) is book
        district, cold_district, agency = read.call_args_list
        assert district == call(district_stream("330604", Mode.LIVE), after_version=versions[district.args[0]])
        assert cold_district.kwargs == {"after_version": 0}
        assert agency == call(agency_stream("meteorology", Mode.LIVE), after_version=versions[agency.args[0]])
        read.reset_mock()
        ledger.refresh()
        ledger.outlet("330604", Mode.LIVE)
        read.assert_not_called()


def test_what_was_not_stored_is_in_no_state_after_it_was_undone(desk: Desk) -> None:
    desk.deliver(cap("m1", level="red"))
    ledger = desk.platform.house.ledger
    before = Ledger(desk.platform.log)
    ledger.refresh()
    act(desk.platform.house, "330604", Mode.LIVE, Lapse(), at(24 * 60))
    take_in(desk.platform.house, desk.platform.reader, Delivery(cap("m2", hazard="11B01"), None, "t"), at(1))
    assert ledger.pending
    assert ledger.outlet("330604", Mode.LIVE) != before.outlet("330604", Mode.LIVE)
    ledger.undo()
    assert not ledger.pending
    assert ledger.outlet("330604", Mode.LIVE) == before.outlet("330604", Mode.LIVE)
    assert vars(ledger.book("meteorology", Mode.LIVE)) == vars(before.book("meteorology", Mode.LIVE))


def told_to(platform: Platform, identifier: str, hazard: str) -> None:
    content = cap(identifier, level="red", hazard=hazard)
    platform.runner.submit([Delivery(content, None, "test")])
    platform.runner.pump()
