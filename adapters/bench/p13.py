"""P13: ingest with many contributions in force, beside the same platform with a sixteenth of them.

Both sides are whole platforms: CAP bytes through `submit` in batches, `pump` through merge, release and projections.
The messages are updates that change a level, so that each makes a revision and a release. What is in force before is
decided by the domain's own functions and appended in bulk; nothing of that is measured.
"""

import gc
import json
import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Self

from adapters.bench.row import Row
from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import Platform, build, rare_full_collections
from domain.chains import Arrival, receive
from domain.contributions import Contribution
from domain.event import Event
from domain.events import ContributionRecorded, ContributionsChanged
from domain.interpretation import interpret
from domain.messages import Mode
from domain.outlet import Recompose, decide
from domain.ports import Move
from domain.release import Consider, decide_release
from streams.intake import Delivery, Outcome
from streams.pipeline import STAGES

AGENCIES = 4
HAZARDS = 4
FEW, MANY, DENSE = 4_000, 64_000, 16_000
PER_DISTRICT = AGENCIES * HAZARDS
MESSAGES, DENSE_MESSAGES = 400, 100
BATCH = 25
EVENTS_PER_COMMIT = 12_000

BEGIN = datetime(2031, 3, 4, 8, tzinfo=UTC)
SEVERITIES = ("Moderate", "Severe")

GOAL = 0.9


def measure(rounds: int = 5, directory: Path | None = None) -> list[Row]:
    """Both figures of P13; `directory` should lie on the disk that the platform would use (default: the system's)."""
    few, many = FEW // PER_DISTRICT, MANY // PER_DISTRICT
    wide = _ratios(rounds, directory, districts=(few, many), slots=(1, 1), messages=MESSAGES)
    dense = _ratios(rounds, directory, districts=(few, few), slots=(1, DENSE // FEW), messages=DENSE_MESSAGES)
    beside = f"the same platform with {FEW} contributions in force, messages/s"
    return [
        Row(
            id="P13",
            measure=f"ingest of CAP updates with {MANY} contributions in force, {PER_DISTRICT} in each district",
            beside=beside,
            ratio=median(wide),
            goal=GOAL,
            rounds=tuple(wide),
        ),
        Row(
            id="P13",
            measure=f"the same with {DENSE} contributions in force, {PER_DISTRICT * DENSE // FEW} in each district",
            beside=beside,
            ratio=median(dense),
            goal=0.0,
            rounds=tuple(dense),
            note="dense, shown without a goal: each revision and release states four times as many contributors",
        ),
    ]


def _ratios(
    rounds: int, directory: Path | None, *, districts: tuple[int, int], slots: tuple[int, int], messages: int
) -> list[float]:
    """Rate with many to rate with few, each round both sides in turn on platforms that go on between the rounds."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=directory)))
        stack.enter_context(rare_full_collections())  # as `outlet run` does
        few, many = (
            stack.enter_context(Crowd(folder / name, districts=number, slots=slot))
            for name, number, slot in zip(("few", "many"), districts, slots, strict=True)
        )
        few.seconds_for(messages)  # what is loaded on first use is loaded
        many.seconds_for(messages)
        return [_ratio(few, many, messages) for _ in range(rounds)]


def _ratio(few: "Crowd", many: "Crowd", messages: int) -> float:
    """One round: both sides in turn, batch by batch, so that whatever else the machine does falls on both alike."""
    seconds_few = seconds_many = 0.0
    for turn in range(messages // BATCH):
        if turn % 2:
            seconds_many += many.seconds_for(BATCH)
            seconds_few += few.seconds_for(BATCH)
        else:
            seconds_few += few.seconds_for(BATCH)
            seconds_many += many.seconds_for(BATCH)
    return seconds_few / seconds_many


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain in one district: who says what."""

    district: str
    agency: int
    hazard: int
    slot: int

    @property
    def identifier(self) -> str:
        """Its first message."""
        return f"m-{self.district}-{self.agency}-{self.hazard}-{self.slot}"

    @property
    def sender(self) -> str:
        """The agency's sender."""
        return sender_of(self.agency)

    def cap(self, severity: str, *, at: datetime, number: int = 0, before: str = "") -> bytes:
        """A message of the chain as CAP: its alert, or its update with this number."""
        kind = f"<references>{before}</references>" if before else ""
        name = f"{self.identifier}-{number}" if before else self.identifier
        return (
            '<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
            f"<identifier>{name}</identifier><sender>{self.sender}</sender><sent>{at.isoformat()}</sent>"
            f"<status>Actual</status><msgType>{'Update' if before else 'Alert'}</msgType><scope>Public</scope>{kind}"
            f"<info><language>en</language><category>Met</category><event>H{self.hazard}</event>"
            f"<urgency>Expected</urgency><severity>{severity}</severity><certainty>Likely</certainty>"
            f"<effective>{at.isoformat()}</effective><expires>{(BEGIN + timedelta(days=30)).isoformat()}</expires>"
            f"<senderName>Agency {self.agency}</senderName><headline>Warning of hazard {self.hazard}</headline>"
            "<description>What is expected, where, from when, and how long it will last.</description>"
            "<instruction>What to do.</instruction>"
            f"<area><areaDesc>{self.district}</areaDesc><geocode><valueName>BENCH</valueName>"
            f"<value>{self.district}</value></geocode></area></info></alert>"
        ).encode()


class Crowd:
    """A platform with so many districts, and in each of them AGENCIES × HAZARDS × slots chains in force."""

    def __init__(self, folder: Path, *, districts: int, slots: int) -> None:
        """Fill it."""
        folder.mkdir()
        self._codes = [f"D{number:05d}" for number in range(districts)]
        self._slots = slots
        self._clock = ManualClock(BEGIN)
        self._chance = random.Random(13)  # noqa: S311 -- the same messages in every run
        self._last: dict[str, tuple[str, int]] = {}
        policy = _write_policy(folder, self._codes)
        self._platform = build(Settings(data_dir=folder / "data", policy=str(policy)), clock=self._clock)
        _fill(self._platform, self._codes, slots)

    def __enter__(self) -> Self:
        """The platform, filled."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self._platform.close()

    def seconds_for(self, count: int) -> float:
        """The time to take so many updates in, in batches, each batch through all stages."""
        self._clock.set(self._clock.now() + timedelta(minutes=1))
        messages = [self._update() for _ in range(count)]
        runner = self._platform.runner
        started = time.perf_counter()
        for begin in range(0, count, BATCH):
            receipts = runner.submit(messages[begin : begin + BATCH])
            if any(receipt.outcome is not Outcome.ACCEPTED for receipt in receipts):
                raise AssertionError(receipts)
            runner.pump()
        return time.perf_counter() - started

    def _update(self) -> Delivery:
        """An update of one chain that changes its level."""
        chance = self._chance
        chain = Chain(
            district=chance.choice(self._codes),
            agency=chance.randrange(AGENCIES),
            hazard=chance.randrange(HAZARDS),
            slot=chance.randrange(self._slots),
        )
        first = f"{chain.sender},{chain.identifier},{BEGIN.isoformat()}"
        before, number = self._last.get(chain.identifier, (first, 0))
        # Messages of one round differ in the second that they were sent, as a chain's order needs.
        at = self._clock.now() - timedelta(seconds=59) + timedelta(milliseconds=number)
        number += 1
        content = chain.cap(SEVERITIES[number % 2], at=at, number=number, before=before)
        self._last[chain.identifier] = (first, number)
        return Delivery(content=content, agency=f"agency-{chain.agency}", source="bench")


def _fill(platform: Platform, codes: Sequence[str], slots: int) -> None:
    """What the stages would have recorded, decided by the same functions, but merged once for each district."""
    gc.disable()  # the objects made here stay: looking for garbage among them doubles the time
    house = platform.house
    alerts = [_Alert(platform, agency, hazard) for agency in range(AGENCIES) for hazard in range(HAZARDS)]
    at_once = EVENTS_PER_COMMIT // (3 * PER_DISTRICT * slots)
    for begin in range(0, len(codes), at_once):
        for district in codes[begin : begin + at_once]:
            said = [c for slot in range(slots) for alert in alerts for c in alert.accepted(district, slot)]
            _merged(platform, district, said)
        positions = house.ledger.commit()
        for stage in STAGES:
            platform.log.append((), moves=[Move(stage.name, positions[-1])])
    platform.project()
    gc.enable()


class _Alert:
    """The alert of one agency on one hazard, read once as CAP; every chain's differs in its name and its place."""

    def __init__(self, platform: Platform, agency: int, hazard: int) -> None:
        self._house = platform.house
        self._agency, self._hazard = agency, hazard
        district = platform.gazetteer.districts()[0].code
        (self._message,) = platform.reader.read(Chain(district, agency, hazard, 0).cap(SEVERITIES[0], at=BEGIN))
        meaning = interpret(
            self._message,
            agency_id=f"agency-{agency}",
            policy=self._house.policy,
            gazetteer=self._house.gazetteer,
            now=BEGIN,
        )
        (self._statement,) = meaning.statements

    def accepted(self, district: str, slot: int) -> list[Contribution]:
        """The alert in its agency's stream, and the contributions it makes."""
        chain = Chain(district, self._agency, self._hazard, slot)
        area = self._house.gazetteer.area(district)
        if area is None:
            raise LookupError(district)
        agency = f"agency-{self._agency}"
        arrival = Arrival.model_construct(
            agency=agency,
            mode=Mode.LIVE,
            message=self._message.model_copy(update={"identifier": chain.identifier}),
            statements=(self._statement.model_copy(update={"areas": (area,)}),),
            findings=(),
            raw_sha256=sha256(chain.identifier.encode()).hexdigest(),
        )
        ledger = self._house.ledger
        events = receive(ledger.book(agency, Mode.LIVE), arrival, wait_seconds=0, now=BEGIN)
        ledger.add_to_agency(agency, Mode.LIVE, events)
        return [c for event in events if isinstance(event, ContributionsChanged) for c in event.entered]


def _merged(platform: Platform, district: str, contributions: Sequence[Contribution]) -> None:
    """The district's stream: every contribution, then one revision with its release."""
    ledger, policy = platform.house.ledger, platform.house.policy
    recorded: list[Event] = [
        ContributionRecorded(at=BEGIN, district=district, mode=Mode.LIVE, contribution=one) for one in contributions
    ]
    state = ledger.add_to_district(district, Mode.LIVE, recorded)
    state = ledger.add_to_district(district, Mode.LIVE, decide(state, Recompose(), policy=policy, now=BEGIN))
    ledger.add_to_district(district, Mode.LIVE, decide_release(state, Consider(), policy=policy, now=BEGIN))


def sender_of(agency: int) -> str:
    """The CAP sender of an agency."""
    return f"agency-{agency}@bench.example"


def _write_policy(folder: Path, codes: Sequence[str]) -> Path:
    features = [{"type": "Feature", "properties": {"code": code, "name": code}, "geometry": None} for code in codes]
    (folder / "districts.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    agencies = "".join(
        f'[[agencies]]\nid = "agency-{number}"\nnames = {{ en = "Agency {number}" }}\n'
        f'senders = ["{sender_of(number)}"]\nremit = {{ hazards = ["*"] }}\n'
        for number in range(AGENCIES)
    )
    hazards = "".join(
        f'[[hazards]]\ncode = "H{number}"\nnames = {{ en = "Hazard {number}" }}\n' for number in range(HAZARDS)
    )
    levels = ", ".join(f'{level} = "{level}"' for level in ("white", "blue", "yellow", "orange", "red"))
    path = folder / "bench.toml"
    path.write_text(
        '[outlet]\nid = "bench"\nnames = { en = "Bench" }\nsender = "outlet@bench.example"\nlanguages = ["en"]\n'
        f'timezone = "UTC"\n{agencies}{hazards}'
        f'[gazetteer]\nsource = "districts.geojson"\ndistricts = {json.dumps(list(codes))}\ngeocode_system = "BENCH"\n'
        "[release]\ngroup_wait_seconds = 0\n"
        '[texts.en]\nheadline = "{issuers}: {hazard} {level}"\njoint = "{issuers}: {hazard} {level}"\n'
        'lifted = "{hazard} lifted"\n'
        f'sms = "{{headlines}}"\nlevels = {{ {levels} }}\ndrill_mark = "[DRILL]"\nnothing_in_force = "Nothing"\n'
    )
    return path
