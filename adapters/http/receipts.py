"""What a partner is told: receipts as JSON, and which answer a set of receipts makes."""

from collections.abc import Sequence
from datetime import UTC
from hashlib import sha256
from typing import Any, Final

from adapters.http.problems import Kind, ProblemError
from domain.contributions import MessageKey
from domain.findings import Code, Finding
from streams.intake import Outcome, Receipt

NO_DOCUMENT: Final = frozenset({Code.EMPTY, Code.NOT_XML, Code.NOT_JSON, Code.NOT_UTF8})
"""Findings that say that the bytes are no document at all: 400 rather than 422."""


def message_id(key: MessageKey) -> str:
    """The id of a message in answers: SHA-256 (hex) of `sender,identifier,sent`, `sent` in UTC.

    Two copies of one message have the same id, in whatever format and with whatever offset they came.
    """
    triple = f"{key.sender},{key.identifier},{key.sent.astimezone(UTC).isoformat()}"
    return sha256(triple.encode("utf-8", "surrogatepass")).hexdigest()


def finding_document(finding: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return {"code": finding.code.value, "path": finding.path, "sentence": finding.sentence}


def receipt_document(receipt: Receipt) -> dict[str, Any]:
    """A receipt as JSON. `raw_sha256` is of the bytes as they were kept: compare it with what you sent."""
    key = receipt.message
    document: dict[str, Any] = {
        "id": message_id(key) if key else None,
        "outcome": receipt.outcome.value,
        "duplicate": receipt.outcome is Outcome.DUPLICATE,
        "agency": receipt.agency,
        "identifier": key.identifier if key else None,
        "sender": key.sender if key else None,
        "sent": key.sent.isoformat() if key else None,
        "effect": receipt.effect or None,
        "districts": list(receipt.districts),
        "notes": [finding_document(found) for found in receipt.findings if not found.refuses],
        "raw_sha256": receipt.raw_sha256,
    }
    if receipt.outcome is Outcome.REJECTED:
        document["findings"] = [finding_document(found) for found in receipt.findings if found.refuses]
    return document


def accepted_or_problem(receipts: Sequence[Receipt]) -> dict[str, Any]:
    """The body of the 202 answer.

    Raises:
        ProblemError: one message or more was refused or is a conflicting copy. A sender who looks at the status alone
            must not believe that all is well; the receipts tell what was taken all the same.
    """
    documents = [receipt_document(receipt) for receipt in receipts]
    refused = [place for place, one in enumerate(receipts) if one.outcome is Outcome.REJECTED]
    if refused:
        findings = [
            {"message": place, **finding_document(found)}
            for place in refused
            for found in receipts[place].findings
            if found.refuses
        ]
        detail = f"{len(refused)} of {len(receipts)} messages refused: {findings[0]['sentence']}"
        raise ProblemError(_kind_of(findings), detail, more={"findings": findings, "receipts": documents})
    conflicts = [place for place, one in enumerate(receipts) if one.outcome is Outcome.CONFLICTING_COPY]
    if conflicts:
        findings = [
            {"message": place, "code": Code.CONFLICTING_COPY.value, "path": "/", "sentence": Kind.CONFLICT.value.title}
            for place in conflicts
        ]
        raise ProblemError(Kind.CONFLICT, more={"findings": findings, "receipts": documents})
    return {"receipts": documents}


def _kind_of(findings: Sequence[dict[str, Any]]) -> Kind:
    codes = {Code(found["code"]) for found in findings}
    if Code.INTERNAL in codes:
        return Kind.INTERNAL
    if codes == {Code.TOO_LARGE}:
        return Kind.TOO_LARGE
    return Kind.MALFORMED if codes <= NO_DOCUMENT else Kind.REFUSED
