"""CAP's times, as they are written and as they are meant."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from adapters.cap.blocks import Part
from adapters.cap.checks import Verdict
from adapters.cap.findings import Found, Place
from domain.findings import Code

EARLIEST_YEAR = 1990
LATEST_YEAR = 2100
"""Years outside cannot be meant: 2568 is a year of the Buddhist era, 1970 a clock that was never set."""

_PLAIN_LENGTH = len("2026-05-16T08:00:00+08:00")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)? ?([Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)


def moment(block: Part, name: str, found: Found, *, sent: datetime | None = None) -> datetime | None:
    """The time in a block's element, with the offset its sender wrote; None when it has none that can be used.

    `sent` is the message's time of sending once that is known, and None while it is being read itself: a defect
    of that one always refuses, because it is part of what identifies the message.
    """
    text = block.texts[name]
    plain = _as_cap_wants(text)
    if plain is not None and EARLIEST_YEAR <= plain.year <= LATEST_YEAR:
        return plain
    return _unusual(text.strip(), block.where(name), found, sent)


def _as_cap_wants(text: str) -> datetime | None:
    if len(text) != _PLAIN_LENGTH or text[10] != "T":
        return None
    try:
        plain = datetime.fromisoformat(text)
    except ValueError:
        return None
    return plain if plain.tzinfo is not None else None


def _unusual(text: str, element: Place, found: Found, sent: datetime | None) -> datetime | None:
    verdict = Verdict.REFUSE if sent is None else found.checks.unusable_time
    if not text:
        if sent is not None:
            found.add(found.checks.incomplete, Code.MISSING, element, "The time is empty.")
        return None
    match = _TIME.fullmatch(text)
    read = _assembled(match) if match else None
    if match is None or read is None:
        found.add(verdict, Code.TIME, element, f"“{text[:40]}” is not a time.")
        return None
    if not EARLIEST_YEAR <= read.year <= LATEST_YEAR:
        sentence = f"The year {read.year} cannot be meant; times are in the Gregorian calendar."
        found.add(verdict, Code.TIME_RANGE, element, sentence)
        return None
    if match[5]:
        found.note(Code.TIME, element, "The time has fractions of a second.")
    return read if read.tzinfo else _in_default_zone(read, element, found, sent)


def _assembled(match: re.Match[str]) -> datetime | None:
    """The time in parts; 24:00:00 is the next day's first moment, as in XML Schema."""
    date, hours, minutes, seconds, fraction, zone = match.groups()
    ends_the_day = hours == "24"
    text = f"{date}T{'00' if ends_the_day else hours}:{minutes}:{seconds or '00'}"
    if ends_the_day and (minutes, seconds or "00", (fraction or ".").strip(".0")) != ("00", "00", ""):
        return None
    try:
        read = datetime.fromisoformat(text) + timedelta(days=1 if ends_the_day else 0)
        if fraction:
            read = read.replace(microsecond=int(fraction[1:7].ljust(6, "0")))
        if zone:
            read = read.replace(tzinfo=_zone(zone))
    except (ValueError, OverflowError):
        return None
    return read


@lru_cache(maxsize=256)
def _zone(text: str) -> timezone:
    if text in {"Z", "z"}:
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _in_default_zone(read: datetime, element: Place, found: Found, sent: datetime | None) -> datetime | None:
    checks = found.checks
    if checks.default_offset_minutes is not None:
        offset: timedelta | None = timedelta(minutes=checks.default_offset_minutes)
    else:
        offset = sent.utcoffset() if sent is not None else None
    if offset is None or checks.time_without_zone is Verdict.REFUSE:
        found.refuse(Code.TIME_ZONE, element, f"“{read.isoformat()}” has no time zone.")
        return None
    zone = timezone(offset)
    sentence = f"“{read.isoformat()}” has no time zone; it is taken to be in {zone}."
    found.add(checks.time_without_zone, Code.TIME_ZONE, element, sentence)
    return read.replace(tzinfo=zone)


def plain_moment(text: str) -> datetime | None:
    """The time in a text that has a zone and needs no interpretation, else None: for times inside other values."""
    plain = _as_cap_wants(text)
    if plain is not None:
        return plain
    match = _TIME.fullmatch(text)
    read = _assembled(match) if match else None
    return read if read is not None and read.tzinfo is not None else None
