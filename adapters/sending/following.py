"""The worker's thread for the log: enters plans and stops, fills rows in, reports outcomes, and says that it lives."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from adapters.sending.filling import Preferences
from adapters.sending.lane import Pace
from adapters.sending.outbox import Outbox
from domain.ports import Clock, EventLog, LogUnavailableError
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

T = TypeVar("T")

TRY_AGAIN_SECONDS: Final = 1.0
"""After the database or the log refused."""


class LogFollower:
    """Follows the log for one outbox, from `start` to `end`."""

    def __init__(
        self,
        outbox: Outbox,
        events: EventLog,
        preferences: Preferences,
        clock: Clock,
        pace: Pace,
        wake: Callable[[], None],
    ) -> None:
        """`wake` is called from this thread when there may be something to send, or nothing any more."""
        self._outbox = outbox
        self._events = events
        self._preferences = preferences
        self._clock = clock
        self._pace = pace
        self._wake = wake
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sending-log")
        # By the monotonic clock: until when others take this worker for living, and when it last read the log.
        self._alive_until = 0.0
        self._read_at = 0.0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """End after the step under way."""
        self._stop.set()
        self._thread.join()

    @property
    def is_awake(self) -> bool:
        """Whether this worker may hand anything over: others take it for living, and it knows what the log says."""
        now = time.monotonic()
        return now < self._alive_until and now - self._read_at <= self._pace.blind_seconds

    def report_all(self) -> None:
        """Bring every outcome to the log.

        Raises:
            LogUnavailableError: the log cannot be written now.
        """
        while self._outbox.report(self._clock.now()):
            pass

    def _run(self) -> None:
        next_beat = 0.0
        while not self._stop.is_set():
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + self._pace.beat_seconds
                self._beat()
            done = attempted(self._step)
            if isinstance(done, Failed):
                log.error("the outbox cannot follow the log now, and tries again", exc_info=done.error)
                self._stop.wait(TRY_AGAIN_SECONDS)
            elif not done:
                self._wait_for_news()

    def _step(self) -> bool:
        """One round; False when there is nothing more to do."""
        asked, was_stopped = time.monotonic(), self._outbox.standing.is_stopped
        self._outbox.follow()
        self._read_at = asked
        filled = self._outbox.fill(self._preferences)
        reported = self._outbox.report(self._clock.now())
        self._outbox.report_gone(self._clock.now())
        if filled or was_stopped is not self._outbox.standing.is_stopped:
            self._wake()
        return bool(filled or reported)

    def _wait_for_news(self) -> None:
        seconds = self._pace.look_seconds
        waited = attempted(partial(self._events.wait, after=self._outbox.standing.position, timeout_seconds=seconds))
        if isinstance(waited, Failed):
            self._stop.wait(TRY_AGAIN_SECONDS)

    def _beat(self) -> None:
        said = time.monotonic()
        done = attempted(partial(self._outbox.beat, self._clock.now(), self._pace.alive_seconds))
        if isinstance(done, Failed):
            log.error("the outbox cannot be told that this worker lives", exc_info=done.error)
            return
        self._alive_until = said + self._pace.alive_seconds
        if done:
            log.warning("%s messages of a worker that died are sent again, marked as repeated", done)
            self._wake()


def attempted(do: Callable[[], T]) -> T | Failed:
    """What came of it; an unavailable log is a failure like others here, for all of them are tried again."""
    try:
        return attempt(do)
    except LogUnavailableError as error:
        return Failed(error)
