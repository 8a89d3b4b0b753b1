"""The reader of CAP: bytes to messages, or the one error with every reason. Start here.

The order: the safe parser, the envelope, then for each alert its signature, its schema, and our own rules. Where the
signature verifies, only the bytes that it covers are read on. A plain document needs no parser (`plain.py`); it has no
envelope and no signature, and its form is a valid one.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from lxml import etree

from adapters.cap.alert import read_alert, read_valid
from adapters.cap.checks import CapChecks, Verdict
from adapters.cap.envelope import alerts_within
from adapters.cap.findings import Found
from adapters.cap.plain import plain_fields
from adapters.cap.signature import mentions_signatures, take_signatures
from adapters.cap.vocabulary import SIGNATURE_TAG
from adapters.xml.safe import DEFAULT_LIMITS, XmlLimits, checked, parse_checked
from domain.certificates import SignedBy
from domain.findings import Code, Finding, RefusedMessageError, note
from domain.messages import AgencyMessage

if TYPE_CHECKING:
    from adapters.cap.certificates import Certificates

_IN_AN_ENVELOPE = "A signature inside an envelope is not checked; send the alert itself."


class _Opened(NamedTuple):
    """An alert as it is read on, and who signed it, if that is sure."""

    alert: etree._Element
    texts_are_whole: bool
    signed_by: SignedBy | None = None


class CapReader:
    """Reads CAP 1.0, 1.1 and 1.2, alone, in EDXL distributions and in Atom feeds of whole alerts.

    One reader serves any number of threads.
    """

    def __init__(
        self,
        checks: CapChecks | None = None,
        limits: XmlLimits = DEFAULT_LIMITS,
        *,
        short_way: bool = True,
        pinned: "Certificates | None" = None,
    ) -> None:
        """Read by these checks; without `short_way` plain documents take the long way too, to the same end.

        `pinned` are the certificates that the policy knows; they need not be those of the agency that sends.
        """
        self._checks = checks or CapChecks()
        self._limits = limits
        self._short_way = short_way
        self._pinned = pinned or {}

    def read(self, content: bytes) -> Sequence[AgencyMessage]:
        """The messages in these bytes, in document order, at least one.

        Raises:
            RefusedMessageError: with every finding; the only error that this may raise.
        """
        document = checked(content, self._limits)
        found = Found(self._checks, size=len(content))
        plain = plain_fields(document, found) if self._short_way else None
        if plain is None:
            return self._read_tree(document, len(content))
        fields, alert = plain
        message = read_valid(alert, fields, found)
        if message is None:
            raise RefusedMessageError(found.findings)
        return [message]

    def _read_tree(self, document: bytes, size: int) -> Sequence[AgencyMessage]:
        root, texts_are_whole = parse_checked(document)
        envelope = Found(self._checks, size=size)
        alerts = alerts_within(root, envelope)
        if envelope.refused:
            raise RefusedMessageError(envelope.findings)
        is_signed = mentions_signatures(document)
        read: list[AgencyMessage] = []
        refused: list[Finding] = []
        for alert in alerts:
            found = Found(self._checks, size=size)
            opened = _Opened(alert, texts_are_whole)
            if is_signed:
                opened = self._opened(document, opened, found)
            message = read_alert(opened.alert, found, texts_are_whole=opened.texts_are_whole)
            if message is None:
                refused += found.findings
            elif opened.signed_by is not None:
                read.append(message.model_copy(update={"signature": opened.signed_by}))
            else:
                read.append(message)
        return self._outcome(read, refused, envelope.findings)

    def _opened(self, document: bytes, sent: _Opened, found: Found) -> _Opened:
        """The alert out of what its signature covers; where that proves nothing, as it was sent and with a finding.

        What follows from a signature that proves nothing is for the domain to say, which knows the agency. So where
        certificates are pinned it is noted at least.
        """
        # Few messages are signed, and loading the cryptography takes longer than reading thousands that are not.
        from adapters.cap.verification import verified  # noqa: PLC0415

        verdict = self._checks.signature
        if verdict is Verdict.IGNORE and self._pinned:
            verdict = Verdict.NOTE
        signature = next(sent.alert.iter(SIGNATURE_TAG), None)
        if signature is not None and verdict is not Verdict.IGNORE:
            is_root = sent.alert.getparent() is None
            outcome = verified(document, self._pinned, self._limits) if is_root else _IN_AN_ENVELOPE
            if not isinstance(outcome, str):
                root, texts_are_whole = parse_checked(checked(outcome.content, self._limits))
                return _Opened(root, texts_are_whole, outcome.signed_by)
            found.add(verdict, Code.SIGNATURE, signature, outcome)
        # CAP's older schemas have no place for signatures.
        take_signatures(sent.alert)
        return sent

    def _outcome(
        self, read: list[AgencyMessage], refused: list[Finding], around: list[Finding]
    ) -> Sequence[AgencyMessage]:
        """All or nothing, unless the policy lets the sound messages of an envelope through.

        What refused the others is then noted on the first, so that no refusal passes unrecorded.
        """
        if refused and (not read or self._checks.partial_envelope is Verdict.REFUSE):
            raise RefusedMessageError([*around, *refused])
        if not refused and not around:
            return read
        notes = list(around)
        if refused:
            notes.append(note(Code.ENVELOPE, "/", "Another message in the same envelope was refused."))
            notes += [finding.model_copy(update={"refuses": False}) for finding in refused]
        first = read[0]
        return [first.model_copy(update={"notes": (*first.notes, *notes)}), *read[1:]]
