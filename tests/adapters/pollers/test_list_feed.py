"""Lists of what is in force: what a whole list no longer shows ends; of anything less nothing ends."""

from typing import Any

import pytest

from domain.feed_health import PollOutcome
from tests.adapters.pollers.conftest import World
from tests.adapters.pollers.feeds import listed, page
from tests.adapters.pollers.site import Page

PAGING = {"parameter": "page", "total": "data.count"}
A1 = listed("r1")
A2 = listed("r2", hazard="flood")
A3 = listed("r3", places="South")


def test_an_item_that_is_no_longer_listed_ends_its_warning_and_only_it(world: World) -> None:
    world.site.put("/list", page(A1, A2))
    assert world.one_look(world.list_feed()).messages == 2
    assert world.in_force() == ["r1 says yellow", "r2 says yellow"]
    world.site.put("/list", page(A2))
    world.one_look(world.list_feed())
    assert world.in_force() == ["r2 says yellow"]


def test_an_empty_list_is_a_list_and_ends_everything(world: World) -> None:
    world.site.put("/list", page(A1, A2))
    world.one_look(world.list_feed())
    world.site.put("/list", page())
    assert world.one_look(world.list_feed()).outcome is PollOutcome.OK
    assert world.in_force() == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Page(b"", 500), "http-status"),
        (Page(b"", 301, {"Location": "/"}), "redirect"),
        (Page(b""), "not-a-list: empty"),
        (Page(b"<html>maintenance</html>"), "not-a-list: not-json"),
        (Page(b'{"code": 1, "data": {"list": []}}'), "not-a-list: envelope"),
        (Page(b'{"code": 0, "data": {}}'), "not-a-list: envelope"),
        (Page(b'{"code": 0, "data": {"list": [{"by": "Weather"}]}}'), "incomplete"),
    ],
)
def test_an_answer_that_is_no_whole_list_ends_nothing(world: World, answer: Page, reason: str) -> None:
    world.site.put("/list", page(A1))
    world.one_look(world.list_feed())
    world.site.pages["/list"] = answer
    look = world.one_look(world.list_feed())
    assert look.outcome is PollOutcome.FAILED
    assert look.reason.startswith(reason)
    assert world.in_force() == ["r1 says yellow"]


def test_the_same_list_still_stands_when_the_server_says_not_modified(world: World) -> None:
    world.site.put("/list", page(A1))
    first, second = world.look(world.list_feed(), times=2)
    assert (first.outcome, second.outcome) == (PollOutcome.OK, PollOutcome.NOT_MODIFIED)
    assert world.in_force() == ["r1 says yellow"]


def test_a_changed_item_changes_its_warning(world: World) -> None:
    world.site.put("/list", page(A1))
    world.one_look(world.list_feed())
    world.clock.set(world.clock.now().replace(minute=30))
    world.site.put("/list", page(listed("r1", "orange")))
    world.one_look(world.list_feed())
    assert world.in_force() == ["r1 says orange"]


def test_an_unreadable_item_is_on_record_once_and_what_it_said_before_stands(world: World) -> None:
    world.site.put("/list", page(A1, A2))
    world.one_look(world.list_feed())
    world.site.put("/list", page(listed("r1", "purple"), A2))
    world.look(
        world.list_feed(), times=2, between=lambda: world.site.put("/list", page(listed("r1", "purple"), A2, A3))
    )
    assert world.rejected() == [("board#r1", "unknown-level")]
    assert world.in_force() == ["r1 says yellow", "r2 says yellow", "r3 says yellow"]


def test_an_item_that_the_intake_refuses_is_on_record_once_and_what_it_said_before_stands(world: World) -> None:
    elsewhere = listed("r1", places="Atlantis")
    world.site.put("/list", page(A1, A2))
    world.one_look(world.list_feed())
    for others in ((A2,), (A2, A3), (A3,)):
        world.clock.set(world.clock.now().replace(minute=world.clock.now().minute + 1))
        world.site.put("/list", page(elsewhere, *others))
        world.one_look(world.list_feed())
    assert [source for source, _ in world.rejected()] == ["board#r1"]
    assert world.in_force() == ["r1 says yellow", "r3 says yellow"]


def test_an_item_of_another_agency_than_the_feeds_is_refused(world: World) -> None:
    world.site.put("/list", page(A1, listed("r2", by="Water", hazard="flood")))
    look = world.one_look(world.list_feed(agency="weather"))
    assert (look.messages, world.rejected()) == (1, [("board#r2", "remit-sender")])


def put_pages(world: World, *pages: str) -> None:
    for number, content in enumerate(pages, start=1):
        world.site.put(f"/list?size=1&page={number}", content)


def paged(world: World, **more: Any) -> Any:
    return world.list_feed("/list?size=1&page=9", paging={**PAGING, **more})


def test_pages_make_one_list(world: World) -> None:
    put_pages(world, page(A1, total=2), page(A2, total=2))
    assert world.one_look(paged(world)).outcome is PollOutcome.OK
    put_pages(world, page(A2, total=1))
    world.one_look(paged(world))
    assert world.in_force() == ["r2 says yellow"]


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ((page(A2, total=2),), "http-status: 127.0.0.1 answered 404"),
        ((page(A2, total=2), page(A3, total=3)), "pages-disagree: page 2 counts 3 items"),
        ((page(A2, total=2), page(A2, total=2), page(total=2)), "pages-disagree: 1 items came"),
        ((page(A2, total=2), "<html>"), "not-a-list"),
        ((page(A2, total=5), page(A3, total=5)), "http-status"),
    ],
)
def test_when_a_page_fails_or_disagrees_news_is_taken_and_nothing_ends(
    world: World, pages: tuple[str, ...], reason: str
) -> None:
    put_pages(world, page(A1, total=1))
    world.one_look(paged(world))
    put_pages(world, *pages)
    look = world.one_look(paged(world))
    assert look.outcome is PollOutcome.FAILED
    assert look.reason.startswith(reason)
    assert {"r1 says yellow", "r2 says yellow"} <= set(world.in_force())


def test_a_list_that_changes_while_its_pages_are_fetched_ends_nothing(world: World) -> None:
    put_pages(world, page(A1, total=1))
    world.one_look(paged(world))
    moving = paged(world)
    put_pages(world, page(A2, total=2), page(A3, total=2))
    answer = world.site.answer

    def shifting(handler: Any) -> None:
        answer(handler)
        if handler.path.endswith("page=2"):
            put_pages(world, page(A1, total=2), page(A2, total=2))

    world.site.answer = shifting  # type: ignore[method-assign]
    look = world.one_look(moving)
    assert look.reason == "pages-disagree: the first page changed while the others were fetched"
    assert world.in_force() == ["r1 says yellow", "r2 says yellow", "r3 says yellow"]


def test_a_page_without_a_number_of_items_is_no_list(world: World) -> None:
    world.site.put("/list?size=1&page=1", '{"code": 0, "data": {"list": []}}')
    assert world.one_look(paged(world)).reason == "not-a-list: no number of items at data.count"


def test_more_pages_than_allowed_are_never_a_whole_list(world: World) -> None:
    put_pages(world, page(A1, total=3), page(A2, total=3), page(A3, total=3))
    assert world.one_look(paged(world, most_pages=2)).reason == "pages-disagree: more than 2 pages"


def test_several_addresses_are_one_list_and_one_that_fails_ends_nothing(world: World) -> None:
    world.site.put("/north", page(A1))
    world.site.put("/south", page(A3, A1))
    definition = world.list_feed(urls=[world.site.url("/north"), world.site.url("/south")])
    world.one_look(definition)
    assert world.in_force() == ["r1 says yellow", "r3 says yellow"]
    world.site.pages["/south"] = Page(b"", 502)
    assert world.one_look(definition).outcome is PollOutcome.FAILED
    assert world.in_force() == ["r1 says yellow", "r3 says yellow"]
    world.site.put("/south", page())
    world.one_look(definition)
    assert world.in_force() == ["r1 says yellow"]


def test_two_feeds_with_one_profile_never_end_each_others_items(world: World) -> None:
    world.site.put("/list", page(A1))
    world.site.put("/other", page(A3))
    world.one_look(world.list_feed())
    world.one_look(world.list_feed("/other", id="other"))
    assert world.in_force() == ["r1 says yellow", "r3 says yellow"]


def test_a_list_that_is_suddenly_short_ends_things_only_when_the_next_look_agrees(world: World) -> None:
    many = [listed(f"r{number}") for number in range(6)]
    definition = world.list_feed(most_ended_share=0.5)
    world.site.put("/list", page(*many))
    world.one_look(definition)
    world.site.put("/list", page(many[0]))
    first, second = world.look(definition, times=2)
    assert first.reason.startswith("suddenly-short: 5 of 6 items are gone at once")
    assert second.outcome is PollOutcome.OK
    assert world.in_force() == ["r0 says yellow"]


def test_a_list_that_was_short_for_one_look_only_has_ended_nothing(world: World) -> None:
    many = [listed(f"r{number}") for number in range(6)]
    definition = world.list_feed(most_ended_share=0.5)
    world.site.put("/list", page(*many))
    world.one_look(definition)
    before = world.in_force()
    world.site.put("/list", page())
    world.look(definition, times=2, between=lambda: world.site.put("/list", page(*many)))
    assert world.in_force() == before
