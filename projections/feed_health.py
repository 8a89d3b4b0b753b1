"""Which feeds are silent now, and every alarm that was: from the recorded events alone.

How often a feed was asked and what came of it is no event; those figures are the pollers' own.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from domain import edge_events
from projections import facts
from projections.base import (
    Delete,
    Insert,
    Projection,
    ReadTables,
    RowChange,
    Table,
    Upsert,
    equal,
    microseconds_of,
    moment_of,
)

FELL_SILENT = "fell-silent"
HEARD_AGAIN = "heard-again"


class SilentFeedRow(NamedTuple):
    """A feed whose alarm stands."""

    feed: str
    agency: str
    since: int
    position: int
    reason: str
    last_success: int | None
    last_message: int | None


class FeedAlarmRow(NamedTuple):
    """An alarm that began (`fell-silent`) or ended (`heard-again`, then `since` is when it had begun)."""

    position: int
    at: int
    kind: str
    feed: str
    agency: str
    since: int
    reason: str


SILENT_FEEDS = Table("silent_feeds", SilentFeedRow, key=("feed",))
FEED_ALARMS = Table("feed_alarms", FeedAlarmRow, key=("position",), indexes=(("feed", "position"),))


def _fell_silent(position: int, fact: facts.FeedFellSilent) -> Iterable[RowChange]:
    since = microseconds_of(fact.at)
    row = SilentFeedRow(
        feed=fact.feed,
        agency=fact.agency,
        since=since,
        position=position,
        reason=fact.reason,
        last_success=None if fact.last_success is None else microseconds_of(fact.last_success),
        last_message=None if fact.last_message is None else microseconds_of(fact.last_message),
    )
    yield Upsert(SILENT_FEEDS, row)
    yield Insert(FEED_ALARMS, FeedAlarmRow(position, since, FELL_SILENT, fact.feed, fact.agency, since, fact.reason))


def _heard_again(position: int, fact: facts.FeedHeardAgain) -> Iterable[RowChange]:
    yield Delete(SILENT_FEEDS, ("feed",), (fact.feed,))
    at, since = microseconds_of(fact.at), microseconds_of(fact.silent_since)
    yield Insert(FEED_ALARMS, FeedAlarmRow(position, at, HEARD_AGAIN, fact.feed, fact.agency, since, ""))


FEED_HEALTH = Projection(
    name="feed_health",
    version=1,
    tables=(SILENT_FEEDS, FEED_ALARMS),
    handlers={
        edge_events.FeedFellSilent.TOPIC: _fell_silent,
        edge_events.FeedHeardAgain.TOPIC: _heard_again,
    },
)


class SilentFeed(NamedTuple):
    """A feed whose alarm stands; times are in the zone that was asked for."""

    feed: str
    agency: str
    since: datetime
    reason: str


class FeedAlarm(NamedTuple):
    """An alarm that began or ended."""

    position: int
    at: datetime
    kind: str
    feed: str
    agency: str
    since: datetime
    reason: str

    def as_json(self) -> dict[str, Any]:
        """The alarm for `--json`, times in ISO 8601 with their zone."""
        return {**self._asdict(), "at": self.at.isoformat(), "since": self.since.isoformat()}


def silent_feeds(tables: ReadTables, zone: tzinfo) -> Sequence[SilentFeed]:
    """The feeds that are silent now, the longest silent first."""
    rows = tables.select(SILENT_FEEDS, order=("since", "feed"))
    return [SilentFeed(row.feed, row.agency, moment_of(row.since, zone), row.reason) for row in rows]


def feed_alarms(
    tables: ReadTables, zone: tzinfo, *, feed: str | None = None, limit: int | None = None
) -> Sequence[FeedAlarm]:
    """All alarms and their ends, newest first."""
    rows = tables.select(FEED_ALARMS, equal(feed=feed) if feed else (), order=("-position",), limit=limit)
    return [
        FeedAlarm(**{**row._asdict(), "at": moment_of(row.at, zone), "since": moment_of(row.since, zone)})
        for row in rows
    ]
