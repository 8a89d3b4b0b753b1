"""The shipped policies: they parse, know their partners, and grow by text alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.feeds.list_reader import ListReader
from adapters.feeds.profile_files import shipped_profile
from adapters.gazetteer.from_policy import gazetteer_of
from adapters.policies import catalogues, load, shipped_policies
from domain.areas import AreaClaim
from domain.findings import Finding
from domain.interpretation import interpret
from domain.levels import Level
from domain.policy import Policy, PolicyError, TextDefinition, parse_policy
from domain.texts import joint_headline
from tests.conftest import PROJECT

NAMES = tuple(shipped_policies())
EXAMPLES = sorted((PROJECT / "docs" / "examples").glob("*/policy.toml"))
AGENCY_AND_HAZARD = """
[[agencies]]
id = "science"
names = { "zh-CN" = "绍兴市科学技术局", en = "Shaoxing Science and Technology Bureau" }
senders = ["science@shaoxing.example"]
remit = { hazards = ["99Q01"], levels = ["orange", "red"] }

[[hazards]]
code = "99Q01"
names = { "zh-CN" = "地震预警", en = "Earthquake early warning" }
category = "Geo"
"""


def policy(name: str) -> Policy:
    return load(name)[0]


def test_two_cities_are_shipped() -> None:
    assert NAMES == ("shaoxing", "shenzhen")


@pytest.mark.parametrize("name", NAMES)
def test_each_shipped_policy_parses_with_the_catalogue_and_keeps_its_text(name: str) -> None:
    loaded, text = load(name)
    assert text == shipped_policies()[name]
    assert loaded == parse_policy(text, catalogues())
    assert {"11A51", "11B37", "11B01"} <= {hazard.code for hazard in loaded.hazards}


@pytest.mark.parametrize("name", NAMES)
def test_every_level_has_a_word_in_every_language(name: str) -> None:
    for words in policy(name).texts.values():
        assert set(words.levels) == set(Level)


@pytest.mark.parametrize("name", NAMES)
def test_live_and_drill_never_share_a_word_at_the_front(name: str) -> None:
    marks = {language: words.drill_mark for language, words in policy(name).texts.items()}
    assert marks == {"zh-CN": "【演练】", "en": "[DRILL]"}


@pytest.mark.parametrize("name", NAMES)
def test_no_sender_belongs_to_two_agencies(name: str) -> None:
    loaded = policy(name)
    for agency in loaded.agencies:
        for sender in agency.senders:
            found = loaded.agency_of_sender(sender.rstrip("*"))
            assert found is not None, sender
            assert found.id == agency.id, sender


@pytest.mark.parametrize(
    ("sender", "agency"),
    [
        ("33062441600000", "meteorology"),
        ("33068333200000", "water"),
        ("33000033200000", "water"),
        ("绍兴市越城区气象台", "meteorology"),
        ("新昌县气象台", "meteorology"),
        ("诸暨市水利局", "water"),
        ("浙江省水利厅", "water"),
        ("绍兴市自然资源和规划局越城分局", "natural-resources"),
        ("绍兴市应急管理局", "emergency"),
        ("33010041600000", None),
        ("余姚市气象台", None),
    ],
)
def test_shaoxings_stations_are_known_by_code_and_name(sender: str, agency: str | None) -> None:
    found = policy("shaoxing").agency_of_sender(sender)
    assert (found.id if found else None) == agency


def test_shaoxings_joint_headline_names_issuers_in_the_bureaus_order() -> None:
    headline = joint_headline(
        policy("shaoxing"),
        "zh-CN",
        hazard="11B37",
        level=Level.YELLOW,
        issuers=["natural-resources", "meteorology", "emergency"],
        issued=datetime(2023, 8, 17, 10, 0, tzinfo=UTC),
    )
    assert headline == (
        "绍兴市自然资源和规划局、市气象局、市应急管理局2023年8月17日18时00分联合发布地质灾害气象风险黄色预警"
    )


@pytest.mark.parametrize("name", [*NAMES, *map(str, EXAMPLES)])
def test_each_policy_calls_up_from_orange_and_asks_in_all_its_languages(name: str) -> None:
    loaded = policy(name)
    assert loaded.callup.roles
    assert loaded.callup.level_min is Level.ORANGE
    assert (loaded.callup.voice_after_seconds, loaded.callup.questions_after_seconds) == (180, 900)
    assert len(loaded.callup.questions) == 3
    for question in (*loaded.callup.questions, *loaded.callup.report_questions):
        assert set(question.names) == set(loaded.outlet.languages)
    for words in loaded.texts.values():
        assert {words.callup, words.callup_next, words.callup_voice}.isdisjoint(
            field.default for field in TextDefinition.model_fields.values()
        )


def test_an_agency_and_a_hazard_join_by_text_alone() -> None:
    before = policy("shaoxing")
    grown = parse_policy(shipped_policies()["shaoxing"] + AGENCY_AND_HAZARD, catalogues())
    assert [agency.id for agency in grown.agencies] == [*(agency.id for agency in before.agencies), "science"]
    assert grown.hazard("99Q01").name("en") == "Earthquake early warning"
    assert len(grown.hazards) == len(before.hazards) + 1
    assert grown.sha256 != before.sha256


def test_a_policys_own_hazard_overrides_the_catalogues() -> None:
    assert policy("shaoxing").hazard("11B01").levels[0] is Level.BLUE
    assert policy("shenzhen").hazard("11B01").levels[0] is Level.WHITE


def test_a_policy_is_found_by_path_and_its_faults_are_named(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(shipped_policies()["shaoxing"], encoding="utf-8")
    assert load(str(file))[0].sha256 == policy("shaoxing").sha256
    with pytest.raises(PolicyError, match="shipped policies are shaoxing, shenzhen"):
        load("hangzhou")
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match="not UTF-8"):
        load(str(file))


def test_shaoxings_gazetteer_has_its_six_districts() -> None:
    gazetteer = gazetteer_of(policy("shaoxing").gazetteer)
    assert [area.name for area in gazetteer.districts()] == ["越城区", "柯桥区", "上虞区", "新昌县", "诸暨市", "嵊州市"]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("龙岗", ["440307016"]),
        ("龙岗区", ["440307"]),
        ("葵涌街道", ["440307009"]),
        ("鲘门", ["441521105"]),
        ("深汕海域", ["440395"]),
        (
            "全市陆地",
            [
                "440303",
                "440304",
                "440305",
                "440306",
                "440307",
                "440308",
                "440309",
                "440310",
                "440311",
                "440312",
            ],
        ),
    ],
)
def test_shenzhens_names_mean_what_its_bureaus_mean(name: str, codes: list[str]) -> None:
    resolution = gazetteer_of(policy("shenzhen").gazetteer).resolve(AreaClaim(place_names=(name,)), threshold=0.05)
    assert [area.code for area in resolution.areas] == codes


def test_shenzhens_functional_districts_hold_their_towns() -> None:
    gazetteer = gazetteer_of(policy("shenzhen").gazetteer)
    for town, district in (("440307009", "440312"), ("441521105", "440390")):
        area = gazetteer.area(town)
        assert area is not None
        assert area.district == district


def test_two_months_of_shenzhens_warnings_pass_its_policy_without_a_finding(shared_data: Path) -> None:
    loaded = policy("shenzhen")
    gazetteer = gazetteer_of(loaded.gazetteer)
    findings: list[Finding] = []
    read = 0
    for path in (shared_data / "shenzhen").glob("warnings_*.ndjson"):
        reading = ListReader(shipped_profile("shenzhen")).read_list(path.read_bytes())
        findings += reading.findings
        for item in reading.listed:
            message = item.message
            found = interpret(message, agency_id=item.agency, policy=loaded, gazetteer=gazetteer, now=message.sent)
            findings += [*message.notes, *found.findings]
            read += bool(found.statements)
    assert (read, findings) == (315, [])
