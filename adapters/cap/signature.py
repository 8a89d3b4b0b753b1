"""Does a message's signature fit its bytes, with the key that it brings along?

This finds damage and bad software, not forgers: whoever alters a message can sign it anew with a key of his own.
Whether a key is the agency's is for the signature policy to say. Nothing here reaches the network, and nothing
here runs for a message without a signature.
"""

import base64
from typing import TYPE_CHECKING

from lxml import etree

from adapters.cap.vocabulary import SIGNATURE_TAG, XML_SIGNATURE
from adapters.xml.safe import parse_whole
from domain.findings import RefusedMessageError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_KEYS = {"ds": XML_SIGNATURE}
_MARK = XML_SIGNATURE.encode()


def mentions_signatures(content: bytes) -> bool:
    """Whether there can be a signature in these bytes at all; costs one search."""
    return _MARK in content


def take_signatures(alert: etree._Element) -> int:
    """Take the signatures out of an alert, so that its schema need not know them; how many there were."""
    signatures = alert.findall(SIGNATURE_TAG)
    for signature in signatures:
        alert.remove(signature)
    return len(signatures)


def signature_fault(content: bytes) -> str:
    """Why the document's signature does not verify, as a sentence; empty when it does.

    Accepted is one signature, directly below the root, over the whole document, by a method without SHA-1.
    """
    # Few messages are signed, and loading the cryptography takes longer than reading thousands that are not.
    from signxml.exceptions import SignXMLException  # noqa: PLC0415
    from signxml.verifier import SignatureConfiguration, XMLVerifier  # noqa: PLC0415

    try:
        root = parse_whole(content)
    except RefusedMessageError:
        return "The signature cannot be checked: the document does not parse with its comments."
    if fault := _form_fault(root):
        return fault
    try:
        certificate = _certificate(root)
        configuration = SignatureConfiguration(
            location="./",
            expect_references=1,
            require_x509=certificate is not None,
            # Expiry says something about the key and nothing about the bytes.
            verification_time=certificate.not_valid_before_utc if certificate is not None else None,
        )
        XMLVerifier().verify(root, x509_cert=certificate, expect_config=configuration)
    except (
        SignXMLException,
        etree.LxmlError,
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        return f"The signature does not verify: {_reason(error)}."
    return ""


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return text[:200] or type(error).__name__


def _form_fault(root: etree._Element) -> str:
    signatures = list(root.iter(SIGNATURE_TAG))
    if len(signatures) != 1 or signatures[0].getparent() is not root:
        return "The message must have one signature, directly below its root."
    references = signatures[0].findall("ds:SignedInfo/ds:Reference", _KEYS)
    if len(references) != 1 or references[0].get("URI") != "":
        return "The signature must have one reference, to the whole document (an empty URI)."
    return ""


def _certificate(root: etree._Element) -> "Certificate | None":
    """The first certificate that the signature carries, or None."""
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415

    text = root.findtext(f"{SIGNATURE_TAG}/ds:KeyInfo/ds:X509Data/ds:X509Certificate", namespaces=_KEYS)
    return load_der_x509_certificate(base64.b64decode(text)) if text else None
