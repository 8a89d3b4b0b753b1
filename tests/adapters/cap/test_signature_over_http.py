"""The signature's rule holds where messages come in, beside keys and remits; the original bytes are kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.cap import CapReader
from domain.certificates import certificate_bytes, fingerprint
from domain.events import MessageAccepted, MessageRejected, WarningReleased
from tests.adapters.cap.signatures.attacks import ATTACKS
from tests.adapters.cap.signatures.identities import by_rsa, policy_text, signed, written
from tests.adapters.http.outlets import Outlet, outlet_at, problem, receipts_of
from tests.streams.messages import cap


@pytest.fixture
def signing_outlet(tmp_path: Path) -> Iterator[Outlet]:
    """An outlet whose meteorological bureau signs, and which signs what it publishes."""
    path = tmp_path / "policy.toml"
    path.write_text(policy_text(meteorology=(by_rsa("meteorology"),)), encoding="utf-8")
    written(tmp_path / "data" / "signing", by_rsa("outlet"))
    with outlet_at(tmp_path / "data", policy=str(path)) as listening:
        yield listening


@pytest.mark.parametrize(
    "name",
    [
        "the signed alert in an Object of the signature",
        "an EDXL distribution with a forged alert in front",
        "an XPath transform",
        "an altered text",
        "the signature stripped",
        "a self-made key",
        "a MAC under the public key",
    ],
)
def test_an_attack_is_answered_with_its_code_and_released_nowhere(name: str, signing_outlet: Outlet) -> None:
    make, code = ATTACKS[name]
    content = make()
    found = problem(signing_outlet.post(content), "refused", 422)
    assert code.value in [finding["code"] for finding in found["findings"]]
    topics = signing_outlet.topics()
    assert MessageAccepted.TOPIC not in topics
    assert WarningReleased.TOPIC not in topics
    [event, *_] = [one.event for one in signing_outlet.platform.log.read() if isinstance(one.event, MessageRejected)]
    assert signing_outlet.platform.log.attachment(event.raw_sha256) == content


def test_a_signed_message_is_accepted_recorded_with_its_signer_and_kept_as_it_came(signing_outlet: Outlet) -> None:
    content = signed(cap("m-1", level="red"))
    [receipt] = receipts_of(signing_outlet.post(content))
    assert receipt["outcome"] == "accepted"
    assert signing_outlet.platform.log.attachment(receipt["raw_sha256"]) == content
    [event] = [one.event for one in signing_outlet.platform.log.read() if isinstance(one.event, MessageAccepted)]
    assert event.message.signature is not None
    owners = signing_outlet.platform.policy.owners_of_certificate(event.message.signature.certificate_sha256)
    assert owners == ("meteorology",)
    signing_outlet.wait_for_topic(WarningReleased.TOPIC)
    [released] = [one.event for one in signing_outlet.platform.log.read() if isinstance(one.event, WarningReleased)]
    published = signing_outlet.client.get(f"/v1/warnings/{released.warning_id}/revisions/{released.revision}.cap")
    assert published.status_code == 200, published.text
    assert published.text == released.cap
    mark = fingerprint(certificate_bytes(by_rsa("outlet").pem))
    [message] = CapReader(pinned={mark: by_rsa("outlet").certificate}).read(published.content)
    assert message.signature is not None
    assert message.signature.certificate_sha256 == mark


def test_a_signed_message_in_another_agencys_name_is_refused(signing_outlet: Outlet) -> None:
    found = problem(signing_outlet.post(signed(cap("m-1", agency="water")), agency="water"), "refused", 422)
    assert "signature-key" in [finding["code"] for finding in found["findings"]]
