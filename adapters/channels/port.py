"""What a sending worker asks of a channel, and what a channel may answer.

A channel hands one letter over and says what became of it; when, in which order and whether at all is the worker's
matter. One contract suite runs on every channel.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from domain.levels import Level
from domain.messages import Mode
from domain.notices import Purpose
from domain.recipients import ChannelKind, RecipientNumber
from domain.telling_events import SendText


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one recipient.

    `id` stays the same over every repetition, restart and channel. `address` comes from the vault and goes nowhere but
    out. `repeated` says that an earlier attempt may have reached the recipient. `text` is in the recipient's language.
    `purpose` is that of a notice; a letter that tells a warning has none. `is_all_clear` says that after it nothing of
    the warning stands for the recipient.
    """

    id: str
    number: RecipientNumber
    address: str
    mode: Mode
    level: Level
    warning_id: str
    text: SendText
    planned_at: datetime
    expires: datetime | None = None
    repeated: bool = False
    purpose: Purpose | None = None
    is_all_clear: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """The channel's server has it. `reference` is what its receipts will name it by, empty where there are none."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: the letter is tried again, after `after_seconds` at the earliest.

    `is_route_down` says that this is about the route and not about the letter, so that others need not try it;
    `in_doubt` that the letter may have arrived all the same, so that trying again is marked as a repetition.
    """

    reason: str
    after_seconds: float = 0.0
    is_route_down: bool = False
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """This recipient will not be reached by this channel; the next one of their preference is tried."""

    reason: str
    address_is_dead: bool = False


Outcome = Accepted | Later | Refused


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """What a channel's server says later of something it accepted."""

    reference: str
    state: Literal["delivered", "failed"]
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What somebody sent to us: the address it came from and its text."""

    address: str
    text: str
    at: datetime


class Channel(Protocol):
    """One route of one kind of channel, used from one event loop."""

    @property
    def name(self) -> str:
        """The route's name in `connections.toml`."""
        ...

    @property
    def kind(self) -> ChannelKind:
        """What it is a route of."""
        ...

    @property
    def window(self) -> int:
        """How many letters may be under way at once."""
        ...

    async def open(self) -> None:
        """Connect, as far as that can be done beforehand. Raises nothing: a route that is down says so by `Later`."""
        ...

    async def send(self, letter: Letter) -> Outcome:
        """Hand one letter over. Raises nothing: what goes wrong is an outcome."""
        ...

    def receipts(self) -> AsyncIterator[DeliveryReceipt | Incoming]:
        """What comes back, as it comes; ends when the channel is closed. Nothing for channels without receipts."""
        ...

    async def close(self) -> None:
        """Finish what is under way, then disconnect."""
        ...
