"""Tokens by which a mail's unsubscribe link names its recipient (RFC 8058): signed, and without an address.

What unsubscribing does is not decided here. A token does not run out: a link in an old mail must work.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from typing import Final

from domain.recipients import RecipientNumber

_PURPOSE: Final = b"single-outlet: unsubscribe from mail\0"
_NUMBER_BYTES: Final = 4
_SEAL_BYTES: Final = 17
"""With the number's four bytes 21, which base64 writes without padding; 136 bits are beyond guessing."""

_TOKEN_LENGTH: Final = 28
KEY_BYTES: Final = 32


def unsubscribe_token(key: bytes, number: RecipientNumber) -> str:
    """The token of a recipient: 28 characters that an address may hold as they are."""
    named = number.to_bytes(_NUMBER_BYTES, "big")
    return urlsafe_b64encode(named + _seal(key, named)).decode()


def recipient_of_token(key: bytes, token: str) -> RecipientNumber | None:
    """Whose token this is; None when it was not made with this key."""
    if len(token) != _TOKEN_LENGTH or not token.isascii():
        return None
    try:
        content = urlsafe_b64decode(token)
    except (NotBase64Error, ValueError):
        return None
    named, seal = content[:_NUMBER_BYTES], content[_NUMBER_BYTES:]
    return int.from_bytes(named, "big") if hmac.compare_digest(seal, _seal(key, named)) else None


def _seal(key: bytes, named: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + named, "sha256")[:_SEAL_BYTES]
