"""The one form of signature that we look at, told from the tree alone; nothing here computes a digest.

Most attacks on XML signatures are not on the cryptography: they leave a signature that verifies over something other
than what is then read. So the form is narrow: one signature, directly below the root, with one reference to the whole
document, and of the transforms only "without the signature itself" and a canonical form. What does not belong here:
keys (`certificates.py`) and the verification itself (`verification.py`).
"""

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from adapters.cap.vocabulary import SIGNATURE_TAG, XML_SIGNATURE

_MARK: Final = XML_SIGNATURE.encode()

_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_PSS: Final = "http://www.w3.org/2007/05/xmldsig-more#"

_INCLUSIVE_NAMESPACES: Final = f"{{{_EXCLUSIVE}}}InclusiveNamespaces"
ENVELOPED: Final = f"{XML_SIGNATURE}enveloped-signature"

CANONICAL_FORMS: Final = frozenset(
    {"http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2006/12/xml-c14n11", _EXCLUSIVE}
)
"""Without comments in each case: what a comment says is neither signed nor read."""

DIGESTS: Final = frozenset(
    {
        "http://www.w3.org/2001/04/xmlenc#sha256",
        f"{_MORE}sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    }
)

METHODS: Final = frozenset(
    f"{start}{bits}{end}"
    for start, end in ((f"{_MORE}rsa-sha", ""), (f"{_MORE}ecdsa-sha", ""), (f"{_PSS}sha", "-rsa-MGF1"))
    for bits in (256, 384, 512)
)
"""No SHA-1, no DSA, and no HMAC, whose secret an attacker could take to be the public key."""

_CHILDREN: Final = {
    "Signature": re.compile("SignedInfo SignatureValue(?: KeyInfo)?"),
    "SignedInfo": re.compile("CanonicalizationMethod SignatureMethod Reference"),
    "Reference": re.compile("Transforms DigestMethod DigestValue"),
    "Transforms": re.compile("Transform(?: Transform)?"),
    "Transform": re.compile("(?:InclusiveNamespaces)?"),
    "CanonicalizationMethod": re.compile("(?:InclusiveNamespaces)?"),
    "SignatureMethod": re.compile(""),
    "DigestMethod": re.compile(""),
    "SignatureValue": re.compile(""),
    "DigestValue": re.compile(""),
}
"""What may be in each element, in this order. KeyInfo is free: only certificates are read out of it."""

_ALGORITHMS: Final = {
    "CanonicalizationMethod": CANONICAL_FORMS,
    "SignatureMethod": METHODS,
    "DigestMethod": DIGESTS,
}


def mentions_signatures(document: bytes) -> bool:
    """Whether there can be a signature in this UTF-8 document at all; costs one search.

    A namespace that is written with character references is missed: then a message counts as unsigned.
    """
    return _MARK in document


def take_signatures(alert: etree._Element) -> None:
    """Take the signatures out of an alert, so that its schema need not know them."""
    for signature in alert.findall(SIGNATURE_TAG):
        alert.remove(signature)


def form_fault(root: etree._Element) -> str:
    """Why the document's signature is not of the form that is accepted, as a sentence; empty when it is.

    `root` is the whole document with its comments.
    """
    signatures = list(root.iter(SIGNATURE_TAG))
    if len(signatures) != 1 or signatures[0].getparent() is not root:
        return "The message must have one signature, directly below its root."
    references = signatures[0].findall("ds:SignedInfo/ds:Reference", {"ds": XML_SIGNATURE})
    if len(references) != 1 or references[0].get("URI") != "":
        return "The signature must have one reference, to the whole document (an empty URI)."
    return next(_faults(signatures[0]), "")


def _faults(signature: etree._Element) -> Iterator[str]:
    for element in signature.iter():
        if not isinstance(element.tag, str):
            yield "There is a comment or an instruction inside the signature."
            return
    for element in (signature, *signature.iterdescendants()):
        name = _name(element)
        if name == "KeyInfo":
            return
        expected = _CHILDREN.get(name)
        children = " ".join(_name(child) for child in element)
        if expected is not None and not expected.fullmatch(children):
            yield f"The signature's {name} must not hold “{children[:100]}”."
        allowed = _ALGORITHMS.get(name)
        if allowed is not None and element.get("Algorithm") not in allowed:
            yield f"The signature's {name} “{(element.get('Algorithm') or '')[:100]}” is not accepted."
        if name == "Transforms":
            yield from _transform_faults(element)


def _transform_faults(transforms: etree._Element) -> Iterator[str]:
    first, *others = [transform.get("Algorithm", "") for transform in transforms] or [""]
    if first != ENVELOPED or any(other not in CANONICAL_FORMS for other in others):
        found = ", ".join([first, *others])[:200]
        yield f"The signature's transforms must be enveloped-signature and a canonical form, not “{found}”."


def _name(element: etree._Element) -> str:
    """The name of an element of a signature; one of another namespace keeps that, and so is none that is expected."""
    tag = str(element.tag)
    return "InclusiveNamespaces" if tag == _INCLUSIVE_NAMESPACES else tag.removeprefix(f"{{{XML_SIGNATURE}}}")
