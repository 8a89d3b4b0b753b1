"""Releases of a month: by hazard, level, district and day, what was public on which day, and who spoke in them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from domain import events
from domain.levels import Level
from domain.messages import Mode
from projections.base import MICROSECOND
from projections.monthly import facts
from projections.monthly.collecting import Handler, by_level, in_order
from projections.monthly.period import Period
from projections.monthly.values import Cell, EntryKind, ReleaseFigures, StripRow, Sum

Entry = tuple[date, str, str, Level, EntryKind]
"""Day, district, hazard, level and kind."""


@dataclass(slots=True)
class _Public:
    """What a release left public in a district: each section's level and end, from that moment on."""

    since: datetime
    sections: Sequence[tuple[Level, datetime | None]]


@dataclass(slots=True)
class _Counted:
    releases: int = 0
    kinds: Counter[EntryKind] = field(default_factory=Counter)
    levels: Counter[Level] = field(default_factory=Counter)


class Releases:
    """Counts the releases of one mode. What stood before the month is known from the releases before it."""

    def __init__(self, period: Period, mode: Mode) -> None:
        """Nothing is counted yet."""
        self._period = period
        self._mode = mode.value
        self._releases: list[tuple[Entry, ...]] = []
        self._highest: dict[str, Level] = {}
        self._new: set[str] = set()
        self._public: dict[str, _Public] = {}
        self._strip: dict[str, dict[date, Level]] = defaultdict(dict)

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What is counted of which topic."""
        return {events.WarningReleased.TOPIC: self._released}

    @property
    def count(self) -> int:
        """How many releases the month has."""
        return len(self._releases)

    def _released(self, _: int, fact: facts.WarningReleased) -> None:
        if fact.mode != self._mode:
            return
        self._close(fact.district, fact.at)
        ends = [(Level(section.level), section.expires) for section in fact.sections]
        self._public[fact.district] = _Public(fact.at, ends)
        if self._period.holds(fact.at):
            day = self._period.day(fact.at)
            self._releases.append(tuple((day, fact.district, *said) for said in entries_of(fact)))
            stood = [Level(one) for changed in fact.changes for one in (changed.before, changed.after) if one]
            levels = [level for level, _ in ends] + stood
            known = self._highest.get(fact.warning_id)
            self._highest[fact.warning_id] = max([*levels, *([known] if known else [])])
            if fact.number == 1:
                self._new.add(fact.warning_id)

    def _close(self, district: str, until: datetime) -> None:
        """Mark the days on which what was public there until now was public."""
        public = self._public.get(district)
        if public is None:
            return
        row = self._strip[district]
        for level, expires in public.sections:
            begins = max(public.since, self._period.begins)
            ends = min(until, self._period.ends, expires or until)
            if begins < ends:
                for day in self._days(begins, ends):
                    row[day] = max(level, row.get(day, level))

    def _days(self, begins: datetime, ends: datetime) -> Iterable[date]:
        first = self._period.day(begins)
        return (day for day in self._period.days(ends) if day >= first)

    def figures(self, *, until: datetime) -> ReleaseFigures:
        """What was counted; what is public now is taken to stand until `until`, or its own end."""
        for district, public in sorted(self._public.items()):
            self._close(district, max(until, public.since + MICROSECOND))
        days = self._period.days(max(until, self._period.begins))
        entries = Counter(entry for release in self._releases for entry in release)
        return ReleaseFigures(
            releases=len(self._releases),
            warnings=len(self._highest),
            new_warnings=len(self._new),
            entries=entries.total(),
            highest_levels=by_level(Counter(self._highest.values())),
            cells=tuple(
                Cell(day=day, district=district, hazard=hazard, level=level, kind=kind, entries=count)
                for (day, district, hazard, level, kind), count in sorted(entries.items(), key=_order)
            ),
            by_hazard=self._sums(lambda entry: entry[2]),
            by_level=tuple(sorted(self._sums(lambda entry: entry[3].value), key=lambda one: -Level(one.key).rank)),
            by_district=self._sums(lambda entry: entry[1]),
            by_day=self._sums(lambda entry: entry[0].isoformat()),
            days=days,
            strip=tuple(
                StripRow(district=district, levels=tuple(row.get(day) for day in days))
                for district, row in sorted(self._strip.items())
                if row
            ),
        )

    def _sums(self, key_of: Callable[[Entry], str]) -> tuple[Sum, ...]:
        found: dict[str, _Counted] = defaultdict(_Counted)
        for release in self._releases:
            for key in {key_of(entry) for entry in release}:
                found[key].releases += 1
            for entry in release:
                counted = found[key_of(entry)]
                counted.levels[entry[3]] += 1
                counted.kinds[entry[4]] += 1
        return tuple(
            Sum(
                key=key,
                releases=counted.releases,
                entries=counted.kinds.total(),
                kinds=in_order(counted.kinds),
                levels=by_level(counted.levels),
            )
            for key, counted in sorted(found.items())
        )


def entries_of(release: facts.WarningReleased) -> Iterable[tuple[str, Level, EntryKind]]:
    """What a release says of each hazard that is not as in the release before: hazard, level, kind."""
    said = {changed.hazard: changed for changed in release.changes}
    return (_entry(changed) for _, changed in sorted(said.items()))


def _entry(changed: facts.Changed) -> tuple[str, Level, EntryKind]:
    before = Level(changed.before) if changed.before else None
    after = Level(changed.after) if changed.after else None
    if after is None:
        if before is None:
            raise ValueError(f"a change of {changed.hazard} has no level before or after")
        return changed.hazard, before, EntryKind.LIFTED
    if before is None:
        return changed.hazard, after, EntryKind.ISSUED
    if before == after:
        return changed.hazard, after, EntryKind.UPDATED
    return changed.hazard, after, EntryKind.RAISED if before < after else EntryKind.LOWERED


def _order(counted: tuple[Entry, int]) -> tuple[str, str, str, int, str]:
    (day, district, hazard, level, kind), _ = counted
    return day.isoformat(), district, hazard, -level.rank, kind.value
