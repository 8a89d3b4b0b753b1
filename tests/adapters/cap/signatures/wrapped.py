"""Signatures that are genuine, over content that is genuine, in a document that says something else (S2).

The genuine signature stands over the genuine content somewhere, and the forged content where a reader might look for
it: it says a red warning where the agency said yellow.
"""

import copy
from collections.abc import Callable

from lxml import etree
from signxml.signer import SignatureReference, XMLSigner

from domain.findings import Code
from tests.adapters.cap.signatures.identities import by_rsa, signed
from tests.streams.messages import cap

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
DS = "http://www.w3.org/2000/09/xmldsig#"
Q = f"{{{CAP}}}"
D = f"{{{DS}}}"
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"

Root = etree._Element


def found(root: Root, path: str) -> Root:
    """The one element at this path, `ds:` and `cap:` being known."""
    element = root.find(path, {"ds": DS, "cap": CAP})
    assert element is not None, path
    return element


def bytes_of(root: Root) -> bytes:
    """The document."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def forge(root: Root) -> None:
    """Say red instead of yellow."""
    found(root, ".//cap:severity").text = "Extreme"


def without_signature(root: Root) -> Root:
    """A copy without its signature."""
    bare = copy.deepcopy(root)
    for signature in bare.findall(f"{D}Signature"):
        bare.remove(signature)
    return bare


def forged_around(place: Callable[[Root, Root, Root], None]) -> Callable[[], bytes]:
    """A forged alert with the genuine one and its signature somewhere in it: `place(forged, genuine, signature)`."""

    def make() -> bytes:
        genuine = etree.fromstring(signed())
        forged = without_signature(genuine)
        forge(forged)
        signature = found(genuine, "ds:Signature")
        place(forged, genuine, signature)
        return bytes_of(forged)

    return make


def fragment(wrap: Callable[[Root, Root, Root], None], name: str = "Id") -> Callable[[], bytes]:
    """As `forged_around`, but what was signed is the genuine alert by its id, not the whole document."""

    def make() -> bytes:
        genuine = etree.fromstring(cap("m-1"))
        genuine.set(name, "genuine")
        identity = by_rsa("meteorology")
        references = [SignatureReference(URI="genuine")]
        genuine = XMLSigner().sign(genuine, key=identity.key, cert=[identity.certificate], reference_uri=references)
        forged = without_signature(genuine)
        forge(forged)
        wrap(forged, genuine, found(genuine, "ds:Signature"))
        return bytes_of(forged)

    return make


def _into_object(forged: Root, genuine: Root, signature: Root) -> None:
    forged.append(signature)
    etree.SubElement(signature, f"{D}Object").append(without_signature(genuine))


def _into_extension(forged: Root, genuine: Root, signature: Root) -> None:
    etree.SubElement(forged, "{urn:example}extension").append(without_signature(genuine))
    forged.append(signature)


def _whole_into_extension(forged: Root, genuine: Root, _signature: Root) -> None:
    etree.SubElement(forged, "{urn:example}extension").append(genuine)


def _whole_into_object(forged: Root, genuine: Root, signature: Root) -> None:
    outer = copy.deepcopy(signature)
    etree.SubElement(outer, f"{D}Object").append(genuine)
    forged.append(outer)


def _whole_below(forged: Root, genuine: Root, _signature: Root) -> None:
    forged.append(genuine)


def _whole_in_front(forged: Root, genuine: Root, _signature: Root) -> None:
    forged.insert(0, genuine)


def _into_parameter(forged: Root, genuine: Root, _signature: Root) -> None:
    etree.SubElement(found(forged, "cap:info"), f"{Q}parameter").append(genuine)


def _signature_into_info(forged: Root, _genuine: Root, signature: Root) -> None:
    found(forged, "cap:info").append(signature)


def _signature_into_key_info(forged: Root, _genuine: Root, signature: Root) -> None:
    outer = copy.deepcopy(signature)
    found(outer, "ds:KeyInfo").append(signature)
    forged.append(outer)


def _only_signature(forged: Root, _genuine: Root, signature: Root) -> None:
    forged.append(signature)


def _signature_twice(forged: Root, _genuine: Root, signature: Root) -> None:
    forged.append(copy.deepcopy(signature))
    forged.append(signature)


def _same_id(forged: Root, genuine: Root, signature: Root) -> None:
    forged.set("Id", "genuine")
    etree.SubElement(forged, "{urn:example}extension").append(without_signature(genuine))
    forged.append(signature)


def _other_id(forged: Root, genuine: Root, signature: Root) -> None:
    del forged.attrib["Id"]
    _into_extension(forged, genuine, signature)


def _other_case_of_id(forged: Root, genuine: Root, signature: Root) -> None:
    forged.set("ID", forged.attrib.pop("Id"))
    _into_extension(forged, genuine, signature)


def _xml_id(forged: Root, genuine: Root, signature: Root) -> None:
    forged.set(XML_ID, str(forged.attrib.pop("Id")))
    _into_extension(forged, genuine, signature)


def _around_in(tag: str) -> Callable[[], bytes]:
    """A root of ours around the forged alert and the genuine one."""

    def make() -> bytes:
        genuine = etree.fromstring(signed())
        forged = without_signature(genuine)
        forge(forged)
        root = etree.Element(tag)
        root.extend([forged, genuine])
        return bytes_of(root)

    return make


def edxl(*, forged: bool) -> Callable[[], bytes]:
    """An EDXL distribution around the genuine alert, and a forged one in front of it."""

    def make() -> bytes:
        de = "urn:oasis:names:tc:emergency:EDXL:DE:1.0"
        genuine = etree.fromstring(signed())
        root = etree.Element(f"{{{de}}}EDXLDistribution")
        etree.SubElement(root, f"{{{de}}}distributionStatus").text = "Actual"
        alerts = [genuine]
        if forged:
            alerts.insert(0, without_signature(genuine))
            forge(alerts[0])
        for alert in alerts:
            content = root
            for name in ("contentObject", "xmlContent", "embeddedXMLContent"):
                content = etree.SubElement(content, f"{{{de}}}{name}")
            content.append(alert)
        return bytes_of(root)

    return make


WRAPPED: dict[str, tuple[Callable[[], bytes], Code]] = {
    "the signed alert in an Object of the signature": (forged_around(_into_object), Code.SIGNATURE),
    "the signed alert in an extension": (forged_around(_into_extension), Code.SIGNATURE),
    "the signed alert with its signature in an extension": (forged_around(_whole_into_extension), Code.SIGNATURE),
    "the signed alert with its signature in an Object": (forged_around(_whole_into_object), Code.SIGNATURE),
    "an alert in an alert, behind": (forged_around(_whole_below), Code.SIGNATURE),
    "an alert in an alert, in front": (forged_around(_whole_in_front), Code.SIGNATURE),
    "the signed alert in a parameter": (forged_around(_into_parameter), Code.SIGNATURE),
    "the signature in an info": (forged_around(_signature_into_info), Code.SIGNATURE),
    "the signature in a signature's KeyInfo": (forged_around(_signature_into_key_info), Code.SIGNATURE),
    "the signature on another alert": (forged_around(_only_signature), Code.SIGNATURE),
    "two signatures": (forged_around(_signature_twice), Code.SIGNATURE),
    "a fragment, wrapped in an extension": (fragment(_into_extension), Code.SIGNATURE),
    "a fragment, wrapped in an Object": (fragment(_into_object), Code.SIGNATURE),
    "a fragment, its id on both": (fragment(_same_id), Code.SIGNATURE),
    "a fragment, its id taken from the root": (fragment(_other_id), Code.SIGNATURE),
    "a fragment, Id against ID": (fragment(_other_case_of_id), Code.SIGNATURE),
    "a fragment, Id against xml:id": (fragment(_xml_id), Code.SIGNATURE),
    "a fragment, ID against xml:id": (fragment(_into_extension, "ID"), Code.SIGNATURE),
    "sibling alerts in a root of ours": (_around_in("{urn:example}alerts"), Code.ENVELOPE),
    "sibling alerts in a Signature": (_around_in(f"{D}Signature"), Code.ENVELOPE),
    "sibling alerts in an alert of no namespace": (_around_in("alert"), Code.ENVELOPE),
    "sibling alerts in an alert of an older version": (
        _around_in("{urn:oasis:names:tc:emergency:cap:1.1}alert"),
        Code.MISSING,
    ),
    "an EDXL distribution around it": (edxl(forged=False), Code.SIGNATURE),
    "an EDXL distribution with a forged alert in front": (edxl(forged=True), Code.NO_SIGNATURE),
}
"""What each is, and the code that it must be refused with by an agency that signs."""
