"""From the entries of `[[channels]]` to routes: each kind of channel is opened by its own module."""

from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

from adapters.channels.definition_mail import MailDefinition
from adapters.channels.definitions import ChannelDefinition
from adapters.channels.port import Channel
from adapters.channels.smpp_definition import SmppDefinition
from adapters.connections import ConnectionsError
from adapters.sending.lane import Route


def routes_of(definitions: Sequence[ChannelDefinition], data_dir: Path) -> list[Route]:
    """A route for each entry; nothing is connected yet.

    Raises:
        ConnectionsError: files that entries name cannot be used, with every problem.
    """
    if not definitions:
        return []
    # Loaded where something is sent alone: the cryptography and templates take longer than the rest of a command.
    from adapters.channels.mail_opening import MailSetupError  # noqa: PLC0415
    from adapters.channels.smpp_connecting import UnusableFileError  # noqa: PLC0415

    routes: list[Route] = []
    problems: list[str] = []
    for definition in definitions:
        try:
            routes.append(Route(_channel(definition, data_dir), frozenset({definition.mode})))
        except (MailSetupError, UnusableFileError) as error:
            problems.append(f"channels.{definition.id}: {error}")
    if problems:
        raise ConnectionsError(problems)
    return routes


def _channel(definition: ChannelDefinition, data_dir: Path) -> Channel:
    match definition:
        case MailDefinition():
            from adapters.channels.mail_opening import mail_channel  # noqa: PLC0415 -- see above

            return mail_channel(definition, data_dir)
        case SmppDefinition():
            from adapters.channels.smpp import smpp_channel  # noqa: PLC0415 -- see above

            return smpp_channel(definition, data_dir)
        case _:
            assert_never(definition)
