"""A list's items become messages; what cannot be read is refused alone and never counts as ended."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.feeds.framing import ListLimits
from adapters.feeds.items import ListedMessage, RefusedItem, Span
from adapters.feeds.list_reader import ListReader
from domain.areas import AreaClaim, Geocode
from domain.findings import Code, RefusedMessageError
from domain.levels import Level
from domain.messages import AgencyMessage, MessageFormat, MessageType, Mode, Named, Reference
from domain.ports import MessageReader
from tests.adapters.feeds.samples import ITEM, PROFILE, TITLE_PROFILE, item, listing, profile, titled

READER = ListReader(profile())
TITLE_READER = ListReader(profile(TITLE_PROFILE))
LINES_READER = ListReader(profile(PROFILE.replace('items = "data.list"\nexpects = { code = 0 }', 'shape = "lines"')))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def only(entry: dict[str, Any]) -> ListedMessage:
    (listed,) = READER.read_list(listing(entry)).listed
    return listed


def refused(entry: Any) -> RefusedItem:
    reading = READER.read_list(listing(ITEM, entry))
    assert len(reading.listed) == 1
    (found,) = reading.refused
    return found


def codes(entry: Any) -> list[tuple[Code, str]]:
    return [(found.code, found.path) for found in refused(entry).findings if found.refuses]


def whole_list_refused(reader: ListReader, content: bytes) -> Code:
    with pytest.raises(RefusedMessageError) as error:
        reader.read_list(content)
    return error.value.findings[0].code


def from_title(title: str, **changes: Any) -> AgencyMessage:
    (message,) = TITLE_READER.read(titled(title, **changes))
    return message


def test_a_list_reader_is_a_message_reader() -> None:
    reader: MessageReader = READER
    assert len(reader.read(listing(ITEM))) == 1


def test_an_item_becomes_a_listed_alert() -> None:
    message = only(ITEM).message
    assert (message.format, message.listed, message.mode) == (MessageFormat.LIST, True, Mode.LIVE)
    assert (message.sender, message.identifier, message.source) == ("样例市气象台", "17", "sample")
    assert message.message_type is MessageType.ALERT
    assert message.sent == moment("2030-06-07T08:09:10+08:00")
    assert message.sent.utcoffset() == timedelta(hours=8)
    assert message.notes == ()


def test_hazard_and_level_come_from_the_tables() -> None:
    (info,) = only(ITEM).message.infos
    assert (info.event, info.event_codes) == ("暴雨", (Named(name="hazard", value="11B03"),))
    assert (info.level, info.severity) == (Level.ORANGE, "Severe")
    assert info.sender_name == "样例市气象台"


def test_the_text_is_kept_byte_for_byte_and_ends_nothing() -> None:
    (info,) = only(ITEM).message.infos
    assert info.description == ITEM["text"]
    assert info.expires is None
    assert info.onset == moment("2030-06-07T08:00:00+08:00")


def test_place_names_are_split_and_not_rewritten() -> None:
    (area,) = only(item(area="全市、 乙区")).message.infos[0].areas
    assert area == AreaClaim(description="全市、 乙区", place_names=("全市", "乙区"))


def test_a_repeated_place_is_named_once() -> None:
    assert only(ITEM).message.infos[0].areas[0].place_names == ("甲区", "乙区", "丙湾")


def test_an_item_without_places_is_noted_and_claims_none() -> None:
    message = only(item(area="")).message
    assert message.infos[0].areas == (AreaClaim(),)
    assert [(found.code, found.path) for found in message.notes] == [(Code.NO_AREA, "/items[1]/area")]


def test_an_address_is_made_whole() -> None:
    assert only(ITEM).message.infos[0].web == "https://warnings.example/list/17.html"
    assert only(item(link="http://[")).message.infos[0].web == ""


def test_a_time_with_an_offset_keeps_it() -> None:
    message = only(item(time="2030-06-07T00:09+0000")).message
    assert message.sent == moment("2030-06-07T08:09:00+08:00")
    assert message.sent.utcoffset() == timedelta(0)


def test_spans_and_agency_are_told_beside_the_message() -> None:
    listed = only(ITEM)
    assert listed.agency == "meteorology"
    assert listed.path == "/items[1]"
    assert listed.spans == (
        Span(begins=moment("2030-06-07T08:10:00+08:00"), ends=moment("2030-06-07T12:00:00+08:00")),
        Span(begins=moment("2030-06-07T13:00:00+08:00"), ends=None),
    )


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"wLevel": "紫色"}, Code.UNKNOWN_LEVEL, "/items[2]/wLevel"),
        ({"wLevel": None}, Code.UNKNOWN_LEVEL, "/items[2]/wLevel"),
        ({"kind": {"name": "地动"}}, Code.UNKNOWN_HAZARD, "/items[2]/kind/name"),
        ({"kind": "地动"}, Code.UNKNOWN_HAZARD, "/items[2]/kind/name"),
        ({"issued": "别市气象台"}, Code.UNKNOWN_AGENCY, "/items[2]/issued"),
        ({"issued": ""}, Code.MISSING, "/items[2]/issued"),
        ({"id": ""}, Code.MISSING, "/items[2]/id"),
        ({"id": 1.5}, Code.VALUE, "/items[2]/id"),
        ({"time": "yesterday"}, Code.TIME, "/items[2]/time"),
        ({"time": "2573-06-07 08:09:10"}, Code.TIME_RANGE, "/items[2]/time"),
        ({"text": ["暴雨"]}, Code.VALUE, "/items[2]/text"),
        ({"text": "\x00"}, Code.VALUE, "/items[2]/text"),
        ({"listed": "yes"}, Code.TIME, "/items[2]/listed"),
        ({"listed": [["2030-06-07T08:10:00Z"]]}, Code.TIME, "/items[2]/listed"),
        ({"listed": [["soon", "later"]]}, Code.TIME, "/items[2]/listed"),
        ({"listed": [["2030-06-07T08:10:00", None]]}, Code.TIME, "/items[2]/listed"),
        ({"listed": [["2030-06-07T08:10:00Z", "2030-06-07T08:10:00Z"]]}, Code.TIME, "/items[2]/listed"),
        ({"listed": [["0001-01-01T00:00:00Z", None]]}, Code.TIME, "/items[2]/listed"),
    ],
)
def test_what_is_not_understood_refuses_its_item_alone(changes: dict[str, Any], code: Code, path: str) -> None:
    assert (code, path) in codes(item(**changes))


def test_all_findings_of_an_item_are_collected() -> None:
    assert codes(item(wLevel="紫色", kind={"name": "地动"}, time="")) == [
        (Code.MISSING, "/items[2]/time"),
        (Code.UNKNOWN_HAZARD, "/items[2]/kind/name"),
        (Code.UNKNOWN_LEVEL, "/items[2]/wLevel"),
    ]


def test_a_refused_item_keeps_its_json_and_its_identifier() -> None:
    entry = item(id="18", wLevel="紫色", text="\ud800")
    found = refused(entry)
    assert (found.path, found.identifier) == ("/items[2]", "18")
    assert json.loads(found.raw.encode()) == entry


def test_what_is_listed_and_not_understood_has_not_ended() -> None:
    reading = READER.read_list(listing(ITEM, item(id="18", wLevel="紫色")))
    assert reading.identifiers == {"17", "18"}
    assert reading.complete


@pytest.mark.parametrize("entry", ["text", None, 3, [ITEM], {}, item(id=None)])
def test_a_list_with_an_item_that_cannot_be_named_is_not_complete(entry: Any) -> None:
    assert not READER.read_list(listing(ITEM, entry)).complete


def test_a_list_in_which_nothing_is_in_force_is_empty_and_complete() -> None:
    reading = READER.read_list(listing())
    assert (reading.messages, reading.complete) == ((), True)
    assert READER.read(listing()) == ()


def test_reading_raises_when_no_item_can_be_read() -> None:
    with pytest.raises(RefusedMessageError) as error:
        READER.read(listing(item(wLevel="紫色")))
    assert [found.code for found in error.value.findings] == [Code.UNKNOWN_LEVEL]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Code.EMPTY),
        (b" \n", Code.EMPTY),
        (b"<html></html>", Code.NOT_JSON),
        (b'{"code": 0, "data": {"list": [', Code.NOT_JSON),
        (b'{"code": NaN}', Code.NOT_JSON),
        (b"\xff\xfe", Code.NOT_UTF8),
        (b'{"code": 500, "data": {"list": []}}', Code.ENVELOPE),
        (b'{"code": 0, "data": null}', Code.ENVELOPE),
        (b'{"code": 0, "data": {"list": {}}}', Code.ENVELOPE),
        (b"[]", Code.ENVELOPE),
        (b"[" * 200_000, Code.TOO_DEEP),
        (b"9" * 10_000, Code.NOT_JSON),
    ],
)
def test_an_answer_that_is_no_list_is_never_an_empty_list(content: bytes, code: Code) -> None:
    assert whole_list_refused(READER, content) is code


def test_a_list_above_the_limits_is_refused_whole() -> None:
    few = ListReader(profile(), limits=ListLimits(max_bytes=10_000, max_items=2))
    assert whole_list_refused(few, listing(ITEM, ITEM, ITEM)) is Code.LIMIT
    assert whole_list_refused(few, listing(ITEM) + b" " * 10_000) is Code.TOO_LARGE


def test_lines_are_items_and_a_broken_line_is_refused_alone() -> None:
    line = json.dumps(item(text="一\u2028二"), ensure_ascii=False)
    reading = LINES_READER.read_list(f"{line}\r\n\n{{broken\n{line}\n".encode())
    assert [entry.path for entry in reading.listed] == ["/items[1]", "/items[3]"]
    (found,) = reading.refused
    assert (found.path, found.findings[0].code, found.raw) == ("/items[2]", Code.NOT_JSON, "{broken")
    assert not reading.complete


def test_javascript_before_the_json_is_taken_off() -> None:
    text = PROFILE.replace('items = "data.list"\nexpects = { code = 0 }', 'shape = "single"\nprefix = "var one="')
    reader = ListReader(profile(text))
    assert len(reader.read(f"\ufeffvar one={json.dumps(ITEM)};\r\n".encode())) == 1
    assert whole_list_refused(reader, json.dumps(ITEM).encode()) is Code.ENVELOPE
    assert whole_list_refused(reader, b"var one=[]") is Code.ENVELOPE


@pytest.mark.parametrize(
    ("title", "issuers", "hazard", "level"),
    [
        ("样例市气象台发布暴雨橙色预警信号", "样例市气象台", "暴雨", Level.ORANGE),
        ("样例市气象台继续发布雷雨大风黄色预警", "样例市气象台", "雷雨大风", Level.YELLOW),
        ("样例市气象台将暴雨蓝色预警信号升级为暴雨橙色预警信号", "样例市气象台", "暴雨", Level.ORANGE),
        ("样例市气象台将暴雨黄色预警升级为红色", "样例市气象台", "暴雨", Level.RED),
    ],
)
def test_a_title_is_taken_apart(title: str, issuers: str, hazard: str, level: Level) -> None:
    (info,) = from_title(title).infos
    assert (info.sender_name, info.event, info.level) == (issuers, hazard, level)


@pytest.mark.parametrize("joint", ["样例和平县气象台和样例市水利局", "样例和平县气象台、样例市水利局"])
def test_a_joint_title_names_every_issuer_and_is_its_first_issuers(joint: str) -> None:
    message = from_title(f"{joint}发布山洪灾害蓝色预警")
    assert message.infos[0].sender_name == joint
    assert message.sender == "样例和平县气象台"


def test_an_issuer_without_a_known_name_is_known_by_its_organisation_code() -> None:
    content = titled("样例市水利局发布洪水红色预警", id="33060033200000_20300607080910")
    assert [entry.agency for entry in TITLE_READER.read_list(content).listed] == ["water"]


def test_a_title_that_no_pattern_fits_is_refused() -> None:
    (found,) = TITLE_READER.read_list(titled("天气预报")).refused
    assert [(each.code, each.path) for each in found.findings] == [
        (Code.MISSING, "/items[1]/title"),
        (Code.UNKNOWN_AGENCY, "/items[1]/title"),
        (Code.UNKNOWN_HAZARD, "/items[1]/title"),
        (Code.UNKNOWN_LEVEL, "/items[1]/title"),
    ]


@pytest.mark.parametrize("earlier", ["a,b", ["a", "b", "33060041600000_20300607080910"]])
def test_a_title_that_lifts_is_a_cancel_of_what_it_refers_to(earlier: Any) -> None:
    message = from_title("样例市气象台解除暴雨橙色预警", earlier=earlier)
    assert message.message_type is MessageType.CANCEL
    assert message.references == (Reference(identifier="a"), Reference(identifier="b"))


def test_a_reference_that_no_message_can_carry_refuses_its_item() -> None:
    (found,) = TITLE_READER.read_list(titled("样例市气象台解除暴雨橙色预警", earlier=["\ud800"])).refused
    assert [(each.code, each.path) for each in found.findings] == [(Code.REFERENCES, "/items[1]/earlier")]


def test_a_word_in_a_field_of_its_own_makes_a_cancel() -> None:
    reader = ListReader(profile(PROFILE + '\n[cancel]\npath = "type"\nwords = ["cancel"]\n'))
    kinds = [message.message_type for message in reader.read(listing(item(type="cancel"), item(type="update")))]
    assert kinds == [MessageType.CANCEL, MessageType.ALERT]


def test_an_identifier_without_a_division_claims_no_area() -> None:
    message = from_title("样例市气象台发布暴雨橙色预警", id="one")
    assert message.infos[0].areas == (AreaClaim(),)
    assert [found.code for found in message.notes] == [Code.NO_AREA]


def test_an_alert_refers_to_nothing() -> None:
    assert from_title("样例市气象台发布暴雨橙色预警", earlier="a").references == ()


@pytest.mark.parametrize(("division", "claimed"), [("330602", True), ("330600", True), ("330000", False)])
def test_a_station_speaks_for_its_city_or_county_and_a_province_for_none_of_its_parts(
    division: str, claimed: bool
) -> None:
    message = from_title("样例市气象台发布暴雨橙色预警", id=f"{division}41600000_20300607080910")
    (area,) = message.infos[0].areas
    assert area.geocodes == ((Geocode(name="12379", value=f"{division}000000"),) if claimed else ())
    assert [found.code for found in message.notes] == ([] if claimed else [Code.NO_AREA])
