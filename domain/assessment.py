"""What may be said of a warning afterwards, and of an event that no warning came before. Pure.

How verdicts are counted belongs to the projections.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID

from domain.assessment_events import WarningAssessed
from domain.levels import Level
from domain.outlet import stream_id_of
from domain.values import Moment


class AssessmentCode(StrEnum):
    """Every reason for which a verdict is refused; a code is never renamed or reused."""

    UNKNOWN_WARNING = "unknown-warning"  # no live release has such a warning
    UNKNOWN_HAZARD = "unknown-hazard"  # the policy has no such hazard, or the warning never spoke of it
    UNKNOWN_DISTRICT = "unknown-district"
    NOT_YET = "not-yet"  # it is said to have happened in the future
    NOT_A_TIME = "not-a-time"


class AssessmentError(Exception):
    """A verdict that cannot be recorded: `code` and, as its text, a sentence."""

    def __init__(self, code: AssessmentCode, sentence: str) -> None:
        """Keep both."""
        self.code = code
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class ReleasedWarning:
    """A warning as it was released: its hazards, each with the highest level that was public."""

    warning_id: str
    district: str
    levels: Mapping[str, Level]


def assessment_stream(district: str) -> UUID:
    """The stream of everything said of a district's warnings."""
    return stream_id_of("assessments", district)


def warning_was(
    verdict: Literal["hit", "false"],
    warning: ReleasedWarning,
    *,
    hazards: Sequence[str] = (),
    by: str,
    note: str = "",
    now: Moment,
) -> list[WarningAssessed]:
    """The verdict on a warning: one event for each of these hazards, or for every hazard that it spoke of.

    Raises:
        AssessmentError: nothing of it was released, or it never spoke of one of the hazards.
    """
    if not warning.levels:
        raise AssessmentError(AssessmentCode.UNKNOWN_WARNING, f"nothing of the warning {warning.warning_id} is public")
    for hazard in hazards:
        if hazard not in warning.levels:
            known = ", ".join(sorted(warning.levels))
            sentence = f"the warning {warning.warning_id} never spoke of {hazard}; it spoke of {known}"
            raise AssessmentError(AssessmentCode.UNKNOWN_HAZARD, sentence)
    return [
        WarningAssessed(
            at=now,
            verdict=verdict,
            district=warning.district,
            hazard=hazard,
            warning_id=warning.warning_id,
            level=warning.levels[hazard],
            note=note,
            by=by,
        )
        for hazard in sorted(set(hazards) or warning.levels)
    ]


def event_was_missed(
    *, district: str, hazard: str, happened: Moment, by: str, note: str = "", now: Moment
) -> WarningAssessed:
    """Something happened that no warning came before.

    Raises:
        AssessmentError: it has not happened yet.
    """
    if happened > now:
        sentence = f"{happened.isoformat()} is in the future; it is {now.isoformat()}"
        raise AssessmentError(AssessmentCode.NOT_YET, sentence)
    return WarningAssessed(
        at=now, verdict="missed", district=district, hazard=hazard, happened=happened, note=note, by=by
    )
