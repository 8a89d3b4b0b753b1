"""The reader of CAP: bytes to messages, or the one error with every reason. Start here.

The order: the safe parser, the envelope, then for each alert its signature, its schema, and our own rules. A plain
document needs no parser (`plain.py`); it has no envelope and no signature, and its form is a valid one.
"""

from collections.abc import Sequence

from lxml import etree

from adapters.cap.alert import read_alert, read_valid
from adapters.cap.checks import CapChecks, Verdict
from adapters.cap.envelope import alerts_within
from adapters.cap.findings import Found
from adapters.cap.plain import plain_fields
from adapters.cap.signature import mentions_signatures, signature_fault, take_signatures
from adapters.cap.vocabulary import SIGNATURE_TAG
from adapters.xml.safe import DEFAULT_LIMITS, XmlLimits, checked, parse_checked
from domain.findings import Code, Finding, RefusedMessageError, note
from domain.messages import AgencyMessage


class CapReader:
    """Reads CAP 1.0, 1.1 and 1.2, alone, in EDXL distributions and in Atom feeds of whole alerts.

    One reader serves any number of threads.
    """

    def __init__(
        self, checks: CapChecks | None = None, limits: XmlLimits = DEFAULT_LIMITS, *, short_way: bool = True
    ) -> None:
        """Read by these checks; without `short_way` plain documents take the long way too, to the same end."""
        self._checks = checks or CapChecks()
        self._limits = limits
        self._short_way = short_way

    def read(self, content: bytes) -> Sequence[AgencyMessage]:
        """The messages in these bytes, in document order, at least one.

        Raises:
            RefusedMessageError: with every finding; the only error that this may raise.
        """
        document = checked(content, self._limits)
        found = Found(self._checks, size=len(content))
        plain = plain_fields(document, found) if self._short_way else None
        if plain is None:
            return self._read_tree(content, document)
        fields, alert = plain
        message = read_valid(alert, fields, found)
        if message is None:
            raise RefusedMessageError(found.findings)
        return [message]

    def _read_tree(self, content: bytes, document: bytes) -> Sequence[AgencyMessage]:
        root, texts_are_whole = parse_checked(document)
        envelope = Found(self._checks, size=len(content))
        alerts = alerts_within(root, envelope)
        if envelope.refused:
            raise RefusedMessageError(envelope.findings)
        is_signed = mentions_signatures(content)
        read: list[AgencyMessage] = []
        refused: list[Finding] = []
        for alert in alerts:
            found = Found(self._checks, size=len(content))
            if is_signed:
                self._check_signature(content, alert, found)
            message = read_alert(alert, found, texts_are_whole=texts_are_whole)
            if message is None:
                refused += found.findings
            else:
                read.append(message)
        return self._outcome(read, refused, envelope.findings)

    def _check_signature(self, content: bytes, alert: etree._Element, found: Found) -> None:
        verdict = self._checks.signature
        is_root = alert.getparent() is None
        signatures = alert.findall(SIGNATURE_TAG)
        if not signatures or verdict is Verdict.IGNORE:
            take_signatures(alert)
            return
        fault = signature_fault(content) if is_root else "A signature inside an envelope is not checked."
        if fault:
            found.add(verdict, Code.SIGNATURE, signatures[0], fault)
        # CAP's older schemas have no place for signatures.
        take_signatures(alert)

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
