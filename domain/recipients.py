"""Who is to be told: a person or a screen by an opaque number, with what concerns them. No number, address or name.

How a recipient is reached lies in the contact vault alone; an event or a log line knows the opaque number and no more.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from domain.areas import Circle
from domain.levels import Level
from domain.messages import Mode
from domain.values import Language, Value

EVERY_HAZARD: Final = "*"
LONGEST_POST: Final = 100
FIRST_TURN: Final = 1
LAST_TURN: Final = 99

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
    post: Annotated[str, Field(max_length=LONGEST_POST)] = ""
    turn: Annotated[int, Field(ge=FIRST_TURN, le=LAST_TURN)] = FIRST_TURN


@dataclass(frozen=True, slots=True)
class Duty:
    """What somebody answers for, and how they are asked: as much of a recipient as a call-up needs."""

    number: RecipientNumber
    roster: str
    role: str
    language: Language
    channels: tuple[ChannelKind, ...]
    post: str = ""
    turn: int = FIRST_TURN
