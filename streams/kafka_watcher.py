"""The watcher: one faust agent that counts what came from each agency, in a windowed table. It decides nothing.

It is an app of its own, in a process of its own: a table brings a changelog, recovery and another way of assigning
partitions, and no warning may wait for any of them. Drills have a topic that is not read here.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import faust

from domain.arrivals import WINDOW_SECONDS, Arrived, Window, together
from domain.messages import Mode
from streams.kafka_arrivals import arrival_in, counted, window_in
from streams.kafka_boundary import WorkerHealth
from streams.kafka_brokers import Brokers
from streams.kafka_topics import WINDOWS, WINDOWS_KEPT_SECONDS, Subject, TopicNames
from streams.kafka_worker import add_watch, app_of, consumed_in, raw_topic
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

SETTLE_SECONDS: Final = 0.5
"""How often what was counted is acknowledged, when Kafka has confirmed what the counts have become."""


class _Table(faust.Table):  # type: ignore[misc]
    """A table that remembers what is on its way to its changelog: faust acknowledges without waiting for that."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 -- as faust declares it
        super().__init__(*arguments, **options)
        self.sent: list[asyncio.Future[Any]] = []

    def send_changelog(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 -- see above
        future = super().send_changelog(*arguments, **options)
        self.sent.append(future)
        return future


class Watcher:
    """Counts in the partitions that are its share of `events`; several watchers divide them among themselves."""

    def __init__(
        self,
        brokers: Brokers,
        names: TopicNames,
        folder: Path,
        *,
        on_stall: Callable[[], None],
        stall_seconds: float = 60.0,
    ) -> None:
        """Nothing is connected yet. `on_stall` is called when records wait and none is counted."""
        self.health = WorkerHealth()
        self.unreadable = 0
        self.app: Any = app_of(brokers, names.watchers, folder, store="memory://", Table=_Table)
        self._source = names.of(Subject.EVENTS, Mode.LIVE)
        self._table: Any = None
        self._windows: Any = None
        self._unsettled: list[Any] = []
        self._assigned: frozenset[int] = frozenset()
        self._add_table()
        self._add_agent()
        own = frozenset({names.changelog_of_windows})
        add_watch(self.app, self.health, on_stall, stall_seconds=stall_seconds, own=own)

    @property
    def is_ready(self) -> bool:
        """Whether it counts: it has joined its group, and has read its table back."""
        return self.health.is_consuming and not self.app.in_recovery

    def windows(self) -> list[Window]:
        """What is counted, of the partitions that are this watcher's. Callable from any thread."""
        # Copied at one stroke: the event loop's thread goes on counting.
        items = list(self._table.data.data.items())
        return together(window_in(value) for ((_, partition), _), value in items if partition in self._assigned)

    def _add_table(self) -> None:
        self._windows = self.app.Table(WINDOWS, default=dict).tumbling(WINDOW_SECONDS, expires=WINDOWS_KEPT_SECONDS)
        self._table = self._windows.table

    def _add_agent(self) -> None:
        @self.app.agent(raw_topic(self.app, self._source), name=WINDOWS)  # type: ignore[untyped-decorator]
        async def count(stream: Any) -> None:  # noqa: ANN401
            by_hand = stream.noack()
            async for event in by_hand.events():
                self._count(event)
                self._unsettled.append((by_hand, event))

        @self.app.timer(SETTLE_SECONDS)  # type: ignore[untyped-decorator]
        async def settle() -> None:
            await self._settle()

    def _count(self, event: Any) -> None:  # noqa: ANN401
        consumed = consumed_in(event.message)
        arrived = attempt(lambda: arrival_in(consumed))
        if isinstance(arrived, Failed):
            # Not parked: the relay made it from the log, where the read side counts it.
            self.unreadable += 1
            log.error("the record %s cannot be counted: %s", consumed.place, arrived.error)
        elif arrived is not None:
            # By partition too: what is nobody's comes in all of them, and each is in the order of the log by itself.
            windows = self._windows[arrived.agency, consumed.partition]
            place = self._place(arrived)
            windows[place] = counted(windows[place], arrived)

    def _place(self, arrived: Arrived) -> Any:  # noqa: ANN401
        """The window by the event's own time, for Kafka's is when the relay produced it."""
        return self._table.window.current(arrived.at.timestamp())

    async def _settle(self) -> None:
        """Acknowledge what was counted, once the counts are in the changelog; what is not may be delivered again."""
        self._assigned = frozenset(one.partition for one in self.app.consumer.assignment() if one.topic == self._source)
        unsettled, self._unsettled = self._unsettled, []
        sent, self._table.sent = self._table.sent, []
        await asyncio.gather(*sent)
        for stream, event in unsettled:
            # What was counted before partitions were divided anew is read back from the changelog, or comes again.
            if event.message.generation_id == self.app.consumer_generation_id:
                await stream.ack(event)
                self.health.done[event.message.topic, event.message.partition] = event.message.offset + 1
        self.health.records[WINDOWS] += len(unsettled)
