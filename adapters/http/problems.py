"""Errors as RFC 9457 problem documents: one table of kinds, which `docs/codes.md` prints.

A kind's name is part of the public interface: partners' programs match on it, so it is never renamed or reused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:single-outlet:problem:"
REQUEST_PREFIX: Final = "urn:single-outlet:request:"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem: the last part of its `type`, the status it comes with, its title, and what to do."""

    name: str
    status: HTTPStatus
    title: str
    advice: str


class Kind(Enum):
    """Every problem that this server answers with."""

    MALFORMED = ProblemKind(
        "malformed",
        HTTPStatus.BAD_REQUEST,
        "The bytes are no document of the format.",
        "Mend the document; `findings`.",
    )
    BAD_REQUEST = ProblemKind("bad-request", HTTPStatus.BAD_REQUEST, "The request is not understood.", "Mend it.")
    NO_KEY = ProblemKind(
        "no-key", HTTPStatus.UNAUTHORIZED, "A key is needed.", "Send `Authorization: Bearer <key>` or `X-Api-Key`."
    )
    UNKNOWN_KEY = ProblemKind("unknown-key", HTTPStatus.UNAUTHORIZED, "The key is not known.", "Check the key.")
    EXPIRED_KEY = ProblemKind("expired-key", HTTPStatus.UNAUTHORIZED, "The key has expired.", "Ask for a new key.")
    DISABLED_KEY = ProblemKind("disabled-key", HTTPStatus.UNAUTHORIZED, "The key is disabled.", "Ask for a new key.")
    CERTIFICATE = ProblemKind(
        "certificate",
        HTTPStatus.UNAUTHORIZED,
        "This agency must show one of its pinned client certificates.",
        "Connect with the certificate that was pinned.",
    )
    UNSIGNED = ProblemKind(
        "unsigned", HTTPStatus.UNAUTHORIZED, "This agency must sign its requests.", "Sign by Standard Webhooks."
    )
    BAD_SIGNATURE = ProblemKind(
        "bad-signature", HTTPStatus.UNAUTHORIZED, "The signature does not verify.", "Check secret, id, time and body."
    )
    STALE = ProblemKind(
        "stale", HTTPStatus.UNAUTHORIZED, "The signed time is too far from now.", "Set the clock; sign at sending."
    )
    OTHER_AGENCY = ProblemKind(
        "other-agency", HTTPStatus.FORBIDDEN, "The key belongs to another agency.", "Use the address of your agency."
    )
    FORBIDDEN = ProblemKind("forbidden", HTTPStatus.FORBIDDEN, "This is not for you.", "Ask the operator.")
    NOT_FOUND = ProblemKind("not-found", HTTPStatus.NOT_FOUND, "There is nothing here.", "Check the address.")
    METHOD = ProblemKind("method-not-allowed", HTTPStatus.METHOD_NOT_ALLOWED, "Not by this method.", "See `Allow`.")
    NOT_HTTP = ProblemKind(
        "not-http", HTTPStatus.BAD_REQUEST, "These bytes are no HTTP request.", "Speak HTTP/1.1; a proxy may help."
    )
    NOT_ACCEPTABLE = ProblemKind(
        "not-acceptable",
        HTTPStatus.NOT_ACCEPTABLE,
        "None of the accepted types is offered.",
        "Accept one of the types in `detail`.",
    )
    SLOW_HEAD = ProblemKind(
        "slow-head", HTTPStatus.REQUEST_TIMEOUT, "The request's headers did not come in time.", "Send it again."
    )
    SLOW_BODY = ProblemKind("slow-body", HTTPStatus.REQUEST_TIMEOUT, "The body did not come in time.", "Send it again.")
    CONFLICT = ProblemKind(
        "conflicting-copy",
        HTTPStatus.CONFLICT,
        "Another message with the same sender, identifier and sent was taken in before; the first stands.",
        "Send what is new as an update under an identifier of its own.",
    )
    REPLAYED = ProblemKind(
        "replayed", HTTPStatus.CONFLICT, "A request with this webhook-id was answered before.", "It was received then."
    )
    TOO_LARGE = ProblemKind(
        "too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.", "Send less at once."
    )
    MEDIA_TYPE = ProblemKind(
        "media-type",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The content type is none that is taken, or the content is of another.",
        "Send XML, JSON or a zip under its own type.",
    )
    REFUSED = ProblemKind(
        "refused", HTTPStatus.UNPROCESSABLE_ENTITY, "A message was refused.", "Mend every item of `findings`."
    )
    TOO_MANY = ProblemKind(
        "too-many-requests", HTTPStatus.TOO_MANY_REQUESTS, "Too many at once.", "Wait for `Retry-After` seconds."
    )
    LARGE_HEAD = ProblemKind(
        "headers-too-large",
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The request's address and headers are too large.",
        "Send fewer and shorter ones.",
    )
    INTERNAL = ProblemKind(
        "internal",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "A defect of this outlet.",
        "Call the operator, and name the request id.",
    )
    UNAVAILABLE = ProblemKind(
        "unavailable",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The outlet cannot take messages in now; this one was not taken.",
        "Send it again after `Retry-After` seconds.",
    )


_BY_STATUS: Final = {
    HTTPStatus.BAD_REQUEST: Kind.BAD_REQUEST,
    HTTPStatus.FORBIDDEN: Kind.FORBIDDEN,
    HTTPStatus.NOT_FOUND: Kind.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: Kind.METHOD,
    HTTPStatus.NOT_ACCEPTABLE: Kind.NOT_ACCEPTABLE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Kind.TOO_LARGE,
    HTTPStatus.SERVICE_UNAVAILABLE: Kind.UNAVAILABLE,
}


class ProblemError(Exception):
    """Ends a request with a problem document. `more` are members of their own, such as `findings`."""

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what the answer is made of."""
        self.kind = kind
        self.detail = detail or kind.value.title
        self.headers = dict(headers or {})
        self.more = dict(more or {})
        super().__init__(f"{kind.value.name}: {self.detail}")


def problem_content(error: ProblemError, request_id: str) -> bytes:
    """The problem as JSON."""
    kind = error.kind.value
    document = {
        "type": f"{TYPE_PREFIX}{kind.name}",
        "title": kind.title,
        "status": int(kind.status),
        "detail": error.detail,
        "instance": f"{REQUEST_PREFIX}{request_id}",
        **error.more,
    }
    return msgspec.json.encode(document)


def problem_response(error: ProblemError, request_id: str) -> Response:
    """The problem as an answer."""
    status = error.kind.value.status
    if status is HTTPStatus.UNAUTHORIZED:
        error.headers.setdefault("WWW-Authenticate", 'Bearer realm="single-outlet"')
    return Response(problem_content(error, request_id), int(status), error.headers, MEDIA_TYPE)


def request_id_of(request: Request) -> str:
    """The id under which this request is logged and recorded."""
    return str(request.scope.get("state", {}).get("request_id", ""))


def install(app: FastAPI) -> None:
    """Make every error of this app a problem document."""

    async def answer_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        return problem_response(error, request_id_of(request))

    async def answer_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        kind = _BY_STATUS.get(HTTPStatus(error.status_code))
        if kind is None:
            title = HTTPStatus(error.status_code).phrase
            document = {"type": "about:blank", "title": title, "status": error.status_code, "detail": error.detail}
            return Response(msgspec.json.encode(document), error.status_code, error.headers, MEDIA_TYPE)
        return problem_response(ProblemError(kind, error.detail, headers=error.headers), request_id_of(request))

    async def answer_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = [{"path": "/".join(map(str, item["loc"])), "sentence": item["msg"]} for item in error.errors()]
        problem = ProblemError(Kind.BAD_REQUEST, "A parameter cannot be used.", more={"findings": found})
        return problem_response(problem, request_id_of(request))

    async def answer_defect(request: Request, error: Exception) -> Response:
        detail = f"A defect of this outlet: {type(error).__name__}."
        # The server closes the connection behind a defect: a client that is not told would lose its next request.
        problem = ProblemError(Kind.INTERNAL, detail, headers={"Connection": "close"})
        return problem_response(problem, request_id_of(request))

    app.add_exception_handler(ProblemError, answer_problem)
    app.add_exception_handler(HTTPException, answer_http)
    app.add_exception_handler(RequestValidationError, answer_validation)
    app.add_exception_handler(Exception, answer_defect)
