"""Requests for one feed: its headers to its own hosts alone, conditional where that helps, errors as `FeedError`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from adapters.net.client import Answer, OutboundError, Reach
from adapters.pollers.definition import FeedDefinition, FeedKind, fits_a_header
from adapters.pollers.looks import FeedCode, FeedError
from adapters.pollers.pacing import retry_after_seconds

ACCEPTED = {
    FeedKind.CAP_FEED: "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5",
    FeedKind.LIST: "application/json, */*;q=0.5",
}


class Client(Protocol):
    """What is asked of the client for outward requests."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_seconds: float = 10.0,
    ) -> Answer:
        """The answer, whatever its status."""
        ...


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave us to ask by whether something is new."""

    etag: str = ""
    modified: str = ""


def reach_of(definition: FeedDefinition, networks: tuple[IPv4Network | IPv6Network, ...], *, plain_http: bool) -> Reach:
    """Where a feed's requests may go: its own hosts and those it names further."""
    hosts = definition.own_hosts | frozenset(definition.hosts)
    return Reach(hosts=hosts, networks=networks, plain_http=plain_http or definition.plain_http)


def headers_of(definition: FeedDefinition, beside: Path) -> dict[str, str]:
    """The feed's headers, those from files included; the paths are relative to `beside`.

    Raises:
        OSError: a file cannot be read.
        ValueError: what it holds does not fit a header; the sentence does not repeat it.
    """
    headers = dict(definition.headers)
    for name, path in definition.header_files.items():
        try:
            headers[name] = fits_a_header((beside / path).read_text(encoding="utf-8").strip())
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not text in UTF-8") from error
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return headers


class Fetcher:
    """GET requests for one feed."""

    def __init__(self, definition: FeedDefinition, client: Client, headers: Mapping[str, str]) -> None:
        """`headers` are sent to the feed's own hosts only: what an entry links to gets no key."""
        self._definition = definition
        self._client = client
        self._headers = headers

    async def get(self, url: str, validators: Validators | None = None) -> Answer | None:
        """The answer with status 200; None when nothing has changed since the validators were given.

        Raises:
            FeedError: anything else.
        """
        sent = {"Accept": ACCEPTED.get(self._definition.kind, "*/*")}
        if (urlsplit(url).hostname or "").lower() in self._definition.own_hosts:
            sent |= self._headers
        if validators is not None and validators.etag:
            sent["If-None-Match"] = validators.etag
        if validators is not None and validators.modified:
            sent["If-Modified-Since"] = validators.modified
        try:
            answer = await self._client.request(
                "GET", url, headers=sent, timeout_seconds=self._definition.timeout_seconds
            )
        except OutboundError as error:
            raise FeedError(error.code.value, error.sentence) from error
        if answer.status == HTTPStatus.NOT_MODIFIED and validators is not None:
            return None
        return _usable(answer, urlsplit(url).hostname or "")


def validators_of(answer: Answer) -> Validators:
    """What the answer gave to ask by next time; a header that could not be sent back is left out."""
    given = [answer.headers.get(name, "") for name in ("etag", "last-modified")]
    etag, modified = (value if value.isascii() and value.isprintable() and len(value) < 1000 else "" for value in given)  # noqa: PLR2004 -- far above any real one
    return Validators(etag, modified)


def _usable(answer: Answer, host: str) -> Answer:
    if answer.status == HTTPStatus.OK:
        return answer
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        sentence = (
            f"{host} answered {answer.status}: it sends elsewhere, and nobody is followed; write the final address"
        )
        raise FeedError(FeedCode.REDIRECT, sentence)
    wished = retry_after_seconds(answer.headers.get("retry-after", ""), datetime.now(UTC))
    raise FeedError(FeedCode.HTTP_STATUS, f"{host} answered {answer.status}", retry_after_seconds=wished)
