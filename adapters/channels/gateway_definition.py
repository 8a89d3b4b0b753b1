"""How a route through an HTTP gateway is described in `connections.toml`. Nothing is opened here.

Paths are relative to the data directory; `docs/gateways.md` tells more.
"""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from adapters.channels.gateway_text_rule import SettingName, TextRule
from adapters.channels.smpp_definition import NumberForm
from adapters.net.errors import OutboundError
from adapters.net.urls import destination_of
from domain.messages import Mode
from domain.recipients import ChannelKind
from domain.values import Language, Value

RouteId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


def is_a_base(url: str) -> str:
    """The address without a slash at its end.

    Raises:
        ValueError: it is no http or https address of printable ASCII with a host, or has more than a path.
    """
    parts = urlsplit(url)
    is_plain = url.isascii() and url.isprintable() and not set(url) & set(" \\{}")
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_plain:
        raise ValueError(f"{url!r} is not an address such as https://gateway.example")
    try:
        destination_of(url)
    except OutboundError as error:
        raise ValueError(error.sentence) from error
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("the address has a host and a path; no query, no fragment, no user name or password")
    return url.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(is_a_base)]
Plain = Annotated[str, StringConstraints(pattern=r"^[!-~]*$", max_length=200)]
"""Visible ASCII: what may stand in a header."""


class GatewayDefinition(Value):
    """One `[[channels]]` entry of kind `gateway`.

    `template_codes` are for languages that have a template of their own. `text` and `template_params` take the place
    of the profile's, for what a template takes is its author's to say.
    """

    id: RouteId
    kind: Literal["gateway"] = "gateway"
    mode: Mode = Mode.LIVE
    serves: Literal["sms", "voice"] = "sms"
    profile: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")]

    url: BaseUrl
    ca_file: Path | None = None
    key_id: Plain = ""
    secret_file: Path | None = None
    callback_secret_file: Path | None = None

    sign_name: Annotated[str, StringConstraints(max_length=50)] = ""
    template_code: Plain = ""
    template_codes: dict[Language, Plain] = Field(default_factory=dict)
    template_params: dict[str, str] | None = None
    text: TextRule | None = None
    settings: dict[SettingName, Plain] = Field(default_factory=dict)

    number_form: NumberForm | None = None
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "CN"

    window: Annotated[int, Field(ge=1, le=500)] = 16
    connect_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    answer_seconds: Annotated[float, Field(gt=0, le=50)] = 20.0
    most_waiting: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000

    @property
    def channel_kind(self) -> ChannelKind:
        """What it is a route of."""
        return ChannelKind(self.serves)
