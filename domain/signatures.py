"""Whether an agency is believed under the signature of its message, or without one.

That a signature fits what was read is for the readers to find out, who have the bytes; what follows from it is decided
here, so that it holds wherever a message comes in.
"""

from collections.abc import Iterable

from domain.findings import Code, Finding, refusal
from domain.messages import AgencyMessage, MessageFormat, MessageType
from domain.policy import AgencyDefinition, Policy
from domain.values import Moment

SIGNATURE_PATH = "/alert/Signature"


def an_agency_that_signs_is_believed_only_under_its_own_certificate(
    message: AgencyMessage, agency: AgencyDefinition, policy: Policy, now: Moment
) -> Iterable[Finding]:
    """Every reason for which the message's signature, or its absence, refuses it.

    The certificate must be valid when the message arrives: when it was signed is only what the signer says.
    A signature under another agency's certificate is refused of any agency, for then someone is not who he says.
    """
    signature = message.signature
    if signature is None:
        if agency.certificates and not _is_our_own_observation(message):
            yield from _not_verified(message, agency)
        return
    owners = policy.owners_of_certificate(signature.certificate_sha256)
    if owners and agency.id not in owners:
        sentence = f"the message is signed with a certificate of {', '.join(owners)}, not of agency {agency.id}"
        yield refusal(Code.SIGNATURE_KEY, SIGNATURE_PATH, sentence)
    elif agency.certificates and not owners:
        short = signature.certificate_sha256[:16]
        sentence = f"the message is signed with a certificate (SHA-256 {short}…) that is none of agency {agency.id}'s"
        yield refusal(Code.SIGNATURE_KEY, SIGNATURE_PATH, sentence)
    elif agency.certificates and now < signature.not_before:
        sentence = f"the certificate that signs the message is valid only from {signature.not_before.isoformat()} on"
        yield refusal(Code.SIGNATURE_TIME, SIGNATURE_PATH, sentence)
    elif agency.certificates and now > signature.not_after:
        sentence = f"the certificate that signs the message expired at {signature.not_after.isoformat()}"
        yield refusal(Code.SIGNATURE_TIME, SIGNATURE_PATH, sentence)


def _is_our_own_observation(message: AgencyMessage) -> bool:
    """Whether nobody sent this: an item is no longer listed, and ends what it said while it was.

    It could not be signed, and without it a warning of a list would never end once its agency begins to sign.
    """
    return message.listed and message.format is MessageFormat.LIST and message.message_type is MessageType.CANCEL


def _not_verified(message: AgencyMessage, agency: AgencyDefinition) -> Iterable[Finding]:
    """A signature that is there must be right even where none is asked for."""
    fault = next((found for found in message.notes if found.code is Code.SIGNATURE), None)
    if fault is not None:
        yield refusal(Code.SIGNATURE, fault.path, fault.sentence)
    elif agency.must_sign:
        how = "" if message.format is MessageFormat.CAP else ", which this format has no place for: send CAP XML"
        sentence = f"agency {agency.id} signs its messages, and this one has no XML signature{how}"
        yield refusal(Code.NO_SIGNATURE, "/", sentence)
