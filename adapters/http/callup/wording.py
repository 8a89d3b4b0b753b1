"""The words of the page of a call-up, in Chinese and in English, and which of the two somebody reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from adapters.http import languages

CHINESE: Final = "zh-CN"
ENGLISH: Final = "en"
_BY_TAG: Final[Mapping[languages.PageLanguage, str]] = {"zh": CHINESE, "en": ENGLISH}


@dataclass(frozen=True, slots=True)
class Words:
    """The page's words in one language; `{time}` is a place."""

    title: str
    drill: str
    district: str
    level: str
    asked_at: str
    please_confirm: str
    confirm: str
    confirmed: str
    questions: str
    answer_until: str
    answered: str
    report: str
    reported: str
    send: str
    lifted: str
    lowered: str
    stopped: str
    renewed: str
    nothing_to_do: str
    not_taken: str
    nothing_answered: str
    too_long: str
    unknown: str
    unknown_more: str
    unavailable: str
    other_language: str


WORDS: Final = {
    CHINESE: Words(
        title="预警叫应",
        drill="演练，并非真实预警",
        district="区域",
        level="级别",
        asked_at="叫应时间",
        please_confirm="请确认您已收到本预警。",
        confirm="已收到",
        confirmed="已于 {time} 确认收到。",
        questions="请回答",
        answer_until="请于 {time} 前回答。",
        answered="您的回答已记录。如有变化，可修改后再次提交。",
        report="预警已解除，请报告",
        reported="您的报告已记录。如有变化，可修改后再次提交。",
        send="提交",
        lifted="预警已解除。",
        lowered="预警级别已降低，不再需要应答。",
        stopped="演练已结束，不再需要应答。",
        renewed="此次叫应已由新的叫应代替。",
        nothing_to_do="您无需再做任何操作。",
        not_taken="未能提交，请重新打开链接查看。",
        nothing_answered="请至少回答一个问题。",
        too_long="回答过长。",
        unknown="此链接无效",
        unknown_more="请使用短信中的完整链接，或直接用短信回复。",
        unavailable="暂时无法打开，请稍后重试，或直接用短信回复 1。",
        other_language="English",
    ),
    ENGLISH: Words(
        title="Warning call-up",
        drill="Drill: this is no real warning",
        district="District",
        level="Level",
        asked_at="Called up",
        please_confirm="Please confirm that you have received this warning.",
        confirm="I have received it",
        confirmed="Confirmed at {time}.",
        questions="Please answer",
        answer_until="Please answer before {time}.",
        answered="Your answers are recorded. If something changes, change them and send again.",
        report="The warning was lifted: please report",
        reported="Your report is recorded. If something changes, change it and send again.",
        send="Send",
        lifted="The warning has been lifted.",
        lowered="The warning has been lowered; no answer is needed any more.",
        stopped="The drill is over; no answer is needed any more.",
        renewed="A newer call-up has taken the place of this one.",
        nothing_to_do="There is nothing left for you to do.",
        not_taken="This could not be taken. Please open the link again.",
        nothing_answered="Please answer at least one question.",
        too_long="An answer is too long.",
        unknown="This link is not valid",
        unknown_more="Please use the whole link of the message, or reply by text message.",
        unavailable="This cannot be opened now. Please try again soon, or reply 1 by text message.",
        other_language="中文",
    ),
}


def asked_language(request: Request) -> str | None:
    """The language that `?lang=` names, as the words are kept; None without one, or with one that there is not."""
    asked = languages.asked_language(request)
    return None if asked is None else _BY_TAG[asked]


def language_of(request: Request, usual: str) -> str:
    """The language in which this page is shown."""
    return _BY_TAG[languages.page_language(request, usual)]
