"""CAP over Atom and RSS, from a real server on loopback to the board."""

from pathlib import Path

import pytest

from adapters.pollers.store import EntryState, FeedStore
from domain.feed_health import PollOutcome
from domain.outlet import stream_id_of
from tests.adapters.cli.samples import cap
from tests.adapters.pollers.conftest import World
from tests.adapters.pollers.feeds import atom, entry, item, rss
from tests.adapters.pollers.site import Page


def bare(text: str) -> str:
    """A document without its declaration, to stand inside another."""
    return text.partition("?>")[2]


def test_what_a_feed_links_to_is_taken_in_older_entries_first(world: World) -> None:
    world.site.put("/feed", atom(entry("new", "caps/2.xml", minutes=2), entry("old", "/caps/1.xml", minutes=1)))
    world.site.put("/caps/1.xml", cap("a1"))
    world.site.put("/caps/2.xml", cap("a2", hazard="FLOOD"))
    look = world.one_look(world.cap_feed())
    assert (look.outcome, look.messages, look.reason) == (PollOutcome.OK, 2, "")
    assert world.accepted() == ["a1", "a2"]
    assert world.in_force() == ["a1 says RAIN0", "a2 says FLOOD"]


def test_rss_serves_as_well(world: World) -> None:
    world.site.put("/feed", rss(item("2", world.site.url("/2"), "Tue, 04 Mar 2031 08:02:00 GMT"), item("1", "1")))
    world.site.put("/1", cap("a1"))
    world.site.put("/2", cap("a2"))
    assert world.one_look(world.cap_feed()).messages == 2
    assert world.accepted() == ["a1", "a2"]


def test_alerts_inside_an_entry_are_taken_all_of_them_and_nothing_is_fetched(world: World) -> None:
    content = bare(cap("a1")) + bare(cap("a2", hazard="FLOOD"))
    world.site.put("/feed", atom(entry("e", world.site.url("/never"), content=content)))
    assert world.one_look(world.cap_feed()).messages == 2
    assert world.site.count("/never") == 0
    assert sorted(world.accepted()) == ["a1", "a2"]


def test_the_link_that_says_that_it_is_cap_is_chosen(world: World) -> None:
    links = "<link href='/page.html' hreflang='en'/><link rel='related' href='/other'/>"
    chosen = entry("e", "/cap").replace("<link", f"{links}<link", 1)
    world.site.put("/feed", atom(chosen))
    world.site.put("/cap", cap("a1"))
    assert world.one_look(world.cap_feed()).messages == 1
    assert [one.path for one in world.site.asked] == ["/feed", "/cap"]


def test_an_unchanged_feed_is_asked_for_by_its_etag_and_not_read_again(world: World) -> None:
    world.site.put("/feed", atom(entry("e", "/1")))
    world.site.put("/1", cap("a1"))
    first, second = world.look(world.cap_feed(), times=2)
    assert (first.outcome, second.outcome) == (PollOutcome.OK, PollOutcome.NOT_MODIFIED)
    assert [one.status for one in world.site.asked] == [200, 200, 304]


def test_an_entry_is_fetched_once_over_changes_of_the_feed_and_restarts(world: World) -> None:
    for number in (1, 2):
        world.site.put(f"/{number}", cap(f"a{number}"))
    world.site.put("/feed", atom(entry("1", "/1")))
    world.one_look(world.cap_feed())
    world.site.put("/feed", atom(entry("2", "/2", minutes=1), entry("1", "/1")))
    world.store.close()
    world.store = FeedStore(world.folder / "feeds.sqlite")
    world.one_look(world.cap_feed())
    assert (world.site.count("/1"), world.site.count("/2")) == (1, 1)
    assert world.duplicates() == 0


def test_a_changed_entry_is_fetched_again(world: World) -> None:
    world.site.put("/1", cap("a1"))
    world.site.put("/feed", atom(entry("1", "/1")))
    world.one_look(world.cap_feed())
    world.site.put("/1", cap("b1"))
    world.site.put("/feed", atom(entry("1", "/1", minutes=3)))
    world.one_look(world.cap_feed())
    assert world.accepted() == ["a1", "b1"]


def test_entries_that_lead_to_one_document_fetch_it_once(world: World) -> None:
    world.site.put("/feed", atom(entry("north", "/1"), entry("south", "/1")))
    world.site.put("/1", cap("a1"))
    world.one_look(world.cap_feed())
    assert (world.site.count("/1"), world.duplicates()) == (1, 0)


def test_a_failing_entry_holds_nobody_up_and_is_tried_again_later(world: World) -> None:
    world.site.put("/feed", atom(entry("1", "/1"), entry("2", "/2", minutes=1)))
    world.site.put("/2", cap("a2"))
    look = world.one_look(world.cap_feed())
    assert world.accepted() == ["a2"]
    assert look.outcome is PollOutcome.OK
    assert look.reason == "1 of 2 entries: http-status: 127.0.0.1 answered 404"
    world.site.put("/1", cap("a1"))
    world.one_look(world.cap_feed())
    assert world.accepted() == ["a2"], "its pause is not over"
    world.clock.set(world.clock.now().replace(minute=30))
    world.one_look(world.cap_feed())
    assert world.accepted() == ["a2", "a1"]
    assert world.site.count("/2") == 1


def test_when_nothing_that_is_due_can_be_fetched_the_look_has_failed(world: World) -> None:
    world.site.put("/feed", atom(entry("1", "/1")))
    world.site.pages["/1"] = Page(b"", 503, {"Retry-After": "90"})
    look = world.one_look(world.cap_feed())
    assert (look.outcome, look.retry_after_seconds) == (PollOutcome.FAILED, 90.0)
    assert look.reason.startswith("entries: none of 1 entries could be fetched")


def test_a_refused_entry_is_on_record_and_not_fetched_again(world: World) -> None:
    world.site.put("/feed", atom(entry("1", "/1")))
    world.site.put("/1", "<alert")
    look = world.one_look(world.cap_feed())
    world.site.put("/feed", atom(entry("1", "/1"), entry("2", "/2", minutes=1)))
    world.site.put("/2", cap("a2"))
    world.one_look(world.cap_feed())
    assert look.refused == 1
    assert world.rejected() == [(f"met#{world.site.url('/1')}", "not-xml")]
    assert world.site.count("/1") == 1


def test_a_link_to_a_foreign_host_is_never_followed_and_the_reason_is_kept(world: World) -> None:
    world.site.put("/feed", atom(entry("1", "http://elsewhere.example.test/1"), entry("2", "/2", minutes=1)))
    world.site.put("/2", cap("a2"))
    look = world.one_look(world.cap_feed())
    assert world.accepted() == ["a2"]
    assert "forbidden-host" in look.reason
    [barred] = [one for one in world.store.entries("met").values() if one.state is EntryState.BARRED]
    assert barred.reason.startswith("forbidden-host")


def test_a_further_host_is_asked_without_the_feeds_key(world: World) -> None:
    (world.folder / "key").write_text("secret\n", encoding="utf-8")
    there = f"http://localhost:{world.site.port}/1"
    world.site.put("/feed", atom(entry("1", there)))
    world.site.put("/1", cap("a1"))
    definition = world.cap_feed(hosts=["localhost"], header_files={"X-Key": "key"})
    assert world.one_look(definition).messages == 1
    assert [one.headers.get("x-key") for one in world.site.asked] == ["secret", None]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page(b"", 500), "http-status: 127.0.0.1 answered 500"),
        (Page(b"", 302, {"Location": "/elsewhere"}), "redirect: 127.0.0.1 answered 302"),
        (Page(b""), "not-a-feed: empty"),
        (Page(b"<html><body>maintenance</body></html>"), "not-a-feed: <html> is neither"),
        (Page(b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><feed>&e;</feed>"), "not-a-feed: dtd"),
        (Page(b"<feed><entry></feed>"), "not-a-feed: not-xml"),
        (Page(b"<feed>" + b" " * 20_000 + b"</feed>"), "too-large"),
        (Page(b"<feed/>", seconds=3.0), "timeout"),
    ],
)
def test_an_answer_that_is_no_feed_is_a_failed_look_and_ends_nothing(world: World, page: Page, reason: str) -> None:
    world.site.put("/feed", atom(entry("1", "/1")))
    world.site.put("/1", cap("a1"))
    definition = world.cap_feed(most_answer_bytes=10_000, timeout_seconds=1.0)
    world.one_look(definition)
    world.site.pages["/feed"] = page
    look = world.one_look(definition)
    assert look.outcome is PollOutcome.FAILED
    assert look.reason.startswith(reason)
    assert world.in_force() == ["a1 says RAIN0"]
    assert world.site.count("/elsewhere") == 0


@pytest.mark.parametrize(("wished", "seconds"), [("120", 120.0), ("soon", 0.0)])
def test_a_server_that_asks_for_patience_is_heard(world: World, wished: str, seconds: float) -> None:
    world.site.pages["/feed"] = Page(b"", 429, {"Retry-After": wished})
    assert world.one_look(world.cap_feed()).retry_after_seconds == seconds


def test_what_was_taken_in_before_a_crash_is_only_a_duplicate_after_it(world: World, tmp_path: Path) -> None:
    world.site.put("/feed", atom(entry("1", "/1")))
    world.site.put("/1", cap("a1"))
    world.one_look(world.cap_feed())
    with FeedStore(tmp_path / "lost.sqlite") as lost:
        world.store, kept = lost, world.store
        assert world.one_look(world.cap_feed()).messages == 0
        world.store = kept
    assert (world.accepted(), world.duplicates()) == (["a1"], 1)


def test_a_look_at_a_feed_writes_no_alarm(world: World) -> None:
    assert list(world.platform.log.stream(stream_id_of("feed", "met"))) == []
