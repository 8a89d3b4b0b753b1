"""What CAP asks beyond its schema, and what a warning must have to be understood."""

import re
from datetime import datetime

from adapters.cap.blocks import Part
from adapters.cap.checks import Verdict
from adapters.cap.findings import Found, Place
from domain.findings import Code
from domain.messages import MessageType

_FORBIDDEN = re.compile(r"[\s,<&]")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_WARNS = frozenset({MessageType.ALERT, MessageType.UPDATE})
_CHANGES = frozenset({MessageType.UPDATE, MessageType.CANCEL})

BROADCAST_SEPTETS = 1_395
BROADCAST_WIDE_CHARACTERS = 615
"""One cell broadcast: 15 pages of 93 GSM-7 characters (3GPP TS 23.041) or of 41 wide ones."""

_GSM_7_EXTENSION = "^{}\\[~]|€"
_GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà" + _GSM_7_EXTENSION,
)


def identity_is_usable(block: Part, found: Found) -> None:
    """CAP 1.2, section 3.2.1: identifier and sender have no spaces, commas or the characters `<` and `&`."""
    for name in ("identifier", "sender"):
        if _FORBIDDEN.search(block.texts.get(name, "")):
            sentence = f"The {name} has a space, a comma, < or &, so that no reference can name it."
            found.add(found.checks.identifier_characters, Code.IDENTIFIER, block.where(name), sentence)


def single_elements_come_once(block: Part, verdict: Verdict, found: Found) -> None:
    """Which of two statuses is meant cannot be known; of two headlines the first is read."""
    for name in block.repeated:
        found.add(verdict, Code.VALUE, block.where(name), f"There is more than one {name}.")


def a_change_names_what_it_changes(block: Part, message_type: MessageType, count: int, found: Found) -> None:
    """An Update or Cancel without references changes nothing that anyone could find."""
    if count:
        return
    if message_type in _CHANGES:
        sentence = f"The {message_type} names no earlier message in references."
        found.add(found.checks.reference_missing, Code.REFERENCES, block.where("references"), sentence)
    elif "references" in block.texts:
        found.note(Code.REFERENCES, block.where("references"), "The references are empty.")


def a_warning_says_what_it_warns_of(block: Part, message_type: MessageType, found: Found) -> None:
    """An Alert or Update has an info block; a Cancel, Ack or Error needs none."""
    if "info" not in block.many and message_type in _WARNS:
        found.add(found.checks.no_info, Code.MISSING, block.element, f"The {message_type} has no info block.")


def info_is_complete(info: Part, found: Found) -> None:
    """The required elements are there and not empty, and the language is a language."""
    texts = info.texts
    if not texts.get("event", "").strip():
        sentence = "The info block does not say what happens (event)."
        found.add(found.checks.no_event, Code.MISSING, info.element, sentence)
    for name in ("urgency", "severity", "certainty"):
        if not texts.get(name):
            found.add(found.checks.incomplete, Code.MISSING, info.element, f"The info block has no {name}.")
    if "category" not in info.many:
        found.add(found.checks.incomplete, Code.MISSING, info.element, "The info block has no category.")
    language = texts.get("language", "").strip()
    if language and not _LANGUAGE.fullmatch(language):
        found.note(Code.LANGUAGE, info.where("language"), f"“{language[:40]}” is not a language tag.")


def info_ends_after_it_was_sent(
    info: Part, expires: datetime | None, sent: datetime, message_type: MessageType, found: Found
) -> None:
    """A warning that ended before it was sent warns of nothing; a cancel may well say so of what it cancels."""
    if expires is None or expires > sent:
        return
    verdict = found.checks.expires_before_sent if message_type in _WARNS else Verdict.NOTE
    sentence = f"The warning ends at {expires.isoformat()}, not after it was sent."
    found.add(verdict, Code.EXPIRES_BEFORE_SENT, info.where("expires"), sentence)


def texts_fit(block: Part, found: Found) -> None:
    """No text is longer than the limit."""
    if not found.may_hold_long_texts:
        return
    limit = found.checks.text_limit_characters
    for name, text in block.texts.items():
        if len(text) > limit:
            found.refuse(Code.LIMIT, block.where(name), f"The {name} has more than {limit} characters.")


def description_fits_a_cell_broadcast(info: Part, found: Found) -> None:
    """A description that no single cell broadcast can hold will be cut or refused further on."""
    description = info.texts.get("description", "")
    length = len(description)
    if length <= BROADCAST_WIDE_CHARACTERS or found.checks.broadcast_length is Verdict.IGNORE:
        return
    is_wide = not _GSM_7.issuperset(description)
    size = length if is_wide else length + sum(map(description.count, _GSM_7_EXTENSION))
    most = BROADCAST_WIDE_CHARACTERS if is_wide else BROADCAST_SEPTETS
    if size > most:
        sentence = f"The description has {size} characters; one cell broadcast holds {most} of its kind."
        found.add(found.checks.broadcast_length, Code.LIMIT, info.where("description"), sentence)


def missing(block: Part, name: str, found: Found) -> None:
    """Refuse for an element without which there is no message."""
    where: Place = block.where(name)
    found.refuse(Code.MISSING, where, f"The alert has no {name}.")
