"""Where a letter goes: asked of the contact vault right before the hand-over, and one letter for a shared address."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from adapters.sending.letters import Lease
from adapters.sending.outbox import Outbox
from adapters.vault.vault import Reach
from domain.recipients import ChannelKind
from domain.sending import Ending


class Addresses(Protocol):
    """What is asked of the contact vault."""

    def reached(self, numbers: Sequence[int], kind: ChannelKind) -> Mapping[int, Reach]:
        """The addresses of this kind, with who else has them; who has none is not in it."""
        ...


def addressed(
    leases: Sequence[Lease], reached: Mapping[int, Reach], outbox: Outbox, now: datetime, same_words_seconds: float
) -> dict[int, str | Ending]:
    """Each person's address by their number, or why there is none to send to.

    Of several people with one address the first gets the same words within `same_words_seconds`.
    """
    found: dict[int, str | Ending] = {}
    for lease in leases:
        reach = reached.get(lease.number)
        if reach is None:
            found[lease.number] = Ending.NO_ADDRESS
            continue
        is_first = (
            lease.purpose is not None  # a notice is each number's own, with its own link
            or not reach.is_shared
            or outbox.is_first_with_these_words(lease, reach.first_number, now, same_words_seconds)
        )
        found[lease.number] = reach.address if is_first else Ending.SAME_ADDRESS
    return found
