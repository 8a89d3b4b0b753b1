"""The read tables in PostgreSQL: the connections' settings, and the lock of whoever writes.

Everything else is the same code as for SQLite (`read_tables`).
"""

from adapters.store.postgres_engine import postgres_engine, transaction_lock
from adapters.store.read_tables import SqlReadTables

WRITERS_LOCK = 0x6F75746C65740002
"""The advisory lock of whoever writes, with the schema: `outlet` and a number."""

SETTINGS = (
    # One that dies amid a write, or waits for such a one, ends by itself.
    "SET idle_in_transaction_session_timeout = '30s'",
    "SET lock_timeout = '60s'",
)


def open_postgres_read_tables(url: str) -> SqlReadTables:
    """The read tables in a database, given as a URL or in libpq's own form; made by `prepare` if they are not there.

    Raises:
        NoAddressError: `url` is no address.
    """
    return SqlReadTables(
        postgres_engine(url, SETTINGS),
        lock=transaction_lock(WRITERS_LOCK),
        indexes="SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()",
    )
