"""From the descriptions of feeds to what looks at them; everything that does not fit this outlet is said at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from adapters.connections import ConnectionsError
from adapters.feeds.profile import ListProfile
from adapters.feeds.profile_files import ProfileError, load_profile, shipped_profile
from adapters.net.client import OutboundClient
from adapters.pollers.cap_feed import CapFeed
from adapters.pollers.definition import FeedDefinition, FeedKind
from adapters.pollers.fetching import Fetcher, headers_of, reach_of
from adapters.pollers.folder import FolderFeed
from adapters.pollers.listing import ListFeed
from adapters.pollers.looks import Look
from adapters.pollers.store import FeedStore
from adapters.pollers.taking import Intake
from domain.policy import Policy


class Source(Protocol):
    """Something that is looked at over and over."""

    async def look(self) -> Look:
        """Take in what is new."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What feeds are put together with: where paths begin, what requests may reach, and what this outlet knows."""

    data_dir: Path
    policy: Policy
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    plain_http: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A description with what it names outside of itself already read."""

    definition: FeedDefinition
    headers: dict[str, str]
    profile: ListProfile | None
    folder: Path | None

    def client(self, around: Surroundings) -> OutboundClient:
        """A client that reaches what this feed may reach; to be made within the event loop that uses it."""
        reach = reach_of(self.definition, around.networks, plain_http=around.plain_http)
        return OutboundClient(reach, most_answer_bytes=self.definition.most_answer_bytes)

    def fetcher(self, client: OutboundClient) -> Fetcher:
        """Requests with the feed's headers."""
        return Fetcher(self.definition, client, self.headers)


def prepare(definitions: Sequence[FeedDefinition], around: Surroundings) -> list[Prepared]:
    """Every feed, with its profile and keys read.

    Raises:
        ConnectionsError: with every problem of every feed.
    """
    problems: list[str] = []
    prepared = [_prepared(definition, around, problems) for definition in definitions]
    folders = [one.folder.resolve() for one in prepared if one.folder is not None]
    problems += [f"feeds: two feeds watch {folder}" for folder in sorted({f for f in folders if folders.count(f) > 1})]
    if problems:
        raise ConnectionsError(problems)
    return prepared


def source_of(one: Prepared, client: OutboundClient | None, store: FeedStore, intake: Intake, policy: Policy) -> Source:
    """What looks at the feed; a folder needs no client."""
    match one.definition.kind:
        case FeedKind.FOLDER:
            assert one.folder is not None, "its definition asks for one"
            return FolderFeed(one.definition, one.folder, [agency.id for agency in policy.agencies], intake)
        case FeedKind.CAP_FEED:
            assert client is not None, "feeds over HTTP are given one"
            return CapFeed(one.definition, one.fetcher(client), store, intake)
        case FeedKind.LIST:
            assert client is not None, "feeds over HTTP are given one"
            assert one.profile is not None, "its definition asks for one"
            return ListFeed(one.definition, one.profile, one.fetcher(client), store, intake)


def _prepared(definition: FeedDefinition, around: Surroundings, problems: list[str]) -> Prepared:
    def problem(sentence: str) -> None:
        problems.append(f"{definition.id}: {sentence}")

    if definition.agency is not None and around.policy.agency(definition.agency) is None:
        known = ", ".join(agency.id for agency in around.policy.agencies)
        problem(f"the policy knows no agency {definition.agency!r}; it knows {known}")
    plain = [url for url in definition.urls if urlsplit(url).scheme == "http"]
    if plain and not (definition.plain_http or around.plain_http or around.networks):
        problem(f"{plain[0]} is not https; allow it by plain_http = true")
    headers: dict[str, str] = {}
    try:
        headers = headers_of(definition, around.data_dir)
    except OSError as error:
        problem(f"header_files: {error.filename}: {error.strerror}")
    except ValueError as error:
        problem(f"header_files: {error}")
    profile: ListProfile | None = None
    if definition.profile is not None:
        try:
            profile = _profile(definition.profile, around.data_dir)
        except ProfileError as error:
            problem(f"profile: {error}")
    folder = around.data_dir / definition.folder if definition.folder is not None else None
    return Prepared(definition, headers, profile, folder)


def _profile(name: str, beside: Path) -> ListProfile:
    return load_profile(beside / name) if name.endswith(".toml") else shipped_profile(name)
