"""Every form in which a number, an address or a name may lie in a file, and where it does.

A file is searched as its bytes, and a SQLite file cell by cell as well, for a long value is cut up over its pages.
"""

import re
import shutil
import sqlite3
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

SQLITE = b"SQLite format 3\0"
GAP = rb"[\x00 \-_./()+]{0,4}"
"""What may stand between the digits of a number; the zeros are those of UTF-16."""

_BASE64_LOSES = (0, 2, 3)
"""So many letters at the beginning also depend on what stands before, by how far that is from a third octet."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One form of one thing that must not be found. `sealed` ones are octets from the vault."""

    of: str
    form: str
    pattern: "re.Pattern[bytes]"


def traces(texts: Mapping[str, str], octets: Mapping[str, bytes]) -> list[Trace]:
    """What is looked for, by what it is: texts in every form, and octets as they are."""
    found = [
        Trace(name, form, re.compile(re.escape(written), re.IGNORECASE if form == "text" else 0))
        for name, text in texts.items()
        for form, written in _forms(text)
    ]
    for name, text in texts.items():
        if text.isdecimal():
            digits = GAP.join(bytes([digit]) for digit in text.encode())
            found.append(Trace(name, "separated digits", re.compile(digits)))
    return found + [Trace(name, "octets", re.compile(re.escape(some))) for name, some in octets.items()]


def _forms(text: str) -> Iterator[tuple[str, bytes]]:
    plain = text.encode()
    yield "text", plain
    wide = {"utf-16-le": text.encode("utf-16-le"), "utf-16-be": text.encode("utf-16-be")}
    yield from wide.items()
    for encoding, octets in {"utf-8": plain, **wide}.items():
        for number, written in enumerate(_base64(octets)):
            yield f"base64 of {encoding} ({number})", written
    if not text.isascii():
        yield "gb18030", text.encode("gb18030")
        escaped = text.encode("ascii", "backslashreplace")
        yield "JSON", escaped
        yield "JSON, capitals", re.sub(rb"\\u(....)", lambda one: b"\\u" + one[1].upper(), escaped)
        yield "XML", text.encode("ascii", "xmlcharrefreplace")
        yield "XML in hex", "".join(f"&#x{ord(letter):x};" for letter in text).encode()
        yield "quoted-printable", b"".join(b"=%02X" % octet for octet in plain)
    if escape(text) != text:
        yield "HTML", escape(text).encode()
    for percent in {quote(text, safe=""), "".join(f"%{octet:02X}" for octet in plain)} - {text}:
        yield "percent", percent.encode()
        yield "percent, small", re.sub("%..", lambda one: one[0].lower(), percent).encode()
    yield "hex", plain.hex().encode()
    yield "hex, capitals", plain.hex().upper().encode()
    if text.isdecimal():
        yield from _packed(text)


def _base64(octets: bytes) -> Iterator[bytes]:
    """Those letters that are there whatever stands before and behind."""
    for before, lost in enumerate(_BASE64_LOSES):
        shifted = bytes(before) + octets
        whole = len(shifted) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(shifted)[lost:whole]


def _packed(digits: str) -> Iterator[tuple[str, bytes]]:
    """A number as an integer of six octets, which eight begin or end with, and as semi-octets."""
    for order in ("big", "little"):
        yield f"integer, {order}", int(digits).to_bytes(6, "big" if order == "big" else "little")
    even = digits + "f" * (len(digits) % 2)
    yield "semi-octets", bytes.fromhex(even)
    yield "semi-octets, swapped", bytes.fromhex("".join(even[at + 1] + even[at] for at in range(0, len(even), 2)))


@dataclass(frozen=True, slots=True)
class Hit:
    """Something was found here."""

    path: str
    of: str
    form: str


def hits(folder: Path, wanted: list[Trace]) -> list[Hit]:
    """Everything that is found below a folder, each once for each file; names of files are searched as well."""
    found: dict[Hit, None] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        contents = [name.encode(), *(_contents(path) if path.is_file() else ())]
        for trace in wanted:
            if any(trace.pattern.search(content) for content in contents):
                found[Hit(name, trace.of, trace.form)] = None
    return list(found)


def _contents(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    yield re.sub(rb"=?\r?\n[ \t]?", b"", content)  # what was folded
    if content.startswith(SQLITE):
        yield b"\0\0\0\0\0".join(_cells(path))


def _cells(path: Path) -> Iterator[bytes]:
    """Every value that SQLite itself finds in the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            name = table.decode().replace('"', '""')
            for row in connection.execute(f'SELECT * FROM "{name}"'):
                for value in row:
                    yield value if isinstance(value, bytes) else str(value).encode()


def copied(folder: Path, target: Path) -> Path:
    """The files as they lie there now, write-ahead logs included, to be looked at in peace."""
    shutil.copytree(folder, target)
    return target


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def backed_up(folder: Path, target: Path) -> Path:
    """A backup by SQLite's own means and of every other file; write-ahead logs are no part of one."""
    for path in sorted(folder.rglob("*")):
        to = target / path.relative_to(folder)
        if path.is_dir():
            to.mkdir(parents=True, exist_ok=True)
        elif path.name.endswith(("-wal", "-shm")):
            continue
        elif _is_sqlite(path):
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as copy:
                source.backup(copy)
        else:
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, to)
    return target
