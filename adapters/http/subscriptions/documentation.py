"""What OpenAPI says of subscribing: shapes, examples and errors. The pages are for people and stand elsewhere."""

from typing import Any, Final

from adapters.http.documentation import inlined, problem
from adapters.http.subscriptions.reading import FORM, JSON
from adapters.subscriptions.checking import SubscriptionForm

_TEXT: Final = {"type": "string"}
_EXAMPLE_ID: Final = "0b8f3c1e-5d52-4c5e-9a57-1f0c3b1d2e4f"
IDENTIFIER: Final[dict[str, Any]] = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The `id` of the request.",
    "schema": {**_TEXT, "format": "uuid"},
    "example": _EXAMPLE_ID,
}
_TOKEN: Final[dict[str, Any]] = {
    "name": "token",
    "in": "path",
    "required": True,
    "description": "As it stands in the mail's `List-Unsubscribe`.",
    "schema": _TEXT,
    "example": "AAAAB3NzaC1yc2EAAAADAQABAAAB",
}
_REQUEST: Final = {
    "telephone": "+8613800000001",
    "areas": ["330604"],
    "hazards": ["11B03"],
    "level_min": "yellow",
    "language": "zh-CN",
}


def _whole() -> dict[str, Any]:
    schema = SubscriptionForm.model_json_schema()
    found: dict[str, Any] = inlined(schema, schema.pop("$defs", {}))
    return found


ASKING: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": _whole(), "example": _REQUEST}, FORM: {"schema": {"type": "object"}}},
    }
}
_CODE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["code"],
    "properties": {"code": {**_TEXT, "maxLength": 20, "description": "Six digits."}},
    "additionalProperties": False,
}
CONFIRMING: Final[dict[str, Any]] = {
    "parameters": [IDENTIFIER],
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": _CODE, "example": {"code": "123456"}}, FORM: {"schema": {"type": "object"}}},
    },
}
ONE_CLICK: Final[dict[str, Any]] = {
    "parameters": [_TOKEN],
    "requestBody": {
        "required": True,
        "content": {
            FORM: {"schema": _TEXT, "example": "List-Unsubscribe=One-Click"},
            "multipart/form-data": {"schema": {"type": "object"}},
        },
    },
}


def _answer(description: str, properties: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }
    content = {
        JSON: {"schema": schema, "example": example},
        "text/html": {"schema": _TEXT, "example": "<!doctype html>"},
    }
    return {"description": description, "content": content}


_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: problem("`subscription`: the request cannot be used; each reason is in `findings`."),
    408: problem("The body did not come in time."),
    413: problem("The body is too large."),
    415: problem("The content type is none that is taken."),
    429: problem("This contact, this address or everybody together asks too often; see Retry-After."),
    503: problem("Nothing was taken; see Retry-After."),
}
ASKED: Final[dict[int | str, dict[str, Any]]] = {
    202: _answer(
        "A code is sent to the contact. Said whether or not it subscribes already.",
        {
            "id": {**_TEXT, "format": "uuid"},
            "expires": {**_TEXT, "format": "date-time", "description": "Until when it can be confirmed."},
        },
        {"id": _EXAMPLE_ID, "expires": "2026-05-20T08:30:00+08:00"},
    ),
    **_ERRORS,
}
CONFIRMED: Final[dict[int | str, dict[str, Any]]] = {
    200: _answer(
        "Subscribed. Said again when it is confirmed again.",
        {
            "id": {**_TEXT, "format": "uuid"},
            "state": {"const": "confirmed"},
            "manage": {**_TEXT, "description": "The subscriber's own page; for nobody else."},
        },
        {"id": _EXAMPLE_ID, "state": "confirmed", "manage": "https://warnings.example/s/AgzF…"},
    ),
    303: {"description": "To the subscriber's page, for who came from a page."},
    403: problem("`wrong-code`: this is not the code."),
    404: problem("`no-request`: expired, tried five times, or never made."),
    **_ERRORS,
}


def _page_or_problem(description: str) -> dict[str, Any]:
    """A page for who accepts one, else a problem."""
    found = problem(description)
    found["content"]["text/html"] = {"schema": _TEXT}
    return found


UNSUBSCRIBED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Unsubscribed, now or before.", "content": {"text/html": {"schema": _TEXT}}},
    400: problem("`no-one-click`: the body does not ask to unsubscribe."),
    403: _page_or_problem("`on-a-roster`: official lists are not left by a link; nothing was changed."),
    404: _page_or_problem("`no-such-link`: the token is none of this outlet's."),
    **{status: _ERRORS[status] for status in (408, 413, 429, 503)},
}
