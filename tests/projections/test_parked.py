"""What did not go through is listed with its reasons."""

from datetime import timedelta
from random import Random

from adapters.bench.p5_events import City
from adapters.store.read_tables import SqlReadTables
from domain.chains import chain_name
from domain.event import Event
from domain.events import EventParked, MessageRejected
from domain.findings import Code, note, refusal
from domain.messages import MessageType
from domain.outlet import stream_id_of
from projections.parked import CONFLICTING_COPY, EVENT, REJECTED, WAITING, parked
from tests.projections.conftest import Follow
from tests.projections.samples import arrival


def happen(city: City, event: Event) -> None:
    city._append(stream_id_of("test"), event)


def test_a_refused_message_is_listed_with_its_refusals_source_and_digest(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    findings = (
        note(Code.WHITESPACE, "/", "white space was trimmed"),
        refusal(Code.DTD, "/", "a document type declaration"),
        refusal(Code.REMIT_AREA, "/alert", "outside its remit"),
    )
    happen(
        city,
        MessageRejected(
            at=city.now, agency="meteo", source="http", identifier="m-1", findings=findings, raw_sha256="ab", raw_size=3
        ),
    )
    follow(city.events)
    (item,) = parked(tables, now=city.now)
    assert (item.kind, item.agency, item.key, item.source, item.raw_sha256) == (REJECTED, "meteo", "m-1", "http", "ab")
    assert item.codes == ("dtd", "remit-area")
    assert item.sentence == "a document type declaration; outside its remit"
    assert item.as_json()["at"] == "2026-07-01T00:00:00+00:00"
    assert item.as_json()["codes"] == ["dtd", "remit-area"]


def test_a_parked_event_is_listed_with_its_stage_position_and_reason(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    parked_event = EventParked(
        at=city.now, stage="merge", position=12, topic="contributions-changed", reason="internal", detail="KeyError: x"
    )
    happen(city, parked_event)
    follow(city.events)
    (item,) = parked(tables, now=city.now, kind=EVENT)
    assert (item.source, item.key, item.codes) == ("merge", "12", ("internal",))
    assert item.sentence == "contributions-changed at position 12: KeyError: x"


def test_a_conflicting_copy_is_listed_under_its_own_digest(tables: SqlReadTables, city: City, follow: Follow) -> None:
    first = arrival(city, "m-1")
    city.arrive(first)
    city.arrive(first.model_copy(update={"raw_sha256": "another"}))
    follow(city.events)
    (item,) = parked(tables, now=city.now)
    assert (item.kind, item.agency, item.mode, item.raw_sha256) == (CONFLICTING_COPY, "meteo", "live", "another")
    assert "digest of m-1" in item.sentence


def test_an_update_that_waits_is_listed_until_its_alert_comes(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    city.arrive(arrival(city, "m-2", kind=MessageType.UPDATE, of="m-1"))
    follow(city.events)
    (item,) = parked(tables, now=city.now)
    assert (item.kind, item.key) == (WAITING, "meteo,meteo@example.org,m-1")
    assert item.until == city.now + timedelta(seconds=120)
    city.arrive(arrival(city, "m-1"))
    follow(city.events)
    assert parked(tables, now=city.now) == []


def test_a_chain_is_known_by_the_name_that_the_domain_gives_it(city: City) -> None:
    for identifier in ("m-1", "m,1", "m\\1", "m\\,1"):
        city.arrive(arrival(city, identifier))
        chain = city.outlet("110101").contributions
        assert chain_name("meteo", "meteo@example.org", identifier) in chain


def test_a_wait_that_is_over_is_no_longer_listed(tables: SqlReadTables, city: City, follow: Follow) -> None:
    city.arrive(arrival(city, "m-2", kind=MessageType.UPDATE, of="m-1"))
    follow(city.events)
    assert parked(tables, now=city.now + timedelta(seconds=120)) == []
    city.now += timedelta(seconds=120)
    city.clock()
    follow(city.events)
    assert parked(tables, now=city.now - timedelta(hours=1)) == []


def test_the_list_can_be_narrowed_and_comes_newest_first(tables: SqlReadTables, follow: Follow) -> None:
    city = City(Random(11))
    for _ in range(150):
        city.step()
    follow(city.events)
    everything = parked(tables, now=city.now)
    assert [item.position for item in everything] == sorted((item.position for item in everything), reverse=True)
    rejected = parked(tables, now=city.now, kind=REJECTED)
    assert rejected == [item for item in everything if item.kind == REJECTED]
    agency = rejected[0].agency
    assert parked(tables, now=city.now, agency=agency) == [item for item in everything if item.agency == agency]
    assert parked(tables, now=city.now, kind=REJECTED, limit=1) == rejected[:1]
