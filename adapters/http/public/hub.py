"""Hands each release to every stream that asked for it: rendered once, one bounded queue for each client.

Everything here runs on the server's event loop and knows nothing of the log. A client that does not keep up is
let go, so that nobody waits for it and no memory grows; its last id brings it back without a gap.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.types import Message, Send

from adapters.http.public.query import Filter
from domain.events import WarningReleased


class News(NamedTuple):
    """A release as a stream sends it."""

    position: int
    event: WarningReleased
    rendered: bytes


class Client:
    """One open stream: what it still has to send, and whether it is to end.

    Its own task sends what is queued. While that task waits and the connection takes more, a release is written at
    once by whoever publishes it: waking thousands of tasks would cost more than the writing.
    """

    __slots__ = ("_begun", "_send", "_waiting", "ended", "is_slow", "queue", "task", "wanted")

    def __init__(self, wanted: Filter, send: Send) -> None:
        """Nothing is queued; `send` is the server's."""
        self.wanted = wanted
        self.queue: deque[Message] = deque()
        self.ended = False
        self.is_slow = False
        self.task: asyncio.Task[None] | None = None
        self._send = send
        self._begun: _Begun | None = None
        self._waiting: asyncio.Future[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether all has been sent, and its task waits for more."""
        return self._waiting is not None and not self._waiting.done()

    def put(self, message: Message) -> None:
        """Send the message, now or as soon as what is before it has gone."""
        waiting = self._waiting
        if waiting is None or waiting.done():
            self.queue.append(message)
            return
        steps = self._send(message).__await__()
        try:
            awaited = next(steps)
        except StopIteration:  # it is written
            return
        except OSError:  # the client has gone
            self.end()
            return
        self._begun = _Begun(steps, awaited)
        self._wake()

    def end(self) -> None:
        """What is queued is sent, and then the stream ends."""
        self.ended = True
        self._wake()

    async def send_all(self) -> None:
        """Send what comes until the stream is to end; the work of the client's own task."""
        while True:
            if self._begun is None and not self.queue and not self.ended:
                self._waiting = asyncio.get_running_loop().create_future()
                await self._waiting
                self._waiting = None
            elif self._begun is not None:
                begun, self._begun = self._begun, None
                await begun
            elif self.queue:
                content = b"".join(message["body"] for message in self.queue)
                self.queue.clear()
                await self._send(message_of(content))
            else:
                return

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class _Begun:
    """A sending whose first step was taken by the publisher, and which the client's task finishes."""

    def __init__(self, steps: Generator[Any, Any, None], awaited: object) -> None:
        """`awaited` is what the first step waits for."""
        self._steps = steps
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, None]:
        try:
            yield self._awaited
        except BaseException:  # cancelled, or closed: the sending ends with it
            self._steps.close()
            raise
        yield from self._steps


def message_of(content: bytes) -> Message:
    """A part of a stream as ASGI sends it."""
    return {"type": "http.response.body", "body": content, "more_body": True}


class Hub:
    """The open streams. `published` is the position up to which they were told."""

    def __init__(
        self, *, queue_limit: int, goodbye_seconds: float, beat: Callable[[int, Mapping[str, int]], bytes]
    ) -> None:
        """`beat` renders a heartbeat of the position and each district's last release."""
        self.published = 0
        self.clients = 0
        self.dropped = 0
        self.is_over = False
        self._queue_limit = queue_limit
        self._goodbye_seconds = goodbye_seconds
        self._beat = beat
        self._groups: dict[Filter, dict[Client, None]] = {}
        self._latest: dict[str, int] = {}

    def begin(self, published: int, latest: Mapping[str, int]) -> None:
        """All clients come to a hub that has published this far."""
        self.published = published
        self._latest = dict(latest)

    def join(self, client: Client) -> None:
        """From here on the client gets what is published; nothing, if all streams were ended before."""
        if self.is_over:
            client.end()
        self._groups.setdefault(client.wanted, {})[client] = None
        self.clients += 1

    def leave(self, client: Client) -> None:
        """The client gets nothing more; leaving twice is allowed."""
        group = self._groups.get(client.wanted, {})
        if client in group:
            del group[client]
            self.clients -= 1
            if not group:
                del self._groups[client.wanted]

    def publish(self, news: Sequence[News], until: int) -> None:
        """Give every client what it asked for, and note that the log was followed up to `until`."""
        for one in news:
            self._latest[one.event.district] = one.position
        for wanted, group in list(self._groups.items()):
            content = b"".join(one.rendered for one in news if wanted.wants_release(one.event))
            if content:
                self._give(group, message_of(content))
        self.published = until

    def beat(self) -> None:
        """A heartbeat to everyone who has nothing else to send: who is behind is told enough already."""
        for wanted, group in list(self._groups.items()):
            latest = {code: self._latest[code] for code in sorted(self._latest) if wanted.wants_district(code)}
            message = message_of(self._beat(self.published, latest))
            for client in list(group):
                if client.is_idle:
                    client.put(message)

    def end_all(self) -> None:
        """Every stream ends after what it has queued, and so does whoever comes after."""
        self.is_over = True
        for client in self._everyone():
            client.end()

    def _everyone(self) -> Iterable[Client]:
        return [client for group in self._groups.values() for client in group]

    def _give(self, group: dict[Client, None], message: Message) -> None:
        slow: list[Client] = []
        limit = self._queue_limit
        for client in group:
            if len(client.queue) >= limit:
                slow.append(client)
            else:
                client.put(message)
        for client in slow:
            self._drop(client)

    def _drop(self, client: Client) -> None:
        """The client ends with a goodbye if it reads again in time, else without one."""
        self.leave(client)
        self.dropped += 1
        client.is_slow = True
        client.queue.clear()
        client.end()
        if client.task is not None:
            asyncio.get_running_loop().call_later(self._goodbye_seconds, client.task.cancel)
