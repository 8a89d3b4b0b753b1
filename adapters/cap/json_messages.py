"""Reads a message in the JSON form of CAP, by writing it as CAP XML and handing that to the CAP reader.

So both forms have one set of rules, one set of codes and the same paths. The bytes that are kept, and by which a
copy is told from a duplicate, are the sender's JSON.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import msgspec
from lxml import etree
from pydantic import TypeAdapter, ValidationError

from adapters.cap.json_form import LONGEST_TEXT, AreaForm, InfoForm, MessageForm, PairForm
from adapters.cap.vocabulary import CAP_1_2
from domain.findings import Code, RefusedMessageError, refusal
from domain.messages import AgencyMessage
from domain.ports import MessageReader

MOST_FINDINGS: Final = 100

_ADAPTER: Final = TypeAdapter(MessageForm)
_CODES: Final = {
    "missing": Code.MISSING,
    "extra_forbidden": Code.SCHEMA,
    "string_too_long": Code.LIMIT,
    "too_long": Code.LIMIT,
}
_SENTENCES: Final = {
    "missing": "The member is missing.",
    "extra_forbidden": "CAP has no element of this name here.",
    "string_pattern_mismatch": "The text holds control characters.",
    "string_too_long": f"The text is longer than {LONGEST_TEXT} characters.",
}
_NOT_ONE_MESSAGE: Final = (
    "this JSON is not one message; a list of what is in force is read with its profile (`outlet import --profile`)"
)


class JsonMessageReader:
    """A `MessageReader` for one message in JSON. It keeps no state between messages."""

    def __init__(self, cap: MessageReader) -> None:
        """`cap` reads the message once it is written as CAP."""
        self._cap = cap

    def read(self, content: bytes) -> Sequence[AgencyMessage]:
        """The one message in these bytes, with what was noted about it.

        Raises:
            RefusedMessageError: with every finding; the only error that this may raise.
        """
        form = _form(content)
        levels = [info.level for info in form.info]
        messages = self._cap.read(as_cap(form))
        if not any(levels):
            return messages
        # Positions hold: the CAP reader reads every info of a message that it does not refuse.
        return [
            message.model_copy(
                update={
                    "infos": tuple(
                        info if level is None else info.model_copy(update={"level": level})
                        for info, level in zip(message.infos, levels, strict=True)
                    )
                }
            )
            for message in messages
        ]


def _form(content: bytes) -> MessageForm:
    # pydantic's JSON reader takes a name that occurs twice by its last value, and so do most; the bytes are kept.
    try:
        return _ADAPTER.validate_json(content.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        if found and found[0]["type"] == "json_invalid":
            raise RefusedMessageError([refusal(_syntax_code(content), "/", f"{found[0]['msg']}.")]) from error
        if found and not found[0]["loc"]:
            raise RefusedMessageError([refusal(Code.UNKNOWN_FORMAT, "/", _NOT_ONE_MESSAGE)]) from error
        raise RefusedMessageError(
            [
                refusal(
                    _CODES.get(item["type"], Code.VALUE),
                    _path(item["loc"]),
                    _SENTENCES.get(item["type"], f"{item['msg']}."),
                )
                for item in found[:MOST_FINDINGS]
            ]
        ) from error


def _syntax_code(content: bytes) -> Code:
    try:
        content.decode()
    except UnicodeDecodeError:
        return Code.NOT_UTF8
    return Code.NOT_JSON


def _path(location: Iterable[int | str]) -> str:
    """`/alert/info[1]/event`: the path that the same element has in CAP."""
    steps = ["/alert"]
    for part in location:
        if isinstance(part, int):
            steps.append(f"[{part + 1}]")
        elif part.isidentifier():
            steps.append(f"/{part}")
    return "".join(steps)


@lru_cache(maxsize=64)
def _tag(name: str) -> str:
    return f"{{{CAP_1_2}}}{name}"


def as_cap(form: MessageForm) -> bytes:
    """The message as CAP 1.2, elements in the schema's order; what is empty is left out."""
    alert = etree.Element(_tag("alert"), nsmap={None: CAP_1_2})
    for name in ("identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction", "addresses"):
        _text(alert, name, getattr(form, name))
    _texts(alert, "code", form.code)
    _text(alert, "note", form.note)
    _text(alert, "references", " ".join(form.references))
    _text(alert, "incidents", " ".join(form.incidents))
    for info in form.info:
        _add_info(etree.SubElement(alert, _tag("info")), info)
    return etree.tostring(alert, encoding="utf-8")


def _add_info(element: etree._Element, info: InfoForm) -> None:
    _text(element, "language", info.language)
    _texts(element, "category", info.category)
    _text(element, "event", info.event)
    _texts(element, "responseType", info.responseType)
    for name in ("urgency", "severity", "certainty", "audience"):
        _text(element, name, getattr(info, name))
    _pairs(element, "eventCode", info.eventCode)
    for name in ("effective", "onset", "expires", "senderName", "headline"):
        _text(element, name, getattr(info, name))
    for name in ("description", "instruction", "web", "contact"):
        _text(element, name, getattr(info, name))
    _pairs(element, "parameter", info.parameter)
    for resource in info.resource:
        inner = etree.SubElement(element, _tag("resource"))
        _text(inner, "resourceDesc", resource.resourceDesc)
        _text(inner, "mimeType", resource.mimeType)
        _text(inner, "size", "" if resource.size is None else str(resource.size))
        _text(inner, "uri", resource.uri)
        _text(inner, "digest", resource.digest)
    for area in info.area:
        _add_area(etree.SubElement(element, _tag("area")), area)


def _add_area(element: etree._Element, area: AreaForm) -> None:
    _text(element, "areaDesc", area.areaDesc)
    _texts(element, "polygon", area.polygon)
    _texts(element, "circle", area.circle)
    _pairs(element, "geocode", area.geocode)
    for name, height in (("altitude", area.altitude), ("ceiling", area.ceiling)):
        _text(element, name, "" if height is None else str(height))


def _text(parent: etree._Element, name: str, text: str) -> None:
    if text:
        etree.SubElement(parent, _tag(name)).text = text


def _texts(parent: etree._Element, name: str, texts: Iterable[str]) -> None:
    for text in texts:
        _text(parent, name, text)


def _pairs(parent: etree._Element, name: str, pairs: Iterable[PairForm]) -> None:
    for pair in pairs:
        inner = etree.SubElement(parent, _tag(name))
        _text(inner, "valueName", pair.valueName)
        _text(inner, "value", pair.value)


def each_message(content: bytes) -> Sequence[bytes] | None:
    """The bytes of each message of a JSON array, unchanged; None when the content is no array that can be read.

    Each message is kept and compared by its own bytes, so that it is the same message alone and in any array.
    """
    body = content.removeprefix(b"\xef\xbb\xbf")
    try:
        raws = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return [bytes(raw) for raw in raws]
