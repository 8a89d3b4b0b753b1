"""Releases are found again, and say what they said."""

from datetime import timedelta

import pytest

from adapters.bench.p5_events import City
from adapters.store.read_tables import SqlReadTables
from adapters.store.sqlite_log import SqliteEventLog
from domain.events import WarningReleased
from domain.levels import Level
from domain.messages import Mode
from projections.releases import release_named, release_of_revision, released, releases
from tests.projections.conftest import Follow
from tests.projections.samples import DISTRICT, arrival

OTHER = "110102"


def two_releases(city: City) -> None:
    city.arrive(arrival(city, "m-1"))
    city.now += timedelta(seconds=30)
    city.clock()
    city.arrive(arrival(city, "w-1", agency="water", level=Level.ORANGE))
    city.arrive(arrival(city, "g-1", agency="geology", codes=(OTHER,)))
    city.now += timedelta(seconds=30)
    city.clock()


def test_every_release_is_kept_and_listed_newest_first(tables: SqlReadTables, city: City, follow: Follow) -> None:
    two_releases(city)
    follow(city.events)
    happened = [new.event for new in city.events if isinstance(new.event, WarningReleased)]
    listed = releases(tables)
    assert [one.row.identifier for one in listed] == [event.identifier for event in reversed(happened)]
    assert [one.row.number for one in releases(tables, district=DISTRICT)] == [2, 1]
    assert [one.row.district for one in releases(tables, district=OTHER, mode=Mode.LIVE)] == [OTHER]
    assert releases(tables, mode=Mode.DRILL) == []
    assert releases(tables, limit=1) == listed[:1]
    assert releases(tables, until=happened[0].at)[-1].row.identifier == happened[0].identifier
    assert len(releases(tables, warning_id=city.outlet(DISTRICT).warning_id)) == 2


def test_a_release_reads_as_it_went_out(log: SqliteEventLog, tables: SqlReadTables, city: City, follow: Follow) -> None:
    two_releases(city)
    follow(city.events)
    happened = [new.event for new in city.events if isinstance(new.event, WarningReleased)]
    for event in happened:
        release = release_named(tables, event.identifier)
        assert release is not None
        assert released(log, release) == event
        shown = release.as_json()
        plain = event.model_dump(mode="json")
        assert {name: shown[name] for name in ("number", "texts", "changes", "cause", "revision")} == {
            name: plain[name] for name in ("number", "texts", "changes", "cause", "revision")
        }
        assert shown["cap"] == {"name": f"{event.identifier}.xml", "text": event.cap}
        assert [one["identifier"] for one in shown["section_messages"]] == [
            one.identifier for one in event.section_messages
        ]
    assert release_named(tables, "unknown") is None


def test_a_revision_became_public_with_the_first_release_that_holds_it(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    two_releases(city)
    follow(city.events)
    warning = city.outlet(DISTRICT).warning_id
    first, second = release_of_revision(tables, warning, 1), release_of_revision(tables, warning, 2)
    assert first is not None
    assert second is not None
    assert (first.row.number, second.row.number) == (1, 2)
    assert release_of_revision(tables, warning, 99) is None


def test_tables_of_another_log_are_found_out(
    log: SqliteEventLog, tables: SqlReadTables, city: City, follow: Follow
) -> None:
    two_releases(city)
    follow(city.events)
    release = releases(tables)[0]
    strange = release._replace(row=release.row._replace(position=1))
    with pytest.raises(LookupError, match="rebuild"):
        released(log, strange)
