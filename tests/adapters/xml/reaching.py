"""Documents that would like to reach outside, and a process that watches whether reading one does.

`python -m tests.adapters.xml.reaching` reads each of them and prints, as JSON by name, every file and socket that
Python opened meanwhile. It is a process of its own because a hook for that stays for a process's life, and with it in
place two threads that begin at one moment under coverage may fail.
"""

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from adapters.xml.safe import parse
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

ADDRESSES: dict[str, bytes] = {
    "an XInclude": (
        b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></a>'
    ),
    "a schema's place": (
        b'<a xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:schemaLocation="u file:///etc/passwd"/>'
    ),
    "a style sheet": b'<?xml-stylesheet type="text/xsl" href="file:///etc/passwd"?><a/>',
}
ITSELF = "the watch itself"
OUTSIDE = ("open", "os.", "socket.", "subprocess.", "urllib.")

_seen: list[list[str]] = []


def _audit(event: str, _arguments: tuple[object, ...]) -> None:
    if _seen and event.startswith(OUTSIDE):
        _seen[-1].append(event)


def watch_this_process() -> None:
    """From now on, for good: for programs alone."""
    sys.addaudithook(_audit)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Every file or socket that Python opens within."""
    seen: list[str] = []
    _seen.append(seen)
    try:
        yield seen
    finally:
        _seen.pop()


def main() -> None:
    """Read all of them."""
    contents = {name: make() for name, (make, _) in ATTACKS.items()} | ADDRESSES
    watch_this_process()
    found: dict[str, list[str]] = {}
    for name, content in contents.items():
        with watched() as found[name], suppress(RefusedMessageError):
            parse(content)
    with watched() as found[ITSELF], Path(os.devnull).open("rb"), socket.socket():
        pass
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
