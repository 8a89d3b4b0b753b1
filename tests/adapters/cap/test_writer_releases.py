"""Releases to write: a small outlet, and whatever the real decisions make of random contributions to it.

Used by the tests of both writers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from domain.areas import Area, AreaClaim, Point, Resolution
from domain.contributions import Contribution, MessageKey, Statement, Wording
from domain.events import EndReason, WarningReleased
from domain.hazards import HazardDefinition
from domain.levels import Level
from domain.messages import Mode
from domain.outlet import Command, End, Lapse, OutletState, Record, decide, evolve
from domain.policy import (
    AgencyDefinition,
    GazetteerDefinition,
    OutletDefinition,
    Policy,
    ReleaseDefinition,
    TextDefinition,
)
from domain.release import Consider, decide_release
from domain.remit import Remit

DISTRICT = "330604"
START = datetime(2030, 6, 7, 0, 9, 10, 500_000, tzinfo=UTC)
BEIJING = timezone(timedelta(hours=8))
SENDER_CODE = "33060000000000"

PLACES = {
    "330604": ("样例区", ()),
    "330604001": ("东街道", ("330604",)),
    "330604002": ("西街道", ("330604",)),
    "330604002201": ("西村", ("330604002", "330604")),
}
AREAS = {code: Area(code=code, name=name, district=DISTRICT, within=within) for code, (name, within) in PLACES.items()}


class SmallGazetteer:
    """Knows one district; every place in it but the village has a square for a boundary."""

    def resolve(self, claim: AreaClaim, *, threshold: float) -> Resolution:
        found = [AREAS[code] for geocode in claim.geocodes for code in AREAS if code.ljust(12, "0") == geocode.value]
        return Resolution(areas=tuple(found))

    def area(self, code: str) -> Area | None:
        return AREAS.get(code)

    def districts(self) -> Sequence[Area]:
        return [AREAS[DISTRICT]]

    def boundary(self, code: str) -> tuple[tuple[Point, ...], ...]:
        if len(code) > 9:
            return ()
        south, west = 30.0 + int(code[6:] or 0) / 100, 120.0
        north, east = south + 0.0123456, west + 0.005
        return (((south, west), (south, east), (north, east), (north, west), (south, west)),)

    def geocodes(self, code: str) -> tuple[tuple[str, str], ...]:
        return (("CN-GB2260", code),)


def _agency(id_: str, chinese: str, english: str) -> AgencyDefinition:
    return AgencyDefinition(
        id=id_,
        names={"zh-CN": chinese, "en": english},
        remit=Remit(hazards=("*",)),
    )


def _texts(**given: str) -> TextDefinition:
    levels = dict(zip(Level, given.pop("levels").split(), strict=True))
    return TextDefinition(levels=levels, **given)


def small_policy(*, sender_code: str = SENDER_CODE, timezone_name: str = "Asia/Shanghai") -> Policy:
    """Three agencies, three hazards of which one has no national code, two languages, no grouping."""
    return Policy(
        outlet=OutletDefinition(
            id="sample",
            names={"zh-CN": "样例市应急管理局", "en": "Sample Emergency Bureau"},
            sender="outlet@sample.example",
            sender_code=sender_code,
            timezone=timezone_name,
            web="https://outlet.example/",
        ),
        agencies=(
            _agency("water", "样例市水利局", "Sample Water Bureau"),
            _agency("natural-resources", "样例市自然资源和规划局", "Sample Planning Bureau"),
            _agency("meteorology", "样例市气象局", "Sample Weather Bureau"),
        ),
        hazards=(
            HazardDefinition(code="11B03", names={"zh-CN": "暴雨", "en": "Rainstorm"}),
            HazardDefinition(code="11A51", names={"zh-CN": "山洪灾害", "en": "Flash flood"}, category="Geo"),
            HazardDefinition(code="landslide", names={"zh-CN": "地质灾害", "en": "Landslide"}, category="Soil"),
        ),
        gazetteer=GazetteerDefinition(districts=(DISTRICT,)),
        release=ReleaseDefinition(group_wait_seconds=0),
        texts={
            "zh-CN": _texts(
                headline="{issuers}{time}发布{hazard}{level}预警",
                joint="{issuers}{time}联合发布{hazard}{level}预警",
                lifted="{outlet}{time}解除{hazard}{level}预警",
                sms="{headlines}",
                separator="、",
                time="%Y年%m月%d日%H时",
                levels="白色 蓝色 黄色 橙色 红色",
                signature="【样例市】",
                drill_mark="【演练】",
                nothing_in_force="无预警",
            ),
            "en": _texts(
                headline="{issuers} issued at {time}: {hazard}, {level}",
                joint="{issuers} jointly issued at {time}: {hazard}, {level}",
                lifted="{outlet} lifted at {time}: {hazard}, {level}",
                sms="{headlines}",
                levels="white blue yellow orange red",
                drill_mark="[DRILL]",
                nothing_in_force="No warning",
            ),
        },
    )


@dataclass(frozen=True)
class Step:
    """A command to the district and how many seconds after the step before it comes."""

    command: Command
    after_seconds: float


def releases_of(policy: Policy, steps: Sequence[Step], mode: Mode = Mode.LIVE) -> list[WarningReleased]:
    """What the real decisions release, the clock's lapses first, as the stages do."""
    state, now = OutletState(district=DISTRICT, mode=mode), START
    releases: list[WarningReleased] = []
    for step in steps:
        now += timedelta(seconds=step.after_seconds)
        for command in (Lapse(), step.command):
            for fact in decide(state, command, policy=policy, now=now):
                state = evolve(state, fact)
        for event in decide_release(state, Consider(), policy=policy, now=now):
            state = evolve(state, event)
            if isinstance(event, WarningReleased):
                releases.append(event)
    return releases


def statement(hazard: str, level: Level, *codes: str, text: str = "请注意防范。", hours: float | None = 6) -> Statement:
    """One hazard over these places from the start on, in Chinese words alone; listed when `hours` is None."""
    return Statement(
        hazard=hazard,
        level=level,
        areas=tuple(AREAS[code] for code in codes or (DISTRICT,)),
        effective=START.astimezone(BEIJING),
        expires=None if hours is None else START + timedelta(hours=hours),
        wordings=(Wording(language="zh-CN", station="样例台", description=text, instruction="远离河道。"),),
    )


def says(agency: str, *statements: Statement, chain: str = "1", sent: datetime = START) -> Record:
    """A chain of this agency says this now."""
    return Record(
        Contribution(
            chain=f"{agency},{chain}",
            agency=agency,
            district=DISTRICT,
            message=MessageKey(sender=f"{agency}@sample.example", identifier=chain, sent=sent),
            statements=statements,
        )
    )


AGENCIES = ("water", "natural-resources", "meteorology")
_ZONES = st.sampled_from((UTC, BEIJING, timezone(timedelta(hours=-4))))
_WORDINGS = st.builds(
    Wording,
    language=st.sampled_from(("zh-CN", "zh", "en", "en-US")),
    station=st.text(max_size=5),
    headline=st.text(max_size=20),
    description=st.text(max_size=60),
    instruction=st.text(max_size=20),
)


@st.composite
def _statements(draw: st.DrawFn) -> Statement:
    codes = draw(st.sets(st.sampled_from(sorted(AREAS)), min_size=1))
    zone = draw(_ZONES)
    ends = draw(st.none() | st.floats(0.1, 20_000))
    return Statement(
        hazard=draw(st.sampled_from(("11B03", "11A51", "landslide"))),
        level=draw(st.sampled_from(Level)),
        areas=tuple(AREAS[code] for code in sorted(codes)),
        effective=(START + timedelta(seconds=draw(st.floats(-9_000, 9_000)))).astimezone(zone),
        expires=None if ends is None else (START + timedelta(seconds=ends)).astimezone(zone),
        urgency=draw(st.sampled_from(("Immediate", "Expected", "Unknown", "Soon"))),
        certainty=draw(st.sampled_from(("Observed", "Likely", "Unknown", "Very Likely"))),
        wordings=tuple(draw(st.lists(_WORDINGS, min_size=1, max_size=2))),
    )


@st.composite
def _records(draw: st.DrawFn) -> Command:
    found = tuple(draw(st.lists(_statements(), min_size=1, max_size=2)))
    return says(draw(st.sampled_from(AGENCIES)), *found, chain=draw(st.sampled_from("12")))


_ENDS = st.builds(
    lambda agency, chain: End(f"{agency},{chain}", EndReason.CANCELLED),
    st.sampled_from(AGENCIES),
    st.sampled_from("12"),
)
STEPS = st.lists(
    st.builds(Step, st.one_of(_records(), _records(), _ENDS, st.just(Lapse())), st.floats(0, 6_000)),
    min_size=1,
    max_size=6,
)
MODES = st.sampled_from(Mode)


def alert_update_update_cancel(policy: Policy, mode: Mode = Mode.LIVE) -> list[WarningReleased]:
    """A rainstorm, then a flash flood beside it, then the rainstorm lifted, then all of it."""
    steps = (
        Step(says("meteorology", statement("11B03", Level.ORANGE)), 0),
        Step(says("water", statement("11A51", Level.RED, "330604001", "330604002201")), 60.25),
        Step(End("meteorology,1", EndReason.CANCELLED), 60.25),
        Step(End("water,1", EndReason.CANCELLED), 60.25),
    )
    return releases_of(policy, steps, mode)


def test_the_plain_chain_is_an_alert_two_updates_and_a_cancel() -> None:
    kinds = [release.message_type.value for release in alert_update_update_cancel(small_policy())]
    assert kinds == ["Alert", "Update", "Update", "Cancel"]
