"""One alert element becomes one `AgencyMessage`, or the reasons why it cannot."""

from datetime import datetime
from typing import NamedTuple

from lxml import etree

from adapters.cap import rules
from adapters.cap.blocks import Block, Part
from adapters.cap.checks import Verdict
from adapters.cap.fields import AnyPart, Fields, Values
from adapters.cap.findings import Found
from adapters.cap.references import incidents, references
from adapters.cap.schema import validate
from adapters.cap.times import moment
from adapters.cap.tree import TreeFields
from adapters.cap.unchecked import agency_message
from adapters.cap.vocabulary import MOST_CHILDREN, vocabulary
from adapters.xml.safe import namespace_of
from domain.findings import Code
from domain.messages import AgencyMessage, Info, MessageFormat, MessageType, Status

_STATUSES = {status.value: status for status in Status}
_TYPES = {message_type.value: message_type for message_type in MessageType}
_ALERT_TOKENS = ("identifier", "sender", "status", "msgType", "scope")
_IDENTIFYING = ("identifier", "sender", "sent", "status", "msgType")


class _Identity(NamedTuple):
    """What a message must have to be a message at all."""

    identifier: str
    sender: str
    sent: datetime
    status: Status
    message_type: MessageType


def read_alert(alert: etree._Element, found: Found, *, texts_are_whole: bool) -> AgencyMessage | None:
    """The message in a tree, with what was noted about it; None when a finding refuses it.

    `texts_are_whole` says that there is no comment or CDATA section that could split a text in two.
    """
    namespace = namespace_of(alert)
    words = vocabulary(namespace)
    if any(len(element) > MOST_CHILDREN for element in alert.iter(*words.blocks)):
        found.refuse(Code.TOO_MANY_NODES, alert, f"An element has more than {MOST_CHILDREN} children.")
        return None
    fields = TreeFields(words, found, is_regular=validate(alert, namespace, found) and texts_are_whole)
    return read_valid(Block(alert, words.alert), fields, found)


def read_valid(block: AnyPart, fields: Fields[AnyPart], found: Found) -> AgencyMessage | None:
    """The message in an alert that has been held against its schema."""
    identity = _identity(block, fields, found)
    if identity is None:
        return None
    values = _values(block, identity, fields, found)
    values["infos"] = _infos(block, identity, fields, found)
    fields.rings.test()
    if found.refused:
        return None
    values["notes"] = tuple(found.findings)
    return agency_message(values)


def _identity(block: Part, fields: Fields[AnyPart], found: Found) -> _Identity | None:
    texts = block.texts
    rules.single_elements_come_once(block, Verdict.REFUSE, found)
    fields.trim(block, _ALERT_TOKENS)
    for name in _IDENTIFYING:
        if not texts.get(name, "").strip():
            rules.missing(block, name, found)
    rules.identity_is_usable(block, found)
    rules.texts_fit(block, found)
    status, message_type = _STATUSES.get(texts.get("status", "")), _TYPES.get(texts.get("msgType", ""))
    if status is None and texts.get("status"):
        found.refuse(Code.STATUS, block.where("status"), f"“{texts['status'][:40]}” is no status of CAP.")
    if message_type is None and texts.get("msgType"):
        found.refuse(Code.MESSAGE_TYPE, block.where("msgType"), f"“{texts['msgType'][:40]}” is no msgType of CAP.")
    sent = moment(block, "sent", found) if "sent" in texts else None
    identifier, sender = texts.get("identifier"), texts.get("sender")
    if not identifier or not sender or sent is None or status is None or message_type is None:
        return None
    return _Identity(identifier, sender, sent, status, message_type)


def _values(block: AnyPart, identity: _Identity, fields: Fields[AnyPart], found: Found) -> Values:
    texts = block.texts
    named = references(block, found) if "references" in texts else ()
    rules.a_change_names_what_it_changes(block, identity.message_type, len(named), found)
    rules.a_warning_says_what_it_warns_of(block, identity.message_type, found)
    return {
        "format": MessageFormat.CAP,
        "identifier": identity.identifier,
        "sender": identity.sender,
        "sent": identity.sent,
        "status": identity.status,
        "message_type": identity.message_type,
        "scope": texts.get("scope") or "Public",
        "source": texts.get("source", ""),
        "note": texts.get("note", ""),
        "codes": fields.tokens(block, "code") if "code" in block.many else (),
        "references": named,
        "incidents": incidents(block) if "incidents" in texts else (),
    }


def _infos(block: AnyPart, identity: _Identity, fields: Fields[AnyPart], found: Found) -> tuple[Info, ...]:
    infos: list[Info] = []
    sent, message_type = identity.sent, identity.message_type
    for info in fields.infos(block):
        rules.single_elements_come_once(info, Verdict.NOTE, found)
        read = fields.info(info, sent)
        rules.info_is_complete(info, found)
        rules.texts_fit(info, found)
        rules.description_fits_a_cell_broadcast(info, found)
        rules.info_ends_after_it_was_sent(info, read.expires, sent, message_type, found)
        infos.append(read)
    return tuple(infos)
