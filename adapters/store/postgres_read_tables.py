"""The read tables in PostgreSQL: the connections, the lock, and text as PostgreSQL can hold it.

Everything else is the same code as for SQLite (`read_tables`).
"""

from typing import Any

from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper
from sqlalchemy import create_engine

from adapters.store.postgres_datastore import conninfo_of
from adapters.store.read_tables import SqlReadTables

WRITERS_LOCK = 0x6F75746C65740002
"""The advisory lock of whoever writes, with the schema: `outlet` and a number."""

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


def open_postgres_read_tables(url: str) -> SqlReadTables:
    """The read tables in a database, given as a URL or in libpq's own form; made by `prepare` if they are not there.

    A database of a network may be away for a while: a connection is tried before it is used.

    Raises:
        NoAddressError: `url` is no address.
    """
    conninfo = conninfo_of(url)

    def connected() -> Connection[Any]:
        connection = Connection.connect(conninfo, autocommit=True)
        # One that dies amid a write, or waits for such a one, ends by itself.
        connection.execute("SET idle_in_transaction_session_timeout = '30s'")
        connection.execute("SET lock_timeout = '60s'")
        connection.autocommit = False
        connection.adapters.register_dumper(str, MarkedTextDumper)
        connection.adapters.register_loader("text", MarkedTextLoader)
        # By default the size of a figure chooses its type, and a statement is prepared anew for each.
        connection.adapters.register_dumper(int, Int8Dumper)
        return connection

    engine = create_engine("postgresql+psycopg://", creator=connected, pool_pre_ping=True, hide_parameters=True)
    return SqlReadTables(
        engine,
        lock=f"SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), {WRITERS_LOCK}))",
        indexes="SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()",
    )
