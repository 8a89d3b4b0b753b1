"""What an SMTP server's replies mean for a letter (RFC 5321, RFC 3463). Pure: no connection is known here.

The words of a reply are kept as the reason, without the recipient's address: reasons are recorded, addresses are not.
"""

import re
from enum import StrEnum
from typing import Final, NamedTuple

from adapters.channels.port import Accepted, Later, Outcome, Refused

START_INPUT: Final = 354
CLOSING: Final = 421
GREYLISTED_SECONDS: Final = 60.0
_REASON_LENGTH: Final = 200
_REFERENCE_LENGTH: Final = 120


class Step(StrEnum):
    """What a reply answers."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    END = "the content"
    EMPTY_END = "an empty content"
    RESET = "RSET"
    NOOP = "NOOP"
    QUIT = "QUIT"


class Reply(NamedTuple):
    """A whole reply; the lines of `text` are joined by spaces."""

    code: int
    text: str

    @property
    def is_positive(self) -> bool:
        """Whether the command was done."""
        return 200 <= self.code < 300  # noqa: PLR2004 -- the classes of RFC 5321, 4.2.1

    @property
    def is_transient(self) -> bool:
        """Whether the same may be accepted later."""
        return 400 <= self.code < 500  # noqa: PLR2004 -- the same

    @property
    def is_permanent(self) -> bool:
        """Whether the same will be refused again."""
        return 500 <= self.code < 600  # noqa: PLR2004 -- the same


_ENHANCED: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?!\S)")
_QUEUE_ID: Final = re.compile(
    r"queued as ([\w.-]+)|\bid=([\w.-]+)|^2\.\d\.\d ([\w.-]{6,}) message accepted", re.IGNORECASE
)
"""As Postfix, Exim and Sendmail write it."""

_DEAD: Final = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"})
"""No such mailbox, no such domain, not an address, moved away, a domain without mail, disabled, no way to the host."""

_DEAD_WORDS: Final = re.compile(
    r"(?:user|recipient|mailbox|address|account)\b.{0,40}\b(?:unknown|not found|does not exist|invalid|disabled)"
    r"|(?:no such|unknown|invalid) (?:user|recipient|mailbox|address|account)",
    re.IGNORECASE,
)
_ABOUT_THE_LETTER: Final = frozenset({"5.2.3", "5.3.4", "5.6.7", "5.6.1", "5.6.3"})
"""Too long or in a form the server does not take: another letter may pass."""

_GREYLISTED: Final = re.compile(r"gr[ea]y-?list|try again (?:in|later)|first time|not yet", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[^\s<>,;:]+@[^\s<>,;:]+")
_CONTROLS: Final = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


def is_expected(step: Step, reply: Reply) -> bool:
    """Whether the dialogue may go on to the next step."""
    return reply.code == START_INPUT if step is Step.DATA else reply.is_positive


def outcome_of(step: Step, reply: Reply, address: str) -> Outcome:
    """What a reply that ends a letter's way says of the letter."""
    if step is Step.END and reply.is_positive:
        return Accepted(_queue_id(reply.text, address))
    reason = f"{step}: {reply.code} {_words(reply.text, address)}".rstrip()
    enhanced = found.group(1) if (found := _ENHANCED.match(reply.text)) else ""
    if reply.code == CLOSING:
        return Later(reason, is_route_down=True)
    if reply.is_transient:
        return Later(reason, after_seconds=GREYLISTED_SECONDS if _is_greylisting(step, reply) else 0.0)
    if not reply.is_permanent:
        # Out of step, or no mail server at all.
        return Later(reason, is_route_down=True)
    if step is Step.MAIL and enhanced not in _ABOUT_THE_LETTER and reply.code not in {552, 555}:
        # The server does not take us as a sender: that will be so for every letter, and another route may do.
        return Later(reason, is_route_down=True)
    return Refused(reason, address_is_dead=step is Step.RCPT and _is_dead(enhanced, reply))


def _is_greylisting(step: Step, reply: Reply) -> bool:
    return step in {Step.RCPT, Step.DATA} and reply.code in {450, 451} and _GREYLISTED.search(reply.text) is not None


def _is_dead(enhanced: str, reply: Reply) -> bool:
    """Careful: a policy's refusal says nothing of the address, and someone taken for gone is not told any more."""
    if enhanced:
        return enhanced in _DEAD
    return reply.code in {550, 551, 553} and _DEAD_WORDS.search(reply.text) is not None


def _queue_id(text: str, address: str) -> str:
    if found := _QUEUE_ID.search(text):
        return found.group(found.lastindex or 0)[:_REFERENCE_LENGTH]
    return _words(text, address)[:_REFERENCE_LENGTH]


def _words(text: str, address: str) -> str:
    """The server's words as one line, without any address and without this one's first half."""
    local, _, _ = address.rpartition("@")
    shown = _CONTROLS.sub(" ", text)
    if "@" in shown:
        shown = _ADDRESS.sub("(address)", shown)
    if local and local.lower() in shown.lower():
        shown = re.sub(rf"(?<!\w){re.escape(local)}(?!\w)", "(address)", shown, flags=re.IGNORECASE)
    return " ".join(shown.split())[:_REASON_LENGTH]
