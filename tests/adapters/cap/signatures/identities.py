"""Keys with certificates, made here; the policy that pins them; and messages signed with them. No file is copied."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from adapters.policies import catalogues, shipped_policies
from domain.policy import Policy, parse_policy
from tests.streams.messages import cap

BEGINS = datetime(2020, 1, 1, tzinfo=UTC)
ENDS = datetime(2030, 1, 1, tzinfo=UTC)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Identity:
    """A key and its certificate."""

    key: Key
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> bytes:
        """The private key in PEM."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public_pem(self) -> bytes:
        """The public key in PEM, which an attacker knows."""
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def method(self) -> SignatureMethod:
        """The usual method of its kind of key."""
        is_rsa = isinstance(self.key, rsa.RSAPrivateKey)
        return SignatureMethod.RSA_SHA256 if is_rsa else SignatureMethod.ECDSA_SHA256


def certified(key: Key, begins: datetime = BEGINS, ends: datetime = ENDS) -> Identity:
    """The key with a certificate that it signs itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(begins).not_valid_after(ends)
    return Identity(key, builder.sign(key, hashes.SHA256()))


@cache
def by_rsa(name: str, bits: int = 2048) -> Identity:
    """An RSA identity; each name has its own."""
    assert name
    return certified(rsa.generate_private_key(public_exponent=65_537, key_size=bits))


@cache
def by_curve(name: str) -> Identity:
    """An identity on P-256; each name has its own."""
    assert name
    return certified(ec.generate_private_key(ec.SECP256R1()))


def written(folder: Path, identity: Identity) -> tuple[Path, Path]:
    """The files of its key and its certificate, in this folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    key.write_bytes(identity.key_pem)
    certificate.write_text(identity.pem)
    return key, certificate


def policy_text(more: str = "", **pinned: tuple[Identity, ...]) -> str:
    """Shaoxing's policy with these certificates pinned; the names are agencies' ids with `_` for `-`."""
    text = shipped_policies()["shaoxing"]
    for name, identities in pinned.items():
        head = f'id = "{name.replace("_", "-")}"\n'
        assert text.count(head) == 1
        certificates = ", ".join(f'"""{identity.pem}"""' for identity in identities)
        text = text.replace(head, f"{head}certificates = [{certificates}]\n{more}")
    return text


def policy(more: str = "", **pinned: tuple[Identity, ...]) -> Policy:
    """The same, parsed."""
    return parse_policy(policy_text(more, **pinned), catalogues())


class WeakSigner(XMLSigner):
    """Signs by methods that nobody should accept."""

    def check_deprecated_methods(self) -> None:
        """Allow all."""


def signed(
    content: bytes | None = None,
    *,
    by: Identity | None = None,
    form: CanonicalizationMethod = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    method: SignatureMethod | None = None,
    digest: DigestAlgorithm = DigestAlgorithm.SHA256,
    carries: Identity | None = None,
) -> bytes:
    """A message of the meteorological bureau, or `content`, signed; the signature `carries` a certificate."""
    identity = by or by_rsa("meteorology")
    signer = WeakSigner(signature_algorithm=method or identity.method, digest_algorithm=digest, c14n_algorithm=form)
    root = etree.fromstring(content or cap("m-1"))
    done = signer.sign(root, key=identity.key, cert=[(carries or identity).certificate])
    return etree.tostring(done, encoding="UTF-8", xml_declaration=True)
