"""Who is to be told: a person or a screen by an opaque number, with what concerns them. No number, address or name.

How a recipient is reached lies in the contact vault alone; an event or a log line knows the opaque number and no more.
"""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from domain.areas import Circle
from domain.levels import Level
from domain.messages import Mode
from domain.values import Language, Value

EVERY_HAZARD: Final = "*"

RecipientNumber = int
"""From 1; given once by the vault and never again to another; fits a bitmap of 32 bits."""


class ChannelKind(StrEnum):
    """By what kind of channel somebody is reached."""

    SMS = "sms"
    EMAIL = "email"
    SCREEN = "screen"
    VOICE = "voice"


class Recipient(Value):
    """One recipient: on which roster, in which role, and what concerns them.

    `areas` are area codes of any depth: who is entered for a district is concerned by its townships, and who is
    entered for a village by a warning for the whole district. `circles` are points with a radius. `channels` are in
    order of preference. A recipient of a drill roster is told of drills and of nothing else.

    `post` names what they answer for together with others of the same roster (a reservoir, a village); in a call-up the
    one with the lowest `turn` is asked first and the next one after them. Without a post they answer alone.
    """

    number: Annotated[RecipientNumber, Field(ge=1, le=2**32 - 1)]
    roster: str
    mode: Mode = Mode.LIVE
    role: str
    language: Language = "zh-CN"
    areas: tuple[str, ...] = ()
    circles: tuple[Circle, ...] = ()
    hazards: tuple[str, ...] = (EVERY_HAZARD,)
    level_min: Level = Level.BLUE
    channels: Annotated[tuple[ChannelKind, ...], Field(min_length=1)]
    post: Annotated[str, Field(max_length=100)] = ""
    turn: Annotated[int, Field(ge=1, le=99)] = 1
