"""Who was told of a month's releases and who was not, and what became of the messages.

Everything counts with its release, whenever it was recorded: a delivery of the last evening belongs to that month.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain import events, notices, telling_events
from domain.levels import Level
from domain.messages import Mode
from domain.sending import Ending
from projections.monthly import facts
from projections.monthly.collecting import Handler, by_level, in_order
from projections.monthly.period import Period
from projections.monthly.values import DeliveryCount, TellingFigures

WARNING: Final = "warning"
OTHER_ENDING: Final = "other"

_HANDED_OVER: Final = "accepted"
_ENDINGS: Final = frozenset(ending.value for ending in Ending)


@dataclass(slots=True)
class _Plan:
    """A plan of the month: what it speaks of, its release's position if it has one, and its hand-overs."""

    subject: str
    release: int | None = None
    first: datetime | None = None
    last: datetime | None = None


class Telling:
    """Counts plans and outcomes of one mode."""

    def __init__(self, period: Period, mode: Mode) -> None:
        """Nothing is counted yet."""
        self._period = period
        self._mode = mode.value
        self._releases: set[int] = set()
        self._plans: dict[int, _Plan] = {}
        self._levels: Counter[Level] = Counter()
        self._roles: Counter[str] = Counter()
        self._channels: Counter[str] = Counter()
        self._withheld: Counter[str] = Counter()
        self._deliveries: Counter[tuple[str, str, str]] = Counter()
        self._endings: Counter[str] = Counter()

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What is counted of which topic."""
        return {
            events.WarningReleased.TOPIC: self._released,
            telling_events.TellingPlanned.TOPIC: self._planned,
            notices.NoticesPlanned.TOPIC: self._noticed,
            telling_events.DeliveriesRecorded.TOPIC: self._recorded,
        }

    def _released(self, position: int, fact: facts.WarningReleased) -> None:
        if fact.mode == self._mode and self._period.holds(fact.at):
            self._releases.add(position)

    def _planned(self, position: int, fact: facts.TellingPlanned) -> None:
        if fact.mode != self._mode or fact.position not in self._releases:
            return
        self._plans[position] = _Plan(WARNING, fact.position)
        for send in fact.sends:
            self._levels[Level(send.level)] += send.count
        for withhold in fact.withheld:
            self._withheld[withhold.reason] += withhold.count
        self._roles.update(fact.by_role)
        self._channels.update(fact.by_channel)

    def _noticed(self, position: int, fact: facts.NoticesPlanned) -> None:
        if fact.mode == self._mode and self._period.holds(fact.at):
            self._plans[position] = _Plan(fact.purpose)

    def _recorded(self, _: int, fact: facts.DeliveriesRecorded) -> None:
        if fact.mode != self._mode:
            return
        for delivered in fact.deliveries:
            plan = self._plans.get(delivered.planned)
            if plan is not None:
                self._count(plan, delivered)

    def _count(self, plan: _Plan, delivered: facts.Delivered) -> None:
        self._deliveries[plan.subject, delivered.channel, delivered.state] += 1
        if delivered.reason:
            # What follows the ending is a server's own words, in which an address may stand.
            ending = delivered.reason.partition(":")[0]
            self._endings[ending if ending in _ENDINGS else OTHER_ENDING] += 1
        if delivered.state == _HANDED_OVER:
            plan.first = delivered.at if plan.first is None else min(plan.first, delivered.at)
            plan.last = delivered.at if plan.last is None else max(plan.last, delivered.at)

    @property
    def told(self) -> int:
        """People told, counted once for each release."""
        return self._levels.total()

    def handed_over(self) -> Mapping[int, tuple[datetime, datetime]]:
        """By a release's position in the log, when the first and the last person's channel took its message."""
        return {
            plan.release: (plan.first, plan.last)
            for plan in self._plans.values()
            if plan.release is not None and plan.first is not None and plan.last is not None
        }

    def figures(self) -> TellingFigures:
        """What was counted."""
        return TellingFigures(
            plans=sum(plan.release is not None for plan in self._plans.values()),
            told=self.told,
            told_by_level=by_level(self._levels),
            told_by_role=in_order(self._roles),
            told_by_channel=in_order(self._channels),
            withheld=self._withheld.total(),
            withheld_by_reason=in_order(self._withheld),
            deliveries=tuple(
                DeliveryCount(subject=subject, channel=channel, state=state, outcomes=count)
                for (subject, channel, state), count in sorted(self._deliveries.items())
            ),
            endings=in_order(self._endings),
        )
