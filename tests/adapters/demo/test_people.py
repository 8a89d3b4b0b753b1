"""What the demonstration promises to show of people: who is told, who is not and why, who confirms, who is cleared."""

from collections import defaultdict

from pyroaring import BitMap

from adapters.audience.people import people_from
from adapters.sending.service import SPOOL_FOLDER
from domain.callup_events import CallUpConfirmed, CallUpsOpened, CallUpStep, CallUpStepTaken
from domain.event import Event
from domain.messages import Mode
from domain.recipients import ChannelKind
from domain.routing import Kind, Reason
from domain.telling_events import DeliveriesRecorded, TellingPlanned
from tests.adapters.demo.conftest import Replayed


def events(replayed: Replayed) -> list[Event]:
    return [event for step in replayed.steps for event in step.events]


def plans(replayed: Replayed, mode: Mode) -> list[TellingPlanned]:
    return [event for event in events(replayed) if isinstance(event, TellingPlanned) and event.mode is mode]


def members(replayed: Replayed, digest: str) -> BitMap:
    content = replayed.platform.log.attachment(digest)
    assert content is not None
    return BitMap(people_from(content))


def test_the_all_clear_goes_to_exactly_those_who_were_told(replayed: Replayed) -> None:
    lifted = 0
    for mode in Mode:
        knows: dict[tuple[str, str], BitMap] = defaultdict(BitMap)
        for plan in plans(replayed, mode):
            before = dict(knows)
            cleared: dict[tuple[str, str], BitMap] = defaultdict(BitMap)
            for send in plan.sends:
                for item in send.items:
                    people = members(replayed, send.people_sha256)
                    key = plan.district, item.hazard
                    if item.kind is Kind.LIFTED:
                        cleared[key] |= people
                        assert people <= before[key], "nobody hears the end of what they never heard of"
                    else:
                        knows[key] = knows[key] | people
            for key, people in cleared.items():
                knows[key] = knows[key] - people
                lifted += len(people)
                if key[1] not in plan.told:
                    assert not knows[key], "and everybody who knew hears it"
    assert lifted > 40


def test_every_reason_not_to_tell_that_the_story_comes_to_is_counted(replayed: Replayed) -> None:
    reasons = {one.reason for plan in plans(replayed, Mode.LIVE) for one in plan.withheld}
    assert reasons == {Reason.ALREADY_TOLD, Reason.BELOW_THEIR_LEVEL, Reason.NOT_THEIR_HAZARD}


def test_everything_that_was_planned_became_a_file_or_has_its_reason(replayed: Replayed) -> None:
    recorded = [event for event in events(replayed) if isinstance(event, DeliveriesRecorded)]
    states: dict[tuple[int, int], str] = {}
    for event in recorded:
        for one in event.deliveries:
            states[one.planned, one.number] = one.state
    assert set(states.values()) <= {"accepted", "withdrawn"}
    assert {one.channel for event in recorded for one in event.deliveries} == set(ChannelKind)
    folder = replayed.platform.settings.data_dir / SPOOL_FOLDER
    files = [path for path in folder.rglob("*-*.*") if path.is_file()]
    assert len(files) == sum(state == "accepted" for state in states.values())


def test_a_drill_reaches_the_drill_roster_alone_and_its_files_lie_apart(replayed: Replayed) -> None:
    folder = replayed.platform.settings.data_dir / SPOOL_FOLDER
    live = {path.stem.rpartition("-")[2] for path in folder.glob("*-*.*")}
    drill = {path.stem.rpartition("-")[2] for path in (folder / "drill").glob("*-*.*")}
    assert drill
    assert not live & drill


def test_call_ups_are_confirmed_by_every_way_and_escalate_where_nobody_answers(replayed: Replayed) -> None:
    found = events(replayed)
    assert {event.how for event in found if isinstance(event, CallUpConfirmed)} == {"sms", "link", "officer"}
    steps = {event.step for event in found if isinstance(event, CallUpStepTaken)}
    assert steps == set(CallUpStep)
    opened = [event for event in found if isinstance(event, CallUpsOpened)]
    assert {event.mode for event in opened} == set(Mode)
    for event in found:  # nobody is telephoned who had confirmed in the same round
        if isinstance(event, CallUpStepTaken) and event.step is CallUpStep.CALLED:
            earlier = [one for one in found[: found.index(event)] if isinstance(one, CallUpConfirmed)]
            assert (event.district, event.round, event.post) not in {
                (one.district, one.round, one.post) for one in earlier
            }
