"""Identifiers and file names survive being written and read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cn12379.names import (
    FileName,
    MalformedNameError,
    MessageIdentifier,
    build_file_name,
    build_identifier,
    parse_file_name,
    parse_identifier,
)
from domain.levels import Level
from domain.messages import MessageType

FILE_TYPES = (MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL)
digits = st.text(alphabet="0123456789", min_size=14, max_size=14)
moments = st.datetimes(
    min_value=datetime(2000, 1, 2),  # noqa: DTZ001 (hypothesis adds the zone)
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 (the same)
    timezones=st.integers(min_value=-12, max_value=14).map(lambda hours: timezone(timedelta(hours=hours))),
).map(lambda moment: moment.replace(microsecond=0))
identifiers = st.builds(
    MessageIdentifier,
    sender_code=digits,
    made=moments,
    sequence=st.text(alphabet="0123456789", max_size=6),
)
file_names = st.builds(
    FileName,
    sender_code=digits,
    sent=moments,
    event_type=st.from_regex(r"[0-9A-Z]{5}", fullmatch=True),
    level=st.none() | st.sampled_from(Level),
    message_type=st.sampled_from(FILE_TYPES),
)


@given(identifiers)
def test_an_identifier_that_was_built_reads_back_the_same(identifier: MessageIdentifier) -> None:
    written = build_identifier(identifier)
    assert parse_identifier(written) == identifier
    assert build_identifier(parse_identifier(written)) == written


@given(file_names)
def test_a_file_name_that_was_built_reads_back_the_same(name: FileName) -> None:
    written = build_file_name(name)
    assert parse_file_name(written) == name
    assert build_file_name(parse_file_name(written)) == written


@given(st.text())
def test_any_other_text_is_refused_with_one_error(text: str) -> None:
    for parse in (parse_identifier, parse_file_name):
        with pytest.raises(MalformedNameError):
            parse(text)


def test_times_in_names_are_beijing_times() -> None:
    midnight = datetime(2030, 6, 7, 16, 0, 0, tzinfo=UTC)
    identifier = MessageIdentifier(sender_code="33060041600000", made=midnight)
    assert build_identifier(identifier) == "33060041600000_20300608000000"


def test_an_identifier_tells_division_organisation_and_sequence() -> None:
    identifier = parse_identifier("33060033200000_20300607080910_2")
    assert (identifier.division, identifier.organisation, identifier.sequence) == ("330600", "332", "2")


def test_a_file_name_without_a_level_says_unknown() -> None:
    name = parse_file_name("33060041600000_20300607080910_11B03_UNKNOWN_CANCEL.xml")
    assert name.level is None
    assert build_file_name(name) == "33060041600000_20300607080910_11B03_UNKNOWN_CANCEL.XML"


def test_a_time_that_the_calendar_does_not_hold_is_refused() -> None:
    with pytest.raises(MalformedNameError, match="not a time"):
        parse_identifier("33060041600000_20300230080910")


def test_no_file_name_is_built_for_an_acknowledgement() -> None:
    name = parse_file_name("33060041600000_20300607080910_11B03_RED_ALERT.XML")
    with pytest.raises(MalformedNameError):
        build_file_name(name.model_copy(update={"message_type": MessageType.ACK}))
