"""The vault's tables, and how what was deleted leaves the database's files. What is in them only `vault` can open."""

import logging
from contextlib import closing
from typing import Final

from sqlalchemy import Column, Engine, Index, LargeBinary, MetaData, Table, text
from sqlalchemy.exc import SQLAlchemyError

from adapters.store.kept_tables import INTEGER, TEXT, KeptTables

log = logging.getLogger(__name__)

METADATA: Final = MetaData()

PEOPLE: Final = Table(
    "people",
    METADATA,
    # AUTOINCREMENT, in PostgreSQL a sequence: a number is never given twice, not even when its row is gone.
    Column("number", INTEGER, primary_key=True, autoincrement=True),
    Column("sealed_key", LargeBinary),
    Column("name", LargeBinary),
    Column("erased", TEXT),
    sqlite_autoincrement=True,
)

CONTACTS: Final = Table(
    "contacts",
    METADATA,
    Column("number", INTEGER, primary_key=True),
    Column("kind", TEXT, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("mark", LargeBinary, nullable=False),
    # With the number: PostgreSQL, asked for the lowest number of a mark, would else go through all in their order.
    Index("contacts_by_mark", "mark", "number"),
)

KEY_MARKS: Final = Table("vault_key", METADATA, Column("mark", LargeBinary, nullable=False))
"""One row, which tells the vault's key from others without saying anything of it."""

VAULT: Final = KeptTables(
    "vault",
    METADATA,
    version=1,
    lock=0x6F75746C65740004,
    sqlite_settings=("secure_delete=ON",),
    carried_over=True,
)

REWRITTEN_BYTES: Final = 16 * 1024 * 1024
"""Tables up to this size, 150,000 people, are written anew after each erasure, which takes half a second. Larger ones
would keep everyone who looks up an address waiting for seconds, once for each of those who leave."""


def forget_deleted(engine: Engine) -> None:
    """What was deleted must not be readable in the database's files any more.

    It is erased already, so a failure is no failure of the erasure: it is logged, and the next erasure sees to it.
    """
    try:
        if engine.dialect.name == "sqlite":
            # Overwritten in its pages by `secure_delete`; the write-ahead log has the pages as they were.
            with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            _write_anew(engine)
    except SQLAlchemyError as error:
        log.warning("people were erased, and old bytes of their rows stay in the vault's files for now: %s", error)


def _write_anew(engine: Engine) -> None:
    """VACUUM alone makes room without wiping it; FULL writes a new file of what stands and deletes the old one."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in (PEOPLE, CONTACTS):
            size = int(
                connection.execute(
                    text("SELECT pg_table_size(CAST(:name AS regclass))"), {"name": table.name}
                ).scalar_one()
            )
            how = "FULL" if size <= REWRITTEN_BYTES else "INDEX_CLEANUP ON"
            connection.exec_driver_sql(f"VACUUM ({how}) {table.name}")
