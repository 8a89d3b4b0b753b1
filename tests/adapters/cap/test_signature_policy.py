"""An agency that signs is believed only under its own signature, over all that is read (S2)."""

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureMethod

from adapters.cap import CapChecks
from adapters.cap.certificates import pinned_certificates
from adapters.gazetteer.from_policy import gazetteer_of
from adapters.reading import AnyReader
from domain.findings import Code, Finding, RefusedMessageError
from domain.interpretation import interpret
from domain.messages import AgencyMessage
from domain.policy import Policy, PolicyError
from domain.ports import Gazetteer
from tests.adapters.cap.signatures.attacks import ATTACKS, bare_key, resigned
from tests.adapters.cap.signatures.identities import (
    BEGINS,
    ENDS,
    Identity,
    by_curve,
    by_rsa,
    certified,
    policy,
    signed,
    written,
)
from tests.adapters.cap.signatures.wrapped import edxl, found
from tests.adapters.http.messages import as_json, json_message, zipped
from tests.streams.messages import START, cap, cn12379

LANDSLIDE = cap("m-1", agency="natural-resources", hazard="11D01")
FORMS = (
    CanonicalizationMethod.CANONICAL_XML_1_0,
    CanonicalizationMethod.CANONICAL_XML_1_1,
    CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
)


@pytest.fixture(scope="module")
def signing() -> Policy:
    """The meteorological bureau must sign, with either of two keys; the water bureau with its own."""
    return policy(meteorology=(by_rsa("meteorology"), by_curve("meteorology")), water=(by_rsa("water"),))


def refused(content: bytes, policy: Policy, agency: str = "meteorology", now: datetime = START) -> list[Finding]:
    """Why this is refused; empty when every message of it is accepted."""
    try:
        messages = AnyReader(policy).read(content)
    except RefusedMessageError as error:
        return [finding for finding in error.findings if finding.refuses]
    return [finding for message in messages for finding in _refused(message, policy, agency, now)]


@cache
def _places() -> Gazetteer:
    return gazetteer_of(policy().gazetteer, beside=None)


def _refused(message: AgencyMessage, policy: Policy, agency: str, now: datetime) -> Iterator[Finding]:
    meaning = interpret(message, agency_id=agency, policy=policy, gazetteer=_places(), now=now)
    yield from (finding for finding in meaning.findings if finding.refuses)


def codes(findings: list[Finding]) -> list[Code]:
    return [finding.code for finding in findings]


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_with_its_code(name: str, signing: Policy) -> None:
    make, code = ATTACKS[name]
    findings = refused(make(), signing)
    assert code in codes(findings), findings
    assert all(finding.sentence for finding in findings)


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("verdict", ["ignore", "refuse"])
def test_no_check_of_the_reader_lets_an_attack_through(name: str, verdict: str, signing: Policy) -> None:
    reading = signing.reading.model_copy(update={"checks": {"signature": verdict}})
    assert refused(ATTACKS[name][0](), signing.model_copy(update={"reading": reading}))


def test_what_the_attacks_start_from_is_accepted(signing: Policy) -> None:
    assert refused(resigned(lambda _: None)(), signing) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("identity", [by_rsa("meteorology"), by_curve("meteorology")])
def test_a_properly_signed_message_is_accepted(
    form: CanonicalizationMethod, identity: Identity, signing: Policy
) -> None:
    content = signed(by=identity, form=form)
    assert refused(content, signing) == []
    [message] = AnyReader(signing).read(content)
    assert message.signature is not None
    assert message.signature.not_after == ENDS
    assert signing.owners_of_certificate(message.signature.certificate_sha256) == ("meteorology",)
    [unsigned] = AnyReader(signing).read(cap("m-1"))
    assert message.model_copy(update={"signature": None}) == unsigned


def test_every_accepted_method_verifies(signing: Policy) -> None:
    for method in (SignatureMethod.RSA_SHA512, SignatureMethod.SHA256_RSA_MGF1):
        assert refused(signed(method=method), signing) == []
    content = signed(by=by_curve("meteorology"), method=SignatureMethod.ECDSA_SHA384)
    assert refused(content, signing) == []


@pytest.mark.parametrize(
    "content",
    [
        cap("m-1").replace(b'xmlns="urn', b'xmlns:x="urn:example" x:kind="a" xmlns="urn'),
        cap("m-1").replace(b"<info>", b'<info xmlns:x="urn:example">'),
        cap("m-1").replace(b"</sender>", b"</sender><!-- no matter -->"),
        cap("m-1").replace(b"Heavy rain", b"<![CDATA[Heavy rain]]>"),
        cap("m-1")
        .replace(b"<", b"<cap:")
        .replace(b"<cap:/", b"</cap:")
        .replace(b"<cap:?", b"<?")
        .replace(b"xmlns=", b"xmlns:cap="),
    ],
)
def test_namespaces_prefixes_and_comments_do_not_hinder(content: bytes, signing: Policy) -> None:
    assert refused(signed(content), signing) == []


def test_utf_16_does_not_hinder(signing: Policy) -> None:
    text = signed().decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert refused(text, signing) == []


def test_a_comment_does_not_cut_a_text_short(signing: Policy) -> None:
    content = signed().replace(b"Heavy rain is", b"Heavy<!-- --> rain<!-- --> is")
    assert refused(content, signing) == []
    [message] = AnyReader(signing).read(content)
    assert message.infos[0].description == "Heavy rain is expected."


def test_only_the_bytes_that_are_signed_are_read(signing: Policy) -> None:
    """The signature's own element is not signed: whatever is put there is gone."""
    root = etree.fromstring(signed())
    etree.SubElement(found(root, "ds:Signature/ds:KeyInfo"), f"{{{'urn:example'}}}extra").text = "Extreme"
    [message] = AnyReader(signing).read(etree.tostring(root))
    assert message.signature is not None
    assert [note.code for note in message.notes] == []


def test_a_signature_without_a_certificate_is_tried_with_those_that_are_pinned(signing: Policy) -> None:
    root = etree.fromstring(signed(by=by_curve("meteorology")))
    signature = found(root, "ds:Signature")
    signature.remove(found(signature, "ds:KeyInfo"))
    assert refused(etree.tostring(root), signing) == []


@pytest.mark.parametrize("agency", ["water", "natural-resources"])
def test_a_certificate_of_one_agency_speaks_for_no_other(agency: str, signing: Policy) -> None:
    """Of an agency that signs, and of one that does not."""
    content = signed(LANDSLIDE if agency == "natural-resources" else cap("m-1", agency=agency, hazard="11A51"))
    assert codes(refused(content, signing, agency)) == [Code.SIGNATURE_KEY]


def test_the_sender_is_held_against_the_agency_even_when_the_signature_is_its_own(signing: Policy) -> None:
    content = signed(cap("m-1", agency="natural-resources"))
    assert codes(refused(content, signing)) == [Code.REMIT_SENDER]


@pytest.mark.parametrize("seconds", [-1, 0])
def test_a_certificate_counts_while_it_is_valid_when_the_message_arrives(seconds: int, signing: Policy) -> None:
    too_early, too_late = BEGINS + timedelta(seconds=seconds), ENDS - timedelta(seconds=seconds)
    expected = [Code.SIGNATURE_TIME] if seconds else []
    assert codes(refused(signed(), signing, now=too_early)) == expected
    assert codes(refused(signed(), signing, now=too_late)) == expected


def test_an_expired_certificate_that_is_still_pinned_is_refused() -> None:
    old = certified(by_rsa("meteorology").key, BEGINS, datetime(2021, 1, 1, tzinfo=UTC))
    assert codes(refused(signed(by=old), policy(meteorology=(old,)))) == [Code.SIGNATURE_TIME]


def test_a_new_certificate_of_an_old_key_must_be_pinned_too() -> None:
    old, new = by_rsa("meteorology"), certified(by_rsa("meteorology").key, BEGINS + timedelta(days=1))
    assert codes(refused(signed(by=new), policy(meteorology=(old,)))) == [Code.SIGNATURE_KEY]
    assert refused(signed(by=new), policy(meteorology=(old, new))) == []


@pytest.mark.parametrize(
    "content",
    [
        cap("m-1"),
        cn12379("33060041600000_20220913080000"),
        zipped(cn12379("33060041600000_20220913080000")),
        as_json(json_message("m-1")),
        cap("m-2", kind="Cancel", references=(("m-1", 0),)),
    ],
)
def test_no_format_is_a_way_around_a_signature(content: bytes, signing: Policy) -> None:
    [finding] = refused(content, signing)
    assert finding.code is Code.NO_SIGNATURE


def test_where_a_signature_is_optional_one_that_is_there_must_be_right() -> None:
    optional = policy('signatures = "optional"\n', meteorology=(by_rsa("meteorology"),))
    assert refused(cap("m-1"), optional) == []
    assert refused(signed(), optional) == []
    assert codes(refused(signed(by=by_rsa("stranger")), optional)) == [Code.SIGNATURE_KEY]
    assert codes(refused(ATTACKS["an altered text"][0](), optional)) == [Code.SIGNATURE]


def test_an_agency_without_certificates_is_heard_as_before(signing: Policy) -> None:
    for content in (
        LANDSLIDE,
        signed(LANDSLIDE, by=by_rsa("x")),
    ):
        assert refused(content, signing, "natural-resources") == []
    altered = signed(LANDSLIDE, by=by_rsa("x")).replace(b"Heavy", b"Light")
    [message] = AnyReader(signing).read(altered)
    assert [note.code for note in message.notes] == [Code.SIGNATURE]
    assert message.signature is None
    assert refused(altered, signing, "natural-resources") == []


def test_an_envelope_of_an_agency_that_signs_is_refused_and_says_what_to_send(signing: Policy) -> None:
    [finding] = refused(edxl(forged=False)(), signing)
    assert "send the alert itself" in finding.sentence


def test_a_policy_with_a_certificate_that_cannot_serve_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"agencies.meteorology.certificates\[2\]: an RSA key of 1024 bits"):
        AnyReader(policy(meteorology=(by_rsa("meteorology"), by_rsa("weak", 1024))))
    assert len(pinned_certificates(policy(meteorology=(by_rsa("meteorology"),) * 2))) == 1


PINNED = policy(meteorology=(by_rsa("meteorology"),))
ORIGINAL = signed()
[MESSAGE] = AnyReader(PINNED).read(ORIGINAL)


@given(place=st.integers(0, len(ORIGINAL) - 1), byte=st.integers(0, 255))
def test_no_altered_byte_alters_what_is_believed(place: int, byte: int) -> None:
    altered = ORIGINAL[:place] + bytes([byte]) + ORIGINAL[place + 1 :]
    _is_refused_or_says_the_same(altered)


@given(
    start=st.integers(0, len(ORIGINAL)),
    length=st.integers(0, 40),
    text=st.sampled_from(
        [b"", b"<!-- -->", b"<![CDATA[x]]>", b"<?p q?>", b"&#32;", b" ", b"\n", b"x", b"Extreme", b"<x/>", b'a="b"']
    ),
)
def test_nothing_put_in_or_cut_out_alters_what_is_believed(start: int, length: int, text: bytes) -> None:
    _is_refused_or_says_the_same(ORIGINAL[:start] + text + ORIGINAL[start + length :])


def _is_refused_or_says_the_same(altered: bytes) -> None:
    if not refused(altered, PINNED):
        [message] = AnyReader(PINNED).read(altered)
        assert message.model_copy(update={"notes": ()}) == MESSAGE


TEMPLATE = """<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>
<CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
<Reference URI=""><Transforms>
<Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
<Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></Transforms>
<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue/></Reference></SignedInfo>
<SignatureValue/><KeyInfo><X509Data/></KeyInfo></Signature>"""
"""What `docs/signatures.md` tells an agency to put in front of `</alert>`."""


@pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="xmlsec1 is not installed")
def test_what_xmlsec1_signs_is_accepted(tmp_path: Path, signing: Policy) -> None:
    template = tmp_path / "template.xml"
    template.write_bytes(cap("m-1").replace(b"</alert>", f"{TEMPLATE}</alert>".encode()))
    key, certificate = written(tmp_path, by_rsa("meteorology"))
    command = ["xmlsec1", "--sign", "--privkey-pem", f"{key},{certificate}", str(template)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    assert refused(done.stdout, signing) == []


def test_the_lenient_reader_reads_what_is_signed_by_anyone() -> None:
    for content in (signed(by=by_rsa("stranger")), bare_key()):
        assert AnyReader(checks=CapChecks.lenient()).read(content)
