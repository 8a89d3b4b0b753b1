"""`/v1/feed.atom`: the newest releases, with ids that stay."""

import pytest
from lxml import etree

from adapters.http.public import feed
from tests.adapters.http.public.conftest import Desk, Served
from tests.adapters.http.public.samples import FLOOD, NORTH, SOUTH, WATER, cap

ATOM = {"a": "http://www.w3.org/2005/Atom"}


def entries(served: Served) -> list["etree._Element"]:
    root = etree.fromstring(served.get("/v1/feed.atom").content)
    return list(root.iterfind("a:entry", ATOM))


def test_entries_lead_to_the_cap_documents_the_newest_first(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1", level="orange"), minutes=0)
    desk.deliver(cap("f1", hazard=FLOOD, sender=WATER, minutes=5), minutes=5)
    found = entries(served)
    releases = [event for _, event in reversed(desk.releases())]
    assert len(found) == len(releases) == 2
    for entry, event in zip(found, releases, strict=True):
        address = entry.find("a:link[@rel='alternate']", ATOM)
        assert address is not None
        assert address.get("type") == "application/cap+xml"
        assert served.get(str(address.get("href"))).content == event.cap.encode()
        assert entry.findtext("a:title", namespaces=ATOM) == event.texts[0].headline


def test_an_atom_feed_has_all_that_the_standard_asks_for(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1", text="Words with &lt;marks&gt; &amp; signs."), minutes=0)
    answer = served.get("/v1/feed.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    root = etree.fromstring(answer.content)
    for name in ("a:id", "a:title", "a:updated", "a:author/a:name", "a:link[@rel='self']"):
        assert root.find(name, ATOM) is not None
    for name in ("a:id", "a:title", "a:updated", "a:summary"):
        assert root.find(f"a:entry/{name}", ATOM) is not None
    assert root.findtext("a:updated", namespaces=ATOM) == "2031-03-04T17:00:00+09:00"


def test_ids_stay_when_more_is_released_and_at_another_address(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1"), minutes=0)
    [before] = [entry.findtext("a:id", namespaces=ATOM) for entry in entries(served)]
    desk.deliver(cap("r2", districts=(SOUTH,)), minutes=0)
    answer = served.get("/v1/feed.atom", headers={"Host": "warnings.example.test"})
    after = [one.text for one in etree.fromstring(answer.content).iterfind("a:entry/a:id", ATOM)]
    assert after[1] == before
    assert len(set(after)) == 2
    assert b"http://warnings.example.test/v1/warnings/" in answer.content


def test_who_has_the_feed_is_told_so(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1"), minutes=0)
    answer = served.get("/v1/feed.atom")
    for name, value in (
        ("If-None-Match", answer.headers["etag"]),
        ("If-Modified-Since", answer.headers["last-modified"]),
    ):
        again = served.get("/v1/feed.atom", headers={name: value})
        assert (again.status_code, again.content) == (304, b"")
    desk.deliver(cap("r2", districts=(SOUTH,), minutes=1), minutes=1)
    for name, value in (
        ("If-None-Match", answer.headers["etag"]),
        ("If-Modified-Since", answer.headers["last-modified"]),
    ):
        assert served.get("/v1/feed.atom", headers={name: value}).status_code == 200


def test_the_feed_holds_the_newest_hundred(desk: Desk, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert feed.ENTRIES == 100
    monkeypatch.setattr(feed, "ENTRIES", 3)
    for number in range(5):
        desk.deliver(cap(f"r{number}", districts=(NORTH,), minutes=number), minutes=number)
    newest = [event.texts[0].headline for _, event in desk.releases()[:1:-1]]
    assert [entry.findtext("a:title", namespaces=ATOM) for entry in entries(served)] == newest


def test_an_empty_feed_is_a_feed(served: Served) -> None:
    assert entries(served) == []
