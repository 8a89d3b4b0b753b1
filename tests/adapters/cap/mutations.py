"""Damage to messages: to the bytes, and to the tree, whose elements are dropped, doubled, moved, renamed and refilled.

The same seed does the same damage.
"""

import random
from collections.abc import Iterator
from copy import deepcopy

from lxml import etree

from adapters.cap.vocabulary import ALERT_TAGS, XML_SIGNATURE
from adapters.xml.safe import namespace_of

NAMES = (
    *("identifier", "sent", "status", "scope", "password", "source", "code", "note", "references", "info", "alert"),
    *("language", "category", "event", "responseType", "urgency", "eventCode", "expires", "web", "parameter"),
    *("resource", "mimeType", "size", "uri", "derefUri", "digest", "area", "areaDesc", "polygon", "circle"),
    *("geocode", "altitude", "ceiling", "valueName", "value", "unheard-of"),
)

VALUES = (
    *("", " ", "\n", "Actual", "Draft", "actual", " Alert ", "Update", "Public", "Met", "CBRNE", "Other", "None"),
    *("AllClear", "Avoid", "Assess", "Past", "Unknown", "Observed", "Likely", "Very Likely", "Minor", "Severe"),
    *("2026-05-16T08:00:00+08:00", "2026-05-16T08:00:00-00:00", "2026-05-16T08:00:00Z", "2026-05-16T08:00:00"),
    *("2026-05-16T08:00:00.5+08:00", "2026-02-30T08:00:00+08:00", "2026-05-16T24:00:00+08:00", "2026-05-16"),
    *("2026-05-16T08:00:60+08:00", "2026-05-16T08:00:00,08:00", "2026-05-16T08:00:00+14:00", "10000-01-01T00:00:00Z"),
    *("2026-05-16T08:00:00+14:01", " 2026-05-16T08:00:00+08:00\n", "２０２６-05-16T08:00:00+08:00"),
    *("0000-01-01T00:00:00Z", "7:00"),
    *("en", "en-US", "zh-Hans-CN", "x-a", "e", "en_US", "english language", "abcdefghi", "en-", "zh-CN "),
    *("http://example.org/a?b=c#d", "http://[", "a b", "%zz", "%41", "://", "mailto:a@b", "http://a:b", "暴雨", "\\"),
    *("7", "-7", "+7", "7.5", ".5", "5.", "1e3", "NaN", "INF", " 7 ", "0x7", "٣", "7" * 30, "1,5"),
    *("30.1,120.1 30.1,120.3 30.3,120.3 30.1,120.1", "30.1,120.1 5", "30.1, 120.1", "a,b c,d", "<&>", "\u3000x"),
)

ATTRIBUTES = ("id", "lang", "{http://www.w3.org/XML/1998/namespace}lang", "{urn:elsewhere}a", f"{{{XML_SIGNATURE}}}Id")

FOREIGN = (f"{{{XML_SIGNATURE}}}Signature", f"{{{XML_SIGNATURE}}}Other", "{urn:elsewhere}extra", "plain")


SNIPPETS = (
    b"<",
    b">",
    b"&",
    b"&#0;",
    b"\x00",
    b"\xff",
    b"]]>",
    b"<!--",
    b"<a>",
    b"</alert>",
    b" ",
    b"9" * 400,
    b"-",
    b",",
    b"T",
)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The bytes with one to four accidents."""
    work = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(work) + 1)
        match chance.randrange(5):
            case 0:
                work[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del work[at : at + chance.randint(1, 200)]
            case 2:
                work[at:at] = chance.choice(SNIPPETS)
            case 3:
                other = chance.randrange(len(work) + 1)
                work[at:at] = work[other : other + chance.randint(1, 300)]
            case _:
                digits = [place for place, byte in enumerate(work) if 48 <= byte <= 57]
                if digits:
                    work[chance.choice(digits)] = chance.choice(b"0123456789-.,TZ ")
    return bytes(work)


def alerts(content: bytes) -> list[etree._Element]:
    """The alerts in a document, each as a tree of its own; none where it does not parse."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        return []
    return [deepcopy(alert) for alert in root.iter(*ALERT_TAGS)]


def mutations(alert: etree._Element, chance: random.Random, count: int) -> Iterator[etree._Element]:
    """So many copies of the alert, each with one to three changes."""
    for _ in range(count):
        changed = deepcopy(alert)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            _change(changed, chance)
        yield changed


def _change(alert: etree._Element, chance: random.Random) -> None:
    below = list(alert.iterdescendants(etree.Element))
    if not below:
        return
    element = chance.choice(below)
    above = element.getparent()
    assert above is not None
    match chance.randrange(8):
        case 0:
            above.remove(element)
        case 1:
            element.addnext(deepcopy(element))
        case 2:
            chance.choice(below).addprevious(deepcopy(element))
        case 3:
            other = chance.choice(above)
            other.addprevious(element) if other is not element else None
        case 4:
            element.tag = f"{{{namespace_of(alert)}}}{chance.choice(NAMES)}"
        case 5:
            element.set(chance.choice(ATTRIBUTES), chance.choice(VALUES))
        case 6:
            chance.choice([alert, element]).append(etree.Element(chance.choice(FOREIGN)))
        case _:
            _change_value(element, chance)


def _change_value(element: etree._Element, chance: random.Random) -> None:
    """Most of the time where there is a value to change; else text appears between elements."""
    leaves = [leaf for leaf in element.iter(etree.Element) if not len(leaf)]
    chosen = chance.choice(leaves) if chance.randrange(8) else element
    chosen.text = chance.choice(VALUES)
