"""Signs the outlet's own CAP documents, in the form of CAP 1.2, section 3.3.2.1: one enveloped signature.

A document is signed when it is written, which is when its release is frozen: never again, and never for a warning
that was not released. The same document under the same key gives the same bytes (RSA PKCS #1 v1.5, or ECDSA whose
nonce follows from key and text, RFC 6979), so that two runs of the same stages can be held against each other.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from adapters.cap.certificates import UnusableCertificateError, public_key_pem, usable
from adapters.cap.signing_errors import SigningError
from domain.events import WarningReleased

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_EC_METHODS: Final = {256: SignatureMethod.ECDSA_SHA256, 384: SignatureMethod.ECDSA_SHA384}


class Writer(Protocol):
    """What writes the documents that are signed."""

    def document(self, release: WarningReleased) -> str:
        """The release as a CAP document."""
        ...


@dataclass(frozen=True, slots=True)
class _RepeatableKey:
    """A key on a curve, as the signing library calls it, that signs the same text in the same way each time."""

    key: ec.EllipticCurvePrivateKey

    @property
    def key_size(self) -> int:
        return self.key.key_size

    def sign(self, data: bytes, signature_algorithm: ec.ECDSA) -> bytes:
        return self.key.sign(data, ec.ECDSA(signature_algorithm.algorithm, deterministic_signing=True))


class DocumentSigner:
    """Signs documents with one key, adding its certificate. It serves any number of threads."""

    def __init__(self, key: bytes, certificates: bytes) -> None:
        """`key` and `certificates` are PEM; the first certificate is the key's, the others vouch for it.

        Raises:
            SigningError: they cannot be read, are too weak, or do not belong together.
        """
        self._key = _private_key(key)
        self._certificates = _certificates(certificates)
        public = self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        if public != public_key_pem(self.certificate):
            raise SigningError("the key and the certificate do not belong together")

    @property
    def certificate(self) -> Certificate:
        """The certificate of the key."""
        return self._certificates[0]

    def signed(self, document: str) -> str:
        """The document, declared to be UTF-8, with a signature as the last child of its root."""
        # Made anew for each document: the library keeps what it works on in the signer.
        signer = XMLSigner(
            signature_algorithm=self._method(),
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        key = self._key if isinstance(self._key, rsa.RSAPrivateKey) else _RepeatableKey(self._key)
        root = etree.fromstring(document.encode())
        signed = signer.sign(root, key=cast(PrivateKey, key), cert=self._certificates)
        return etree.tostring(signed, encoding="UTF-8", xml_declaration=True).decode()

    def _method(self) -> SignatureMethod:
        if isinstance(self._key, rsa.RSAPrivateKey):
            return SignatureMethod.RSA_SHA256
        return _EC_METHODS.get(self._key.key_size, SignatureMethod.ECDSA_SHA512)


class SigningWriter:
    """A `DocumentWriter` whose documents are signed."""

    def __init__(self, writer: Writer, signer: DocumentSigner) -> None:
        """Sign what `writer` writes."""
        self._writer = writer
        self._signer = signer

    def document(self, release: WarningReleased) -> str:
        """The release as a signed CAP document."""
        return self._signer.signed(self._writer.document(release))


def signer_of(key: Path, certificate: Path) -> DocumentSigner:
    """The signer with the key and the certificate in these files.

    Raises:
        SigningError: a file cannot be read, or what is in them cannot be used.
    """
    contents: list[bytes] = []
    for path in (key, certificate):
        try:
            contents.append(path.read_bytes())
        except OSError as error:
            raise SigningError(f"signing: {path}: {error.strerror}") from error
    try:
        return DocumentSigner(*contents)
    except SigningError as error:
        raise SigningError(f"signing: {key}, {certificate}: {error}") from error


def _private_key(pem: bytes) -> PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise SigningError("the key is protected by a pass phrase, which nobody could enter at a restart") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SigningError("the key is no private key in PEM") from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise SigningError("the key is neither RSA nor on a curve of NIST")
    return key


def _certificates(pem: bytes) -> list[Certificate]:
    try:
        certificates = load_pem_x509_certificates(pem)
    except ValueError as error:
        raise SigningError("the certificate is no certificate in PEM") from error
    try:
        usable(certificates[0].public_bytes(Encoding.DER))
    except UnusableCertificateError as error:
        raise SigningError(f"the certificate: {error}") from error
    return certificates
