"""Completes the OpenAPI document with what routes cannot say of themselves.

That is: what the outlet is, the answers that every address may give, an example of every problem, the headers, the
ways to show a key, and the webhook that is sent out. Words about one route belong beside that route.
"""

from collections.abc import Iterator
from typing import Any, Final

from adapters.http.documentation import SCHEMAS, example, example_text, kinds_of, problem, reference
from adapters.http.problems import MEDIA_TYPE as PROBLEM_TYPE
from adapters.http.problems import REQUEST_PREFIX, TYPE_PREFIX, Kind
from adapters.http.public.models import StreamedRelease
from adapters.http.signatures import ID, SIGNATURE, TIMESTAMP

Document = dict[str, Any]

_ABOUT: Final = """The agencies of a city hand their warnings over; in each district they become one warning; everybody
reads that one.

- **Agencies** send with a key. What is answered 202 is stored durably; in doubt, the same bytes are sent again.
- **Everyone** reads what was released, as GeoJSON, CAP 1.2, 12379, Atom or server-sent events, from any origin.
- **Errors** are RFC 9457 problem documents, whose `type` is `urn:single-outlet:problem:<name>`.
- Parameters that are not documented are refused, since to pass one over would widen the answer.
- Every `GET` of the public API but the stream answers `HEAD` too, with an `ETag`; and every public address `OPTIONS`.
"""
_TAGS: Final = [
    {"name": "agencies", "description": "For the agencies that issue warnings: a key is needed."},
    {"name": "public", "description": "What was released, for everyone. A release never changes."},
    {"name": "subscriptions", "description": "For who wants to be told of warnings by text message or mail."},
    {"name": "gateways", "description": "For gateways that report back what became of messages, and bring answers."},
    {"name": "operation", "description": "For those who run the outlet."},
]
_SECURITY: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An agency's key, `outlet_…`. An agency with a signing secret signs its requests as well.",
    },
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "The same key."},
}
_TEXT: Final = {"type": "string"}
_HEADERS: Final = {
    "RequestId": {"description": "The request's id: name it when you ask about this answer.", "schema": _TEXT},
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
    "Authenticate": {"description": "How to show who you are.", "schema": _TEXT},
    "Tag": {"description": "Send it as `If-None-Match` to be answered 304 while nothing has changed.", "schema": _TEXT},
    "CacheControl": {"description": "What is in force may be kept for seconds, a release for ever.", "schema": _TEXT},
}
_EVERYWHERE: Final = {
    "400": "The bytes are no HTTP request, or not understood.",
    "408": "The request did not come in time.",
    "431": "The request's address and headers are too large.",
    "503": "As many connections are open as this server keeps; see Retry-After.",
}
_ANSWERS: Final = {
    "post_messages": {"application/json": "receipts.json"},
    "warnings": {"application/geo+json": "warnings.json"},
    "newest_release": {"application/json": "newest.json", "application/cap+xml": "released.cap.xml"},
    "releases": {"application/json": "releases.json"},
    "release": {"application/json": "release.json", "application/cap+xml": "released.cap.xml"},
    "explain": {"application/json": "explanation.json"},
    "atom": {"application/atom+xml": "feed.atom"},
}
"""Which example each route's answer has."""

_FROM_KEYS: Final = frozenset({Kind.OTHER_AGENCY, Kind.MALFORMED, Kind.SLOW_BODY})


def complete(document: Document) -> Document:
    """The document with everything that is missing; changed in place."""
    document["info"] |= {"summary": "One public warning for each district.", "description": _ABOUT}
    document["servers"] = [{"url": "/", "description": "This outlet."}]
    document["tags"] = _TAGS
    components = document.setdefault("components", {})
    components["securitySchemes"] = _SECURITY
    components["headers"] = _HEADERS
    schemas = components.setdefault("schemas", {})
    schemas.update(SCHEMAS)
    _add_streamed_release(schemas)
    for operation in _operations(document):
        _complete_answers(operation)
        _add_examples(operation)
    document["webhooks"] = {"warning.released": {"post": _RELEASED}}
    return document


def _add_examples(operation: Document) -> None:
    """Here and not beside the routes: FastAPI drops every null of what it is given."""
    for media_type, name in _ANSWERS.get(operation["operationId"], {}).items():
        is_text = name.endswith((".xml", ".atom"))
        content = operation["responses"]["202" if "202" in operation["responses"] else "200"]["content"]
        content[media_type]["example"] = example_text(name) if is_text else example(name)


def _operations(document: Document) -> Iterator[Document]:
    for methods in document["paths"].values():
        yield from methods.values()


def _complete_answers(operation: Document) -> None:
    answers: Document = operation["responses"]
    tag = operation["tags"][0]
    for status, words in _EVERYWHERE.items():
        answers.setdefault(status, problem(words))
    if tag != "operation":
        answers.setdefault("429", problem("Too many at once; see Retry-After."))
    else:
        operation["security"] = []
    for status, answer in answers.items():
        if PROBLEM_TYPE in answer.get("content", {}):
            answer["content"][PROBLEM_TYPE] = {
                "schema": reference("Problem"),
                "examples": {
                    kind.value.name: {"summary": kind.value.title, "value": _problem_of(kind)}
                    for kind in kinds_of(int(status))
                    if tag == "agencies" or kind not in _FROM_KEYS
                },
            }
        answer["headers"] = _headers_of(status, tag)
    operation["responses"] = dict(sorted(answers.items()))


def _headers_of(status: str, tag: str) -> Document:
    names = {"X-Request-Id": "RequestId"}
    if status == "429":
        names["Retry-After"] = "RetryAfter"
    if status == "401":
        names["WWW-Authenticate"] = "Authenticate"
    if tag == "public" and status in {"200", "304"}:
        names |= {"ETag": "Tag", "Cache-Control": "CacheControl"}
    return {name: {"$ref": f"#/components/headers/{header}"} for name, header in names.items()}


def _problem_of(kind: Kind) -> Document:
    """An example of a kind; refused messages come with what was found."""
    if kind is Kind.REFUSED:
        found: Document = example("refused.json")
        return found
    return {
        "type": f"{TYPE_PREFIX}{kind.value.name}",
        "title": kind.value.title,
        "status": int(kind.value.status),
        "detail": kind.value.title,
        "instance": f"{REQUEST_PREFIX}0123456789abcdef",
    }


def _add_streamed_release(schemas: Document) -> None:
    """What streams and webhooks carry: no route answers it as a whole, so FastAPI does not know of it."""
    shape = StreamedRelease.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    for name, part in shape.pop("$defs", {}).items():
        schemas.setdefault(name, part)
    schemas["StreamedRelease"] = shape
    schemas["WarningReleased"] = {
        "type": "object",
        "description": "What a webhook is sent.",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": "warning.released"},
            "timestamp": {**_TEXT, "format": "date-time", "description": "When it was released."},
            "data": reference("StreamedRelease"),
        },
    }


def _signed_header(name: str, description: str) -> Document:
    return {"name": name, "in": "header", "required": True, "description": description, "schema": _TEXT}


_RELEASED: Final[Document] = {
    "operationId": "warning_released",
    "tags": ["public"],
    "summary": "A release, posted to those who subscribed to it",
    "description": (
        "Signed by Standard Webhooks with the subscription's secret. Sent at least once, in order within each district:"
        " tell repetitions by `webhook-id`. Any 2xx is taken as received; anything else is tried again, for a day."
    ),
    "parameters": [
        _signed_header(ID, "Stays the same over repetitions."),
        _signed_header(TIMESTAMP, "When this attempt was signed: seconds since 1970."),
        _signed_header(SIGNATURE, "`v1,` and the base64 of the HMAC-SHA256 over `id.timestamp.body`."),
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": reference("WarningReleased"), "example": example("webhook.json")},
        },
    },
    "responses": {"2XX": {"description": "Received."}, "410": {"description": "Send nothing more."}},
}
