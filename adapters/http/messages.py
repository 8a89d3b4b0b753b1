"""`POST /v1/agencies/{agency}/messages`: from a request to receipts. The order of the checks is the order below."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.cap.json_messages import each_message
from adapters.http import documentation as said
from adapters.http.access import Door
from adapters.http.batching import IntakeFailedError, IntakeFullError, IntakeWorker
from adapters.http.bodies import BodyBudget, Document, body_of, declared_document, document_in
from adapters.http.metrics import Metrics
from adapters.http.peers import address_of, counted_as
from adapters.http.problems import Kind, ProblemError, request_id_of
from adapters.http.rates import RateLimiter, whole_seconds
from adapters.http.receipts import accepted_or_problem
from adapters.http.settings import HttpSettings
from adapters.http.turned_away import TurnedAway
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
    turned_away: TurnedAway
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
            name = error.kind.value.name
            self.metrics.turned_away(name)
            address = counted_as(address_of(request, self.settings))
            self.turned_away.count(name, self.clock.now(), agency=agency, address=address)
            raise
        answer = msgspec.json.encode(accepted_or_problem(receipts))
        return Response(answer, 202, media_type="application/json")

    async def _receipts(self, request: Request, agency: str) -> Sequence[Receipt]:
        address = counted_as(address_of(request, self.settings))
        self._take_tokens(self.addresses, address, 1, "address")
        # Before the key is looked at: what an agency sends beyond its rate must cost the others as little as it can.
        self._refuse_if_too_fast(self.agencies.wait_seconds(agency, 1, time.monotonic()), "agency")
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
        self._refuse_if_too_fast(limiter.take(name, cost, time.monotonic()) if cost > 0 else 0.0, by)

    def _refuse_if_too_fast(self, wait_seconds: float, by: str) -> None:
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
        summary="Hand over one message or several of an agency",
        methods=["POST"],
        status_code=202,
        response_class=Response,
        responses=said.INTAKE_RESPONSES,
        openapi_extra=said.intake_request(),
        operation_id="post_messages",
    )
    return router
