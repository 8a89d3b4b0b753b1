"""Answers with an entity tag, caching rules, and 304 to whoever has it already."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

FROZEN: Final = "public, max-age=31536000, immutable"
"""A release never changes; RFC 8246."""

FRESH: Final = "public, max-age=5, must-revalidate"
"""What is in force: no cache may hold a red warning back for longer than this."""

PAST: Final = "public, max-age=60"
"""What was in force at a past moment."""


@dataclass(frozen=True, slots=True)
class Body:
    """What is answered. `tag_of` is what the entity tag is made of, where that is less than all of the content."""

    content: bytes
    media_type: str
    cache: str
    tag_of: bytes | None = None
    modified: datetime | None = None
    file_name: str = ""
    vary: str = ""

    @property
    def tag(self) -> str:
        """The entity tag; weak where it is made of a part."""
        digest = sha256(self.content if self.tag_of is None else self.tag_of).hexdigest()[:32]
        return f'"{digest}"' if self.tag_of is None else f'W/"{digest}"'


def answer(request: Request, body: Body, headers: Mapping[str, str] | None = None) -> Response:
    """The body, or 304 without one when the request shows that its sender has it."""
    tag = body.tag
    sent = {"ETag": tag, "Cache-Control": body.cache, **(headers or {})}
    if body.vary:
        sent["Vary"] = body.vary
    if body.modified is not None:
        sent["Last-Modified"] = format_datetime(body.modified.astimezone(UTC), usegmt=True)
    if _has_it(request, tag, body.modified):
        return Response(status_code=304, headers=sent)
    if body.file_name:
        sent["Content-Disposition"] = f'attachment; filename="{body.file_name}"'
    return Response(body.content, headers=sent, media_type=body.media_type)


def _has_it(request: Request, tag: str, modified: datetime | None) -> bool:
    """RFC 9110, sections 13.1.2 and 13.1.3: If-None-Match is compared weakly, and outweighs If-Modified-Since."""
    named = request.headers.get("if-none-match")
    if named is not None:
        known = {one.strip().removeprefix("W/") for one in named.split(",")}
        return "*" in known or tag.removeprefix("W/") in known
    since = request.headers.get("if-modified-since")
    if since is None or modified is None:
        return False
    try:
        return modified.astimezone(UTC).replace(microsecond=0) <= parsedate_to_datetime(since).astimezone(UTC)
    except ValueError:  # RFC 9110, section 13.1.3: what is no date is passed over
        return False
