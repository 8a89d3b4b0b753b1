"""P11: a red release overtakes 100,000 yellow messages that wait for a slow channel; and how fast it goes when idle.

A whole platform with people on rosters, its sending worker in threads as `outlet run` has it, and a channel for text
messages that accepts everything, at a limited rate where the yellow ones wait. The time is from the moment at which an
agency's message is durable to the first hand-over of a letter that tells it. Nothing runs beside it: the ratio is of
the time allowed to the time taken.
"""

import asyncio
import math
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from adapters.audience.recipients_codec import pack
from adapters.audience.table import table_of
from adapters.bench.p1 import write_policy
from adapters.bench.p1_messages import AGENCY, DESCRIPTION, INSTRUCTION, SENDER
from adapters.bench.row import Row
from adapters.channels.port import Accepted, DeliveryReceipt, Incoming, Letter, Outcome
from adapters.clocks import SystemClock
from adapters.sending.lane import Route
from adapters.sending.service import sending
from adapters.settings import Settings
from adapters.vault.vault import Contact, ContactVault, Person, vault_in
from adapters.wiring import Platform, build
from domain.levels import Level
from domain.messages import Mode
from domain.outlet import stream_id_of
from domain.recipients import ChannelKind, Recipient
from domain.telling_events import RosterImported
from streams.intake import Delivery

WAITING: Final = 100_000
PER_SECOND: Final = 50.0
IDLE_MESSAGES: Final = 100
ALLOWED_SECONDS: Final = 2.0
ALLOWED_IDLE_SECONDS: Final = 1.0
SECONDS: Final = 120.0

HAZARD: Final = "11B03"
YELLOW_DISTRICT, RED_DISTRICT = "330604", "330683"
_SEVERITIES: Final = {Level.YELLOW: "Moderate", Level.RED: "Extreme"}


def measure(rounds: int = 5, directory: Path | None = None) -> list[Row]:
    """Both figures of P11; `directory` should lie on the disk that the platform would use (default: the system's)."""
    with TemporaryDirectory(dir=directory) as folder:
        behind = _behind_the_yellow(Path(folder) / "waiting", rounds)
        idle = _idle(Path(folder) / "idle", max(1, rounds) * IDLE_MESSAGES // 5)
    ninety_ninth = sorted(idle)[math.ceil(0.99 * len(idle)) - 1]
    return [
        Row(
            id="P11",
            measure=f"a red message's first hand-over while {WAITING:,} yellow messages wait",
            beside=f"{ALLOWED_SECONDS:g} s from its acceptance",
            ratio=ALLOWED_SECONDS / median(behind),
            goal=1.0,
            rounds=tuple(ALLOWED_SECONDS / seconds for seconds in behind),
            note=f"the slowest round took {max(behind):.2f} s",
        ),
        Row(
            id="P11",
            measure="from acceptance to the first hand-over when idle, the 99th of a hundred",
            beside=f"{ALLOWED_IDLE_SECONDS:g} s",
            ratio=ALLOWED_IDLE_SECONDS / ninety_ninth,
            goal=1.0,
            rounds=(ALLOWED_IDLE_SECONDS / ninety_ninth,),
            note=f"{len(idle)} messages, the median took {median(idle):.3f} s",
        ),
    ]


def _behind_the_yellow(folder: Path, rounds: int) -> list[float]:
    """The seconds of each round; the yellow ones go on being handed over all the time."""
    slow = Telephones(ChannelKind.SMS)
    with _outlet(folder, {YELLOW_DISTRICT: WAITING, RED_DISTRICT: 1}) as platform:
        sent = datetime.now(UTC)
        _take_in(platform, _cap("yellow", sent, _info(YELLOW_DISTRICT, Level.YELLOW, sent)))
        with sending(platform, [Route(slow, per_second=PER_SECOND)]):
            slow.wait_for(Level.YELLOW)
            _red(platform, slow, "first")  # what is loaded on first use is loaded
            return [_red(platform, slow, f"red-{number}") for number in range(rounds)]


def _idle(folder: Path, messages: int) -> list[float]:
    with _outlet(folder, {RED_DISTRICT: 1}) as platform:
        telephones = Telephones(ChannelKind.SMS)
        with sending(platform, [Route(telephones)]):
            _red(platform, telephones, "first")  # what is loaded on first use is loaded
            return [_red(platform, telephones, f"red-{number}") for number in range(messages)]


def _red(platform: Platform, telephones: "Telephones", name: str) -> float:
    """The seconds from a red message's acceptance to its first hand-over; it is lifted again afterwards."""
    sent = datetime.now(UTC)
    telephones.forget()
    began = _take_in(platform, _cap(name, sent, _info(RED_DISTRICT, Level.RED, sent)))
    taken = telephones.wait_for(Level.RED) - began
    telephones.forget()
    reference = f"<references>{SENDER},{name},{sent.isoformat()}</references>"
    _take_in(platform, _cap(f"{name}-end", datetime.now(UTC), reference, kind="Cancel"))
    telephones.wait_for(Level.RED)
    return taken


def _take_in(platform: Platform, content: bytes) -> float:
    """Take a message through all stages; when it was accepted."""
    platform.runner.submit([Delivery(content=content, agency=AGENCY, source="bench")])
    accepted = time.perf_counter()
    platform.runner.pump()
    return accepted


class Telephones:
    """Takes every letter, and says when the first of a level was handed over."""

    name = "telephones"
    window = 20

    def __init__(self, kind: ChannelKind) -> None:
        self.kind = kind
        self._first: dict[Level, float] = {}
        self._news = threading.Condition()

    def forget(self) -> None:
        """What was handed over before does not count."""
        with self._news:
            self._first.clear()

    def wait_for(self, level: Level) -> float:
        """When the first letter of this level was handed over.

        Raises:
            TimeoutError: none was.
        """
        with self._news:
            if not self._news.wait_for(lambda: level in self._first, SECONDS):
                raise TimeoutError(f"no {level.value} letter was handed over")
            return self._first[level]

    async def open(self) -> None:
        """Nothing is to be done beforehand."""

    async def send(self, letter: Letter) -> Outcome:
        """Note the time."""
        with self._news:
            self._first.setdefault(letter.level, time.perf_counter())
            self._news.notify_all()
        await asyncio.sleep(0)
        return Accepted(letter.id)

    async def receipts(self) -> AsyncIterator[DeliveryReceipt | Incoming]:
        """Nothing comes back."""
        nothing: tuple[DeliveryReceipt, ...] = ()
        for receipt in nothing:
            yield receipt

    async def close(self) -> None:
        """Nothing is held."""


@contextmanager
def _outlet(folder: Path, people: dict[str, int]) -> Iterator[Platform]:
    """A platform with so many people in each district, and the thread that `outlet run` has for its stages."""
    folder.mkdir()
    settings = Settings(data_dir=folder / "data", policy=str(write_policy(folder)))
    with build(settings, clock=SystemClock()) as platform, vault_in(settings.data_dir) as vault:
        for place, (district, count) in enumerate(people.items()):
            _enter(platform, vault, district, count, place)
        stop = threading.Event()
        running = threading.Thread(target=platform.runner.run, args=(stop,))
        running.start()
        try:
            yield platform
        finally:
            stop.set()
            running.join()


def _enter(platform: Platform, vault: ContactVault, district: str, count: int, place: int) -> None:
    numbers = vault.enter([Person("", (Contact(ChannelKind.SMS, f"+8613{place}{one:08d}"),)) for one in range(count)])
    table = table_of(Mode.LIVE, [_recipient(number, district) for number in numbers])
    packed = pack(table)
    event = RosterImported(
        at=platform.clock.now(),
        roster=district,
        mode=Mode.LIVE,
        version=1,
        recipients_sha256=packed[-1].sha256,
        recipients=count,
        entered=count,
        changed=0,
        left=0,
        source="bench",
    )
    platform.runner.record(stream_id_of("roster", Mode.LIVE.value, district), event, [one.content for one in packed])


def _recipient(number: int, district: str) -> Recipient:
    return Recipient(
        number=number,
        roster=district,
        role="resident",
        language="zh-CN",
        areas=(district,),
        channels=(ChannelKind.SMS,),
    )


def _cap(name: str, sent: datetime, content: str, kind: str = "Alert") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
        f"<identifier>{name}</identifier><sender>{SENDER}</sender><sent>{sent.isoformat()}</sent>"
        f"<status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>{content}</alert>"
    ).encode()


def _info(district: str, level: Level, sent: datetime) -> str:
    return (
        f"<info><language>zh-CN</language><category>Met</category><event>{HAZARD}</event><urgency>Expected</urgency>"
        f"<severity>{_SEVERITIES[level]}</severity><certainty>Likely</certainty>"
        f"<eventCode><valueName>hazard</valueName><value>{HAZARD}</value></eventCode>"
        f"<effective>{sent.isoformat()}</effective><expires>{(sent + timedelta(hours=6)).isoformat()}</expires>"
        f"<headline>{HAZARD}</headline><description>{DESCRIPTION}</description>"
        f"<instruction>{INSTRUCTION}</instruction><area><areaDesc>{district}</areaDesc><geocode>"
        f"<valueName>CN-GB2260</valueName><value>{district}</value></geocode></area></info>"
    )
