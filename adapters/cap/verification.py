"""Verifies a signed document, and hands over the bytes that the signature covers: only they may be read on.

The key never comes from the message alone: a certificate that it carries selects one of the pinned ones. Where it
carries a stranger's, its signature is verified under that (so that damage is told from an unknown signer), and the
domain refuses it. Nothing here reaches the network.
"""

import base64
from collections.abc import Iterator
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import Certificate
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from adapters.cap.certificates import Certificates, UnusableCertificateError, public_key_pem, signed_by, usable
from adapters.cap.signature import DIGESTS, METHODS, form_fault
from adapters.cap.vocabulary import SIGNATURE_TAG, XML_SIGNATURE
from adapters.xml.safe import DEFAULT_LIMITS, XmlLimits, parse_whole
from domain.certificates import SignedBy, fingerprint
from domain.findings import RefusedMessageError

MOST_CARRIED: Final = 10
"""Certificates in one signature: one, with those that vouch for it."""

_CARRIED: Final = f"{SIGNATURE_TAG}/ds:KeyInfo/ds:X509Data/ds:X509Certificate"
_KEYS: Final = {"ds": XML_SIGNATURE}

_LIBRARY_ERRORS: Final = (
    SignXMLException,
    InvalidSignature,
    UnsupportedAlgorithm,
    etree.LxmlError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)
"""What the library raises on signatures that are odd rather than wrong; found by fuzzing it."""


class _FaultError(Exception):
    """The signature proves nothing; its text is a whole sentence."""


class Verified(NamedTuple):
    """The canonical bytes that the signature covers, which are the document without it, and its certificate."""

    content: bytes
    signed_by: SignedBy


def verified(document: bytes, pinned: Certificates, limits: XmlLimits = DEFAULT_LIMITS) -> Verified | str:
    """What the document's signature covers, else as a sentence why it is not of the accepted form, or does not fit."""
    try:
        root = parse_whole(document, limits)
    except RefusedMessageError:
        return "The signature cannot be checked: the document does not parse with its comments."
    if fault := form_fault(root):
        return fault
    faults: list[str] = []
    try:
        for certificate in _candidates(root, pinned):
            outcome = _verified_under(certificate, root)
            if isinstance(outcome, Verified):
                return outcome
            faults.append(outcome)
    except _FaultError as error:
        return str(error)
    return faults[0] if faults else "The signature carries no certificate, and none is known here."


def _candidates(root: etree._Element, pinned: Certificates) -> Iterator[Certificate]:
    """The pinned certificates that the message carries, else the first that it carries; all pinned for one with none.

    Raises:
        _FaultError: what it carries is no certificate that can be used.
    """
    carried = list(_carried(root))
    if not carried:
        yield from pinned.values()
        return
    known = [pinned[mark] for mark in map(fingerprint, carried) if mark in pinned]
    if known:
        yield from known
        return
    try:
        yield usable(carried[0])
    except UnusableCertificateError as error:
        raise _FaultError(f"The certificate in the signature: {error}.") from error


def _carried(root: etree._Element) -> Iterator[bytes]:
    elements = root.findall(_CARRIED, _KEYS)
    if len(elements) > MOST_CARRIED:
        raise _FaultError(f"The signature carries more than {MOST_CARRIED} certificates.")
    for element in elements:
        try:
            yield base64.b64decode("".join((element.text or "").split()), validate=True)
        except ValueError as error:
            raise _FaultError("The signature carries a certificate that is not in base64.") from error


def _verified_under(certificate: Certificate, root: etree._Element) -> Verified | str:
    configuration = SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=1,
        signature_methods=frozenset(method for method in SignatureMethod if method.value in METHODS),
        digest_algorithms=frozenset(digest for digest in DigestAlgorithm if digest.value in DIGESTS),
        # A key beside the certificate is not used.
        ignore_ambiguous_key_info=True,
        # Whether the certificate is valid when the message arrives is for the domain, which is told the time.
        verification_time=certificate.not_valid_before_utc,
    )
    try:
        result = XMLVerifier().verify(root, x509_cert=certificate, expect_config=configuration)
    except _LIBRARY_ERRORS as error:
        text = " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__
        return f"The signature does not verify: {text}."
    # The library's word is held against what it was asked: the key, and that the whole document is what was signed.
    if (
        not isinstance(result, VerifyResult)
        or result.signature_key != public_key_pem(certificate)
        or result.signed_xml is None
        or result.signed_xml.tag != root.tag
    ):
        return "The signature does not cover the document under the certificate's key."
    return Verified(result.signed_data, signed_by(certificate))
