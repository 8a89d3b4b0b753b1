"""Too much at once, too large, from nobody, or met by a defect of ours: answered, kept, and the platform goes on."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from adapters.clocks import ManualClock
from domain.deadlines import Due
from domain.events import MessageRejected, WarningReleased
from domain.findings import Code
from domain.interpretation import interpret
from domain.levels import Level
from domain.messages import AgencyMessage, Mode
from domain.ports import LogUnavailableError
from domain.release import Approve, ReleaseError
from streams.district import act
from streams.intake import LARGEST_KEPT_BYTES, Delivery, ListedMessage, Outcome
from streams.pipeline import CLOCK_STAGE
from tests.streams.conftest import Desk
from tests.streams.messages import SENDERS, START, at, cap
from tests.streams.outcomes import parked_in
from tests.streams.traffic import CITY, DISTRICTS


def codes_of(desk: Desk, content: bytes) -> set[Code]:
    receipt = desk.deliver(content)
    assert receipt.outcome is Outcome.REJECTED
    return {found.code for found in receipt.findings}


@pytest.mark.parametrize("begin", [b"<alert>", b"PK\x03\x04", b"{", b"\x00"])
def test_a_huge_message_is_refused_its_bytes_are_kept_and_the_next_goes_through(desk: Desk, begin: bytes) -> None:
    huge = begin + b"x" * (65_000_000 - len(begin))
    receipt = desk.deliver(huge)
    assert receipt.outcome is Outcome.REJECTED
    assert desk.platform.log.attachment(receipt.raw_sha256) == huge
    desk.deliver(cap("r1"))
    assert desk.levels() == {"11B03": "yellow"}


def test_what_is_too_large_to_keep_is_refused_by_its_size_and_harms_no_neighbour(desk: Desk) -> None:
    huge = b"<alert>" + b"x" * LARGEST_KEPT_BYTES
    receipts = desk.platform.runner.submit([Delivery(one, None, "t") for one in (cap("r1"), huge, cap("r2"))])
    assert [receipt.outcome for receipt in receipts] == [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ACCEPTED]
    [event] = [r.event for r in desk.platform.log.read() if isinstance(r.event, MessageRejected)]
    assert (event.findings[0].code, event.raw_size) == (Code.TOO_LARGE, len(huge))
    assert desk.platform.log.attachment(event.raw_sha256) is None


def test_a_huge_xml_document_is_refused_as_too_large(desk: Desk) -> None:
    assert codes_of(desk, b"<alert>" + b"x" * 65_000_000) == {Code.TOO_LARGE}


def test_a_thousand_messages_in_one_submit_are_one_answer_each(desk: Desk) -> None:
    deliveries = [Delivery(cap(f"r{n}", codes=(DISTRICTS[n % 6],), hours=n % 5 + 1), None, "t") for n in range(500)]
    deliveries += [Delivery(f"<torn{n}".encode(), None, "t") for n in range(500)]
    receipts = desk.platform.runner.submit(deliveries)
    assert [r.outcome for r in receipts] == [Outcome.ACCEPTED] * 500 + [Outcome.REJECTED] * 500
    assert len({receipt.raw_sha256 for receipt in receipts}) == 1000


def test_one_message_for_the_whole_city_is_one_warning_in_each_district(desk: Desk) -> None:
    receipt = desk.deliver(cap("all", level="red", codes=(CITY,)))
    assert receipt.districts == DISTRICTS
    assert all(desk.levels(district) == {"11B03": "red"} for district in DISTRICTS)
    assert len([r for r in desk.platform.log.read() if isinstance(r.event, WarningReleased)]) == len(DISTRICTS)


def test_what_nobody_we_know_sends_is_refused_and_kept(desk: Desk) -> None:
    content = cap("x").replace(SENDERS["meteorology"].encode(), b"nobody@example.org")
    assert codes_of(desk, content) == {Code.UNKNOWN_AGENCY}
    receipt = desk.deliver(cap("y"), agency="unheard-of")
    assert Code.UNKNOWN_AGENCY in {found.code for found in receipt.findings}


def test_the_same_refused_bytes_at_the_same_moment_are_two_answers(desk: Desk) -> None:
    """On a clock that stands still, nothing but their place in the log tells the two apart."""
    assert desk.deliver(b"<torn").outcome is desk.deliver(b"<torn").outcome is Outcome.REJECTED
    assert desk.topics().count("message-rejected") == 2


def test_a_settled_deadline_does_not_fire_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.deliver(cap("r1", level="red", hours=1))
    fired: list[Due] = []

    def counted(house, due, now):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        fired.append(due)
        CLOCK_STAGE(house, due, now)

    monkeypatch.setattr("streams.embedded.CLOCK_STAGE", counted)
    desk.wait_until(61)
    desk.platform.runner.pump()
    desk.wait_until(300)
    assert [due.at for due in fired] == [at(60)]
    assert desk.platform.runner.next_due() is None


def test_a_deadline_that_fails_is_parked_once_and_the_others_are_acted_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.deliver(cap("a", codes=("330602",), level="red", hours=1))
    desk.deliver(cap("b", codes=("330604",), level="red", hours=1))

    def fails_for_one(house, district, mode, command, now):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        if district == "330602":
            raise RuntimeError("planted")
        return act(house, district, mode, command, now)

    monkeypatch.setattr("streams.lapse.act", fails_for_one)
    desk.wait_until(61)
    desk.wait_until(120)
    assert desk.levels("330604") == {}
    [parked] = parked_in(desk.platform)
    assert (parked.stage, parked.reason) == ("clock", "RuntimeError")
    assert "330602" in parked.detail
    assert desk.platform.runner.next_due() is None


def test_weeks_with_many_deadlines_pass_and_everything_has_ended(desk: Desk) -> None:
    deliveries = [
        Delivery(cap(f"r{n}", codes=(DISTRICTS[n % 6],), level="blue", hours=1 + n * 8), None, "t") for n in range(60)
    ]
    desk.platform.runner.submit(deliveries)
    desk.wait_until(3 * 7 * 24 * 60)
    assert all(desk.levels(district) == {} for district in DISTRICTS)
    ended = [r.event.at for r in desk.platform.log.read() if r.event.TOPIC == "contribution-ended"]
    assert ended == [START + timedelta(hours=1 + n * 8) for n in range(60)]
    assert desk.platform.runner.next_due() is None


def test_a_decision_that_does_not_fit_leaves_nothing_behind(desk: Desk) -> None:
    desk.deliver(cap("r1", level="red"))
    head = desk.platform.log.head()
    with pytest.raises(ReleaseError):
        desk.platform.runner.command("330604", Mode.LIVE, Approve("11B03", "Wang"))
    assert not desk.platform.house.ledger.pending
    assert desk.platform.log.head() == head
    desk.deliver(cap("r2", hazard="11B01", level="red"))
    assert desk.levels() == {"11B01": "red", "11B03": "red"}


def fails_for(identifier: str) -> Callable[..., object]:
    def fails(message: AgencyMessage, **surroundings: object) -> object:
        if message.identifier == identifier:
            raise RuntimeError("planted")
        return interpret(message, **surroundings)  # type: ignore[arg-type]

    return fails


def test_a_defect_met_by_one_message_refuses_it_alone_and_keeps_its_bytes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.intake.interpret", fails_for("bad"))
    contents = [cap("good"), cap("bad", hazard="11B04"), cap("fine", hazard="11B01")]
    receipts = desk.platform.runner.submit([Delivery(content, None, "t") for content in contents])
    desk.platform.runner.pump()
    assert [r.outcome for r in receipts] == [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ACCEPTED]
    assert [found.code for found in receipts[1].findings] == [Code.INTERNAL]
    assert desk.platform.log.attachment(receipts[1].raw_sha256) == contents[1]
    assert set(desk.levels()) == {"11B03", "11B01"}


def listed(desk: Desk, *names: str) -> list[ListedMessage]:
    found: list[ListedMessage] = []
    for name, hazard in zip(names, ("11B03", "11B01", "11B04"), strict=False):
        content = cap(name, hazard=hazard)
        [message] = desk.platform.reader.read(content)
        found.append(ListedMessage(agency="meteorology", item=name, message=message, content=content))
    return found


def test_a_defect_met_by_one_item_of_a_list_ends_nothing_and_holds_no_other_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.intake.interpret", fails_for("bad"))
    receipts = desk.platform.runner.submit_listing("list", listed(desk, "a", "bad", "c"))
    assert sorted(r.outcome.value for r in receipts) == ["accepted", "accepted", "rejected"]
    receipts = desk.platform.runner.submit_listing("list", listed(desk, "a", "bad"))
    desk.platform.runner.pump()
    assert desk.levels() == {"11B03": "yellow"}


def test_a_list_seen_after_the_clock_was_set_back_is_believed(desk: Desk) -> None:
    runner, clock = desk.platform.runner, desk.platform.clock
    assert isinstance(clock, ManualClock)
    clock.set(at(60))
    runner.submit_listing("list", listed(desk, "a"))
    [before] = listed(desk, "a")
    content = cap("a", hazard="11B03", level="red")
    [message] = desk.platform.reader.read(content)
    runner.submit_listing("list", [ListedMessage("meteorology", "a", message, content)])
    clock.set(at(30))
    runner.submit_listing("list", [before])
    runner.pump()
    assert desk.levels() == {"11B03": Level.YELLOW.value}
    runner.submit_listing("list", [])
    runner.pump()
    assert desk.levels() == {}


def test_a_list_that_shows_the_same_writes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.platform.runner.submit_listing("list", listed(desk, "a", "b"))

    def append(*_: object, **__: object) -> None:
        raise AssertionError("nothing has changed")

    monkeypatch.setattr(desk.platform.log, "append", append)
    assert desk.platform.runner.submit_listing("list", listed(desk, "a", "b")) == []


def test_a_log_out_of_reach_parks_nothing_and_the_work_is_done_when_it_is_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = desk.platform.runner
    runner.submit([Delivery(cap("r1"), None, "t"), Delivery(cap("r2", hazard="11B01"), None, "t")])

    def out_of_reach(*_: object, **__: object) -> None:
        raise LogUnavailableError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(desk.platform.log, "append", out_of_reach)
        with pytest.raises(LogUnavailableError):
            runner.pump()
        with pytest.raises(LogUnavailableError):
            runner.submit([Delivery(cap("r3", hazard="11B04"), None, "t")])
    runner.pump()
    assert parked_in(desk.platform) == []
    assert set(desk.levels()) == {"11B03", "11B01"}
