"""When an agency is believed under a signature, and what a policy may say of certificates."""

import base64
from datetime import timedelta

import pytest

from domain.certificates import MOST_CERTIFICATES, SignedBy, certificate_bytes, fingerprint
from domain.findings import Code, note
from domain.interpretation import interpret
from domain.messages import AgencyMessage, MessageFormat, MessageType
from domain.policy import Policy, PolicyError
from tests.domain.builders import SKY, START, WATER, FakeGazetteer, info, message, policy_with

DAY = timedelta(days=1)


def pem(content: bytes) -> str:
    """A text in the form of a certificate: the domain does not look inside."""
    return f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(b'0' + content).decode()}\n-----END CERTIFICATE-----\n"


def pinning(more: str = "", **agencies: str) -> Policy:
    """The small outlet with these certificates."""
    return policy_with(
        replaced={
            f'id = "{agency}"\n': f'id = "{agency}"\ncertificates = ["""{text}"""]\n{more}'
            for agency, text in agencies.items()
        }
    )


OWN, OTHER, STRANGE = pem(b"own"), pem(b"other"), pem(b"strange")
POLICY = pinning(meteorology=OWN, water=OTHER)


def signed(text: str, one: AgencyMessage | None = None) -> AgencyMessage:
    mark = SignedBy(
        certificate_sha256=fingerprint(certificate_bytes(text)), not_before=START - DAY, not_after=START + DAY
    )
    return (one or message("a", info())).model_copy(update={"signature": mark})


def refused(
    one: AgencyMessage, agency: str = SKY, policy: Policy = POLICY, late: timedelta = timedelta(0)
) -> list[Code]:
    meaning = interpret(one, agency_id=agency, policy=policy, gazetteer=FakeGazetteer(), now=START + late)
    return [finding.code for finding in meaning.findings if finding.refuses]


def test_its_own_certificate_is_believed() -> None:
    assert refused(signed(OWN)) == []


@pytest.mark.parametrize(("late", "expected"), [(-2 * DAY, 1), (-DAY, 0), (DAY, 0), (2 * DAY, 1)])
def test_a_certificate_counts_from_its_first_moment_to_its_last(late: timedelta, expected: int) -> None:
    assert refused(signed(OWN), late=late) == [Code.SIGNATURE_TIME] * expected


@pytest.mark.parametrize("text", [OTHER, STRANGE])
def test_no_other_certificate_is_believed(text: str) -> None:
    assert refused(signed(text)) == [Code.SIGNATURE_KEY]


def test_another_agencys_certificate_is_refused_of_an_agency_that_does_not_sign() -> None:
    land = message("a", info(), sender="land@shaoxing.example")
    assert refused(signed(OWN, land), "natural-resources") == [Code.SIGNATURE_KEY]
    assert refused(signed(STRANGE, land), "natural-resources") == []


def test_one_certificate_may_be_two_agencies() -> None:
    shared = pinning(meteorology=OWN, water=OWN)
    assert refused(signed(OWN), SKY, shared) == []
    assert refused(signed(OWN), WATER, shared) == []


def test_an_unsigned_message_of_an_agency_that_signs_is_refused() -> None:
    assert refused(message("a", info())) == [Code.NO_SIGNATURE]


def test_a_signature_that_does_not_verify_is_told_apart_from_none() -> None:
    broken = message("a", info(), notes=(note(Code.SIGNATURE, "/alert/Signature", "It does not verify."),))
    assert refused(broken) == [Code.SIGNATURE]


def test_optional_signatures_may_be_absent_and_not_wrong() -> None:
    policy = pinning('signatures = "optional"\n', meteorology=OWN)
    broken = message("a", info(), notes=(note(Code.SIGNATURE, "/alert/Signature", "It does not verify."),))
    assert refused(message("a", info()), SKY, policy) == []
    assert refused(broken, SKY, policy) == [Code.SIGNATURE]
    assert refused(signed(STRANGE), SKY, policy) == [Code.SIGNATURE_KEY]


def test_what_a_list_no_longer_shows_ends_though_nobody_signed_that() -> None:
    gone = message("a", message_type=MessageType.CANCEL, format=MessageFormat.LIST, listed=True)
    assert refused(gone) == []
    shown = gone.model_copy(update={"message_type": MessageType.ALERT, "infos": (info(),)})
    assert refused(shown) == [Code.NO_SIGNATURE]
    assert refused(gone.model_copy(update={"listed": False})) == [Code.NO_SIGNATURE]


def test_a_message_without_a_signature_is_stored_as_before_there_were_any() -> None:
    plain = message("a", info())
    assert b"signature" not in plain.model_dump_json().encode()
    again = AgencyMessage.model_validate_json(signed(OWN).model_dump_json())
    assert again == signed(OWN)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not one certificate"),
        ("nothing", "not one certificate"),
        (OWN + OTHER, "not one certificate"),
        (OWN.replace("CERTIFICATE", "PRIVATE KEY"), "not one certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----", "not a certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "no DER sequence"),
    ],
)
def test_a_text_that_is_no_certificate_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(PolicyError, match=rf"certificates\[1\]: .*{words}"):
        pinning(meteorology=text)


def test_asking_for_signatures_without_certificates_is_refused() -> None:
    with pytest.raises(PolicyError, match="says nothing without certificates"):
        policy_with(replaced={'id = "meteorology"\n': 'id = "meteorology"\nsignatures = "required"\n'})


def test_too_many_certificates_are_refused() -> None:
    many = ", ".join(f'"""{OWN}"""' for _ in range(MOST_CERTIFICATES + 1))
    with pytest.raises(PolicyError, match="too many"):
        policy_with(replaced={'id = "meteorology"\n': f'id = "meteorology"\ncertificates = [{many}]\n'})
