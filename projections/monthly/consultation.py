"""Merged warnings of a month, and the conflicts between agencies (会商): flagged, settled, dissolved by themselves."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain import events
from domain.levels import Level
from domain.messages import Mode
from projections.facts import ConflictFlagged, ConflictSettled
from projections.monthly import facts
from projections.monthly.collecting import Handler
from projections.monthly.period import Period, seconds_between, spread_of
from projections.monthly.values import ConflictCase, ConflictOutcome, ConsultationFigures


@dataclass(slots=True)
class _Conflict:
    district: str
    hazard: str
    levels: Mapping[str, str]
    flagged: datetime
    outcome: ConflictOutcome = ConflictOutcome.OPEN
    ended: datetime | None = None

    def end(self, outcome: ConflictOutcome, at: datetime) -> None:
        """It is over."""
        self.outcome, self.ended = outcome, at


class Consultation:
    """Follows the conflicts of one mode; how one ended counts with the month in which it was flagged."""

    def __init__(self, period: Period, mode: Mode) -> None:
        """Nothing is known yet."""
        self._period = period
        self._mode = mode.value
        self._issuers: dict[tuple[str, str], int] = {}
        self._hazards: dict[str, int] = defaultdict(int)
        self._conflicts: list[_Conflict] = []
        self._open: dict[tuple[str, str], _Conflict] = {}

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What is counted of which topic."""
        return {
            events.WarningReleased.TOPIC: self._released,
            events.ConflictFlagged.TOPIC: self._flagged,
            events.ConflictSettled.TOPIC: self._settled,
            events.OutletRevised.TOPIC: self._revised,
        }

    def _released(self, _: int, fact: facts.WarningReleased) -> None:
        if fact.mode != self._mode or not self._period.holds(fact.at):
            return
        for section in fact.sections:
            key = (fact.warning_id, section.hazard)
            self._issuers[key] = max(self._issuers.get(key, 0), len(section.issuers))
        self._hazards[fact.warning_id] = max(self._hazards[fact.warning_id], len(fact.sections))

    def _flagged(self, _: int, fact: ConflictFlagged) -> None:
        if fact.mode != self._mode:
            return
        conflict = _Conflict(fact.district, fact.hazard, fact.levels, fact.at)
        self._open[fact.district, fact.hazard] = conflict
        if self._period.holds(fact.at):
            self._conflicts.append(conflict)

    def _settled(self, _: int, fact: ConflictSettled) -> None:
        conflict = self._open.pop((fact.district, fact.hazard), None) if fact.mode == self._mode else None
        if conflict is not None:
            conflict.end(ConflictOutcome.SETTLED, fact.at)

    def _revised(self, _: int, fact: facts.OutletRevised) -> None:
        """A revision whose conflict is gone, or another one, ends the one that was open; a new one is flagged next."""
        if fact.mode != self._mode or not self._open:
            return
        said = {section.hazard: section.conflict.levels for section in fact.sections if section.conflict}
        for key in [key for key in self._open if key[0] == fact.district]:
            if said.get(key[1]) != self._open[key].levels:
                self._open.pop(key).end(ConflictOutcome.DISSOLVED, fact.at)

    def figures(self) -> ConsultationFigures:
        """What was counted."""
        found = self._conflicts
        settled = [one.ended - one.flagged for one in found if one.ended and one.outcome is ConflictOutcome.SETTLED]
        return ConsultationFigures(
            sections=len(self._issuers),
            sections_of_several_agencies=sum(issuers > 1 for issuers in self._issuers.values()),
            warnings=len(self._hazards),
            warnings_of_several_hazards=sum(hazards > 1 for hazards in self._hazards.values()),
            flagged=len(found),
            settled=len(settled),
            dissolved=sum(one.outcome is ConflictOutcome.DISSOLVED for one in found),
            open=sum(one.outcome is ConflictOutcome.OPEN for one in found),
            settling=spread_of(settled),
            conflicts=tuple(_case(one, self._period) for one in found),
        )


def _case(conflict: _Conflict, period: Period) -> ConflictCase:
    ended = conflict.ended
    return ConflictCase(
        district=conflict.district,
        hazard=conflict.hazard,
        levels={agency: Level(level) for agency, level in sorted(conflict.levels.items())},
        flagged=conflict.flagged.astimezone(period.zone),
        outcome=conflict.outcome,
        ended=None if ended is None else ended.astimezone(period.zone),
        seconds=None if ended is None else seconds_between(conflict.flagged, ended),
    )
