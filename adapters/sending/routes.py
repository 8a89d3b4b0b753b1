"""From the entries of `[[channels]]` to routes: each kind of channel is opened by its own module.

Routes that an entry of kind `carriers` names are parts of its route, and none of their own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import assert_never

from adapters.channels.carriers_definition import CarriersDefinition
from adapters.channels.definition_mail import MailDefinition
from adapters.channels.definitions import ChannelDefinition
from adapters.channels.gateway_callbacks import CallbackReceiver
from adapters.channels.gateway_definition import GatewayDefinition
from adapters.channels.port import Channel
from adapters.channels.screen_definition import ScreenDefinition
from adapters.channels.smpp_definition import SmppDefinition
from adapters.clocks import SystemClock
from adapters.connections import ConnectionsError, OutboundDefinition
from adapters.net.client import Reach
from adapters.sending.lane import Route
from domain.messages import Mode
from domain.ports import Clock


def routes_of(
    definitions: Sequence[ChannelDefinition],
    data_dir: Path,
    outbound: OutboundDefinition | None = None,
    *,
    clock: Clock | None = None,
    public_url: str = "",
) -> list[Route]:
    """A route for each entry that is no part of another one; nothing is connected yet.

    `outbound` says which networks requests over HTTP may reach beside public addresses; `clock` is the outlet's;
    `public_url` is where the public finds the server, for links by which people leave.

    Raises:
        ConnectionsError: entries or the files that they name cannot be used, with every problem.
    """
    if not definitions:
        return []
    # Loaded where something is sent alone: the cryptography and templates take longer than the rest of a command.
    from adapters.channels.gateway_profiles import GatewaySetupError  # noqa: PLC0415
    from adapters.channels.mail_opening import MailSetupError  # noqa: PLC0415
    from adapters.channels.smpp_connecting import UnusableFileError  # noqa: PLC0415

    allowed = outbound or OutboundDefinition()
    reach = Reach(networks=tuple(allowed.networks), plain_http=allowed.plain_http)
    problems = [
        f"channels.{definition.id}: drills go to the spool alone; no route carries them"
        for definition in definitions
        if definition.mode is Mode.DRILL
    ]
    problems += _misfits(definitions)
    channels: dict[str, Channel] = {}
    for definition in definitions:
        if isinstance(definition, CarriersDefinition):
            continue
        try:
            channels[definition.id] = _channel(definition, data_dir, reach, clock or SystemClock(), public_url)
        except GatewaySetupError as error:
            problems += [f"channels.{definition.id}: {problem}" for problem in error.problems]
        except (MailSetupError, UnusableFileError) as error:
            problems.append(f"channels.{definition.id}: {error}")
    if not problems:
        problems = _mixed_kinds(definitions, channels)
    if problems:
        raise ConnectionsError(problems)
    parts = {name for one in definitions if isinstance(one, CarriersDefinition) for name in one.members}
    return [
        Route(_whole(definition, channels), frozenset({definition.mode}))
        for definition in definitions
        if definition.id not in parts
    ]


def callback_receivers(routes: Sequence[Route]) -> Mapping[str, CallbackReceiver]:
    """The routes, and parts of routes, that gateways call back, by their ids."""
    if not routes:
        return {}
    from adapters.channels.carriers import CarriersChannel  # noqa: PLC0415 -- see above
    from adapters.channels.gateway import GatewayChannel  # noqa: PLC0415 -- see above

    channels: list[Channel] = []
    for route in routes:
        channel = route.channel
        channels += channel.members if isinstance(channel, CarriersChannel) else [channel]
    return {channel.name: channel for channel in channels if isinstance(channel, GatewayChannel)}


def _misfits(definitions: Sequence[ChannelDefinition]) -> list[str]:
    """What entries of kind `carriers` name and cannot have."""
    by_id = {definition.id: definition for definition in definitions}
    problems: list[str] = []
    owner: dict[str, str] = {}
    for definition in definitions:
        if not isinstance(definition, CarriersDefinition):
            continue
        where = f"channels.{definition.id}"
        for name in definition.members:
            member = by_id.get(name)
            if member is None:
                problems.append(f"{where}: there is no channel {name}")
            elif isinstance(member, CarriersDefinition):
                problems.append(f"{where}: {name} is of kind carriers itself")
            elif member.mode is not definition.mode:
                problems.append(f"{where}: {name} is for {member.mode.value}, and this is for {definition.mode.value}")
            if owner.setdefault(name, definition.id) != definition.id:
                problems.append(f"{where}: {name} is part of {owner[name]} already")
        problems += [f"{where}: carriers: {problem}" for problem in _unknown_carriers(definition)]
    return problems


def _unknown_carriers(definition: CarriersDefinition) -> list[str]:
    from adapters.channels.carriers_numbers import known_carriers  # noqa: PLC0415 -- the table of all carriers is large

    unknown = sorted(definition.carriers.keys() - known_carriers())
    return [f"{name} is no carrier's name, such as china-mobile" for name in unknown]


def _mixed_kinds(definitions: Sequence[ChannelDefinition], channels: Mapping[str, Channel]) -> list[str]:
    """Parts of one route that are routes of different kinds."""
    problems: list[str] = []
    for definition in definitions:
        if isinstance(definition, CarriersDefinition):
            kinds = sorted({channels[name].kind.value for name in definition.members})
            if len(kinds) > 1:
                problems.append(f"channels.{definition.id}: its routes are of different kinds: {', '.join(kinds)}")
    return problems


def _whole(definition: ChannelDefinition, channels: Mapping[str, Channel]) -> Channel:
    if not isinstance(definition, CarriersDefinition):
        return channels[definition.id]
    from adapters.channels.carriers import CarriersChannel  # noqa: PLC0415 -- see above

    return CarriersChannel(definition, {name: channels[name] for name in definition.members})


def _channel(
    definition: MailDefinition | SmppDefinition | GatewayDefinition | ScreenDefinition,
    data_dir: Path,
    reach: Reach,
    clock: Clock,
    public_url: str,
) -> Channel:
    match definition:
        case MailDefinition():
            from adapters.channels.mail_opening import mail_channel  # noqa: PLC0415 -- see above

            return mail_channel(definition, data_dir, public_url=public_url)
        case SmppDefinition():
            from adapters.channels.smpp import smpp_channel  # noqa: PLC0415 -- see above

            return smpp_channel(definition, data_dir)
        case GatewayDefinition():
            from adapters.channels.gateway_opening import gateway_channel  # noqa: PLC0415 -- see above

            return gateway_channel(definition, data_dir, reach, clock=clock)
        case ScreenDefinition():
            from adapters.channels.screen import screen_channel  # noqa: PLC0415 -- see above

            return screen_channel(definition, data_dir, reach, clock=clock)
        case _:
            assert_never(definition)
