"""The pollers of `outlet run`: one thread with one event loop, in which every feed is looked at at its own pace.

Whatever may wait (the intake, files, the store) is done in other threads. A feed that fails, even by a defect of
ours, takes nothing from the others.
"""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from adapters.net.client import OutboundClient
from adapters.pollers.assembly import Prepared, Source, Surroundings, prepare, source_of
from adapters.pollers.definition import FeedDefinition, FeedKind
from adapters.pollers.looks import FeedCode, FeedError, Look, failed
from adapters.pollers.pacing import pause_seconds
from adapters.pollers.store import FILE_NAME, FeedStore
from adapters.pollers.taking import Intake
from adapters.pollers.watching import Watch
from adapters.wiring import Platform

log = logging.getLogger(__name__)

LOOK_AT_CLOCK_SECONDS: Final = 5.0
"""How often it is seen, between two looks, whether a silence has become an alarm."""

Chance = Callable[[], float]


class Pollers:
    """All feeds. `run` serves them until `stop`."""

    def __init__(
        self,
        platform: Platform,
        prepared: Sequence[Prepared],
        around: Surroundings,
        store: FeedStore,
        *,
        chance: Chance = random.random,
        look_at_clock_seconds: float = LOOK_AT_CLOCK_SECONDS,
    ) -> None:
        """Nothing is looked at yet."""
        self._platform = platform
        self._prepared = prepared
        self._around = around
        self._store = store
        self._chance = chance
        self._look_at_clock_seconds = look_at_clock_seconds
        self._intake = Intake(platform.runner, platform.clock, platform.policy.sha256)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()

    def run(self) -> None:
        """Serve every feed; returns after `stop`."""
        asyncio.run(self._serve_all())

    def wait_until_ready(self) -> None:
        """Return once `stop` can be called."""
        self._ready.wait()

    def stop(self) -> None:
        """End `run`. What is being taken in is finished, requests are broken off."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve_all(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        clients: list[OutboundClient] = []
        tasks: list[asyncio.Task[None]] = []
        try:
            for one in self._prepared:
                client = None if one.definition.kind is FeedKind.FOLDER else one.client(self._around)
                clients += [] if client is None else [client]
                source = source_of(one, client, self._store, self._intake, self._platform.policy)
                watch = Watch(one.definition, self._store, self._platform.log, self._platform.runner.record)
                tasks.append(asyncio.create_task(self._serve(one.definition, source, watch)))
            self._ready.set()
            await self._stop.wait()
        finally:
            self._ready.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for client in clients:
                await client.close()

    async def _serve(self, definition: FeedDefinition, source: Source, watch: Watch) -> None:
        while True:
            look, seconds = await self.look(definition, source)
            await self._noted(definition, partial(watch.looked, look, seconds, self._platform.clock.now()))
            until = time.monotonic() + pause_seconds(
                definition.interval_seconds,
                watch.health.failures_in_a_row,
                wished_seconds=look.retry_after_seconds,
                chance=self._chance(),
            )
            while (left := until - time.monotonic()) > 0:
                await asyncio.sleep(min(left, self._look_at_clock_seconds))
                await self._noted(definition, lambda: watch.listened(self._platform.clock.now()))

    async def look(self, definition: FeedDefinition, source: Source) -> tuple[Look, float]:
        """One look, and how many seconds it took. Raises nothing: what goes wrong is a failed look."""
        began = time.monotonic()
        outcome = await _outcome_of(source.look())
        seconds = time.monotonic() - began
        match outcome:
            case Look():
                return outcome, seconds
            case FeedError():
                log.info("feed %s: %s", definition.id, outcome)
                return failed(outcome), seconds
            case _:
                log.error("a defect in the look at feed %s", definition.id, exc_info=outcome)
                sentence = f"a defect of this outlet: {type(outcome).__name__}: {outcome}"
                return failed(FeedError(FeedCode.OUTLET, sentence)), seconds

    async def _noted(self, definition: FeedDefinition, note: Callable[[], None]) -> None:
        outcome = await _outcome_of(asyncio.to_thread(note))
        if isinstance(outcome, BaseException):
            log.error("the figures of feed %s could not be kept", definition.id, exc_info=outcome)


async def _outcome_of(work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 -- whatever the work gives
    """What the work returns, or the error that it ends in; cancelling this cancels the work."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
    return task.exception() or task.result()


@contextmanager
def pollers(platform: Platform, feeds: Sequence[FeedDefinition], around: Surroundings) -> Iterator[None]:
    """All feeds are looked at while this is entered.

    Raises:
        ConnectionsError: they cannot be used as they are described; nothing has been started.
    """
    prepared = prepare(feeds, around)
    if not prepared:
        yield
        return
    with FeedStore(platform.settings.data_dir / FILE_NAME) as store:
        working = Pollers(platform, prepared, around, store)
        # A daemon: a process that ends without leaving this loses nothing that was acknowledged.
        thread = threading.Thread(target=working.run, name="pollers", daemon=True)
        thread.start()
        try:
            working.wait_until_ready()
            yield
        finally:
            working.stop()
            thread.join()
