"""`/v1/warnings`: what is in force, by place, hazard, level and moment; never what was not released."""

from typing import Any

import pytest

from domain.messages import Mode
from domain.release import Approve
from tests.adapters.http.public.conftest import Desk, Served
from tests.adapters.http.public.samples import (
    FLOOD,
    IN_NORTH,
    IN_SOUTH,
    NORTH,
    NOWHERE,
    RAIN,
    SOUTH,
    WATER,
    WEST,
    at,
    cap,
    reference,
)


def districts(served: Served, **parameters: Any) -> list[str]:
    answer = served.get("/v1/warnings", params=parameters)
    assert answer.status_code == 200, answer.text
    return [feature["properties"]["code"] for feature in answer.json()["features"]]


def test_each_district_with_a_released_warning_is_one_feature_with_its_boundary(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1", level="orange", districts=(NORTH, WEST)))
    desk.deliver(cap("f1", hazard=FLOOD, sender=WATER))
    answer = served.get("/v1/warnings")
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    north, west = answer.json()["features"]
    assert north["geometry"]["type"] == "Polygon"
    assert north["geometry"]["coordinates"][0][0] == [20.0, 10.0]
    assert west["geometry"] is None
    said = north["properties"]
    assert (said["code"], said["name"], said["level"], said["release"]) == (NORTH, "North", "orange", 2)
    assert [section["hazard"]["code"] for section in said["sections"]] == [RAIN, FLOOD]
    assert said["released_at"] == "2031-03-04T17:00:00+09:00"
    assert north["id"] == said["warning_id"] == desk.newest().warning_id


def test_nothing_released_is_an_empty_collection(served: Served) -> None:
    assert served.get("/v1/warnings").json()["features"] == []


def test_filters_leave_only_what_is_asked_for(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1", level="orange"))
    desk.deliver(cap("f1", hazard=FLOOD, level="yellow", districts=(SOUTH,)))
    desk.deliver(cap("f2", hazard=FLOOD, level="blue", districts=(NORTH,), sender=WATER))
    assert districts(served, district=NORTH) == [NORTH]
    assert districts(served, district=f"{NORTH},{SOUTH}") == [NORTH, SOUTH]
    assert districts(served, hazard=RAIN) == [NORTH]
    assert districts(served, level_min="orange") == [NORTH]
    assert districts(served, hazard=FLOOD, level_min="yellow") == [SOUTH]
    assert districts(served, point=IN_NORTH) == [NORTH]
    assert districts(served, point=IN_SOUTH) == [SOUTH]
    assert districts(served, point=NOWHERE) == []
    assert districts(served, bbox="20.9,10.9,22.1,12.1") == [NORTH, SOUTH]
    assert districts(served, bbox="22.9,0,22.95,40") == [SOUTH]
    assert districts(served, bbox="170,0,-170,40") == []


def test_a_district_without_a_boundary_is_named_where_it_could_not_be_tested(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1", districts=(NORTH, WEST)))
    assert served.get("/v1/warnings", params={"point": IN_NORTH}).json()["unlocated"] == [WEST]
    assert served.get("/v1/warnings").json()["unlocated"] == []


def test_a_past_moment_is_answered_as_it_was_released_then(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1"), minutes=0)
    desk.deliver(cap("r2", kind="Update", level="orange", minutes=30, references=reference("r1")), minutes=30)
    desk.deliver(cap("f1", hazard=FLOOD, districts=(SOUTH,), minutes=60), minutes=60)

    def shown(minutes: float) -> list[tuple[str, str]]:
        found = served.get("/v1/warnings", params={"at": at(minutes).isoformat()}).json()["features"]
        return [(one["properties"]["code"], one["properties"]["level"]) for one in found]

    assert shown(-1) == []
    assert shown(10) == [(NORTH, "yellow")]
    assert shown(30) == [(NORTH, "orange")]
    assert shown(60) == [(NORTH, "orange"), (SOUTH, "yellow")]


def test_what_has_expired_is_not_shown_even_before_that_is_recorded(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1", hours=1), minutes=0)
    desk.deliver(cap("f1", hazard=FLOOD, sender=WATER, hours=2), minutes=0)
    desk.platform.clock.set(at(61))  # type: ignore[attr-defined]
    [feature] = served.get("/v1/warnings").json()["features"]
    assert [section["hazard"]["code"] for section in feature["properties"]["sections"]] == [FLOOD]
    desk.platform.clock.set(at(121))  # type: ignore[attr-defined]
    assert districts(served) == []
    assert districts(served, at=at(10).isoformat()) == [NORTH]


def test_a_zone_whose_plus_was_not_escaped_is_understood(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1"))
    assert served.get("/v1/warnings?at=2031-03-04T17:00:00+09:00").json()["features"] != []


def test_a_drill_is_never_shown(desk: Desk, served: Served) -> None:
    desk.deliver(cap("d1", level="orange", status="Exercise"))
    [(_, drill)] = desk.releases(Mode.DRILL)
    assert districts(served) == []
    for path in ("", "/revisions", "/revisions/1", "/revisions/1.cap", "/explain", ".cap"):
        assert served.get(f"/v1/warnings/{drill.warning_id}{path}").status_code == 404
    assert b"<entry>" not in served.get("/v1/feed.atom").content


def test_what_is_held_is_shown_nowhere_until_it_is_approved(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1", level="red", text="Held words."), minutes=0)
    held = desk.platform.house.ledger.outlet(NORTH, Mode.LIVE).warning_id
    assert districts(served) == []
    assert served.get(f"/v1/warnings/{held}").status_code == 404
    desk.deliver(cap("f1", hazard=FLOOD, sender=WATER), minutes=1)
    shown = [served.get(f"/v1/warnings/{held}{end}").text for end in ("", ".cap", "/revisions", "/explain")]
    shown += [served.get("/v1/warnings").text, served.get("/v1/feed.atom").text]
    assert not [text for text in shown for secret in ("Held words.", '"red"', "Extreme", "r1 says") if secret in text]
    desk.platform.runner.command(NORTH, Mode.LIVE, Approve(RAIN, by="officer-7"))
    desk.platform.runner.pump()
    [feature] = served.get("/v1/warnings").json()["features"]
    assert feature["properties"]["level"] == "red"
    assert "officer-7" not in served.get(f"/v1/warnings/{held}/explain").text


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("distrikt=N1", "distrikt"),
        ("district=330604", "330604"),
        ("hazard=snow", "snow"),
        ("level_min=purple", "purple"),
        ("level_min=red&level_min=blue", "once"),
        ("point=91,0", "latitude"),
        ("point=nan,0", "latitude"),
        ("bbox=1,2,3", "4 numbers"),
        ("bbox=0,10,1,5", "south"),
        ("at=2031-03-04T08:00:00", "zone"),
        ("at=yesterday", "yesterday"),
        ("at=2131-03-04T08:00:00Z", "future"),
        ("limit=0", "1 to"),
        ("cursor=x", "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("limit=" + "9" * 500, "long"),
    ],
)
def test_a_parameter_that_is_unknown_or_cannot_be_used_is_refused_with_its_reason(
    served: Served, query: str, named: str
) -> None:
    answer = served.get(f"/v1/warnings?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert named in answer.json()["findings"][0]["sentence"]


def test_every_defect_is_named_at_once(served: Served) -> None:
    assert len(served.get("/v1/warnings?a=1&b=2&level_min=x").json()["findings"]) == 3


def test_pages_are_parts_of_one_answer_whatever_comes_meanwhile(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1", districts=(NORTH, WEST)), minutes=0)
    first = served.get("/v1/warnings", params={"limit": 1})
    desk.deliver(cap("r2", districts=(SOUTH,)), minutes=0)
    cursor = first.json()["next_cursor"]
    second = served.get("/v1/warnings", params={"limit": 1, "cursor": cursor})
    codes = [feature["properties"]["code"] for page in (first, second) for feature in page.json()["features"]]
    assert codes == [NORTH, WEST]
    assert second.json()["next_cursor"] is None
    assert second.json()["at"] == first.json()["at"]
    assert served.client.get(first.headers["link"].partition(">")[0].strip("<")).json() == second.json()
    assert served.get("/v1/warnings", params={"cursor": cursor, "hazard": RAIN}).status_code == 400


def test_who_has_the_answer_is_told_so_until_something_changes(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1"), minutes=0)
    tag = served.get("/v1/warnings").headers["etag"]
    desk.platform.advance(at(5))
    same = served.get("/v1/warnings", headers={"If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == tag
    assert "max-age" in same.headers["cache-control"]
    desk.deliver(cap("f1", hazard=FLOOD, minutes=6), minutes=6)
    changed = served.get("/v1/warnings", headers={"If-None-Match": tag})
    assert changed.status_code == 200


def test_a_page_of_another_origin_may_ask(served: Served) -> None:
    answer = served.client.options("/v1/warnings")
    assert answer.status_code == 204
    assert "Last-Event-ID" in answer.headers["access-control-allow-headers"]
    assert served.client.head("/v1/warnings").headers["etag"] == served.get("/v1/warnings").headers["etag"]
