"""What the HTTP server and a gateway's channel say to each other of a callback."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Final, Protocol

MOST_BODY_BYTES: Final = 1024 * 1024


class Subject(StrEnum):
    """What a callback brings."""

    RECEIPTS = "receipts"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Callback:
    """One request of a gateway. Header names are in small letters; `target` is the path with the query, as it came.

    `token` is the secret part of the path, where there is one.
    """

    subject: Subject
    target: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What the gateway expects to be answered with 200."""

    body: bytes
    media_type: str


class Fault(Enum):
    """Why a callback was not taken."""

    NOT_HERE = auto()  # this route has no such callbacks
    UNPROVEN = auto()  # not the gateway's, as far as can be told
    STALE = auto()  # proven, but too old or too far ahead
    UNREADABLE = auto()
    BUSY = auto()  # it is to be sent again


class CallbackRefusedError(Exception):
    """A callback was not taken, or not all of it; `sentence` repeats nothing of its content."""

    def __init__(self, fault: Fault, sentence: str, findings: tuple[str, ...] = ()) -> None:
        """Keep what the answer is made of."""
        self.fault = fault
        self.sentence = sentence
        self.findings = findings
        super().__init__(sentence)


class CallbackReceiver(Protocol):
    """A channel that is called back."""

    def take(self, callback: Callback) -> CallbackAnswer:
        """Take it in, durably; called from any thread, and waits for the disk.

        Raises:
            CallbackRefusedError: with the reason.
        """
        ...
