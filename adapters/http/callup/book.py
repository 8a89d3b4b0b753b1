"""The call-ups as their pages show them: read from the log itself, so that a page never lags behind what was decided.

The subject of a link is the stream of the warning's call-ups. The few that are looked at stay in memory, and only what
came since is read.
"""

import threading
from collections import OrderedDict
from typing import Final
from uuid import UUID

from domain.callup_state import CallUps, OfCallUps, evolve_all
from domain.ports import EventLog

KEPT: Final = 200
"""Warnings whose call-ups stay in memory."""


class CallUpBook:
    """The states of call-ups by the subject of their links. Safe to use from many threads."""

    def __init__(self, log: EventLog) -> None:
        """Nothing is read before somebody looks."""
        self._log = log
        self._lock = threading.Lock()
        self._kept: OrderedDict[UUID, tuple[int, CallUps]] = OrderedDict()

    def of(self, subject: UUID) -> CallUps | None:
        """What was called up under this subject, as it is now; None where nothing ever was.

        Raises:
            LogUnavailableError: the log cannot be read now.
        """
        with self._lock:
            version, state = self._kept.get(subject, (0, None))
            news = list(self._log.stream(subject, after_version=version))
            if news:
                events = [recorded.event for recorded in news]
                if state is None:
                    state = _beginning(events[0])
                state = evolve_all(state, events)
                self._kept[subject] = (news[-1].version, state)
            if state is not None:
                self._kept.move_to_end(subject)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return state


def _beginning(first: object) -> CallUps:
    if not isinstance(first, OfCallUps):
        message = f"{type(first).__name__} begins no call-ups"
        raise TypeError(message)
    return CallUps(district=first.district, mode=first.mode, warning_id=first.warning_id)
