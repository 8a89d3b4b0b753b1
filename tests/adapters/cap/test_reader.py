"""What the reader makes of a message, and what it refuses or notes."""

import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from adapters.cap import CapChecks, CapReader, Verdict
from adapters.cap.vocabulary import CAP_1_0, CAP_1_1, CAP_1_2
from domain.areas import Circle, Geocode
from domain.findings import Code, RefusedMessageError
from domain.messages import AgencyMessage, MessageFormat, MessageType, Mode, Named, Reference, Status
from tests.adapters.cap.samples import ALERT, AREA, INFO, RING, alert, noted, read, refusals

BEIJING = timezone(timedelta(hours=8))
SENT = "<sent>2026-05-16T08:00:00+08:00</sent>"
EXPIRES = "<expires>2026-05-17T08:00:00+08:00</expires>"
UPDATE = ("<msgType>Alert</msgType>", "<msgType>Update</msgType>")


def test_every_field_of_a_message_arrives() -> None:
    message = read(alert())
    (info,) = message.infos
    (area,) = info.areas
    assert message.notes == ()
    assert (message.format, message.sender, message.identifier) == (MessageFormat.CAP, "a@example.org", "id-1")
    assert message.sent == datetime(2026, 5, 16, 8, tzinfo=BEIJING)
    assert message.sent.utcoffset() == timedelta(hours=8)
    assert (message.status, message.message_type, message.mode) == (Status.ACTUAL, MessageType.ALERT, Mode.LIVE)
    assert (info.language, info.event, info.severity) == ("zh-CN", "暴雨", "Severe")
    assert (info.categories, info.response_types) == (("Met",), ("Prepare",))
    assert info.event_codes == (Named(name="national", value="11B03"),)
    assert info.expires == datetime(2026, 5, 17, 8, tzinfo=BEIJING)
    assert info.onset is None
    assert [resource.uri for resource in info.resources] == ["https://example.org/a.png"]
    assert area.polygons == (((30.1, 120.1), (30.1, 120.3), (30.3, 120.3), (30.1, 120.1)),)
    assert area.circles == (Circle(latitude=30.0, longitude=120.5, radius_km=12.5),)
    assert area.geocodes == (Geocode(name="division", value="330602"),)
    assert (area.altitude, area.ceiling) == (10.0, None)


def test_texts_are_byte_for_byte_the_senders() -> None:
    (info,) = read(alert()).infos
    assert info.headline == " 暴雨橙色预警 "
    assert info.description == "\n  第一行 <b>粗</b>\n"
    assert info.areas[0].description == " 绍兴市 "
    assert info.parameters == (Named(name="colour", value=" orange "), Named(name="empty", value=""))


def test_a_comment_does_not_cut_a_text() -> None:
    message = read(alert(("<event>暴雨</event>", "<event>暴<!-- x -->雨</event>"), ("转移", "<![CDATA[转<移]]>")))
    assert (message.infos[0].event, message.infos[0].instruction) == ("暴雨", "转<移")


def test_what_is_built_is_what_validation_builds() -> None:
    message = read(alert())
    validated = AgencyMessage.model_validate(message.model_dump())
    assert validated == message
    assert hash(validated) == hash(message)
    assert AgencyMessage.model_validate_json(message.model_dump_json()) == message
    assert message.model_copy(update={"note": "x"}).note == "x"
    assert message.infos[0].areas[0].model_fields_set >= {"description", "polygons"}


@pytest.mark.parametrize("namespace", [CAP_1_0, CAP_1_1, CAP_1_2])
def test_all_versions_of_cap_are_read(namespace: str) -> None:
    assert read(alert((CAP_1_2, namespace))).infos[0].event == "暴雨"


def test_a_pair_in_one_text_is_read_as_cap_1_0_writes_it() -> None:
    pair = "<geocode><valueName>division</valueName><value>330602</value></geocode>"
    message = read(alert((CAP_1_2, CAP_1_0), (pair, "<geocode>SAME=006109</geocode>")))
    assert message.infos[0].areas[0].geocodes == (Geocode(name="SAME", value="006109"),)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<identifier>id-1</identifier>", "", Code.MISSING),
        ("<identifier>id-1</identifier>", "<identifier> </identifier>", Code.MISSING),
        ("<identifier>id-1</identifier>", "<identifier>id 1</identifier>", Code.IDENTIFIER),
        ("<identifier>id-1</identifier>", "<identifier>id&amp;1</identifier>", Code.IDENTIFIER),
        ("a@example.org", "a,b", Code.IDENTIFIER),
        ("<sender>a@example.org</sender>", "", Code.MISSING),
        (SENT, "", Code.MISSING),
        (SENT, "<sent>yesterday</sent>", Code.TIME),
        (SENT, "<sent>2026-02-30T08:00:00+08:00</sent>", Code.TIME),
        (SENT, "<sent>2026-05-16T08:00:00</sent>", Code.TIME_ZONE),
        (SENT, "<sent>2569-05-16T08:00:00+07:00</sent>", Code.TIME_RANGE),
        (SENT, "<sent>1970-01-01T00:00:00+00:00</sent>", Code.TIME_RANGE),
        (SENT, SENT + SENT.replace("08:00:00", "09:00:00"), Code.VALUE),
        (EXPIRES, "<expires>2569-05-17T08:00:00+07:00</expires>", Code.TIME_RANGE),
        (EXPIRES, "<expires>2026-05-16T08:00:00+08:00</expires>", Code.EXPIRES_BEFORE_SENT),
        ("<status>Actual</status>", "", Code.MISSING),
        ("<status>Actual</status>", "<status>Real</status>", Code.STATUS),
        ("<status>Actual</status>", "<status>Actual</status><status>Test</status>", Code.VALUE),
        ("<msgType>Alert</msgType>", "<msgType>Warning</msgType>", Code.MESSAGE_TYPE),
        (*UPDATE, Code.REFERENCES),
        ("<msgType>Alert</msgType>", "<msgType>Cancel</msgType>", Code.REFERENCES),
        (INFO, "", Code.MISSING),
        ("<event>暴雨</event>", "<event> </event>", Code.MISSING),
        (RING, "30.1,120.1 30.1,120.3", Code.POLYGON),
        (RING, "30.1,120.1 30.1;120.3 30.3,120.3 30.1,120.1", Code.POLYGON),
        (RING, "30.1,120.1],[30.1,120.3 30.3,120.3 30.1,120.1", Code.POLYGON),
        (RING, "30.1,120.1 30.1,nan 30.3,120.3 30.1,120.1", Code.POLYGON),
        (RING, "0,0 1,1 1,0 0,1 0,0", Code.POLYGON),
        (RING, "1,1 1,1 1,1 1,1", Code.POLYGON),
        (RING, "120.1,30.1 120.3,30.1 120.3,30.3 120.1,30.1", Code.COORDINATES),
        (RING, "30.1,190.1 30.1,190.3 30.3,190.3 30.1,190.1", Code.COORDINATES),
        ("30.0,120.5 12.5", "30.0,120.5", Code.CIRCLE),
        ("30.0,120.5 12.5", "30.0,120.5 -1", Code.CIRCLE),
        ("30.0,120.5 12.5", "120.5,30.0 12.5", Code.COORDINATES),
        ("转移", "x" * 100_001, Code.LIMIT),
        (CAP_1_2, "urn:oasis:names:tc:emergency:cap:9.9", Code.NAMESPACE),
        (CAP_1_2, "", Code.NAMESPACE),
    ],
)
def test_what_hides_the_meaning_refuses_the_message(old: str, new: str, code: Code) -> None:
    found = refusals(alert((old, new)))
    assert code in {finding.code for finding in found}
    assert all(finding.path.startswith("/alert") and finding.sentence.endswith((".", ").")) for finding in found)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<urgency>Expected</urgency>", "<urgency>Soon</urgency>", Code.SCHEMA),
        ("<certainty>Likely</certainty>", "", Code.MISSING),
        ("<scope>Public</scope>", "", Code.SCHEMA),
        ("<scope>Public</scope>", "<scope>Public</scope><extra/>", Code.SCHEMA),
        ("<info>", '<info lang="zh">', Code.SCHEMA),
        (
            "<status>Actual</status><msgType>Alert</msgType>",
            "<msgType>Alert</msgType><status>Actual</status>",
            Code.SCHEMA,
        ),
        ("<event>暴雨</event>", "<event>暴雨</event><event>洪水</event>", Code.VALUE),
        ("<event>暴雨</event>", "<event> 暴雨\n</event>", Code.WHITESPACE),
        ("zh-CN", "中文", Code.LANGUAGE),
        ("<areaDesc> 绍兴市 </areaDesc>", "<areaDesc> </areaDesc>", Code.MISSING),
        (f"<polygon>{RING}</polygon>", f"<polygon> {RING}  </polygon>", Code.WHITESPACE),
        (f"<polygon>{RING}</polygon>", "<polygon/>", Code.MISSING),
        (" 30.3,120.3 30.1,120.1<", " 30.3,120.3<", Code.POLYGON),
        (SENT, "<sent>2026-05-16T08:00:00.250+08:00</sent>", Code.TIME),
        (SENT, "<sent>2026-05-16 08:00:00+08:00</sent>", Code.SCHEMA),
        (EXPIRES, "<expires/>", Code.MISSING),
        ("<altitude>10</altitude>", "<altitude>high</altitude>", Code.VALUE),
        ("转移", "转移" * 10, None),
        ("第一行", "雨" * 616, Code.LIMIT),
        ("<scope>Public</scope>", "<scope>Public</scope><references/>", Code.REFERENCES),
    ],
)
def test_what_leaves_the_meaning_clear_is_noted(old: str, new: str, code: Code | None) -> None:
    codes = noted(alert((old, new)))
    assert code in codes if code else not codes


@pytest.mark.parametrize("zone", ["Z", "+0000", "-00:00", "+00:00", "+00"])
def test_utc_is_read_however_it_is_written(zone: str) -> None:
    message = read(alert((SENT, f"<sent>2026-05-16T00:00:00{zone}</sent>")))
    assert message.sent == datetime(2026, 5, 16, tzinfo=UTC)


def test_the_end_of_a_day_is_the_beginning_of_the_next() -> None:
    message = read(alert((EXPIRES, "<expires>2026-05-16T24:00:00+08:00</expires>")))
    assert message.infos[0].expires == datetime(2026, 5, 17, tzinfo=BEIJING)


def test_the_policys_zone_serves_for_times_without_one() -> None:
    checks = CapChecks(time_without_zone=Verdict.NOTE, default_offset_minutes=480)
    content = alert((SENT, "<sent>2026-05-16T08:00:00</sent>"))
    assert read(content, checks).sent == datetime(2026, 5, 16, 8, tzinfo=BEIJING)
    assert Code.TIME_ZONE in noted(content, checks)


def test_without_a_policys_zone_the_other_times_are_in_that_of_sent() -> None:
    checks = CapChecks(time_without_zone=Verdict.NOTE)
    content = alert((EXPIRES, "<expires>2026-05-17T08:00:00</expires>"))
    assert read(content, checks).infos[0].expires == datetime(2026, 5, 17, 8, tzinfo=BEIJING)
    assert refusals(alert((SENT, "<sent>2026-05-16T08:00:00</sent>")), checks)[0].code is Code.TIME_ZONE


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("s,i,2026-05-15T08:00:00+08:00", [("s", "i", True)]),
        ("s,i,2026-05-15T08:00:00+08:00 t,j,2026-05-15T09:00:00+08:00", [("s", "i", True), ("t", "j", True)]),
        ("s,i,2026-05-15T08:00:00+08:00, t,j,2026-05-15T09:00:00+08:00", [("s", "i", True), ("t", "j", True)]),
        ("\n s, i, 2026-05-15T08:00:00+08:00,\n", [("s", "i", True)]),
        ("s,i,j,2026-05-15T08:00:00+08:00", [("s", "i,j", True)]),
        ("s,i,then", [("s", "i", False)]),
        ("i", [(None, "i", False)]),
    ],
)
def test_references_are_read_as_they_are_meant(written: str, meant: list[tuple[str | None, str, bool]]) -> None:
    content = alert(UPDATE, ("<scope>Public</scope>", f"<scope>Public</scope><references>{written}</references>"))
    found = read(content).references
    assert [(one.sender, one.identifier, one.sent is not None) for one in found] == meant
    assert all(isinstance(one, Reference) for one in found)


def test_incidents_are_split_at_spaces_outside_quotes() -> None:
    content = alert(("<scope>Public</scope>", '<scope>Public</scope><incidents>a "b c" d</incidents>'))
    assert read(content).incidents == ("a", "b c", "d")


def test_a_cancel_may_end_before_it_was_sent_and_needs_no_info() -> None:
    cancel = (
        ("<msgType>Alert</msgType>", "<msgType>Cancel</msgType>"),
        ("<scope>Public</scope>", "<scope>Public</scope><references>s,i,2026-05-15T08:00:00+08:00</references>"),
    )
    assert read(alert(*cancel, (INFO, ""))).infos == ()
    assert Code.EXPIRES_BEFORE_SENT in noted(alert(*cancel, (EXPIRES, EXPIRES.replace("17T", "15T"))))


def test_an_open_polygon_is_closed_and_odd_numbers_are_read() -> None:
    message = read(alert((RING, "+30.1,120.1 30.1,120.3 30.3,120.30 30.3,120.")))
    (ring,) = message.infos[0].areas[0].polygons
    assert ring == ((30.1, 120.1), (30.1, 120.3), (30.3, 120.3), (30.3, 120.0), (30.1, 120.1))


def test_a_lost_polygon_is_never_silent() -> None:
    content = alert((RING, "30.1,120.1 30.1,120.3"))
    checks = CapChecks(shape=Verdict.NOTE)
    assert read(content, checks).infos[0].areas[0].polygons == ()
    assert Code.POLYGON in noted(content, checks)


def test_every_verdict_can_be_changed_by_the_policy() -> None:
    content = alert(UPDATE)
    assert Code.REFERENCES in noted(content, CapChecks(reference_missing=Verdict.NOTE))
    assert not noted(content, CapChecks(reference_missing=Verdict.IGNORE))
    extra = alert(("<scope>Public</scope>", "<scope>Public</scope><extra/>"))
    assert refusals(extra, CapChecks(schema_defect=Verdict.REFUSE))[0].code is Code.SCHEMA


def test_a_schema_finding_points_at_its_element() -> None:
    (finding,) = [
        finding
        for finding in read(alert(("<urgency>Expected</urgency>", "<urgency>Soon</urgency>"))).notes
        if finding.code is Code.SCHEMA
    ][:1]
    assert finding.path == "/alert/info[1]/urgency"
    assert "{" not in finding.sentence


def _enveloped(*alerts: str, status: str = "Actual") -> bytes:
    blocks = "".join(
        f"<contentObject><xmlContent><embeddedXMLContent>{one}</embeddedXMLContent></xmlContent></contentObject>"
        for one in alerts
    )
    edxl = "urn:oasis:names:tc:emergency:EDXL:DE:1.0"
    return (
        f'<EDXLDistribution xmlns="{edxl}"><distributionStatus>{status}</distributionStatus>{blocks}</EDXLDistribution>'
    ).encode()


BARE = ALERT.split("\n", 1)[1]


def test_a_distribution_of_several_messages_is_read() -> None:
    assert len(CapReader().read(_enveloped(BARE, BARE))) == 2


def test_a_drill_around_a_live_message_is_refused() -> None:
    assert refusals(_enveloped(BARE, status="Exercise"))[0].code is Code.ENVELOPE


def test_one_bad_message_of_an_envelope_is_noted_on_the_others() -> None:
    bad = BARE.replace("<identifier>id-1</identifier>", "")
    (message,) = CapReader().read(_enveloped(BARE, bad))
    assert {Code.ENVELOPE, Code.MISSING} <= {finding.code for finding in message.notes}
    assert not any(finding.refuses for finding in message.notes)
    assert refusals(_enveloped(BARE, bad), CapChecks(partial_envelope=Verdict.REFUSE))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (_enveloped(), Code.ENVELOPE),
        (f"<alerts>{BARE}</alerts>".encode(), Code.ENVELOPE),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>x</title></entry></feed>', Code.ENVELOPE),
        (b"<html/>", Code.UNKNOWN_FORMAT),
    ],
)
def test_what_holds_no_message_is_told_what_it_is(content: bytes, code: Code) -> None:
    assert refusals(content)[0].code is code


def test_a_feed_of_whole_alerts_is_read() -> None:
    entry = f'<entry><content type="application/xml">{BARE}</content></entry>'
    content = f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}{entry}</feed>'.encode()
    assert len(CapReader().read(content)) == 2


def test_one_reader_serves_many_threads() -> None:
    reader = CapReader()
    broken, sound = alert(("<scope>Public</scope>", "<extra/>")), alert()
    wrong: list[object] = []

    def work(content: bytes, codes: set[Code]) -> None:
        for _ in range(200):
            found = {finding.code for finding in reader.read(content)[0].notes}
            if found != codes:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=pair) for pair in [(broken, {Code.SCHEMA}), (sound, set())] * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_instruction_to_programs_inside_a_value_does_not_move_the_others() -> None:
    parameters = "<parameter><valueName>colour</valueName><value> orange </value></parameter>"
    message = read(alert((parameters, parameters.replace(" orange ", "or<?p?>ange"))))
    assert message.infos[0].parameters == (Named(name="colour", value="orange"), Named(name="empty", value=""))


def test_an_area_without_pairs_or_shapes_is_read() -> None:
    message = read(alert((AREA, "<area><areaDesc>x</areaDesc></area>")))
    assert message.infos[0].areas[0].polygons == ()


def test_findings_do_not_grow_without_end() -> None:
    content = alert(("<scope>Public</scope>", "<scope>Public</scope>" + "<code> x </code>" * 4_000))
    assert len(read(content).notes) <= 120


@pytest.mark.parametrize(
    "content",
    [
        f'<alert xmlns="{CAP_1_2}">{"<info/>" * 40_000}</alert>',
        f'<alert xmlns="{CAP_1_2}">{"<x/>" * 49_000}</alert>',
        f'<alert xmlns="{CAP_1_2}">{"<identifier/>" * 40_000}</alert>',
        ALERT.replace(AREA, "<area/>" * 40_000),
        ALERT.replace(AREA, f"<area>{'<polygon>1,1</polygon>' * 20_000}</area>"),
        ALERT.replace(AREA, f"<area>{'<circle>x</circle>' * 20_000}</area>"),
    ],
    ids=["infos", "unknown", "identifiers", "areas", "polygons", "circles"],
)
def test_findings_by_the_thousand_do_not_make_reading_slow(content: str) -> None:
    start = time.process_time()
    try:
        found = read(content.encode()).notes
    except RefusedMessageError as error:
        found = error.findings
    assert 1 <= len(found) <= 200
    # No figure of speed: what is quadratic takes minutes.
    assert time.process_time() - start < 10


def test_the_error_carries_every_refusal() -> None:
    with pytest.raises(RefusedMessageError) as refused:
        CapReader().read(alert(("<identifier>id-1</identifier>", ""), ("<status>Actual</status>", "")))
    assert len([finding for finding in refused.value.findings if finding.code is Code.MISSING]) == 2
