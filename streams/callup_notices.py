"""The messages that call-ups (叫应) come to: planned for whoever is to be reached, withdrawn for whoever is done.

One stream for a warning's notices, in which no state is folded: the outbox follows the log.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import Final

from domain.callup_events import CallUpConfirmed, CallUpEnd, CallUpsEnded, CallUpStep, CallUpStepTaken
from domain.callup_state import Call, CallUps, call_up_subject
from domain.callup_texts import call_up_text
from domain.event import Event
from domain.notices import Notice, NoticesPlanned, NoticesWithdrawn, Purpose
from domain.outlet import stream_id_of
from domain.recipients import ChannelKind, Duty, RecipientNumber
from domain.sections import Section
from domain.telling_events import SendText
from domain.values import Language, Moment
from streams.house import House

NOTICES_AT_ONCE: Final = 500
"""In one event, each with its text: the events of thousands of people stay of a size that every reader takes."""

WITHOUT_AN_END: Final = timedelta(hours=6)
"""How long somebody is asked about a hazard of which nobody knows when it ends."""

_LEAVES_NOTICES: Final = frozenset({CallUpEnd.EXHAUSTED})
"""Whoever was asked in vain may still confirm."""


def withdraw_notices(house: House, before: CallUps, after: CallUps, events: Sequence[Event], now: Moment) -> None:
    """Withdraw the notices of who was asked for posts that are done, and is asked for no other one that waits."""
    waiting = {number for call in after.calls.values() if call.is_waiting for number in call.asked}
    numbers: dict[str, set[RecipientNumber]] = {}
    for event in events:
        match event:
            case CallUpConfirmed(post=post):
                numbers.setdefault("confirmed", set()).update(before.calls[post].asked)
            case CallUpsEnded(posts=posts, reason=reason) if reason not in _LEAVES_NOTICES:
                for post in posts:
                    if before.calls[post].is_waiting:
                        numbers.setdefault(reason.value, set()).update(before.calls[post].asked)
            case _:
                pass
    for why, asked in numbers.items():
        if needless := tuple(sorted(asked - waiting)):
            event = NoticesWithdrawn(
                at=now,
                mode=after.mode,
                purpose=Purpose.CALL_UP,
                subject=call_up_subject(after.mode, after.warning_id),
                numbers=needless,
                reason=why,
            )
            _add(house, after, event)


def plan_notices(
    house: House, state: CallUps, events: Sequence[Event], released: Sequence[Section], now: Moment
) -> None:
    """Plan a notice for each step, in events by round: what a round asks about has one level and one end."""
    steps = [event for event in events if isinstance(event, CallUpStepTaken) and event.number]
    if not steps or house.audience is None:
        return
    duties = {duty.number: duty for duty in house.audience.duties({step.number for step in steps})}
    text_of = _texts(house, state, released, now)
    by_round: dict[int, list[Notice]] = {}
    for step in steps:
        duty = duties[step.number]
        text = text_of(state.calls[step.post], step.step, duty.language)
        notice = Notice(number=step.number, channels=_channels(duty, step.step), text=text)
        by_round.setdefault(step.round, []).append(notice)
    calls = {step.round: state.calls[step.post] for step in steps}
    for round_, notices in by_round.items():
        for start in range(0, len(notices), NOTICES_AT_ONCE):
            event = NoticesPlanned(
                at=now,
                mode=state.mode,
                purpose=Purpose.CALL_UP,
                subject=call_up_subject(state.mode, state.warning_id),
                level=max(one.level for one in calls[round_].hazards),
                notices=tuple(notices[start : start + NOTICES_AT_ONCE]),
                expires=_end(calls[round_], released, now),
                warning_id=state.warning_id,
            )
            _add(house, state, event)


def _add(house: House, state: CallUps, event: Event) -> None:
    """Append to the warning's notices. No state is made of them; their version is kept, since they are long to read."""
    stream = stream_id_of("notices", state.mode.value, state.warning_id)
    house.ledger.add_to_state(stream, None, _nothing, [event])


def _nothing(state: None, events: Iterable[Event]) -> None:
    deque(events, maxlen=0)
    return state


def _texts(
    house: House, state: CallUps, released: Sequence[Section], now: Moment
) -> Callable[[Call, CallUpStep, Language], SendText]:
    """Gives the words for a step in a language; each is made once for all who hear the same."""
    place = house.gazetteer.area(state.district)
    made: dict[tuple[int, CallUpStep, Language], SendText] = {}

    def text_of(call: Call, step: CallUpStep, language: Language) -> SendText:
        key = call.round, step, language
        if key not in made:
            made[key] = call_up_text(
                house.policy,
                language,
                released,
                hazards={one.hazard for one in call.hazards},
                step=step,
                mode=state.mode,
                place=place.name if place else "",
                at=now,
            )
        return made[key]

    return text_of


def _channels(duty: Duty, step: CallUpStep) -> tuple[ChannelKind, ...]:
    """Nobody's telephone rings at the first asking, unless there is no other way."""
    if step is CallUpStep.CALLED:
        return (ChannelKind.VOICE,)
    return tuple(kind for kind in duty.channels if kind is not ChannelKind.VOICE) or duty.channels


def _end(call: Call, sections: Collection[Section], now: Moment) -> Moment:
    """When the highest of a round's hazards ends."""
    levels = {one.hazard: one.level for one in call.hazards}
    standing = [section for section in sections if section.hazard in levels]
    highest = max(standing, key=lambda section: levels[section.hazard], default=None)
    if highest is None or highest.expires is None:
        return now + WITHOUT_AN_END
    return highest.expires
