"""The bodies that subscribers' requests have: JSON of programs, and what a page's form or a mail program posts.

Bodies are small: what is larger is refused before it is read. What a request means is the desk's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from pydantic import ValidationError
from starlette.requests import Request

from adapters.http.bodies import BodyBudget, body_of
from adapters.http.problems import Kind, ProblemError
from adapters.http.receipts import finding_document
from adapters.http.settings import HttpSettings
from adapters.subscriptions.checking import UnusableError
from domain.findings import Code, Finding, refusal
from domain.values import Value

V = TypeVar("V", bound=Value)

LARGEST_BODY: Final = 64 * 1024
MOST_FIELDS: Final = 700
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
_SEVERAL: Final = frozenset({"areas", "hazards"})
_POINT: Final = ("latitude", "longitude", "radius_km")
_ONE_CLICK: Final = re.compile(rb"List-Unsubscribe(?:=|\"?\r\n(?:[^\r\n]+\r\n)*\r\n)One-Click(?:$|[&\r\n])")
"""As RFC 8058 has it: in a form, or in a part of `multipart/form-data`."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What a request said. `is_form` where a page posted it, so that a page answers."""

    body: bytes
    is_form: bool

    def items(self) -> list[tuple[str, str]]:
        """A form's fields.

        Raises:
            UnusableError: the body is none.
        """
        try:
            return parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
        except ValueError as error:  # a UnicodeDecodeError is one
            raise UnusableError([refusal(Code.NOT_UTF8, "/", "The form cannot be read.")]) from error

    def one(self, name: str) -> str:
        """A form's field; empty where it has none."""
        return next((text for key, text in self.items() if key == name), "")

    def as_value(self, kind: type[V]) -> V:
        """The body as a value of this kind.

        Raises:
            UnusableError: with everything that is wrong; what was written is not repeated.
        """
        try:
            if self.is_form:
                return kind.model_validate(_document(self.items(), kind.model_fields))
            return kind.model_validate_json(self.body)
        except ValidationError as error:
            raise UnusableError([_finding(found) for found in error.errors(include_input=False)]) from error


async def fields_of(request: Request, settings: HttpSettings, budget: BodyBudget) -> Fields:
    """The body of a request that holds JSON or a form.

    Raises:
        ProblemError: MEDIA_TYPE, TOO_LARGE, SLOW_BODY, BAD_REQUEST or UNAVAILABLE.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in {JSON, FORM}:
        raise ProblemError(Kind.MEDIA_TYPE, f"Send {JSON} or {FORM}.")
    return Fields(await raw_body_of(request, settings, budget), media_type == FORM)


async def raw_body_of(request: Request, settings: HttpSettings, budget: BodyBudget) -> bytes:
    """The bytes of a small body.

    Raises:
        ProblemError: TOO_LARGE, SLOW_BODY, BAD_REQUEST or UNAVAILABLE.
    """
    body = await body_of(request, replace(settings, max_body_bytes=LARGEST_BODY), budget)
    budget.release(len(body))  # so small that what is held meanwhile is held by the number of connections
    return body


def is_one_click(body: bytes) -> bool:
    """Whether a mail program, or the button of its page, asks to unsubscribe (RFC 8058)."""
    return _ONE_CLICK.search(body) is not None


def unusable(findings: Sequence[Finding], code: str = "subscription") -> ProblemError:
    """400: a request that cannot be used, with everything that is wrong with it."""
    sentences = " ".join(found.sentence for found in findings)
    more = {"code": code, "findings": [finding_document(found) for found in findings]}
    return ProblemError(Kind.BAD_REQUEST, sentences, more=more)


def _document(items: Sequence[tuple[str, str]], known: Mapping[str, Any]) -> dict[str, Any]:
    """A form as JSON would have it; fields that are left empty are left out, and those of other uses as well."""
    found: dict[str, Any] = {}
    for name, text in items:
        if name in _SEVERAL:
            found.setdefault(name, []).extend(part for part in re.split(r"[,;，；、\s]+", text) if part)
        elif name in known and text.strip():
            found[name] = text.strip()
    columns = [[text.strip() for key, text in items if key == name] for name in _POINT]
    rows = [dict(zip(_POINT, row, strict=True)) for row in zip(*columns, strict=False) if any(row)]
    if rows:
        found["points"] = [{name: text for name, text in row.items() if text} for row in rows]
    return found


def _finding(found: Mapping[str, Any]) -> Finding:
    path = "/" + "/".join(str(part)[:40] for part in found["loc"])
    if found["type"] == "json_invalid":
        return refusal(Code.NOT_JSON, "/", "The body is not JSON.")
    code = Code.MISSING if found["type"] == "missing" else Code.LIMIT if "too_long" in found["type"] else Code.VALUE
    return refusal(code, path, f"{found['msg']}.")
