"""Certificates as the policy pins them, and the mark of one on a message that it signed.

What belongs here: the text of a certificate and its fingerprint. What is inside (keys, names) is for the adapter that
verifies; whether a message is believed is `signatures.py`.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, Literal

from domain.values import Moment, Value

MOST_CERTIFICATES: Final = 8
"""Of one agency. Two serve a rotation; each is tried on a signature that names none."""

Signatures = Literal["required", "optional"]
"""Whether an agency's messages must be signed, or may be."""

_PEM: Final = re.compile(r"\s*-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*", re.ASCII)
_DER_SEQUENCE: Final = b"\x30"


class SignedBy(Value):
    """The certificate under which a message's signature verifies, over all that the message says.

    It tells which certificate that is, not whose: anyone can make one.
    """

    certificate_sha256: str
    not_before: Moment
    not_after: Moment


def certificate_bytes(pem: str) -> bytes:
    """The DER bytes of one certificate in PEM.

    Raises:
        ValueError: the text is not one certificate in PEM.
    """
    found = _PEM.fullmatch(pem)
    if found is None:
        message = "not one certificate in PEM (-----BEGIN CERTIFICATE----- … -----END CERTIFICATE-----)"
        raise ValueError(message)
    try:
        content = base64.b64decode("".join(found[1].split()), validate=True)
    except binascii.Error as error:
        message = f"not a certificate in PEM: {error}"
        raise ValueError(message) from error
    if not content.startswith(_DER_SEQUENCE):
        message = "not a certificate in PEM: the bytes are no DER sequence"
        raise ValueError(message)
    return content


def fingerprint(certificate: bytes) -> str:
    """The SHA-256 (hex) of a certificate in DER: what `openssl x509 -fingerprint -sha256` shows, without colons."""
    return sha256(certificate).hexdigest()


def certificate_problems(certificates: Sequence[str], signatures: Signatures | None) -> Iterable[str]:
    """What is wrong with an agency's certificates, or with its asking for signatures without any."""
    if signatures is not None and not certificates:
        yield f"signatures: {signatures!r} says nothing without certificates"
    if len(certificates) > MOST_CERTIFICATES:
        yield f"certificates: {len(certificates)} are too many; {MOST_CERTIFICATES} at most"
    for number, pem in enumerate(certificates, start=1):
        try:
            certificate_bytes(pem)
        except ValueError as error:
            yield f"certificates[{number}]: {error}"
