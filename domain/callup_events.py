"""What is recorded of call-ups (叫应): who has to confirm a release, each step that was taken, and each answer.

One stream holds all of a warning in one mode. A round is one release that calls people up; a later round asks again.
"""

from enum import StrEnum
from typing import Final, Literal

from domain.event import Event
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import RecipientNumber
from domain.values import Moment, Value


class CallUpStep(StrEnum):
    """What was done to reach somebody."""

    ASKED = "asked"
    CALLED = "called"  # by telephone, since they have not confirmed
    NEXT_ASKED = "next-asked"  # the next one of the post, since nobody before them has confirmed
    QUESTIONS_DUE = "questions-due"


class CallUpEnd(StrEnum):
    """Why nobody is asked any more."""

    LIFTED = "lifted"
    LOWERED = "lowered"  # below the level from which people are called up
    RAISED = "raised"  # a new round asks again
    EXHAUSTED = "exhausted"  # every step was taken, and nobody confirmed
    STOPPED = "stopped"  # a drill was stopped


How = Literal["sms", "link", "voice", "officer"]


class CalledHazard(Value):
    """A hazard that calls up, with its level."""

    hazard: str
    level: Level


class CalledPost(Value):
    """What somebody answers for: the people of the post in the order in which they are asked."""

    post: str
    role: str
    numbers: tuple[RecipientNumber, ...]


class CallUpsOpened(Event):
    """A release calls these posts up. `position` is the release's in the log, `round` counts from 1.

    The round goes by the times that the policy had when it was opened; without questions none fall due.
    """

    TOPIC = "call-ups-opened"

    district: str
    mode: Mode
    warning_id: str
    position: int
    round: int
    hazards: tuple[CalledHazard, ...]
    posts: tuple[CalledPost, ...]
    voice_after_seconds: float = 180
    questions_after_seconds: float | None = None


class CallUpStepTaken(Event):
    """Somebody was asked, called, or asked in their place; for the questions that are due `number` is 0.

    `due` is when the next step follows unless somebody confirms before.
    """

    TOPIC = "call-up-step-taken"

    district: str
    mode: Mode
    warning_id: str
    round: int
    step: CallUpStep
    post: str
    number: RecipientNumber
    due: Moment | None = None


class CallUpConfirmed(Event):
    """Somebody of the post has confirmed; the first to do so answers for it. `by` is the officer who heard it."""

    TOPIC = "call-up-confirmed"

    district: str
    mode: Mode
    warning_id: str
    round: int
    post: str
    number: RecipientNumber
    how: How
    by: str = ""


class CallUpAnswer(Value):
    """The answer to one of the policy's questions."""

    question: str
    text: str


class CallUpAnswered(Event):
    """Somebody of the post answered the questions of the call-up, or after the lifting those of its report."""

    TOPIC = "call-up-answered"

    district: str
    mode: Mode
    warning_id: str
    round: int
    post: str
    number: RecipientNumber
    answers: tuple[CallUpAnswer, ...]
    is_report: bool = False


class CallUpsEnded(Event):
    """Nobody of these posts is asked any more; `report_due` is when the report on the warning is made up."""

    TOPIC = "call-ups-ended"

    district: str
    mode: Mode
    warning_id: str
    round: int
    posts: tuple[str, ...]
    reason: CallUpEnd
    report_due: Moment | None = None


class CallUpsReported(Event):
    """The report on a warning's call-ups: how many posts, how many confirmed and how fast, who did not.

    Seconds are from the opening of a post's round to its confirmation.
    """

    TOPIC = "call-ups-reported"

    district: str
    mode: Mode
    warning_id: str
    rounds: int
    posts: int
    confirmed: int
    reported: int
    median_seconds: float | None
    longest_seconds: float | None
    unconfirmed: tuple[str, ...]


CALL_UP_EVENTS: Final[tuple[type[Event], ...]] = (
    CallUpsOpened,
    CallUpStepTaken,
    CallUpConfirmed,
    CallUpAnswered,
    CallUpsEnded,
    CallUpsReported,
)
