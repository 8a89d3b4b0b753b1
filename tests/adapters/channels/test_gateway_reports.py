"""What gateways report, in the forms in which they do, and what no report may do."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.channels.gateway_json import UnreadableError, form_in, json_in, without_numbers
from adapters.channels.gateway_profile import MessageRule, ReceiptRule
from adapters.channels.gateway_reports import Read, messages_in, receipts_in
from adapters.channels.port import DeliveryReceipt, Incoming
from adapters.channels.smpp_definition import NumberForm
from tests.adapters.channels.gateway_house import NOW

RECEIPTS = ReceiptRule(
    items="data.list",
    reference="id",
    state="state",
    delivered=frozenset({"0", "true"}),
    pending=frozenset({"sent"}),
    reason="why",
    at="at",
)
MESSAGES = MessageRule(items="", address="from", text="text", at="at")


def receipts(*items: object, **changed: Any) -> list[object]:
    rule = RECEIPTS.model_copy(update=changed)
    read = receipts_in({"data": {"list": list(items)}}, rule, NOW)
    return [*read.items, *read.faults]


def test_delivered_failed_and_under_way_are_told_apart_and_an_unknown_state_has_failed() -> None:
    assert receipts(
        {"id": "a", "state": 0},
        {"id": "b", "state": True},
        {"id": "c", "state": "sent"},
        {"id": "d", "state": "9", "why": "absent +8613800000001"},
        {"id": 5, "state": "what?"},
    ) == [
        DeliveryReceipt("a", "delivered", NOW),
        DeliveryReceipt("b", "delivered", NOW),
        DeliveryReceipt("d", "failed", NOW, "absent …"),
        DeliveryReceipt("5", "failed", NOW, "what?"),
    ]


def test_what_an_item_lacks_is_told_by_its_place_and_the_others_are_read() -> None:
    found = receipts(
        {"state": "0"}, {"id": "x"}, "words", None, {"id": {"deep": 1}, "state": "0"}, {"id": "y", "state": "0"}
    )
    assert found == [
        DeliveryReceipt("y", "delivered", NOW),
        "item 0: no reference at id",
        "item 1: no state at state",
        "item 2: no reference at id",
        "item 3: no reference at id",
        "item 4: no reference at id",
    ]


@pytest.mark.parametrize(
    ("written", "form", "moment"),
    [
        ("2026-09-13T07:00:00Z", "", datetime(2026, 9, 13, 7, tzinfo=UTC)),
        ("2026-09-13 15:00:00", "", datetime(2026, 9, 13, 7, tzinfo=UTC)),
        ("13/09/26 15:00", "%d/%m/%y %H:%M", datetime(2026, 9, 13, 7, tzinfo=UTC)),
        (1789282800, "", datetime(2026, 9, 13, 7, tzinfo=UTC)),
        ("1789282800123", "", datetime(2026, 9, 13, 7, tzinfo=UTC)),
        ("2026-09-13T23:00:00Z", "", NOW),
        ("yesterday", "", NOW),
        ("", "", NOW),
        (None, "", NOW),
        (True, "", NOW),
        ("9999-12-31T23:59:59-23:59", "", NOW),
    ],
)
def test_a_time_is_read_in_its_form_and_zone_and_is_never_later_than_now(
    written: object, form: str, moment: datetime
) -> None:
    assert receipts({"id": "a", "state": "0", "at": written}, time_format=form) == [
        DeliveryReceipt("a", "delivered", moment)
    ]


@pytest.mark.parametrize(
    ("number", "form", "address"),
    [
        ("13800000001", NumberForm.NATIONAL, "+8613800000001"),
        ("8613800000001", NumberForm.NATIONAL, "+8613800000001"),
        ("+8613800000001", NumberForm.PLUS, "+8613800000001"),
        ("8613800000001", NumberForm.DIGITS, "+8613800000001"),
        ("+447700900123", NumberForm.NATIONAL, "+447700900123"),
        ("10690000", NumberForm.PLUS, "+8610690000"),
        ("INFO", NumberForm.NATIONAL, "INFO"),
    ],
)
def test_who_wrote_is_named_in_e164(number: str, form: NumberForm, address: str) -> None:
    rule = MESSAGES.model_copy(update={"number_form": form})
    read = messages_in({"from": number, "text": "1\u202e\x00"}, rule, "CN", NOW)
    assert read.items == [Incoming(address, "1", NOW)]


def test_an_answer_of_a_key_on_a_telephone_is_a_message_too() -> None:
    read = messages_in([{"from": "13800000001", "text": 1}, {"from": "13800000001"}], MESSAGES, "CN", NOW)
    assert read.items == [Incoming("+8613800000001", "1", NOW)]
    assert read.faults == ["item 1: no text at text"]


@pytest.mark.parametrize("document", [1, "x", None, {"data": 1}, {"data": {"list": "x"}}, []])
def test_a_report_without_its_list_is_unreadable(document: object) -> None:
    with pytest.raises(UnreadableError, match=r"no list at data\.list"):
        receipts_in(document, RECEIPTS, NOW)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "state", "at", "from", "text", "data", "list", "why"]), inner)
    ),
)


@given(JUNK)
def test_no_report_however_odd_raises_anything_else(document: object) -> None:
    reading: list[Callable[[], Read]] = [
        lambda: receipts_in(document, RECEIPTS, NOW),
        lambda: receipts_in({"data": {"list": document}}, RECEIPTS, NOW),
        lambda: messages_in(document, MESSAGES, "CN", NOW),
    ]
    for read in reading:
        try:
            found = read()
        except UnreadableError:
            continue
        assert all(one.at <= NOW for one in found.items)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_bytes_raise_anything_else(content: bytes) -> None:
    for read in (json_in, form_in):
        try:
            read(content)
        except UnreadableError:
            continue


def test_a_form_is_read_and_one_without_an_end_is_not() -> None:
    assert form_in(b"id=a%201&state=%E4%B8%AD") == {"id": "a 1", "state": "中"}
    for content in (b"", b"words", "id=中".encode(), b"id=%ff", b"&".join(b"a=1" for _ in range(300))):
        with pytest.raises(UnreadableError):
            form_in(content)
    with pytest.raises(UnreadableError, match="nested"):
        json_in(b"[" * 200_000)
    assert json_in(json.dumps({"a": 1}).encode("utf-8-sig")) == {"a": 1}


@given(st.text(max_size=60), st.from_regex(r"\+?[1-9][0-9]{6,14}", fullmatch=True), st.text(max_size=60))
def test_a_reason_holds_no_number(before: str, number: str, after: str) -> None:
    found = without_numbers(f"{before} {number} {after}")
    assert number not in found
    assert len(found) <= 100
