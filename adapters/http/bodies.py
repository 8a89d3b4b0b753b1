"""A request's body, within limits of size and time, and what kind of document it holds.

What the bytes mean is the readers' business.
"""

import asyncio
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from starlette.requests import ClientDisconnect, Request

from adapters.cn12379.archive import is_archive
from adapters.http.problems import Kind, ProblemError
from adapters.http.settings import HttpSettings

CLOSE: Final = {"Connection": "close"}
DRAINED_BYTES: Final = 64 * 1024 * 1024
DRAIN_SECONDS: Final = 1.0
"""How much of a body that is too large is read and thrown away, so that its sender can read the answer."""

RETRY_WHEN_FULL_SECONDS: Final = "2"


class Document(StrEnum):
    """What a body is."""

    XML = "XML"
    JSON = "JSON"
    ZIP = "zip"


_DECLARED: Final = {
    "application/json": Document.JSON,
    "text/json": Document.JSON,
    "application/xml": Document.XML,
    "text/xml": Document.XML,
    "application/zip": Document.ZIP,
    "application/x-zip-compressed": Document.ZIP,
    "application/x-zip": Document.ZIP,
}
_SUFFIXES: Final = {"+json": Document.JSON, "+xml": Document.XML, "+zip": Document.ZIP}
_UNSAID: Final = frozenset({"", "application/octet-stream"})
_BEFORE_CONTENT: Final = b"\xef\xbb\xbf \t\r\n"
_DIGITS: Final = re.compile(r"[0-9]{1,18}")


@dataclass(slots=True)
class BodyBudget:
    """How many bytes all bodies together may hold. Used by the event loop's thread alone."""

    most: int
    held: int = 0

    def hold(self, size: int) -> None:
        """Hold so many more.

        Raises:
            ProblemError: UNAVAILABLE when the server holds all that it may.
        """
        if self.held + size > self.most:
            sentence = "The outlet holds as many bytes as it may; this message was not taken."
            raise ProblemError(Kind.UNAVAILABLE, sentence, headers={"Retry-After": RETRY_WHEN_FULL_SECONDS, **CLOSE})
        self.held += size

    def release(self, size: int) -> None:
        """So many are no longer held."""
        self.held -= size


def declared_document(request: Request) -> Document | None:
    """What the request's headers say the body is; None where they leave it open.

    Raises:
        ProblemError: MEDIA_TYPE for a type or an encoding that is not taken.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise ProblemError(Kind.MEDIA_TYPE, f"Bodies are taken as they are, not in the encoding {encoding[:40]!r}.")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in _UNSAID:
        return None
    found = _DECLARED.get(media_type) or next(
        (document for suffix, document in _SUFFIXES.items() if media_type.endswith(suffix)), None
    )
    if found is None:
        raise ProblemError(Kind.MEDIA_TYPE, f"The content type {media_type[:80]!r} is none that is taken.")
    return found


def document_in(body: bytes, declared: Document | None) -> Document:
    """What the body is, by its first bytes.

    What is declared as JSON is taken as JSON, so that what is wrong with it is told as such.

    Raises:
        ProblemError: MEDIA_TYPE when the bytes are plainly another kind than declared.
    """
    if is_archive(body):
        found = Document.ZIP
    elif body.lstrip(_BEFORE_CONTENT)[:1] in {b"{", b"["}:
        found = Document.JSON
    else:
        found = Document.XML
    if declared is None or declared is found or (declared is Document.JSON and found is Document.XML):
        return declared or found
    if not body.strip():  # the reader says that it is empty
        return declared
    raise ProblemError(Kind.MEDIA_TYPE, f"The body is declared as {declared.value} and holds {found.value}.")


async def body_of(request: Request, settings: HttpSettings, budget: BodyBudget) -> bytes:
    """The whole body. Its size is held in the budget until the caller releases it.

    Raises:
        ProblemError: TOO_LARGE, SLOW_BODY, BAD_REQUEST when the sender went away, or UNAVAILABLE; nothing is held.
    """
    declared = request.headers.get("content-length", "")
    if declared and (not _DIGITS.fullmatch(declared) or int(declared) > settings.max_body_bytes):
        raise await _too_large(request, settings)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(settings.body_seconds):
            async for chunk in request.stream():
                budget.hold(len(chunk))
                size += len(chunk)
                if size > settings.max_body_bytes:
                    raise await _too_large(request, settings)
                chunks.append(chunk)
    except TimeoutError as error:
        budget.release(size)
        sentence = f"The body did not come within {settings.body_seconds:g} s."
        raise ProblemError(Kind.SLOW_BODY, sentence, headers=CLOSE) from error
    except ClientDisconnect as error:
        budget.release(size)
        raise ProblemError(Kind.BAD_REQUEST, "The sender went away.") from error
    except ProblemError:
        budget.release(size)
        raise
    return b"".join(chunks)


async def _too_large(request: Request, settings: HttpSettings) -> ProblemError:
    """The error; what still comes is thrown away for a moment, since a reset connection loses the answer."""
    drained = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in request.stream():
                drained += len(chunk)
                if drained > DRAINED_BYTES:
                    break
    except (TimeoutError, ClientDisconnect, RuntimeError):  # RuntimeError: all of it has been read
        pass
    return ProblemError(Kind.TOO_LARGE, f"A body holds at most {settings.max_body_bytes} bytes.", headers=CLOSE)
