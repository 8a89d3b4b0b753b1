"""What a 12379 message says comes through, and what hinders understanding is refused with every finding."""

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cn12379.reader import Cn12379Reader
from domain.areas import Circle, Geocode
from domain.findings import Code, Finding, RefusedMessageError
from domain.levels import Level
from domain.messages import AgencyMessage, MessageFormat, MessageType, Mode, Named, Reference
from domain.ports import MessageReader
from tests.adapters.cn12379.samples import IDENTIFIER, MESSAGE, with_value, without, zipped

READER: MessageReader = Cn12379Reader()


def read(content: bytes | str = MESSAGE) -> AgencyMessage:
    (message,) = READER.read(content if isinstance(content, bytes) else content.encode())
    return message


def refused(content: bytes | str) -> tuple[Finding, ...]:
    with pytest.raises(RefusedMessageError) as error:
        read(content)
    assert any(found.refuses for found in error.value.findings)
    return error.value.findings


def refusals(content: bytes | str) -> list[tuple[Code, str]]:
    return [(found.code, found.path) for found in refused(content) if found.refuses]


def notes(content: bytes | str) -> list[tuple[Code, str]]:
    return [(found.code, found.path) for found in read(content).notes]


def cancelled(reason: str = "降雨结束") -> str:
    message = MESSAGE.replace("<msgType>Alert", "<msgType>Cancel").replace("<note></note>", f"<note>{reason}</note>")
    return message.replace("<references></references>", f"<references>{IDENTIFIER}</references>")


def test_a_complete_message_has_no_notes() -> None:
    assert read().notes == ()


def test_head_fields_map_onto_the_message() -> None:
    message = read()
    assert message.format is MessageFormat.CN12379
    assert (message.sender, message.identifier) == ("33060041600000", IDENTIFIER)
    assert message.sent == datetime.fromisoformat("2030-06-07T08:09:10+08:00")
    assert (message.message_type, message.mode, message.scope) == (MessageType.ALERT, Mode.LIVE, "Public")
    assert message.references == ()


def test_hazard_level_and_times_come_from_the_info() -> None:
    (info,) = read().infos
    assert (info.event, info.event_codes) == ("11B03", (Named(name="12379", value="11B03"),))
    assert (info.level, info.severity) == (Level.ORANGE, "Severe")
    assert info.onset is None
    assert info.expires == datetime.fromisoformat("2030-06-07T14:09:10+08:00")


def test_texts_are_kept_byte_for_byte() -> None:
    (info,) = read().infos
    assert info.description == "  预计未来三小时有暴雨。\n  请注意防范。 "


def test_the_station_is_named_and_no_person_is() -> None:
    message = read()
    assert message.infos[0].sender_name == "样例市气象局"
    assert "王某某" not in message.model_dump_json()
    assert "57500001111" not in message.model_dump_json()


def test_each_method_becomes_a_parameter() -> None:
    assert read().infos[0].parameters == (
        Named(name="method:SMS", value="样例短信"),
        Named(name="audienceGrp:SMS", value="G01,G02"),
        Named(name="secClassification", value="None"),
    )


@pytest.mark.parametrize("spelling", ["audenceprt", "audiencePrt"])
def test_both_spellings_of_the_audience_are_read_past(spelling: str) -> None:
    assert read(MESSAGE.replace("audenceprt", spelling)).notes == ()


def test_areas_are_in_our_units_and_without_repeats() -> None:
    (area,) = read().infos[0].areas
    assert area.description == "样例区"
    assert area.circles == (Circle(latitude=30.25, longitude=120.25, radius_km=2.5),)
    assert area.polygons == (((30.0, 120.0), (30.0, 120.5), (30.5, 120.5), (30.0, 120.0)),)
    assert area.geocodes == tuple(Geocode(name="12379", value=code) for code in ("330602000000", "330603000000"))


def test_a_message_without_a_namespace_reads_the_same() -> None:
    assert read(MESSAGE.replace(' xmlns="http://com.icss.amp"', "")) == read()


def test_another_namespace_is_refused() -> None:
    assert refusals(MESSAGE.replace("com.icss.amp", "example.org")) == [(Code.NAMESPACE, "/alert")]


def test_another_document_is_refused() -> None:
    assert refusals("<feed/>") == [(Code.UNKNOWN_FORMAT, "/feed")]


@pytest.mark.parametrize("word", [level.value.capitalize() for level in Level])
def test_every_colour_is_its_level(word: str) -> None:
    assert read(with_value("severity", word)).infos[0].level is Level(word.lower())


def test_an_unknown_severity_is_noted_and_gives_no_level() -> None:
    content = with_value("severity", "Unknown")
    assert (read(content).infos[0].level, read(content).infos[0].severity) == (None, "Unknown")
    assert notes(content) == [(Code.UNKNOWN_LEVEL, "/alert/info[1]/severity")]


def test_a_severity_that_is_no_colour_is_refused() -> None:
    assert refusals(with_value("severity", "Extreme")) == [(Code.UNKNOWN_LEVEL, "/alert/info[1]/severity")]


@pytest.mark.parametrize("message_type", ["Update", "Cancel"])
def test_an_update_or_cancel_without_references_is_refused(message_type: str) -> None:
    assert refusals(with_value("msgType", message_type)) == [(Code.REFERENCES, "/alert/references")]


@pytest.mark.parametrize("separator", [",", " ", ", ", "\n"])
def test_references_are_separated_by_commas_or_spaces(separator: str) -> None:
    message = MESSAGE.replace("<msgType>Alert", "<msgType>Update")
    found = read(with_value("references", f"a{separator}b{separator}a", message)).references
    assert found == (Reference(identifier="a"), Reference(identifier="b"))


def test_an_alert_that_refers_to_itself_refers_to_nothing() -> None:
    content = with_value("references", IDENTIFIER)
    assert read(content).references == ()
    assert notes(content) == [(Code.REFERENCES, "/alert/references")]


def test_a_cancel_keeps_its_reason_and_needs_no_info() -> None:
    message = read(without("info", cancelled(" 降雨结束 ")))
    assert (message.message_type, message.note, message.infos) == (MessageType.CANCEL, " 降雨结束 ", ())


def test_a_cancel_is_not_asked_for_instructions() -> None:
    assert notes(with_value("instruction", "", cancelled())) == []


@pytest.mark.parametrize("expires", ["2030-06-07 08:09:10+08:00", "2030-06-06 08:09:10+08:00"])
def test_an_end_that_is_not_after_the_sending_counts_as_not_given(expires: str) -> None:
    content = with_value("expires", expires)
    assert read(content).infos[0].expires is None
    assert notes(content) == [(Code.EXPIRES_BEFORE_SENT, "/alert/info[1]/expires")]


def test_an_empty_end_is_nothing_to_note() -> None:
    assert read(with_value("expires", "")).notes == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2030-06-07 08:09:10", Code.TIME_ZONE),
        ("2030-06-31 08:09:10+08:00", Code.TIME),
        ("7 June 2030", Code.TIME),
        ("2030-06-07 08:09:10+99:00", Code.TIME),
        ("2573-06-07 08:09:10+08:00", Code.TIME_RANGE),
        ("", Code.MISSING),
    ],
)
def test_a_time_of_sending_that_is_none_is_refused(text: str, code: Code) -> None:
    assert refusals(with_value("sendTime", text)) == [(code, "/alert/sendTime")]


def test_a_time_may_be_written_with_a_t() -> None:
    assert read(with_value("sendTime", "2030-06-07T08:09:10+08:00")) == read()


def test_an_unreadable_time_is_found_once() -> None:
    assert refusals(with_value("effective", "soon")) == [(Code.TIME, "/alert/info[1]/effective")]
    assert len(refused(with_value("effective", "soon"))) == 1


@pytest.mark.parametrize("name", ["identifier", "senderCode", "status", "msgType", "eventType", "severity"])
def test_a_required_element_that_is_missing_is_refused(name: str) -> None:
    (found,) = refusals(without(name))
    assert found[0] is Code.MISSING
    assert found[1].endswith(f"/{name}")


@pytest.mark.parametrize("name", ["info", "area"])
def test_a_warning_without_an_area_is_refused(name: str) -> None:
    (found,) = refusals(without(name))
    assert found[0] is Code.MISSING


def test_an_identifier_of_another_form_is_noted() -> None:
    content = with_value("identifier", "sample-1")
    assert read(content).identifier == "sample-1"
    assert notes(content) == [(Code.IDENTIFIER, "/alert/identifier")]


@pytest.mark.parametrize("identifier", ["a b", "a,b", "x" * 300])
def test_an_identifier_that_cannot_be_referred_to_is_refused(identifier: str) -> None:
    assert refusals(with_value("identifier", identifier)) == [(Code.IDENTIFIER, "/alert/identifier")]


def test_incompleteness_is_noted_by_element() -> None:
    bare = with_value("instruction", "", with_value("effective", "", with_value("sender", "").decode()).decode())
    assert notes(bare) == [
        (Code.INCOMPLETE_NOTE, "/alert/sender"),
        (Code.INCOMPLETE_NOTE, "/alert/info[1]/instruction"),
        (Code.INCOMPLETE_NOTE, "/alert/info[1]/effective"),
    ]


def test_white_space_around_a_value_is_trimmed_and_noted() -> None:
    content = with_value("msgType", " Alert\n")
    assert read(content).message_type is MessageType.ALERT
    assert notes(content) == [(Code.WHITESPACE, "/alert/msgType")]


def test_an_element_that_occurs_twice_is_refused() -> None:
    doubled = MESSAGE.replace("<status>", "<status>Test</status><status>")
    assert (Code.VALUE, "/alert/status[2]") in refusals(doubled)


def test_elements_inside_a_text_are_refused() -> None:
    assert refusals(with_value("description", "one<br/>two")) == [(Code.VALUE, "/alert/info[1]/description[1]")]


def test_all_findings_are_collected() -> None:
    broken = with_value("status", "Sample", with_value("sendTime", "now", with_value("geocode", "x").decode()).decode())
    assert refusals(broken) == [
        (Code.TIME, "/alert/sendTime"),
        (Code.STATUS, "/alert/status"),
        (Code.GEOCODE, "/alert/info[1]/area[1]/geocode"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("polygon", "30,120 30,121 31,121 nowhere", Code.COORDINATES),
        ("polygon", "120,30 121,30 121,31 120,30", Code.COORDINATES),
        ("polygon", "30,120 30,121 30,120", Code.POLYGON),
        ("polygon", "30,120 30,121 30,122 30,120", Code.POLYGON),
        ("circle", "30,120", Code.CIRCLE),
        ("circle", "30,120 -5", Code.CIRCLE),
        ("circle", "30,200 5", Code.COORDINATES),
        ("geocode", "330602000000,north", Code.GEOCODE),
        ("geocode", ",".join(["330602000000"] * 5002), Code.LIMIT),
        ("polygon", "30,120 " * 10_001, Code.LIMIT),
    ],
)
def test_a_shape_or_code_that_is_wrong_refuses_the_message(name: str, value: str, code: Code) -> None:
    assert refusals(with_value(name, value)) == [(code, f"/alert/info[1]/area[1]/{name}")]


def test_an_open_polygon_is_closed_and_noted() -> None:
    content = with_value("polygon", "30,120 30,121 31,121")
    assert read(content).infos[0].areas[0].polygons == (((30, 120), (30, 121), (31, 121), (30, 120)),)
    assert notes(content) == [(Code.POLYGON, "/alert/info[1]/area[1]/polygon")]


def test_a_shorter_division_code_is_kept_and_noted() -> None:
    content = with_value("geocode", "330602")
    assert read(content).infos[0].areas[0].geocodes == (Geocode(name="12379", value="330602"),)
    assert notes(content) == [(Code.GEOCODE, "/alert/info[1]/area[1]/geocode")]


def test_more_blocks_than_a_message_may_hold_are_refused() -> None:
    assert (Code.LIMIT, "/alert/info") in refusals(MESSAGE.replace("</alert>", "<info/>" * 201 + "</alert>"))


def test_reading_stops_where_nobody_would_read_on() -> None:
    shapes = "<polygon>x</polygon>" * 150
    found = refused(MESSAGE.replace("</area>", f"</area><area>{shapes}</area><area>{shapes}</area>"))
    assert len(found) == 201
    assert found[-1].code is Code.LIMIT


def test_a_language_that_is_none_becomes_the_national_one_and_is_noted() -> None:
    content = with_value("language", "中文")
    assert read(content).infos[0].language == "zh-CN"
    assert notes(content) == [(Code.LANGUAGE, "/alert/info[1]/language")]


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [("eventType", "rain", "/alert/info[1]/eventType"), ("senderCode", "3306", "/alert/senderCode")],
)
def test_a_code_of_another_form_is_kept_and_noted(name: str, value: str, path: str) -> None:
    content = with_value(name, value)
    assert value in read(content).model_dump_json()
    assert notes(content) == [(Code.VALUE, path)]


def test_a_method_without_a_name_is_passed_over_and_noted() -> None:
    content = with_value("methodName", "")
    assert [named.name for named in read(content).infos[0].parameters] == ["secClassification"]
    assert notes(content) == [(Code.MISSING, "/alert/code[1]/method[1]/methodName")]


def test_a_method_may_have_neither_text_nor_audience() -> None:
    bare = with_value("message", "", with_value("audienceGrp", ",").decode())
    assert [named.name for named in read(bare).infos[0].parameters] == ["secClassification"]


def test_an_area_without_words_is_noted() -> None:
    assert notes(with_value("areaDesc", "")) == [(Code.INCOMPLETE_NOTE, "/alert/info[1]/area[1]/areaDesc")]


def test_attached_files_are_named() -> None:
    resource = "<resource><resourceDesc>图一</resourceDesc><mimeType>image/png</mimeType><size>8k</size></resource>"
    (found,) = read(MESSAGE.replace("<area>", f"{resource}<area>")).infos[0].resources
    assert (found.description, found.mime_type, found.uri) == ("图一", "image/png", "")


def test_an_exercise_is_a_drill() -> None:
    assert read(with_value("status", "Exercise")).mode is Mode.DRILL


@given(st.binary(max_size=500))
def test_arbitrary_bytes_are_read_or_refused_and_nothing_else(content: bytes) -> None:
    read_or_refused(content)


@given(st.data())
def test_mutated_messages_are_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    base = data.draw(st.sampled_from([MESSAGE.encode(), cancelled().encode(), zipped({"a.xml": MESSAGE.encode()})]))
    mutated = bytearray(base)
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(mutated)))
        end = data.draw(st.integers(start, min(len(mutated), start + 40)))
        mutated[start:end] = data.draw(st.binary(max_size=20) | st.sampled_from([b"<a>", b"</info>", b"\xef\xbf\xbf"]))
    read_or_refused(bytes(mutated))


@given(
    st.sampled_from(["identifier", "sendTime", "references", "expires", "polygon", "circle", "geocode", "severity"]),
    st.text(alphabet="0123456789-+:., TZ<>&;abc年", max_size=40),
)
def test_any_value_of_a_field_is_read_or_refused_and_nothing_else(name: str, value: str) -> None:
    read_or_refused(with_value(name, value))


def read_or_refused(content: bytes) -> None:
    try:
        assert all(isinstance(message, AgencyMessage) for message in READER.read(content))
    except RefusedMessageError as error:
        assert any(found.refuses for found in error.findings)  # noqa: PT017 (the promise covers both ways)


def test_the_worked_example_of_the_standard_is_read(shared_data: Path) -> None:
    (path,) = (shared_data / "messages").glob("12379_cap_spec_example_*.xml")
    message = read(path.read_bytes())
    (info,) = message.infos
    assert (message.message_type, info.level, info.event) == (MessageType.ALERT, Level.BLUE, "11B01")
    assert [geocode.value[-3:] for geocode in info.areas[0].geocodes] == ["001", "002", "003"]
    assert info.expires is None
    assert [found.code for found in message.notes] == [Code.EXPIRES_BEFORE_SENT]


def test_a_real_update_is_read_under_its_station_name(shared_data: Path) -> None:
    message = read((shared_data / "messages" / "cap12379_sample_henan_20200205.xml").read_bytes())
    (info,) = message.infos
    assert (message.message_type, info.level, info.event) == (MessageType.UPDATE, Level.BLUE, "11B06")
    assert message.references == (Reference(identifier="41000041600000_20200204121842"),)
    assert info.sender_name == "河南省气象局"
    assert "李飞" not in message.model_dump_json()
    assert [geocode.value for geocode in info.areas[0].geocodes] == ["410000000000"]
    assert [named.name for named in info.parameters if named.name.startswith("method:")] == [
        "method:SPEAKER",
        "method:SMS",
        "method:WEB",
    ]
