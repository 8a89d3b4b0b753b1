"""A warning as a mail (RFC 5322, MIME): written once for all who are told the same, then headed for each of them.

No text can add a header or end the mail: what a header cannot hold is replaced, and the parts are encoded. All lines
are 7 bits wide and short, so that no server has to convert anything.
"""

import hashlib
import re
from base64 import b64encode, encodebytes
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from adapters.channels.mail_addresses import Mailbox
from adapters.channels.mail_html import HtmlWriter
from adapters.channels.mail_unsubscribing import unsubscribe_token
from adapters.channels.port import Letter
from domain.levels import Level
from domain.messages import Mode
from domain.telling_events import SendText
from domain.values import Language

_ENCODED_WORD_BYTES: Final = 42
"""Of text in one encoded word: 75 characters is the most that RFC 2047 allows for the whole of it."""

_PLAIN_LINE: Final = 900
_PLAIN_HEADER: Final = 60
_KEPT_TEXTS: Final = 256
_FITS_AN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,120}")
_IN_NO_HEADER: Final = re.compile(
    # Controls, line and paragraph separators, and the marks that turn the direction of what follows.
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)


class MessageWriter:
    """Writes mails for one route.

    `sender_names` are by language, `unsubscribe_url` has the place `{token}`. The content for many recipients of one
    text is made once and kept.
    """

    def __init__(
        self,
        html: HtmlWriter,
        *,
        sender: str,
        sender_names: Mapping[Language, str],
        id_domain: str,
        reply_to: str = "",
        unsubscribe_url: str = "",
        unsubscribe_key: bytes = b"",
    ) -> None:
        """Use these for all mails."""
        self._html = html
        self._sender = sender
        self._sender_names = sender_names
        self._id_domain = id_domain
        self._reply_to = reply_to
        self._unsubscribe_url = unsubscribe_url
        self._unsubscribe_key = unsubscribe_key
        self._shared = lru_cache(_KEPT_TEXTS)(self._written)

    def content(self, letter: Letter, to: Mailbox) -> bytes:
        """What follows DATA, with its dots doubled and its ending line."""
        text = letter.text
        shared = self._shared(text.language, text.subject, text.body, letter.mode, letter.level, letter.planned_at)
        own = f"To: {to.address}\r\nMessage-ID: <{_id_part(letter.id)}@{self._id_domain}>\r\n"
        if self._unsubscribe_url and letter.purpose is None:  # a notice is no list's mail
            link = self._unsubscribe_url.replace("{token}", unsubscribe_token(self._unsubscribe_key, letter.number))
            own += f"List-Unsubscribe: <{link}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        return own.encode() + shared

    def _written(
        self, language: Language, subject: str, body: str, mode: Mode, level: Level, planned_at: datetime
    ) -> bytes:
        text = SendText(language=language, subject=subject, sms="", body=body)
        html = self._html.html(text, mode=mode, level=level)
        headers = [
            f"From: {self._from(language)}",
            *([f"Reply-To: {self._reply_to}"] if self._reply_to else []),
            f"Subject: {header_text(subject)}",
            f"Date: {format_datetime(planned_at.astimezone(UTC))}",
            "Auto-Submitted: auto-generated",
            *(["Importance: high"] if level >= Level.ORANGE else []),
            *([f"Content-Language: {language}"] if _FITS_AN_ID.fullmatch(language) else []),
            "MIME-Version: 1.0",
        ]
        return _dots_doubled("\r\n".join([*headers, _parts(body, html)]) + "\r\n").encode("ascii") + b".\r\n"

    def _from(self, language: Language) -> str:
        name = self._sender_names.get(language) or next(iter(self._sender_names.values()), "")
        return f"{_encoded_words(name)}\r\n <{self._sender}>" if name else self._sender


def header_text(text: str) -> str:
    """The text as an unstructured header's value, folded (RFC 2047). Line ends and other controls become a space."""
    clean = _IN_NO_HEADER.sub(" ", text).strip()
    if clean.isascii() and len(clean) <= _PLAIN_HEADER and "=?" not in clean:
        return clean
    return _encoded_words(clean)


def _encoded_words(text: str) -> str:
    words: list[bytes] = [b""]
    for character in _IN_NO_HEADER.sub(" ", text):
        encoded = character.encode()
        if len(words[-1]) + len(encoded) > _ENCODED_WORD_BYTES:
            words.append(b"")
        words[-1] += encoded
    return "\r\n ".join(f"=?utf-8?B?{b64encode(word).decode()}?=" for word in words)


def _parts(plain: str, html: str | None) -> str:
    """From the header `Content-Type` to the end."""
    if html is None:
        return _part("plain", plain)
    # From the content, so that the same mail is the same bytes whenever it is sent.
    boundary = "=_" + hashlib.sha256(f"{plain}\0{html}".encode(errors="replace")).hexdigest()[:40]
    return "\r\n".join(
        [
            f'Content-Type: multipart/alternative; boundary="{boundary}"',
            "",
            f"--{boundary}",
            _part("plain", plain),
            f"--{boundary}",
            _part("html", html),
            f"--{boundary}--",
        ]
    )


def _part(subtype: str, text: str) -> str:
    """One part. A text of plain ASCII lines goes as it is; any other as base64, which changes none of its bytes."""
    lines = text.split("\n")
    if text.isascii() and all(line.isprintable() and len(line) <= _PLAIN_LINE for line in lines):
        encoding, written = "7bit", "\r\n".join(lines)
    else:
        encoding = "base64"
        written = encodebytes(text.encode(errors="replace")).decode().rstrip("\n").replace("\n", "\r\n")
    return f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{written}"


def _dots_doubled(message: str) -> str:
    return message.replace("\r\n.", "\r\n..")


def _id_part(letter_id: str) -> str:
    """The letter's id where a Message-ID can hold it, else its hash: the same at every repetition."""
    if _FITS_AN_ID.fullmatch(letter_id):
        return letter_id
    return hashlib.sha256(letter_id.encode(errors="replace")).hexdigest()
