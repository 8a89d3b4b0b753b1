"""A made-up city's warnings, for figures and for tests: random messages, and the events that the domain makes of them.

Nothing here decides anything: every event comes from the domain's own `receive`, `decide` and `decide_release`.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from domain.areas import Area, AreaClaim, Geocode
from domain.chains import Arrival, ChainBook, end_wait, receive
from domain.contributions import Statement, Wording
from domain.event import Event
from domain.events import ContributionsChanged, EventParked, MessageRejected
from domain.findings import Code, refusal
from domain.levels import Level
from domain.messages import AgencyMessage, Info, MessageFormat, MessageType, Mode, Reference, Status
from domain.outlet import Command, End, Lapse, OutletState, Record, SettleConflict, decide, evolve, stream_id_of
from domain.policy import Policy
from domain.ports import NewEvent
from domain.release import Approve, Consider, Refuse, ReleaseCommand, ReleaseError, decide_release

BEGIN = datetime(2026, 7, 1, 0, 0, tzinfo=UTC)
AGENCIES = ("meteo", "water", "geology", "transport", "urban", "forestry")
HAZARDS = ("rainstorm", "flood", "landslide", "wind", "waterlogging")
TEXT = (
    "预计未来六小时，城区及西部山区累计雨量可达一百毫米，请注意防范山洪、滑坡和城市内涝，低洼地区人员应及时转移。" * 2
)
ENGLISH = (
    "Up to 100 mm of rain are expected within six hours; beware of flash floods, landslides and flooded underpasses."
)

_WORDS = {
    "headline": "{issuers} {time} {hazard} {level}",
    "joint": "{issuers} {time} joint {hazard} {level}",
    "lifted": "{outlet} {time} {hazard} lifted",
    "sms": "{headlines} {areas}",
    "levels": {level.value: level.value for level in Level},
    "drill_mark": "[DRILL]",
    "nothing_in_force": "Nothing is in force.",
}


def made_up_policy(districts: Sequence[str], **release: object) -> Policy:
    """A policy of six agencies and five hazards; a red needs an approval."""
    return Policy.model_validate(
        {
            "outlet": {
                "id": "outlet",
                "names": {"zh-CN": "市预警中心", "en": "Outlet"},
                "sender": "outlet@example.org",
            },
            "agencies": [
                {"id": name, "names": {"zh-CN": f"市{name}局", "en": f"{name} bureau"}, "remit": {"hazards": ["*"]}}
                for name in AGENCIES
            ],
            "hazards": [{"code": name, "names": {"zh-CN": f"灾种{name}", "en": name}} for name in HAZARDS],
            "gazetteer": {"districts": list(districts)},
            "release": {"approvals": {"red": 1}, "group_wait_seconds": 30, **release},
            "texts": {"zh-CN": _WORDS, "en": _WORDS},
        }
    )


@dataclass(slots=True)
class City:
    """The city's state, and everything that happened so far, in order, in `events`."""

    random: Random
    districts: Sequence[str] = ("110101", "110102", "110105")
    pauses_seconds: Sequence[int] = (0, 1, 20, 60, 300)
    now: datetime = BEGIN
    events: list[NewEvent] = field(default_factory=list)
    policy: Policy = field(init=False)
    _books: dict[tuple[str, Mode], ChainBook] = field(default_factory=dict)
    _outlets: dict[tuple[str, Mode], OutletState] = field(default_factory=dict)
    _versions: dict[UUID, int] = field(default_factory=dict)
    _open: list[Arrival] = field(default_factory=list)
    _waits: list[tuple[str, Mode, str]] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        self.policy = made_up_policy(self.districts)

    def outlet(self, district: str, mode: Mode = Mode.LIVE) -> OutletState:
        """A district's state now."""
        return self._outlets.get((district, mode)) or OutletState(district, mode)

    def step(self) -> None:
        """Let some time pass and something happen."""
        self.now += timedelta(seconds=self.random.choice(self.pauses_seconds))
        chance = self.random.random()
        if chance < 0.45 or not self._open:  # noqa: PLR2004 -- a mixture, made up like the rest
            self.arrive(self._message(MessageType.ALERT, ()))
        elif chance < 0.72:  # noqa: PLR2004
            self._follow(MessageType.UPDATE)
        elif chance < 0.86:  # noqa: PLR2004
            self._follow(MessageType.CANCEL)
        elif chance < 0.90:  # noqa: PLR2004
            self._repeat()
        elif chance < 0.93:  # noqa: PLR2004
            self._refuse_or_park()
        else:
            self._people()
        if self.random.random() < 0.1:  # noqa: PLR2004
            self.clock()

    def arrive(self, arrival: Arrival) -> None:
        """A message comes in and is followed to its releases."""
        book = self._books.setdefault((arrival.agency, arrival.mode), ChainBook())
        self._agency_events(arrival.agency, arrival.mode, receive(book, arrival, wait_seconds=120, now=self.now))
        if arrival.message.message_type is not MessageType.CANCEL:
            self._open = [*self._open[-200:], arrival]

    def clock(self) -> None:
        """What has fallen due happens."""
        for agency, mode, chain in self._waits:
            book = self._books[agency, mode]
            self._agency_events(agency, mode, end_wait(book, agency=agency, mode=mode, chain_name=chain, now=self.now))
        self._waits = self._waits[-20:]
        for district, mode in list(self._outlets):
            self.command(district, mode, Lapse())

    def command(self, district: str, mode: Mode, command: Command) -> None:
        """A district decides, and considers what becomes public."""
        self._district_events(
            district, mode, decide(self.outlet(district, mode), command, policy=self.policy, now=self.now)
        )
        self.release(district, mode, Consider())

    def release(self, district: str, mode: Mode, command: ReleaseCommand) -> None:
        """A person decides, or the clock does."""
        outlet = self.outlet(district, mode)
        with suppress(ReleaseError):  # what a person wanted to decide about has gone in the meantime
            self._district_events(district, mode, decide_release(outlet, command, policy=self.policy, now=self.now))

    def _follow(self, kind: MessageType) -> None:
        first = self.random.choice(self._open)
        reference = Reference(identifier=first.message.identifier, sender=first.message.sender, sent=first.message.sent)
        if self.random.random() < 0.05:  # noqa: PLR2004 -- its alert has not come
            reference = Reference(identifier=f"late-{self._count}", sender=first.message.sender)
        if kind is MessageType.CANCEL:
            self._open.remove(first)
        self.arrive(self._message(kind, (reference,), of=first))

    def _repeat(self) -> None:
        arrival = self.random.choice(self._open)
        if self.random.random() < 0.3:  # noqa: PLR2004
            arrival = arrival.model_copy(update={"raw_sha256": f"{self.random.getrandbits(256):064x}"})
        self.arrive(arrival)

    def _refuse_or_park(self) -> None:
        agency = self.random.choice(AGENCIES)
        if self.random.random() < 0.7:  # noqa: PLR2004
            found = refusal(Code.REMIT_HAZARD, "/alert/info[1]/event", f"agency {agency} may not warn of this hazard")
            digest = f"{self.random.getrandbits(256):064x}"
            rejected = MessageRejected(
                at=self.now, agency=agency, source="http", findings=(found,), raw_sha256=digest, raw_size=4000
            )
            self._append(stream_id_of("agency", agency), rejected)
        else:
            parked = EventParked(
                at=self.now,
                stage="merge",
                position=max(len(self.events), 1),
                topic="t",
                reason="internal",
                detail="made up",
            )
            self._append(stream_id_of("park"), parked)

    def _people(self) -> None:
        """Somebody settles a conflict, or approves or refuses what is held."""
        for (district, mode), outlet in list(self._outlets.items()):
            for hazard in list(outlet.holds)[:1]:
                refuse = self.random.random() < 0.2  # noqa: PLR2004
                self.release(district, mode, Refuse(hazard, "wang", "测试") if refuse else Approve(hazard, "li"))
                return
            for section in outlet.sections:
                if section.conflict is not None and section.conflict.is_open:
                    self.command(district, mode, SettleConflict(section.hazard, "zhang", "以气象局为准"))
                    return

    def _message(self, kind: MessageType, references: tuple[Reference, ...], *, of: Arrival | None = None) -> Arrival:
        self._count += 1
        agency = of.agency if of else self.random.choice(AGENCIES)
        mode = of.mode if of else Mode.DRILL if self.random.random() < 0.1 else Mode.LIVE  # noqa: PLR2004
        hazard = of.statements[0].hazard if of and of.statements else self.random.choice(HAZARDS)
        level = self.random.choices(list(Level), (1, 8, 6, 3, 1))[0]
        sent = self.now.replace(microsecond=0) - timedelta(seconds=self.random.choice((0, 5, 600)))
        statement = self._statement(agency, hazard, level, sent)
        cancelled = kind is MessageType.CANCEL
        areas = [Geocode(name="CN-GB2260", value=area.code) for area in statement.areas]
        words = [(w.language, w.headline, w.description) for w in statement.wordings]
        infos = tuple(
            Info(
                language=language,
                event=hazard,
                categories=("Met",),
                severity=level.cap_severity,
                effective=sent,
                expires=statement.expires,
                headline=headline,
                description=description,
                areas=(AreaClaim(description="areas", geocodes=tuple(areas)),),
            )
            for language, headline, description in words
        )
        message = AgencyMessage(
            format=MessageFormat.CAP,
            sender=f"{agency}@example.org",
            identifier=f"{agency}-{self._count}",
            sent=sent,
            status=Status.ACTUAL if mode is Mode.LIVE else Status.EXERCISE,
            message_type=kind,
            references=references,
            infos=() if cancelled else infos,
        )
        digest = f"{self.random.getrandbits(256):064x}"
        statements = () if cancelled else (statement,)
        return Arrival(agency=agency, mode=mode, message=message, statements=statements, findings=(), raw_sha256=digest)

    def _statement(self, agency: str, hazard: str, level: Level, sent: datetime) -> Statement:
        areas: list[Area] = []
        for district in self.random.sample(
            list(self.districts), min(len(self.districts), self.random.choice((1, 1, 2)))
        ):
            whole = Area(code=district, name=f"区{district}", district=district)
            towns = [
                Area(code=f"{district}{n:03d}", name=f"街道{n}", district=district, within=(district,))
                for n in range(1, 9)
            ]
            areas += [whole] if self.random.random() < 0.5 else self.random.sample(towns, 3)  # noqa: PLR2004
        headline = f"{agency}发布{hazard}{level.value}预警信号"
        return Statement(
            hazard=hazard,
            level=level,
            areas=tuple(areas),
            effective=sent,
            expires=None
            if self.random.random() < 0.03  # noqa: PLR2004
            else sent + timedelta(minutes=self.random.choice((11, 60, 360))),
            wordings=(
                Wording(language="zh-CN", station=agency, headline=headline, description=TEXT, instruction=TEXT[:60]),
                Wording(language="en", station=agency, headline=f"{hazard} {level.value}", description=ENGLISH),
            ),
        )

    def _agency_events(self, agency: str, mode: Mode, events: Sequence[Event]) -> None:
        stream = stream_id_of("agency", agency, mode.value)
        for event in events:
            self._append(stream, event)
            if event.TOPIC == "chain-waited":
                self._waits.append((agency, mode, event.chain))  # type: ignore[attr-defined]
        for event in events:
            if isinstance(event, ContributionsChanged):
                for contribution in event.entered:
                    self.command(contribution.district, mode, Record(contribution))
                for gone in event.ended:
                    self.command(gone.district, mode, End(event.chain, gone.reason, event.message))

    def _district_events(self, district: str, mode: Mode, events: Sequence[Event]) -> None:
        for event in events:
            self._outlets[district, mode] = evolve(self.outlet(district, mode), event)
            self._append(stream_id_of("district", mode.value, district), event)

    def _append(self, stream: UUID, event: Event) -> None:
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        self.events.append(NewEvent(stream_id=stream, version=version, event=event))
