"""Certificates of signatures: those that the policy pins, and how strong a key must be.

A certificate counts by itself: no chain is followed and no revocation list fetched. Whoever pins one answers for it,
and ends it by taking it out of the policy. This module loads the cryptography; only signed messages, and policies with
certificates, need it.
"""

from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate, load_der_x509_certificate

from domain.certificates import SignedBy, certificate_bytes, fingerprint
from domain.policy import Policy, PolicyError

LEAST_RSA_BITS: Final = 2048
CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)

Certificates = Mapping[str, Certificate]
"""By their SHA-256 in hex."""


class UnusableCertificateError(Exception):
    """A certificate that cannot be read, or whose key is none that is accepted; its words complete "…: "."""


def usable(content: bytes) -> Certificate:
    """The certificate in these DER bytes.

    Raises:
        UnusableCertificateError: it cannot be read, or its key is too weak or of another kind.
    """
    try:
        certificate = load_der_x509_certificate(content)
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        text = " ".join(str(error).split())[:200]
        raise UnusableCertificateError(f"not a certificate that can be read: {text}") from error
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < LEAST_RSA_BITS:
            raise UnusableCertificateError(f"an RSA key of {key.key_size} bits; {LEAST_RSA_BITS} at least")
    elif not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, CURVES)):
        raise UnusableCertificateError("neither an RSA key nor one on the curves P-256, P-384 and P-521")
    return certificate


def pinned_certificates(policy: Policy) -> Certificates:
    """The certificates of all agencies of the policy.

    Raises:
        PolicyError: one of them can never verify anything; whether it has expired is looked at when a message comes.
    """
    pinned: dict[str, Certificate] = {}
    problems: list[str] = []
    for agency in policy.agencies:
        for number, pem in enumerate(agency.certificates, start=1):
            content = certificate_bytes(pem)
            try:
                pinned[fingerprint(content)] = usable(content)
            except UnusableCertificateError as error:
                problems.append(f"agencies.{agency.id}.certificates[{number}]: {error}")
    if problems:
        raise PolicyError(problems)
    return pinned


def signed_by(certificate: Certificate) -> SignedBy:
    """The mark that this certificate leaves on a message."""
    return SignedBy(
        certificate_sha256=fingerprint(certificate.public_bytes(Encoding.DER)),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def public_key_pem(certificate: Certificate) -> bytes:
    """The certificate's key in PEM, in which one key has one text."""
    return certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
