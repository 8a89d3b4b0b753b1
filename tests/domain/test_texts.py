"""The outlet's own words: SMS segments, headlines in several languages, and what stands where a text is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.levels import Level
from domain.messages import Mode
from domain.sections import Change, ChangeKind
from domain.texts import _GSM7, area_names, relayed_text, release_texts, sms_segments, wording_in
from tests.domain.builders import (
    FUSHAN,
    RAIN,
    SKY,
    START,
    TASHAN,
    WATER,
    YUECHENG,
    World,
    info,
    message,
    policy_with,
    released,
)
from tests.domain.strategies import SENDERS

POLICY = policy_with()


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("汉" * 70, 1),
        ("汉" * 71, 2),
        ("汉" * 134, 2),
        ("汉" * 135, 3),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 159 + "[", 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # an extended character is not cut in two: it moves to the next segment
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("汉" * 66 + "😀" + "汉" * 66, 3),  # nor is a surrogate pair
        ("a" * 69 + "汉", 1),
        ("a" * 70 + "汉", 2),
        ("\x00" * 71, 2),
    ],
)
def test_an_sms_takes_the_segments_of_its_alphabet(text: str, segments: int) -> None:
    assert sms_segments(text) == segments


def test_the_gsm_alphabet_has_127_characters_beside_its_escape() -> None:
    assert len(_GSM7) == 127


@given(text=st.text(max_size=400))
def test_segments_grow_with_the_text_and_hold_all_of_it(text: str) -> None:
    segments = sms_segments(text)
    units = len(text.encode("utf-16-be")) // 2
    assert segments <= max(1, -(-units // 66))
    assert sms_segments(text + "汉") >= segments


def test_an_agency_that_says_nothing_is_represented_by_its_headline_and_then_by_ours() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, description="", headline="暴雨来了")))
    assert relayed_text(world.sections()[0], "zh-CN") == "暴雨来了"
    world.send(SKY, message("b", info(RAIN, description="", headline=""), refs=["a"], minute=1))
    assert relayed_text(world.sections()[0], "zh-CN") == world.sections()[0].headlines["zh-CN"]


def test_a_reader_gets_the_nearest_language_that_an_agency_used() -> None:
    world = World(POLICY)
    blocks = [info(RAIN, language=language, description=language) for language in ("zh-TW", "fr", "en-US")]
    world.send(SKY, message("a", *blocks))
    (contributor,) = world.sections()[0].contributors
    found = {tag: wording_in(contributor, tag) for tag in ("zh-CN", "en", "fr", "de")}
    assert {tag: wording.language if wording else None for tag, wording in found.items()} == {
        "zh-CN": "zh-TW",
        "en": "en-US",
        "fr": "fr",
        "de": "zh-TW",
    }
    assert wording_in(contributor.model_copy(update={"wordings": ()}), "en") is None


def test_the_same_text_of_two_agencies_stands_once() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, description="同")))
    world.send(WATER, message("b", info(RAIN, description="同"), sender=SENDERS[WATER]))
    assert relayed_text(world.sections()[0], "en").split("\n")[1:] == ["同"]


def test_areas_are_named_highest_level_first() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, Level.BLUE, TASHAN), info(RAIN, Level.RED, FUSHAN)))
    assert area_names(world.sections()[0], "、") == "府山街道、塔山街道"


def test_a_language_added_by_a_new_policy_borrows_the_headlines_composed_before() -> None:
    world = World(policy_with(replaced={"sender_code": 'languages = ["zh-CN"]\nsender_code'}))
    world.send(SKY, message("a", info(RAIN, Level.RED)))
    sections = world.sections()
    texts = release_texts(POLICY, mode=Mode.LIVE, sections=sections, changes=(), at=START, district="越城区")
    assert [text.headline for text in texts] == [sections[0].headlines["zh-CN"]] * 2
    bare = sections[0].model_copy(update={"headlines": {}})
    (text, _) = release_texts(POLICY, mode=Mode.LIVE, sections=[bare], changes=(), at=START, district="越城区")
    assert text.headline == "无预警"


def test_where_nothing_is_in_force_the_text_says_so() -> None:
    chinese, english = release_texts(POLICY, mode=Mode.DRILL, sections=(), changes=(), at=START, district="越城区")
    assert (chinese.description, english.headline) == ("【演练】无预警【演练】", "[DRILL]No warning[DRILL]")


def test_a_lifting_without_a_level_before_is_still_a_sentence() -> None:
    lifted = Change(hazard=RAIN, kind=ChangeKind.LIFTED, areas=(YUECHENG,))
    (text, _) = release_texts(POLICY, mode=Mode.LIVE, sections=(), changes=[lifted], at=START, district="")
    assert text.headline == "绍兴市应急管理局2022年09月13日16时解除330602暴雨预警"


def test_the_sms_begins_with_the_signature() -> None:
    world = World(POLICY)
    world.send(SKY, message("a", info(RAIN, Level.RED)))
    (release,) = released(world.log)
    assert release.texts[0].sms == "【绍兴应急】绍兴市气象局2022年09月13日16时发布暴雨红色预警（越城区）"
