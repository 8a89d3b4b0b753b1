"""What a parent's answer means: accepted, refused with code and words, or no answer to the document at all.

Two forms of answers are understood: the acknowledgement of 12379 (`/msg/data/rows/{status,error_code,note}`) and the
receipts and problem documents of this outlet. A bare status is taken for what it says.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from adapters.cn12379.acknowledgement import ACCEPTED
from adapters.net.client import Answer
from adapters.xml.safe import XmlLimits, local_name, parse, text_of
from domain.findings import RefusedMessageError

MOST_BYTES: Final = 256 * 1024
_LIMITS: Final = XmlLimits(max_bytes=MOST_BYTES, max_elements=2_000, max_attributes=500)

LONGEST_NOTE: Final = 2_000
LONGEST_CODE: Final = 100

REFUSALS: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""The document itself is refused: the same bytes would be refused again."""

REPLAYED: Final = "replayed"
"""Our own problem for a request that was answered before: it was received then."""

LONGEST_WAIT_SECONDS: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a document at the parent. `is_told`: the parent spoke of the document itself."""

    accepted: bool
    error_code: str = ""
    note: str = ""
    is_told: bool = True


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """The parent could not take the document now."""

    reason: str
    after_seconds: float = 0.0


class BrokenAcknowledgementError(Exception):
    """Bytes that are no acknowledgement of 12379, and why."""


def acknowledgement_in(content: bytes) -> Verdict:
    """The verdict of a 12379 acknowledgement; of several rows, the first that refuses.

    Raises:
        BrokenAcknowledgementError: it is none.
    """
    try:
        root = parse(content, _LIMITS)
    except RefusedMessageError as error:
        raise BrokenAcknowledgementError(error.findings[0].sentence) from error
    rows = [rows for data in root if local_name(data) == "data" for rows in data if local_name(rows) == "rows"]
    if local_name(root) != "msg" or not rows:
        raise BrokenAcknowledgementError("It has no /msg/data/rows.")
    verdicts = [_row({local_name(part): text_of(part).strip() for part in row}) for row in rows]
    return next((verdict for verdict in verdicts if not verdict.accepted), verdicts[0])


def _row(said: dict[str, str]) -> Verdict:
    status = said.get("status", "")
    if not status:
        raise BrokenAcknowledgementError("It has no status.")
    made = _accepted if status == ACCEPTED else _refused
    return made(said.get("error_code", ""), said.get("note", ""))


def verdict_of(answer: Answer) -> Verdict | NoVerdict:
    """What an answer to a posted document means."""
    status = answer.status
    is_success = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    if not is_success and status not in REFUSALS:
        return NoVerdict(f"HTTP {status}{_detail(answer)}", _wait_seconds(answer))
    told = _told(answer, is_success=is_success)
    # An acknowledgement that accepts, under a status that refuses, contradicts itself: the status counts.
    if told is not None and (is_success or not told.accepted or told.error_code == REPLAYED):
        return told
    if is_success:
        return Verdict(accepted=True, note=f"HTTP {status}", is_told=False)
    return _refused(f"http-{status}", f"HTTP {status}")


def _told(answer: Answer, *, is_success: bool) -> Verdict | None:
    """What the body says of the document; None where it says nothing that is understood."""
    body = answer.body.strip()
    if body.startswith((b"<", b"\xef\xbb\xbf")):
        try:
            return acknowledgement_in(answer.body)
        except BrokenAcknowledgementError:
            return None
    document = _json(body)
    return None if document is None else _of_our_own(document, is_success=is_success)


def _of_our_own(document: dict[str, Any], *, is_success: bool) -> Verdict | None:
    receipts = [one for one in _list(document.get("receipts")) if isinstance(one, dict)]
    if is_success:
        if not receipts:
            return None
        refused = next((one for one in receipts if str(one.get("outcome")) not in {"accepted", "duplicate"}), None)
        if refused is None:
            return _accepted("", "; ".join(_receipt_words(one) for one in receipts))
        return _refused(str(refused.get("outcome", "")), _receipt_words(refused))
    kind = str(document.get("type", "")).rpartition(":")[2]
    if kind == REPLAYED:
        return _accepted(REPLAYED, str(document.get("detail", "")))
    findings = [one for one in _list(document.get("findings")) if isinstance(one, dict)]
    sentences = [f"{one.get('path', '')}: {one.get('sentence', '')}" for one in findings]
    code = str(findings[0].get("code", kind)) if findings else kind
    note = "\n".join(sentences) or str(document.get("detail", document.get("title", "")))
    return _refused(code, note) if code or note else None


def _receipt_words(receipt: dict[str, Any]) -> str:
    words = [str(receipt.get("outcome", "")), str(receipt.get("effect") or "")]
    notes = [one for one in _list(receipt.get("notes")) if isinstance(one, dict)]
    return ", ".join([*filter(None, words), *(str(one.get("sentence", "")) for one in notes)])


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _json(body: bytes) -> dict[str, Any] | None:
    if not body.startswith(b"{") or len(body) > MOST_BYTES:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _detail(answer: Answer) -> str:
    document = _json(answer.body.strip())
    detail = "" if document is None else str(document.get("detail") or document.get("title") or "")
    return f": {detail[:LONGEST_NOTE]}" if detail else ""


def _wait_seconds(answer: Answer) -> float:
    text = answer.headers.get("retry-after", "").strip()
    return min(float(text), LONGEST_WAIT_SECONDS) if text.isascii() and text.isdigit() else 0.0


def _accepted(code: str, note: str) -> Verdict:
    return Verdict(accepted=True, error_code=_storable(code)[:LONGEST_CODE], note=_storable(note)[:LONGEST_NOTE])


def _refused(code: str, note: str) -> Verdict:
    return Verdict(accepted=False, error_code=_storable(code)[:LONGEST_CODE], note=_storable(note)[:LONGEST_NOTE])


def _storable(text: str) -> str:
    """A stranger's text without what cannot be stored as UTF-8 or would play with a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
