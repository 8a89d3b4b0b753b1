"""Links and codes by which one recipient opens one thing: signed, made when they are handed over, kept nowhere.

A token names a purpose, a subject and a recipient, and holds no address. What a link does when it is opened is not
decided here; that it still means something then, neither.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from adapters.store.small_files import secret_in
from domain.notices import Purpose
from domain.recipients import RecipientNumber

KEY_NAME: Final = "links.key"
KEY_BYTES: Final = 32
CODE_DIGITS: Final = 6
_SEAL_BYTES: Final = 15
"""With the 21 bytes before it 36, which base64 writes without padding; 120 bits are beyond guessing."""

_TOKEN_LENGTH: Final = 48
_LABELS: Final = {Purpose.CALL_UP: 1, Purpose.SUBSCRIPTION: 2}
_PATHS: Final = {Purpose.CALL_UP: "c", Purpose.SUBSCRIPTION: "s"}


@dataclass(frozen=True, slots=True)
class Opened:
    """What a token is for."""

    purpose: Purpose
    subject: UUID
    number: RecipientNumber


class Links:
    """Makes and reads tokens with one key. `public_url` is where the public finds the server; without it no link."""

    def __init__(self, key: bytes, public_url: str = "") -> None:
        self._key = key
        self._public_url = public_url.rstrip("/")

    def token(self, purpose: Purpose, subject: UUID, number: RecipientNumber) -> str:
        """48 characters that an address may hold as they are."""
        named = bytes([_LABELS[purpose]]) + subject.bytes + number.to_bytes(4, "big")
        return urlsafe_b64encode(named + self._seal(b"token", named)[:_SEAL_BYTES]).decode()

    def opened(self, token: str) -> Opened | None:
        """What this token is for; None when it was not made with this key."""
        if len(token) != _TOKEN_LENGTH or not token.isascii():
            return None
        try:
            content = urlsafe_b64decode(token)
        except (NotBase64Error, ValueError):
            return None
        named, seal = content[:-_SEAL_BYTES], content[-_SEAL_BYTES:]
        if urlsafe_b64encode(content).decode() != token:  # the decoder takes other characters for the same
            return None
        if not hmac.compare_digest(seal, self._seal(b"token", named)[:_SEAL_BYTES]):
            return None
        [purpose] = [one for one, label in _LABELS.items() if label == named[0]]
        return Opened(purpose, UUID(bytes=named[1:17]), int.from_bytes(named[17:], "big"))

    def link(self, purpose: Purpose, subject: UUID, number: RecipientNumber) -> str:
        """The address of a recipient's page; empty where it is not known under which address the server is found."""
        if not self._public_url:
            return ""
        return f"{self._public_url}/{_PATHS[purpose]}/{self.token(purpose, subject, number)}"

    def code(self, purpose: Purpose, subject: UUID, number: RecipientNumber) -> str:
        """Six digits that only who got the message knows; who checks them counts the attempts."""
        named = bytes([_LABELS[purpose]]) + subject.bytes + number.to_bytes(4, "big")
        return str(int.from_bytes(self._seal(b"code", named), "big") % 10**CODE_DIGITS).zfill(CODE_DIGITS)

    def is_code(self, text: str, purpose: Purpose, subject: UUID, number: RecipientNumber) -> bool:
        """Whether this is the code, compared in constant time."""
        return text.isascii() and hmac.compare_digest(text, self.code(purpose, subject, number))

    def _seal(self, use: bytes, named: bytes) -> bytes:
        return hmac.digest(self._key, b"single-outlet: " + use + b"\0" + named, "sha256")


def links_in(data_dir: Path, public_url: str = "") -> Links:
    """The links of a data directory; the key is made on first use, readable for its owner alone.

    Raises:
        ValueError: the key's file does not hold a key.
        OSError: the file cannot be made.
    """
    return Links(secret_in(data_dir / KEY_NAME, KEY_BYTES), public_url)
