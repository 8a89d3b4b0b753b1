"""How screens, loudspeakers and broadcasters behind a controller are described in `connections.toml`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from adapters.channels.gateway_definition import BaseUrl, RouteId
from domain.levels import Level
from domain.messages import Mode
from domain.values import Value


class Method(StrEnum):
    """By what a device tells people: the `methodName` of the 12379 format (GB/T 35965.1)."""

    SMS = "SMS"
    LED = "LED"
    SPEAKER = "SPEAKER"
    TV = "TV"
    BROADCAST = "BROADCAST"
    WEB = "WEB"
    PHONE = "PHONE"
    FAX = "FAX"


COLOURS = {
    Level.WHITE: "#FFFFFF",
    Level.BLUE: "#0000FF",
    Level.YELLOW: "#FFFF00",
    Level.ORANGE: "#FFA500",
    Level.RED: "#FF0000",
}
"""What a level is shown in, unless the definition says otherwise."""

Seconds = Annotated[int, Field(ge=1, le=7 * 86_400)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{0,100}$")]


class DeviceDefinition(Value):
    """All devices whose ids begin with `prefix`, unless a longer prefix fits."""

    prefix: Prefix
    method: Method | None = None
    duration_seconds: Seconds | None = None


class ScreenDefinition(Value):
    """One `[[channels]]` entry of kind `screen`: the controller's address, and what its devices are."""

    id: RouteId
    kind: Literal["screen"] = "screen"
    mode: Mode = Mode.LIVE
    url: BaseUrl
    ca_file: Path | None = None
    secret_file: Path
    method: Method = Method.LED
    duration_seconds: Seconds = 3600
    devices: tuple[DeviceDefinition, ...] = ()
    colours: dict[Level, Colour] = Field(default_factory=dict)
    window: Annotated[int, Field(ge=1, le=500)] = 16
    connect_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    answer_seconds: Annotated[float, Field(gt=0, le=50)] = 15.0

    @model_validator(mode="after")
    def _each_prefix_once(self) -> Self:
        prefixes = [device.prefix for device in self.devices]
        twice = sorted({prefix for prefix in prefixes if prefixes.count(prefix) > 1})
        if twice:
            raise ValueError(f"devices: the prefix {twice[0]!r} occurs twice")
        return self

    def method_of(self, device: str) -> Method:
        """By what this device tells people."""
        for one in self._fitting(device):
            if one.method is not None:
                return one.method
        return self.method

    def duration_of(self, device: str) -> int:
        """For how many seconds this device shows a message."""
        for one in self._fitting(device):
            if one.duration_seconds is not None:
                return one.duration_seconds
        return self.duration_seconds

    def colour_of(self, level: Level) -> str:
        """What this level is shown in."""
        return self.colours.get(level, COLOURS[level])

    def _fitting(self, device: str) -> list[DeviceDefinition]:
        """The entries whose prefix fits, the longest first."""
        found = (one for one in self.devices if device.startswith(one.prefix))
        return sorted(found, key=lambda one: -len(one.prefix))
