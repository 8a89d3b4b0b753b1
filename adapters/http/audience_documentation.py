"""What OpenAPI says of asking who would be told: shapes, an example, and every answer."""

from typing import Any, Final

from adapters.http.documentation import problem

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_COUNTS: Final = {"type": "object", "additionalProperties": _COUNT}
_LEVEL: Final = {**_TEXT, "enum": ["white", "blue", "yellow", "orange", "red"]}
_MODE: Final = {**_TEXT, "enum": ["live", "drill"]}


def _object(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON Schema
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


_ITEM: Final = _object(hazard=_TEXT, kind={**_TEXT, "enum": ["new", "raised", "lowered", "lifted"]}, level=_LEVEL)
_DISTRICT: Final = _object(
    code=_TEXT,
    name=_TEXT,
    people=_COUNT,
    by_role=_COUNTS,
    by_channel={**_COUNTS, "description": "By the channel that they prefer."},
    sends={"type": "array", "items": _object(items={"type": "array", "items": _ITEM}, people=_COUNT)},
    withheld={"type": "array", "items": _object(hazard=_TEXT, reason=_TEXT, people=_COUNT)},
)
_AUDIENCE: Final = _object(
    at={**_TEXT, "format": "date-time"},
    mode=_MODE,
    people={**_COUNT, "description": "Messages: who is concerned in two districts counts in both."},
    by_role=_COUNTS,
    by_channel=_COUNTS,
    by_reason={**_COUNTS, "description": "Who is not told, by the reason."},
    districts={"type": "array", "items": _DISTRICT},
)
_EXAMPLE: Final[dict[str, Any]] = {
    "at": "2026-05-20T08:00:00+08:00",
    "mode": "live",
    "people": 3,
    "by_role": {"commander": 1, "subscriber": 2},
    "by_channel": {"email": 1, "sms": 2},
    "by_reason": {"below-their-level": 1},
    "districts": [
        {
            "code": "330604",
            "name": "上虞区",
            "people": 3,
            "by_role": {"commander": 1, "subscriber": 2},
            "by_channel": {"email": 1, "sms": 2},
            "sends": [{"items": [{"hazard": "11B03", "kind": "new", "level": "orange"}], "people": 3}],
            "withheld": [{"hazard": "11B03", "reason": "below-their-level", "people": 1}],
        }
    ],
}
_KEYS: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"apiKey": []}]
ASKING_OF_WARNING: Final[dict[str, Any]] = {
    "security": _KEYS,
    "parameters": [
        {"name": "warning_id", "in": "path", "required": True, "description": "The warning's id.", "schema": _TEXT}
    ],
}
ASKING_OF_CONTENT: Final[dict[str, Any]] = {
    "security": _KEYS,
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["hazard", "level", "areas"],
                    "properties": {
                        "hazard": {**_TEXT, "maxLength": 40},
                        "level": _LEVEL,
                        "areas": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 500,
                            "items": {**_TEXT, "maxLength": 40},
                        },
                        "mode": {**_MODE, "default": "live"},
                    },
                    "additionalProperties": False,
                },
                "example": {"hazard": "11B03", "level": "orange", "areas": ["330604"]},
            }
        },
    },
}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Counts; nothing was sent.",
        "content": {"application/json": {"schema": _AUDIENCE, "example": _EXAMPLE}},
    },
    401: problem("No usable key, certificate or signature."),
    403: problem("The agency is not in the policy, or disabled there."),
    409: problem("A signed request that was answered before."),
    429: problem("Too many at once; see Retry-After."),
    503: problem("It cannot be said now; see Retry-After."),
}
OF_WARNING: Final[dict[int | str, dict[str, Any]]] = {
    **_ANSWERS,
    404: problem("`no-warning`: none stands with this id."),
}
OF_CONTENT: Final[dict[int | str, dict[str, Any]]] = {
    **_ANSWERS,
    400: problem("`audience`: the question cannot be used; each reason is in `findings`."),
    408: problem("The body did not come in time."),
    413: problem("The body is too large."),
}
