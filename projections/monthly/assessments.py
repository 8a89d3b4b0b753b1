"""What people said of a month's warnings afterwards: right, false, or an event that no warning came before."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain import assessment_events, events
from domain.levels import Level
from domain.messages import Mode
from projections.monthly import facts
from projections.monthly.collecting import Handler
from projections.monthly.period import Period
from projections.monthly.releases import entries_of
from projections.monthly.values import AssessmentFigures, AssessmentSum


@dataclass(slots=True)
class AssessedWarning:
    """One hazard of a warning of the month, its highest level, and the last verdict on it, if there is one."""

    warning_id: str
    district: str
    hazard: str
    level: Level
    released: datetime
    verdict: facts.WarningAssessed | None = None


class Assessments:
    """Keeps the warnings of a month and the last verdict on each. A drill is not assessed."""

    def __init__(self, period: Period) -> None:
        """Nothing is known yet."""
        self._period = period
        self._earlier: set[tuple[str, str]] = set()
        self._warnings: dict[tuple[str, str], AssessedWarning] = {}
        self._missed: dict[tuple[str, str, datetime], facts.WarningAssessed] = {}

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What is looked at of which topic."""
        return {
            events.WarningReleased.TOPIC: self._released,
            assessment_events.WarningAssessed.TOPIC: self._assessed,
        }

    def _released(self, _: int, fact: facts.WarningReleased) -> None:
        if fact.mode != Mode.LIVE.value:
            return
        for hazard, level, _kind in entries_of(fact):
            key = (fact.warning_id, hazard)
            known = self._warnings.get(key)
            if known is not None:
                known.level = max(known.level, level)
            elif key not in self._earlier:
                if self._period.holds(fact.at):
                    self._warnings[key] = AssessedWarning(fact.warning_id, fact.district, hazard, level, fact.at)
                else:
                    self._earlier.add(key)

    def _assessed(self, _: int, fact: facts.WarningAssessed) -> None:
        if fact.verdict == "missed":
            if fact.happened is not None and self._period.holds(fact.happened):
                self._missed[fact.district, fact.hazard, fact.happened] = fact
            return
        warning = self._warnings.get((fact.warning_id, fact.hazard))
        if warning is not None:
            warning.verdict = fact

    @property
    def warnings(self) -> tuple[AssessedWarning, ...]:
        """The month's warnings, in the order of their first release."""
        return tuple(self._warnings.values())

    @property
    def missed(self) -> tuple[facts.WarningAssessed, ...]:
        """The month's missed events, by the time at which they happened."""
        return tuple(self._missed[key] for key in sorted(self._missed, key=lambda key: (key[2], key[0], key[1])))

    def figures(self) -> AssessmentFigures:
        """What was counted."""
        by_hazard: dict[str, list[AssessedWarning]] = defaultdict(list)
        for warning in self._warnings.values():
            by_hazard[warning.hazard].append(warning)
        missed = [fact.hazard for fact in self._missed.values()]
        return AssessmentFigures(
            total=_sum("", list(self._warnings.values()), len(missed)),
            by_hazard=tuple(
                _sum(hazard, by_hazard.get(hazard, []), missed.count(hazard))
                for hazard in sorted({*by_hazard, *missed})
            ),
        )


def _sum(key: str, warnings: list[AssessedWarning], missed: int) -> AssessmentSum:
    verdicts = [warning.verdict.verdict for warning in warnings if warning.verdict is not None]
    hits, false = verdicts.count("hit"), verdicts.count("false")
    return AssessmentSum(
        key=key,
        warnings=len(warnings),
        assessed=len(verdicts),
        hits=hits,
        false_alarms=false,
        missed=missed,
        accuracy=_rate(hits, hits + false),
        false_rate=_rate(false, hits + false),
        missed_rate=_rate(missed, hits + missed),
        threat_score=_rate(hits, hits + false + missed),
    )


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
