"""The outbox's tables, in SQLAlchemy Core, and how its SQLite file is opened. What a row means for people: `outbox`.

No row holds an address, a number of a telephone or a name: recipients are opaque numbers, and texts stay in the log.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    cast,
    create_engine,
    event,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.sql.elements import ColumnElement

from adapters.store.small_files import make_private

FILE_NAME: Final = "outbox.sqlite"

WAITING: Final = "waiting"
LEASED: Final = "leased"
ACCEPTED: Final = "accepted"
DELIVERED: Final = "delivered"
FAILED: Final = "failed"
WITHDRAWN: Final = "withdrawn"
STATES: Final = (WAITING, LEASED, ACCEPTED, DELIVERED, FAILED, WITHDRAWN)

# A rowid in SQLite is an INTEGER and nothing else; the figures themselves need 64 bits everywhere.
_INTEGER = BigInteger().with_variant(Integer(), "sqlite")

METADATA: Final = MetaData()

MARKS: Final = Table(
    "marks",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""How far the log was followed, whether sending is stopped, and this outbox's own id."""

WARNINGS: Final = Table(
    "warnings",
    METADATA,
    Column("id", _INTEGER, primary_key=True),
    Column("mode", Text, nullable=False),
    Column("warning_id", Text, nullable=False),
    Column("newest", _INTEGER, nullable=False),
    UniqueConstraint("mode", "warning_id"),
)
"""One row for each warning that somebody is told of; `newest` is the position of its newest plan."""

PLANS: Final = Table(
    "plans",
    METADATA,
    Column("position", _INTEGER, primary_key=True),
    Column("warning", _INTEGER, nullable=False),
    Column("district", Text, nullable=False),
    Column("release", _INTEGER, nullable=False),
    Column("number", _INTEGER, nullable=False),
    Column("at", Float, nullable=False),
    Column("is_urgent", Boolean, nullable=False),
)

NOTICES: Final = Table(
    "notices",
    METADATA,
    Column("warning", _INTEGER, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("about", Text, nullable=False),
)
"""Subjects of notices: each has a row in `warnings` of its own, named by `notice_name`; `about` is a warning's id."""

NEEDLESS: Final = Table(
    "needless",
    METADATA,
    Column("warning", _INTEGER, primary_key=True),
    Column("number", _INTEGER, primary_key=True),
    Column("planned_to", _INTEGER, nullable=False),
)
"""Up to which position notices to somebody were taken back; kept for those that were under way at that moment."""

SENDS: Final = Table(
    "sends",
    METADATA,
    Column("id", _INTEGER, primary_key=True),
    Column("plan", _INTEGER, nullable=False),
    Column("warning", _INTEGER, nullable=False),
    Column("rank", _INTEGER, nullable=False),
    Column("hazards", Text, nullable=False),
    Column("people_sha256", Text, nullable=False),
    Column("people", _INTEGER, nullable=False),
    Column("filled_to", _INTEGER, nullable=False),
    Column("is_filled", Boolean, nullable=False),
)
"""What a plan says, once for all people who are told the same. `filled_to` is the last number that has its row.

A notice speaks of no hazard, and its rows are there from the beginning.
"""

Index("sends_to_fill", SENDS.c.warning, sqlite_where=SENDS.c.is_filled.is_(False))

MESSAGES: Final = Table(
    "messages",
    METADATA,
    Column("plan", _INTEGER, primary_key=True),
    Column("number", _INTEGER, primary_key=True),
    Column("warning", _INTEGER, nullable=False),
    Column("send", _INTEGER, nullable=False),
    Column("state", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("rank", _INTEGER, nullable=False),
    Column("due", Float, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("place", _INTEGER, nullable=False),
    Column("language", Text, nullable=False),
    Column("attempts", _INTEGER, nullable=False),
    # Who has it, under which lease, and what it says. `in_doubt`: a lease ended without an outcome.
    Column("worker", Text, nullable=False),
    Column("lease", _INTEGER, nullable=False),
    Column("said", _INTEGER),
    Column("in_doubt", Boolean, nullable=False),
    Column("route", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("handed_at", Float),
    Column("ended_at", Float),
    Column("reason", Text, nullable=False),
)
"""One row for each plan and person. `queue` is `<mode>/<kind>` of the channel that is tried now."""

_STATE = MESSAGES.c.state
Index("messages_to_lease", MESSAGES.c.queue, MESSAGES.c.rank, MESSAGES.c.due, sqlite_where=_STATE == WAITING)
Index("messages_leased", MESSAGES.c.worker, sqlite_where=_STATE == LEASED)
Index("messages_of_a_person", MESSAGES.c.warning, MESSAGES.c.number)
Index("messages_by_reference", MESSAGES.c.reference, MESSAGES.c.route, sqlite_where=MESSAGES.c.reference != "")

SAID: Final = Table(
    "said",
    METADATA,
    Column("id", _INTEGER, primary_key=True),
    Column("words", Text, nullable=False, unique=True),
)
"""The items that messages were made of, each combination once."""

WORKERS: Final = Table(
    "workers",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("alive_until", Float, nullable=False),
)

ONCE: Final = Table(
    "once",
    METADATA,
    Column("warning", _INTEGER, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("first_number", _INTEGER, primary_key=True),
    Column("words", Text, primary_key=True),
    Column("number", _INTEGER, nullable=False),
    Column("at", Float, nullable=False),
)
"""Who of several numbers with one address gets the words; `first_number` is the lowest of them."""

EARLY_RECEIPTS: Final = Table(
    "early_receipts",
    METADATA,
    Column("route", Text, primary_key=True),
    Column("reference", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("came", Float, nullable=False),
)
"""Receipts of messages whose acceptance is not recorded, or never will be."""

GONE: Final = Table(
    "gone",
    METADATA,
    Column("plan", _INTEGER, primary_key=True),
    Column("number", _INTEGER, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("is_dead", Boolean, nullable=False),
)
"""Channels that a message found without an address, or with one that is no more, before it went to the next one."""

DEAD: Final = Table(
    "dead",
    METADATA,
    Column("number", _INTEGER, primary_key=True),
    Column("refused_at", Float, nullable=False),
)
"""Recipients whom no channel reaches any more, until the log has heard of it."""

OUTCOMES: Final = Table(
    "outcomes",
    METADATA,
    Column("id", _INTEGER, primary_key=True),
    Column("batch", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("plan", _INTEGER, nullable=False),
    Column("number", _INTEGER, nullable=False),
    Column("kind", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Index("outcomes_by_batch", "batch"),
)
"""What became of messages and is not in the log yet; a batch, once named, is stored under its name exactly once."""


def open_outbox_engine(path: Path) -> Engine:
    """The engine of an outbox's file, made on first use and readable for its owner alone.

    Raises:
        OSError: the file cannot be made.
    """
    make_private(path)
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _settings)
    event.listen(engine, "begin", _begin)
    METADATA.create_all(engine)
    return engine


def _settings(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`
    cursor = connection.cursor()
    # FULL: what a channel has accepted must not be handed over again, unmarked, after a power failure.
    for setting in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "cache_size=-65536"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Take the write lock first: a transaction that reads and then writes would fail once another has written."""
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reads_only") else "BEGIN IMMEDIATE")


def insert_new(engine: Engine | Connection, table: Table) -> Any:  # noqa: ANN401 -- two dialects' classes
    """An insert that passes over rows whose key is there already."""
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()


def insert_for_each(
    connection: Connection, table: Table, row: Mapping[str, Any], column: str, numbers: Iterable[int]
) -> None:
    """Insert the row once for each number, in one statement; rows whose key is there already are passed over.

    Hundreds of thousands of rows by one statement each take seconds in which nobody else may write.
    """
    each: ColumnElement[Any]
    if connection.dialect.name == "postgresql":
        each = func.unnest(cast(list(numbers), ARRAY(BigInteger))).column_valued("each")
    else:
        each = func.json_each(json.dumps(list(numbers))).table_valued("value").c.value
    values = [literal(value, table.c[name].type) for name, value in row.items()]
    # Without the condition SQLite would take the conflict clause for a part of the join.
    chosen = select(*values, each).where(true())
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).from_select([*row, column], chosen).on_conflict_do_nothing())
