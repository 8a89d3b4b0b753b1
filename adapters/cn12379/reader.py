"""Reads the national 12379 XML (GB/T 35965.1), plain or as the one file of a zip, into an AgencyMessage.

The form looks like CAP and is not: see the glossary's message formats. Names of persons stay out: in real
messages `senderName` holds the duty officer, so the station is always the text of `sender`.
"""

import re
from collections.abc import Sequence
from typing import TypeVar

from lxml import etree

from adapters.cn12379.archive import DEFAULT_ARCHIVE_LIMITS, ArchiveLimits, is_archive, only_document
from adapters.cn12379.fields import Fields, quoted
from adapters.cn12379.infos import AlertContext, info_block, method_parameters
from adapters.cn12379.names import MalformedNameError, parse_identifier
from adapters.xml.safe import DEFAULT_LIMITS, XmlLimits, local_name, namespace_of, parse, path_of
from domain.findings import Code, RefusedMessageError, refusal
from domain.messages import AgencyMessage, Info, MessageFormat, MessageType, Named, Reference, Status

NAMESPACE = "http://com.icss.amp"

_SENDER_CODE = re.compile(r"[0-9]{14}")
_NEVER_IN_AN_IDENTIFIER = re.compile(r"[\s,<&\x00-\x1f\x7f]")
_LONGEST_IDENTIFIER = 200
_SEPARATORS = re.compile(r"[,，\s]+")
_STATUSES = {status.value: status for status in Status}
_TYPES = {kind.value: kind for kind in (MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL)}

Choice = TypeVar("Choice", Status, MessageType)


class Cn12379Reader:
    """A `MessageReader` for 12379 XML and zips of one such XML. It keeps no state between messages."""

    def __init__(
        self, *, limits: XmlLimits = DEFAULT_LIMITS, archive_limits: ArchiveLimits = DEFAULT_ARCHIVE_LIMITS
    ) -> None:
        self._limits = limits
        self._archive_limits = archive_limits

    def read(self, content: bytes) -> Sequence[AgencyMessage]:
        """The one message in these bytes, with what was noted about it.

        Raises:
            RefusedMessageError: with every finding, refusals and notes.
        """
        document = only_document(content, self._archive_limits) if is_archive(content) else content
        return (_message(parse(document, self._limits)),)


def _message(alert: etree._Element) -> AgencyMessage:
    _expect_an_alert(alert)
    fields = Fields(alert)
    identifier = _identifier(fields, alert)
    sender = _sender_code(fields, alert)
    sent = fields.moment(alert, "sendTime", required=True)
    status = _one_of(fields, alert, "status", _STATUSES, Code.STATUS)
    message_type = _one_of(fields, alert, "msgType", _TYPES, Code.MESSAGE_TYPE)
    references = _references(fields, alert, identifier, message_type)
    reason = fields.text(alert, "note")
    scope = fields.coded(alert, "scope") or "Public"
    context = AlertContext(
        station=_station(fields, alert),
        sent=sent,
        message_type=message_type,
        parameters=_parameters(fields, alert),
    )
    infos = _infos(fields, alert, context)
    if fields.refused or sent is None or status is None or message_type is None:
        raise RefusedMessageError(fields.findings)
    return AgencyMessage(
        format=MessageFormat.CN12379,
        sender=sender,
        identifier=identifier,
        sent=sent,
        status=status,
        message_type=message_type,
        scope=scope,
        note=reason,
        references=references,
        infos=infos,
        notes=tuple(fields.findings),
    )


def _expect_an_alert(root: etree._Element) -> None:
    if local_name(root) != "alert":
        sentence = f"The document is {quoted(local_name(root))} and not an alert."
        raise RefusedMessageError([refusal(Code.UNKNOWN_FORMAT, path_of(root), sentence)])
    if namespace_of(root) not in ("", NAMESPACE):
        sentence = f"The namespace {quoted(namespace_of(root))} is not that of 12379, {NAMESPACE} or none."
        raise RefusedMessageError([refusal(Code.NAMESPACE, path_of(root), sentence)])


def _identifier(fields: Fields, alert: etree._Element) -> str:
    identifier = fields.required(alert, "identifier")
    path = fields.path(alert, "identifier")
    if _NEVER_IN_AN_IDENTIFIER.search(identifier) or len(identifier) > _LONGEST_IDENTIFIER:
        fields.refuse(Code.IDENTIFIER, path, f"{quoted(identifier)} cannot be referred to: spaces, commas or length.")
    elif identifier:
        try:
            parse_identifier(identifier)
        except MalformedNameError as error:
            fields.note(Code.IDENTIFIER, path, str(error))
    return identifier


def _sender_code(fields: Fields, alert: etree._Element) -> str:
    code = fields.required(alert, "senderCode")
    if code and not _SENDER_CODE.fullmatch(code):
        sentence = f"The sender code {quoted(code)} is not 14 digits."
        fields.note(Code.VALUE, fields.path(alert, "senderCode"), sentence)
    return code


def _station(fields: Fields, alert: etree._Element) -> str:
    station = fields.text(alert, "sender")
    if not station.strip():
        fields.note(Code.INCOMPLETE_NOTE, fields.path(alert, "sender"), "The message does not name its station.")
    return station


def _one_of(fields: Fields, alert: etree._Element, name: str, choices: dict[str, Choice], code: Code) -> Choice | None:
    value = fields.required(alert, name)
    if value and value not in choices:
        fields.refuse(code, fields.path(alert, name), f"{quoted(value)} is none of {', '.join(choices)}.")
    return choices.get(value)


def _references(
    fields: Fields, alert: etree._Element, identifier: str, message_type: MessageType | None
) -> tuple[Reference, ...]:
    """The messages that this one names, without repeats: in 12379 the first of its chain."""
    path = fields.path(alert, "references")
    names = dict.fromkeys(name for name in _SEPARATORS.split(fields.text(alert, "references")) if name)
    if message_type is MessageType.ALERT and names.pop(identifier, "none") is None:
        fields.note(Code.REFERENCES, path, "An alert that refers to itself says nothing by it.")
    if not names and message_type in (MessageType.UPDATE, MessageType.CANCEL):
        fields.refuse(Code.REFERENCES, path, "An update or cancel must name the first message of its chain.")
    return tuple(Reference(identifier=name) for name in names)


def _parameters(fields: Fields, alert: etree._Element) -> tuple[Named, ...]:
    classification = fields.coded(alert, "secClassification")
    found = method_parameters(fields, alert)
    return (*found, Named(name="secClassification", value=classification)) if classification else found


def _infos(fields: Fields, alert: etree._Element, context: AlertContext) -> tuple[Info, ...]:
    blocks = fields.every(alert, "info")
    if not blocks and context.message_type is not MessageType.CANCEL:
        fields.refuse(Code.MISSING, fields.path(alert, "info"), "A warning needs an info block.")
    return tuple(info_block(fields, block, context) for block in blocks)
