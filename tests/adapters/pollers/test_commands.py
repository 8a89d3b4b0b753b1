"""`outlet feed list | alarms | check`."""

import json
from datetime import timedelta
from typing import Any

from typer.testing import CliRunner

from adapters.cli.app import app
from adapters.pollers.looks import FeedError, Look, failed
from adapters.pollers.watching import Watch
from domain.feed_health import PollOutcome
from tests.adapters.cli.samples import cap
from tests.adapters.pollers.conftest import World
from tests.adapters.pollers.feeds import atom, entry, listed, page


def outlet(world: World, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["--data", str(world.folder), *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def answer(world: World, *arguments: str, code: int = 0) -> Any:
    return json.loads(outlet(world, *arguments, "--json", code=code))


def configure(world: World) -> None:
    (world.folder / "drop").mkdir()
    (world.folder / "connections.toml").write_text(
        f"""
[outbound]
networks = ["127.0.0.0/8"]

[[feeds]]
id = "met"
kind = "cap-feed"
agency = "weather"
url = "{world.site.url("/feed")}"

[[feeds]]
id = "board"
kind = "list"
profile = "profile.toml"
url = "{world.site.url("/list")}"

[[feeds]]
id = "drop"
kind = "folder"
agency = "water"
folder = "drop"
""",
        encoding="utf-8",
    )


def test_the_list_shows_figures_alarms_and_entries_that_could_not_be_fetched(world: World) -> None:
    configure(world)
    world.site.put("/feed", atom(entry("1", "http://elsewhere.example.test/1")))
    world.one_look(world.cap_feed())
    watch = Watch(world.cap_feed(), world.store, world.platform.log, world.platform.runner.record)
    watch.looked(Look(PollOutcome.OK, messages=2), 0.25, world.clock.now())
    fine = answer(world, "feed", "list")["feeds"]
    assert [(feed["feed"], feed["state"]) for feed in fine] == [
        ("met", "ok"),
        ("board", "not-polled-yet"),
        ("drop", "not-polled-yet"),
    ]
    assert fine[0]["latency_seconds"] == {"last": 0.25, "median": 0.25}
    assert (fine[0]["messages"], fine[0]["error_rate"]) == (2, 0.0)
    assert fine[0]["unfetched_entries"][0]["state"] == "barred"
    watch.looked(failed(FeedError("http-status", "it answered 500")), 0.1, world.clock.now() + timedelta(hours=1))
    silent = answer(world, "feed", "list", code=1)["feeds"][0]
    assert silent["state"] == "silent"
    assert silent["last_failure_reason"] == "http-status: it answered 500"
    assert "silent" in outlet(world, "feed", "list", code=1)
    [alarm] = answer(world, "feed", "alarms")["alarms"]
    assert (alarm["feed"], alarm["kind"]) == ("met", "fell-silent")
    assert "fell-silent" in outlet(world, "feed", "alarms", "--feed", "met")


def test_without_feeds_that_is_said(world: World) -> None:
    assert "no feeds in" in outlet(world, "feed", "list")


def test_a_check_shows_what_would_come_and_takes_nothing_in(world: World) -> None:
    configure(world)
    world.site.put("/feed", atom(entry("1", "/1"), entry("2", "/2")))
    world.site.put("/1", cap("a1"))
    world.site.put("/2", "<alert")
    world.site.put("/list", page(listed("r1"), listed("r2", "purple")))
    (world.folder / "drop" / "a.xml").write_text(cap("f1"))
    head = world.platform.log.head()
    met = answer(world, "feed", "check", "met")
    assert sorted(one["verdict"] for one in met["documents"]) == ["readable", "refused"]
    board = answer(world, "feed", "check", "board")
    assert [one["item"] for one in board["listed"]] == ["r1"]
    assert board["refused"][0]["findings"][0]["code"] == "unknown-level"
    assert answer(world, "feed", "check", "drop")["documents"][0]["file"] == "a.xml"
    assert "a1" in outlet(world, "feed", "check", "met")
    assert (world.platform.log.head(), world.store.entries("met")) == (head, {})
    assert (world.folder / "drop" / "a.xml").exists()


def test_a_check_of_a_feed_that_fails_says_why(world: World) -> None:
    configure(world)
    assert "http-status: 127.0.0.1 answered 404" in outlet(world, "feed", "check", "met", code=1)
    assert answer(world, "feed", "check", "met", code=1)["code"] == "http-status"
    world.site.put("/feed", atom(entry("1", "http://elsewhere.example.test/1")))
    troubles = answer(world, "feed", "check", "met", code=1)["troubles"]
    assert troubles[0]["reason"].startswith("forbidden-host")
    (world.folder / "drop").rmdir()
    assert "folder" in outlet(world, "feed", "check", "drop", code=1)


def test_a_check_of_an_unknown_feed_names_those_that_there_are(world: World) -> None:
    configure(world)
    assert "there are: met, board, drop" in outlet(world, "feed", "check", "other", code=1)


def test_a_description_that_cannot_be_used_is_wrong_usage(world: World) -> None:
    (world.folder / "connections.toml").write_text('[[feeds]]\nid = "x"\nkind = "ftp"\n')
    assert "feeds.0.kind" in outlet(world, "feed", "list", code=2)
