"""What bears on how complete a month's figures are, and the drills of the month, which are counted apart."""

from collections import Counter
from collections.abc import Mapping

from domain import drill_events, edge_events, events, telling_events
from projections.facts import Fact
from projections.monthly import facts
from projections.monthly.collecting import Handler
from projections.monthly.period import Period
from projections.monthly.values import DataFigures, PolicyAdoption


class Data:
    """Counts what happened to the house itself."""

    def __init__(self, period: Period) -> None:
        """Nothing is counted yet."""
        self._period = period
        self._counts: Counter[str] = Counter()
        self._policies: list[PolicyAdoption] = []

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What is counted of which topic."""
        counted = (
            events.EventParked,
            edge_events.FeedFellSilent,
            telling_events.SendingStopped,
            drill_events.DrillStarted,
            drill_events.DrillStopped,
        )
        return {
            **{kind.TOPIC: self._counting(kind.TOPIC) for kind in counted},
            events.PolicyAdopted.TOPIC: self._adopted,
        }

    def _counting(self, topic: str) -> Handler:
        def count(_: int, fact: Fact) -> None:
            self._counts[topic] += self._period.holds(fact.at)

        return count

    def _adopted(self, _: int, fact: facts.PolicyAdopted) -> None:
        if self._period.holds(fact.at):
            at = fact.at.astimezone(self._period.zone)
            self._policies.append(PolicyAdoption(at=at, policy_sha256=fact.policy_sha256))

    @property
    def drills_started(self) -> int:
        """Drills that began in the month."""
        return self._counts[drill_events.DrillStarted.TOPIC]

    @property
    def drills_stopped(self) -> int:
        """Drills that ended in the month."""
        return self._counts[drill_events.DrillStopped.TOPIC]

    def figures(self, counted_events: int) -> DataFigures:
        """What was counted."""
        return DataFigures(
            events=counted_events,
            parked=self._counts[events.EventParked.TOPIC],
            feeds_fell_silent=self._counts[edge_events.FeedFellSilent.TOPIC],
            sending_stopped=self._counts[telling_events.SendingStopped.TOPIC],
            policies_adopted=tuple(self._policies),
        )
