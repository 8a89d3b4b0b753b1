"""Damage that knows what it damages: trees, JSON, lines of TOML, zips and queries, and plain bytes beside.

The same seed does the same damage.
"""

import io
import json
import zipfile
from copy import deepcopy
from random import Random
from typing import Any

from lxml import etree

from tests.adapters.cap.mutations import damaged, mutations

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**70, -0.0, 1e308, "", " ", "\u0000", "\ud800", "x" * 5_000, "０", "9" * 400,
    [], {}, [[]], [None], {"": None}, {"a": {"a": {"a": []}}}, "2026-05-16T08:00:00+08:00", "2026-02-30 24:61:61",
    "1e9", "NaN", "红色", "red", "解除", "330604", "\u202e", "<a>", "&#0;", "%00", "null", "1970", 10**18, -(10**18),
    10**400, float("nan"), float("inf"), "1" * 400 + ".5",
)  # fmt: skip
"""Values that a field may hold and should not."""

_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
)


def damage(content: bytes, chance: Random) -> bytes:
    """The content with some accident, most of the time one that leaves its form whole."""
    kind = chance.randrange(10)
    if kind < 2:
        return damaged(content, chance) if content else bytes(chance.randrange(256) for _ in range(20))
    if kind == 2:
        return _recoded(content, chance)
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if content[:2] == b"PK":
        return _of_zip(content, chance)
    if head == b"<":
        return _of_tree(content, chance)
    if head in {b"{", b"["}:
        return _of_json(content, chance)
    return _of_lines(content, chance)


def _recoded(content: bytes, chance: Random) -> bytes:
    """In another encoding than it says, cut, doubled, or with something in front or behind."""
    match chance.randrange(7):
        case 0:
            encoding = chance.choice(("utf-16", "utf-16-le", "utf-32", "gb18030", "latin-1", "utf-7"))
            return content.decode("utf-8", "replace").encode(encoding, "replace")
        case 1:
            return content[: chance.randrange(len(content) + 1)]
        case 2:
            return content + content
        case 3:
            return b"\xef\xbb\xbf" * chance.randint(1, 3) + content
        case 4:
            return b" \r\n\t" * chance.randint(1, 9) + content
        case 5:
            names = (b"gbk", b"utf-16", b"ebcdic-cp-us", b"x" * 300, b"")
            return content.replace(b"UTF-8", chance.choice(names), 1).replace(b"utf-8", chance.choice(names), 1)
        case _:
            return content[::-1]


def _of_tree(content: bytes, chance: Random) -> bytes:
    try:
        root = etree.fromstring(content, _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        return damaged(content, chance)
    if chance.randrange(4) == 0:
        _odd_text(root, chance)
        return etree.tostring(root)
    changed = root
    for one in mutations(root, chance, 1):
        changed = one
    encoding = chance.choice(("UTF-8", "UTF-8", "UTF-8", "UTF-16", "GB18030", "US-ASCII"))
    return etree.tostring(changed, encoding=encoding, xml_declaration=bool(chance.randrange(4)))


def _odd_text(root: etree._Element, chance: Random) -> None:
    """Some element's or attribute's text becomes another's, or something odd that XML can hold."""
    elements = list(root.iter(etree.Element))
    chosen = chance.choice(elements)
    odd = str(chance.choice(ODD)).encode("utf-8", "ignore").decode().replace("\x00", "\ufffd")
    text = chance.choice((odd, odd, chance.choice(elements).text or "", odd + " " + odd))
    if chosen.attrib and chance.randrange(2):
        chosen.set(chance.choice([str(name) for name in chosen.attrib]), text)
    elif len(chosen):
        chosen.tail = text
    else:
        chosen.text = text


def _of_json(content: bytes, chance: Random) -> bytes:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return damaged(content, chance)
    document = deepcopy(document)
    for _ in range(chance.randint(1, 3)):
        document = _changed(document, chance)
    text = json.dumps(document, ensure_ascii=bool(chance.randrange(2)))
    if chance.randrange(12) == 0:  # where a value begins: nesting, or digits, without end
        endless = chance.choice(("[" * 50, "[" * 5_000, '{"a":' * 3_000, "9" * 5_000 + ","))
        text = text.replace(":", f":{endless}", 1)
    return text.encode("utf-8", "surrogatepass")


def _changed(node: Any, chance: Random) -> Any:
    """The document with one place changed: replaced, dropped, doubled, renamed."""
    if chance.randrange(12) == 0 or not isinstance(node, dict | list) or not node:
        return chance.choice(ODD)
    if isinstance(node, list):
        place = chance.randrange(len(node))
        match chance.randrange(6):
            case 0:
                return node[:place] + node[place + 1 :]
            case 1:
                return node[:place] + [node[place]] * chance.choice((2, 3, 50)) + node[place:]
            case _:
                return [*node[:place], _changed(node[place], chance), *node[place + 1 :]]
    name = chance.choice(list(node))
    match chance.randrange(8):
        case 0:
            return {key: value for key, value in node.items() if key != name}
        case 1:
            return {**node, chance.choice(("", "x", name.upper(), "\ud800", "$ref")): node[name]}
        case 2:
            return {**node, name: node[chance.choice(list(node))]}
        case _:
            return {**node, name: _changed(node[name], chance)}


def _of_lines(content: bytes, chance: Random) -> bytes:
    """For TOML and other text in lines: lines dropped, doubled, moved, and values exchanged."""
    lines = content.split(b"\n")
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                del lines[place]
            case 1:
                lines.insert(place, chance.choice(lines))
            case 2:
                lines.insert(chance.randrange(len(lines)), lines.pop(place))
            case 3:
                name, mark, _ = lines[place].partition(b"=")
                odd = json.dumps(chance.choice(ODD)).encode()
                lines[place] = name + mark + b" " + odd if mark else odd
            case 4:
                lines[place] = damaged(lines[place] or b" ", chance)
            case _:
                lines[place] = lines[place].replace(b'"', b"", 1)
        lines = lines or [b""]
    return b"\n".join(lines)


def _of_zip(content: bytes, chance: Random) -> bytes:
    """The archive's document damaged and packed again, under other names, twice, or nested."""
    if chance.randrange(3) == 0:
        return damaged(content, chance)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            documents = [archive.read(name) for name in archive.namelist()]
    except (zipfile.BadZipFile, OSError, ValueError):
        return damaged(content, chance)
    inner = chance.choice(documents) if documents else b""
    if chance.randrange(2):
        inner = damage(inner, chance)
    names = ("a.XML", "../../a.xml", "/etc/x.xml", "a/", "", "\u202elmx.a", "a" * 300 + ".xml", "ACK.xml", "a.zip")
    held = io.BytesIO()
    method = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(held, "w", method) as archive:
        for number in range(chance.choice((0, 1, 1, 1, 2, 20))):
            archive.writestr(f"{number or ''}{chance.choice(names)}" or "x", inner)
    return held.getvalue()
