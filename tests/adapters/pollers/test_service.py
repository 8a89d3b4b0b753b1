"""The pollers' thread: feeds are taken in while it runs, silence becomes an alarm, one feed's trouble is its own."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from adapters.connections import ConnectionsError, parse_connections
from adapters.pollers.assembly import Source, prepare
from adapters.pollers.definition import FeedDefinition
from adapters.pollers.looks import FeedError, Look, failed
from adapters.pollers.service import Pollers, pollers
from adapters.pollers.watching import Watch
from adapters.services import people, services
from domain.feed_health import PollOutcome
from projections.feed_health import silent_feeds
from tests.adapters.cli.samples import cap
from tests.adapters.pollers.conftest import World
from tests.adapters.pollers.feeds import atom, entry, listed, page
from tests.adapters.pollers.site import Page

PATIENCE_SECONDS = 20.0


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def watch(world: World, definition: FeedDefinition) -> Watch:
    """As a process that has just started does."""
    return Watch(definition, world.store, world.platform.log, world.platform.runner.record)


GOOD = Look(PollOutcome.OK)
BAD = failed(FeedError("http-status", "it answered 500"))


def looked(world: World, watched: Watch, look: Look, minutes: float) -> None:
    world.clock.set(world.clock.now() + timedelta(minutes=minutes))
    watched.looked(look, 0.1, world.clock.now())


def test_a_silent_feed_is_one_alarm_over_looks_and_restarts_and_being_heard_ends_it(world: World) -> None:
    definition = world.cap_feed(quiet_seconds=600)
    first = watch(world, definition)
    looked(world, first, GOOD, 0)
    looked(world, first, BAD, 9)
    assert world.alarms("met") == []
    looked(world, first, BAD, 2)
    looked(world, first, BAD, 1)
    assert world.alarms("met") == ["silent"]
    world.platform.project()
    assert [silent.feed for silent in silent_feeds(world.platform.tables, world.platform.policy.zone)] == ["met"]
    again = watch(world, definition)
    looked(world, again, BAD, 600)
    assert world.alarms("met") == ["silent"]
    looked(world, again, GOOD, 1)
    looked(world, watch(world, definition), GOOD, 1)
    assert world.alarms("met") == ["silent", "heard"]
    world.platform.project()
    assert not silent_feeds(world.platform.tables, world.platform.policy.zone)


def test_an_alarm_that_was_recorded_before_a_crash_is_not_recorded_again(world: World) -> None:
    definition = world.cap_feed(quiet_seconds=600)
    first = watch(world, definition)
    looked(world, first, BAD, 0)
    before = first.health
    looked(world, first, BAD, 11)
    world.store.keep_health("met", before)  # the figures are those from before the crash
    looked(world, watch(world, definition), BAD, 30)
    assert world.alarms("met") == ["silent"]


def test_figures_survive_a_restart_and_the_time_between_is_not_the_feeds_silence(world: World) -> None:
    definition = world.cap_feed(quiet_seconds=600)
    looked(world, watch(world, definition), GOOD, 0)
    again = watch(world, definition)
    looked(world, again, BAD, 6000)
    assert (again.health.polls, again.health.failures, world.alarms("met")) == (2, 1, [])


def test_feeds_are_served_side_by_side_and_the_unreachable_one_is_only_itself(world: World) -> None:
    world.site.put("/feed", atom(entry("1", "/1")))
    world.site.put("/1", cap("a1"))
    world.site.put("/list", page(listed("r1", places="South")))
    drop = world.folder / "drop"
    drop.mkdir()
    (drop / "a.xml").write_text(cap("f1", hazard="FLOOD", districts=("S2",)))
    world.site.pages["/broken"] = Page(b"", 500)
    port = world.site.port
    connections = parse_connections(
        f"""
[outbound]
networks = ["127.0.0.0/8"]

[[feeds]]
id = "met"
kind = "cap-feed"
agency = "weather"
url = "http://127.0.0.1:{port}/feed"
interval_seconds = 1

[[feeds]]
id = "board"
kind = "list"
profile = "profile.toml"
url = "http://127.0.0.1:{port}/list"
interval_seconds = 1

[[feeds]]
id = "drop"
kind = "folder"
agency = "weather"
folder = "drop"
interval_seconds = 1

[[feeds]]
id = "broken"
kind = "cap-feed"
agency = "water"
url = "http://127.0.0.1:{port}/broken"
interval_seconds = 1
"""
    )
    with people(world.platform, connections) as told, services(world.platform, connections, told):
        until(lambda: world.store.health("board").polls >= 2 and world.store.health("broken").polls >= 1)
        until(lambda: world.store.health("met").polls >= 1 and world.store.health("drop").polls >= 1)
    assert sorted(world.accepted()) == ["a1", "f1", "r1"]
    world.platform.runner.pump()
    assert world.in_force() == ["a1 says RAIN0", "f1 says FLOOD", "r1 says yellow"]
    assert world.store.health("broken").last_reason == "http-status: 127.0.0.1 answered 500"
    assert not [thread for thread in threading.enumerate() if thread.name == "pollers"]


def test_the_thread_ends_while_a_request_hangs(world: World) -> None:
    world.site.pages["/feed"] = Page(b"", seconds=3.0)
    began = time.monotonic()
    with pollers(world.platform, [world.cap_feed()], world.around):
        until(lambda: world.site.count("/feed") == 1)
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_a_defect_in_one_look_is_a_failed_look(world: World, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        async def look(self) -> Look:
            raise ZeroDivisionError("an example")

    serving = Pollers(world.platform, (), world.around, world.store)
    source: Source = Broken()
    look, _ = asyncio.run(serving.look(world.cap_feed(), source))
    assert look.reason == "outlet: a defect of this outlet: ZeroDivisionError: an example"


def test_a_stop_in_the_middle_of_a_feed_fetches_no_entry_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.pollers.cap_feed.AT_ONCE", 1)
    world.site.put("/feed", atom(*(entry(str(number), f"/{number}", minutes=number) for number in (1, 2, 3))))
    for number in (1, 2, 3):
        world.site.put(f"/{number}", cap(f"a{number}"))
    world.site.pages["/2"] = Page(cap("a2").encode(), seconds=3.0)
    with pollers(world.platform, [world.cap_feed()], world.around):
        until(lambda: world.site.count("/2") == 1)
    assert world.accepted() == ["a1"]
    world.site.put("/2", cap("a2"))
    with pollers(world.platform, [world.cap_feed()], world.around):
        until(lambda: world.store.health("met").messages >= 2)
    assert world.accepted() == ["a1", "a2", "a3"]
    assert (world.site.count("/1"), world.duplicates()) == (1, 0)


def test_a_feed_that_cannot_be_used_stops_the_start_with_a_sentence(world: World) -> None:
    definition = world.cap_feed(agency="nobody")
    with pytest.raises(ConnectionsError, match="nobody"), pollers(world.platform, [definition], world.around):
        raise AssertionError("it must not come so far")


def test_without_feeds_there_is_no_thread_and_no_file(world: World) -> None:
    with pollers(world.platform, (), world.around):
        assert not [thread for thread in threading.enumerate() if thread.name == "pollers"]


def test_a_prepared_feed_shows_no_key(world: World) -> None:
    (world.folder / "key").write_text("secret")
    definition = world.cap_feed(header_files={"X-Key": "key"})
    prepare([definition], world.around)
    assert "secret" not in json.dumps(definition.model_dump(mode="json"))
