"""What reaches a downstream system, whatever goes wrong on the way."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.http.public.query import Filter
from adapters.push.pace import Pace
from adapters.webhooks.store import shown_secret
from adapters.webhooks.target import signed_headers
from domain.edge_events import WebhookDisabled
from domain.levels import Level
from domain.messages import Mode
from tests.adapters.http.public.samples import FLOOD, NORTH, SOUTH, WEST
from tests.adapters.webhooks.conftest import QUICK, House
from tests.adapters.webhooks.receivers import Receiver, Reply, Taken, receiving, takes_all, wait_until

ROOT = Path(__file__).parents[3]


def test_a_release_arrives_signed_and_whole(house: House) -> None:
    with receiving() as receiver:
        webhook = house.register(receiver.url)
        with house.serving():
            house.release(NORTH)
            [taken] = receiver.wait_for(1)
    [(position, event)] = house.releases()
    assert taken.path == "/hook?token=very-secret"
    assert taken.id == f"release-{position}"
    assert taken.headers["content-type"] == "application/json"
    assert re.fullmatch(r"v1,[A-Za-z0-9+/]{43}=", taken.headers["webhook-signature"])
    assert taken.is_signed_with(shown_secret(webhook.secret))
    document = taken.document
    assert document["type"] == "warning.released"
    assert document["timestamp"] == event.at.isoformat()
    assert document["data"]["position"] == position
    assert document["data"]["warning_id"] == event.warning_id
    assert document["data"]["sections"][0]["hazard"]["code"] == "11B03"


def test_the_documented_way_to_verify_works(house: House) -> None:
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8"), re.DOTALL)
    documented: dict[str, Any] = {}
    exec(code, documented)
    webhook = house.register("https://hooks.example.com/")
    taken = signed_headers(webhook, "release-1", datetime.now(UTC), b"{}")
    secret = shown_secret(webhook.secret)
    assert documented["is_genuine"](secret, taken, b"{}")
    assert not documented["is_genuine"](secret, taken, b"{ }")
    assert not documented["is_genuine"](secret, {**taken, "webhook-timestamp": "1789000000"}, b"{}")


def test_a_new_webhook_begins_at_now_and_one_with_a_position_there(house: House) -> None:
    house.release(NORTH)
    with receiving() as late, receiving() as early:
        house.register(late.url)
        house.register(early.url, begin=0)
        with house.serving():
            house.release(SOUTH)
            assert {one.district for one in early.wait_for(2)} == {NORTH, SOUTH}
            assert [one.district for one in late.wait_for(1)] == [SOUTH]


def test_only_what_the_filter_asks_for_is_sent(house: House) -> None:
    with receiving() as receiver:
        house.register(receiver.url, Filter(frozenset({NORTH}), frozenset({FLOOD}), Level.ORANGE))
        with house.serving():
            house.release(NORTH)
            house.release(SOUTH, hazard=FLOOD, level="orange")
            house.release(NORTH, hazard=FLOOD, level="blue")
            house.release(NORTH, hazard=FLOOD, level="orange")
            receiver.wait_for(1)
    assert [one.document["data"]["level"] for one in receiver.taken] == ["orange"]


def test_live_and_drill_never_meet(house: House) -> None:
    with receiving() as live, receiving() as drills:
        house.register(live.url)
        house.register(drills.url, mode=Mode.DRILL)
        with house.serving():
            house.release(NORTH, drill=True)
            house.release(SOUTH)
            live.wait_for(1)
            drills.wait_for(1)
    assert [one.document["data"]["mode"] for one in live.taken] == ["live"]
    assert [one.document["data"]["mode"] for one in drills.taken] == ["drill"]


def hanging(_request: Taken, _count: int) -> Reply:
    return Reply(hangs_seconds=60)


FAILURES = {
    "errors": Reply(status=500),
    "redirects": Reply(status=302, headers={"location": "http://127.0.0.1:1/metadata"}),
    "closes": Reply(closes=True),
    "giant": Reply(status=200, headers={"x-size": "large"}, body=b"x" * 200_000),
    "no-http": Reply(raw=b"SSH-2.0-Server\r\n\r\n"),
    "cut": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"),
    "too-many-headers": Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n"),
    "upgrade": Reply(raw=b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_fails_is_sent_again_under_the_same_id_and_in_order(house: House, name: str) -> None:
    def answer(_request: Taken, count: int) -> Reply:
        return FAILURES[name] if count < 2 else Reply()

    with receiving(answer) as receiver:
        house.register(receiver.url)
        with house.serving():
            house.release(NORTH, level="yellow")
            house.release(NORTH, level="orange")
            _until_accepted(house, receiver, 2)
    first, second = (f"release-{position}" for position, _ in house.releases())
    assert [one.id for one in receiver.taken] == [first, first, first, second]


def _until_accepted(house: House, receiver: Receiver, count: int) -> None:
    """Hours pass until so many were taken."""

    def holds() -> bool:
        if len(receiver.accepted) >= count:
            return True
        house.pass_time(0.005)
        return False

    wait_until(holds)


def test_a_busy_receiver_is_left_alone_for_as_long_as_it_asks(house: House) -> None:
    def answer(_request: Taken, count: int) -> Reply:
        return Reply(status=503, headers={"retry-after": "1800"}) if count == 0 else Reply()

    with receiving(answer) as receiver:
        webhook = house.register(receiver.url)
        with house.serving(), house.open() as (_, state):
            house.release(NORTH)
            house.release(SOUTH)
            receiver.wait_for(1, accepted=False)
            wait_until(lambda: (found := state.of(webhook.id)) is not None and found.not_before is not None)
            progress = state.of(webhook.id)
            assert progress is not None
            assert progress.not_before is not None
            assert (progress.not_before - house.clock.now()).total_seconds() == 1800
            house.pass_time(0.51)
            receiver.wait_for(2)


def test_a_hanging_receiver_delays_no_other(house: House) -> None:
    with receiving(hanging) as dead, receiving() as alive:
        for _ in range(3):
            house.register(dead.url)
        house.register(alive.url)
        with house.serving(pace=replace(QUICK, releases_at_once=16)):
            for district in (NORTH, SOUTH, WEST):
                for level in ("blue", "yellow", "orange"):
                    house.release(district, level=level)
            taken = alive.wait_for(9)
    for district in (NORTH, SOUTH, WEST):
        levels = [one.document["data"]["level"] for one in taken if one.district == district]
        assert levels == ["blue", "yellow", "orange"]


def test_gone_disables_with_an_event(house: House) -> None:
    with receiving(lambda _request, _count: Reply(status=410)) as receiver:
        webhook = house.register(receiver.url)
        with house.serving(), house.open() as (store, _):
            house.release(NORTH)
            wait_until(lambda: store.named(webhook.id).disabled is not None)
            wait_until(lambda: bool(_disabled(house)))
            house.release(SOUTH)
    [event] = _disabled(house)
    assert (event.webhook, event.host) == (webhook.id, "127.0.0.1")
    assert "410" in event.reason
    assert len(receiver.taken) == 1
    assert "token" not in str(event.model_dump())


def _disabled(house: House) -> list[WebhookDisabled]:
    return [one.event for one in house.platform.log.read() if isinstance(one.event, WebhookDisabled)]


def test_a_day_of_failures_disables_with_an_event_and_enabling_goes_on_where_it_stopped(house: House) -> None:
    works: list[bool] = []
    with receiving(lambda _request, _count: Reply() if works else Reply(status=500)) as receiver:
        webhook = house.register(receiver.url)
        with house.serving(), house.open() as (store, state):
            house.release(NORTH)
            for failures in range(1, 25):
                wait_until(lambda: (found := state.of(webhook.id)) is not None and found.failures == failures)  # noqa: B023
                house.pass_time(1 if failures < 24 else 0)
            assert store.named(webhook.id).disabled is None
            house.pass_time(1.1)
            wait_until(lambda: bool(_disabled(house)))
            [event] = _disabled(house)
            assert event.failing_since is not None
            assert (event.at - event.failing_since).total_seconds() >= 24 * 3600
            assert store.named(webhook.id).disabled is not None
            house.platform.runner.pump()  # what has expired by now is lifted: another release
            works.append(True)
            state.try_now(webhook.id)
            store.enable(webhook.id)
            ids = [one.id for one in receiver.wait_for(2)]
    assert ids == [f"release-{position}" for position, _ in house.releases()]


def test_a_restart_in_the_middle_loses_nothing_and_repeats_under_the_same_ids(house: House) -> None:
    for level in ("blue", "yellow", "orange"):
        for district in (NORTH, SOUTH, WEST):
            house.release(district, level=level)
    expected = [f"release-{position}" for position, _ in house.releases()]
    seen: list[Taken] = []
    with receiving(lambda _request, count: hanging(_request, count) if count == 4 else Reply()) as receiver:
        webhook = house.register(receiver.url, begin=0)
        with house.serving():
            receiver.wait_for(5, accepted=False)
        seen += receiver.accepted
        port = int(receiver.url.split(":")[2].split("/")[0])
    with receiving(port=port) as again, house.serving(), house.open() as (_, state):
        wait_until(lambda: (found := state.of(webhook.id)) is not None and not found.open)
        seen += again.accepted
    assert {one.id for one in seen} == set(expected)
    for district in (NORTH, SOUTH, WEST):
        ids = list(dict.fromkeys(one.id for one in seen if one.district == district))
        assert ids == [key for key in expected if key in ids], "the order within a district"


def test_a_replay_sends_again_under_the_same_ids(house: House) -> None:
    with receiving() as receiver:
        webhook = house.register(receiver.url)
        with house.serving(), house.open() as (_, state):
            house.release(NORTH, level="blue")
            house.release(NORTH, level="yellow")
            receiver.wait_for(2)
            state.move(webhook.id, 0)
            ids = [one.id for one in receiver.wait_for(4)]
    assert ids[:2] == ids[2:]


def test_a_disabled_webhook_gets_nothing_from_that_moment(house: House) -> None:
    with receiving() as receiver, receiving() as other:
        webhook = house.register(receiver.url)
        house.register(other.url)
        with house.serving(pace=Pace(tick_seconds=60)), house.open() as (store, _):
            house.release(NORTH)
            receiver.wait_for(1)
            other.wait_for(1)
            store.disable(webhook.id, house.clock.now(), "by hand")
            house.release(SOUTH)
            other.wait_for(2)
    assert len(receiver.taken) == 1


def test_after_a_rotation_both_secrets_verify_until_a_day_is_over(house: House) -> None:
    with receiving() as receiver:
        webhook = house.register(receiver.url)
        old = shown_secret(webhook.secret)
        with house.serving(), house.open() as (store, _):
            new = shown_secret(store.rotate(webhook.id, house.clock.now()).secret)
            house.release(NORTH)
            [first] = receiver.wait_for(1)
            house.pass_time(25)
            house.platform.runner.pump()  # what has expired by now is lifted: another release
            second = receiver.wait_for(2)[1]
    assert old != new
    assert first.is_signed_with(old)
    assert first.is_signed_with(new)
    assert second.is_signed_with(new)
    assert not second.is_signed_with(old)


def test_a_release_that_has_been_overtaken_is_still_delivered_in_order(house: House) -> None:
    fails = [True]
    with receiving(lambda _request, _count: Reply(status=500) if fails else Reply()) as receiver:
        house.register(receiver.url)
        with house.serving():
            for level in ("blue", "yellow", "orange"):
                house.release(NORTH, level=level)
            receiver.wait_for(1, accepted=False)
            fails.clear()
            _until_accepted(house, receiver, 3)
    assert [one.document["data"]["level"] for one in receiver.accepted] == ["blue", "yellow", "orange"]


def test_several_processes_change_the_same_file_without_losing_anything(house: House) -> None:
    def add(number: int) -> str:
        return house.register(f"https://example.com/{number}").id

    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(add, range(40)))
    with house.open() as (store, _):
        assert set(store.all()) == ids
    for name in ("webhooks.sqlite", "push.sqlite"):
        assert (house.folder / name).stat().st_mode & 0o077 == 0


def test_connections_are_used_again(house: House) -> None:
    with receiving(takes_all) as receiver:
        house.register(receiver.url)
        with house.serving():
            for level in ("blue", "yellow", "orange"):
                house.release(NORTH, level=level)
            receiver.wait_for(3)
    assert receiver.connections <= 2
