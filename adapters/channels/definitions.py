"""Every kind of `[[channels]]` entry of `connections.toml`, told apart by its `kind`."""

from typing import Annotated

from pydantic import Field

from adapters.channels.carriers_definition import CarriersDefinition
from adapters.channels.definition_mail import MailDefinition
from adapters.channels.gateway_definition import GatewayDefinition
from adapters.channels.screen_definition import ScreenDefinition
from adapters.channels.smpp_definition import SmppDefinition

ChannelDefinition = Annotated[
    MailDefinition | SmppDefinition | GatewayDefinition | ScreenDefinition | CarriersDefinition,
    Field(discriminator="kind"),
]
