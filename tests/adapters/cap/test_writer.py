"""What our CAP promises: it satisfies the schema, and reading it back gives what was released."""

from datetime import datetime, timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.cap.reader import CapReader
from adapters.cap.writer import CapWriter
from adapters.cap.writer_words import most_certain, most_urgent, xml_text
from domain.events import EndReason, ReleaseText, WaitEnded, WarningReleased
from domain.findings import Code
from domain.levels import Level
from domain.messages import AgencyMessage, Info, MessageType, Mode
from domain.outlet import End
from domain.policy import Policy
from domain.sections import Section
from domain.texts import headline_in, relayed_text
from tests.adapters.cap.test_writer_releases import (
    MODES,
    START,
    STEPS,
    SmallGazetteer,
    Step,
    alert_update_update_cancel,
    releases_of,
    says,
    small_policy,
    statement,
)

POLICY = small_policy()
WRITER = CapWriter(POLICY, SmallGazetteer())
READER = CapReader()
SCHEMA = etree.XMLSchema(etree.fromstring((resources.files("adapters.cap") / "schema" / "CAP-v1.2.xsd").read_bytes()))
NAMESPACE = "{urn:oasis:names:tc:emergency:cap:1.2}"


def read_back(document: str) -> AgencyMessage:
    (message,) = READER.read(document.encode())
    return message


def values(info: Info, name: str) -> list[str]:
    return [parameter.value for parameter in info.parameters if parameter.name == name]


def whole_seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def the_only_release(*steps: Step, policy: Policy = POLICY, mode: Mode = Mode.LIVE) -> WarningReleased:
    (release,) = releases_of(policy, steps, mode)
    return release


def assert_same_section(info: Info, section: Section, language: str, mode: Mode) -> None:
    mark = POLICY.texts[language].drill_mark if mode is Mode.DRILL else ""
    assert info.language == language
    assert [(coded.name, coded.value) for coded in info.event_codes] == [("hazard", section.hazard)]
    assert info.event == POLICY.hazard(section.hazard).name(language)
    assert info.severity == section.level.cap_severity
    assert values(info, "level") == [section.level.value]
    assert values(info, "area-level") == [f"{area.code}={area.level.value}" for area in section.areas]
    assert info.headline == f"{mark}{headline_in(section, language)}{mark}"
    assert info.description == f"{mark}{xml_text(relayed_text(section, language))[0]}{mark}"
    assert info.effective == whole_seconds(section.effective)
    assert (info.expires is None) == (section.expires is None)
    if section.expires is not None and info.expires is not None:
        assert timedelta(0) <= info.expires - section.expires < timedelta(seconds=1)
    assert (info.urgency, info.certainty) == (most_urgent(section), most_certain(section))
    assert len(values(info, "contributor")) == len(section.contributors)
    assert bool(values(info, "conflict")) == bool(section.conflict and section.conflict.is_open)


def assert_same_areas(info: Info, section: Section) -> None:
    by_level = [{a.code for a in section.areas if a.level is level} for level in sorted(Level, reverse=True)]
    read = [{geocode.value for geocode in claim.geocodes} for claim in info.areas]
    assert read == [codes for codes in by_level if codes]
    for claim in info.areas:
        expected = [
            tuple((round(latitude, 6), round(longitude, 6)) for latitude, longitude in ring)
            for geocode in claim.geocodes
            for ring in SmallGazetteer().boundary(geocode.value)
        ]
        assert list(claim.polygons) == expected


@given(STEPS, MODES)
def test_every_document_satisfies_the_schema_and_reads_back_as_it_was_released(steps: list[Step], mode: Mode) -> None:
    for release in releases_of(POLICY, steps, mode):
        document = WRITER.document(release)
        SCHEMA.assertValid(etree.fromstring(document.encode()))
        message = read_back(document)
        assert {finding.code for finding in message.notes} <= {Code.LIMIT}
        assert message.mode is mode
        assert message.message_type is release.message_type
        assert (message.sender, message.identifier) == (release.sender, release.identifier)
        assert message.sent == whole_seconds(release.at)
        if release.message_type is MessageType.CANCEL:
            continue
        blocks = [(section, language) for section in release.sections for language in POLICY.outlet.languages]
        for info, (section, language) in zip(message.infos, blocks, strict=True):
            assert_same_section(info, section, language, mode)
            assert_same_areas(info, section)


@given(st.text(min_size=1, max_size=200))
def test_one_agencys_text_is_written_byte_for_byte(text: str) -> None:
    release = the_only_release(Step(says("water", statement("11A51", Level.RED, text=text)), 0))
    info = read_back(WRITER.document(release)).infos[0]
    written, replaced = xml_text(text)
    assert info.description == written
    assert values(info, "replaced-characters") == ([f"description={replaced}"] if replaced else [])


@given(st.text(st.characters(categories=("Cc", "Cn"), max_codepoint=0xFFFF), min_size=1, max_size=20))
def test_characters_that_xml_cannot_hold_are_replaced_one_for_one_and_counted(text: str) -> None:
    written, replaced = xml_text(text)
    assert len(written) == len(text)
    assert replaced == sum(before != after for before, after in zip(text, written, strict=True))
    element = etree.Element("text")
    element.text = written
    assert etree.fromstring(etree.tostring(element)).text == written


def test_a_replaced_character_is_told_in_the_block_that_holds_it() -> None:
    release = the_only_release(Step(says("water", statement("11A51", Level.RED, text="一\x00二\ud7ff三\x0b")), 0))
    info = read_back(WRITER.document(release)).infos[0]
    assert info.description == "一\ufffd二\ud7ff三\ufffd"
    assert values(info, "replaced-characters") == ["description=2"]


def test_carriage_returns_and_white_space_at_the_ends_of_a_text_survive() -> None:
    text = "  一\r\n二\r\t三 <&>]]> \n"
    release = the_only_release(Step(says("water", statement("11A51", Level.RED, text=text)), 0))
    assert read_back(WRITER.document(release)).infos[0].description == text


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/St_Johns"])
def test_references_name_every_earlier_document_exactly_as_it_states_itself(zone: str) -> None:
    policy = small_policy(timezone_name=zone)
    writer = CapWriter(policy, SmallGazetteer())
    stated: list[str] = []
    for release in alert_update_update_cancel(policy):
        root = etree.fromstring(writer.document(release).encode())
        assert (root.findtext(f"{NAMESPACE}references") or "").split() == stated
        names = [root.findtext(f"{NAMESPACE}{name}") or "" for name in ("sender", "identifier", "sent")]
        assert not names[2].endswith("-00:00")
        stated.append(",".join(names))
    assert len(stated) == 4


def test_times_are_in_the_outlets_zone_to_the_second() -> None:
    root = etree.fromstring(WRITER.document(alert_update_update_cancel(POLICY)[0]).encode())
    assert root.findtext(f"{NAMESPACE}sent") == "2030-06-07T08:09:10+08:00"


def test_a_fraction_of_a_second_never_makes_a_warning_end_early() -> None:
    release = the_only_release(Step(says("water", statement("11A51", Level.RED, hours=6)), 0))
    assert read_back(WRITER.document(release)).infos[0].expires == whole_seconds(START) + timedelta(hours=6, seconds=1)


def test_what_a_list_shows_has_no_end() -> None:
    release = the_only_release(Step(says("water", statement("11A51", Level.RED, hours=None)), 0))
    assert read_back(WRITER.document(release)).infos[0].expires is None


def test_a_joint_section_names_every_issuer_and_keeps_each_text_below_the_joint_headline() -> None:
    policy = small_policy()
    releases = releases_of(
        policy,
        (
            Step(says("meteorology", statement("11A51", Level.ORANGE, text="气象文本")), 0),
            Step(says("water", statement("11A51", Level.RED, text="水利文本")), 5),
        ),
    )
    chinese, english = read_back(WRITER.document(releases[-1])).infos
    assert chinese.sender_name == "样例市水利局、样例市气象局"
    assert english.sender_name == "Sample Water Bureau, Sample Weather Bureau"
    assert chinese.description == f"{chinese.headline}\n水利文本\n气象文本"
    assert chinese.instruction == "远离河道。"
    assert values(chinese, "contributor") == [
        "water;red;water@sample.example,1,2030-06-07T00:09:10.500000+00:00",
        "meteorology;orange;meteorology@sample.example,1,2030-06-07T00:09:10.500000+00:00",
    ]


def test_areas_at_different_levels_stand_apart_with_the_highest_first() -> None:
    water = statement("11A51", Level.RED, "330604001")
    release = the_only_release(Step(says("water", statement("11A51", Level.YELLOW), water), 0))
    info = read_back(WRITER.document(release)).infos[0]
    assert [area.description for area in info.areas] == ["东街道", "样例区"]
    assert values(info, "area-level") == ["330604=yellow", "330604001=red"]


def test_an_open_conflict_says_where_and_what_each_agency_says() -> None:
    release = releases_of(
        POLICY,
        (
            Step(says("meteorology", statement("11A51", Level.BLUE)), 0),
            Step(says("water", statement("11A51", Level.RED, "330604001")), 5),
        ),
    )[-1]
    info = read_back(WRITER.document(release)).infos[0]
    assert values(info, "conflict") == ["areas=330604001;meteorology=blue;water=red"]


def test_a_cancel_says_all_clear_for_each_hazard_it_lifts_and_no_level_in_force() -> None:
    both = says("water", statement("11A51", Level.RED), statement("landslide", Level.YELLOW, "330604002"))
    end = Step(End("water,1", EndReason.CANCELLED), 60)
    message = read_back(WRITER.document(releases_of(POLICY, (Step(both, 0), end))[-1]))
    assert message.message_type is MessageType.CANCEL
    assert [(info.event, info.language) for info in message.infos] == [
        ("山洪灾害", "zh-CN"),
        ("Flash flood", "en"),
        ("地质灾害", "zh-CN"),
        ("Landslide", "en"),
    ]
    assert {info.response_types for info in message.infos} == {("AllClear",)}
    assert [info.severity for info in message.infos] == ["Extreme", "Extreme", "Moderate", "Moderate"]
    assert message.infos[0].headline == "样例市应急管理局2030年06月07日08时解除山洪灾害红色预警"
    assert message.infos[3].headline == "Sample Emergency Bureau lifted at 2030-06-07 08:10: Landslide, yellow"
    assert message.infos[2].areas[0].description == "西街道"
    assert all(values(info, "level") == values(info, "area-level") == [] for info in message.infos)
    assert values(message.infos[2], "previous-area-level") == ["330604002=yellow"]


def test_a_cancel_whose_released_lines_cannot_be_told_apart_says_its_headline_for_each_hazard() -> None:
    both = says("water", statement("11A51", Level.RED), statement("landslide", Level.YELLOW))
    end = Step(End("water,1", EndReason.CANCELLED), 60)
    cancel = releases_of(POLICY, (Step(both, 0), end), Mode.DRILL)[-1]
    text = ReleaseText(
        language="zh-CN", headline="【演练】全部解除【演练】", description="【演练】解除【演练】", sms=""
    )
    message = read_back(WRITER.document(cancel.model_copy(update={"texts": (text,)})))
    marked = ["【演练】全部解除【演练】", "[DRILL]全部解除[DRILL]"]
    assert [info.description for info in message.infos] == marked * 2
    assert message.note.splitlines() == marked
    silent = read_back(WRITER.document(cancel.model_copy(update={"texts": ()})))
    assert "发布" not in "".join(info.headline for info in silent.infos)


def test_an_update_that_lifts_one_hazard_says_so_in_its_note_and_shows_only_what_is_in_force() -> None:
    update = alert_update_update_cancel(POLICY)[2]
    message = read_back(WRITER.document(update))
    assert {info.event_codes[0].value for info in message.infos} == {"11A51"}
    assert message.note.splitlines()[0] == "样例市应急管理局2030年06月07日08时解除暴雨橙色预警"


def test_a_drill_is_an_exercise_and_every_headline_stands_between_drill_marks() -> None:
    for release in alert_update_update_cancel(POLICY, Mode.DRILL):
        document = WRITER.document(release)
        assert "<status>Exercise</status>" in document
        for info in read_back(document).infos:
            mark = POLICY.texts[info.language].drill_mark
            assert info.headline.startswith(mark)
            assert info.headline.endswith(mark)
            assert info.headline.count(mark) == 2


def test_a_category_that_cap_does_not_know_is_other() -> None:
    release = the_only_release(Step(says("water", statement("landslide", Level.RED)), 0))
    assert read_back(WRITER.document(release)).infos[0].categories == ("Other",)


def test_a_release_outlives_the_policys_hazards_and_later_languages() -> None:
    release = the_only_release(Step(says("water", statement("11A51", Level.RED)), 0))
    outlet = POLICY.outlet.model_copy(update={"languages": ("zh-CN", "en", "fr")})
    texts = {**POLICY.texts, "fr": POLICY.texts["en"]}
    later = POLICY.model_copy(update={"hazards": (), "outlet": outlet, "texts": texts, "sha256": "later"})
    later = Policy.model_validate(later.model_dump())
    message = read_back(CapWriter(later, SmallGazetteer()).document(release))
    assert [(info.event, info.language) for info in message.infos] == [("11A51", tag) for tag in ("zh-CN", "en", "fr")]
    assert message.infos[2].headline == message.infos[0].headline


def test_the_file_is_named_by_the_identifier_and_the_same_release_gives_the_same_bytes() -> None:
    release = the_only_release(Step(says("water", statement("11A51", Level.RED)), 0))
    ((name, content),) = WRITER.write(release)
    assert name == "sample-330604-1-1.xml"
    assert content == WRITER.document(release).encode()
    assert [(name, content)] == list(CapWriter(small_policy(), SmallGazetteer()).write(release))


def test_only_a_release_can_be_written() -> None:
    with pytest.raises(TypeError, match="wait-ended"):
        WRITER.write(WaitEnded(at=START, agency="water", mode=Mode.LIVE, chain="1"))
