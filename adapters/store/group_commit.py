"""Many callers, one writer, one fsync for all who wait. Knows nothing of databases.

Work that arrives while the writer is busy is taken by it as one group the moment it is free. Nobody sleeps to let
a group grow, so a lone caller waits for its own write only.
"""

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar, cast

from adapters.store.errors import EventLogClosedError, EventLogUnavailableError

Work = TypeVar("Work")
Outcome = TypeVar("Outcome")

MAXIMUM_GROUP = 1_000
"""Callers served by one transaction at most, so that the first of them is not kept for the last."""


class _Pending(Generic[Work, Outcome]):
    """Work on its way, and the lock that its caller waits at. A Future does the same at several times the cost."""

    __slots__ = ("_done", "_outcome", "work")

    def __init__(self, work: Work) -> None:
        self.work = work
        self._outcome: Outcome | Exception | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def settle(self, outcome: Outcome | Exception) -> None:
        """Give the caller its outcome and let it go on."""
        self._outcome = outcome
        self._done.release()

    def outcome(self) -> Outcome:
        """Wait for the outcome; return it, or raise it if it is an exception."""
        with self._done:
            outcome = self._outcome
        if isinstance(outcome, Exception):
            raise outcome
        return cast(Outcome, outcome)


class GroupCommit(Generic[Work, Outcome]):
    """Hands all waiting work to `write` in order of arrival, and each caller its own outcome.

    `write` gets a group and returns, once that group is durable, one outcome for each piece of work: a value, or
    the exception that this piece alone has earned. If it raises EventLogUnavailableError, nothing of the group was
    stored and every caller of the group gets that error. Anything else it raises ends the writer: the callers
    waiting, and all later ones, are told so.
    """

    def __init__(self, write: Callable[[Sequence[Work]], Sequence[Outcome | Exception]], *, name: str) -> None:
        self._write = write
        self._queue: SimpleQueue[_Pending[Work, Outcome] | None] = SimpleQueue()
        # Held while work is queued, so that nothing can be queued behind the end mark.
        self._gate = threading.Lock()
        self._refusal: Exception | None = None
        # A daemon: a process that ends without closing loses only what was not yet acknowledged.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def do(self, work: Work) -> Outcome:
        """Queue the work, wait until its group is durable, and return its outcome.

        Raises:
            EventLogClosedError: after `close`.
            EventLogUnavailableError: the group, or the writer itself, has failed.
            Exception: whatever `write` gave as this work's outcome.
        """
        pending: _Pending[Work, Outcome] = _Pending(work)
        with self._gate:
            if self._refusal is not None:
                raise type(self._refusal)(*self._refusal.args)
            self._queue.put(pending)
        return pending.outcome()

    def close(self) -> None:
        """Finish what is queued, then end the writer. Later work is refused; closing twice is allowed."""
        with self._gate:
            if self._refusal is None:
                self._refusal = EventLogClosedError("the event log is closed")
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        group: list[_Pending[Work, Outcome]] = []
        try:
            last = False
            while not last:
                group, last = self._next_group()
                if group:
                    self._serve(group)
                group = []
        finally:
            self._leave(group)

    def _next_group(self) -> tuple[list[_Pending[Work, Outcome]], bool]:
        """Wait for work; return all that is there, and whether the end mark came with it."""
        group: list[_Pending[Work, Outcome]] = []
        pending = self._queue.get()
        try:
            while pending is not None:
                group.append(pending)
                if len(group) == MAXIMUM_GROUP:
                    return group, False
                pending = self._queue.get_nowait()
        except Empty:
            return group, False
        return group, True

    def _serve(self, group: Sequence[_Pending[Work, Outcome]]) -> None:
        try:
            outcomes = self._write([pending.work for pending in group])
        except EventLogUnavailableError as error:
            for pending in group:
                # One exception object each: threads that raise the same one write into the same traceback.
                own = type(error)(*error.args)
                own.__cause__ = error.__cause__
                pending.settle(own)
            return
        for pending, outcome in zip(group, outcomes, strict=True):
            pending.settle(outcome)

    def _leave(self, group: Sequence[_Pending[Work, Outcome]]) -> None:
        """Leave nobody waiting: after a planned end nobody does; after an unforeseen error all are told."""
        sentence = "the event log's writer has ended on an unforeseen error; the process must be restarted"
        with self._gate:
            if self._refusal is None:
                self._refusal = EventLogUnavailableError(sentence)
        left = list(group)
        while not self._queue.empty():
            pending = self._queue.get()
            if pending is not None:
                left.append(pending)
        for pending in left:
            pending.settle(EventLogUnavailableError(sentence))
