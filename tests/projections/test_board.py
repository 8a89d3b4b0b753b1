"""What the board shows, now and at past moments."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.bench.p5_events import City
from adapters.store.read_tables import SqlReadTables
from domain.levels import Level
from domain.merging import merge
from domain.messages import MessageType, Mode
from domain.outlet import SettleConflict
from domain.policy import Policy
from projections.base import ReadTables
from projections.board import board, sections_in_force
from tests.projections.conftest import Follow
from tests.projections.samples import DISTRICT, TOWN, arrival

NAMES = {DISTRICT: "东城区"}


def shown(tables: ReadTables, city: City, at: datetime | None = None, policy: Policy | None = None) -> dict[str, Any]:
    return board(tables, at=at or city.now, mode=Mode.LIVE, policy=policy or city.policy, gazetteer_names=NAMES)


def test_an_empty_log_shows_an_empty_board(tables: SqlReadTables, city: City) -> None:
    assert shown(tables, city) == {"at": "2026-07-01T08:00:00+08:00", "mode": "live", "districts": []}


def test_a_warning_in_force_is_shown_in_the_documented_shape(tables: SqlReadTables, city: City, follow: Follow) -> None:
    city.arrive(arrival(city, "m-1", level=Level.ORANGE))
    follow(city.events)
    (district,) = shown(tables, city)["districts"]
    sections = district.pop("sections")
    assert district == {
        "code": DISTRICT,
        "name": "东城区",
        "warning_id": city.outlet(DISTRICT).warning_id,
        "revision": 1,
        "released_revision": None,
        "level": "orange",
    }
    (section,) = sections
    assert section == {
        "hazard": {"code": "rainstorm", "name_zh": "灾种rainstorm", "name_en": "rainstorm"},
        "level": "orange",
        "issuers": [{"id": "meteo", "name_zh": "市meteo局", "name_en": "meteo bureau"}],
        "areas": [{"code": DISTRICT, "name": f"name of {DISTRICT}", "level": "orange"}],
        "effective": "2026-07-01T08:00:00+08:00",
        "expires": "2026-07-01T09:00:00+08:00",
        "conflict": None,
        "text": "text m-1",
        "headlines": dict(city.outlet(DISTRICT).sections[0].headlines),
        "relayed": [
            {
                "agency": "meteo",
                "station": "meteo station",
                "language": "zh-CN",
                "sent": "2026-07-01T08:00:00+08:00",
                "headline": "headline m-1",
                "description": "text m-1",
                "instruction": "do m-1",
            }
        ],
    }


def test_a_section_is_left_out_from_the_moment_its_last_contributor_expires(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    city.arrive(arrival(city, "m-1", minutes=60))
    city.arrive(arrival(city, "w-1", agency="water", hazard="flood", minutes=120))
    follow(city.events)
    last = city.now + timedelta(minutes=60)
    just_before = shown(tables, city, last - timedelta(microseconds=1))["districts"][0]["sections"]
    from_then_on = shown(tables, city, last)["districts"][0]["sections"]
    assert [section["hazard"]["code"] for section in just_before] == ["rainstorm", "flood"]
    assert [section["hazard"]["code"] for section in from_then_on] == ["flood"]
    assert shown(tables, city, city.now + timedelta(minutes=120))["districts"] == []


def test_a_section_some_of_whose_contributors_have_expired_is_what_the_others_alone_make(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    city.arrive(arrival(city, "m-1", level=Level.ORANGE, codes=(TOWN,), minutes=30))
    city.arrive(arrival(city, "w-1", agency="water", level=Level.BLUE, minutes=None))
    follow(city.events)
    (before,) = shown(tables, city)["districts"][0]["sections"]
    (after,) = shown(tables, city, city.now + timedelta(minutes=30))["districts"][0]["sections"]
    assert [area["code"] for area in before["areas"]] == [DISTRICT, TOWN]
    assert before["conflict"]["levels"] == {"meteo": "orange", "water": "blue"}
    assert [issuer["id"] for issuer in after["issuers"]] == ["water"]
    assert after["areas"] == [{"code": DISTRICT, "name": f"name of {DISTRICT}", "level": "blue"}]
    assert (after["level"], after["conflict"], after["expires"], after["text"]) == ("blue", None, None, "text w-1")


def test_a_settled_conflict_stays_settled_when_a_third_contributor_expires(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    city.arrive(arrival(city, "m-1", level=Level.ORANGE))
    city.arrive(arrival(city, "w-1", agency="water", level=Level.BLUE))
    city.arrive(arrival(city, "g-1", agency="water", level=Level.WHITE, minutes=20))
    city.command(DISTRICT, Mode.LIVE, SettleConflict("rainstorm", "zhang", "agreed"))
    follow(city.events)
    (section,) = shown(tables, city, city.now + timedelta(minutes=20))["districts"][0]["sections"]
    assert len(section["relayed"]) == 2
    assert (section["conflict"]["settled_by"], section["conflict"]["settled_reason"]) == ("zhang", "agreed")


def test_a_released_revision_is_named_from_its_release_on(tables: SqlReadTables, city: City, follow: Follow) -> None:
    begun = city.now
    city.arrive(arrival(city, "m-1"))
    city.now += timedelta(seconds=30)
    city.clock()
    follow(city.events)
    assert shown(tables, city, begun)["districts"][0]["released_revision"] is None
    assert shown(tables, city)["districts"][0]["released_revision"] == 1


def test_live_and_drill_are_shown_apart(tables: SqlReadTables, city: City, follow: Follow) -> None:
    city.arrive(arrival(city, "m-1", mode=Mode.DRILL))
    follow(city.events)
    drill = board(tables, at=city.now, mode=Mode.DRILL, policy=city.policy, gazetteer_names=NAMES)
    assert shown(tables, city)["districts"] == []
    assert len(drill["districts"]) == 1


def test_of_two_revisions_at_one_moment_the_later_recorded_stands(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    city.arrive(arrival(city, "m-1"))
    city.arrive(arrival(city, "m-2", kind=MessageType.CANCEL, of="m-1"))
    follow(city.events)
    assert shown(tables, city)["districts"] == []


def test_the_past_stays_readable_when_the_policy_no_longer_knows_hazard_or_agency(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    city.arrive(arrival(city, "m-1", minutes=30))
    city.arrive(arrival(city, "w-1", agency="water", minutes=60))
    follow(city.events)
    fields = {name: getattr(city.policy, name) for name in Policy.model_fields}
    newer = Policy(**{**fields, "hazards": (), "agencies": city.policy.agencies[:1]})
    (section,) = shown(tables, city, city.now + timedelta(minutes=30), newer)["districts"][0]["sections"]
    assert section["hazard"] == {"code": "rainstorm", "name_zh": "rainstorm", "name_en": "rainstorm"}
    assert section["issuers"] == [{"id": "water", "name_zh": "water", "name_en": "water"}]


@given(random=st.randoms(use_true_random=False), later_minutes=st.integers(0, 400))
def test_contributors_in_force_make_the_sections_that_their_contributions_would(
    random: Random, later_minutes: int
) -> None:
    city = City(random)
    for _ in range(25):
        city.step()
    at = city.now + timedelta(minutes=later_minutes)
    for district in city.districts:
        state = city.outlet(district)
        expected = merge(state.contributions.values(), policy=city.policy, now=at, settlements=state.settlements)
        found = sections_in_force(state.sections, policy=city.policy, at=at)
        # Whether a settlement still fits is a matter of the district's whole history; all else must be equal.
        assert [_unsettled(section) for section in found] == [_unsettled(section) for section in expected]


def _unsettled(section: Any) -> dict[str, Any]:
    fields: dict[str, Any] = section.model_dump()
    if fields["conflict"]:
        fields["conflict"] |= {"settled_by": "", "settled_reason": ""}
    return fields
