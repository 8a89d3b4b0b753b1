"""What the group commit promises to its callers, whatever the one writer writes to."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from adapters.store import group_commit
from adapters.store.errors import EventLogClosedError, EventLogUnavailableError
from adapters.store.group_commit import GroupCommit


class Writer:
    """Doubles numbers; refuses odd ones; can be held, can fail."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.entered = threading.Semaphore(0)
        self.free = threading.Event()
        self.free.set()
        self.failure: Exception | None = None

    def write(self, group: Sequence[int]) -> Sequence[int | Exception]:
        self.groups.append(list(group))
        self.entered.release()
        self.free.wait()
        if self.failure is not None:
            raise self.failure
        return [ValueError(number) if number % 2 else 2 * number for number in group]


@contextmanager
def one_group_of(commit: GroupCommit[int, int], writer: Writer, numbers: Sequence[int]) -> Iterator[list[Future[int]]]:
    """Hold the writer at a first piece of work while all the numbers queue behind it; free it at the end."""
    writer.free.clear()
    with ThreadPoolExecutor(len(numbers) + 1) as pool:
        pool.submit(commit.do, 0)
        writer.entered.acquire()
        futures = []
        for count, number in enumerate(numbers, 1):
            futures.append(pool.submit(commit.do, number))
            while commit._queue.qsize() < count:
                threading.Event().wait(0.001)
        yield futures
        writer.free.set()


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def commit(writer: Writer) -> Iterator[GroupCommit[int, int]]:
    made: GroupCommit[int, int] = GroupCommit(writer.write, name="test-writer")
    yield made
    writer.free.set()
    made.close()


def test_a_lone_caller_is_served_alone(commit: GroupCommit[int, int], writer: Writer) -> None:
    assert commit.do(4) == 8
    assert writer.groups == [[4]]


def test_all_who_wait_are_served_together_in_order_of_arrival(commit: GroupCommit[int, int], writer: Writer) -> None:
    with one_group_of(commit, writer, [2, 4, 6, 8]) as futures:
        pass
    assert writer.groups == [[0], [2, 4, 6, 8]]
    assert [future.result() for future in futures] == [4, 8, 12, 16]


def test_who_is_refused_is_refused_alone(commit: GroupCommit[int, int], writer: Writer) -> None:
    with one_group_of(commit, writer, [2, 3, 4]) as futures:
        pass
    assert [type(future.exception()) for future in futures] == [type(None), ValueError, type(None)]


def test_a_failed_group_is_told_each_with_an_error_of_its_own(commit: GroupCommit[int, int], writer: Writer) -> None:
    with one_group_of(commit, writer, [2, 4]) as futures:
        writer.failure = EventLogUnavailableError("the disk is full")
    first, second = (future.exception() for future in futures)
    assert isinstance(first, EventLogUnavailableError)
    assert isinstance(second, EventLogUnavailableError)
    assert first is not second
    writer.failure = None
    assert commit.do(6) == 12


def test_close_serves_those_who_wait_and_refuses_those_who_come(commit: GroupCommit[int, int], writer: Writer) -> None:
    with one_group_of(commit, writer, [2, 4]) as futures:
        closer = threading.Thread(target=commit.close)
        closer.start()
        while commit._refusal is None:
            threading.Event().wait(0.001)
        with pytest.raises(EventLogClosedError):
            commit.do(6)
    closer.join()
    assert [future.result() for future in futures] == [4, 8]
    commit.close()


def test_a_group_has_a_limit(commit: GroupCommit[int, int], writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAXIMUM_GROUP", 3)
    with one_group_of(commit, writer, [2, 4, 6, 8, 10]) as futures:
        pass
    assert writer.groups == [[0], [2, 4, 6], [8, 10]]
    assert [future.result() for future in futures] == [4, 8, 12, 16, 20]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_unforeseen_error_leaves_nobody_waiting(commit: GroupCommit[int, int], writer: Writer) -> None:
    with one_group_of(commit, writer, [2, 4]) as futures:
        writer.failure = ZeroDivisionError()
    assert all(isinstance(future.exception(), EventLogUnavailableError) for future in futures)
    with pytest.raises(EventLogUnavailableError, match="restarted"):
        commit.do(6)
    commit.close()
