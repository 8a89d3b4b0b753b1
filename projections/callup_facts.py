"""What projections read of the events of call-ups (叫应); see `facts.py`."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from domain import callup_events
from projections.fact_base import Fact, OfDistrict


class CalledHazard(Struct, frozen=True, gc=False):
    """A hazard that calls up."""

    hazard: str
    level: str


class CalledPost(Struct, frozen=True, gc=False):
    """A post with its people in turn."""

    post: str
    role: str
    numbers: tuple[int, ...]


class CallUpAnswer(Struct, frozen=True, gc=False):
    """The answer to one question."""

    question: str
    text: str


class OfCallUps(OfDistrict, frozen=True, gc=False):
    """A fact of a warning's call-ups."""

    warning_id: str


class CallUpsOpened(OfCallUps, frozen=True, gc=False):
    """A release calls posts up."""

    position: int
    round: int
    hazards: tuple[CalledHazard, ...]
    posts: tuple[CalledPost, ...]
    voice_after_seconds: float = 180
    questions_after_seconds: float | None = None


class CallUpStepTaken(OfCallUps, frozen=True, gc=False):
    """Somebody was asked or telephoned, or the questions fell due."""

    round: int
    step: str
    post: str
    number: int
    due: datetime | None = None


class CallUpConfirmed(OfCallUps, frozen=True, gc=False):
    """Somebody of a post has confirmed."""

    round: int
    post: str
    number: int
    how: str
    by: str = ""


class CallUpAnswered(OfCallUps, frozen=True, gc=False):
    """Somebody of a post answered questions."""

    round: int
    post: str
    number: int
    answers: tuple[CallUpAnswer, ...]
    is_report: bool = False


class CallUpsEnded(OfCallUps, frozen=True, gc=False):
    """Nobody of these posts is asked any more."""

    round: int
    posts: tuple[str, ...]
    reason: str
    report_due: datetime | None = None


class CallUpsReported(OfCallUps, frozen=True, gc=False):
    """The report on a warning's call-ups."""

    rounds: int
    posts: int
    confirmed: int
    reported: int
    median_seconds: float | None
    longest_seconds: float | None
    unconfirmed: tuple[str, ...]


CALL_UP_FACTS: Mapping[str, type[Fact]] = {
    callup_events.CallUpsOpened.TOPIC: CallUpsOpened,
    callup_events.CallUpStepTaken.TOPIC: CallUpStepTaken,
    callup_events.CallUpConfirmed.TOPIC: CallUpConfirmed,
    callup_events.CallUpAnswered.TOPIC: CallUpAnswered,
    callup_events.CallUpsEnded.TOPIC: CallUpsEnded,
    callup_events.CallUpsReported.TOPIC: CallUpsReported,
}
