"""The words of a call-up: in every language, with a place for the link, and marked in a drill."""

import pytest

from domain.callup_events import CallUpStep
from domain.callup_texts import call_up_text
from domain.levels import Level
from domain.messages import Mode
from domain.notices import LINK_PLACE
from domain.policy import Policy
from domain.telling_events import SendText
from tests.domain.builders import RAIN, policy_with
from tests.domain.test_routing import DISTRICT, NOW, section

SECTION = section(RAIN, {DISTRICT: Level.RED}).model_copy(
    update={"headlines": {"zh-CN": "暴雨红色预警", "en": "Red rain"}}
)


def text(
    policy: Policy, step: CallUpStep, *, language: str = "en", mode: Mode = Mode.LIVE, place: str = "Shengzhou"
) -> SendText:
    return call_up_text(policy, language, [SECTION], hazards={RAIN}, step=step, mode=mode, place=place, at=NOW)


def test_a_policy_from_before_there_were_call_ups_asks_all_the_same() -> None:
    policy = policy_with()
    asked = text(policy, CallUpStep.ASKED)
    assert asked.sms.endswith(f"Shengzhou: Red rain. 收到请回复1 / Reply 1 to confirm. {LINK_PLACE}")
    assert asked.short == asked.sms
    assert asked.subject == "Shengzhou Red rain"
    assert LINK_PLACE in text(policy, CallUpStep.NEXT_ASKED).body
    assert LINK_PLACE not in text(policy, CallUpStep.CALLED).body


def test_a_language_that_the_outlet_no_longer_has_is_its_first_one() -> None:
    policy = policy_with()
    found = text(policy, CallUpStep.ASKED, language="fr", place="")
    assert found.language == policy.outlet.languages[0]
    assert found.subject in {"暴雨红色预警", "Red rain"}


def test_a_drill_is_marked_at_both_ends_behind_the_signature() -> None:
    policy = policy_with()
    words = policy.texts["en"]
    found = text(policy, CallUpStep.CALLED, mode=Mode.DRILL)
    assert found.sms.startswith(f"{words.signature}{words.drill_mark}")
    assert all(said.endswith(words.drill_mark) for said in (found.sms, found.body, found.subject))


def test_only_the_hazards_that_are_asked_about_are_named() -> None:
    policy = policy_with()
    found = call_up_text(
        policy, "en", [SECTION], hazards={"11A51"}, step=CallUpStep.ASKED, mode=Mode.LIVE, place="X", at=NOW
    )
    assert "Red rain" not in found.sms


def test_nothing_is_sent_when_the_questions_fall_due() -> None:
    with pytest.raises(ValueError, match="nobody is sent anything"):
        text(policy_with(), CallUpStep.QUESTIONS_DUE)
