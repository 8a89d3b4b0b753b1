"""What falls due when, and what no longer does."""

from datetime import datetime, timedelta
from random import Random

from adapters.bench.p5_events import City
from adapters.store.read_tables import SqlReadTables
from domain.levels import Level
from domain.messages import MessageType, Mode
from domain.release import Approve, Refuse
from projections.deadlines import Due, due, next_due, settled
from tests.projections.conftest import Follow
from tests.projections.samples import DISTRICT, arrival

ALL = datetime.fromisoformat("2100-01-01T00:00:00Z")


def kinds(tables: SqlReadTables) -> list[tuple[str, str, str]]:
    return [(one.kind, one.owner, one.key) for one in due(tables, ALL)]


def test_nothing_is_due_in_an_empty_log(tables: SqlReadTables) -> None:
    assert due(tables, ALL) == []
    assert next_due(tables) is None


def test_a_contribution_falls_due_when_its_statement_expires_and_not_before(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    city.arrive(arrival(city, "m-1", minutes=60))
    follow(city.events)
    expiry = city.now + timedelta(minutes=60)
    found = Due("expiry", "live", DISTRICT, "meteo,meteo@example.org,m-1", expiry)
    assert found not in due(tables, expiry - timedelta(microseconds=1))
    assert due(tables, expiry)[-1] == found


def test_a_grouped_release_falls_due_until_it_is_released(tables: SqlReadTables, city: City, follow: Follow) -> None:
    city.arrive(arrival(city, "m-1"))
    follow(city.events)
    assert next_due(tables) == city.now + timedelta(seconds=30)
    assert kinds(tables)[0] == ("release", DISTRICT, "")
    city.now += timedelta(seconds=30)
    city.clock()
    follow(city.events)
    assert kinds(tables) == [("expiry", DISTRICT, "meteo,meteo@example.org,m-1")]


def test_what_a_list_shows_has_no_expiry(tables: SqlReadTables, city: City, follow: Follow) -> None:
    city.arrive(arrival(city, "m-1", minutes=None))
    follow(city.events)
    assert kinds(tables) == [("release", DISTRICT, "")]


def test_an_update_moves_the_expiry(tables: SqlReadTables, city: City, follow: Follow) -> None:
    city.arrive(arrival(city, "m-1", minutes=60))
    city.arrive(arrival(city, "m-2", minutes=90, kind=MessageType.UPDATE, of="m-1"))
    follow(city.events)
    expiries = [one.due for one in due(tables, ALL) if one.kind == "expiry"]
    assert expiries == [city.now + timedelta(minutes=90)]


def test_a_cancelled_warning_leaves_nothing_due(tables: SqlReadTables, city: City, follow: Follow) -> None:
    city.arrive(arrival(city, "m-1"))
    city.arrive(arrival(city, "m-2", kind=MessageType.CANCEL, of="m-1"))
    follow(city.events)
    assert kinds(tables) == []


def test_an_approval_falls_due_until_it_is_given_or_refused(tables: SqlReadTables, city: City, follow: Follow) -> None:
    city.arrive(arrival(city, "m-1", level=Level.RED))
    city.arrive(arrival(city, "w-1", agency="water", hazard="flood", level=Level.RED))
    follow(city.events)
    approvals = [one for one in kinds(tables) if one[0] == "approval"]
    assert approvals == [("approval", DISTRICT, "flood"), ("approval", DISTRICT, "rainstorm")]
    city.release(DISTRICT, Mode.LIVE, Approve("flood", "li"))
    city.release(DISTRICT, Mode.LIVE, Refuse("rainstorm", "wang", "no"))
    follow(city.events)
    assert not [one for one in kinds(tables) if one[0] == "approval"]


def test_a_wait_falls_due_until_it_has_ended(tables: SqlReadTables, city: City, follow: Follow) -> None:
    city.arrive(arrival(city, "m-2", kind=MessageType.UPDATE, of="m-1"))
    follow(city.events)
    wait = ("wait", "meteo", "meteo,meteo@example.org,m-1")
    assert kinds(tables) == [wait]
    city.now += timedelta(seconds=120)
    city.clock()
    follow(city.events)
    assert wait not in kinds(tables)


def test_what_was_settled_never_fires_again(tables: SqlReadTables, city: City, follow: Follow) -> None:
    city.arrive(arrival(city, "m-1", minutes=None))
    city.arrive(arrival(city, "w-1", agency="water", minutes=60))
    follow(city.events)
    expiries = [one for one in due(tables, ALL) if one.kind == "expiry"]
    settled(tables, expiries)
    assert [one.kind for one in due(tables, ALL)] == ["release"]
    assert due(tables, ALL, limit=0) == []


def test_no_expiry_that_the_state_waits_for_is_missing(tables: SqlReadTables, follow: Follow) -> None:
    city = City(Random(3))
    for _ in range(80):
        city.step()
    follow(city.events)
    found = {(one.owner, one.key, one.due) for one in due(tables, ALL) if one.kind == "expiry" and one.mode == "live"}
    expected = {
        (district, chain, statement.expires)
        for district in city.districts
        for chain, contribution in city.outlet(district).contributions.items()
        for statement in contribution.statements
        if statement.expires is not None
    }
    assert found == expected
    holds = {(district, hazard) for district in city.districts for hazard in city.outlet(district).holds}
    found_holds = {(one.owner, one.key) for one in due(tables, ALL) if one.kind == "approval" and one.mode == "live"}
    assert found_holds == holds
