"""What our 12379 promises: reading it back gives hazard, level, texts, codes and chain as they were released."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from lxml import etree

from adapters.cap.writer_words import xml_text
from adapters.cn12379.names import MalformedNameError, parse_file_name
from adapters.cn12379.reader import Cn12379Reader
from adapters.cn12379.writer import Cn12379Writer
from domain.areas import Area, AreaClaim, Resolution
from domain.contributions import key_of, split_by_district
from domain.events import EndReason, SectionMessage, WaitEnded, WarningReleased
from domain.findings import Code
from domain.hazards import HazardDefinition
from domain.interpretation import interpret
from domain.levels import Level
from domain.messages import AgencyMessage, Info, MessageType, Mode
from domain.outlet import Command, End, OutletState, Record, decide, evolve
from domain.policy import Policy
from domain.release import Consider, decide_release
from domain.sections import Section
from domain.texts import headline_in, relayed_text
from tests.adapters.cap.test_writer_releases import (
    DISTRICT,
    MODES,
    SENDER_CODE,
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
WRITER = Cn12379Writer(POLICY, SmallGazetteer())
READER = Cn12379Reader()
NAMESPACE = "{http://com.icss.amp}"
SPEC_EXAMPLE = "12379_cap_spec_example_33000041600000_20121025091026_11B01_BLUE_ALERT.xml"


def read_back(content: bytes) -> AgencyMessage:
    (message,) = READER.read(content)
    return message


def written(release: WarningReleased, writer: Cn12379Writer = WRITER) -> list[tuple[str, AgencyMessage]]:
    return [(name, read_back(content)) for name, content in writer.write(release)]


def names_in(element: etree._Element) -> str:
    """The names of an element's children, in order and separated by spaces."""
    return " ".join(etree.QName(child).localname for child in element)


def the_only_file(command: Command) -> tuple[str, bytes]:
    (release,) = releases_of(POLICY, (Step(command, 0),))
    (file,) = WRITER.write(release)
    return file


def national(release: WarningReleased) -> list[SectionMessage]:
    return [message for message in release.section_messages if message.hazard != "landslide"]


def assert_same_message(read: AgencyMessage, message: SectionMessage, release: WarningReleased) -> None:
    assert {finding.code for finding in read.notes} <= {Code.IDENTIFIER, Code.INCOMPLETE_NOTE}
    assert read.identifier == message.identifier
    assert read.message_type is message.message_type
    assert read.mode is release.mode
    assert read.sent == release.at.replace(microsecond=0)
    references = () if message.message_type is MessageType.ALERT else (message.first,)
    assert tuple(reference.identifier for reference in read.references) == references


def assert_same_section(info: Info, section: Section, mode: Mode) -> None:
    mark = POLICY.texts["zh-CN"].drill_mark if mode is Mode.DRILL else ""
    assert info.headline == f"{mark}{headline_in(section, 'zh-CN')}{mark}"
    assert info.description == f"{mark}{xml_text(relayed_text(section, 'zh-CN'))[0]}{mark}"
    assert info.effective == section.effective.replace(microsecond=0)
    assert (info.expires is None) == (section.expires is None)
    if info.expires is not None and section.expires is not None:
        assert timedelta(0) <= info.expires - section.expires < timedelta(seconds=1)


@given(STEPS, MODES)
def test_every_message_reads_back_as_its_section_was_released(steps: list[Step], mode: Mode) -> None:
    for release in releases_of(POLICY, steps, mode):
        for (name, read), message in zip(written(release), national(release), strict=True):
            assert_same_message(read, message, release)
            (info,) = read.infos
            section = message.section
            assert (info.event, info.level) == (message.hazard, section.level)
            codes = [geocode.value for claim in info.areas for geocode in claim.geocodes]
            assert codes == [area.code.ljust(12, "0") for area in section.areas]
            if message.message_type is not MessageType.CANCEL:
                assert_same_section(info, section, mode)
            stated = parse_file_name(name)
            assert (stated.sender_code, stated.event_type) == (SENDER_CODE, message.hazard)
            assert (stated.level, stated.message_type) == (section.level, message.message_type)


def test_an_update_and_a_cancel_name_the_first_message_of_their_hazards_own_chain() -> None:
    chain = [written(release) for release in alert_update_update_cancel(POLICY)]
    types = [[(read.infos[0].event, read.message_type.value) for _, read in files] for files in chain]
    assert types == [
        [("11B03", "Alert")],
        [("11A51", "Alert")],
        [("11B03", "Cancel")],
        [("11A51", "Cancel")],
    ]
    rain, flood, rain_lifted, flood_lifted = (files[0][1] for files in chain)
    assert [reference.identifier for reference in rain_lifted.references] == [rain.identifier]
    assert [reference.identifier for reference in flood_lifted.references] == [flood.identifier]


def test_a_cancel_gives_its_reason_in_the_note_and_has_no_end() -> None:
    ((name, read),) = written(alert_update_update_cancel(POLICY)[2])
    assert name == f"{SENDER_CODE}_20300607081111_11B03_ORANGE_CANCEL.XML"
    assert read.note == "样例市应急管理局2030年06月07日08时解除暴雨橙色预警"
    assert read.infos[0].headline == read.infos[0].description == read.note
    assert read.infos[0].expires is None


def test_the_layout_is_that_of_real_messages() -> None:
    name, content = the_only_file(says("water", statement("11A51", Level.RED, "330604001")))
    root = etree.fromstring(content)
    assert name == f"{SENDER_CODE}_20300607080910_11A51_RED_ALERT.XML"
    assert names_in(root) == (
        "identifier sender senderCode sendTime status msgType scope code secClassification note references info"
    )
    (info,) = root.iter(f"{NAMESPACE}info")
    assert names_in(info) == (
        "language eventType urgency severity certainty effective onset expires senderName headline description "
        "instruction web area"
    )
    assert root.findtext(f"{NAMESPACE}sendTime") == "2030-06-07 08:09:10+08:00"
    for method in root.iter(f"{NAMESPACE}method"):
        assert names_in(method) == "methodName message audienceGrp audiencePrt"
    assert info.findtext(f"{NAMESPACE}area/{NAMESPACE}geocode") == "330604001000"


def test_sms_holds_the_released_sms_and_web_the_agencys_text() -> None:
    _, content = the_only_file(says("water", statement("11A51", Level.RED, text="水利文本")))
    methods = {parameter.name: parameter.value for parameter in read_back(content).infos[0].parameters}
    assert methods["method:SMS"].startswith("【样例市】样例市水利局")
    assert methods["method:WEB"] == "水利文本"


def test_places_at_different_levels_carry_theirs_in_words_and_the_message_the_highest() -> None:
    both = says("water", statement("11A51", Level.BLUE), statement("11A51", Level.ORANGE, "330604002"))
    info = read_back(the_only_file(both)[1]).infos[0]
    assert info.level is Level.ORANGE
    assert info.areas[0].description == "西街道（橙色）、样例区（蓝色）"


def test_white_is_written_as_white() -> None:
    name, content = the_only_file(says("meteorology", statement("11B03", Level.WHITE)))
    assert "_WHITE_" in name
    assert b"<severity>White</severity>" in content


def test_an_outlet_without_a_sender_code_writes_nothing() -> None:
    policy = small_policy(sender_code="")
    for release in alert_update_update_cancel(policy):
        assert list(Cn12379Writer(policy, SmallGazetteer()).write(release)) == []


def test_a_sender_code_of_another_form_is_refused_at_once() -> None:
    with pytest.raises(MalformedNameError, match="14 digits"):
        Cn12379Writer(small_policy(sender_code="330604"), SmallGazetteer())


def test_a_hazard_without_a_national_code_has_no_message_and_one_with_an_alias_takes_it() -> None:
    (release,) = releases_of(POLICY, (Step(says("water", statement("landslide", Level.RED)), 0),))
    assert list(WRITER.write(release)) == []
    hazard = HazardDefinition(code="landslide", names={"en": "Landslide"}, event_codes={"12379": ("11D01",)})
    named = POLICY.model_copy(update={"hazards": (hazard,)})
    named = Policy.model_validate(named.model_dump())
    ((name, read),) = written(release, Cn12379Writer(named, SmallGazetteer()))
    assert "_11D01_" in name
    assert read.infos[0].event == "11D01"


def test_times_are_beijing_time_whatever_the_outlets_zone() -> None:
    policy = small_policy(timezone_name="America/St_Johns")
    release = alert_update_update_cancel(policy)[0]
    ((name, content),) = Cn12379Writer(policy, SmallGazetteer()).write(release)
    assert "_20300607080910_" in name
    assert b"<sendTime>2030-06-07 08:09:10+08:00</sendTime>" in content


def test_characters_that_xml_cannot_hold_are_replaced() -> None:
    _, content = the_only_file(says("water", statement("11A51", Level.RED, text="一\x00二\r\n")))
    assert read_back(content).infos[0].description == "一\ufffd二\r\n"


def test_only_a_release_can_be_written() -> None:
    with pytest.raises(TypeError, match="wait-ended"):
        WRITER.write(WaitEnded(at=START, agency="water", mode=Mode.LIVE, chain="1"))


class VillagesOfTheSample(SmallGazetteer):
    """Knows the villages that a sample names, all in one made-up district, and no boundaries."""

    def resolve(self, claim: AreaClaim, *, threshold: float) -> Resolution:
        codes = [geocode.value for geocode in claim.geocodes]
        return Resolution(areas=tuple(Area(code=code, name=code, district=DISTRICT) for code in codes))

    def boundary(self, code: str) -> tuple[tuple[tuple[float, float], ...], ...]:
        return ()


def relayed(message: AgencyMessage, policy: Policy) -> WarningReleased:
    """What the outlet releases when this message is all it knows."""
    now = message.sent + timedelta(seconds=30)
    meaning = interpret(message, agency_id="meteorology", policy=policy, gazetteer=VillagesOfTheSample(), now=now)
    assert not meaning.refused
    (contribution,) = split_by_district(meaning.statements, chain="1", agency="meteorology", message=key_of(message))
    state = OutletState(district=DISTRICT, mode=message.mode)
    for event in decide(state, Record(contribution), policy=policy, now=now):
        state = evolve(state, event)
    (release,) = decide_release(state, Consider(), policy=policy, now=now)
    assert isinstance(release, WarningReleased)
    return release


@pytest.mark.parametrize("sample", [SPEC_EXAMPLE, "cap12379_sample_henan_20200205.xml"])
def test_a_real_message_relayed_keeps_hazard_level_text_and_codes(shared_data: Path, sample: str) -> None:
    original = read_back((shared_data / "messages" / sample).read_bytes())
    hazards = [HazardDefinition(code=code, names={"zh-CN": code}) for code in ("11B01", "11B06")]
    policy = Policy.model_validate(POLICY.model_copy(update={"hazards": tuple(hazards)}).model_dump())
    release = relayed(original, policy)
    ((_, copy),) = written(release, Cn12379Writer(policy, VillagesOfTheSample()))
    before, after = original.infos[0], copy.infos[0]
    assert (after.event, after.level) == (before.event, before.level)
    assert after.description == before.description
    assert after.instruction == before.instruction
    assert [claim.geocodes for claim in after.areas] == [claim.geocodes for claim in before.areas]
    assert copy.sender == SENDER_CODE


def test_ending_one_of_two_hazards_cancels_its_own_chain_only() -> None:
    both = says("water", statement("11A51", Level.RED), chain="1")
    rain = says("meteorology", statement("11B03", Level.BLUE), chain="2")
    end = End("meteorology,2", EndReason.CANCELLED)
    last = releases_of(POLICY, (Step(both, 0), Step(rain, 1), Step(end, 1)))[-1]
    assert [(read.infos[0].event, read.message_type) for _, read in written(last)] == [("11B03", MessageType.CANCEL)]
