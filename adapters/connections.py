"""The document `connections.toml`: other systems, the routes by which people are told, and how HTTP is served.

It is no policy: what a warning means does not depend on it, and a replay needs nothing of it. The parts are defined
where they are used; here they are put together and read.
"""

import tomllib
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Final

from pydantic import Field, ValidationError

from adapters.channels.definitions import ChannelDefinition
from adapters.http.definition import HttpDefinition
from adapters.pollers.definition import FeedDefinition
from adapters.upward.definition import ParentDefinition
from domain.values import Value

FILE_NAME: Final = "connections.toml"


class ConnectionsError(Exception):
    """The document cannot be used; `problems` lists every reason as `where: what`."""

    def __init__(self, problems: list[str]) -> None:
        """Keep every problem, so that the author mends them in one go."""
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class OutboundDefinition(Value):
    """What requests to others may reach beside public addresses: networks of our own, and plain http."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    plain_http: bool = False


class Connections(Value):
    """The whole document; all of it may be left out."""

    outbound: OutboundDefinition = OutboundDefinition()
    http: HttpDefinition = HttpDefinition()
    feeds: tuple[FeedDefinition, ...] = Field(default=())
    parents: tuple[ParentDefinition, ...] = Field(default=())
    channels: tuple[ChannelDefinition, ...] = Field(default=())


def parse_connections(text: str) -> Connections:
    """Read the document from its TOML text.

    Raises:
        ConnectionsError: with every problem found.
    """
    try:
        document: Mapping[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConnectionsError([f"not TOML: {error}"]) from error
    try:
        connections = Connections.model_validate(document)
    except ValidationError as error:
        raise ConnectionsError(
            [f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}" for found in error.errors()]
        ) from error
    problems = [
        f"{kind}: the id {id_} occurs twice"
        for kind, ids in (
            ("feeds", [feed.id for feed in connections.feeds]),
            ("parents", [parent.id for parent in connections.parents]),
            ("channels", [channel.id for channel in connections.channels]),
        )
        for id_ in sorted({i for i in ids if ids.count(i) > 1})
    ]
    if problems:
        raise ConnectionsError(problems)
    return connections


def connections_in(data_dir: Path) -> Connections:
    """The document of a data directory; everything left out where it has none.

    Raises:
        ConnectionsError: it is there and cannot be used.
    """
    path = data_dir / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Connections()
    except (OSError, UnicodeDecodeError) as error:
        raise ConnectionsError([f"{path}: {error}"]) from error
    return parse_connections(text)
