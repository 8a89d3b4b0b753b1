"""The `info` blocks of a 12379 message and the texts that it holds for each channel (`code/method`)."""

import re
from datetime import datetime

from lxml import etree

from adapters.cn12379.areas import GEOCODE_SYSTEM, area_claim
from adapters.cn12379.fields import XML_SPACE, Fields, quoted
from domain.findings import Code
from domain.levels import Level
from domain.messages import Info, MessageType, Named, Resource

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_EVENT_TYPE = re.compile(r"[0-9A-Z]{5}")
_UNKNOWN = "Unknown"
_LEVELS = {level.value.capitalize(): level for level in Level}
_ASKED_FOR = {
    "headline": "a headline",
    "description": "a description",
    "instruction": "what to do",
    "effective": "when it takes effect",
}


class AlertContext:
    """What an info block needs to know of the alert around it."""

    def __init__(
        self,
        *,
        station: str,
        sent: datetime | None,
        message_type: MessageType | None,
        parameters: tuple[Named, ...],
    ) -> None:
        self.station = station
        self.sent = sent
        self.message_type = message_type
        self.parameters = parameters


def method_parameters(fields: Fields, alert: etree._Element) -> tuple[Named, ...]:
    """The text for each channel as `method:SMS`, and the audience groups as `audienceGrp:SMS`.

    `audiencePrt` (in the field mostly misspelt `audenceprt`) is read past: it may name single recipients, and
    whom to tell is for our rosters to say.
    """
    code = fields.only(alert, "code")
    found: list[Named] = []
    for method in [] if code is None else fields.every(code, "method"):
        name = fields.coded(method, "methodName")
        message = fields.text(method, "message")
        if not name:
            fields.note(Code.MISSING, fields.path(method, "methodName"), "A method without a name was passed over.")
            continue
        if message.strip():
            found.append(Named(name=f"method:{name}", value=message))
        groups = fields.text(method, "audienceGrp")
        if groups.strip(f",{XML_SPACE}"):
            found.append(Named(name=f"audienceGrp:{name}", value=groups))
    return tuple(found)


def info_block(fields: Fields, info: etree._Element, alert: AlertContext) -> Info:
    """One `info` block. `event` is the code again: the words of a hazard are the hazard table's, not ours.

    `senderName` is read past: senders put the duty officer's own name there; `sender` names the station.
    """
    level = _level(fields, info, alert)
    effective = fields.moment(info, "effective")
    texts = {name: fields.text(info, name) for name in ("headline", "description", "instruction")}
    if alert.message_type is not MessageType.CANCEL:
        _note_what_is_incomplete(fields, info, effective, texts)
    event_type = _event_type(fields, info)
    return Info(
        language=_language(fields, info),
        event=event_type,
        event_codes=(Named(name=GEOCODE_SYSTEM, value=event_type),) if event_type else (),
        urgency=fields.coded(info, "urgency") or _UNKNOWN,
        severity=_UNKNOWN if level is None else level.cap_severity,
        certainty=fields.coded(info, "certainty") or _UNKNOWN,
        level=level,
        effective=effective,
        onset=fields.moment(info, "onset"),
        expires=_expires(fields, info, alert),
        sender_name=alert.station,
        headline=texts["headline"],
        description=texts["description"],
        instruction=texts["instruction"],
        web=fields.coded(info, "web"),
        parameters=alert.parameters,
        resources=tuple(_resource(fields, element) for element in fields.every(info, "resource")),
        areas=tuple(area_claim(fields, element) for element in _areas(fields, info, alert)),
    )


def _areas(fields: Fields, info: etree._Element, alert: AlertContext) -> list[etree._Element]:
    areas = fields.every(info, "area")
    if not areas and alert.message_type is not MessageType.CANCEL:
        fields.refuse(Code.MISSING, fields.path(info, "area"), "A warning needs an area; none is never everywhere.")
    return areas


def _level(fields: Fields, info: etree._Element, alert: AlertContext) -> Level | None:
    path = fields.path(info, "severity")
    cancels = alert.message_type is MessageType.CANCEL
    severity = fields.coded(info, "severity") if cancels else fields.required(info, "severity")
    if severity == _UNKNOWN:
        fields.note(Code.UNKNOWN_LEVEL, path, "The severity is Unknown, so the message has no level.")
    elif severity and severity not in _LEVELS:
        fields.refuse(Code.UNKNOWN_LEVEL, path, f"{quoted(severity)} is none of {', '.join(_LEVELS)}, Unknown.")
    return _LEVELS.get(severity)


def _event_type(fields: Fields, info: etree._Element) -> str:
    event_type = fields.required(info, "eventType")
    if event_type and not _EVENT_TYPE.fullmatch(event_type):
        sentence = f"The event type {quoted(event_type)} is not five digits and capital letters."
        fields.note(Code.VALUE, fields.path(info, "eventType"), sentence)
    return event_type


def _language(fields: Fields, info: etree._Element) -> str:
    """The language tag, `zh-CN` where it is missing or none: the format is the national one."""
    language = fields.coded(info, "language")
    if _LANGUAGE.fullmatch(language):
        return language
    sentence = f"{quoted(language)} is not a language tag; zh-CN was taken."
    fields.note(Code.LANGUAGE, fields.path(info, "language"), sentence)
    return "zh-CN"


def _expires(fields: Fields, info: etree._Element, alert: AlertContext) -> datetime | None:
    """When it ends, or None where the sender gave no end: some repeat the time of sending there."""
    expires = fields.moment(info, "expires")
    if expires is None or alert.sent is None or expires > alert.sent:
        return expires
    sentence = "The end is not later than sendTime, so it was taken as not given."
    fields.note(Code.EXPIRES_BEFORE_SENT, fields.path(info, "expires"), sentence)
    return None


def _note_what_is_incomplete(
    fields: Fields, info: etree._Element, effective: datetime | None, texts: dict[str, str]
) -> None:
    given = {name for name, text in texts.items() if text.strip()}
    if effective is not None:
        given.add("effective")
    for name, words in _ASKED_FOR.items():
        path = fields.path(info, name)
        # A time that was given and could not be read has its own finding already.
        if name not in given and not any(found.path == path for found in fields.findings):
            fields.note(Code.INCOMPLETE_NOTE, path, f"The message does not say {words}.")


def _resource(fields: Fields, element: etree._Element) -> Resource:
    return Resource(
        description=fields.text(element, "resourceDesc"),
        mime_type=fields.coded(element, "mimeType"),
        uri=fields.coded(element, "uri"),
    )
