"""`/v1/feed.atom`: the newest releases as an Atom feed (RFC 4287) whose entries lead to their CAP documents."""

from collections.abc import Sequence
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from lxml import etree

from adapters.cap.writer_words import outlet_name, xml_text
from adapters.http.public.forms import CAP_TYPE
from adapters.http.public.released import PublicRelease
from domain.policy import Policy
from projections.base import EPOCH
from projections.board import hazard_json

MEDIA_TYPE: Final = "application/atom+xml"
ENTRIES: Final = 100

_ATOM: Final = "http://www.w3.org/2005/Atom"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"


def feed(policy: Policy, releases: Sequence[PublicRelease], base: str) -> bytes:
    """The feed of these releases, the newest first; `base` is the address of this server, without a last slash.

    Ids are made of the sender and the identifier alone: they stay the same at another address.
    """
    language = policy.outlet.languages[0]
    root: etree._Element = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    root.set(_LANGUAGE, language)
    _add(root, "id", stable_id(policy.outlet.sender, "feed"))
    _add(root, "title", outlet_name(policy, language))
    newest = releases[0].event.at if releases else EPOCH
    _add(root, "updated", newest.astimezone(policy.zone).isoformat())
    _add(_add(root, "author"), "name", outlet_name(policy, language))
    _add(root, "link", rel="self", type=MEDIA_TYPE, href=f"{base}/v1/feed.atom")
    _add(root, "link", rel="alternate", type="application/geo+json", href=f"{base}/v1/warnings")
    for release in releases:
        _entry(_add(root, "entry"), release, base)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def stable_id(sender: str, identifier: str) -> str:
    """The Atom id of a release, by the two names that no other release has."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'single-outlet/atom/{sender}/{identifier}')}"


def _entry(entry: etree._Element, release: PublicRelease, base: str) -> None:
    event = release.event
    text = next(iter(event.texts), None)
    _add(entry, "id", stable_id(event.sender, event.identifier))
    _add(entry, "title", text.headline if text else event.identifier)
    _add(entry, "updated", release.released_at)
    _add(entry, "published", release.released_at)
    _add(entry, "link", rel="alternate", type=CAP_TYPE, href=f"{base}{release.path}.cap")
    _add(entry, "link", rel="related", type="application/json", href=f"{base}{release.path}.json")
    for hazard in dict.fromkeys(change.hazard for change in event.changes):
        _add(entry, "category", term=hazard, label=hazard_json(hazard, release.policy)["name_en"])
    _add(entry, "summary", text.description if text else "", type="text")


def _add(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    """Append a child; what XML cannot hold becomes U+FFFD, as in our CAP documents."""
    element = etree.SubElement(parent, f"{{{_ATOM}}}{name}")
    element.text = xml_text(text)[0] or None
    for key, value in attributes.items():
        element.set(key, xml_text(value)[0])
    return element
