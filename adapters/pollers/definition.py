"""How a feed is described in `connections.toml`, and everything that can be wrong with such a description.

Paths (a profile, a folder, the file of a key) are relative to the data directory; nothing is opened here.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from domain.feed_health import Patience
from domain.values import Value

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_TO_BE_SET: Final = frozenset({"host", "content-length", "transfer-encoding", "connection"})


class FeedKind(StrEnum):
    """What is behind a feed."""

    CAP_FEED = "cap-feed"  # Atom or RSS whose entries link to CAP or contain it
    LIST = "list"  # JSON that lists what is in force, read by a profile
    FOLDER = "folder"  # files that are put into a folder


def _is_an_http_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is not an address: {error}") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError(f"{url!r} is not an https:// address with a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address holds no user name or password; give a key by header_files")
    if parts.fragment:
        raise ValueError(f"{url!r} has a fragment, which no server is sent")
    return url


def _is_a_host(name: str) -> str:
    if name != name.lower() or not name or set(name) & set("/:@*? "):
        raise ValueError(f"{name!r} is not a host's name in small letters, without port, scheme or wildcard")
    return name


def _is_a_header(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a header")
    if name.lower() in _NOT_TO_BE_SET:
        raise ValueError(f"the header {name} is not yours to set")
    return name


def fits_a_header(value: str) -> str:
    """The value unchanged.

    Raises:
        ValueError: it holds what a header cannot.
    """
    if not value or not value.isascii() or not value.isprintable():
        raise ValueError("a header's value is printable ASCII and not empty")
    return value


Address = Annotated[str, AfterValidator(_is_an_http_address)]
Host = Annotated[str, AfterValidator(_is_a_host)]
HeaderName = Annotated[str, AfterValidator(_is_a_header)]
HeaderValue = Annotated[str, AfterValidator(fits_a_header)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class Paging(Value):
    """How a list is asked for page by page.

    `parameter` is the query parameter that counts pages from `first`; `total` the dotted path to the number of all
    items in each page's JSON. A list with more than `most_pages` is never taken as whole.
    """

    parameter: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$")]
    total: Annotated[str, StringConstraints(min_length=1)]
    first: Annotated[int, Field(ge=0)] = 1
    most_pages: Annotated[int, Field(ge=1, le=1000)] = 100


class FeedDefinition(Value):
    """One `[[feeds]]` entry. `url` may stand for a single one of `urls`."""

    id: Identifier
    kind: FeedKind
    agency: str | None = None
    urls: tuple[Address, ...] = ()
    profile: str | None = None
    folder: Path | None = None
    acknowledge: bool = True
    hosts: tuple[Host, ...] = ()
    plain_http: bool = False
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    header_files: dict[HeaderName, Path] = Field(default_factory=dict)
    paging: Paging | None = None
    most_ended_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    interval_seconds: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    quiet_seconds: Annotated[float, Field(gt=0)] = 900.0
    message_quiet_seconds: Annotated[float, Field(gt=0)] | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 20.0
    concurrency: Annotated[int, Field(ge=1, le=16)] = 4
    most_answer_bytes: Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)] = 8 * 1024 * 1024

    @model_validator(mode="before")
    @classmethod
    def _one_address_or_several(cls, described: Any) -> Any:  # noqa: ANN401 -- whatever stood in the file
        if isinstance(described, Mapping) and "url" in described:
            if "urls" in described:
                raise ValueError("url and urls cannot both be given")
            rest = {name: value for name, value in described.items() if name != "url"}
            return {**rest, "urls": [described["url"]]}
        return described

    @model_validator(mode="after")
    def _has_what_its_kind_needs_and_nothing_else(self) -> Self:
        needed, allowed = _FIELDS_OF[self.kind]
        given = self.model_fields_set
        missing = sorted(name for name in needed if not getattr(self, name))
        if missing:
            raise ValueError(f"a feed of kind {self.kind} needs {', '.join(_shown(name) for name in missing)}")
        foreign = sorted(given - needed - allowed - _COMMON)
        if foreign:
            raise ValueError(f"a feed of kind {self.kind} has no {', '.join(_shown(name) for name in foreign)}")
        if self.kind is FeedKind.CAP_FEED and len(self.urls) != 1:
            raise ValueError("a feed of kind cap-feed has one url; describe the others as feeds of their own")
        if self.paging is not None and len(self.urls) != 1:
            raise ValueError("a list that is asked for page by page has one url")
        if self.quiet_seconds <= self.interval_seconds:
            raise ValueError("quiet_seconds must be above interval_seconds, or every pause is an alarm")
        twice = {name.lower() for name in self.headers} & {name.lower() for name in self.header_files}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))}: a header and a header file")
        return self

    @property
    def own_hosts(self) -> frozenset[str]:
        """The hosts of its own addresses: the only ones that are sent its headers."""
        return frozenset((urlsplit(url).hostname or "").lower() for url in self.urls)

    @property
    def patience(self) -> Patience:
        """For how long it may be quiet."""
        return Patience(quiet_seconds=self.quiet_seconds, message_quiet_seconds=self.message_quiet_seconds)


_COMMON: Final = frozenset({"id", "kind", "agency", "interval_seconds", "quiet_seconds", "message_quiet_seconds"})
_OVER_HTTP: Final = frozenset({"plain_http", "headers", "header_files", "timeout_seconds", "most_answer_bytes"})
_FIELDS_OF: Final[Mapping[FeedKind, tuple[frozenset[str], frozenset[str]]]] = {
    FeedKind.CAP_FEED: (frozenset({"urls", "agency"}), _OVER_HTTP | {"hosts", "concurrency"}),
    FeedKind.LIST: (frozenset({"urls", "profile"}), _OVER_HTTP | {"paging", "most_ended_share"}),
    FeedKind.FOLDER: (frozenset({"folder"}), frozenset({"acknowledge"})),
}
"""The fields that each kind needs, and those that it may have beside the common ones."""


def _shown(name: str) -> str:
    return "url" if name == "urls" else name
