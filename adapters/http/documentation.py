"""What OpenAPI says of the intake and of health: shapes, examples, and every answer.

The routes that these words belong to are in `messages.py` and `health.py`; the public API has words of its own.
"""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from adapters.cap.json_form import MessageForm
from adapters.http.problems import MEDIA_TYPE as PROBLEM_MEDIA_TYPE
from adapters.http.problems import Kind

EXAMPLES: Final = Path(__file__).parent / "examples"
"""Requests that this server takes, and what it answered to them; a test holds them against the schemas."""


def example_text(name: str) -> str:
    """An example as it stands."""
    return (EXAMPLES / name).read_text(encoding="utf-8")


def example(name: str) -> Any:  # noqa: ANN401 -- a JSON document
    """A JSON example."""
    return json.loads(example_text(name))


def reference(name: str) -> dict[str, Any]:
    """A reference to a schema of this document."""
    return {"$ref": f"#/components/schemas/{name}"}


_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}

FINDING: Final[dict[str, Any]] = {
    "type": "object",
    "description": "One thing found; `docs/codes.md` lists the codes, which are never renamed.",
    "required": ["code", "path", "sentence"],
    "properties": {
        "message": {"type": "integer", "minimum": 0, "description": "Which receipt of the answer, from 0."},
        "code": {**_TEXT, "examples": ["remit-level"]},
        "path": {**_TEXT, "description": "Where in the document, or `/` for the whole."},
        "sentence": {**_TEXT, "description": "For people."},
    },
    "additionalProperties": False,
}
RECEIPT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What became of one message.",
    "required": [
        "id",
        "outcome",
        "duplicate",
        "agency",
        "identifier",
        "sender",
        "sent",
        "effect",
        "districts",
        "notes",
        "raw_sha256",
    ],
    "properties": {
        "id": {**_TEXT_OR_NULL, "description": "SHA-256 (hex) of `sender,identifier,sent`, `sent` in UTC."},
        "outcome": {**_TEXT, "enum": ["accepted", "duplicate", "conflicting-copy", "rejected"]},
        "duplicate": {"type": "boolean"},
        "agency": _TEXT_OR_NULL,
        "identifier": _TEXT_OR_NULL,
        "sender": _TEXT_OR_NULL,
        "sent": {**_TEXT_OR_NULL, "format": "date-time"},
        "effect": {**_TEXT_OR_NULL, "description": "Why it changed nothing, if it did not."},
        "districts": {"type": "array", "items": _TEXT, "description": "Where something changed."},
        "notes": {
            "type": "array",
            "items": reference("MessageFinding"),
            "description": "What did not hinder understanding.",
        },
        "findings": {"type": "array", "items": reference("MessageFinding"), "description": "Why it was refused."},
        "raw_sha256": {**_TEXT, "description": "Of the bytes as they were kept: compare it with what you sent."},
    },
    "additionalProperties": False,
}
RECEIPTS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["receipts"],
    "properties": {"receipts": {"type": "array", "items": reference("Receipt")}},
    "additionalProperties": False,
}
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "An RFC 9457 problem document. Programs match on `type` and, where there is one, on `code`.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {**_TEXT, "pattern": "^urn:single-outlet:problem:|^about:blank$"},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {**_TEXT, "description": "What happened this time."},
        "instance": {**_TEXT, "description": "Names the request; the id is in `X-Request-Id` as well."},
        "code": {**_TEXT, "description": "Of the public API: which of its refusals this is."},
        "findings": {"type": "array", "items": reference("MessageFinding")},
        "receipts": {"type": "array", "items": reference("Receipt")},
        "checks": {"type": "object", "additionalProperties": _TEXT, "description": "Of `/readyz`."},
    },
}
CHECKS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["checks"],
    "properties": {"checks": {"type": "object", "additionalProperties": {"const": "ok"}}},
}
SCHEMAS: Final = {"MessageFinding": FINDING, "Receipt": RECEIPT, "Receipts": RECEIPTS, "Problem": PROBLEM}


def problem(description: str) -> dict[str, Any]:
    """An answer with a problem document; the examples of its status are added to the whole document."""
    return {"description": description, "content": {PROBLEM_MEDIA_TYPE: {"schema": reference("Problem")}}}


INTAKE_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "description": "Stored durably; one receipt for each message.",
        "content": {"application/json": {"schema": reference("Receipts")}},
    },
    400: problem("The bytes are no document of the format."),
    401: problem("No usable key, certificate or signature."),
    403: problem("The key belongs to another agency."),
    408: problem("The body did not come in time."),
    409: problem("A conflicting copy, or a request that was answered before."),
    413: problem("The body is too large, or holds too many messages."),
    415: problem("The content type is none that is taken, or the body is of another."),
    422: problem("A message was refused; every finding is listed."),
    429: problem("Too many at once; see Retry-After."),
    500: problem("A defect of this outlet; what it concerns is parked."),
    503: problem("Nothing was taken; see Retry-After."),
}
LIVE_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The process answers.", "content": {"text/plain": {"schema": {"const": "ok"}}}}
}
READY_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Everything works.", "content": {"application/json": {"schema": CHECKS}}},
    503: problem("Something does not; `checks` says what."),
}
METRICS_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Prometheus's text form 0.0.4.", "content": {"text/plain": {"schema": _TEXT}}},
    403: problem("Not for this address."),
}


def intake_request() -> dict[str, Any]:
    """The parameters, the body and the ways to show a key."""
    form = MessageForm.model_json_schema(ref_template="#/components/schemas/{model}")
    message = inlined(form, form.pop("$defs", {}))
    cap = {"schema": _TEXT, "example": example_text("message.cap.xml")}
    cn12379 = {"summary": "12379", "value": example_text("message.12379.xml")}
    both = {"cap": {"summary": "CAP 1.2", "value": example_text("message.cap.xml")}, "12379": cn12379}
    return {
        "security": [{"bearer": []}, {"apiKey": []}],
        "parameters": [
            {
                "name": "agency",
                "in": "path",
                "required": True,
                "description": "The agency's id in the outlet's policy; the key must be its own.",
                "schema": _TEXT,
                "example": "water",
            },
            *(_header(name, words) for name, words in _SIGNED.items()),
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/cap+xml": cap,
                "application/xml": {"schema": _TEXT, "examples": both},
                "text/xml": {"schema": _TEXT, "examples": both},
                "application/zip": {"schema": {"type": "string", "format": "binary"}},
                "application/json": {
                    "schema": {"anyOf": [message, {"type": "array", "items": message}]},
                    "example": example("message.json"),
                },
            },
        },
    }


_SIGNED: Final = {
    "webhook-id": "The request's own id; required where the agency has a signing secret (Standard Webhooks).",
    "webhook-timestamp": "When it was signed: seconds since 1970, at most five minutes from now.",
    "webhook-signature": "`v1,` and the base64 of the HMAC-SHA256 over `id.timestamp.body`; several apart by spaces.",
}


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": _TEXT}


def inlined(schema: Any, parts: dict[str, Any]) -> Any:  # noqa: ANN401 -- a JSON document
    """The schema without references, since they would point into another document's parts."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
        return {name: inlined(value, parts) for name, value in schema.items()}
    return [inlined(item, parts) for item in schema] if isinstance(schema, list) else schema


def kinds_of(status: int) -> list[Kind]:
    """Every kind of problem that comes with a status."""
    return [kind for kind in Kind if kind.value.status is HTTPStatus(status)]
