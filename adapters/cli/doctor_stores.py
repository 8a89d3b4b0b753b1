"""What `outlet doctor` says about the databases: the log in a file or on a server, the outbox, and the vault.

No sentence repeats a database's address: there may be a password in it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from adapters.sending.marks import POSITION, marks_of
from adapters.sending.tables import FILE_NAME as OUTBOX_FILE
from adapters.sending.tables import OUTBOX, OUTCOMES
from adapters.settings import Settings
from adapters.store.kept_tables import reading, refusals_named
from adapters.store.sqlite_datastore import DurablePool
from adapters.vault.tables import VAULT
from adapters.vault.vault import FILE_NAME as VAULT_FILE
from adapters.vault.vault import KEY_NAME, vault_of
from adapters.wiring import opened_log

if TYPE_CHECKING:
    from psycopg import Connection

OLDEST_SQLITE: Final = (3, 35, 0)
"""The first with everything that the store's statements use."""

OLDEST_POSTGRES: Final = 14

_SYNCHRONOUS: Final = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}


def sqlite_is_new_enough(_settings: Settings) -> tuple[bool, str]:
    """Whether this Python's SQLite has what the statements need."""
    oldest = ".".join(map(str, OLDEST_SQLITE))
    return sqlite3.sqlite_version_info >= OLDEST_SQLITE, f"SQLite {sqlite3.sqlite_version}, at least {oldest}"


def file_is_durable(settings: Settings) -> tuple[bool, str]:
    """Asked of a connection made as the log makes its own: `synchronous` belongs to a connection, not to the file."""
    pool = DurablePool(settings.log_path, busy_timeout_seconds=5.0)
    try:
        connection = pool.get_connection(is_writer=False)
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous")
        synchronous = _SYNCHRONOUS.get(cursor.fetchone()[0], "?")
        cursor.execute("PRAGMA journal_mode")
        journal = str(cursor.fetchone()[0])
        pool.put_connection(connection)
    finally:
        pool.close()
    return (synchronous, journal) == ("FULL", "wal"), f"synchronous={synchronous}, journal_mode={journal}"


def file_is_whole(settings: Settings) -> tuple[bool, str]:
    """Whether SQLite finds the event log's pages in order."""
    with closing(sqlite3.connect(settings.log_path)) as connection:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    return found == "ok", f"quick_check: {found}"


def server_is_usable(settings: Settings) -> tuple[bool, str]:
    """Whether the server can be reached, is new enough, and keeps texts as they are.

    Raises:
        psycopg.Error: it cannot be reached.
    """
    with _server(settings) as connection:
        version, encoding = (
            connection.execute(f"SHOW {name}").fetchone()[0]  # type: ignore[index]
            for name in ("server_version", "server_encoding")
        )
        number = connection.info.server_version
    usable = number // 10_000 >= OLDEST_POSTGRES and encoding == "UTF8"
    return usable, f"PostgreSQL {version}, at least {OLDEST_POSTGRES}; encoding {encoding}, UTF8 is needed"


def server_is_durable(settings: Settings) -> tuple[bool, str]:
    """Whether what an append has returned for survives a power failure of the server."""
    from adapters.store.postgres_log import PostgresEventLog

    assert settings.database_url is not None
    with closing(PostgresEventLog(settings.database_url, may_create=False)) as log:
        found = log.durability()
    return "off" not in found.values(), ", ".join(f"{name}={value}" for name, value in sorted(found.items()))


def log_has_no_gap(settings: Settings) -> tuple[bool, str]:
    """Whether as many events are there as the last one's position says."""
    with _server(settings) as connection:
        row = connection.execute("SELECT COUNT(*), COALESCE(MAX(notification_id), 0) FROM stored_events").fetchone()
    assert row is not None
    events, head = row
    return events == head, f"{events} events, the last at position {head}"


@contextmanager
def _server(settings: Settings) -> "Iterator[Connection[tuple[Any, ...]]]":
    from psycopg import connect

    from adapters.store.postgres_datastore import conninfo_of

    assert settings.database_url is not None
    with connect(conninfo_of(settings.database_url), autocommit=True) as connection:
        yield connection


def outbox_fits_the_log(settings: Settings) -> tuple[bool, str]:
    """Whether the outbox is not ahead of the log: then new plans would stand at positions that it has passed.

    Raises:
        NewerSchemaError: a newer version of the platform made the outbox.
    """
    engine = OUTBOX.found(settings.data_dir / OUTBOX_FILE, settings.database_url)
    if engine is None:
        return True, "there is none: nothing has been handed over"
    try:
        with refusals_named(OUTBOX.part), reading(engine) as connection:
            position = int(marks_of(connection).get(POSITION, "0"))
            waiting = connection.execute(select(func.count()).select_from(OUTCOMES)).scalar_one()
    finally:
        engine.dispose()
    with closing(opened_log(settings, may_create=False)) as log:
        head = log.head()
    if position > head:
        return False, (
            f"the outbox has followed the log up to {position}, and the log ends at {head}: the log was restored from "
            "an older backup, and what is planned next would be handed over to nobody. Restore the outbox of the same "
            "time, or take it away: it is then made again from the log"
        )
    return True, f"follows the log up to {position} of {head}; {waiting} outcomes are not in the log yet"


def vault_can_be_opened(settings: Settings) -> tuple[bool, str]:
    """Whether the key that is here is the one with which the contacts were sealed.

    Raises:
        OtherKeyError: it is another one, or missing.
        NewerSchemaError: a newer version of the platform made the vault.
    """
    engine = VAULT.found(settings.data_dir / VAULT_FILE, settings.database_url)
    if engine is None:
        return True, "there is none: no contact is kept"
    engine.dispose()
    file = settings.data_dir / VAULT_FILE
    if settings.database_url is not None and file.exists():
        return False, f"the vault is in the database; nothing uses {file} any more, and it holds contacts: delete it"
    with vault_of(settings) as vault:
        return True, f"{vault.count()} people, sealed with the key in {KEY_NAME}"
