"""A small outlet with people on a roster, its real log, audience, vault and outbox, and channels that can be led.

Nothing here asserts anything.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from adapters.audience.index import RosterAudience
from adapters.audience.recipients_codec import pack
from adapters.audience.table import table_of
from adapters.channels.port import Accepted, DeliveryReceipt, Incoming, Letter, Outcome
from adapters.clocks import ManualClock
from adapters.links import links_in
from adapters.sending.lane import Pace, Route
from adapters.sending.outbox import Outbox
from adapters.sending.tables import outbox_engine_of
from adapters.sending.worker import SendingWorker
from adapters.settings import Settings
from adapters.vault.vault import Contact, Person, vault_of
from adapters.wiring import build
from domain.event import Event
from domain.events import WarningReleased
from domain.messages import Mode
from domain.outlet import stream_id_of
from domain.ports import Clock
from domain.recipients import ChannelKind, Recipient
from domain.telling_events import (
    DeliveriesRecorded,
    DeliveryRecorded,
    RosterImported,
    SendingResumed,
    SendingStopped,
    TellingPlanned,
)
from streams.dispatch import plan_telling
from streams.intake import Delivery
from tests.streams.messages import START, at

QUICK = Pace(
    alive_seconds=1.0,
    beat_seconds=0.2,
    look_seconds=0.02,
    stop_grace_seconds=0.3,
    close_seconds=2.0,
    first_wait_seconds=0.05,
    longest_wait_seconds=0.2,
    longest_down_seconds=0.2,
)
LIMIT_SECONDS = 30.0

Answer = Callable[[Letter], Outcome]


def accept(letter: Letter) -> Outcome:
    """Takes everything."""
    return Accepted(f"ref-{letter.id}")


@dataclass
class Desk:
    """A channel that keeps what it was given; `answer` decides, and `gate` can keep it waiting."""

    name: str = "desk"
    kind: ChannelKind = ChannelKind.SMS
    window: int = 20
    answer: Answer = accept
    seconds: float = 0.0
    given: list[Letter] = field(default_factory=list)
    began: list[float] = field(default_factory=list)
    back: "asyncio.Queue[DeliveryReceipt | Incoming | None] | None" = None
    loop: asyncio.AbstractEventLoop | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    most_under_way: int = 0

    async def open(self) -> None:
        self.back, self.loop = asyncio.Queue(), asyncio.get_running_loop()
        self.opened.set()

    async def send(self, letter: Letter) -> Outcome:
        self.began.append(time.monotonic())
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.under_way -= 1
        outcome = self.answer(letter)
        if isinstance(outcome, Accepted):
            self.given.append(letter)
        return outcome

    async def receipts(self) -> AsyncIterator[DeliveryReceipt | Incoming]:
        await self.opened.wait()
        assert self.back is not None
        while (came := await self.back.get()) is not None:
            yield came

    async def close(self) -> None:
        if self.back is not None:
            self.back.put_nowait(None)

    def bring(self, *came: DeliveryReceipt | Incoming) -> None:
        """Have these come back, from any thread."""
        assert self.loop is not None
        assert self.back is not None
        for one in came:
            self.loop.call_soon_threadsafe(self.back.put_nowait, one)

    def texts(self) -> list[str]:
        return [letter.text.subject for letter in self.given]


class Town:
    """The outlet, in a database if one is given. Its clock is set by hand unless another is given."""

    def __init__(self, folder: Path, clock: Clock | None = None, url: str | None = None) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=folder, policy="shaoxing", database_url=url)
        self.clock = clock or ManualClock(START)
        self.platform = build(self.settings, clock=self.clock)
        self.vault = vault_of(self.settings)
        audience = self.platform.house.audience
        assert isinstance(audience, RosterAudience)
        self.audience = audience
        self.links = links_in(folder, "https://outlet.example")
        self._planned = 0
        self._rosters = 0

    def people(
        self,
        count: int,
        *,
        channels: Sequence[ChannelKind] = (ChannelKind.SMS,),
        areas: Sequence[str] = ("330604",),
        mode: Mode = Mode.LIVE,
        language: str = "zh-CN",
        address: Callable[[int], str] | None = None,
    ) -> list[int]:
        """So many people on a new roster; their numbers."""
        self._rosters += 1
        own = self._rosters * 1_000_000

        def of(kind: ChannelKind, place: int) -> str:
            if address is not None:
                return address(place)
            phone = f"+86138{own + place:08d}"
            return f"p{own + place}@people.example" if kind is ChannelKind.EMAIL else phone

        persons = [Person("", tuple(Contact(kind, of(kind, place)) for kind in channels)) for place in range(count)]
        numbers = self.vault.enter(persons)
        roster = f"roster-{self._rosters}"
        entered = [
            Recipient(
                number=number,
                roster=roster,
                mode=mode,
                role="resident",
                language=language,
                areas=tuple(areas),
                channels=tuple(channels),
            )
            for number in numbers
        ]
        packed = pack(table_of(mode, entered))
        event = RosterImported(
            at=self.clock.now(),
            roster=roster,
            mode=mode,
            version=1,
            recipients_sha256=packed[-1].sha256,
            recipients=count,
            entered=count,
            changed=0,
            left=0,
            source="test",
        )
        stream = stream_id_of("roster", mode.value, roster)
        self.platform.runner.record(stream, event, [one.content for one in packed])
        return numbers

    def deliver(self, content: bytes, *, minutes: float | None = None) -> None:
        """One message, taken through all stages; whoever is concerned is planned for."""
        if minutes is not None and isinstance(self.clock, ManualClock):
            self.platform.advance(at(minutes))
        self.platform.runner.submit([Delivery(content=content, agency=None, source="test")])
        self.pass_on()

    def wait_until(self, minutes: float) -> None:
        """Let the clock run to this minute."""
        self.platform.advance(at(minutes))
        self.pass_on()

    def pass_on(self) -> None:
        """The stages, and after them the one that plans: until it is one of the others."""
        self.platform.runner.pump()
        house = self.platform.house
        if any(event.TOPIC == TellingPlanned.TOPIC for event in self.events(after=self._planned)):
            self._planned = self.platform.log.head()
            return
        topics = frozenset({WarningReleased.TOPIC})
        for recorded in list(self.platform.log.read(after=self._planned, topics=topics)):
            house.ledger.refresh()
            plan_telling(house, recorded, self.clock.now())
            house.ledger.commit()
        self._planned = self.platform.log.head()

    def events(self, after: int = 0) -> list[Event]:
        return [recorded.event for recorded in self.platform.log.read(after=after)]

    def plans(self) -> list[tuple[int, TellingPlanned]]:
        return [(r.position, r.event) for r in self.platform.log.read() if isinstance(r.event, TellingPlanned)]

    def outcomes(self) -> list[DeliveryRecorded]:
        return [one for event in self.events() if isinstance(event, DeliveriesRecorded) for one in event.deliveries]

    def stop(self) -> None:
        event = SendingStopped(at=self.clock.now(), by="duty officer", reason="a wrong text")
        self.platform.runner.record(stream_id_of("sending"), event)

    def resume(self) -> None:
        event = SendingResumed(at=self.clock.now(), by="duty officer", reason="mended")
        self.platform.runner.record(stream_id_of("sending"), event)

    def outbox(self, url: str | None = None) -> Outbox:
        """One more; `url` is another way to the same database."""

        def place(code: str) -> str:
            area = self.platform.gazetteer.area(code)
            return area.name if area else ""

        engine = outbox_engine_of(replace(self.settings, database_url=url) if url else self.settings)
        return Outbox(engine, self.platform.log, self.platform.policy, place, self.links)

    @contextmanager
    def worker(self, *routes: Desk | Route, pace: Pace = QUICK) -> Iterator[SendingWorker]:
        with (
            self.outbox() as outbox,
            SendingWorker(
                outbox=outbox,
                events=self.platform.log,
                addresses=self.vault,
                preferences=self.audience,
                routes=[one if isinstance(one, Route) else Route(one) for one in routes],
                clock=self.clock,
                pace=pace,
            ) as worker,
        ):
            yield worker

    def close(self) -> None:
        self.vault.close()
        self.platform.close()


@contextmanager
def town_in(folder: Path, clock: Clock | None = None, url: str | None = None) -> Iterator[Town]:
    town = Town(folder, clock, url)
    try:
        yield town
    finally:
        town.close()


def until(holds: Callable[[], bool], seconds: float = LIMIT_SECONDS, look_seconds: float = 0.01) -> None:
    """Wait until something holds; the limit is far beyond what it takes."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        pause.wait(look_seconds)


def later(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


__all__ = ("START", "Desk", "Town", "at", "datetime", "later", "town_in", "until")
