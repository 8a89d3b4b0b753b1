"""The policy as a document: every mistake is listed, and agencies and hazards are added by it alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.hazards import HazardDefinition
from domain.levels import Level
from domain.policy import Policy, PolicyError, parse_policy
from domain.templates import FIELDS, template_problems
from tests.domain.builders import GALE, POLICY, RAIN, SKY, World, info, message, policy_with

CATALOGUES = {
    "cn": (
        HazardDefinition(code="11B03", names={"zh-CN": "暴雨（国）"}, event_codes={"CN": ("11B03", "shared")}),
        HazardDefinition(code="11B09", names={"zh-CN": "高温"}, event_codes={"CN": ("shared",)}),
    )
}


def problems(text: str, replaced: tuple[str, str] | None = None) -> tuple[str, ...]:
    whole = POLICY.replace(*replaced) if replaced else POLICY
    assert replaced is None or whole != POLICY
    with pytest.raises(PolicyError) as caught:
        parse_policy(whole + text, CATALOGUES)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_the_sample_is_a_policy_and_is_known_by_the_hash_of_its_text() -> None:
    policy = policy_with()
    assert list(policy.agency_order) == ["natural-resources", "meteorology", "water"]
    assert len(policy.sha256) == 64
    assert policy.sha256 != policy_with("# a comment\n").sha256


@pytest.mark.parametrize(
    ("text", "replaced", "expected"),
    [
        ("= nonsense", None, "not TOML: "),
        ("[unknown]\nkey = 1\n", None, "unknown: Extra inputs are not permitted"),
        ("", ('id = "water"', 'id = "water"\nphone = "1"'), "agencies.2.phone: Extra inputs are not permitted"),
        ("", ('id = "water"', 'id = "meteorology"'), "agencies: the id meteorology occurs twice"),
        ("", ('code = "11B06"', 'code = "11B03"'), "hazards: the code 11B03 occurs twice"),
        ("", ('merges_into = "11D01"', 'merges_into = "11D99"'), "hazards.11D02.merges_into: unknown hazard 11D99"),
        (
            "",
            ('code = "11B06"', 'code = "11B06"\nmerges_into = "11D02"'),
            "hazards.11B06.merges_into: 11D02 itself merges",
        ),
        ("", ('hazards = ["*"]', 'hazards = ["?", "*"]'), "agencies.natural-resources.remit.hazards: unknown hazard ?"),
        ("", ("sender_code", 'timezone = "Asia/No"\nsender_code'), "outlet.timezone: unknown time zone Asia/No"),
        ("", ("sender_code", 'timezone = "Asia"\nsender_code'), "outlet.timezone: unknown time zone Asia"),
        ("", ("sender_code", 'timezone = "../etc"\nsender_code'), "outlet.timezone: unknown time zone ../etc"),
        ("", ("sender_code", 'languages = ["zh-CN", "fr"]\nsender_code'), "texts: no templates for language fr"),
        ("", ("sender_code", "languages = []\nsender_code"), "outlet.languages: "),
        ("", ('red = "红色"', 'pink = "粉色"'), "texts.zh-CN.levels.pink"),
        ("", (', red = "红色"', ""), "texts.zh-CN.levels: no word for red"),
        ("", ('drill_mark = "【演练】"', 'drill_mark = " "'), "texts.zh-CN.drill_mark: a drill must be marked"),
        ("", ('sms = "{headlines}"', 'sms = "{headline}"'), "texts.en.sms: unknown field {headline}"),
        ("", ('sms = "{headlines}"', 'sms = "{headlines"'), "texts.en.sms: "),
        ("", ("{issuers} issued", "{issuers.x} issued"), "texts.en.headline: unknown field {issuers.x}"),
        ("", ("{issuers} issued", "Issued"), "texts.en.headline: the field {issuers} is missing"),
        ("", ("lifted at", "\\n lifted at"), "texts.en.lifted: must be one line"),
        ("[reading]\nlevel_from = ['severity', 'colour']\n", None, "reading.level_from: 'colour' is none of"),
        ("[merge]\nconflict_levels_apart = 0\n", None, "merge.conflict_levels_apart: "),
        ("[expiry]\ndefault_hours = 0\n", None, "expiry.default_hours: "),
        ("[release]\ngroup_wait_seconds = -1\n", None, "release.group_wait_seconds: "),
        ("[release]\napprovals = { red = -1 }\n", None, "release.approvals.red: "),
        ("[release]\ndeadline_action = 'shrug'\n", None, "release.deadline_action: "),
        ("", ("default_expiry_hours = 12", "default_expiry_hours = 0"), "hazards.4.default_expiry_hours: "),
        ("[callup]\nhazards = ['99Z99']\n", None, "callup.hazards: unknown hazard 99Z99"),
        ("[callup]\nlevel_min = 'purple'\n", None, "callup.level_min: "),
        ("[callup]\nvoice_after_seconds = 0\n", None, "callup.voice_after_seconds: "),
        (
            "[callup]\nquestions = [{ id = 'a', names = {} }, { id = 'a', names = {} }]\n",
            None,
            "callup.questions: the id a occurs twice",
        ),
        ("[callup]\nreport_questions = [{ id = 'A!', names = {} }]\n", None, "callup.report_questions.0.id: "),
        ("", ('sms = "{headlines}"', 'sms = "{headlines}"\ncallup = "{who}"'), "texts.en.callup: unknown field {who}"),
        (
            "",
            ('sms = "{headlines}"', 'sms = "{headlines}"\ncallup_voice = "{headlines} {link}"'),
            "texts.en.callup_voice: unknown field {link}",
        ),
        ("", ("[outlet]", "catalogue = 'mars'\n[outlet]"), "catalogue: unknown catalogue mars"),
        ("", ("[outlet]", "catalogue = ['cn']\n[outlet]"), "catalogue: Input should be a valid string"),
        ("", ("[[hazards]]", "[[hazard]]"), "hazard: Extra inputs are not permitted"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, replaced: tuple[str, str] | None, expected: str) -> None:
    found = problems(text, replaced)
    assert any(problem.startswith(expected) for problem in found), found


@pytest.mark.parametrize("hazards", ["5", "'rain'", "[5]", "{ code = 'x' }"])
def test_hazards_of_another_shape_are_a_mistake_like_any_other(hazards: str) -> None:
    text = POLICY[: POLICY.index("[[hazards]]")] + POLICY[POLICY.index("[gazetteer]") :]
    with pytest.raises(PolicyError, match="hazards"):
        parse_policy(f"hazards = {hazards}\n{text}")


def test_all_mistakes_are_listed_at_once() -> None:
    text = POLICY.replace('code = "11B06"', 'code = "11B03"').replace('id = "water"', 'id = "meteorology"')
    text = text.replace('sms = "{headlines}"', 'sms = "{level:>9} {0} {}"').replace(
        "[outlet]", "catalogue = 'x'\n[outlet]"
    )
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "catalogue",
        "texts.en.sms",
        "texts.en.sms",
        "texts.en.sms",
        "texts.en.sms",
        "agencies",
        "hazards",
    ]


def test_a_policy_without_its_required_parts_lists_them() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy("")
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["outlet", "agencies", "gazetteer", "texts"]


def test_an_agency_and_a_hazard_are_added_by_the_policy_alone() -> None:
    extra = '[[agencies]]\nid = "forestry"\nnames = { zh-CN = "林业局" }\nremit = { hazards = ["11G01"] }\n'
    extra += '[[hazards]]\ncode = "11G01"\nnames = { zh-CN = "森林火险" }\n[gazetteer]'
    world = World(policy_with(replaced={"[gazetteer]": extra}))
    world.send("forestry", message("fire", info("森林火险", Level.RED)))
    assert world.sections()[0].headlines["zh-CN"].startswith("林业局2022年09月13日16时发布森林火险红色")


def test_a_documents_own_hazards_come_before_the_catalogues() -> None:
    own = '[[hazards]]\ncode = "local"\nnames = { zh-CN = "本地" }\nevent_codes = { CN = ["shared"] }\n[gazetteer]'
    policy = parse_policy("catalogue = 'cn'\n" + POLICY.replace("[gazetteer]", own, 1), CATALOGUES)
    assert policy.hazard(RAIN).name("zh-CN") == "暴雨"
    assert policy.hazard("11B09").name("en") == "高温"
    assert list(policy.hazard_order)[-2:] == ["local", "11B09"]
    found = policy.hazard_index.of(info("?", event_codes=({"name": "CN", "value": "shared"},)))
    assert found is not None
    assert found.code == "local"


def test_names_fall_back_to_what_is_there() -> None:
    policy = policy_with()
    water = policy.agency("water")
    assert water is not None
    assert (water.name("en"), water.name("zh-CN")) == ("绍兴市水利局", "绍兴市水利局")
    assert HazardDefinition(code="x", names={}).name("en") == "x"
    with pytest.raises(KeyError):
        policy.hazard("99")
    assert policy.agency("nobody") is None


def test_a_sender_leads_to_the_one_agency_that_names_it() -> None:
    policy = policy_with(replaced={'short_names = { zh-CN = "市水利局" }': 'senders = ["330602*", "water"]'})
    found = {sender: policy.agency_of_sender(sender) for sender in ("water", "33060499", "33060299", "nobody")}
    ids = {sender: agency.id if agency else None for sender, agency in found.items()}
    assert ids == {"water": "water", "33060499": "natural-resources", "33060299": None, "nobody": None}


@given(template=st.text(alphabet="{}!:.[]0ahrdlines ", max_size=30))
def test_a_template_without_problems_never_fails(template: str) -> None:
    for fields in FIELDS.values():
        if not template_problems(template, fields):
            template.format(**dict.fromkeys(fields, "words"))


@pytest.mark.parametrize(
    "template", ["{hazard!r}", "{hazard:9}", "{hazard:{level}}", "{hazard[0]}", "{hazard.x}", "{}", "{0}", "{", "}"]
)
def test_a_template_holds_plain_named_fields_only(template: str) -> None:
    assert template_problems(template) != []
    assert template_problems("{{{hazard}}}") == []


def test_a_policy_is_a_value() -> None:
    assert policy_with() == policy_with()
    assert isinstance(policy_with(), Policy)
    assert SKY in policy_with().agency_order
    assert policy_with().hazard(GALE).published_from is None
