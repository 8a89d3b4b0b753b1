"""Sentences about what happened, in Chinese and in English, for duty officers.

A template for every kind of entry, rule, change and reason. What the public reads is composed in `domain/texts.py`;
these words never leave the house.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.levels import Level
from domain.policy import Policy

ENGLISH = "en"
CHINESE = "zh-CN"

_KINDS: Mapping[str, tuple[str, str]] = {
    "message-accepted": (
        "{agency}的{type} {identifier} 已接收{notes}",
        "{agency}: {type} {identifier} was accepted{notes}",
    ),
    "message-rejected": (
        "{agency}从{source}发来的报文 {identifier} 被拒收：{reasons}",
        "{agency}: message {identifier} from {source} was refused: {reasons}",
    ),
    "duplicate-arrived": ("{agency}的报文 {identifier} 重复到达", "{agency}: message {identifier} came again"),
    "conflicting-copy-arrived": (
        "{agency}的报文 {identifier} 再次到达而内容不同，以先到者为准",
        "{agency}: message {identifier} came again with other content; the first stands",
    ),
    "message-had-no-effect": (
        "{agency}的报文 {identifier} 未产生变化：{reason}",
        "{agency}: message {identifier} changed nothing: {reason}",
    ),
    "chain-waited": (
        "{agency}的 {chain} 等待首报至 {until}",
        "{agency}: {chain} waits for its first message until {until}",
    ),
    "wait-ended": (
        "{agency}的 {chain} 首报未到，以最新更新报为准",
        "{agency}: the first message of {chain} has not come; its newest update speaks",
    ),
    "contribution-recorded": ("{agency}发布：{statements}", "{agency} warns: {statements}"),
    "contribution-ended": ("{agency}的预警结束：{reason}", "{agency}'s warning ended: {reason}"),
    "outlet-revised": ("第{revision}版：{changes}", "revision {revision}: {changes}"),
    "conflict-flagged": (
        "{hazard}：各单位级别相差过大，需会商（{levels}）",
        "{hazard}: agencies are far apart and must consult ({levels})",
    ),
    "conflict-settled": (
        "{hazard}：会商由{by}了结，理由：{reason}",
        "{hazard}: the conflict was settled by {by}: {reason}",
    ),
    "release-scheduled": ("第{revision}版将于 {due} 发布", "revision {revision} becomes public at {due}"),
    "release-held": (
        "{hazard}{level}预警待{needed}人审批，截止 {due}",
        "{hazard} {level} waits for {needed} approval(s) until {due}",
    ),
    "release-approved": ("{hazard}{level}预警由{by}批准", "{hazard} {level} was approved by {by}"),
    "release-refused": (
        "{hazard}{level}预警被{by}否决：{reason}",
        "{hazard} {level} was refused by {by}: {reason}",
    ),
    "hold-ended": ("{hazard}{level}预警不再待批：{reason}", "{hazard} {level} is no longer held: {reason}"),
    "warning-released": (
        "第{revision}版以 {identifier} 发布（第{number}次，{type}）：{reason}",
        "revision {revision} was released as {identifier} (number {number}, {type}): {reason}",
    ),
    "event-parked": (
        "{stage}未能处理第{position}号事件（{reason}）",
        "{stage} could not process event {position} ({reason})",
    ),
}

_WORDS: Mapping[str, tuple[str, str]] = {
    # kinds of messages
    "Alert": ("首报", "alert"),
    "Update": ("更新报", "update"),
    "Cancel": ("解除报", "cancel"),
    # kinds of change
    "new-hazard": ("新增", "entered"),
    "raised": ("升级", "raised"),
    "new-area": ("扩大", "extended"),
    "lowered": ("降级", "lowered"),
    "area-lifted": ("部分区域解除", "lifted in part"),
    "lifted": ("解除", "lifted"),
    "continued": ("延续", "continued"),
    # why a contribution ended
    "cancelled": ("发布单位解除", "its agency cancelled it"),
    "area-dropped": ("更新报不再涉及此区域", "the update no longer covers this district"),
    "unlisted": ("已从列表移除", "it left the list"),
    "expired": ("到期", "it expired"),
    "joined": ("并入另一预警链", "its chain joined another"),
    # why a message had no effect
    "older-than-the-newest": ("早于该链最新报文", "it is older than the newest of its chain"),
    "waits-for-its-alert": ("等待首报", "it waits for its first message"),
    "says-nothing-here": ("不涉及本地", "it says nothing about our districts"),
    # why a hold ended
    "approved": ("已获批准", "approved"),
    "deadline": ("逾期未批，按策略处理", "nobody answered before the deadline"),
    "gone": ("该灾种已结束或级别已变", "the section is gone or has another level"),
    # why a release happened (the others are kinds of change)
    "red": ("涉及红色预警，立即发布", "a red is involved: at once"),
    "grouped": ("合并等待期满", "grouped with what came in the meantime"),
    "no-grouping": ("不设合并等待", "nothing is grouped"),
    # why somebody whom a release concerns is not told
    "already-told": ("已按此级别告知", "they know it at this level"),
    "below-their-level": ("低于其接收级别", "below the level they asked for"),
    "not-their-hazard": ("非其接收灾种", "not a hazard they asked for"),
    "covered": ("已有更严重的灾种告知", "a more serious hazard covers it"),
    "no-channel": ("无可用联系方式", "nothing by which they could be reached"),
    # by what people are told
    "sms": ("短信", "SMS"),
    "email": ("邮件", "e-mail"),
    "screen": ("屏幕", "screen"),
    "voice": ("电话", "telephone"),
    # what became of a message to somebody
    "accepted": ("已交付", "handed over"),
    "delivered": ("已送达", "delivered"),
    "failed": ("未送达", "failed"),
    "withdrawn": ("撤回", "withdrawn"),
    "repeated": ("重发", "sent again"),
    # how a call-up was confirmed, and why it ended
    "link": ("网页", "their page"),
    "officer": ("值班员记录", "an officer"),
    "exhausted": ("各步已尽，无人确认", "every step was taken and nobody confirmed"),
    "stopped": ("已停止", "stopped"),
    # the rules of merging
    "highest_level_in_force_wins_in_each_area": (
        "同一区域取生效中的最高级别",
        "the highest level in force wins in each area",
    ),
    "finer_areas_that_add_nothing_are_folded": (
        "上级区域已覆盖的下级区域不再单列",
        "finer areas that add nothing are folded into the larger ones",
    ),
    "agencies_far_apart_are_flagged_for_consultation": (
        "级别相差过大时提请会商",
        "agencies far apart are flagged for consultation",
    ),
    "issuers_stand_in_the_policys_order": (
        "发布单位按策略所定次序排列",
        "issuers stand in the policy's order",
    ),
}

_LEVELS: Mapping[str, tuple[str, str]] = {
    "white": ("白色", "white"),
    "blue": ("蓝色", "blue"),
    "yellow": ("黄色", "yellow"),
    "orange": ("橙色", "orange"),
    "red": ("红色", "red"),
}


def word(code: str, language: str) -> str:
    """The words for a code; the code itself where there are none."""
    return _in(language, _WORDS.get(code) or (code, code))


def level_word(level: Level | str, language: str) -> str:
    """The word for a level; empty where there is none."""
    return _in(language, _LEVELS[level.value if isinstance(level, Level) else level]) if level else ""


def sentence(kind: str, parts: Mapping[str, Any], *, agency: str, policy: Policy, language: str) -> str:
    """One entry of the history as a sentence.

    Raises:
        KeyError: the kind has no template; every topic that history keeps has one, by test.
    """
    return _in(language, _KINDS[kind]).format(**_fields(parts, agency, policy, language))


def change_words(change: Mapping[str, Any], policy: Policy, language: str) -> str:
    """One change of a revision: `Rainstorm: raised, blue → orange`."""
    levels = [level_word(level, language) for level in (change.get("before"), change.get("after")) if level]
    steps = " → ".join(dict.fromkeys(levels))
    return _in(language, ("{0}{1}（{2}）", "{0}: {1} ({2})")).format(
        hazard_name(change["hazard"], policy, language), word(change["kind"], language), steps
    )


def hazard_name(code: str, policy: Policy, language: str) -> str:
    """The hazard's name; the code where this policy no longer knows it."""
    hazard = policy.hazard_index.get(code)
    return hazard.name(language) if hazard else code


def agency_name(agency_id: str, policy: Policy, language: str) -> str:
    """The agency's name; the id where this policy no longer knows it."""
    agency = policy.agency(agency_id)
    return agency.name(language) if agency else agency_id


def levels_words(levels: Mapping[str, Any], policy: Policy, language: str) -> str:
    """What each agency says: `Bureau A: red, Bureau B: blue`."""
    said = [
        f"{agency_name(agency, policy, language)}{_in(language, ('', ': '))}{level_word(level, language)}"
        for agency, level in levels.items()
    ]
    return _separator(language).join(said)


def is_chinese(language: str) -> bool:
    """Whether a language is answered in Chinese; all others are in English."""
    return language.split("-", maxsplit=1)[0].lower() == "zh"


def _in(language: str, words: Sequence[str]) -> str:
    return words[0] if is_chinese(language) else words[1]


def _separator(language: str) -> str:
    return _in(language, ("，", ", "))


def _fields(parts: Mapping[str, Any], agency: str, policy: Policy, language: str) -> dict[str, Any]:
    """Every field that a template may name; absent ones are empty."""
    message = parts.get("message") or {}
    findings = parts.get("findings", [])
    notes = len([found for found in findings if not found["refuses"]])
    return {
        "agency": agency_name(agency or parts.get("agency", ""), policy, language),
        "identifier": message.get("identifier") or parts.get("identifier", ""),
        "type": word(message.get("message_type") or parts.get("message_type", ""), language),
        "notes": _in(language, ("，附{0}条提示", " with {0} note(s)")).format(notes) if notes else "",
        "source": parts.get("source", ""),
        "reasons": "; ".join(f"{found['sentence']} [{found['code']}]" for found in findings if found["refuses"]),
        "reason": word(parts.get("reason") or parts.get("cause", ""), language),
        "chain": parts.get("chain", ""),
        "until": parts.get("until", ""),
        "statements": _statements(parts.get("statements", []), policy, language),
        "revision": parts.get("revision", ""),
        "number": parts.get("number", ""),
        "changes": _separator(language).join(change_words(one, policy, language) for one in parts.get("changes", [])),
        "hazard": hazard_name(parts.get("hazard", ""), policy, language),
        "level": level_word(parts.get("level", ""), language),
        "levels": levels_words(parts.get("levels", {}), policy, language),
        "by": parts.get("by", ""),
        "needed": parts.get("approvals_needed", ""),
        "due": parts.get("due") or parts.get("deadline", ""),
        "stage": parts.get("stage", ""),
        "position": parts.get("position", ""),
    }


def _statements(statements: Sequence[Mapping[str, Any]], policy: Policy, language: str) -> str:
    return _separator(language).join(
        _in(language, ("{0}{1}预警（{2}）", "{0} {1} ({2})")).format(
            hazard_name(one["hazard"], policy, language),
            level_word(one["level"], language),
            _in(language, ("、", ", ")).join(area["name"] for area in one["areas"]),
        )
        for one in statements
    )
