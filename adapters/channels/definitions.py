"""Every kind of `[[channels]]` entry of `connections.toml`, told apart by its `kind`."""

from typing import Annotated

from pydantic import Field

from adapters.channels.definition_mail import MailDefinition
from adapters.channels.smpp_definition import SmppDefinition

ChannelDefinition = Annotated[MailDefinition | SmppDefinition, Field(discriminator="kind")]
