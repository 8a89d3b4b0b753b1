"""The path of a message, whole: bytes in, revisions and releases out, over the real log."""

from datetime import datetime
from pathlib import Path

import pytest

from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import build
from domain.event import Event
from domain.events import EventParked, MessageRejected, WarningReleased
from domain.findings import Code
from domain.messages import MessageType, Mode
from domain.outlet import Command, OutletState, decide
from domain.policy import Policy
from streams.intake import Delivery, Outcome
from tests.streams.conftest import Desk
from tests.streams.messages import START, at, cap


def releases(desk: Desk) -> list[WarningReleased]:
    return [r.event for r in desk.platform.log.read() if isinstance(r.event, WarningReleased)]


def test_three_bureaus_make_one_warning(desk: Desk) -> None:
    desk.deliver(cap("r1", hazard="11B03", level="orange"), minutes=0)
    desk.deliver(cap("w1", agency="water", hazard="11A51", level="red"), minutes=1)
    desk.deliver(cap("n1", agency="natural-resources", hazard="11B37", level="yellow"), minutes=2)
    assert desk.levels() == {"11A51": "red", "11B03": "orange", "11B37": "yellow"}
    assert len({state.warning_id for state in [desk.platform.house.ledger.outlet("330604", Mode.LIVE)]}) == 1


def test_a_lifted_rainstorm_leaves_the_landslide_warning_in_force(desk: Desk) -> None:
    desk.deliver(cap("r1"), minutes=0)
    desk.deliver(cap("n1", agency="natural-resources", hazard="11B37"), minutes=1)
    desk.deliver(cap("r2", kind="Cancel", minutes=2, references=(("r1", 0),)), minutes=2)
    assert desk.levels() == {"11B37": "yellow"}


def test_the_same_bytes_again_are_a_duplicate_and_change_nothing(desk: Desk) -> None:
    content = cap("r1")
    desk.deliver(content, minutes=0)
    head = desk.sections()
    assert desk.deliver(content, minutes=1).outcome is Outcome.DUPLICATE
    assert desk.sections() == head


def test_the_same_triple_with_other_bytes_is_flagged_and_the_first_stands(desk: Desk) -> None:
    desk.deliver(cap("r1", level="yellow"), minutes=0)
    assert desk.deliver(cap("r1", level="red"), minutes=1).outcome is Outcome.CONFLICTING_COPY
    assert desk.levels() == {"11B03": "yellow"}


def test_a_cancel_before_its_alert_waits_and_then_ends_it(desk: Desk) -> None:
    early = desk.deliver(cap("r2", kind="Cancel", minutes=5, references=(("r1", 0),)), minutes=6)
    assert early.effect == "waits-for-its-alert"
    desk.deliver(cap("r1", level="red"), minutes=7)
    assert desk.levels() == {}
    assert not releases(desk)


def test_an_update_whose_alert_never_comes_speaks_after_the_wait(desk: Desk) -> None:
    desk.deliver(cap("u1", kind="Update", level="red", references=(("lost", -5),)), minutes=0)
    assert desk.levels() == {}
    desk.wait_until(3)
    assert desk.levels() == {"11B03": "red"}


def test_what_expires_ends_by_the_clock_and_is_released_as_lifted(desk: Desk) -> None:
    desk.deliver(cap("r1", hours=1), minutes=0)
    desk.wait_until(30)
    assert desk.levels() == {"11B03": "yellow"}
    desk.wait_until(61)
    assert desk.levels() == {}
    assert [release.message_type for release in releases(desk)] == [MessageType.ALERT, MessageType.CANCEL]


def test_a_red_is_released_at_once_and_a_yellow_after_the_group_wait(desk: Desk) -> None:
    desk.deliver(cap("r1", level="yellow"), minutes=0)
    assert not releases(desk)
    desk.wait_until(1)
    assert [release.cause for release in releases(desk)] == ["grouped"]
    desk.deliver(cap("w1", agency="water", hazard="11A51", level="red"), minutes=2)
    assert [release.cause for release in releases(desk)] == ["grouped", "red"]
    assert all(release.cap.startswith("<?xml") for release in releases(desk))


def test_a_drill_never_touches_the_live_warning(desk: Desk) -> None:
    desk.deliver(cap("r1", level="yellow"), minutes=0)
    desk.deliver(cap("d1", status="Exercise", level="red"), minutes=1)
    assert desk.levels() == {"11B03": "yellow"}
    assert desk.levels(mode=Mode.DRILL) == {"11B03": "red"}
    [drill] = [release for release in releases(desk) if release.mode is Mode.DRILL]
    assert all(text.headline.startswith(("【演练】", "[DRILL]")) for text in drill.texts)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Code.EMPTY),
        (b"<alert", Code.NOT_XML),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><alert>&x;</alert>', Code.DTD),
        (b'{"a": 1}', Code.MISSING),
        (cap("x", hazard="99Z99"), Code.UNKNOWN_HAZARD),
        (cap("x", codes=("440304",)), Code.OUTSIDE),
        (cap("x", codes=("999999",)), Code.NO_AREA),
        (cap("x", agency="water", hazard="11B01"), Code.REMIT_HAZARD),
    ],
)
def test_every_refusal_has_its_code_and_keeps_the_raw_bytes(desk: Desk, content: bytes, code: Code) -> None:
    receipt = desk.deliver(content)
    assert receipt.outcome is Outcome.REJECTED
    assert code in {found.code for found in receipt.findings}
    assert desk.platform.log.attachment(receipt.raw_sha256) == content
    assert any(isinstance(recorded.event, MessageRejected) for recorded in desk.platform.log.read())


def test_a_failing_stage_parks_the_event_and_the_next_one_goes_through(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_for_one(state: OutletState, command: Command, *, policy: Policy, now: datetime) -> list[Event]:
        if state.district == "330602":
            raise RuntimeError("planted")
        return decide(state, command, policy=policy, now=now)

    monkeypatch.setattr("streams.district.decide", fails_for_one)
    runner = desk.platform.runner
    runner.submit([Delivery(cap("a", codes=("330602",)), None, "t"), Delivery(cap("b", codes=("330604",)), None, "t")])
    runner.pump()
    assert desk.levels("330604") == {"11B03": "yellow"}
    [parked] = [r.event for r in desk.platform.log.read() if isinstance(r.event, EventParked)]
    assert (parked.stage, parked.reason) == ("merge", "RuntimeError")


def test_a_defect_in_the_document_writer_holds_no_warning_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(release: WarningReleased) -> str:
        raise ValueError(release.identifier)

    monkeypatch.setattr(desk.platform.writer, "document", breaks)
    desk.deliver(cap("r1", level="red"))
    assert [release.cap for release in releases(desk)] == [""]
    assert "event-parked" in desk.topics()


def test_a_platform_opened_again_goes_on_where_it_was(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, policy="shaoxing")
    with build(settings, clock=ManualClock(START)) as platform:
        Desk(platform).deliver(cap("r1", hours=1))
        before = Desk(platform).sections()
    with build(settings, clock=ManualClock(at(10))) as platform:
        again = Desk(platform)
        assert again.sections() == before
        again.wait_until(61)
        assert again.levels() == {}


def test_two_processes_on_one_log_lose_nothing(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, policy="shaoxing")
    with build(settings, clock=ManualClock(START)) as one, build(settings, clock=ManualClock(START)) as two:
        for number in range(6):
            Desk((one, two)[number % 2]).deliver(cap(f"r{number}", hazard=f"11B0{number + 1}"))
        one.house.ledger.forget()
        assert len(Desk(one).sections()) == 6


def test_adopting_another_policy_merges_what_is_in_force_again(tmp_path: Path) -> None:
    with build(Settings(data_dir=tmp_path, policy="shaoxing"), clock=ManualClock(START)) as platform:
        Desk(platform).deliver(cap("r1"))
        text = platform.policy_text.replace("绍兴市气象局", "绍兴气象")
    changed = tmp_path / "policy.toml"
    changed.write_text(text, encoding="utf-8")
    with build(Settings(data_dir=tmp_path, policy=str(changed)), clock=ManualClock(at(1))) as platform:
        [section] = Desk(platform).sections()
        assert "绍兴气象" in section.headlines["zh-CN"]
        assert [r.event.TOPIC for r in platform.log.read()].count("policy-adopted") == 2
