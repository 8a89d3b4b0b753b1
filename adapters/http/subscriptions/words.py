"""Every word of the subscribers' pages, in Chinese and English; a test holds both to the same keys."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from starlette.requests import Request

from domain.findings import Code

PageLanguage = Literal["zh", "en"]
PAGE_LANGUAGES: Final[tuple[PageLanguage, ...]] = get_args(PageLanguage)
TAGS: Final[Mapping[PageLanguage, str]] = {"zh": "zh-CN", "en": "en"}

WORDS: Final[Mapping[PageLanguage, Mapping[str, str]]] = {
    "zh": {
        "subscribe": "订阅灾害预警",
        "subscribe_lead": "填写手机号码或邮箱，选择关注的地区。我们会发送验证码，确认之后才会订阅。",
        "telephone": "手机号码",
        "email": "邮箱地址",
        "or": "或",
        "areas": "地区",
        "more_areas": "其他区划代码（乡镇、街道或村，用逗号隔开）",
        "point": "一个地点（可不填）",
        "latitude": "纬度",
        "longitude": "经度",
        "radius_km": "半径（公里）",
        "hazards": "灾种（不选即全部）",
        "all_hazards": "全部灾种",
        "level_min": "最低级别",
        "language": "语言",
        "channel": "接收方式",
        "sms": "短信",
        "by_email": "邮件",
        "send_code": "发送验证码",
        "sent": "验证码已发送",
        "sent_lead": "请在有效期内输入收到的六位验证码，或打开信息中的链接，也可直接回复验证码。",
        "code": "验证码",
        "confirm": "确认订阅",
        "confirm_lead": "有人请求把以下预警发给您。确认之后才会订阅；不是您本人操作的，请关闭本页。",
        "manage": "您的订阅",
        "manage_lead": "可以在这里修改或退订。请不要把本页地址告诉他人。",
        "save": "保存修改",
        "end": "退订",
        "end_lead": "退订后不再收到预警，您的联系方式随即删除。",
        "ended": "已退订",
        "ended_lead": "不会再向您发送预警，您的联系方式已删除。",
        "nothing": "没有可退订的内容",
        "nothing_lead": "这个链接对应的订阅已经不存在。",
        "rostered": "不能通过链接退订",
        "rostered_lead": "您在应急责任人名单上，预警必须送达。如需变更，请与应急管理部门联系；本次没有作任何改动。",
        "gone": "链接已失效",
        "gone_lead": "请求可能已过期，或订阅已退订。可以重新订阅。",
        "confirmed": "订阅成功。",
        "changed": "修改已保存。",
        "wrong": "请改正以下内容",
        "wrong_code": "验证码不正确。",
        "too_many": "请求过于频繁，请稍后再试。",
        "points": "地点",
        "other_language": "English",
    },
    "en": {
        "subscribe": "Subscribe to warnings",
        "subscribe_lead": "Give a mobile number or a mail address and choose places. You get a code; nothing is sent "
        "before you have confirmed.",
        "telephone": "Mobile number",
        "email": "Mail address",
        "or": "or",
        "areas": "Places",
        "more_areas": "Other area codes (townships or villages, with commas between them)",
        "point": "A point (may be left out)",
        "latitude": "Latitude",
        "longitude": "Longitude",
        "radius_km": "Radius (km)",
        "hazards": "Hazards (none chosen: all)",
        "all_hazards": "every hazard",
        "level_min": "Lowest level",
        "language": "Language",
        "channel": "Sent by",
        "sms": "text message",
        "by_email": "mail",
        "send_code": "Send the code",
        "sent": "The code is on its way",
        "sent_lead": "Enter its six digits while it is valid, open the link in the message, or reply with the code.",
        "code": "Code",
        "confirm": "Subscribe",
        "confirm_lead": "Somebody asked that these warnings be sent to you. Nothing is sent before you confirm; if it "
        "was not you, close this page.",
        "manage": "Your subscription",
        "manage_lead": "Change or end it here. Tell nobody the address of this page.",
        "save": "Save",
        "end": "Unsubscribe",
        "end_lead": "You get no warnings any more, and your contact is deleted at once.",
        "ended": "Unsubscribed",
        "ended_lead": "No warnings are sent to you any more, and your contact is deleted.",
        "nothing": "There is nothing to end",
        "nothing_lead": "The subscription that this link led to is not there any more.",
        "rostered": "Not by a link",
        "rostered_lead": "You are on an official list of people who must be warned. Speak to the bureau to change "
        "that; nothing has been changed now.",
        "gone": "This link leads nowhere any more",
        "gone_lead": "The request has expired, or the subscription was ended. You can subscribe again.",
        "confirmed": "You have subscribed.",
        "changed": "Your changes are saved.",
        "wrong": "Please mend the following",
        "wrong_code": "This is not the code.",
        "too_many": "Too many requests. Please try again later.",
        "points": "Points",
        "other_language": "中文",
    },
}

FINDINGS: Final[Mapping[PageLanguage, Mapping[Code, str]]] = {
    "zh": {
        Code.MISSING: "请填写手机号码或邮箱其中之一。",
        Code.VALUE: "手机号码、邮箱或坐标的格式不正确。",
        Code.OUTSIDE: "所填地区或地点不在本地范围内。",
        Code.COORDINATES: "坐标或半径不正确。",
        Code.UNKNOWN_HAZARD: "没有这个灾种。",
        Code.UNKNOWN_LEVEL: "没有这个级别。",
        Code.LANGUAGE: "没有这种语言。",
        Code.NO_AREA: "请至少选择一个地区。",
    },
    "en": {},
}
"""What is said of a finding instead of its own sentence, which is English."""


def page_language(request: Request, own: str) -> PageLanguage:
    """The language of a page: `?lang=`, else what the browser asks for, else that of the outlet's first texts."""
    asked = request.query_params.get("lang", "")
    for found in PAGE_LANGUAGES:
        if asked == found:
            return found
    wishes = [part.strip().partition(";") for part in request.headers.get("accept-language", "").split(",")]
    for tag, _, weight in sorted(wishes, key=lambda wish: -_weight(wish[2])):
        for found in PAGE_LANGUAGES:
            if tag.strip().lower().split("-")[0] == found and _weight(weight) > 0:
                return found
    return "zh" if own.lower().startswith("zh") else "en"


def _weight(text: str) -> float:
    """A wish's weight (RFC 9110, section 12.4.2); what cannot be read weighs nothing."""
    name, _, value = text.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0) if name.strip().lower() == "q" else 1.0
    except ValueError:
        return 0.0
