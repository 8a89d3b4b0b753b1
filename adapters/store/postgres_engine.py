"""SQLAlchemy on PostgreSQL: how its connections are set, and text as PostgreSQL can hold it.

What does not belong here: tables, and who may write when (`read_tables`, `kept_tables`).
"""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper
from sqlalchemy import Engine, create_engine

from adapters.store.postgres_datastore import conninfo_of

MARK = b"\x01"
"""Stands before what PostgreSQL's text cannot hold, and before itself. Order and beginnings of texts stay theirs."""


class MarkedTextDumper(StrDumper):
    """Text on its way in. NUL is a letter like others to JSON and SQLite; PostgreSQL's text has none."""

    def dump(self, obj: str) -> Buffer | None:
        """The text in UTF-8, marked where it must be."""
        if "\x00" in obj or "\x01" in obj:
            return obj.encode().replace(MARK, MARK + b"\x02").replace(b"\x00", MARK + b"\x01")
        return super().dump(obj)


class MarkedTextLoader(Loader):
    """Text on its way out."""

    def load(self, data: Buffer) -> str:
        """The text as it was written."""
        content = bytes(data)
        if MARK in content:
            content = content.replace(MARK + b"\x01", b"\x00").replace(MARK + b"\x02", MARK)
        return content.decode()


def postgres_engine(url: str, settings: Sequence[str]) -> Engine:
    """An engine on a database, given as a URL or in libpq's own form; each connection begins with these statements.

    A database of a network may be away for a while: a connection is tried before it is used. No error repeats rows.

    Raises:
        NoAddressError: `url` is no address.
    """
    conninfo = conninfo_of(url)

    def connected() -> Connection[Any]:
        connection = Connection.connect(conninfo, autocommit=True)
        try:
            for setting in settings:
                connection.execute(setting)
        except BaseException:
            connection.close()
            raise
        connection.autocommit = False
        connection.adapters.register_dumper(str, MarkedTextDumper)
        connection.adapters.register_loader("text", MarkedTextLoader)
        # By default the size of a figure chooses its type, and a statement is prepared anew for each.
        connection.adapters.register_dumper(int, Int8Dumper)
        return connection

    return create_engine("postgresql+psycopg://", creator=connected, pool_pre_ping=True, hide_parameters=True)


def transaction_lock(number: int) -> str:
    """The statement that takes an advisory lock of the schema until the transaction ends."""
    return f"SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), {number}))"
