"""What must hold of every month's report: made-up cities, other ways of counting, and another log."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from adapters.bench.p5_events import City
from adapters.store.sqlite_log import SqliteEventLog
from domain.events import OutletRevised, WarningReleased
from domain.levels import Level
from domain.messages import Mode
from domain.ports import Attachment, Move, NewEvent, RecordedEvent
from projections.base import moment_of
from projections.monthly.period import month_named, spread_of
from projections.monthly.values import EntryKind
from projections.monthly_report import content_json, monthly_report

LATER = datetime(2027, 1, 1, tzinfo=UTC)


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_a_spread_lies_within_what_was_measured(microseconds: list[int]) -> None:
    found = spread_of([timedelta(microseconds=one) for one in microseconds])
    assert found.samples == len(microseconds)
    assert found.median_seconds is not None
    assert found.p90_seconds is not None
    assert found.longest_seconds == round(max(microseconds) / 1_000_000, 3)
    assert min(microseconds) / 1_000_000 - 0.001 <= found.median_seconds <= found.p90_seconds + 0.001
    within = sum(one / 1_000_000 <= found.p90_seconds + 0.001 for one in microseconds)
    assert within >= 0.9 * len(microseconds)


class ListedLog:
    """A log that is a list, and gives events as objects alone."""

    def __init__(self, events: Sequence[NewEvent]) -> None:
        self.recorded = [RecordedEvent(place, *new) for place, new in enumerate(events, start=1)]

    def read(
        self, *, after: int = 0, limit: int | None = None, topics: frozenset[str] | None = None
    ) -> Iterator[RecordedEvent]:
        asked = (one for one in self.recorded[after:] if topics is None or one.event.TOPIC in topics)
        return (one for place, one in enumerate(asked) if limit is None or place < limit)

    def head(self) -> int:
        return len(self.recorded)

    def append(
        self,
        events: Sequence[NewEvent],
        *,
        attachments: Sequence[Attachment] = (),
        moves: Sequence[Move] = (),
    ) -> Sequence[int]:
        raise NotImplementedError

    def stream(self, stream_id: UUID, *, after_version: int = 0) -> Iterator[RecordedEvent]:
        raise NotImplementedError

    def streams(self, stream_ids: Collection[UUID]) -> Mapping[UUID, Sequence[RecordedEvent]]:
        raise NotImplementedError

    def follower_position(self, name: str) -> int:
        raise NotImplementedError

    def follower_positions(self, names: Collection[str]) -> Mapping[str, int]:
        raise NotImplementedError

    def versions_since(self, position: int) -> Iterator[tuple[int, UUID, int]]:
        raise NotImplementedError

    def attachment(self, sha256: str) -> bytes | None:
        raise NotImplementedError

    def wait(self, *, after: int, timeout_seconds: float) -> bool:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def a_city(seed: int, steps: int) -> City:
    """A city with long pauses, so that its days lie around the turn of a month."""
    city = City(Random(seed), pauses_seconds=(0, 20, 3600, 20_000), now=datetime(2026, 7, 29, 12, tzinfo=UTC))
    for _ in range(steps):
        city.step()
    return city


cities = st.builds(a_city, st.integers(0, 10_000), st.integers(1, 60))
months = st.sampled_from(["2026-07", "2026-08"])


@given(cities, months)
def test_sums_by_hazard_level_district_and_day_agree_with_each_other_and_with_the_log(city: City, name: str) -> None:
    report = monthly_report(ListedLog(city.events), name, policy=city.policy, now=LATER)
    period, figures = month_named(name, city.policy.zone), report.releases
    released = [
        new.event
        for new in city.events
        if isinstance(new.event, WarningReleased) and new.event.mode is Mode.LIVE and period.holds(new.event.at)
    ]
    assert figures.releases == len(released)
    assert figures.warnings == len({event.warning_id for event in released})
    entries = sum(len({change.hazard for change in event.changes}) for event in released)
    assert figures.entries == entries == sum(cell.entries for cell in figures.cells)
    for sums in (figures.by_hazard, figures.by_level, figures.by_district, figures.by_day):
        assert sum(one.entries for one in sums) == entries
        kinds, levels = Counter[EntryKind](), Counter[Level]()
        for one in sums:
            assert sum(one.kinds.values()) == sum(one.levels.values()) == one.entries
            kinds.update(one.kinds)
            levels.update(one.levels)
        assert levels == {Level(one.key): one.entries for one in figures.by_level}
        assert kinds == Counter({k: sum(c.entries for c in figures.cells if c.kind is k) for k in kinds})
    assert (
        sum(one.releases for one in figures.by_district) == sum(one.releases for one in figures.by_day) == len(released)
    )


@given(cities, months)
def test_the_strip_is_what_the_releases_had_public_at_every_moment_of_the_day(city: City, name: str) -> None:
    report = monthly_report(ListedLog(city.events), name, policy=city.policy, now=LATER)
    period = month_named(name, city.policy.zone)
    released = [
        new.event for new in city.events if isinstance(new.event, WarningReleased) and new.event.mode is Mode.LIVE
    ]
    moments = {event.at for event in released}
    moments |= {
        section.expires - timedelta(microseconds=1)
        for event in released
        for section in event.sections
        if section.expires
    }
    moments |= {period.begins + timedelta(hours=hour) for hour in range(32 * 24)}
    brute: dict[tuple[str, date], Level] = {}
    for moment in (one for one in moments if period.holds(one)):
        for district in city.districts:
            before = [event for event in released if event.district == district and event.at <= moment]
            standing = before[-1].sections if before else ()
            for section in standing:
                if section.expires is None or moment < section.expires:
                    key = (district, period.day(moment))
                    brute[key] = max(section.level, brute.get(key, section.level))
    shown = {
        (row.district, day): level
        for row in report.releases.strip
        for day, level in zip(report.releases.days, row.levels, strict=True)
        if level is not None
    }
    assert shown == brute


@given(cities)
def test_every_conflict_is_settled_dissolved_or_open(city: City) -> None:
    report = monthly_report(ListedLog(city.events), "2026-07", policy=city.policy, now=LATER)
    found = report.consultation
    assert found.flagged == found.settled + found.dissolved + found.open == len(found.conflicts)
    revised = {
        new.event.district: new.event
        for new in city.events
        if isinstance(new.event, OutletRevised) and new.event.mode is Mode.LIVE
    }
    still = {
        (district, section.hazard)
        for district, event in revised.items()
        for section in event.sections
        if section.conflict is not None and section.conflict.is_open
    }
    assert {(one.district, one.hazard) for one in found.conflicts if one.outcome == "open"} <= still


def test_the_stored_form_and_the_objects_give_the_same_content(tmp_path: Path) -> None:
    city = a_city(11, 300)
    log = SqliteEventLog(tmp_path / "events.sqlite")
    try:
        log.append(city.events)
        reached: list[tuple[int, int]] = []
        stored = monthly_report(
            log, "2026-08", policy=city.policy, now=LATER, progress=lambda *told: reached.append(told)
        )
        objects = monthly_report(ListedLog(city.events), "2026-08", policy=city.policy, now=LATER)
        assert content_json(stored) == content_json(objects)
        assert reached[-1] == (log.head(), log.head())
        assert reached == sorted(reached)
        half = log.head() // 2
        until = monthly_report(log, "2026-08", policy=city.policy, now=LATER, until=half)
        alone = monthly_report(ListedLog(city.events[:half]), "2026-08", policy=city.policy, now=LATER)
        assert content_json(until) == content_json(alone)
    finally:
        log.close()


def test_an_empty_log_has_an_empty_month() -> None:
    city = City(Random(1))
    report = monthly_report(ListedLog([]), "2026-08", policy=city.policy, now=moment_of(0))
    assert (report.is_over, report.recorded_until, report.releases.days) == (False, None, ())
    assert report.assessment.total.accuracy is None
