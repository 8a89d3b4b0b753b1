"""What the outlet publishes is signed when a key is configured, once and for all, and verifies elsewhere."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from lxml import etree

from adapters.cap import CapReader
from adapters.cap.certificates import usable
from adapters.cap.checks import CapChecks
from adapters.cap.findings import Found
from adapters.cap.schema import validate
from adapters.cap.signing import DocumentSigner, signer_of
from adapters.cap.signing_errors import SigningError
from adapters.cap.vocabulary import SIGNATURE_TAG
from adapters.cli.signing import signing_looks_sound
from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import build
from domain.certificates import certificate_bytes, fingerprint
from domain.events import WarningReleased
from streams.intake import Delivery
from tests.adapters.cap.signatures.identities import BEGINS, ENDS, Identity, by_curve, by_rsa, certified, written
from tests.streams.messages import START, cap

IDENTITIES = [by_rsa("outlet"), by_curve("outlet"), certified(ec.generate_private_key(ec.SECP384R1()))]


def released(folder: Path, identity: Identity | None) -> str:
    """The CAP document of a release of an outlet that signs with this identity."""
    if identity is not None:
        written(folder / "signing", identity)
    with build(Settings(data_dir=folder, policy="shaoxing"), clock=ManualClock(START)) as platform:
        platform.runner.submit([Delivery(cap("m-1", level="red"), "meteorology", "test")])
        platform.runner.pump()
        [event] = [one.event for one in platform.log.read() if isinstance(one.event, WarningReleased)]
        return event.cap


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_release_is_signed_and_says_the_same_as_without(identity: Identity, tmp_path: Path) -> None:
    document = released(tmp_path / "a", identity)
    mark = fingerprint(certificate_bytes(identity.pem))
    [message] = CapReader(pinned={mark: usable(certificate_bytes(identity.pem))}).read(document.encode())
    assert message.signature is not None
    assert message.signature.certificate_sha256 == mark
    [unsigned] = CapReader().read(released(tmp_path / "b", None).encode())
    assert message.model_copy(update={"signature": None}) == unsigned
    assert not unsigned.notes


@pytest.mark.parametrize("identity", IDENTITIES)
def test_the_same_release_under_the_same_key_has_the_same_bytes(identity: Identity, tmp_path: Path) -> None:
    assert released(tmp_path / "a", identity) == released(tmp_path / "b", identity)


def test_a_signed_document_satisfies_the_schema(tmp_path: Path) -> None:
    root = etree.fromstring(released(tmp_path, by_rsa("outlet")).encode())
    assert validate(root, "urn:oasis:names:tc:emergency:cap:1.2", Found(CapChecks(), size=0))
    assert root[-1].tag == SIGNATURE_TAG


@pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="xmlsec1 is not installed")
@pytest.mark.parametrize("identity", IDENTITIES)
def test_xmlsec1_verifies_what_is_published(identity: Identity, tmp_path: Path) -> None:
    document = tmp_path / "warning.xml"
    document.write_text(released(tmp_path / "data", identity), encoding="utf-8")
    certificate = tmp_path / "data" / "signing" / "certificate.pem"
    command = ["xmlsec1", "--verify", "--pubkey-cert-pem", str(certificate), str(document)]
    assert subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0
    document.write_text(document.read_text(encoding="utf-8").replace("rain", "snow"), encoding="utf-8")
    assert subprocess.run(command, capture_output=True, check=False, timeout=30).returncode != 0


def _protected(identity: Identity) -> bytes:
    return identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


def _edwards() -> bytes:
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("key", "certificate", "words"),
    [
        (by_rsa("other").key_pem, by_rsa("outlet").pem.encode(), "do not belong together"),
        (by_curve("outlet").key_pem, by_rsa("outlet").pem.encode(), "do not belong together"),
        (b"", by_rsa("outlet").pem.encode(), "no private key"),
        (by_rsa("outlet").key_pem, b"", "no certificate"),
        (_protected(by_rsa("outlet")), by_rsa("outlet").pem.encode(), "pass phrase"),
        (_edwards(), by_rsa("outlet").pem.encode(), "neither RSA nor"),
        (by_rsa("weak", 1024).key_pem, by_rsa("weak", 1024).pem.encode(), "1024 bits"),
    ],
)
def test_a_key_that_cannot_serve_is_told_at_the_start(key: bytes, certificate: bytes, words: str) -> None:
    with pytest.raises(SigningError, match=words):
        DocumentSigner(key, certificate)


def test_an_outlet_does_not_start_with_half_of_what_signing_needs(tmp_path: Path) -> None:
    key, certificate = written(tmp_path / "keys", by_rsa("outlet"))
    for settings in (
        Settings(data_dir=tmp_path / "a", policy="shaoxing", signing_key=key),
        Settings(data_dir=tmp_path / "a", policy="shaoxing", signing_certificate=certificate),
    ):
        with pytest.raises(SigningError, match="No such file"):
            build(settings)
    assert signer_of(key, certificate).certificate == by_rsa("outlet").certificate


def test_files_named_by_the_settings_win_over_those_in_the_data_directory(tmp_path: Path) -> None:
    written(tmp_path / "signing", by_rsa("outlet"))
    key, certificate = written(tmp_path / "keys", by_curve("outlet"))
    assert Settings(data_dir=tmp_path).signing_files == (
        tmp_path / "signing" / "key.pem",
        tmp_path / "signing" / "certificate.pem",
    )
    named = Settings(data_dir=tmp_path, signing_key=key, signing_certificate=certificate)
    assert named.signing_files == (key, certificate)
    assert Settings(data_dir=tmp_path / "nothing").signing_files is None


def test_an_expired_certificate_keeps_no_warning_back_and_is_told(tmp_path: Path) -> None:
    old = certified(by_rsa("outlet").key, BEGINS, datetime(2021, 1, 1, tzinfo=UTC))
    assert SIGNATURE_TAG.partition("}")[0][1:] in released(tmp_path, old)
    sound, words = signing_looks_sound(Settings(data_dir=tmp_path), START)
    assert not sound
    assert "2021-01-01" in words


def test_the_doctor_tells_how_long_the_certificate_lasts(tmp_path: Path) -> None:
    assert signing_looks_sound(Settings(data_dir=tmp_path), START) == (
        True,
        "no key is configured: released documents are not signed",
    )
    written(tmp_path / "signing", by_rsa("outlet"))
    assert signing_looks_sound(Settings(data_dir=tmp_path), START)[0]
    sound, words = signing_looks_sound(Settings(data_dir=tmp_path), ENDS - timedelta(days=10))
    assert not sound
    assert "10 days" in words
