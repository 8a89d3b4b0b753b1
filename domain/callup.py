"""Call-ups (叫应): who has to confirm a release, the ladder that is climbed while they do not, and how it ends.

Pure: state, and what is known of the release and the people, in; events out. The state is in `callup_state.py`, whom a
release concerns in `callup_reach.py`, the words in `callup_texts.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from statistics import median
from typing import Final

from domain.callup_events import (
    CalledHazard,
    CallUpAnswer,
    CallUpAnswered,
    CallUpConfirmed,
    CallUpEnd,
    CallUpsEnded,
    CallUpsOpened,
    CallUpsReported,
    CallUpStep,
    CallUpStepTaken,
    How,
)
from domain.callup_policy import CallUpDefinition
from domain.callup_reach import Reach, Summons
from domain.callup_state import Call, CallUps
from domain.event import Event
from domain.recipients import ChannelKind, Duty, RecipientNumber
from domain.values import Moment

LONGEST_ANSWER: Final = 500
"""Characters of one answer."""

_HAVE_A_TELEPHONE: Final = frozenset({ChannelKind.SMS, ChannelKind.VOICE})
"""The vault keeps a voice contact for every telephone, so whoever gets short messages can be telephoned."""


class CallUpCode(StrEnum):
    """Why a reply to a call-up is refused. Stable."""

    UNKNOWN = "unknown-call-up"  # the warning has called nobody up
    NOT_CALLED = "not-called-up"  # they are of no post that was
    OVER = "call-up-over"  # nobody is asked any more
    NOT_OVER = "call-up-not-over"  # a report is given after the lifting
    UNKNOWN_QUESTION = "unknown-question"
    QUESTION_TWICE = "question-twice"
    NO_ANSWER = "no-answer"  # empty
    TOO_LONG = "answer-too-long"
    NO_NAME = "no-name"  # an officer records a confirmation under their name


class CallUpError(Exception):
    """A reply that does not fit: a stable code and a sentence."""

    def __init__(self, code: CallUpCode, sentence: str) -> None:
        """Keep the code for programs."""
        self.code = code
        self.sentence = sentence
        super().__init__(sentence)


# --- a release ------------------------------------------------------------------------------------------------


def end_what_is_over(state: CallUps, reach: Reach, definition: CallUpDefinition, now: Moment) -> list[Event]:
    """The call-ups whose hazards stand nowhere any more where the post's people are, or only too low."""
    standing = [call for call in state.calls.values() if not call.is_over]
    over = [(call, reason) for call in standing if (reason := _why_over(call, reach)) is not None]
    return _ends(state, over, now, definition)


def _why_over(call: Call, reach: Reach) -> CallUpEnd | None:
    """Who has left the rosters meanwhile is nowhere: their post goes by where its others are, or by the content."""
    hazards = {one.hazard for one in call.hazards}
    people = [number for number in call.post.numbers if number in reach.known]
    if not people:
        standing = hazards & reach.standing.keys()
        if any(reach.standing[hazard] for hazard in standing):
            return None
        return CallUpEnd.LOWERED if standing else CallUpEnd.LIFTED
    if any(hazards & reach.calling.get(number, {}).keys() for number in people):
        return None
    lower = any(hazards & reach.touching.get(number, frozenset()) for number in people)
    return CallUpEnd.LOWERED if lower else CallUpEnd.LIFTED


def open_rounds(
    state: CallUps, summons: Sequence[Summons], definition: CallUpDefinition, *, position: int, now: Moment
) -> list[Event]:
    """A round for each set of posts that are asked about the same: what begins, rises, or is new to them.

    A post in it that was asked before is asked again, confirmed or not: the call-up it had has ended.
    """
    asked = [one for one in summons if _must_be_asked(state.calls.get(one.post.post), one)]
    before = [state.calls[one.post.post] for one in asked if one.post.post in state.calls]
    events = _ends(state, [(call, CallUpEnd.RAISED) for call in before if not call.is_over], now)
    by_hazards: dict[tuple[CalledHazard, ...], list[Summons]] = {}
    for one in asked:
        by_hazards.setdefault(one.hazards, []).append(one)
    for round_, (hazards, group) in enumerate(by_hazards.items(), state.rounds + 1):
        opened = CallUpsOpened(
            at=now,
            district=state.district,
            mode=state.mode,
            warning_id=state.warning_id,
            position=position,
            round=round_,
            hazards=hazards,
            posts=tuple(one.post for one in group),
            voice_after_seconds=definition.voice_after_seconds,
            questions_after_seconds=definition.questions_after_seconds if definition.questions else None,
        )
        due = now + timedelta(seconds=definition.voice_after_seconds)
        first = [(one.post.post, one.post.numbers[0]) for one in group]
        events += [opened, *(_step(state, round_, post, CallUpStep.ASKED, n, now, due) for post, n in first)]
    return events


def _must_be_asked(call: Call | None, summons: Summons) -> bool:
    """What stays as it was asked about is silent; a level that rises again after it fell is asked about again."""
    if call is None or call.is_over or summons.has_risen:
        return True
    levels = [(call.level_of(one.hazard), one.level) for one in summons.hazards]
    return any(was is None or was < level for was, level in levels)


# --- the clock ------------------------------------------------------------------------------------------------


def climb(state: CallUps, duties: Mapping[RecipientNumber, Duty], standing: Iterable[str], now: Moment) -> list[Event]:
    """The steps that are due. Who is in no roster any more is neither asked nor telephoned.

    `duties` are those of the posts' people who can still be reached; `standing` are the hazards that are released at
    a level that calls up: what has just been lifted, and not been ended yet, is left to its end.
    """
    released = set(standing)
    steps: list[Event] = []
    exhausted: list[tuple[Call, CallUpEnd]] = []
    for call in state.calls.values():
        if call.is_over or not any(one.hazard in released for one in call.hazards):
            continue
        rungs = _rungs(state, call, duties, now)
        due = call.questions_due
        asks = due is not None and due <= now and not call.are_questions_due
        steps += rungs
        if asks:
            steps.append(_step(state, call.round, call.post.post, CallUpStep.QUESTIONS_DUE, 0, now, None))
        no_more = not rungs and call.next_step <= now and (due is None or asks or call.are_questions_due)
        if call.is_waiting and call.ended is None and no_more:
            exhausted.append((call, CallUpEnd.EXHAUSTED))
    return [*steps, *_ends(state, exhausted, now)]


def _rungs(state: CallUps, call: Call, duties: Mapping[RecipientNumber, Duty], now: Moment) -> list[Event]:
    """Nobody has confirmed since the last step: who was asked is telephoned, and the next one of the post is asked."""
    if not call.is_waiting or call.ended is not None or now < call.next_step:
        return []
    present = [number for number in call.post.numbers if number in duties]
    telephoned = [n for n in present if n in call.asked - call.called and can_be_telephoned(duties[n])]
    following = [number for number in present if number not in call.asked][:1]
    due = now + timedelta(seconds=call.voice_after_seconds)
    taken = [(CallUpStep.CALLED, number) for number in telephoned]
    taken += [(CallUpStep.NEXT_ASKED, number) for number in following]
    return [_step(state, call.round, call.post.post, step, number, now, due) for step, number in taken]


def can_be_telephoned(duty: Duty) -> bool:
    """Whether somebody has a telephone."""
    return not _HAVE_A_TELEPHONE.isdisjoint(duty.channels)


def make_report(state: CallUps, now: Moment) -> list[Event]:
    """The report, once its time after the lifting has come; each post counts by its newest round."""
    if state.report_due is None or now < state.report_due:
        return []
    calls = state.calls.values()
    seconds = [(call.confirmed - call.opened).total_seconds() for call in calls if call.confirmed is not None]
    return [
        CallUpsReported(
            at=now,
            district=state.district,
            mode=state.mode,
            warning_id=state.warning_id,
            rounds=state.rounds,
            posts=len(calls),
            confirmed=len(seconds),
            reported=sum(bool(call.report) for call in calls),
            median_seconds=median(seconds) if seconds else None,
            longest_seconds=max(seconds, default=None),
            unconfirmed=tuple(sorted(call.post.post for call in calls if call.confirmed is None)),
        )
    ]


# --- replies --------------------------------------------------------------------------------------------------


def confirm(state: CallUps, number: RecipientNumber, how: How, now: Moment, *, by: str = "") -> list[Event]:
    """Somebody confirms for every post of theirs that waits; nothing where all of them stand confirmed.

    Whoever is of a post may answer for it, asked already or not.

    Raises:
        CallUpError: they were not called up, it is over, or the officer who heard it gives no name.
    """
    if how == "officer" and not by.strip():
        raise CallUpError(CallUpCode.NO_NAME, "who heard the confirmation must give their name")
    own = _calls_of(state, number)
    if all(call.is_over for call in own) and any(call.confirmed is None for call in own):
        raise CallUpError(CallUpCode.OVER, "this call-up is over; nothing is to be confirmed any more")
    return [_confirmed(state, call, number, how, now, by) for call in own if call.is_waiting]


def answer(
    state: CallUps,
    number: RecipientNumber,
    answers: Sequence[CallUpAnswer],
    definition: CallUpDefinition,
    now: Moment,
    *,
    is_report: bool = False,
) -> list[Event]:
    """Somebody answers the questions, which they do on their page alone, or those of the report after the lifting.

    Whoever answers the questions has confirmed as well. The same answers again are nothing new; others take their
    place.

    Raises:
        CallUpError: they were not called up, it is over or not over yet, or an answer cannot be taken.
    """
    own = _calls_of(state, number)
    _must_be_answers(answers, definition, is_report=is_report)
    lifted = {CallUpEnd.LIFTED, CallUpEnd.LOWERED}
    open_ = [call for call in own if (call.ended in lifted if is_report else not call.is_over)]
    if not open_ and is_report:
        raise CallUpError(CallUpCode.NOT_OVER, "the report is given once the warning has been lifted")
    if not open_:
        raise CallUpError(CallUpCode.OVER, "this call-up is over; its questions are answered no more")
    events: list[Event] = []
    for call in open_:
        if not is_report and call.confirmed is None:
            events.append(_confirmed(state, call, number, "link", now, ""))
        said = call.report if is_report else call.answers
        if any(said.get(one.question) != one.text for one in answers):
            events.append(
                CallUpAnswered(
                    at=now,
                    district=state.district,
                    mode=state.mode,
                    warning_id=state.warning_id,
                    round=call.round,
                    post=call.post.post,
                    number=number,
                    answers=tuple(answers),
                    is_report=is_report,
                )
            )
    return events


def _must_be_answers(answers: Sequence[CallUpAnswer], definition: CallUpDefinition, *, is_report: bool) -> None:
    asked = {one.id for one in (definition.report_questions if is_report else definition.questions)}
    questions = [one.question for one in answers]
    for one in answers:
        if one.question not in asked:
            raise CallUpError(CallUpCode.UNKNOWN_QUESTION, f"there is no question {one.question!r}")
        if questions.count(one.question) > 1:
            raise CallUpError(CallUpCode.QUESTION_TWICE, f"the question {one.question!r} is answered twice")
        if not one.text.strip():
            raise CallUpError(CallUpCode.NO_ANSWER, f"the answer to {one.question!r} is empty")
        if len(one.text) > LONGEST_ANSWER:
            raise CallUpError(CallUpCode.TOO_LONG, f"an answer has at most {LONGEST_ANSWER} characters")
    if not answers:
        raise CallUpError(CallUpCode.NO_ANSWER, "nothing was answered")


def _calls_of(state: CallUps, number: RecipientNumber) -> list[Call]:
    if not state.calls:
        raise CallUpError(CallUpCode.UNKNOWN, f"the warning {state.warning_id} has called nobody up")
    own = state.of(number)
    if not own:
        raise CallUpError(CallUpCode.NOT_CALLED, f"recipient {number} is of no post that was called up")
    return own


# --- the end --------------------------------------------------------------------------------------------------


def stop(state: CallUps, reason: CallUpEnd, now: Moment) -> list[Event]:
    """All that is not over ends at once."""
    return _ends(state, [(call, reason) for call in state.calls.values() if not call.is_over], now)


def _ends(
    state: CallUps, over: Sequence[tuple[Call, CallUpEnd]], now: Moment, definition: CallUpDefinition | None = None
) -> list[Event]:
    """The ends by round and reason; with a definition the report falls due where they leave nothing standing."""
    groups: dict[tuple[int, CallUpEnd], list[str]] = {}
    for call, reason in over:
        groups.setdefault((call.round, reason), []).append(call.post.post)
    ended = {call.post.post for call, _ in over}
    is_last = all(call.is_over or call.post.post in ended for call in state.calls.values())
    due = now + timedelta(seconds=definition.report_after_seconds) if definition is not None and is_last else None
    return [
        CallUpsEnded(
            at=now,
            district=state.district,
            mode=state.mode,
            warning_id=state.warning_id,
            round=round_,
            posts=tuple(posts),
            reason=reason,
            report_due=due,
        )
        for (round_, reason), posts in sorted(groups.items())
    ]


def _step(
    state: CallUps,
    round_: int,
    post: str,
    step: CallUpStep,
    number: RecipientNumber,
    now: Moment,
    due: Moment | None,
) -> CallUpStepTaken:
    return CallUpStepTaken(
        at=now,
        district=state.district,
        mode=state.mode,
        warning_id=state.warning_id,
        round=round_,
        step=step,
        post=post,
        number=number,
        due=due,
    )


def _confirmed(state: CallUps, call: Call, number: RecipientNumber, how: How, now: Moment, by: str) -> CallUpConfirmed:
    return CallUpConfirmed(
        at=now,
        district=state.district,
        mode=state.mode,
        warning_id=state.warning_id,
        round=call.round,
        post=call.post.post,
        number=number,
        how=how,
        by=by.strip(),
    )
