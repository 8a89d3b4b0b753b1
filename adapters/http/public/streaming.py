"""`/v1/stream`: every release as a server-sent event, whose id is its position in the log.

One thread follows the log for all clients. A client that comes back with its last id is first given what it missed,
from the log, and joins the others at the very position where they are: no gap and no repeat, across restarts too.
"""

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from msgspec.json import encode
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Send

from adapters.http.public.hub import Client, Hub, News, message_of
from adapters.http.public.listing import Listing
from adapters.http.public.query import Filter
from adapters.http.public.released import KEPT, Archive
from adapters.http.public.source import Outlet, ReleaseIndex
from adapters.store.errors import EventLogClosedError
from domain.ports import LogUnavailableError

MEDIA_TYPE: Final = "text/event-stream"
PAGE: Final = 100
"""Releases that one client is given at once of what it missed."""

LOOK_SECONDS: Final = 0.5
"""How often the following thread looks whether it is to stop."""


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How streams behave.

    `queue_limit` is how many batches of releases may wait for a client that does not read before it is let go;
    `goodbye_seconds` how long it then has to take its goodbye; `retry_milliseconds` when a browser comes back.
    """

    heartbeat_seconds: float = 15.0
    queue_limit: int = 256
    goodbye_seconds: float = 20.0
    maximum_clients: int = 10_000
    retry_milliseconds: int = 2_000


@dataclass(frozen=True, slots=True)
class Start:
    """Where a stream begins: `after` a position, or None for now; with what is in force first if `with_state`."""

    after: int | None = None
    with_state: bool = False


class Streams:
    """All open streams of a server, and the thread that follows the log for them."""

    def __init__(
        self, outlet: Outlet, index: ReleaseIndex, archive: Archive, listing: Listing, options: StreamOptions
    ) -> None:
        """Nothing runs before the first client."""
        self._outlet = outlet
        self._index = index
        self._archive = archive
        self._listing = listing
        self._options = options
        self._starting = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._beating: asyncio.Task[None] | None = None
        self._is_closed = False
        self._news = lru_cache(maxsize=KEPT)(self._rendered)
        self.open = 0
        self.hub = self._new_hub()

    @property
    def is_full(self) -> bool:
        """Whether as many streams are open as may be: none once the server stops."""
        return self._is_closed or self.open >= self._options.maximum_clients

    @property
    def maximum(self) -> int:
        """How many streams may be open."""
        return self._options.maximum_clients

    async def start(self) -> None:
        """Follow the log, if nobody does yet.

        Raises:
            LogUnavailableError: the log cannot be read now.
        """
        async with self._starting:
            if self._thread is not None and self._thread.is_alive() and not self.hub.is_over:
                return
            self._stop.set()
            position = await run_in_threadpool(self._index.catch_up)
            self._loop = asyncio.get_running_loop()
            self._stop = threading.Event()
            self.hub = self._new_hub()
            self.hub.begin(position, self._index.latest(position))
            arguments = (self.hub, self._loop, self._stop)
            self._thread = threading.Thread(target=self._follow, args=arguments, name="public-stream", daemon=True)
            self._thread.start()
            if self._beating is not None:
                self._beating.cancel()
            self._beating = self._loop.create_task(self._beat(self.hub))

    def close(self) -> None:
        """End every stream, and the thread; may be called from any thread, and twice.

        A server that waits for open answers before it stops must call this first: a stream ends by itself never.
        """
        self._is_closed = True
        self._stop.set()
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has gone before us
                self._loop.call_soon_threadsafe(self._ended, self.hub)

    def reopen(self) -> None:
        """Take clients again: a server has begun."""
        self._is_closed = False

    def _ended(self, hub: Hub) -> None:
        hub.end_all()
        if self._beating is not None:
            self._beating.cancel()
            self._beating = None

    async def serve(self, wanted: Filter, start: Start, receive: Receive, send: Send) -> None:
        """One client's stream, from the first byte to the last."""
        hub, client = self.hub, Client(wanted, send)
        client.task = asyncio.current_task()
        watching = asyncio.ensure_future(_until_gone(receive))
        watching.add_done_callback(lambda _: client.end())
        self.open += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await self._tell(hub, client, start, send)
            await send({"type": "http.response.body", "body": GOODBYE if client.is_slow else b"", "more_body": False})
        except asyncio.CancelledError:
            if not client.is_slow:  # not ours: the server stops, and waits for nobody
                raise
        finally:
            self.open -= 1
            hub.leave(client)
            watching.cancel()

    async def _tell(self, hub: Hub, client: Client, start: Start, send: Send) -> None:
        position = await self._beginning(hub, client, start, send)
        while position < hub.published and not client.ended:
            missed, position = await run_in_threadpool(self._missed, client.wanted, position, hub.published)
            if missed:
                await self._send_soon(client, send, missed)
        # Between this look at the hub's position and joining it nothing else runs on the loop.
        hub.join(client)
        await client.send_all()

    async def _send_soon(self, client: Client, send: Send, content: bytes) -> None:
        """Send before the client has joined, when no full queue would show that it does not read."""
        try:
            async with asyncio.timeout(self._options.goodbye_seconds):
                await send(message_of(content))
        except TimeoutError:
            client.is_slow = True
            raise asyncio.CancelledError from None

    async def _beginning(self, hub: Hub, client: Client, start: Start, send: Send) -> int:
        """Say where the stream begins, and what is in force then if that is asked for; return its position."""
        content = f"retry: {self._options.retry_milliseconds}\n\n".encode()
        if start.after is not None and await self._is_of_this_log(hub, client, start.after):
            await self._send_soon(client, send, content)
            return start.after
        head = hub.published
        if start.after is not None:
            content += _event("reset", {"after": start.after, "position": head})
        if start.with_state or start.after is not None:
            content += await run_in_threadpool(self._state, client.wanted, head)
        await self._send_soon(client, send, content + _event("ready", {"position": head}, head))
        return head

    async def _is_of_this_log(self, hub: Hub, client: Client, position: int) -> bool:
        """Whether the log has come to a position; an id beyond its head was another log's, and says nothing here.

        A client may have its id from another process on the same log, which was a moment faster: it waits for us.
        """
        if position > hub.published and position > await run_in_threadpool(self._index.catch_up):
            return False
        while position > hub.published and not client.ended and not hub.is_over:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # for milliseconds, once in a while: not worth an event in the hub
        return True

    def _missed(self, wanted: Filter, after: int, until: int) -> tuple[bytes, int]:
        """A page of what was released behind a position, and the position it reaches."""
        positions = self._index.between(after, until, districts=wanted.districts, limit=PAGE)
        news = [self._news(position) for position in positions]
        content = b"".join(one.rendered for one in news if wanted.wants_release(one.event))
        return content, positions[-1] if len(positions) == PAGE else until

    def _state(self, wanted: Filter, until: int) -> bytes:
        now = self._outlet.clock.now()
        found = self._listing.in_force(wanted, now, until)
        said = [{"id": release.position, **release.properties(release.sections_at(now))} for release in found]
        return b"".join(_event("state", one) for one in said)

    def _rendered(self, position: int) -> News:
        release = self._archive.at(position)
        said = {"id": position, **release.document()}
        return News(position, release.event, _event("release", said, position))

    def _new_hub(self) -> Hub:
        return Hub(
            queue_limit=self._options.queue_limit, goodbye_seconds=self._options.goodbye_seconds, beat=_heartbeat
        )

    def _follow(self, hub: Hub, loop: asyncio.AbstractEventLoop, stop: threading.Event) -> None:
        """The following thread: whatever ends it also ends the streams, whose clients then come back."""
        seen = hub.published
        try:
            while not stop.is_set():
                try:
                    seen = self._hand_on(hub, loop, seen)
                except EventLogClosedError:
                    return
                except LogUnavailableError:  # busy for now; the clients miss nothing by waiting
                    stop.wait(LOOK_SECONDS)
        except RuntimeError:
            if not loop.is_closed():
                raise
        finally:
            with contextlib.suppress(RuntimeError):  # the loop has gone before us
                loop.call_soon_threadsafe(hub.end_all)

    def _hand_on(self, hub: Hub, loop: asyncio.AbstractEventLoop, seen: int) -> int:
        if not self._outlet.log.wait(after=seen, timeout_seconds=LOOK_SECONDS):
            return seen
        head = self._index.catch_up()
        news = [self._news(position) for position in self._index.between(seen, head)]
        loop.call_soon_threadsafe(hub.publish, news, head)
        return head

    async def _beat(self, hub: Hub) -> None:
        while True:
            await asyncio.sleep(self._options.heartbeat_seconds)
            hub.beat()


_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # A proxy that collects answers before it hands them on would hold warnings back.
    (b"x-accel-buffering", b"no"),
]


def _heartbeat(position: int, latest: Mapping[str, int]) -> bytes:
    """It has no id of its own: it names the ids that a client should have seen, by district."""
    return _event("heartbeat", {"position": position, "latest": latest})


def _event(kind: str, data: dict[str, Any], position: int | None = None) -> bytes:
    """One event; JSON has no line breaks, so its data is one line."""
    name = b"" if position is None else b"id: %d\n" % position
    return name + b"event: " + kind.encode() + b"\ndata: " + encode(data) + b"\n\n"


GOODBYE: Final = _event("dropped", {"reason": "slow", "advice": "connect again with Last-Event-ID"})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
