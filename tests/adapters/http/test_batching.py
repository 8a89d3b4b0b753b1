"""The one thread that takes in: what waits is taken together, failures are told, and nobody is left waiting."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.clocks import ManualClock
from adapters.http.access import Door
from adapters.http.batching import IntakeFailedError, IntakeFullError, IntakeWorker
from adapters.http.metrics import Metrics
from adapters.http.replays import AnsweredRequests
from domain.findings import Code, refusal
from domain.ports import LogUnavailableError
from streams.intake import Delivery, Outcome, Receipt
from tests.adapters.http.messages import as_json, json_message
from tests.adapters.http.outlets import Outlet, problem, receipts_of
from tests.streams.messages import START, cap


class FakeRunner:
    """Takes everything; stands still while its gate is closed, and fails when it is told to."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[list[str]] = []
        self.pumps = 0
        self.submit_error: Exception | None = None
        self.pump_error: Exception | None = None

    def submit(self, deliveries: Sequence[Delivery]) -> list[Receipt]:
        self.gate.wait(10)
        if self.submit_error is not None:
            raise self.submit_error
        self.batches.append([one.source for one in deliveries])
        return [Receipt(one.source, Outcome.ACCEPTED, one.agency, None, "0" * 64) for one in deliveries]

    def take_through(self) -> None:
        self.pump()

    def pump(self) -> None:
        self.pumps += 1
        if self.pump_error is not None:
            raise self.pump_error


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def answered(tmp_path: Path) -> Iterator[AnsweredRequests]:
    with AnsweredRequests(tmp_path / "ids.sqlite", remembered=timedelta(hours=24)) as memory:
        yield memory


@pytest.fixture
def worker(runner: FakeRunner, answered: AnsweredRequests) -> Iterator[IntakeWorker]:
    found = IntakeWorker(runner, ManualClock(START), answered=answered, metrics=Metrics(), most_waiting=5)
    yield found
    runner.gate.set()
    found.close()


def delivery(name: str) -> Delivery:
    return Delivery(content=b"x", agency="water", source=name)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


async def taken(worker: IntakeWorker, *names: str) -> list[list[Receipt]]:
    return await worker.take([delivery(name) for name in names])


def test_what_waits_is_taken_together_and_everybody_gets_their_own_receipts(
    worker: IntakeWorker, runner: FakeRunner
) -> None:
    async def senders() -> list[list[list[Receipt]]]:
        runner.gate.clear()
        first = asyncio.create_task(taken(worker, "a"))
        await asyncio.sleep(0.1)
        others = [asyncio.create_task(taken(worker, *names)) for names in (("b", "c"), ("d",), ("e",))]
        await asyncio.sleep(0.1)
        runner.gate.set()
        return [await one for one in (first, *others)]

    results = asyncio.run(senders())
    assert runner.batches == [["a"], ["b", "c", "d", "e"]]
    assert [[receipt.source for [receipt] in result] for result in results] == [["a"], ["b", "c"], ["d"], ["e"]]


def test_beyond_what_may_wait_requests_are_refused_and_nothing_of_them_is_taken(
    worker: IntakeWorker, runner: FakeRunner
) -> None:
    async def senders() -> None:
        runner.gate.clear()
        first = asyncio.create_task(taken(worker, "a"))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(taken(worker, "b", "c", "d", "e"))
        await asyncio.sleep(0)
        with pytest.raises(IntakeFullError):
            await taken(worker, "f", "g")
        runner.gate.set()
        await first
        await waiting

    asyncio.run(senders())
    assert [name for batch in runner.batches for name in batch] == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("error", [LogUnavailableError("disk full"), RuntimeError("a defect")])
def test_a_batch_that_cannot_be_stored_is_told_and_its_ids_are_free_again(
    worker: IntakeWorker, runner: FakeRunner, answered: AnsweredRequests, error: Exception
) -> None:
    runner.submit_error = error
    assert answered.begin(("water", "msg_1"))
    with pytest.raises(IntakeFailedError):
        asyncio.run(worker.take([delivery("a")], signed=("water", "msg_1")))
    assert answered.begin(("water", "msg_1"))
    runner.submit_error = None
    asyncio.run(worker.take([delivery("a")], signed=("water", "msg_1")))
    assert not answered.begin(("water", "msg_1"))


@pytest.mark.parametrize("error", [LogUnavailableError("disk full"), RuntimeError("a defect")])
def test_stages_that_cannot_go_on_are_told_by_health_and_tried_again(
    worker: IntakeWorker, runner: FakeRunner, error: Exception
) -> None:
    runner.pump_error = error
    asyncio.run(taken(worker, "a"))
    wait_until(lambda: str(error) in worker.health.trouble)
    runner.pump_error = None
    wait_until(lambda: not worker.health.trouble)
    assert runner.pumps >= 2


def test_a_memory_of_ids_that_fails_keeps_no_message_from_its_answer(
    worker: IntakeWorker, answered: AnsweredRequests
) -> None:
    answered.begin(("water", "msg_1"))
    answered.close()
    [[receipt]] = asyncio.run(worker.take([delivery("a")], signed=("water", "msg_1")))
    assert receipt.outcome is Outcome.ACCEPTED


def test_closing_finishes_what_waits_and_refuses_what_comes_later(worker: IntakeWorker, runner: FakeRunner) -> None:
    async def senders() -> None:
        runner.gate.clear()
        first = asyncio.create_task(taken(worker, "a"))
        second = asyncio.create_task(taken(worker, "b"))
        await asyncio.sleep(0.1)
        closing = asyncio.get_running_loop().run_in_executor(None, worker.close)
        await asyncio.sleep(0.1)
        runner.gate.set()
        await first
        await second
        await closing
        with pytest.raises(IntakeFullError):
            await taken(worker, "c")

    asyncio.run(senders())
    assert not worker.health.is_alive


def test_a_sender_that_has_gone_harms_nobody(worker: IntakeWorker, runner: FakeRunner) -> None:
    async def goes() -> None:
        runner.gate.clear()
        task = asyncio.create_task(taken(worker, "a"))
        await asyncio.sleep(0.05)
        task.cancel()

    asyncio.run(goes())
    runner.gate.set()
    [[receipt]] = asyncio.run(taken(worker, "b"))
    assert receipt.source == "b"


def test_ids_are_forgotten_after_their_time(tmp_path: Path) -> None:
    with AnsweredRequests(tmp_path / "ids.sqlite", remembered=timedelta(hours=24)) as memory:
        memory.remember([("water", "old")], START)
        memory.remember([("water", "new")], START + timedelta(hours=23))
        memory.remember([], START + timedelta(hours=25))
        assert memory.begin(("water", "old"))
        assert not memory.begin(("water", "new"))


def test_a_message_that_meets_a_defect_of_ours_is_answered_500_and_kept(
    outlet: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(content: bytes) -> object:
        raise ZeroDivisionError(len(content))

    monkeypatch.setattr(outlet.platform.runner._reader, "read", fails)
    document = problem(outlet.post(cap("m-1")), "internal", 500)
    assert [found["code"] for found in document["findings"]] == [Code.INTERNAL.value]
    assert outlet.platform.log.attachment(document["receipts"][0]["raw_sha256"]) == cap("m-1")


def test_a_defect_outside_of_any_message_is_a_problem_too(outlet: Outlet, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(Door, "verify_body", fails)
    document = problem(outlet.post(cap("m-1")), "internal", 500)
    assert "ZeroDivisionError" in document["detail"]
    monkeypatch.undo()
    receipts_of(outlet.post(as_json(json_message("m-2")), kind="application/json"))


def test_a_refusal_is_a_finding_in_the_metrics(runner: FakeRunner) -> None:
    metrics = Metrics()
    found = refusal(Code.NO_AREA, "/", 'with "quotes"')
    metrics.taken(Receipt("s", Outcome.REJECTED, 'a"b\\c\n', None, "0", (found,)))
    text = metrics.text({"outlet_x": 1})
    assert 'outlet_messages_total{agency="a\\"b\\\\c\\n",outcome="rejected"} 1' in text
    assert "outlet_x 1" in text
