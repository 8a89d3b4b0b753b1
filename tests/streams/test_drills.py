"""Drills on the real log: what they take in, what their end lifts, and that nothing live ever sees any of it."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.http.problems import install
from adapters.http.public import public_router
from adapters.sending.outbox import Outbox
from domain.callup_events import CallUpEnd, CallUpsEnded
from domain.drills import NOT_RUNNING, RUNNING, DrillError
from domain.event import Event
from domain.events import MessageAccepted, MessageRejected, WarningReleased
from domain.findings import Code
from domain.messages import MessageType, Mode
from domain.notices import NoticesPlanned, NoticesWithdrawn
from domain.policy import Policy
from domain.recipients import ChannelKind
from domain.telling_events import SendingResumed, SendText, TellingPlanned
from projections.callups import waiting_for
from streams.drills import STREAM, Waiting, drills_in, newest_in, start_drill, stop_drill, take_exercise
from streams.intake import Delivery, Outcome, Receipt
from streams.ledger import agency_stream, district_stream
from tests.adapters.sending.house import Town, at, town_in
from tests.streams.called import bureau_in, person
from tests.streams.messages import cap, cn12379

DISTRICTS = ("330604", "330683")
AGENCIES = ("meteorology", "water", "natural-resources")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with town_in(tmp_path / "data") as made:
        yield made


def start(town: Town, title: str = "Autumn drill") -> str:
    return town.platform.runner.act(lambda house, now: start_drill(house, title=title, by="officer 7", now=now)).drill


def exercise(town: Town, content: bytes) -> Receipt:
    delivery = Delivery(content=content, agency=None, source="drill")
    reader = town.platform.reader
    [receipt] = town.platform.runner.act(lambda house, now: take_exercise(house, reader, delivery, now))
    town.pass_on()
    return receipt


def stop(town: Town, waiting: Sequence[Waiting] = ()) -> list[WarningReleased]:
    ended = town.platform.runner.act(
        lambda house, now: stop_drill(house, DISTRICTS, waiting, by="officer 7", reason="all done", now=now)
    )
    town.pass_on()
    return list(ended.releases)


def releases(town: Town, mode: Mode) -> list[WarningReleased]:
    return [event for event in town.events() if isinstance(event, WarningReleased) and event.mode is mode]


def test_two_drills_never_run_together(town: Town) -> None:
    assert start(town) == "drill-20220913-1"
    with pytest.raises(DrillError) as refused:
        start(town, "Another one")
    assert refused.value.code == RUNNING
    stop(town)
    assert start(town) == "drill-20220913-2"
    assert [drill.started.drill for drill in drills_in(town.platform.log)] == ["drill-20220913-2", "drill-20220913-1"]
    assert newest_in(town.platform.log) == town.events()[-1]


@pytest.mark.parametrize(
    "content",
    [cap("d1", status="Exercise"), cap("d1", status="Test"), cn12379("33060041600000_20220913080000", status="Test")],
)
def test_a_drill_takes_in_what_says_itself_that_it_is_an_exercise(town: Town, content: bytes) -> None:
    start(town)
    assert exercise(town, content).outcome is Outcome.ACCEPTED
    [accepted] = [event for event in town.events() if isinstance(event, MessageAccepted)]
    assert accepted.mode is Mode.DRILL


@pytest.mark.parametrize("content", [cap("r1"), cn12379("33060041600000_20220913080000")])
def test_a_live_message_in_a_drill_is_refused_kept_and_never_made_into_an_exercise(town: Town, content: bytes) -> None:
    start(town)
    receipt = exercise(town, content)
    assert (receipt.outcome, [found.code for found in receipt.findings]) == (Outcome.REJECTED, [Code.STATUS])
    assert [event.TOPIC for event in town.events() if isinstance(event, MessageAccepted | MessageRejected)] == [
        "message-rejected"
    ]
    assert town.platform.log.attachment(receipt.raw_sha256) == content


def test_no_exercise_is_taken_in_where_no_drill_runs(town: Town) -> None:
    before = town.platform.log.head()
    with pytest.raises(DrillError) as refused:
        exercise(town, cap("d1", status="Exercise"))
    assert refused.value.code == NOT_RUNNING
    assert town.platform.log.head() == before


def test_the_end_of_a_drill_lifts_everything_in_one_release_of_each_district_and_tells_the_drill_rosters(
    town: Town,
) -> None:
    drill, live = set(town.people(3, mode=Mode.DRILL)), set(town.people(2))
    start(town)
    exercise(town, cap("d1", status="Exercise", level="red"))
    exercise(town, cap("d2", agency="water", status="Exercise", level="red", hazard="11A51"))
    exercise(town, cap("d3", status="Exercise", level="red", codes=("330683",)))
    lifting = stop(town)
    assert [(one.district, one.message_type, one.sections) for one in lifting] == [
        ("330604", MessageType.CANCEL, ()),
        ("330683", MessageType.CANCEL, ()),
    ]
    [plan] = [plan for _, plan in town.plans()][-1:]
    assert plan.message_type is MessageType.CANCEL
    told = town.audience.people_from(town.platform.log.attachment(plan.sends[0].people_sha256) or b"")
    assert set(told) == drill
    assert not set(told) & live
    marks = {language: words.drill_mark for language, words in town.platform.policy.texts.items()}
    assert all(text.subject.startswith(marks[text.language]) for send in plan.sends for text in send.texts)


def test_what_is_live_stands_on_when_a_drill_ends(town: Town) -> None:
    town.deliver(cap("r1", level="red"), minutes=0)
    start(town)
    exercise(town, cap("d1", status="Exercise", level="red"))
    before = town.platform.house.ledger.outlet("330604", Mode.LIVE)
    stop(town)
    assert town.platform.house.ledger.outlet("330604", Mode.LIVE) == before
    assert len(releases(town, Mode.LIVE)) == 1


def test_an_update_that_waits_for_its_alert_stays_silent_after_the_drill(town: Town) -> None:
    start(town)
    exercise(town, cap("u1", kind="Update", status="Exercise", level="red", references=(("lost", -5),)))
    [waiting] = [Waiting(row.owner, row.key) for row in town.platform.runner._deadlines.due(at(60))]
    stop(town, [waiting])
    town.wait_until(60)
    assert releases(town, Mode.DRILL) == []


def test_the_end_of_a_drill_ends_its_call_ups_and_leaves_live_ones_waiting(tmp_path: Path) -> None:
    with bureau_in(tmp_path, [person(1)]) as bureau:
        bureau.roster(person(7, roster="exercise", mode=Mode.DRILL), name="exercise", mode=Mode.DRILL)
        runner = bureau.platform.runner
        runner.act(lambda house, now: start_drill(house, title="Drill", by="officer 7", now=now))
        bureau.deliver("a", 0)
        bureau.deliver("d", 0, status="Exercise")
        assert {(event.mode, notice.number) for event in bureau.events(NoticesPlanned) for notice in event.notices} == {
            (Mode.LIVE, 1),
            (Mode.DRILL, 7),
        }
        runner.act(lambda house, now: stop_drill(house, DISTRICTS, (), by="officer 7", reason="all done", now=now))
        runner.pump()
        ends = [(event.mode, event.reason) for event in bureau.events(CallUpsEnded)]
        assert ends == [(Mode.DRILL, CallUpEnd.STOPPED)]
        assert [(event.mode, event.numbers) for event in bureau.events(NoticesWithdrawn)] == [(Mode.DRILL, (7,))]
        assert [call.number for call in waiting_for(bureau.platform.tables, [1, 7])] == [1]


def test_what_belongs_to_no_drill_is_never_read_as_one(town: Town) -> None:
    town.platform.runner.record(STREAM, SendingResumed(at=town.clock.now(), by="officer 7", reason="misplaced"))
    with pytest.raises(TypeError, match="sending-resumed is none of a drill's"):
        drills_in(town.platform.log)


# --- whatever a drill does, nothing live sees it ----------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One thing that happens. `end` is the number of an earlier message, if it is there and of the same mode."""

    what: Literal["message", "start", "stop", "wait"]
    is_drill: bool = False
    agency: str = "meteorology"
    level: str = "red"
    district: str = "330604"
    cancels: bool = False


HAZARDS = {"meteorology": "11B03", "water": "11A51", "natural-resources": "11B37"}

steps = st.lists(
    st.one_of(
        st.builds(
            Step,
            st.just("message"),
            st.booleans(),
            st.sampled_from(AGENCIES),
            st.sampled_from(["red", "orange", "yellow"]),
            st.sampled_from(DISTRICTS),
            st.booleans(),
        ),
        st.builds(Step, st.sampled_from(["start", "stop", "wait"])),
    ),
    min_size=2,
    max_size=9,
)


class Play:
    """Steps as they happen in a town; what is refused by a rule of drills is left out."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.minute = 0
        self.said: dict[tuple[bool, str], tuple[str, float]] = {}

    def take(self, number: int, step: Step) -> None:
        self.minute += 1
        self.town.wait_until(self.minute)
        is_running = running(self.town)
        match step.what:
            case "start" if not is_running:
                start(self.town)
            case "stop" if is_running:
                stop(self.town)
            case "message":
                self._message(number, step)
            case _:
                pass

    def _message(self, number: int, step: Step) -> None:
        name, key = f"m{number}", (step.is_drill, step.agency)
        before = self.said.get(key) if step.cancels else None
        kind = "Alert" if before is None else "Cancel"
        content = cap(
            name,
            agency=step.agency,
            minutes=self.minute,
            kind=kind,
            status="Exercise" if step.is_drill else "Actual",
            hazard=HAZARDS[step.agency],
            level=step.level,
            codes=(step.district,),
            references=(before,) if before else (),
        )
        self.said[key] = (name, self.minute)
        if step.is_drill and running(self.town):
            exercise(self.town, content)
        else:  # a partner who exercises alone, or a live message
            self.town.deliver(content)


def running(town: Town) -> bool:
    drills = drills_in(town.platform.log)
    return bool(drills) and drills[0].stopped is None


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps)
@example(
    steps=[
        Step("start"),
        Step("message", is_drill=True, agency="water"),
        Step("message", is_drill=True),
        Step("message", level="orange"),
        Step("message", is_drill=True, cancels=True),
        Step("stop"),
        Step("message", is_drill=True, agency="natural-resources"),
        Step("message", cancels=True),
    ]
)
def test_whatever_a_drill_does_nothing_live_ever_sees_it(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder, town_in(Path(folder)) as town:
        live = set(town.people(3, channels=(ChannelKind.SMS, ChannelKind.EMAIL), areas=DISTRICTS))
        drill = set(town.people(3, channels=(ChannelKind.EMAIL, ChannelKind.SMS), areas=DISTRICTS, mode=Mode.DRILL))
        play = Play(town)
        for number, step in enumerate(steps):
            play.take(number, step)
        play.town.wait_until(play.minute + 5)
        _streams_hold_one_mode(town)
        _plans_reach_only_their_own(town, live, drill)
        _letters_go_only_their_own_way(town, live, drill)
        _public_reading_shows_live_alone(town)


def _mode_of(event: Event) -> Mode | None:
    mode: Mode | None = getattr(event, "mode", None)
    return mode


def _streams_hold_one_mode(town: Town) -> None:
    """Every stream of a mode holds that mode alone, and the drill's own stream holds nothing else."""
    own = {
        **{agency_stream(agency, mode): mode for agency in AGENCIES for mode in Mode},
        **{district_stream(district, mode): mode for district in DISTRICTS for mode in Mode},
    }
    for recorded in town.platform.log.read():
        if recorded.stream_id in own:
            assert _mode_of(recorded.event) is own[recorded.stream_id]
        if recorded.stream_id == STREAM:
            assert recorded.event.TOPIC in {"drill-started", "drill-stopped"}


def _plans_reach_only_their_own(town: Town, live: set[int], drill: set[int]) -> None:
    theirs = {Mode.LIVE: live, Mode.DRILL: drill}
    for _, plan in town.plans():
        for digest in _people_of(plan):
            people = set(town.audience.people_from(town.platform.log.attachment(digest) or b""))
            assert people <= theirs[plan.mode]
        for send in plan.sends:
            for text in send.texts:
                assert _is_marked(text, town.platform.policy) == (plan.mode is Mode.DRILL)


def _people_of(plan: TellingPlanned) -> list[str]:
    told = [digest for levels in plan.told.values() for digest in levels.values()]
    return [*told, *(send.people_sha256 for send in plan.sends), *(one.people_sha256 for one in plan.withheld)]


def _is_marked(text: SendText, policy: Policy) -> bool:
    """Whether every form begins and ends with the mark, behind the signature; no form has it where one has not."""
    words = policy.texts[text.language]
    forms = [text.subject, text.body, *(form.removeprefix(words.signature) for form in (text.sms, text.short))]
    found = {
        (form.startswith(words.drill_mark), form.endswith(words.drill_mark), words.drill_mark in form) for form in forms
    }
    assert found in ({(True, True, True)}, {(False, False, False)}), forms
    return found == {(True, True, True)}


def _letters_go_only_their_own_way(town: Town, live: set[int], drill: set[int]) -> None:
    """What a route of a mode is given is of that mode, for people of that mode, in words of that mode."""
    theirs = {Mode.LIVE: live, Mode.DRILL: drill}
    with town.outbox() as outbox:
        _fill(outbox, town)
        for mode in Mode:
            for kind in ChannelKind:
                for lease in outbox.lease(mode, kind, 1_000, town.clock.now()):
                    assert (lease.mode, lease.number in theirs[mode]) == (mode, True)
                    assert _is_marked(lease.text, town.platform.policy) == (mode is Mode.DRILL)


def _fill(outbox: Outbox, town: Town) -> None:
    outbox.follow()
    while outbox.fill(town.audience):
        pass


def _public_reading_shows_live_alone(town: Town) -> None:
    marks = [words.drill_mark for words in town.platform.policy.texts.values()]
    drills = {release.warning_id for release in releases(town, Mode.DRILL)}
    listing, atom, *single = asyncio.run(
        _read(town, ["/v1/warnings", "/v1/feed.atom", *(f"/v1/warnings/{warning_id}" for warning_id in sorted(drills))])
    )
    standing = {
        (district, section.hazard)
        for district in DISTRICTS
        for section in town.platform.house.ledger.outlet(district, Mode.LIVE).released
    }
    shown = {
        (feature["properties"]["code"], section["hazard"]["code"])
        for feature in listing.json()["features"]
        for section in feature["properties"]["sections"]
    }
    assert shown == standing
    for text in (listing.text, atom.text):
        assert not [word for word in (*marks, *drills) if word in text]
    assert {answer.status_code for answer in single} <= {404}


async def _read(town: Town, paths: Sequence[str]) -> list[httpx.Response]:
    app = FastAPI()
    install(app)
    app.include_router(public_router(town.platform))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://outlet.example") as client:
        return [await client.get(path) for path in paths]
