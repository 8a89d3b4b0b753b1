"""Receipts and findings as JSON, as commands print them and the inbox keeps them; HTTP has a form of its own."""

from typing import Any

from domain.findings import Finding
from streams.intake import Receipt


def finding_document(finding: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return finding.model_dump(mode="json")


def receipt_document(receipt: Receipt) -> dict[str, Any]:
    """A receipt as JSON."""
    return {
        "source": receipt.source,
        "outcome": receipt.outcome.value,
        "agency": receipt.agency,
        "message": receipt.message.model_dump(mode="json") if receipt.message else None,
        "effect": receipt.effect or None,
        "districts": list(receipt.districts),
        "raw_sha256": receipt.raw_sha256,
        "findings": [finding_document(finding) for finding in receipt.findings],
    }
