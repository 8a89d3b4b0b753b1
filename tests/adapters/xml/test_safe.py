"""What no document can do to us (S1), and what the helpers promise."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.xml.safe import XmlLimits, local_name, namespace_of, parse, parse_whole, path_of, text_of
from domain.findings import Code, RefusedMessageError

DTD = '<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY b "boom">]><a>&b;</a>'
EXTERNAL = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
PARAMETER = '<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:1/x.dtd"> %b;]><a/>'
BILLION = (
    "<!DOCTYPE a ["
    + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(10))
    + "]><a>&e9;</a>"
)


def _dtd_in(encoding: str) -> bytes:
    return DTD.format(encoding=encoding).encode(encoding)


ATTACKS: dict[str, tuple[Callable[[], bytes], Code]] = {
    "a DTD": (lambda: _dtd_in("utf-8"), Code.DTD),
    "a DTD behind a mark": (lambda: b"\xef\xbb\xbf" + _dtd_in("utf-8"), Code.DTD),
    "a DTD behind a comment": (lambda: b"<?xml version='1.0'?>\n<!-- > --> <?p ?><!DOCTYPE a><a/>", Code.DTD),
    "a DTD in UTF-16": (lambda: _dtd_in("utf-16"), Code.DTD),
    "a DTD in UTF-16 without a mark": (lambda: _dtd_in("utf-16-le"), Code.DTD),
    "a DTD in UTF-16, big end first": (lambda: _dtd_in("utf-16-be"), Code.DTD),
    "a DTD in UTF-32": (lambda: _dtd_in("utf-32"), Code.DTD),
    "a DTD in UTF-32, big end first": (lambda: _dtd_in("utf-32-be"), Code.DTD),
    "a DTD in GB 18030": (lambda: _dtd_in("gb18030"), Code.DTD),
    "an external entity": (EXTERNAL.encode, Code.DTD),
    "an external parameter entity": (PARAMETER.encode, Code.DTD),
    "a billion laughs": (BILLION.encode, Code.DTD),
    "a billion laughs in UTF-16": (lambda: BILLION.encode("utf-16"), Code.DTD),
    "UTF-7": (lambda: b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4-', Code.NOT_UTF8),
    "EBCDIC": (lambda: DTD.format(encoding="cp037").encode("cp037"), Code.NOT_UTF8),
    "an encoding with escapes": (lambda: b'<?xml version="1.0" encoding="ISO-2022-JP"?><a/>', Code.NOT_UTF8),
    "an unknown encoding": (lambda: b'<?xml version="1.0" encoding="x-evil"?><a/>', Code.NOT_UTF8),
    "Latin-1 that claims UTF-8": (lambda: "<a>é</a>".encode("latin-1"), Code.NOT_UTF8),
    "half a surrogate pair": (lambda: b"<a>\xed\xa0\x80</a>", Code.NOT_UTF8),
    "half of UTF-16": (lambda: b"\xff\xfe\x3c", Code.NOT_UTF8),
    "an overlong less-than sign": (lambda: b"<a>\xc0\xbcb></a>", Code.NOT_UTF8),
    "a depth of 100,000": (lambda: b"<a>" * 100_000, Code.TOO_DEEP),
    "a million attributes": (
        lambda: b"<a " + b" ".join(b'a%d=""' % n for n in range(1_000_000)) + b"/>",
        Code.TOO_LARGE,
    ),
    "600,000 attributes": (
        lambda: b"<a " + b" ".join(b'a%d=""' % n for n in range(600_000)) + b"/>",
        Code.TOO_MANY_NODES,
    ),
    "a million elements": (lambda: b"<a>" + b"<b/>" * 1_000_000 + b"</a>", Code.TOO_MANY_NODES),
    "20,000 namespaces": (
        lambda: b"<a " + b" ".join(b'xmlns:a%d="u"' % n for n in range(20_000)) + b"/>",
        Code.TOO_MANY_NODES,
    ),
    "two million references": (lambda: b"<a>" + b"&#x" * 2_000_000 + b"</a>", Code.TOO_MANY_NODES),
    "65 MB": (lambda: b"<a>" + b"x" * 65_000_000 + b"</a>", Code.TOO_LARGE),
    "99,000 comments before anything": (lambda: b"<!---->" * 99_000 + b"<a/>", Code.NOT_XML),
    "8 MB of space before anything": (lambda: b" " * 8_000_000 + b"<a/>", Code.NOT_XML),
    "a DTD where the prolog is cut": (lambda: b" " * (64 * 1024 - 4) + b"<!DOCTYPE a><a/>", Code.NOT_XML),
    "a DTD in small letters": (lambda: b"<!doctype a><a/>", Code.NOT_XML),
    "NUL bytes": (lambda: b"<a>\x00</a>", Code.NOT_XML),
    "nothing but NUL bytes": (lambda: b"\x00" * 1_000, Code.NOT_XML),
    "an HTML entity": (lambda: b"<a>&nbsp;</a>", Code.NOT_XML),
    "two roots": (lambda: b"<a/><b/>", Code.NOT_XML),
    "no XML": (lambda: b"hello", Code.NOT_XML),
    "nothing": (lambda: b"", Code.EMPTY),
    "white space": (lambda: b" \n\t", Code.EMPTY),
}

_watching = threading.local()
_OUTSIDE = ("open", "os.", "socket.", "subprocess.", "urllib.")


def _audit(event: str, _arguments: tuple[object, ...]) -> None:
    seen = getattr(_watching, "seen", None)
    if seen is not None and event.startswith(_OUTSIDE):
        seen.append(event)


sys.addaudithook(_audit)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Every file or socket that Python opens within."""
    seen: list[str] = []
    _watching.seen = seen
    try:
        yield seen
    finally:
        _watching.seen = None


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_with_its_code_and_touches_nothing_outside(name: str) -> None:
    make, code = ATTACKS[name]
    content = make()
    with watched() as outside, pytest.raises(RefusedMessageError) as refused:
        parse(content)
    assert [finding.code for finding in refused.value.findings] == [code]
    assert all(finding.refuses for finding in refused.value.findings)
    assert outside == []


def test_the_watch_over_files_and_sockets_sees_them() -> None:
    with watched() as outside, Path(os.devnull).open("rb"), socket.socket():
        pass
    assert {"open", "socket.__new__"} <= set(outside)


@pytest.mark.parametrize(
    "document",
    [
        b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></a>',
        b'<a xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:schemaLocation="u file:///etc/passwd"/>',
        b'<?xml-stylesheet type="text/xsl" href="file:///etc/passwd"?><a/>',
    ],
)
def test_addresses_in_a_document_are_not_followed(document: bytes) -> None:
    with watched() as outside:
        root = parse(document)
    assert "root:" not in "".join(root.itertext())
    assert outside == []


def test_hints_at_schemas_are_removed() -> None:
    root = parse(
        b'<a xmlns:x="http://www.w3.org/2001/XMLSchema-instance"><b x:schemaLocation="u v" c="d"/>'
        b'<b x:noNamespaceSchemaLocation="w"/></a>'
    )
    assert [dict(child.attrib) for child in root] == [{"c": "d"}, {}]


def test_a_text_is_whole_whatever_stands_inside_it() -> None:
    assert parse(b"<a> x<!-- -->y<?p q?>z<![CDATA[<w>]]> </a>").text == " xyz<w> "


@pytest.mark.parametrize(
    "document", [b"<a><b> \n </b></a>", b"<a><b> \n <![CDATA[]]></b></a>", b"<a><b> \n <!-- --></b></a>"]
)
def test_a_text_of_white_space_is_kept(document: bytes) -> None:
    assert parse(document)[0].text == " \n "


def test_white_space_in_front_of_a_quoted_part_is_kept() -> None:
    assert parse(b"<a><b> \n <![CDATA[x]]></b></a>")[0].text == " \n x"


def test_a_document_type_that_is_quoted_in_a_text_is_only_text() -> None:
    assert parse(b"<a><![CDATA[<!DOCTYPE html>]]></a>").text == "<!DOCTYPE html>"


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("GB2312", "gbk"),
        ("gb18030", "gb18030"),
        ("Big5", "big5"),
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-8"),  # programs that build a string first claim this of UTF-8
        ("UTF-8", "utf-8-sig"),
    ],
)
def test_the_encodings_of_real_senders_are_read(declared: str, codec: str) -> None:
    text = "上海"
    assert parse(f'<?xml version="1.0" encoding="{declared}"?><a>{text}</a>'.encode(codec)).text == text


def test_limits_can_be_set() -> None:
    with pytest.raises(RefusedMessageError):
        parse(b"<a>1234567890</a>", XmlLimits(max_bytes=10))


def test_what_a_signature_covers_is_kept_whole() -> None:
    root = parse_whole(b"<?p q?><a>x<!-- c --> <b/> </a>")
    assert len(root.xpath("//comment()")) == 1
    assert root[1].tail == " "


def test_a_path_names_positions_of_blocks_and_of_namesakes() -> None:
    root = parse(b"<alert xmlns='u'><info><event/></info><info><expires/><code/><code/></info><sent/></alert>")
    info = root[1]
    assert path_of(info[0]) == "/alert/info[2]/expires"
    assert path_of(info[2]) == "/alert/info[2]/code[2]"
    assert path_of(root[2]) == "/alert/sent"
    assert path_of(root) == "/alert"
    assert path_of(parse(b"<alert><info><expires/></info></alert>")[0][0]) == "/alert/info[1]/expires"


def test_names_and_texts_are_told() -> None:
    root = parse(b"<a xmlns='u'> x <b/></a>")
    assert (local_name(root), namespace_of(root), text_of(root), text_of(root[0])) == ("a", "u", " x ", "")
    assert namespace_of(parse(b"<a/>")) == ""
