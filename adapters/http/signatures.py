"""Requests signed by Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature` (v1, HMAC-SHA256).

Pure: the secrets, the headers, the body and the time come in. Which ids were used before is `replays.py`'s matter.
Source: the Standard Webhooks specification, https://github.com/standard-webhooks/standard-webhooks.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from adapters.http.problems import Kind, ProblemError

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

_MOST_SIGNATURES: Final = 10
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_AN_ID: Final = re.compile(r"[!-~]{1,256}")


@dataclass(frozen=True, slots=True)
class SignedHead:
    """What a signed request says of itself in its headers; nothing of it is proven yet."""

    id: str
    timestamp: str
    signatures: tuple[bytes, ...]


def signed_head(headers: Mapping[str, str], now: datetime, tolerance_seconds: float) -> SignedHead:
    """The signature's headers, once they are complete and their time is near enough.

    Raises:
        ProblemError: UNSIGNED, BAD_SIGNATURE or STALE.
    """
    missing = [name for name in (ID, TIMESTAMP, SIGNATURE) if not headers.get(name)]
    if missing:
        raise ProblemError(Kind.UNSIGNED, f"This agency must sign its requests; missing: {', '.join(missing)}.")
    identifier, timestamp = headers[ID], headers[TIMESTAMP]
    if not _AN_ID.fullmatch(identifier):
        raise ProblemError(Kind.BAD_SIGNATURE, "webhook-id is 1 to 256 visible ASCII characters.")
    if not _SECONDS.fullmatch(timestamp):
        raise ProblemError(Kind.BAD_SIGNATURE, "webhook-timestamp is a whole number of seconds since 1970.")
    seconds_apart = abs(now.timestamp() - int(timestamp))
    if seconds_apart > tolerance_seconds:
        sentence = f"webhook-timestamp is {seconds_apart:.0f} s from now; {tolerance_seconds:.0f} s are allowed."
        raise ProblemError(Kind.STALE, sentence)
    return SignedHead(identifier, timestamp, tuple(_signatures(headers[SIGNATURE])))


def _signatures(header: str) -> Sequence[bytes]:
    found: list[bytes] = []
    for word in header.split()[:_MOST_SIGNATURES]:
        version, _, encoded = word.partition(",")
        if version != "v1":
            continue
        try:
            found.append(base64.b64decode(encoded, validate=True))
        except (binascii.Error, ValueError):
            continue
    return found


def signature_of(secret: bytes, identifier: str, timestamp: str, body: bytes) -> bytes:
    """HMAC-SHA256 over `id.timestamp.body`."""
    return hmac.new(secret, b".".join((identifier.encode(), timestamp.encode(), body)), sha256).digest()


def must_be_signed(head: SignedHead, body: bytes, usable_secrets: Sequence[bytes]) -> None:
    """Return when one signature was made with one of the secrets.

    Raises:
        ProblemError: BAD_SIGNATURE.
    """
    expected = [signature_of(secret, head.id, head.timestamp, body) for secret in usable_secrets]
    # Every pair is compared, so that time does not tell which one matched.
    matches = [hmac.compare_digest(given, due) for given in head.signatures for due in expected]
    if not any(matches):
        raise ProblemError(Kind.BAD_SIGNATURE)
