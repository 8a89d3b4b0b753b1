"""A small outlet for the domain's tests: its policy, its places, messages in one line, and its stages in memory.

Nothing here asserts a promise of the domain but one: what `stored` reads back equals what was written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from domain.areas import Area, AreaClaim, Geocode, Point, Resolution
from domain.chains import Arrival, ChainBook, end_wait, receive
from domain.events import (
    EVENT_TYPES,
    ChainWaited,
    ContributionsChanged,
    Event,
    MessageAccepted,
    OutletRevised,
    WaitEnded,
    WarningReleased,
)
from domain.interpretation import Interpretation, interpret
from domain.levels import Level
from domain.messages import AgencyMessage, Info, MessageFormat, MessageType, Mode, Named, Reference, Status
from domain.outlet import Command, End, Lapse, OfDistrict, OutletState, Record, decide, evolve
from domain.policy import Policy, parse_policy
from domain.release import Consider, ReleaseCommand, decide_release
from domain.sections import Section

E = TypeVar("E", bound=Event)

START = datetime(2022, 9, 13, 8, 0, tzinfo=UTC)

WATER, LAND, SKY = "water", "natural-resources", "meteorology"
RAIN, GALE, LANDSLIDE, DEBRIS, FLOOD = "11B03", "11B06", "11D01", "11D02", "11A51"
YUECHENG, TASHAN, FUSHAN, VILLAGE = "330602", "330602001", "330602002", "330602001001"
SHENGZHOU, LUSHAN = "330683", "330683001"

POLICY = """
[outlet]
id = "shaoxing"
names = { zh-CN = "绍兴市应急管理局", en = "Shaoxing Emergency Bureau" }
sender = "outlet@shaoxing.example"
sender_code = "33060000000000"

[[agencies]]
id = "natural-resources"
names = { zh-CN = "绍兴市自然资源和规划局", en = "Natural Resources Bureau" }
short_names = { zh-CN = "市自然资源和规划局" }
senders = ["land@shaoxing.example", "33060*"]
remit = { hazards = ["*"] }

[[agencies]]
id = "meteorology"
names = { zh-CN = "绍兴市气象局", en = "Meteorological Bureau" }
short_names = { zh-CN = "市气象局" }
remit = { hazards = ["*"] }

[[agencies]]
id = "water"
names = { zh-CN = "绍兴市水利局" }
short_names = { zh-CN = "市水利局" }
remit = { hazards = ["*"] }

[[hazards]]
code = "11B03"
names = { zh-CN = "暴雨", en = "Rainstorm" }

[[hazards]]
code = "11B06"
names = { zh-CN = "大风", en = "Gale" }

[[hazards]]
code = "11D01"
names = { zh-CN = "地质灾害", en = "Landslide" }
published_from = "yellow"

[[hazards]]
code = "11D02"
names = { zh-CN = "泥石流", en = "Debris flow" }
merges_into = "11D01"

[[hazards]]
code = "11A51"
names = { zh-CN = "山洪灾害", en = "Flash flood" }
events = ["flash   flood watch"]
default_expiry_hours = 12

[gazetteer]
districts = ["330602", "330683"]

[texts.zh-CN]
headline = "{issuers}{time}发布{hazard}{level}预警"
joint = "{issuers}{time}联合发布{hazard}{level}预警"
lifted = "{outlet}{time}解除{areas}{hazard}{level}预警"
sms = "{headlines}（{areas}）"
separator = "、"
time = "%Y年%m月%d日%H时"
levels = { white = "白色", blue = "蓝色", yellow = "黄色", orange = "橙色", red = "红色" }
signature = "【绍兴应急】"
drill_mark = "【演练】"
nothing_in_force = "无预警"

[texts.en]
headline = "{issuers} issued at {time}: {hazard}, {level}"
joint = "{issuers} jointly issued at {time}: {hazard}, {level}"
lifted = "{outlet} lifted at {time}: {hazard}, {level}"
sms = "{headlines}"
levels = { white = "white", blue = "blue", yellow = "yellow", orange = "orange", red = "red" }
drill_mark = "[DRILL]"
nothing_in_force = "No warning"
"""


def policy_with(extra: str = "", *, replaced: Mapping[str, str] | None = None) -> Policy:
    """The small outlet's policy with tables added behind it and some of its text replaced."""
    text = POLICY
    for old, new in (replaced or {}).items():
        assert old in text
        text = text.replace(old, new)
    return parse_policy(text + extra)


def asking(approvals: str = "red = 1", action: str = "release", seconds: float = 300, wait: float = 30) -> Policy:
    """The policy with approvals asked for."""
    return policy_with(
        f"[release]\ngroup_wait_seconds = {wait}\napproval_deadline_seconds = {seconds}\n"
        f'deadline_action = "{action}"\napprovals = {{ {approvals} }}\n'
    )


AREAS = (
    Area(code=YUECHENG, name="越城区", district=YUECHENG),
    Area(code=TASHAN, name="塔山街道", district=YUECHENG, within=(YUECHENG,)),
    Area(code=FUSHAN, name="府山街道", district=YUECHENG, within=(YUECHENG,)),
    Area(code=VILLAGE, name="塔山村", district=YUECHENG, within=(TASHAN, YUECHENG)),
    Area(code=SHENGZHOU, name="嵊州市", district=SHENGZHOU),
    Area(code=LUSHAN, name="鹿山街道", district=SHENGZHOU, within=(SHENGZHOU,)),
)
BY_CODE = {area.code: area for area in AREAS}


class FakeGazetteer:
    """Two districts with townships and a village; Hangzhou (3301...) lies outside, the rest is unknown."""

    def resolve(self, claim: AreaClaim, *, threshold: float) -> Resolution:
        by_name = {area.name: area for area in AREAS}
        asked = [geocode.value for geocode in claim.geocodes] or list(claim.place_names)
        found: dict[str, Area] = {}
        for word in asked:
            if word == "330600":
                found |= {area.code: area for area in self.districts()}
            area = BY_CODE.get(word) or by_name.get(word)
            if area is not None:
                found[area.code] = area
        missed = [word for word in asked if word not in BY_CODE and word not in by_name and word != "330600"]
        return Resolution(
            areas=tuple(sorted(found.values(), key=lambda area: (len(area.code), area.code))),
            outside=tuple(word for word in missed if word.startswith(("3301", "杭州"))),
            unknown=tuple(word for word in missed if not word.startswith(("3301", "杭州"))),
        )

    def area(self, code: str) -> Area | None:
        return BY_CODE.get(code)

    def districts(self) -> Sequence[Area]:
        return [area for area in AREAS if area.code == area.district]

    def boundary(self, code: str) -> tuple[tuple[Point, ...], ...]:
        return ()

    def geocodes(self, code: str) -> tuple[tuple[str, str], ...]:
        return (("CN-GB2260", code),)


def claim(*codes: str) -> AreaClaim:
    """A claim of coded places."""
    return AreaClaim(geocodes=tuple(Geocode(name="CN-GB2260", value=code) for code in codes))


def info(
    hazard: str = RAIN,
    level: Level | None = Level.YELLOW,
    *codes: str,
    hours: float | None = 24,
    sent: datetime = START,
    language: str = "zh-CN",
    **more: object,
) -> Info:
    """An info about one hazard at one level; in all of Yuecheng where no place is given."""
    fields: dict[str, object] = {
        "language": language,
        "event": hazard,
        "level": level,
        "expires": None if hours is None else sent + timedelta(hours=hours),
        "areas": (claim(*(codes or (YUECHENG,))),),
        "description": f"{hazard} {level.value if level else '?'} {' '.join(codes)} {language}",
    }
    return Info.model_validate({**fields, **more})


def message(
    identifier: str,
    *infos: Info,
    refs: Iterable[str | tuple[str, str]] = (),
    kind: MessageType | None = None,
    minute: float = 0,
    sender: str = "33060041600000",
    **more: object,
) -> AgencyMessage:
    """A message; with references it is an update, and without infos besides a cancel."""
    named = [
        Reference(identifier=ref) if isinstance(ref, str) else Reference(sender=ref[0], identifier=ref[1])
        for ref in refs
    ]
    inferred = MessageType.ALERT if not named else MessageType.UPDATE if infos else MessageType.CANCEL
    fields: dict[str, object] = {
        "format": MessageFormat.CAP,
        "sender": sender,
        "identifier": identifier,
        "sent": START + timedelta(minutes=minute),
        "status": Status.ACTUAL,
        "message_type": kind or inferred,
        "references": tuple(named),
        "infos": infos,
    }
    return AgencyMessage.model_validate({**fields, **more})


def coded(system: str, value: str) -> tuple[Named, ...]:
    """One coded event."""
    return (Named(name=system, value=value),)


def stored(event: Event) -> Event:
    """The event after JSON and back; the promise that this changes nothing is asserted wherever it is used."""
    read = EVENT_TYPES[event.TOPIC].model_validate_json(event.model_dump_json())
    assert read == event
    return read


@dataclass
class World:
    """The stages in memory: a book for each agency and mode, a state for each district and mode, and one log."""

    policy: Policy
    now: datetime = START
    gazetteer: FakeGazetteer = field(default_factory=FakeGazetteer)
    books: dict[tuple[str, Mode], ChainBook] = field(default_factory=dict)
    states: dict[tuple[str, Mode], OutletState] = field(default_factory=dict)
    log: list[Event] = field(default_factory=list)
    waits: list[tuple[str, ChainWaited]] = field(default_factory=list)

    def book(self, agency: str, mode: Mode = Mode.LIVE) -> ChainBook:
        return self.books.setdefault((agency, mode), ChainBook())

    def state(self, district: str = YUECHENG, mode: Mode = Mode.LIVE) -> OutletState:
        return self.states.get((district, mode), OutletState(district=district, mode=mode))

    def sections(self, district: str = YUECHENG, mode: Mode = Mode.LIVE) -> tuple[Section, ...]:
        return self.state(district, mode).sections

    def send(self, agency: str, *messages: AgencyMessage) -> list[Event]:
        """Take messages in and carry them through all stages."""
        events: list[Event] = []
        for one in messages:
            meaning = interpret(one, agency_id=agency, policy=self.policy, gazetteer=self.gazetteer, now=self.now)
            assert not meaning.refused, meaning.findings
            events += self.take(agency, one, meaning)
        return events

    def take(self, agency: str, one: AgencyMessage, meaning: Interpretation) -> list[Event]:
        arrival = Arrival(
            agency=agency,
            mode=one.mode,
            message=one,
            statements=meaning.statements,
            findings=meaning.findings,
            raw_sha256=sha256(one.model_dump_json().encode()).hexdigest(),
        )
        wait_seconds = self.policy.chains.update_without_alert_waits_seconds
        book = self.book(agency, one.mode)
        return self.spread(receive(book, arrival, wait_seconds=wait_seconds, now=self.now))

    def spread(self, events: Sequence[Event]) -> list[Event]:
        """Record an agency's events and bring the districts in line with them."""
        result: list[Event] = []
        for event in events:
            result.append(self.record(event))
            if isinstance(event, ChainWaited):
                self.waits.append((event.agency, event))
            if isinstance(event, ContributionsChanged):
                assert event.entered or event.ended, "a change that changes nothing"
                for contribution in event.entered:
                    result += self.act(Record(contribution), contribution.district, event.mode)
                for ended in event.ended:
                    result += self.act(End(event.chain, ended.reason, event.message), ended.district, event.mode)
        return result

    def record(self, event: Event) -> Event:
        self.log.append(event)
        return event

    def act(
        self,
        command: Command | ReleaseCommand,
        district: str = YUECHENG,
        mode: Mode = Mode.LIVE,
        *,
        release: bool = True,
    ) -> list[Event]:
        """Carry out a command on a district, and what becomes public by it."""
        state = self.state(district, mode)
        if isinstance(command, Command):
            events = self._fold(district, mode, decide(state, command, policy=self.policy, now=self.now))
            return [*events, *(self.act(Consider(), district, mode) if release else [])]
        return self._fold(district, mode, decide_release(state, command, policy=self.policy, now=self.now))

    def _fold(self, district: str, mode: Mode, events: Sequence[Event]) -> list[Event]:
        for event in events:
            self.states[district, mode] = evolve(self.state(district, mode), self.record(event))
        return list(events)

    def wait(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> list[Event]:
        """Let time pass: waits end, what has expired lapses, what is due is released."""
        self.now += timedelta(seconds=seconds, minutes=minutes, hours=hours)
        events: list[Event] = []
        for agency, waited in self.waits:
            book = self.book(agency, waited.mode)
            ended = end_wait(book, agency=agency, mode=waited.mode, chain_name=waited.chain, now=self.now)
            events += self.spread(ended)
        for district, mode in list(self.states):
            events += self.act(Lapse(), district, mode)
        return events

    def replayed(self) -> tuple[dict[tuple[str, Mode], OutletState], dict[tuple[str, Mode], ChainBook]]:
        """States and books folded anew from the JSON of the whole log."""
        again = World(self.policy)
        for event in self.log:
            read = stored(event)
            if isinstance(read, OfDistrict):
                key = (read.district, read.mode)
                again.states[key] = evolve(again.state(*key), read)
            elif isinstance(read, MessageAccepted | ContributionsChanged | ChainWaited | WaitEnded):
                again.book(read.agency, read.mode).apply(read)
        return again.states, again.books


def released(events: Iterable[Event]) -> list[WarningReleased]:
    """The releases among events."""
    return [event for event in events if isinstance(event, WarningReleased)]


def revised(events: Iterable[Event]) -> list[OutletRevised]:
    """The revisions among events."""
    return [event for event in events if isinstance(event, OutletRevised)]


def only(events: Iterable[Event], kind: type[E]) -> E:
    """The one event of this kind."""
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, found
    return found[0]


def public(world: World) -> dict[str, Level]:
    return {section.hazard: section.level for section in world.state().released}


def hazards_of(release: WarningReleased) -> list[str]:
    return [section.hazard for section in release.sections]
