"""`POST /v1/agencies/{agency}/messages`: from a request to receipts. The order of the checks is the order below."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.cap.json_form import MessageForm
from adapters.cap.json_messages import each_message
from adapters.http.access import Door
from adapters.http.batching import IntakeFailedError, IntakeFullError, IntakeWorker
from adapters.http.bodies import BodyBudget, Document, body_of, declared_document, document_in
from adapters.http.metrics import Metrics
from adapters.http.peers import address_of, counted_as
from adapters.http.problems import MEDIA_TYPE as PROBLEM_MEDIA_TYPE
from adapters.http.problems import Kind, ProblemError, request_id_of
from adapters.http.rates import RateLimiter, whole_seconds
from adapters.http.receipts import accepted_or_problem
from adapters.http.settings import HttpSettings
from domain.ports import Clock
from streams.intake import Delivery, Receipt

RETRY_SECONDS: Final = "1"


@dataclass(slots=True)
class Intake:
    """What a request is taken through."""

    door: Door
    worker: IntakeWorker
    clock: Clock
    settings: HttpSettings
    metrics: Metrics
    budget: BodyBudget
    agencies: RateLimiter
    addresses: RateLimiter

    async def answer(self, request: Request, agency: str) -> Response:
        """Take the messages of one request in.

        Raises:
            ProblemError: whatever kept them out, or what was found in them.
        """
        try:
            receipts = await self._receipts(request, agency)
        except ProblemError as error:
            self.metrics.turned_away(error.kind.value.name)
            raise
        answer = msgspec.json.encode(accepted_or_problem(receipts))
        return Response(answer, 202, media_type="application/json")

    async def _receipts(self, request: Request, agency: str) -> Sequence[Receipt]:
        address = counted_as(address_of(request, self.settings))
        self._take_tokens(self.addresses, address, 1, "address")
        now = self.clock.now()
        try:
            admitted = self.door.admit(request, agency, now)
        except ProblemError:
            self.addresses.charge(address, self.settings.refused_key_cost, time.monotonic())
            raise
        self._take_tokens(self.agencies, agency, 1, "agency")
        declared = declared_document(request)
        body = await body_of(request, self.settings, self.budget)
        try:
            # The body may have taken long: the time of the check is the time of use.
            signed = self.door.verify_body(admitted, body, self.clock.now())
            try:
                contents = self._contents(body, declared)
                self._take_tokens(self.agencies, agency, len(contents) - 1, "agency")
                origin = f"http {agency}/{admitted.key_id}@{address} {request_id_of(request)}"
                return await self._taken(contents, agency, origin, signed)
            except ProblemError:
                if signed is not None:
                    self.door.abandon(signed)
                raise
        finally:
            self.budget.release(len(body))

    def _contents(self, body: bytes, declared: Document | None) -> Sequence[bytes]:
        """The body, or each message of a JSON array by itself."""
        if document_in(body, declared) is not Document.JSON:
            return [body]
        messages = each_message(body) or [body]
        if len(messages) > self.settings.max_messages:
            raise ProblemError(Kind.TOO_LARGE, f"One request holds at most {self.settings.max_messages} messages.")
        return messages

    async def _taken(
        self, contents: Sequence[bytes], agency: str, origin: str, signed: tuple[str, str] | None
    ) -> Sequence[Receipt]:
        deliveries = [
            Delivery(content=content, agency=agency, source=f"{origin}#{place}" if len(contents) > 1 else origin)
            for place, content in enumerate(contents)
        ]
        try:
            shares = await self.worker.take(deliveries, signed=signed)
        except (IntakeFullError, IntakeFailedError) as error:
            raise ProblemError(Kind.UNAVAILABLE, str(error), headers={"Retry-After": RETRY_SECONDS}) from error
        return [receipt for share in shares for receipt in share]

    def _take_tokens(self, limiter: RateLimiter, name: str, cost: float, by: str) -> None:
        wait_seconds = limiter.take(name, cost, time.monotonic()) if cost > 0 else 0.0
        if wait_seconds:
            self.metrics.limited(by)
            raise ProblemError(
                Kind.TOO_MANY,
                f"This {by} sends faster than it may.",
                headers={"Retry-After": whole_seconds(wait_seconds)},
            )


def messages_router(intake: Intake) -> APIRouter:
    """The route, with what OpenAPI tells about it."""
    router = APIRouter(tags=["agencies"])

    async def post_messages(request: Request, agency: str) -> Response:
        """Take in one message or several of an agency.

        XML (CAP 1.0 to 1.2, EDXL, 12379), a zip of one 12379 XML, or CAP as JSON: one message or an array of them.
        What is answered 202 is stored durably. Refused messages are answered 422 with every finding.
        """
        return await intake.answer(request, agency)

    router.add_api_route(
        "/v1/agencies/{agency}/messages",
        post_messages,
        methods=["POST"],
        status_code=202,
        response_class=Response,
        responses=_RESPONSES,
        openapi_extra=_openapi(),
        operation_id="post_messages",
    )
    return router


_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "message": {"type": "integer", "description": "Which receipt, from 0."},
                    "code": {"type": "string"},
                    "path": {"type": "string"},
                    "sentence": {"type": "string"},
                },
            },
        },
        "receipts": {"type": "array", "items": {"type": "object"}},
    },
}

_RECEIPT: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "id": {"type": ["string", "null"], "description": "SHA-256 of sender, identifier and sent."},
        "outcome": {"enum": ["accepted", "duplicate", "conflicting-copy", "rejected"]},
        "duplicate": {"type": "boolean"},
        "agency": {"type": ["string", "null"]},
        "identifier": {"type": ["string", "null"]},
        "sender": {"type": ["string", "null"]},
        "sent": {"type": ["string", "null"], "format": "date-time"},
        "effect": {"type": ["string", "null"], "description": "Why it changed nothing, if it did not."},
        "districts": {"type": "array", "items": {"type": "string"}},
        "notes": {"type": "array", "items": {"type": "object"}},
        "raw_sha256": {"type": "string"},
    },
}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {PROBLEM_MEDIA_TYPE: {"schema": _PROBLEM}}}


_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "description": "Stored durably; one receipt for each message.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"receipts": {"type": "array", "items": _RECEIPT}},
                }
            }
        },
    },
    400: _problem("The bytes are no document of the format."),
    401: _problem("No usable key, certificate or signature."),
    403: _problem("The key belongs to another agency."),
    408: _problem("The body did not come in time."),
    409: _problem("A conflicting copy, or a request that was answered before."),
    413: _problem("The body is too large."),
    415: _problem("The content type is none that is taken."),
    422: _problem("A message was refused; every finding is listed."),
    429: _problem("Too many at once; see Retry-After."),
    503: _problem("Nothing was taken; see Retry-After."),
}


def _openapi() -> dict[str, Any]:
    form = MessageForm.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = form.pop("$defs", {})
    inlined = _inlined(form, parts)
    return {
        "security": [{"bearer": []}, {"apiKey": []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/cap+xml": {"schema": {"type": "string"}},
                "application/xml": {"schema": {"type": "string"}},
                "application/zip": {"schema": {"type": "string", "format": "binary"}},
                "application/json": {"schema": {"oneOf": [inlined, {"type": "array", "items": inlined}]}},
            },
        },
    }


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:  # noqa: ANN401 -- a JSON document
    """The schema without references, since they would point into another document's parts."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
        return {name: _inlined(value, parts) for name, value in schema.items()}
    return [_inlined(item, parts) for item in schema] if isinstance(schema, list) else schema
