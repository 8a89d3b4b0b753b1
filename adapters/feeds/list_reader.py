"""Reads a bureau's list of what is in force, by its profile.

A list says what is in force and nothing else: no update exists, and what is no longer listed has ended. So nothing
here sets an end from a text, and a reading says whether it may be trusted as the whole list (`complete`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.feeds.framing import DEFAULT_LIST_LIMITS, BrokenItem, ListLimits, items_in
from adapters.feeds.items import ItemReading, ListedMessage, RefusedItem
from adapters.feeds.profile import ListProfile
from domain.findings import Finding, RefusedMessageError
from domain.messages import AgencyMessage


@dataclass(frozen=True, slots=True)
class ListReading:
    """One reading of a list: what could be read, and what could not, each in the list's order."""

    listed: tuple[ListedMessage, ...]
    refused: tuple[RefusedItem, ...]

    @property
    def messages(self) -> tuple[AgencyMessage, ...]:
        """The messages alone."""
        return tuple(entry.message for entry in self.listed)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found in refused items."""
        return tuple(finding for item in self.refused for finding in item.findings)

    @property
    def identifiers(self) -> frozenset[str]:
        """The identifiers of all items, refused ones too: what is listed and cannot be read has not ended."""
        known = {entry.message.identifier for entry in self.listed}
        return frozenset(known | {item.identifier for item in self.refused if item.identifier})

    @property
    def complete(self) -> bool:
        """Whether the identifier of every item is known; only then does absence from the list mean an end."""
        return all(item.identifier for item in self.refused)


class ListReader:
    """A `MessageReader` for one profile's lists. It keeps no state between lists."""

    def __init__(self, profile: ListProfile, *, limits: ListLimits = DEFAULT_LIST_LIMITS) -> None:
        self.profile = profile
        self._limits = limits

    def read(self, content: bytes) -> Sequence[AgencyMessage]:
        """The messages of the items that can be read; empty when the list says that nothing is in force.

        Raises:
            RefusedMessageError: the list cannot be used, or it has items and none of them can be read.
        """
        reading = self.read_list(content)
        if reading.refused and not reading.listed:
            raise RefusedMessageError(reading.findings)
        return reading.messages

    def read_list(self, content: bytes) -> ListReading:
        """Every item of the list, read or refused; a refused item leaves the others standing.

        Raises:
            RefusedMessageError: the list cannot be used at all.
        """
        listed: list[ListedMessage] = []
        refused: list[RefusedItem] = []
        for number, item in enumerate(items_in(content, self.profile.envelope, self._limits), start=1):
            if isinstance(item, BrokenItem):
                refused.append(
                    RefusedItem(path=f"/items[{number}]", identifier="", findings=(item.finding,), raw=item.raw)
                )
                continue
            entry = ItemReading(self.profile, number, item).read()
            if isinstance(entry, ListedMessage):
                listed.append(entry)
            else:
                refused.append(entry)
        return ListReading(listed=tuple(listed), refused=tuple(refused))
