"""What of a letter's words goes out by a gateway: whole, in the honest short form, or in pieces. Pure."""

import re
from typing import Final

from adapters.channels.gateway_text_rule import MOST_PIECES, TextRule
from adapters.channels.plain import plain_line, plain_text
from adapters.channels.port import Refused
from adapters.channels.smpp_writing import CannotBeSentError
from domain.sms_parts import sms_parts
from domain.telling_events import SendText

_SIGNATURE: Final = re.compile(r"^\s*【[^】\n]{1,50}】\s*")


def words_of(text: SendText, rule: TextRule) -> str:
    """The words that go out.

    Raises:
        CannotBeSentError: there are none, or they are too long and so is the short form.
    """
    source = {"sms": text.sms, "body": text.body, "short": text.short, "subject": text.subject}[rule.source]
    whole, short = _clean(source, rule), _clean(text.short, rule)
    if not whole.strip():
        raise CannotBeSentError(Refused("a message without words"))
    for words in (whole, short):
        if words.strip() and not _excess(words, rule):
            return words
    raise CannotBeSentError(Refused(_excess(whole, rule)))


def pieces_of(words: str, rule: TextRule) -> list[str]:
    """The words in pieces, and empty ones for the places that are left."""
    size = rule.longest_piece or len(words) or 1
    pieces = [words[at : at + size] for at in range(0, len(words), size)][:MOST_PIECES]
    return pieces + [""] * (MOST_PIECES - len(pieces))


def _clean(text: str, rule: TextRule) -> str:
    clean = plain_line(text) if rule.one_line else plain_text(text)
    return _SIGNATURE.sub("", clean) if rule.without_signature else clean


def _excess(words: str, rule: TextRule) -> str:
    """Why they are too long; nothing if they are not."""
    most = rule.most_characters
    if most is not None and len(words) > most:
        return f"{len(words)} characters, and {most} are the most"
    if rule.most_parts is None:
        return ""
    parts = len(sms_parts(words).parts)
    return f"{parts} parts, and {rule.most_parts} are the most" if parts > rule.most_parts else ""
