"""Threads that share a runner: whoever brings a message waits for no read model, and nothing is taken through twice."""

import threading
from pathlib import Path

from adapters.clocks import ManualClock
from adapters.deadlines import ReadDeadlines
from adapters.settings import Settings
from adapters.wiring import build
from domain.events import WarningReleased
from streams.embedded import EmbeddedRunner
from streams.intake import Delivery, Outcome
from tests.streams.conftest import Desk
from tests.streams.messages import START, cap

SECONDS = 20.0


def delivery(name: str, **more: object) -> Delivery:
    return Delivery(content=cap(name, **more), agency=None, source=name)  # type: ignore[arg-type]


def test_a_message_is_taken_in_and_released_while_the_read_models_are_being_brought_up(tmp_path: Path) -> None:
    projecting, go_on = threading.Event(), threading.Event()

    def project() -> int:
        projecting.set()
        assert go_on.wait(SECONDS)
        return platform.project()

    with build(Settings(data_dir=tmp_path, policy="shaoxing"), clock=ManualClock(START)) as platform:
        runner = EmbeddedRunner(
            log=platform.log,
            house=platform.house,
            reader=platform.reader,
            clock=platform.clock,
            deadlines=ReadDeadlines(platform.tables),
            project=project,
        )
        pumping = threading.Thread(target=runner.pump)
        pumping.start()
        assert projecting.wait(SECONDS)
        [receipt] = runner.submit([delivery("a", level="red")])
        runner.take_through()
        released = [r for r in platform.log.read() if isinstance(r.event, WarningReleased)]
        go_on.set()
        pumping.join(SECONDS)
        assert not pumping.is_alive()
    assert receipt.outcome is Outcome.ACCEPTED
    assert len(released) == 1


def test_taking_through_leaves_read_models_to_the_next_pump(desk: Desk) -> None:
    platform = desk.platform
    platform.runner.submit([delivery("a", level="red")])
    platform.runner.take_through()
    assert "warning-released" in desk.topics()
    assert platform.districts_in_force() == []
    platform.runner.pump()
    assert [district for district, _ in platform.districts_in_force()] == ["330604"]


def test_threads_that_submit_and_pump_at_once_release_every_warning_once(desk: Desk) -> None:
    platform = desk.platform
    codes = ("330602", "330603", "330604", "330624", "330681", "330683")

    def bring(code: str) -> None:
        for place, hazard in enumerate(("11B03", "11B04", "11B05", "11B06")):
            platform.runner.submit([delivery(f"{code}-{hazard}", hazard=hazard, level="red", codes=(code,))])
            (platform.runner.take_through if place % 2 else platform.runner.pump)()

    threads = [threading.Thread(target=bring, args=(code,)) for code in codes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    platform.runner.pump()
    topics = desk.topics()
    assert topics.count("contribution-recorded") == 4 * len(codes)
    assert topics.count("warning-released") == 4 * len(codes)
    assert "event-parked" not in topics
    for code in codes:
        assert len(desk.sections(code)) == 4
