"""`POST /v1/gateways/{route}/receipts` and `/messages`: where gateways report what became of letters and what came.

Who may call, and what a report says, is the route's profile's to tell (`adapters/channels/gateway*.py`). What is
answered 200 is on the disk.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, assert_never

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from adapters.channels.gateway_callbacks import (
    MOST_BODY_BYTES,
    Callback,
    CallbackReceiver,
    CallbackRefusedError,
    Fault,
    Subject,
)
from adapters.http.bodies import BodyBudget, body_of
from adapters.http.documentation import problem
from adapters.http.problems import Kind, ProblemError
from adapters.http.settings import HttpSettings

MOST_HELD_BYTES: Final = 32 * MOST_BODY_BYTES
RETRY_SECONDS: Final = "5"

_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "All of it is kept; what the gateway expects to be answered.", "content": {"text/plain": {}}},
    400: problem("It cannot be read, or not all of it; what could be read is kept."),
    401: problem("Nothing shows that it is the gateway's."),
    404: problem("There is no such route, or it is not called back."),
    408: problem("The body did not come in time."),
    413: problem("The body is too large."),
    503: problem("Nothing was taken; see Retry-After."),
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": ["object", "array"]}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
        },
    }
}


def gateways_router(channels: Mapping[str, CallbackReceiver]) -> APIRouter:
    """The addresses at which these channels, by their routes' ids, are called back."""
    router = APIRouter(tags=["gateways"])
    settings = replace(HttpSettings(), max_body_bytes=MOST_BODY_BYTES)
    budget = BodyBudget(MOST_HELD_BYTES)

    async def answer(request: Request, route: str, subject: Subject, token: str) -> Response:
        channel = channels.get(route)
        if channel is None:
            raise ProblemError(Kind.NOT_FOUND, "There is no such route of a gateway.")
        body = await body_of(request, settings, budget)
        try:
            callback = Callback(subject, _target(request), dict(request.headers), body, token)
            taken = await run_in_threadpool(channel.take, callback)
        except CallbackRefusedError as error:
            raise _problem(error) from error
        finally:
            budget.release(len(body))
        return Response(taken.body, 200, media_type=taken.media_type)

    async def post_receipts(request: Request, route: str) -> Response:
        """Take in a gateway's report of what became of letters."""
        return await answer(request, route, Subject.RECEIPTS, "")

    async def post_gateway_messages(request: Request, route: str) -> Response:
        """Take in a gateway's report of what people have sent."""
        return await answer(request, route, Subject.MESSAGES, "")

    async def post_receipts_by_token(request: Request, route: str, token: str) -> Response:
        """The same for gateways that can show no more than a secret in the address."""
        return await answer(request, route, Subject.RECEIPTS, token)

    async def post_gateway_messages_by_token(request: Request, route: str, token: str) -> Response:
        """The same for gateways that can show no more than a secret in the address."""
        return await answer(request, route, Subject.MESSAGES, token)

    for path, endpoint, summary in (
        ("/v1/gateways/{route}/receipts", post_receipts, "Report what became of letters"),
        ("/v1/gateways/{route}/messages", post_gateway_messages, "Report what people have sent"),
        ("/v1/gateways/{route}/{token}/receipts", post_receipts_by_token, "Report what became of letters, by token"),
        ("/v1/gateways/{route}/{token}/messages", post_gateway_messages_by_token, "Report what people sent, by token"),
    ):
        router.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            summary=summary,
            operation_id=endpoint.__name__,
            response_class=Response,
            responses=_RESPONSES,
            openapi_extra=_BODY,
        )
    return router


def _target(request: Request) -> str:
    """The path and query as they were sent: what is signed."""
    path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope.get("query_string", b"")
    return (path + (b"?" + query if query else b"")).decode("latin-1")


def _problem(error: CallbackRefusedError) -> ProblemError:
    match error.fault:
        case Fault.NOT_HERE:
            return ProblemError(Kind.NOT_FOUND, error.sentence)
        case Fault.UNPROVEN:
            return ProblemError(Kind.BAD_SIGNATURE, error.sentence)
        case Fault.STALE:
            return ProblemError(Kind.STALE, error.sentence)
        case Fault.UNREADABLE:
            findings = [{"code": "malformed", "path": "/", "sentence": finding} for finding in error.findings]
            return ProblemError(Kind.MALFORMED, error.sentence, more={"findings": findings} if findings else None)
        case Fault.BUSY:
            return ProblemError(Kind.UNAVAILABLE, error.sentence, headers={"Retry-After": RETRY_SECONDS})
        case _:
            assert_never(error.fault)
