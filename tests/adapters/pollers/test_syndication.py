"""Atom and RSS as they are met: real feeds beside the project, and odd ones made up."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cap.checks import CapChecks
from adapters.pollers.looks import FeedError
from adapters.pollers.syndication import MOST_ENTRIES, entries_of
from adapters.reading import AnyReader
from tests.adapters.cli.samples import cap
from tests.adapters.pollers.feeds import atom, entry, rss

AT = "https://feeds.example.test/a/feed.atom"


@pytest.fixture
def real(shared_data: Path) -> Path:
    folder = shared_data / "feeds"
    if not folder.is_dir():
        pytest.skip("the shared data folder holds no feeds")
    return folder


def test_every_real_feed_is_read_and_every_entry_leads_to_cap_or_holds_it(real: Path) -> None:
    files = sorted(real.iterdir())
    assert files
    read = 0
    for path in files:
        for one in entries_of(path.read_bytes(), AT):
            # Two samples were made to have an entry that leads nowhere.
            assert one.link or one.alerts or path.name.split("__")[-1][:4] in {"71bf", "7589"}, path.name
            read += 1
    assert read > 100


def test_meteoalarm_entries_lead_to_the_cap_document_and_not_to_the_map(real: Path) -> None:
    [path] = real.glob("rolfberkenbosch__meteoalert-api__5428*")
    entries = entries_of(path.read_bytes(), AT)
    assert entries
    assert all("/api/v1/warnings/" in one.link for one in entries)
    assert [one.moment for one in entries if one.moment] == sorted(one.moment for one in entries if one.moment)


def test_an_alert_inside_a_real_entry_is_read_as_it_stands(real: Path) -> None:
    [path] = real.glob("google__cap-library__2439*")
    [one] = entries_of(path.read_bytes(), AT)
    [alert] = one.alerts
    [message] = AnyReader(checks=CapChecks.lenient()).read(alert)
    assert message.identifier == "http://doj.dc.gov/amber12345"


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("../b.xml", "https://feeds.example.test/b.xml"),
        ("/b.xml", "https://feeds.example.test/b.xml"),
        ("?id=1", "https://feeds.example.test/a/feed.atom?id=1"),
        ("https://other.example.test/b", "https://other.example.test/b"),
    ],
)
def test_a_relative_link_begins_at_the_feed(link: str, address: str) -> None:
    [one] = entries_of(atom(entry("e", link)).encode(), AT)
    assert one.link == address


def test_a_link_begins_at_the_xml_base_where_there_is_one() -> None:
    text = atom(entry("e", "b.xml")).replace("<feed ", "<feed xml:base='https://base.example.test/x/' ")
    [one] = entries_of(text.encode(), AT)
    assert one.link == "https://base.example.test/x/b.xml"


def test_cap_as_the_text_of_a_description_is_found() -> None:
    [one] = entries_of(
        rss(f"<item><guid>1</guid><description><![CDATA[{cap('a1')}]]></description></item>").encode(), AT
    )
    [message] = AnyReader().read(one.alerts[0])
    assert message.identifier == "a1"


def test_an_enclosure_that_says_that_it_is_cap_wins_over_the_page() -> None:
    item = "<item><link>https://a.test/page</link><enclosure url='/c.xml' type='application/cap+xml'/></item>"
    [one] = entries_of(rss(item).encode(), AT)
    assert one.link == "https://feeds.example.test/c.xml"


def test_a_permanent_id_serves_as_the_link_of_an_item_without_one() -> None:
    [one] = entries_of(rss("<item><guid>https://a.test/1</guid></item>").encode(), AT)
    assert one.link == "https://a.test/1"


def test_an_entry_is_another_when_its_time_its_link_or_its_content_is() -> None:
    inside = cap("a1").partition("?>")[2]
    texts = [
        entry("e", "/1"),
        entry("e", "/1", minutes=1),
        entry("e", "/2"),
        entry("e", content=inside),
        entry("e", content=inside.replace("words", "word")),
    ]
    assert len({entries_of(atom(text).encode(), AT)[0].key for text in texts}) == 5


def test_entries_without_a_time_come_first_in_the_feeds_order_from_its_end() -> None:
    texts = [entry("3", "/3"), entry("2", "/2", updated="-"), entry("1", "/1", updated="yesterday")]
    assert [one.id for one in entries_of(atom(*texts).encode(), AT)] == ["1", "2", "3"]


def test_a_feed_with_more_entries_than_are_read_is_refused_whole() -> None:
    with pytest.raises(FeedError) as refused:
        entries_of(atom(*("<entry/>" for _ in range(MOST_ENTRIES + 1))).encode(), AT)
    assert refused.value.code == "too-many-entries"


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: atom(text).encode("utf-8", "replace")))
def test_whatever_comes_is_entries_or_the_one_error(content: bytes) -> None:
    with suppress(FeedError):
        assert all(one.key for one in entries_of(content, AT))
