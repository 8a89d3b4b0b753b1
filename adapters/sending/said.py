"""The items that messages were made of, each combination stored once and known by a number."""

from sqlalchemy import Connection, select

from adapters.sending.letters import items_as_text, items_from_text
from adapters.sending.tables import SAID, insert_new
from domain.routing import Item


class SaidItems:
    """Items by their number and back. Forget them when a transaction has failed: its numbers may be given again."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Item, ...], int] = {}
        self._items: dict[int, tuple[Item, ...]] = {}

    def number(self, connection: Connection, items: tuple[Item, ...]) -> int:
        """The number of these items, given now if they have none."""
        if items not in self._numbers:
            number = said_id(connection, items_as_text(items))
            self._numbers[items], self._items[number] = number, items
        return self._numbers[items]

    def items(self, connection: Connection, number: int) -> tuple[Item, ...]:
        """The items of a number."""
        if number not in self._items:
            words = connection.execute(select(SAID.c.words).where(SAID.c.id == number)).scalar_one()
            self._items[number] = items_from_text(words)
        return self._items[number]

    def forget(self) -> None:
        """Read all of them again."""
        self._numbers.clear()
        self._items.clear()


def said_id(connection: Connection, words: str) -> int:
    """The number of a line of items, given now if it has none."""
    connection.execute(insert_new(connection, SAID).values(words=words))
    return int(connection.execute(select(SAID.c.id).where(SAID.c.words == words)).scalar_one())
