"""A server and a command at work on one folder, in two processes: nothing is lost and nothing done twice."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import Platform, build
from domain.events import ContributionRecorded, OutletRevised, WarningReleased
from domain.levels import Level
from domain.messages import Mode
from domain.release import Approve
from projections.board import BOARD, REVISIONS
from projections.follow import catch_up
from streams import park
from streams.district import act
from streams.intake import Delivery, Outcome
from tests.streams.messages import START, at, cap
from tests.streams.outcomes import parked_in, sections_of
from tests.streams.simulation import settings_of
from tests.streams.traffic import traffic

Opener = Callable[[], Platform]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    platforms: list[Platform] = []
    clock = ManualClock(START)

    def open_() -> Platform:
        platforms.append(build(settings_of(tmp_path), clock=clock))
        return platforms[-1]

    yield open_
    for platform in platforms:
        platform.close()


def deliver(platform: Platform, content: bytes) -> None:
    platform.runner.submit([Delivery(content, None, "t")])
    platform.runner.pump()


def releases(platform: Platform) -> list[WarningReleased]:
    return [r.event for r in platform.log.read() if isinstance(r.event, WarningReleased)]


def test_what_a_command_has_approved_the_server_releases_when_it_is_due(opened: Opener) -> None:
    """The server has the district in memory as it was before the approval, and no event to merge since."""
    server, command = opened(), opened()
    deliver(server, cap("o", level="orange"))
    assert not releases(server)
    command.runner.command("330604", Mode.LIVE, Approve("11B03", "Wang"))
    server.advance(at(2))
    assert [release.cause for release in releases(server)] == ["grouped"]


def test_a_chain_that_one_process_recorded_the_other_ends(opened: Opener) -> None:
    one, two = opened(), opened()
    deliver(two, cap("w", agency="water", hazard="11A51", level="blue"))  # two has the district in memory
    deliver(one, cap("a"))
    two.runner.submit([Delivery(cap("b", minutes=1, kind="Cancel", references=(("a", 0),)), None, "t")])
    two.runner.pump()
    assert [section.hazard for section in sections_of(one)["live", "330604"]] == ["11A51"]


def test_a_step_that_overlaps_with_anothers_is_not_taken_twice(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading its position and its step, the other process takes the same events and more."""
    one, two = opened(), opened()
    one.runner.submit([Delivery(cap("a", level="yellow"), None, "t")])
    one.runner.submit([Delivery(cap("b", level="red", minutes=1, kind="Update", references=(("a", 0),)), None, "t")])
    real = park.run_step
    raced: list[str] = []

    def after_the_other(house, name, step, batch, now):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        if not raced:
            raced.append(name)
            two.runner.pump()
            one.runner.submit([Delivery(cap("c", agency="water", hazard="11A51"), None, "t")])
            batch = [r for r in one.log.read() if r.event.TOPIC == "contributions-changed"]
        real(house, name, step, batch, now)

    monkeypatch.setattr("streams.embedded.run_step", after_the_other)
    one.runner.pump()
    assert raced
    recorded = [r.event for r in one.log.read() if isinstance(r.event, ContributionRecorded)]
    assert [event.contribution.message.identifier for event in recorded] == ["a", "b", "c"]
    assert [r.event.revision for r in one.log.read() if isinstance(r.event, OutletRevised)] == [1, 2, 3]


def test_a_conflict_while_a_batch_is_taken_one_by_one_loses_nothing(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = opened(), opened()
    hazards = ("11B01", "11B03", "11B04", "11B05")
    one.runner.submit([Delivery(cap(hazard, hazard=hazard), None, "t") for hazard in hazards])
    seen: list[str] = []

    def fails_first_and_is_overtaken(house, district, mode, command, now):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        hazard = command.contribution.statements[0].hazard
        if house is not one.house:
            return act(house, district, mode, command, now)
        seen.append(hazard)
        if seen == ["11B01", "11B03"]:
            raise RuntimeError("once, so that the batch is taken one by one")
        if seen == ["11B01", "11B03", "11B01", "11B03"]:
            two.runner.pump()
        return act(house, district, mode, command, now)

    monkeypatch.setattr("streams.merge.act", fails_first_and_is_overtaken)
    one.runner.pump()
    assert {section.hazard for section in sections_of(one)["live", "330604"]} == set(hazards)
    recorded = [r.event for r in one.log.read() if isinstance(r.event, ContributionRecorded)]
    assert len(recorded) == len(hazards)
    assert parked_in(one) == []


def test_threads_that_submit_and_pump_at_once_lose_nothing(tmp_path: Path) -> None:
    sent = traffic(8, 60)
    failures: list[BaseException] = []
    with build(Settings(data_dir=tmp_path, policy="shaoxing"), clock=ManualClock(at(600))) as platform:
        accepted: list[Outcome] = []

        def work(part: int) -> None:
            try:
                for one in sent[part::4]:
                    [receipt] = platform.runner.submit([Delivery(one.content, None, "t")])
                    accepted.append(receipt.outcome)
                    platform.runner.pump()
            except BaseException as error:
                failures.append(error)
                raise

        threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(accepted) == len(sent)
        together = sections_of(platform)
    with build(Settings(data_dir=tmp_path / "alone", policy="shaoxing"), clock=ManualClock(at(600))) as platform:
        platform.runner.submit([Delivery(one.content, None, "t") for one in sent])
        platform.runner.pump()
        assert sections_of(platform) == together


def test_two_platforms_pumping_at_once_disturb_neither_the_log_nor_the_read_tables(opened: Opener) -> None:
    platforms = [opened(), opened()]
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for place in range(12):
                hazard = ("11B03", "11B01", "11B04")[place % 3]
                code = ("330602", "330603", "330604", "330681")[(place + number) % 4]
                deliver(platforms[number], cap(f"{number}-{place}", hazard=hazard, codes=(code,)))
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = sections_of(platforms[0])
    contributors = [c for sections in found.values() for section in sections for c in section.contributors]
    assert len(contributors) == 24
    assert all(c.level is Level.YELLOW for c in contributors)


def test_read_tables_that_another_process_has_brought_on_are_not_written_twice(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`outlet board` beside `outlet run`: both follow the log into the same tables, each at its own pace."""
    one, two = opened(), opened()
    deliver(one, cap("a"))
    halfway = one.log.head()
    deliver(one, cap("b", hazard="11B01"))
    one.tables.reset(BOARD)
    real, calls = one.log.read_raw, list[int]()
    monkeypatch.setattr(two.log, "head", lambda: halfway)

    def overtaken(*, after: int, until: int, topics: frozenset[str]) -> Sequence[tuple[int, str, bytes]]:
        calls.append(after)
        if len(calls) == 1:
            catch_up(two.log, two.tables, [BOARD])
        return real(after=after, until=until, topics=topics)

    monkeypatch.setattr(one.log, "read_raw", overtaken)
    catch_up(one.log, one.tables, [BOARD])
    assert calls == [0, halfway]
    assert one.tables.position(BOARD.name) == one.log.head()
    assert len(one.tables.select(REVISIONS)) == 2


def test_what_comes_between_the_pump_and_the_wait_is_not_slept_through(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, stop, woken = opened(), threading.Event(), list[bool]()
    pump, wait = platform.runner.pump, platform.log.wait

    def pump_and_then_another_thread_submits() -> None:
        pump()
        platform.runner.submit([Delivery(cap("a"), None, "t")])

    def wait_once(*, after: int, timeout_seconds: float) -> bool:
        woken.append(wait(after=after, timeout_seconds=0))
        stop.set()
        return woken[-1]

    monkeypatch.setattr(platform.runner, "pump", pump_and_then_another_thread_submits)
    monkeypatch.setattr(platform.log, "wait", wait_once)
    platform.runner.run(stop)
    assert woken == [True]
