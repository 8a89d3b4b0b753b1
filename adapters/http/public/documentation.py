"""What OpenAPI says of the public API: parameters, forms, examples and errors."""

from typing import Any, Final

from adapters.http.public import models

PROBLEM_TYPE: Final = "application/problem+json"


def _parameter(name: str, description: str, *, where: str = "query", **schema: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON Schema
    example = schema.pop("example", None)
    said: dict[str, Any] = {"name": name, "in": where, "description": description, "required": where == "path"}
    said["schema"] = {"type": "string", **schema}
    if example is not None:
        said["example"] = example
    return said


_CODES: Final[dict[str, Any]] = {"type": "array", "items": {"type": "string"}}
FILTERS: Final = [
    _parameter("district", "Codes of districts, repeated or joined by commas.", **_CODES, example=["330604"]),
    _parameter("hazard", "Codes of hazards, repeated or joined by commas.", **_CODES, example=["11B03"]),
    _parameter(
        "level_min",
        "Only warnings with a section at this level or above; with `hazard`, a section of that hazard.",
        enum=["white", "blue", "yellow", "orange", "red"],
    ),
]
LIST: Final = [
    *FILTERS,
    _parameter("point", "`latitude,longitude` in degrees: districts in which it lies.", example="29.9,120.8"),
    _parameter("bbox", "`west,south,east,north` in degrees: districts that it meets.", example="120,29,121,30"),
    _parameter(
        "at", "A past moment with its zone: what was in force then, as it had been released.", format="date-time"
    ),
    _parameter("limit", "Districts to a page.", type="integer", minimum=1, maximum=1000, default=200),
    _parameter("cursor", "`next_cursor` of the page before, with the same other parameters."),
]
WARNING_ID: Final = _parameter(
    "warning_id",
    "The warning's id; with `.json`, `.cap`, `.xml` or `.12379.zip` behind it for that form.",
    where="path",
)
PLAIN_ID: Final = _parameter("warning_id", "The warning's id.", where="path")
NUMBER: Final = _parameter(
    "n",
    "The release's number within the warning, from 1 (`release` in JSON). Not `revision`: that counts the content's "
    "changes, of which several may become public at once or never. May have a suffix as `warning_id` has.",
    where="path",
)
EXPLAIN: Final = [
    PLAIN_ID,
    _parameter("lang", "The language of the sentences; else the outlet's first.", enum=["zh", "en"]),
    _parameter("release", "The number of the release to explain; else the newest.", type="integer", minimum=1),
]
STREAM: Final = [
    *FILTERS,
    _parameter("after", "An event's id: begin behind it. `Last-Event-ID` outweighs it.", type="integer", minimum=0),
    _parameter("state", "First what is in force, as `state` events.", type="boolean", default=False),
    _parameter(
        "Last-Event-ID", "The id of the last event received, as browsers send it.", where="header", type="integer"
    ),
]

STREAM_EXAMPLE: Final = """retry: 2000

id: 41
event: ready
data: {"position":41}

id: 57
event: release
data: {"id":57,"code":"330604","warning_id":"...","release":1,"level":"red","sections":[...],"changes":[...]}

event: heartbeat
data: {"position":60,"latest":{"330604":57}}

"""
STREAM_WORDS: Final = """Every release as a server-sent event, in order, whose id is its position in the log.

- `ready`: the stream begins here; its id can be resumed from.
- `release`: a release; matching lowerings and liftings come too.
- `state`: with `state=true`, what is in force at the beginning; without an id.
- `heartbeat`: at regular intervals, the id of each district's last release: who lacks one has missed it.
- `reset`: the id to resume from is not of this log; what is in force follows as `state`.
- `dropped`: this client did not read fast enough; the answer ends, and `Last-Event-ID` leads back without a gap.
"""
FORMS: Final[dict[str, Any]] = {
    "application/cap+xml": {"schema": {"type": "string"}},
    "application/zip": {"schema": {"type": "string", "format": "binary"}},
}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {PROBLEM_TYPE: {"schema": _PROBLEM_SCHEMA}}}


_PROBLEM_SCHEMA: Final = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        name: {key: value for key, value in said.items() if key in {"type", "examples"}}
        for name, said in models.Problem.model_json_schema()["properties"].items()
    },
}
NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "What the request shows to have is current."}
}
BAD_PARAMETERS: Final[dict[int | str, dict[str, Any]]] = {
    400: _problem("`parameters`: one is unknown or cannot be used; each with its sentence in `findings`.")
}
NOT_FOUND: Final[dict[int | str, dict[str, Any]]] = {
    404: _problem("`no-warning`, `no-release` or `no-such-form`: not released, or not in this form.")
}
NOT_ACCEPTABLE: Final[dict[int | str, dict[str, Any]]] = {406: _problem("None of the accepted types is offered.")}
FULL: Final[dict[int | str, dict[str, Any]]] = {
    503: _problem("`too-many-streams` or `unavailable`: come back after `Retry-After`.")
}
UNAVAILABLE: Final[dict[int | str, dict[str, Any]]] = {503: _problem("`unavailable`: come back after `Retry-After`.")}
