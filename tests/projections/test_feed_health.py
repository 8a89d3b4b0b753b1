"""Which feeds are silent now, and every alarm that was."""

from datetime import UTC, datetime, timedelta

from adapters.bench.p5_events import City
from adapters.store.read_tables import SqlReadTables
from domain.edge_events import FeedFellSilent, FeedHeardAgain
from domain.outlet import stream_id_of
from projections.feed_health import FELL_SILENT, HEARD_AGAIN, feed_alarms, silent_feeds
from tests.projections.conftest import Follow

NOON = datetime(2031, 3, 4, 12, tzinfo=UTC)


def fell(city: City, feed: str, minutes: int) -> None:
    at = NOON + timedelta(minutes=minutes)
    event = FeedFellSilent(at=at, feed=feed, agency="met", quiet_seconds=60, last_success=NOON, reason=f"{feed} is off")
    city._append(stream_id_of("feed", feed), event)


def heard(city: City, feed: str, minutes: int, since: int) -> None:
    at, silent_since = NOON + timedelta(minutes=minutes), NOON + timedelta(minutes=since)
    city._append(stream_id_of("feed", feed), FeedHeardAgain(at=at, feed=feed, agency="met", silent_since=silent_since))


def test_feeds_are_silent_until_they_are_heard_again(tables: SqlReadTables, city: City, follow: Follow) -> None:
    fell(city, "b", 2)
    fell(city, "a", 1)
    heard(city, "b", 5, since=2)
    follow(city.events)
    [silent] = silent_feeds(tables, UTC)
    assert (silent.feed, silent.agency, silent.since, silent.reason) == (
        "a",
        "met",
        NOON + timedelta(minutes=1),
        "a is off",
    )


def test_every_alarm_and_its_end_stays_on_record_newest_first(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    fell(city, "a", 1)
    heard(city, "a", 5, since=1)
    fell(city, "b", 6)
    follow(city.events)
    assert [(alarm.feed, alarm.kind) for alarm in feed_alarms(tables, UTC)] == [
        ("b", FELL_SILENT),
        ("a", HEARD_AGAIN),
        ("a", FELL_SILENT),
    ]
    [end, _] = feed_alarms(tables, UTC, feed="a")
    assert end.as_json()["since"] == "2031-03-04T12:01:00+00:00"
    assert end.as_json()["at"] == "2031-03-04T12:05:00+00:00"
    assert len(feed_alarms(tables, UTC, limit=1)) == 1
