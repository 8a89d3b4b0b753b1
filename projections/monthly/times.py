"""How long it took from an agency's message to the release that first says it, and from there to the people."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain import events
from domain.levels import Level
from domain.messages import Mode
from projections.facts import Key, MessageAccepted
from projections.history import message_name
from projections.monthly import facts
from projections.monthly.collecting import Handler
from projections.monthly.period import Period, spread_of
from projections.monthly.releases import entries_of
from projections.monthly.values import AgencyTimes, LevelTimes, Spread, TimeFigures

Standing = Mapping[tuple[str, str], Key]
"""By hazard and chain, the message that stands in a district's newest release."""

HandedOver = Mapping[int, tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class _Released:
    """A release of the month, by its position in the log; its level is the highest that it says something of."""

    position: int
    at: datetime
    level: Level


@dataclass(frozen=True, slots=True)
class _Measured:
    """A message that a release says for the first time in its district, or whose ending it says."""

    agency: str
    sent: datetime
    received: datetime
    release: _Released


class Times:
    """Measures the releases of one mode."""

    def __init__(self, period: Period, mode: Mode) -> None:
        """Nothing is measured yet."""
        self._period = period
        self._mode = mode.value
        self._received: dict[str, tuple[datetime, str]] = {}
        self._standing: dict[str, Standing] = {}
        self._ended: dict[tuple[str, str], Key] = {}
        self._releases: list[_Released] = []
        self._measured: list[_Measured] = []

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What is looked at of which topic."""
        return {
            events.MessageAccepted.TOPIC: self._accepted,
            events.ContributionEnded.TOPIC: self._contribution_ended,
            events.WarningReleased.TOPIC: self._released,
        }

    def _accepted(self, _: int, fact: MessageAccepted) -> None:
        if fact.mode == self._mode and fact.at < self._period.ends:
            key = fact.message
            self._received.setdefault(message_name(key.sender, key.identifier, key.sent), (fact.at, fact.agency))

    def _contribution_ended(self, _: int, fact: facts.ContributionEnded) -> None:
        if fact.mode == self._mode and fact.message is not None:
            self._ended[fact.district, fact.chain] = fact.message

    def _released(self, position: int, fact: facts.WarningReleased) -> None:
        if fact.mode != self._mode:
            return
        before = self._standing.get(fact.district, {})
        after = {(s.hazard, one.chain): one.message for s in fact.sections for one in s.contributors}
        self._standing[fact.district] = after
        messages = list(self._first_said(fact.district, before, after))
        if not self._period.holds(fact.at):
            return
        levels = [level for _, level, _ in entries_of(fact)]
        release = _Released(position, fact.at, max(levels))
        self._releases.append(release)
        for name, key in {message_name(key.sender, key.identifier, key.sent): key for key in messages}.items():
            known = self._received.get(name)
            if known is not None:
                self._measured.append(_Measured(known[1], key.sent, known[0], release))

    def _first_said(self, district: str, before: Standing, after: Standing) -> Iterable[Key]:
        """The messages that this release says and the one before did not, and those that ended what is gone."""
        yield from (key for place, key in after.items() if before.get(place) != key)
        standing = {chain for _, chain in after}
        for chain in sorted({chain for _, chain in before} - standing):
            ended = self._ended.pop((district, chain), None)
            if ended is not None:
                yield ended

    def figures(self, handed_over: HandedOver) -> TimeFigures:
        """What was measured; `handed_over` is by a release's position."""
        found = self._measured
        return TimeFigures(
            sent_to_received=spread_of([one.received - one.sent for one in found]),
            sent_to_release=spread_of([one.release.at - one.sent for one in found]),
            received_to_release=_received_to_release(found),
            received_to_first_delivery=spread_of(
                [handed_over[one.release.position][0] - one.received for one in _delivered(found, handed_over)]
            ),
            received_to_last_delivery=spread_of(
                [handed_over[one.release.position][1] - one.received for one in _delivered(found, handed_over)]
            ),
            release_to_first_delivery=_to_delivery(self._releases, handed_over, lambda times: times[0]),
            release_to_last_delivery=_to_delivery(self._releases, handed_over, lambda times: times[1]),
            by_level=self._by_level(handed_over),
            by_agency=self._by_agency(),
        )

    def _by_level(self, handed_over: HandedOver) -> tuple[LevelTimes, ...]:
        found: list[LevelTimes] = []
        for level in sorted({release.level for release in self._releases}, reverse=True):
            releases = [release for release in self._releases if release.level == level]
            found.append(
                LevelTimes(
                    level=level,
                    received_to_release=_received_to_release(
                        [one for one in self._measured if one.release.level == level]
                    ),
                    release_to_first_delivery=_to_delivery(releases, handed_over, lambda times: times[0]),
                    release_to_last_delivery=_to_delivery(releases, handed_over, lambda times: times[1]),
                )
            )
        return tuple(found)

    def _by_agency(self) -> tuple[AgencyTimes, ...]:
        by_agency: dict[str, list[_Measured]] = defaultdict(list)
        for one in self._measured:
            by_agency[one.agency].append(one)
        return tuple(
            AgencyTimes(
                agency=agency,
                sent_to_received=spread_of([one.received - one.sent for one in found]),
                sent_to_release=spread_of([one.release.at - one.sent for one in found]),
                received_to_release=_received_to_release(found),
            )
            for agency, found in sorted(by_agency.items())
        )


def _received_to_release(measured: Iterable[_Measured]) -> Spread:
    return spread_of([one.release.at - one.received for one in measured])


def _delivered(measured: Iterable[_Measured], handed_over: HandedOver) -> Iterable[_Measured]:
    return (one for one in measured if one.release.position in handed_over)


def _to_delivery(
    releases: Iterable[_Released],
    handed_over: HandedOver,
    which: Callable[[tuple[datetime, datetime]], datetime],
) -> Spread:
    durations: list[timedelta] = [
        which(handed_over[release.position]) - release.at for release in releases if release.position in handed_over
    ]
    return spread_of(durations)
