"""The call-ups (叫应) of one warning in one mode: which posts were called up, who was asked, and what they answered.

State and `evolve` alone; what follows from a release, a reply or the clock is decided in `callup.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import assert_never
from uuid import UUID

from domain.callup_events import (
    CalledHazard,
    CalledPost,
    CallUpAnswered,
    CallUpConfirmed,
    CallUpEnd,
    CallUpsEnded,
    CallUpsOpened,
    CallUpsReported,
    CallUpStep,
    CallUpStepTaken,
)
from domain.event import Event
from domain.levels import Level
from domain.messages import Mode
from domain.outlet import stream_id_of
from domain.recipients import RecipientNumber
from domain.values import Moment


def call_up_subject(mode: Mode, warning_id: str) -> UUID:
    """The stream of a warning's call-ups, and the subject of everything that is sent about them."""
    return stream_id_of("call-up", mode.value, warning_id)


@dataclass(frozen=True, slots=True)
class Call:
    """One post in its newest round. `last_step` is when somebody of it was asked or telephoned last."""

    round: int
    post: CalledPost
    hazards: tuple[CalledHazard, ...]
    opened: Moment
    voice_after_seconds: float
    questions_after_seconds: float | None
    last_step: Moment
    asked: frozenset[RecipientNumber] = frozenset()
    called: frozenset[RecipientNumber] = frozenset()
    confirmed: Moment | None = None
    are_questions_due: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)
    report: Mapping[str, str] = field(default_factory=dict)
    ended: CallUpEnd | None = None

    @property
    def is_over(self) -> bool:
        """Whether it concerns nobody any more. Where every step was taken in vain it still waits for somebody."""
        return self.ended is not None and self.ended is not CallUpEnd.EXHAUSTED

    @property
    def is_waiting(self) -> bool:
        """Whether somebody still has to confirm."""
        return self.confirmed is None and not self.is_over

    @property
    def next_step(self) -> Moment:
        """When the next ones are asked and telephoned unless somebody confirms."""
        return self.last_step + timedelta(seconds=self.voice_after_seconds)

    @property
    def questions_due(self) -> Moment | None:
        """When the questions are due; None where the policy had none."""
        if self.questions_after_seconds is None:
            return None
        return self.opened + timedelta(seconds=self.questions_after_seconds)

    def level_of(self, hazard: str) -> Level | None:
        """The level at which it was called up for a hazard."""
        return next((one.level for one in self.hazards if one.hazard == hazard), None)


@dataclass(frozen=True, slots=True)
class CallUps:
    """Everything called up for one warning. `position` is that of the release that opened the newest round.

    The district is known once somebody was called up, or to who begins with it.
    """

    mode: Mode
    warning_id: str
    district: str = ""
    position: int = 0
    rounds: int = 0
    calls: Mapping[str, Call] = field(default_factory=dict)
    report_due: Moment | None = None

    def of(self, number: RecipientNumber) -> list[Call]:
        """The posts that somebody is one of."""
        return [call for call in self.calls.values() if number in call.post.numbers]


def evolve(state: CallUps, event: Event) -> CallUps:
    """The state after an event of this warning's call-ups; the errors of `evolve_all`."""
    return evolve_all(state, (event,))


def evolve_all(state: CallUps, events: Iterable[Event]) -> CallUps:
    """The state after several events: what thousands of posts came to is not copied for each of them.

    Raises:
        TypeError: an event is none of call-ups.
        ValueError: one belongs to another warning or mode.
    """
    calls = dict(state.calls)
    for event in events:
        if not isinstance(event, OfCallUps):
            raise TypeError(f"{event.TOPIC} belongs to no call-ups")
        if (event.mode, event.warning_id) != (state.mode, state.warning_id):
            raise ValueError(f"{event.TOPIC} of {event.warning_id} is none of {state.warning_id} ({state.mode.value})")
        state = _changed(state, calls, event)
    return replace(state, calls=calls)


OfCallUps = CallUpsOpened | CallUpStepTaken | CallUpConfirmed | CallUpAnswered | CallUpsEnded | CallUpsReported
"""The facts of a warning's call-ups."""


def _changed(state: CallUps, calls: dict[str, Call], event: OfCallUps) -> CallUps:
    match event:
        case CallUpsOpened():
            calls.update({post.post: _opened(event, post) for post in event.posts})
            return replace(state, district=event.district, position=event.position, rounds=event.round, report_due=None)
        case CallUpStepTaken():
            calls[event.post] = _after_step(calls[event.post], event)
        case CallUpConfirmed():
            calls[event.post] = replace(calls[event.post], confirmed=event.at)
        case CallUpAnswered():
            call = calls[event.post]
            answers = {one.question: one.text for one in event.answers}
            calls[event.post] = (
                replace(call, report={**call.report, **answers})
                if event.is_report
                else replace(call, answers={**call.answers, **answers})
            )
        case CallUpsEnded():
            calls.update({post: replace(calls[post], ended=event.reason) for post in event.posts})
            return replace(state, report_due=event.report_due or state.report_due)
        case CallUpsReported():
            return replace(state, report_due=None)
        case _:
            assert_never(event)
    return state


def _opened(event: CallUpsOpened, post: CalledPost) -> Call:
    return Call(
        round=event.round,
        post=post,
        hazards=event.hazards,
        opened=event.at,
        voice_after_seconds=event.voice_after_seconds,
        questions_after_seconds=event.questions_after_seconds,
        last_step=event.at,
    )


def _after_step(call: Call, event: CallUpStepTaken) -> Call:
    match event.step:
        case CallUpStep.ASKED | CallUpStep.NEXT_ASKED:
            return replace(call, asked=call.asked | {event.number}, last_step=event.at)
        case CallUpStep.CALLED:
            return replace(call, called=call.called | {event.number}, last_step=event.at)
        case CallUpStep.QUESTIONS_DUE:
            return replace(call, are_questions_due=True)
        case _:
            assert_never(event.step)
