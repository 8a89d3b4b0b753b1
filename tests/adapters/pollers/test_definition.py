"""A feed's description is refused with a sentence for whatever is wrong with it."""

import re
from pathlib import Path
from typing import Any

import pytest

from adapters.connections import ConnectionsError, parse_connections
from adapters.pollers.assembly import Surroundings, prepare
from adapters.pollers.definition import FeedDefinition
from tests.adapters.pollers.conftest import World

CAP = {"id": "met", "kind": "cap-feed", "agency": "weather", "url": "https://met.example.test/feed.atom"}
LIST = {"id": "board", "kind": "list", "profile": "nmc", "url": "https://board.example.test/list"}
FOLDER = {"id": "drop", "kind": "folder", "folder": "drop"}


def problems_of(described: dict[str, Any]) -> str:
    entries = "\n".join(f"{name} = {_toml(value)}" for name, value in described.items())
    with pytest.raises(ConnectionsError) as refused:
        parse_connections(f"[[feeds]]\n{entries}\n")
    return str(refused.value)


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case list():
            return f"[{', '.join(_toml(one) for one in value)}]"
        case dict():
            return "{" + ", ".join(f'"{name}" = {_toml(one)}' for name, one in value.items()) + "}"
        case _:
            return str(value)


@pytest.mark.parametrize("described", [CAP, LIST, FOLDER])
def test_each_kind_needs_little(described: dict[str, Any]) -> None:
    assert FeedDefinition.model_validate(described).id == described["id"]


@pytest.mark.parametrize(
    ("described", "sentence"),
    [
        ({"id": "x", "kind": "ftp"}, "kind"),
        ({**CAP, "id": "Not An Id"}, "id"),
        ({"id": "x", "kind": "cap-feed"}, "needs agency, url"),
        ({"id": "x", "kind": "list", "url": "https://a.test/"}, "needs profile"),
        ({"id": "x", "kind": "folder"}, "needs folder"),
        ({**CAP, "profile": "nmc"}, "a feed of kind cap-feed has no profile"),
        ({**FOLDER, "url": "https://a.test/"}, "a feed of kind folder has no url"),
        ({**FOLDER, "hosts": ["a.test"]}, "has no hosts"),
        ({**CAP, "urls": ["https://a.test/"]}, "url and urls cannot both be given"),
        ({**CAP, "url": "ftp://a.test/"}, "is not an https:// address"),
        ({**CAP, "url": "https:///feed"}, "is not an https:// address"),
        ({**CAP, "url": "https://user:secret@a.test/"}, "holds no user name or password"),
        ({**CAP, "url": "https://a.test:99999/"}, "is not an address"),
        ({**CAP, "url": "https://a.test/#top"}, "fragment"),
        ({**CAP, "hosts": ["*.a.test"]}, "is not a host's name"),
        ({**CAP, "hosts": ["A.test"]}, "small letters"),
        ({**CAP, "headers": {"X Key": "v"}}, "is not the name of a header"),
        ({**CAP, "headers": {"Host": "v"}}, "is not yours to set"),
        ({**CAP, "headers": {"X-Key": "a\\r\\nb"}}, "printable ASCII"),
        ({**CAP, "headers": {"X-Key": "a"}, "header_files": {"x-key": "key"}}, "a header and a header file"),
        ({**CAP, "interval_seconds": 0.1}, "interval_seconds"),
        ({**CAP, "interval_seconds": 900}, "quiet_seconds must be above interval_seconds"),
        ({**CAP, "quite_seconds": 900}, "quite_seconds"),
        ({**LIST, "most_ended_share": 0}, "most_ended_share"),
        ({**LIST, "paging": {"parameter": "page"}}, "total"),
    ],
)
def test_what_is_wrong_is_said(described: dict[str, Any], sentence: str) -> None:
    assert sentence in problems_of(described)


def test_pages_of_several_addresses_are_refused() -> None:
    described = {key: value for key, value in LIST.items() if key != "url"}
    several = {"urls": ["https://a.test/", "https://b.test/"], "paging": {"parameter": "p", "total": "n"}}
    assert "has one url" in problems_of({**described, **several})


def test_two_feeds_have_two_ids() -> None:
    entry = '[[feeds]]\nid = "a"\nkind = "folder"\nfolder = "{}"\n'
    with pytest.raises(ConnectionsError, match="the id a occurs twice"):
        parse_connections(entry.format("x") + entry.format("y"))


def test_everything_that_does_not_fit_the_outlet_is_said_at_once(world: World) -> None:
    feeds = [
        {**CAP, "agency": "nobody", "url": "http://a.test/", "header_files": {"X-Key": "no-such-file"}},
        {**LIST, "profile": "no-such-profile"},
        {**FOLDER, "id": "one"},
        {**FOLDER, "id": "two", "folder": "./drop"},
    ]
    (world.folder / "empty").write_text("\n")
    feeds.append({**CAP, "id": "empty-key", "header_files": {"X-Key": "empty"}})
    around = Surroundings(world.folder, world.platform.policy)
    with pytest.raises(ConnectionsError) as refused:
        prepare([FeedDefinition.model_validate(feed) for feed in feeds], around)
    text = str(refused.value)
    for part in (
        "met: the policy knows no agency 'nobody'; it knows weather, water",
        "met: http://a.test/ is not https; allow it by plain_http = true",
        "no-such-file: No such file",
        "board: profile: no-such-profile: no such profile",
        "feeds: two feeds watch",
        "empty-key: header_files: empty: a header's value is printable ASCII and not empty",
    ):
        assert part in text


def test_the_examples_of_the_documentation_can_be_used() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "feeds.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    feeds = [feed for block in blocks for feed in parse_connections(block).feeds]
    assert {feed.kind.value for feed in feeds} == {"cap-feed", "list", "folder"}
