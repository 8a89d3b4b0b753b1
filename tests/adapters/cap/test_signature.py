"""A signature that does not fit its bytes is found, and one that does proves nothing."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.signer import XMLSigner

from adapters.cap import CapChecks, Verdict
from adapters.cap.vocabulary import SIGNATURE_TAG
from domain.findings import Code
from tests.adapters.cap.samples import ALERT, alert, noted, read, refusals

NO_CERTIFICATE = "<KeyInfo><X509Data><X509Certificate>AAAA</X509Certificate></X509Data></KeyInfo>"
DS = "{http://www.w3.org/2000/09/xmldsig#}"


@pytest.fixture(scope="module")
def signed() -> bytes:
    """A message with a signature over the whole of it, by a key of nobody."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2021, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    root = XMLSigner().sign(etree.fromstring(ALERT.encode()), key=key, cert=pem.decode())
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def test_a_signature_that_fits_is_not_remarked_on(signed: bytes) -> None:
    assert not read(signed).notes


def test_an_altered_text_is_found(signed: bytes) -> None:
    assert noted(signed.replace("转移".encode(), "留下".encode())) == {Code.SIGNATURE}


def test_an_altered_signature_value_is_found(signed: bytes) -> None:
    root = etree.fromstring(signed)
    value = root.find(f"{SIGNATURE_TAG}/{DS}SignatureValue")
    assert value is not None
    value.text = base64.b64encode(bytes(256)).decode()
    assert noted(etree.tostring(root)) == {Code.SIGNATURE}


def test_the_policy_can_refuse_what_does_not_verify(signed: bytes) -> None:
    altered = signed.replace("转移".encode(), "留下".encode())
    assert [found.code for found in refusals(altered, CapChecks(signature=Verdict.REFUSE))] == [Code.SIGNATURE]
    assert not read(altered, CapChecks(signature=Verdict.IGNORE)).notes


@pytest.mark.parametrize(
    "signature",
    [
        f'<Signature xmlns="{DS[1:-1]}"/>',
        f'<Signature xmlns="{DS[1:-1]}"><SignedInfo><Reference URI=""/></SignedInfo></Signature>',
        f'<Signature xmlns="{DS[1:-1]}"><SignedInfo><Reference URI="#x"/></SignedInfo></Signature>',
        f'<Signature xmlns="{DS[1:-1]}"><SignedInfo><Reference URI=""/></SignedInfo>{NO_CERTIFICATE}</Signature>',
    ],
)
@pytest.mark.parametrize("count", [1, 2])
def test_a_broken_signature_is_found_in_every_version(signature: str, count: int) -> None:
    assert noted(alert(("</alert>", signature * count + "</alert>"))) == {Code.SIGNATURE}
