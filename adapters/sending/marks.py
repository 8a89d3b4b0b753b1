"""What an outbox knows of itself: its id, how far it followed the log, whether sending is stopped or it recovers."""

from typing import Final

from sqlalchemy import Connection, delete, select, update

from adapters.sending.tables import MARKS, insert_new

POSITION: Final = "position"
STOPPED: Final = "stopped"
IDENTITY: Final = "identity"
LEASE: Final = "lease"
RECOVERING: Final = "recovering"
"""While it stands, what an earlier outbox handed over is still being read from the log."""


def marks_of(connection: Connection) -> dict[str, str]:
    """All of them by name."""
    return {row.name: row.value for row in connection.execute(select(MARKS))}


def set_mark(connection: Connection, name: str, value: str) -> None:
    """Let it have this value, whether or not it had another."""
    connection.execute(insert_new(connection, MARKS).values(name=name, value=value))
    connection.execute(update(MARKS).where(MARKS.c.name == name).values(value=value))


def drop_mark(connection: Connection, name: str) -> None:
    """It stands no longer."""
    connection.execute(delete(MARKS).where(MARKS.c.name == name))
