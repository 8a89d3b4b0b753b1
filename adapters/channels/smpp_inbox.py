"""What came back over SMPP and has not been fetched yet: receipts, and messages from people put together again.

A thing is acknowledged to the SMSC when the next one is asked for, so that what was not worked off comes once more.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

from adapters.channels.port import DeliveryReceipt, Incoming
from adapters.channels.smpp_text import Part

MOST_WAITING: Final = 10_000
_MOST_UNFINISHED: Final = 1_000
_FINISH_SECONDS: Final = 300.0

Acknowledge = Callable[[], None]
Item = DeliveryReceipt | Incoming


class Inbox(AsyncIterator[Item]):
    """An endless queue with one reader; it ends when it is closed and empty."""

    def __init__(self) -> None:
        """Empty."""
        self._items: deque[tuple[Item, Acknowledge]] = deque()
        self._handed_out: Acknowledge | None = None
        self._changed = asyncio.Event()
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        """Whether nobody fetches what is here."""
        return len(self._items) >= MOST_WAITING

    def put(self, item: Item, acknowledge: Acknowledge = lambda: None) -> None:
        """One more."""
        self._items.append((item, acknowledge))
        self._changed.set()

    def close(self) -> None:
        """No more will come."""
        self._is_closed = True
        self._changed.set()

    async def __anext__(self) -> Item:
        """The next one. That it is asked for says that the last one has been worked off."""
        if self._handed_out is not None:
            acknowledge, self._handed_out = self._handed_out, None
            acknowledge()
        while not self._items:
            if self._is_closed:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        item, self._handed_out = self._items.popleft()
        return item


class Joiner:
    """Puts the parts of longer messages from people together."""

    def __init__(self) -> None:
        """Nothing is unfinished."""
        self._unfinished: dict[tuple[str, int, int], tuple[dict[int, str], datetime]] = {}

    def joined(self, address: str, part: Part, at: datetime) -> Incoming | None:
        """The whole message, once all of its parts are here."""
        if part.total == 1:
            return Incoming(address, part.text, at)
        key = (address, part.reference, part.total)
        parts, _ = self._unfinished.setdefault(key, ({}, at))
        parts[part.part] = part.text
        if len(parts) < part.total:
            return None
        del self._unfinished[key]
        return _message(address, parts, at)

    def overdue(self, now: datetime) -> list[Incoming]:
        """What has waited too long for its other parts: a piece of an answer is better than none."""
        too_many = len(self._unfinished) - _MOST_UNFINISHED
        late = [
            key
            for place, (key, (_, began)) in enumerate(self._unfinished.items())
            if place < too_many or (now - began).total_seconds() > _FINISH_SECONDS
        ]
        return [_message(key[0], *self._unfinished.pop(key)) for key in late]


def _message(address: str, parts: dict[int, str], at: datetime) -> Incoming:
    return Incoming(address, "".join(parts[number] for number in sorted(parts)), at)
