"""Which letter a receipt belongs to: receipts of parts become one of the letter, and those that come too early wait.

The answer to a `submit_sm` names the message; the receipt may overtake it. Nothing of the protocol is known here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from adapters.channels.port import DeliveryReceipt
from adapters.channels.smpp_ids import Ended, LetterParts, PartIds
from adapters.channels.smpp_inbox import Acknowledge, Inbox

_MOST_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Notice:
    """A final receipt for one message id, with the moment from which on nobody waits for its letter any more."""

    message_id: str
    state: Ended
    at: datetime
    reason: str
    give_up_at: float


class Matching:
    """The receipts of one route."""

    def __init__(self, ids: PartIds, inbox: Inbox) -> None:
        """Nothing is under way."""
        self._ids = ids
        self._inbox = inbox
        self._early: dict[str, Notice] = {}
        self._answered: dict[str, None] = {}
        self._begun: dict[str, None] = {}
        self.under_way = 0
        """Letters whose answers are still to come."""

    def received(self, notice: Notice, acknowledge: Acknowledge) -> None:
        """A receipt has come."""
        letter = self._ids.find(notice.message_id)
        if letter is not None:
            self._for_part(letter, notice, acknowledge)
        elif notice.message_id not in self._answered and (self.under_way or notice.message_id in self._begun):
            # Acknowledged at once: an SMSC could wait for that before it answers what was submitted.
            self._early[notice.message_id] = notice
            acknowledge()
        else:
            self._tell(notice.message_id, notice, acknowledge)

    def begun(self, message_id: str) -> None:
        """A part was taken of a letter that has to be tried again: its receipt waits for the other parts."""
        _remember(self._begun, message_id)

    async def accepted(self, message_ids: Sequence[str], *, has_receipts: bool) -> str:
        """All parts of a letter were taken; the reference by which its receipt will name it."""
        reference = message_ids[0]
        if len(message_ids) == 1 or not has_receipts or not all(message_ids):
            _remember(self._answered, reference)
        else:
            await self._ids.keep(reference, message_ids, datetime.now(UTC).timestamp())
        for one in message_ids:
            self._begun.pop(one, None)
            early = self._early.pop(one, None)
            if early is not None:
                self.received(early, _nothing)
        return reference

    def give_up(self, now: float) -> None:
        """Tell receipts whose letters have not turned up: they may be of an earlier run."""
        for notice in [one for one in self._early.values() if one.give_up_at <= now]:
            if notice.message_id not in self._begun:
                del self._early[notice.message_id]
                self._tell(notice.message_id, notice, _nothing)

    def close(self) -> None:
        """Tell all that wait."""
        for notice in self._early.values():
            self._tell(notice.message_id, notice, _nothing)
        self._early.clear()

    def _for_part(self, letter: LetterParts, notice: Notice, acknowledge: Acknowledge) -> None:
        self._ids.note(letter, notice.message_id, notice.state)
        state = letter.state
        if state is not None and not letter.is_told:
            letter.is_told = True
            self._tell(letter.reference, notice, self._then_forget(letter, acknowledge))
        else:
            acknowledge()
            if letter.is_complete:
                self._ids.forget(letter)

    def _then_forget(self, letter: LetterParts, acknowledge: Acknowledge) -> Acknowledge:
        def done() -> None:
            acknowledge()
            if letter.is_complete:
                self._ids.forget(letter)

        return done

    def _tell(self, reference: str, notice: Notice, acknowledge: Callable[[], None]) -> None:
        self._inbox.put(DeliveryReceipt(reference, notice.state, notice.at, notice.reason), acknowledge)


def _remember(ids: dict[str, None], one: str) -> None:
    ids[one] = None
    if len(ids) > _MOST_REMEMBERED:
        del ids[next(iter(ids))]


def _nothing() -> None:
    """What has been acknowledged already."""
