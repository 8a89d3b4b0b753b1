"""Attacks on signed messages (S2): each makes of a properly signed one what must never be believed.

The wrapped ones are in `wrapped.py`; here are signed forms that cover less than the whole, alterations, and keys.
"""

import base64
import copy
from collections.abc import Callable

from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from domain.findings import Code
from tests.adapters.cap.signatures.identities import by_curve, by_rsa, signed
from tests.adapters.cap.signatures.wrapped import DS, WRAPPED, D, Root, bytes_of, forge, found, without_signature
from tests.streams.messages import cap

XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
FILTER = "http://www.w3.org/2002/06/xmldsig-filter2"


def changed(change: Callable[[Root], None]) -> Callable[[], bytes]:
    """The genuine message with something done to it afterwards."""

    def make() -> bytes:
        root = etree.fromstring(signed())
        change(root)
        return bytes_of(root)

    return make


def resigned(change: Callable[[Root], None]) -> Callable[[], bytes]:
    """A SignedInfo of another form, signed by the agency's own key: what a careless signer could be led to sign.

    Its digest is right under a reader that follows it, or does not know its transforms; the form alone refuses it.
    """

    def make() -> bytes:
        identity = by_rsa("meteorology")
        signer = _Altering(change)
        root = signer.sign(etree.fromstring(cap("m-1")), key=identity.key, cert=[identity.certificate])
        return bytes_of(root)

    return make


class _Altering(XMLSigner):
    """Changes SignedInfo just before it is signed."""

    def __init__(self, change: Callable[[Root], None]) -> None:
        super().__init__(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
        self.signature_annotators.append(lambda signature, signing_settings: change(signature))


def _transform(algorithm: str, inner: str = "") -> Callable[[Root], None]:
    def change(signature: Root) -> None:
        transforms = found(signature, ".//ds:Transforms")
        added = etree.SubElement(transforms, f"{D}Transform", Algorithm=algorithm)
        if inner:
            added.append(etree.fromstring(inner))

    return change


def _algorithm(path: str, algorithm: str) -> Callable[[Root], None]:
    def change(signature: Root) -> None:
        found(signature, path).set("Algorithm", algorithm)

    return change


def _second_reference(signature: Root) -> None:
    reference = found(signature, ".//ds:Reference")
    reference.addnext(copy.deepcopy(reference))


def _uri(value: str | None) -> Callable[[Root], None]:
    def change(signature: Root) -> None:
        reference = found(signature, ".//ds:Reference")
        if value is None:
            del reference.attrib["URI"]
        else:
            reference.set("URI", value)

    return change


def _without(path: str) -> Callable[[Root], None]:
    def change(signature: Root) -> None:
        element = found(signature, path)
        above = element.getparent()
        assert above is not None
        above.remove(element)

    return change


def _other_digest(root: Root) -> None:
    forge(root)
    found(root, ".//ds:DigestValue").text = base64.b64encode(bytes(32)).decode()


def _fitting_digest(root: Root) -> None:
    """The digest of the forged text, under the old signature value."""
    forged = without_signature(root)
    forge(forged)
    forge(root)
    anew = etree.fromstring(signed(bytes_of(forged), by=by_rsa("stranger")))
    found(root, ".//ds:DigestValue").text = found(anew, ".//ds:DigestValue").text


def _digest_behind_a_comment(root: Root) -> None:
    """Where only the text in front of a comment is read, the forged digest counts and the genuine one is verified."""
    genuine = found(root, ".//ds:DigestValue")
    value = genuine.text or ""
    _fitting_digest(root)
    comment = etree.Comment("")
    comment.tail = value
    genuine.append(comment)


def _value_behind_a_comment(root: Root) -> None:
    value = found(root, ".//ds:SignatureValue")
    comment = etree.Comment("")
    comment.tail = value.text
    value.text = ""
    value.append(comment)
    forge(root)


def _stripped(root: Root) -> None:
    forge(root)
    root.remove(found(root, "ds:Signature"))


def _renamed_signature(root: Root) -> None:
    forge(root)
    found(root, "ds:Signature").tag = "{urn:example}Signature"


def _empty_value(root: Root) -> None:
    forge(root)
    found(root, ".//ds:SignatureValue").text = ""


def hmac_under_the_public_key() -> bytes:
    """A MAC whose secret is the agency's public key, which is no secret."""
    identity = by_rsa("meteorology")
    root = etree.fromstring(cap("m-1", level="red"))
    done = XMLSigner(signature_algorithm=SignatureMethod.HMAC_SHA256).sign(root, key=identity.public_pem.decode())
    key_info = etree.SubElement(found(done, "ds:Signature"), f"{D}KeyInfo")
    carried = etree.SubElement(etree.SubElement(key_info, f"{D}X509Data"), f"{D}X509Certificate")
    carried.text = "".join(identity.pem.splitlines()[1:-1])
    return bytes_of(done)


def bare_key() -> bytes:
    """A stranger's key as KeyValue, without any certificate."""
    root = etree.fromstring(cap("m-1", level="red"))
    return bytes_of(XMLSigner().sign(root, key=by_rsa("stranger").key))


def entity_namespace() -> bytes:
    """The signature's namespace written with a character reference, which a search for it does not find."""
    root = etree.fromstring(signed())
    forge(root)
    return bytes_of(root).replace(DS.encode(), DS.replace("#", "&#35;").encode())


SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
XPATH_ALL = f'<XPath xmlns="{DS}">not(ancestor-or-self::*[local-name()="severity"])</XPath>'
FILTER_OUT = f'<XPath xmlns="{FILTER}" Filter="subtract">//*[local-name()="severity"]</XPath>'
STYLESHEET = '<s:stylesheet xmlns:s="http://www.w3.org/1999/XSL/Transform" version="1.0"/>'

ATTACKS: dict[str, tuple[Callable[[], bytes], Code]] = {
    **WRAPPED,
    # a signed form that covers less than the whole, or something else
    "an XPath transform": (resigned(_transform(XPATH, XPATH_ALL)), Code.SIGNATURE),
    "an XPath filter": (resigned(_transform(FILTER, FILTER_OUT)), Code.SIGNATURE),
    "an XSL transform": (resigned(_transform(XSLT, STYLESHEET)), Code.SIGNATURE),
    "a base64 transform": (resigned(_transform(f"{DS}base64")), Code.SIGNATURE),
    "an unknown transform": (resigned(_transform("urn:example:nothing")), Code.SIGNATURE),
    "no transforms": (resigned(_without(".//ds:Transforms")), Code.SIGNATURE),
    "no enveloped-signature transform": (resigned(_without(".//ds:Transform")), Code.SIGNATURE),
    "two references": (resigned(_second_reference), Code.SIGNATURE),
    "no reference": (resigned(_without(".//ds:Reference")), Code.SIGNATURE),
    "a reference without a URI": (resigned(_uri(None)), Code.SIGNATURE),
    "a reference to an XPointer": (resigned(_uri("#xpointer(/)")), Code.SIGNATURE),
    "a reference to a file": (resigned(_uri("file:///etc/passwd")), Code.SIGNATURE),
    "a reference to another host": (resigned(_uri("http://127.0.0.1:1/alert.xml")), Code.SIGNATURE),
    "a canonical form with comments": (
        resigned(_algorithm(".//ds:CanonicalizationMethod", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments")),
        Code.SIGNATURE,
    ),
    "an unknown canonical form": (
        resigned(_algorithm(".//ds:CanonicalizationMethod", "urn:example:c14n")),
        Code.SIGNATURE,
    ),
    # altered
    "an altered text": (changed(forge), Code.SIGNATURE),
    "an altered digest": (changed(_other_digest), Code.SIGNATURE),
    "a fitting digest under the old signature": (changed(_fitting_digest), Code.SIGNATURE),
    "a digest cut in two by a comment": (changed(_digest_behind_a_comment), Code.SIGNATURE),
    "a signature value behind a comment": (changed(_value_behind_a_comment), Code.SIGNATURE),
    "no signature value": (changed(_empty_value), Code.SIGNATURE),
    "the signature stripped": (changed(_stripped), Code.NO_SIGNATURE),
    "the signature renamed": (changed(_renamed_signature), Code.NO_SIGNATURE),
    "the signature's namespace hidden": (entity_namespace, Code.NO_SIGNATURE),
    # keys
    "a self-made key": (lambda: signed(by=by_rsa("stranger")), Code.SIGNATURE_KEY),
    "a self-made key on a curve": (lambda: signed(by=by_curve("stranger")), Code.SIGNATURE_KEY),
    "a self-made key behind the agency's certificate": (
        lambda: signed(by=by_rsa("stranger"), carries=by_rsa("meteorology")),
        Code.SIGNATURE,
    ),
    "a self-made key without a certificate": (bare_key, Code.SIGNATURE),
    "another agency's key": (lambda: signed(by=by_rsa("water")), Code.SIGNATURE_KEY),
    "an RSA key of 1024 bits": (lambda: signed(by=by_rsa("weak", 1024)), Code.SIGNATURE),
    "a MAC under the public key": (hmac_under_the_public_key, Code.SIGNATURE),
    "a SHA-1 digest": (lambda: signed(digest=DigestAlgorithm.SHA1), Code.SIGNATURE),
    "a SHA-1 signature": (lambda: signed(method=SignatureMethod.RSA_SHA1), Code.SIGNATURE),
    "a method that is none": (resigned(_algorithm(".//ds:SignatureMethod", "urn:example:none")), Code.SIGNATURE),
}
"""What each is, and the code that it must be refused with by an agency that signs."""
