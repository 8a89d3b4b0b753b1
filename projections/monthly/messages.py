"""Agencies' messages of a month: taken in, refused and why, repeated, without effect."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain import events
from domain.messages import Mode
from projections import facts
from projections.monthly.collecting import Handler, in_order
from projections.monthly.period import Period
from projections.monthly.values import AgencyMessages, MessageFigures


@dataclass(slots=True)
class _Agency:
    kinds: Counter[str] = field(default_factory=Counter)
    without_effect: Counter[str] = field(default_factory=Counter)
    refused_codes: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    conflicting_copies: int = 0
    refused: int = 0


class Messages:
    """Counts the messages of one mode, and those that were refused before they had one."""

    def __init__(self, period: Period, mode: Mode) -> None:
        """Nothing is counted yet."""
        self._period = period
        self._mode = mode.value
        self._agencies: dict[str, _Agency] = defaultdict(_Agency)

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What is counted of which topic."""
        return {
            events.MessageAccepted.TOPIC: self._accepted,
            events.MessageRejected.TOPIC: self._rejected,
            events.DuplicateArrived.TOPIC: self._duplicate,
            events.ConflictingCopyArrived.TOPIC: self._conflicting_copy,
            events.MessageHadNoEffect.TOPIC: self._without_effect,
        }

    def _is_ours(self, fact: facts.OfAgency) -> bool:
        return fact.mode == self._mode and self._period.holds(fact.at)

    def _accepted(self, _: int, fact: facts.MessageAccepted) -> None:
        if self._is_ours(fact):
            self._agencies[fact.agency].kinds[fact.message.message_type] += 1

    def _rejected(self, _: int, fact: facts.MessageRejected) -> None:
        if self._period.holds(fact.at):
            agency = self._agencies[fact.agency]
            agency.refused += 1
            agency.refused_codes.update({found.code for found in fact.findings if found.refuses})

    def _duplicate(self, _: int, fact: facts.DuplicateArrived) -> None:
        if self._is_ours(fact):
            self._agencies[fact.agency].duplicates += 1

    def _conflicting_copy(self, _: int, fact: facts.ConflictingCopyArrived) -> None:
        if self._is_ours(fact):
            self._agencies[fact.agency].conflicting_copies += 1

    def _without_effect(self, _: int, fact: facts.MessageHadNoEffect) -> None:
        if self._is_ours(fact):
            self._agencies[fact.agency].without_effect[fact.reason] += 1

    def figures(self) -> MessageFigures:
        """What was counted, by agency."""
        agencies = tuple(
            AgencyMessages(
                agency=name,
                accepted=found.kinds.total(),
                kinds=in_order(found.kinds),
                without_effect=in_order(found.without_effect),
                duplicates=found.duplicates,
                conflicting_copies=found.conflicting_copies,
                refused=found.refused,
                refused_codes=in_order(found.refused_codes),
            )
            for name, found in sorted(self._agencies.items())
        )
        return MessageFigures(
            accepted=sum(one.accepted for one in agencies),
            refused=sum(one.refused for one in agencies),
            duplicates=sum(one.duplicates for one in agencies),
            conflicting_copies=sum(one.conflicting_copies for one in agencies),
            agencies=agencies,
        )
