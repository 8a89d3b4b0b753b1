"""Atom and RSS, as far as they lead to CAP: a feed's entries, oldest first, each with its link or its own alerts.

What an alert says is not looked at here; neither is anything fetched.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Final
from urllib.parse import urljoin

from lxml import etree

from adapters.pollers.looks import FeedCode, FeedError
from adapters.xml.safe import XmlLimits, local_name, namespace_of, parse, text_of
from domain.findings import RefusedMessageError

MOST_ENTRIES: Final = 5_000
LIMITS: Final = XmlLimits(max_bytes=64 * 1024 * 1024, max_elements=400_000, max_attributes=200_000)
"""Of the feed itself. The request has its own limit in bytes; alerts are read within the limits of their reader."""

_CAP: Final = "emergency:cap:"
_CAP_TYPES: Final = frozenset({"application/cap+xml", "application/common-alerting-protocol+xml"})
_XML_TYPES: Final = frozenset({"application/xml", "text/xml"})
_IDENTITY: Final = ("id", "guid")
_MOMENTS: Final = ("updated", "pubDate", "date", "published")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: `alerts` are CAP documents that it contains, else `link` leads to one; both empty lead nowhere.

    `updated` is as it was written; `moment` is what it means, None where it means nothing.
    """

    id: str
    updated: str
    moment: datetime | None
    link: str
    alerts: tuple[bytes, ...] = ()

    @property
    def key(self) -> str:
        """What tells it from every other entry, and from earlier states of itself."""
        content = b"".join(sha256(alert).digest() for alert in self.alerts)
        said = f"{self.id}\x00{self.updated}\x00{self.link}".encode("utf-8", "surrogatepass")
        return sha256(said + content).hexdigest()


def entries_of(content: bytes, address: str) -> list[Entry]:
    """The entries of a feed that was fetched from `address`, oldest first.

    Entries without a usable time stand where the feed has them, from its last one on, before those with a time.

    Raises:
        FeedError: NOT_A_FEED or TOO_MANY_ENTRIES.
    """
    try:
        root = parse(content, LIMITS)
    except RefusedMessageError as error:
        found = error.findings[0]
        raise FeedError(FeedCode.NOT_A_FEED, f"{found.code}: {found.sentence}") from error
    elements = list(_entry_elements(root))
    if len(elements) > MOST_ENTRIES:
        raise FeedError(FeedCode.TOO_MANY_ENTRIES, f"{len(elements)} entries; {MOST_ENTRIES} are read at most")
    entries = [_entry(element, address) for element in reversed(elements)]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(entries, key=lambda entry: entry.moment or oldest)


def _entry_elements(root: etree._Element) -> Iterator[etree._Element]:
    match local_name(root):
        case "feed":
            return _children(root, "entry")
        case "rss" if (channel := next(_children(root, "channel"), None)) is not None:
            return _children(channel, "item")
        case "RDF":
            return _children(root, "item")
        case name:
            raise FeedError(FeedCode.NOT_A_FEED, f"<{name}> is neither an Atom feed nor RSS")


def _entry(element: etree._Element, address: str) -> Entry:
    link = _link_of(element, address)
    inside = [child for child in element if local_name(child) in {"content", "description", "encoded"}]
    alerts = [alert for child in inside for alert in _alerts_in(child)]
    if not alerts and not link:  # an alert beside the content is often a summary of the one behind the link
        alerts = list(_alerts_in(element))
    updated = next((text for name in _MOMENTS if (text := _child_text(element, name))), "")
    return Entry(
        id=next((text for name in _IDENTITY if (text := _child_text(element, name))), ""),
        updated=updated,
        moment=_moment(updated),
        link="" if alerts else link,
        alerts=tuple(alerts),
    )


def _alerts_in(element: etree._Element) -> Iterator[bytes]:
    """CAP documents within an element: as elements, or as text that is one."""
    for found in element.iter():
        if local_name(found) == "alert" and _CAP in namespace_of(found):
            yield etree.tostring(found, encoding="UTF-8", xml_declaration=True, with_tail=False)
    text = text_of(element).strip()
    if text.startswith("<") and _CAP in text and not len(element):
        yield text.encode("utf-8", "surrogatepass")


def _link_of(element: etree._Element, address: str) -> str:
    """The address of the entry's CAP: what says that it is CAP first, then other XML, then what says nothing."""
    candidates = sorted(_candidates(element), key=lambda candidate: candidate[0])
    for _, link, base in candidates:
        try:
            return urljoin(urljoin(address, base), link.strip())
        except ValueError:
            continue
    return ""


def _candidates(element: etree._Element) -> Iterator[tuple[int, str, str]]:
    """(rank, link, xml:base) of everything that an entry points at."""
    for child in element:
        name, base = local_name(child), child.base or ""
        kind = (child.get("type") or "").partition(";")[0].strip().lower()
        target = child.get("href") or child.get("url") or child.get("src") or ""
        relation = child.get("rel") or "alternate"
        if name in {"link", "enclosure", "content"} and target:
            if kind in _CAP_TYPES:
                yield 0, target, base
            elif kind in _XML_TYPES and relation in {"alternate", "enclosure", "via"}:
                yield 1, target, base
            elif not kind and relation == "alternate" and child.get("hreflang") is None:
                yield 2, target, base
            elif kind.endswith("+xml") and kind != "application/xhtml+xml" and relation == "alternate":
                yield 3, target, base  # some say of their CAP that it is a feed
        elif name == "link" and text_of(child).strip():
            yield 2, text_of(child), base
        elif name == "guid" and child.get("isPermaLink") != "false" and text_of(child).strip().startswith("http"):
            yield 4, text_of(child), base


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element if local_name(child) == name)


def _child_text(element: etree._Element, name: str) -> str:
    return next((text for child in _children(element, name) if (text := text_of(child).strip())), "")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, IndexError, TypeError):
            return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
