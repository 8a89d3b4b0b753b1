"""Call-ups (叫应): the stage behind a release, what the clock does, and what people reply.

Every decision is stored together with the messages that follow from it (`call_up_notices.py`): who is asked is recorded
with the notice that asks them, and whoever need not be asked any more has theirs withdrawn in the same commit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from domain import callup
from domain.callup_events import CallUpAnswer, CallUpConfirmed, CallUpEnd, How
from domain.callup_reach import calls_up, reach_of
from domain.callup_state import CallUps, call_up_subject, evolve_all
from domain.event import Event
from domain.events import WarningReleased
from domain.messages import Mode
from domain.ports import RecordedEvent
from domain.recipients import RecipientNumber
from domain.sections import Section
from domain.values import Moment
from streams.callup_notices import plan_notices, withdraw_notices
from streams.house import House


def call_up(house: House, recorded: RecordedEvent, now: Moment) -> None:
    """End the call-ups that a release leaves without a reason, and call up whom it concerns.

    Raises:
        TypeError: the event is none that this stage reads.
    """
    release: Event = recorded.event
    if not isinstance(release, WarningReleased):
        message = f"the call-ups do not read {release.TOPIC}"
        raise TypeError(message)
    definition = house.policy.callup
    calls = definition.roles and any(calls_up(definition, one.hazard, one.level) for one in release.sections)
    if house.audience is None or (release.number == 1 and not calls):
        return
    state = replace(call_ups_of(house, release.mode, release.warning_id), district=release.district)
    if recorded.position <= state.position or not (calls or state.calls):
        return
    house.audience.follow(recorded.position)
    asked = [number for call in state.calls.values() if not call.is_over for number in call.post.numbers]
    reach = reach_of(release.sections, release.changes, house.audience, definition, mode=release.mode, asked=asked)
    ended = callup.end_what_is_over(state, reach, definition, now)
    after = evolve_all(state, ended)
    opened = callup.open_rounds(after, reach.summons, definition, position=recorded.position, now=now)
    _record(house, state, [*ended, *opened], now, release.sections)


def climb_call_ups(house: House, mode: Mode, warning_id: str, now: Moment) -> None:
    """Take the steps of a warning's call-ups that are due, and report on them once that is due."""
    state = call_ups_of(house, mode, warning_id)
    if house.audience is None or not state.calls:
        return
    outlet = house.ledger.outlet(state.district, mode)
    released = outlet.released if outlet.warning_id == warning_id else ()
    standing = [one.hazard for one in released if calls_up(house.policy.callup, one.hazard, one.level)]
    numbers = {number for call in state.calls.values() if not call.is_over for number in call.post.numbers}
    reachable = house.audience.reachable() & house.audience.people_from(house.audience.content_of(numbers))
    duties = {duty.number: duty for duty in house.audience.duties(reachable)}
    events = [*callup.climb(state, duties, standing, now), *callup.make_report(state, now)]
    _record(house, state, events, now, released)


def confirm(
    house: House, mode: Mode, warning_id: str, number: RecipientNumber, how: How, now: Moment, *, by: str = ""
) -> tuple[str, ...]:
    """Somebody confirms; the posts that they did so for, none where all were confirmed before.

    Raises:
        CallUpError: they were not called up, or it is over.
    """
    state = call_ups_of(house, mode, warning_id)
    events = callup.confirm(state, number, how, now, by=by)
    _record(house, state, events, now)
    return tuple(event.post for event in events if isinstance(event, CallUpConfirmed))


def answer(
    house: House,
    mode: Mode,
    warning_id: str,
    number: RecipientNumber,
    answers: Sequence[CallUpAnswer],
    now: Moment,
    *,
    is_report: bool = False,
) -> None:
    """Somebody answers the questions, or those of the report.

    Raises:
        CallUpError: they were not called up, it is over or not over yet, or an answer cannot be taken.
    """
    state = call_ups_of(house, mode, warning_id)
    events = callup.answer(state, number, answers, house.policy.callup, now, is_report=is_report)
    _record(house, state, events, now)


def stop_call_ups(
    house: House, mode: Mode, warning_id: str, now: Moment, reason: CallUpEnd = CallUpEnd.STOPPED
) -> None:
    """Nobody is asked about a warning any more; nothing where nobody is."""
    state = call_ups_of(house, mode, warning_id)
    _record(house, state, callup.stop(state, reason, now), now)


def call_ups_of(house: House, mode: Mode, warning_id: str) -> CallUps:
    """What was called up for a warning."""
    beginning = CallUps(mode=mode, warning_id=warning_id)
    return house.ledger.state_of(call_up_subject(mode, warning_id), beginning, evolve_all)


def what_was_called_up(event: Event) -> Iterator[UUID]:
    """The stream of the call-ups for a release's warning."""
    if isinstance(event, WarningReleased):
        yield call_up_subject(event.mode, event.warning_id)


def _record(
    house: House, before: CallUps, events: Sequence[Event], now: Moment, released: Sequence[Section] = ()
) -> None:
    """Store the decisions and the messages that follow; who is asked something is told of what is `released`."""
    if not events:
        return
    subject = call_up_subject(before.mode, before.warning_id)
    after = house.ledger.add_to_state(subject, before, evolve_all, events)
    withdraw_notices(house, before, after, events, now)
    plan_notices(house, after, events, released, now)
