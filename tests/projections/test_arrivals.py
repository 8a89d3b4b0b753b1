"""What came from each agency, from the recorded events."""

from datetime import timedelta
from random import Random

from adapters.bench.p5_events import City
from adapters.store.read_tables import SqlReadTables
from domain.arrivals import WINDOW_SECONDS, Outcome, begin_of
from domain.events import MessageRejected
from domain.messages import Mode
from domain.outlet import stream_id_of
from projections.arrivals import arrival_windows
from tests.projections.conftest import Follow
from tests.projections.samples import arrival


def refuse(city: City, agency: str) -> None:
    event = MessageRejected(at=city.now, agency=agency, source="http", findings=(), raw_sha256="0", raw_size=1)
    city._append(stream_id_of("rejected", str(len(city.events))), event)


def test_what_is_accepted_refused_and_repeated_is_counted_for_its_agency(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    first = arrival(city, "m-1")
    city.arrive(first)
    city.arrive(first)
    city.arrive(first.model_copy(update={"raw_sha256": "another"}))
    refuse(city, "meteo")
    refuse(city, "")
    follow(city.events)
    nobody, meteo = arrival_windows(tables, city.now)
    assert (meteo.agency, meteo.accepted, meteo.refused, meteo.repeated) == ("meteo", 1, 1, 2)
    assert (meteo.begin, meteo.last) == (begin_of(city.now), city.now)
    assert (nobody.agency, nobody.accepted, nobody.refused, nobody.repeated) == ("", 0, 1, 0)


def test_drills_are_left_out(tables: SqlReadTables, city: City, follow: Follow) -> None:
    drill = arrival(city, "d-1", mode=Mode.DRILL)
    city.arrive(drill)
    city.arrive(drill)
    city.arrive(drill.model_copy(update={"raw_sha256": "another"}))
    follow(city.events)
    assert arrival_windows(tables, city.now) == []


def test_windows_are_whole_from_the_one_asked_for_on(tables: SqlReadTables, city: City, follow: Follow) -> None:
    city.now = begin_of(city.now)
    for number in range(4):
        city.arrive(arrival(city, f"m-{number}"))
        city.now += timedelta(seconds=WINDOW_SECONDS / 2)
    follow(city.events)
    second = city.now - timedelta(seconds=WINDOW_SECONDS)
    assert [window.accepted for window in arrival_windows(tables, second - timedelta(seconds=1))] == [2, 2]
    [last] = arrival_windows(tables, second + timedelta(seconds=WINDOW_SECONDS - 1))
    assert (last.begin, last.accepted) == (second, 2)


def test_one_agency_is_shown_as_it_is_among_all(tables: SqlReadTables, follow: Follow) -> None:
    city = City(Random(11))
    begin = city.now
    for _ in range(150):
        city.step()
    follow(city.events)
    windows = arrival_windows(tables, begin)
    agency = windows[-1].agency
    assert arrival_windows(tables, begin, agency=agency) == [window for window in windows if window.agency == agency]
    assert all(sum(window.of(outcome) for window in windows) for outcome in Outcome)
