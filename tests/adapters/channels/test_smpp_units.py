"""SMPP's units, alphabets, receipts, pace and descriptions, without a connection."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.channels.port import Incoming
from adapters.channels.smpp_definition import IdForm, NumberForm, PlainAlphabet
from adapters.channels.smpp_inbox import Joiner
from adapters.channels.smpp_pace import Pace
from adapters.channels.smpp_pdu import Command, Delivery, MalformedError, Pdu, PduReader, Tag, delivery_of
from adapters.channels.smpp_receipts import Fault, Receipt, canonical_id, receipt_of
from adapters.channels.smpp_statuses import _STATUSES, meaning_of, outcome_of
from adapters.channels.smpp_text import (
    Part,
    destination_of,
    e164_of,
    encoded_text,
    gsm7_bytes,
    gsm7_text,
    received_part,
    reference_of,
    with_header,
)
from domain import texts
from domain.texts import sms_segments
from tests.adapters.channels.smpp_routes import definition

GSM = st.text(st.sampled_from(sorted(texts._GSM7 | texts._GSM7_EXTENDED)))
UNITS = st.builds(
    Pdu, st.sampled_from(list(Command)), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=300)
)
AT = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)


def receipt(content: bytes = b"", **parameters: bytes) -> Delivery:
    return Delivery(1, "8613800000001", 4, 0, content, {Tag[name.upper()]: value for name, value in parameters.items()})


def read(delivery: Delivery, zone: ZoneInfo | None = None) -> Receipt | Fault:
    return receipt_of(delivery, accepted_ids=IdForm.TEXT, receipt_ids=IdForm.TEXT, zone=zone)


@given(units=st.lists(UNITS, max_size=8), cuts=st.lists(st.integers(1, 50)))
def test_units_are_the_same_however_the_bytes_arrive(units: list[Pdu], cuts: list[int]) -> None:
    stream = b"".join(unit.packed() for unit in units)
    reader, found, at = PduReader(), [], 0
    for cut in [*cuts, len(stream)]:
        found += reader.feed(stream[at : at + cut])
        at += cut
    found += reader.feed(stream[at:])
    assert found == units


@given(body=st.binary(max_size=400), command=st.sampled_from([Command.DELIVER_SM, Command.DATA_SM]))
def test_a_delivery_is_read_or_refused_with_the_one_error(body: bytes, command: Command) -> None:
    try:
        delivery = delivery_of(Pdu(command, 0, 1, body))
    except MalformedError:
        return
    assert isinstance(received_part(delivery, PlainAlphabet.GSM), Part)
    assert isinstance(read(delivery), Receipt | Fault)


@pytest.mark.parametrize("length", [0, 15, 70_001, 0x48545450])
def test_a_length_that_no_unit_has_is_refused(length: int) -> None:
    with pytest.raises(MalformedError):
        PduReader().feed(length.to_bytes(4, "big") + bytes(12))


def test_a_payload_and_a_data_unit_are_read_as_well() -> None:
    payload = Tag.MESSAGE_PAYLOAD.to_bytes(2, "big") + b"\0\x02ok"
    head = b"\0\x01\x01861380000\0\0\x0010690000\0\0"
    as_data = delivery_of(Pdu(Command.DATA_SM, 0, 1, head + b"\0\x03" + payload))
    as_delivery = delivery_of(Pdu(Command.DELIVER_SM, 0, 1, head + b"\0\0\0\0\0\0\x03\0\0" + payload))
    for one in (as_data, as_delivery):
        assert (one.source, one.data_coding, one.content) == ("861380000", 3, b"ok")
        assert not one.is_receipt


@given(text=GSM)
def test_gsm_7_is_read_back_as_it_was_written(text: str) -> None:
    assert gsm7_text(gsm7_bytes(text)) == text


@given(text=st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=500))
def test_there_are_as_many_contents_as_segments_are_counted_and_each_fits(text: str) -> None:
    encoded = encoded_text(text, PlainAlphabet.GSM, 0)
    assert len(encoded.contents) == sms_segments(text)
    room = 140 if encoded.data_coding == 8 else 160
    assert all(len(content) <= room for content in encoded.contents)


def test_an_smsc_that_takes_latin_1_gets_latin_1_and_what_that_lacks_in_ucs_2() -> None:
    assert encoded_text("Müller à [1]", PlainAlphabet.LATIN1, 3).contents == ("Müller à [1]".encode("latin-1"),)
    assert encoded_text("5 €", PlainAlphabet.LATIN1, 3).data_coding == 8
    assert encoded_text("plain", PlainAlphabet.NONE, 0).data_coding == 8


def test_parts_of_other_words_have_another_reference() -> None:
    assert reference_of("7-1", "a") == reference_of("7-1", "a")
    assert len({reference_of("7-1", f"text {number}") for number in range(100)}) > 50
    assert with_header(b"x", 7, 3, 2) == bytes((5, 0, 3, 7, 3, 2)) + b"x"


@pytest.mark.parametrize(
    ("number", "form", "expected"),
    [
        ("+8613800000001", NumberForm.DIGITS, "8613800000001"),
        ("+8613800000001", NumberForm.PLUS, "+8613800000001"),
        ("+8613800000001", NumberForm.NATIONAL, "13800000001"),
        ("+4915112345678", NumberForm.NATIONAL, "4915112345678"),
    ],
)
def test_a_number_is_written_as_the_smsc_wants_it(number: str, form: NumberForm, expected: str) -> None:
    assert destination_of(number, form, "CN") == expected


@pytest.mark.parametrize(
    ("address", "ton", "expected"),
    [
        ("8613800000001", 1, "+8613800000001"),
        ("8613800000001", 0, "+8613800000001"),
        ("13800000001", 2, "+8613800000001"),
        ("+4915112345678", 0, "+4915112345678"),
        ("Flood\u202eDesk", 5, "FloodDesk"),
        ("12", 3, "12"),
    ],
)
def test_who_wrote_is_known_by_their_number(address: str, ton: int, expected: str) -> None:
    assert e164_of(address, ton, "CN") == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (bytes((0, 3, 9, 2, 1)), Part("a", 9, 2, 1)),
        (bytes((8, 4, 1, 2, 3, 2)), Part("a", 258, 3, 2)),
        (bytes((5, 4, 1, 2, 3, 4, 0, 3, 9, 2, 1)), Part("a", 9, 2, 1)),
        (bytes((0, 3, 9, 0, 1)), Part("a")),
        (bytes((0, 3, 9, 2, 3)), Part("a")),
        (b"\x00", Part("a")),
    ],
)
def test_which_part_it_is_stands_in_its_header(header: bytes, expected: Part) -> None:
    delivery = Delivery(1, "1", 0x40, 0, bytes((len(header),)) + header + b"a", {})
    assert received_part(delivery, PlainAlphabet.GSM) == expected


def test_what_waits_too_long_for_its_other_parts_is_told_without_them() -> None:
    joiner = Joiner()
    assert joiner.joined("+1", Part("b", 1, 3, 2), AT) is None
    assert joiner.joined("+1", Part("a", 1, 3, 1), AT) is None
    assert joiner.overdue(AT.replace(minute=34)) == []
    assert joiner.overdue(AT.replace(minute=36)) == [Incoming("+1", "ab", AT)]
    assert joiner.overdue(AT.replace(minute=59)) == []


USUAL = b"id:42 sub:001 dlvrd:001 submit date:2607010830 done date:2607010831 stat:%s err:%s text:"


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        (receipt(USUAL % (b"DELIVRD", b"000")), Receipt("42", "delivered", "")),
        (receipt(USUAL % (b"undeliv", b"012")), Receipt("42", "failed", "UNDELIV 012")),
        (receipt(USUAL % (b"MA:0001", b"000")), Receipt("42", "failed", "MA:0001 000")),
        (receipt(USUAL % (b"ACCEPTD", b"000")), Receipt("42", "under way", "")),
        (receipt(b"id:42 stat:DELIVRD"), Receipt("42", "delivered", "")),
        (receipt(b"ID:42 STAT:REJECTD Text:id:7 stat:DELIVRD"), Receipt("42", "failed", "REJECTD")),
        (receipt(b"id:42 stat:DELIVRD".decode().encode("utf-16-be")), Receipt("42", "delivered", "")),
        (receipt(receipted_message_id=b"42\0", message_state=b"\2"), Receipt("42", "delivered", "")),
        (receipt(receipted_message_id=b"42\0", message_state=b"\7"), Receipt("42", "failed", "UNKNOWN")),
        (
            receipt(receipted_message_id=b"42", message_state=b"\5", network_error_code=b"\3\0\x1b"),
            Receipt("42", "failed", "UNDELIV 3:27"),
        ),
        (receipt(b"stat:DELIVRD"), Fault.NO_ID),
        (receipt(b"id:42"), Fault.NO_STATE),
        (receipt(), Fault.NO_ID),
    ],
)
def test_a_receipt_says_what_became_of_which_message(delivery: Delivery, expected: Receipt | Fault) -> None:
    assert read(delivery) == expected


def test_the_time_of_delivery_is_read_where_the_zone_is_known() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    found = read(receipt(USUAL % (b"DELIVRD", b"0")), zone)
    assert isinstance(found, Receipt)
    assert found.done == datetime(2026, 7, 1, 8, 31, tzinfo=zone)
    nonsense = read(receipt(b"id:1 done date:9999999999 stat:DELIVRD"), zone)
    assert isinstance(nonsense, Receipt)
    assert nonsense.done is None


def test_an_id_is_the_same_however_it_is_written() -> None:
    assert canonical_id("00FF", IdForm.HEX) == canonical_id("255", IdForm.DECIMAL) == "255"
    assert canonical_id(" a-1 ", IdForm.HEX) == "a-1"
    assert canonical_id("00FF", IdForm.TEXT) == "00FF"


def test_being_throttled_halves_the_window_once_for_each_occasion_and_answers_give_it_back() -> None:
    pace = Pace(50, 10.0)
    assert pace.throttled(sent_at=1.0, now=2.0, chance=0.0) == pytest.approx(0.2)
    assert pace.throttled(sent_at=1.5, now=2.1, chance=0.0) == pytest.approx(0.1)
    assert pace.allowed == 25
    assert pace.throttled(sent_at=2.5, now=3.0, chance=0.0) == pytest.approx(0.4)
    assert pace.allowed == 12
    for number in range(20):
        pace.throttled(sent_at=10.0 + number, now=10.5 + number, chance=0.0)
    assert pace.allowed == 1
    for _ in range(5_000):
        pace.taken()
    assert pace.allowed == 50


@pytest.mark.parametrize("status", [*_STATUSES, 0x0400, 0xFFFF_FFFF])
def test_every_status_has_an_outcome_that_names_it(status: int) -> None:
    outcome = outcome_of(status, meaning_of(status, definition(1)))
    assert "ESME_" in outcome.reason or "0x" in outcome.reason  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "smsc.example.org"},
        {"ca_file": Path("ca.pem")},
        {"system_id": ""},
        {"system_id": "sixteen letters!"},
        {"source": "应急", "source_ton": 5},
        {"source": "FLOOD", "source_ton": 1},
        {"window": 0},
        {"receipt_zone": "Nowhere/City"},
        {"dead_statuses": [1025], "refused_statuses": [1025]},
        {"password": "secret"},
    ],
)
def test_a_description_that_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        definition(1, **wrong)


def test_the_usual_ports_are_known() -> None:
    assert definition(1).port_used == 1
    assert definition(None).port_used == 2775
    assert definition(None, tls=True, host="smsc.example.org").port_used == 3550
