"""The outbox's tables, in SQLAlchemy Core, and where they are. What a row means for people: `outbox`.

No row holds an address, a number of a telephone or a name: recipients are opaque numbers, and texts stay in the log.
"""

import json
from collections.abc import Iterable, Mapping
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
    MetaData,
    Table,
    UniqueConstraint,
    cast,
    func,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from adapters.settings import Settings
from adapters.store.kept_tables import INTEGER, TEXT, KeptTables

FILE_NAME: Final = "outbox.sqlite"

WAITING: Final = "waiting"
LEASED: Final = "leased"
ACCEPTED: Final = "accepted"
DELIVERED: Final = "delivered"
FAILED: Final = "failed"
WITHDRAWN: Final = "withdrawn"
STATES: Final = (WAITING, LEASED, ACCEPTED, DELIVERED, FAILED, WITHDRAWN)

METADATA: Final = MetaData()

MARKS: Final = Table(
    "marks",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("value", TEXT, nullable=False),
)
"""How far the log was followed, whether sending is stopped, and this outbox's own id."""

WARNINGS: Final = Table(
    "warnings",
    METADATA,
    Column("id", INTEGER, primary_key=True),
    Column("mode", TEXT, nullable=False),
    Column("warning_id", TEXT, nullable=False),
    Column("newest", INTEGER, nullable=False),
    UniqueConstraint("mode", "warning_id"),
)
"""One row for each warning that somebody is told of; `newest` is the position of its newest plan."""

PLANS: Final = Table(
    "plans",
    METADATA,
    Column("position", INTEGER, primary_key=True, autoincrement=False),
    Column("warning", INTEGER, nullable=False),
    Column("district", TEXT, nullable=False),
    Column("release", INTEGER, nullable=False),
    Column("number", INTEGER, nullable=False),
    Column("at", Float, nullable=False),
    Column("is_urgent", Boolean, nullable=False),
)

NOTICES: Final = Table(
    "notices",
    METADATA,
    Column("warning", INTEGER, primary_key=True, autoincrement=False),
    Column("purpose", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("about", TEXT, nullable=False),
)
"""Subjects of notices: each has a row in `warnings` of its own, named by `notice_name`; `about` is a warning's id."""

NEEDLESS: Final = Table(
    "needless",
    METADATA,
    Column("warning", INTEGER, primary_key=True),
    Column("number", INTEGER, primary_key=True),
    Column("planned_to", INTEGER, nullable=False),
)
"""Up to which position notices to somebody were taken back; kept for those that were under way at that moment."""

SENDS: Final = Table(
    "sends",
    METADATA,
    Column("id", INTEGER, primary_key=True),
    Column("plan", INTEGER, nullable=False),
    Column("warning", INTEGER, nullable=False),
    Column("rank", INTEGER, nullable=False),
    Column("hazards", TEXT, nullable=False),
    Column("people_sha256", TEXT, nullable=False),
    Column("people", INTEGER, nullable=False),
    Column("filled_to", INTEGER, nullable=False),
    Column("is_filled", Boolean, nullable=False),
)
"""What a plan says, once for all people who are told the same. `filled_to` is the last number that has its row.

A notice speaks of no hazard, and its rows are there from the beginning.
"""


def _index_of_some(name: str, *columns: Column[Any], where: ColumnElement[bool]) -> None:
    """An index of the rows for which this holds, in each database's words."""
    Index(name, *columns, sqlite_where=where, postgresql_where=where)


_index_of_some("sends_to_fill", SENDS.c.warning, where=SENDS.c.is_filled.is_(False))

MESSAGES: Final = Table(
    "messages",
    METADATA,
    Column("plan", INTEGER, primary_key=True),
    Column("number", INTEGER, primary_key=True),
    Column("warning", INTEGER, nullable=False),
    Column("send", INTEGER, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("queue", TEXT, nullable=False),
    Column("rank", INTEGER, nullable=False),
    Column("due", Float, nullable=False),
    Column("kinds", TEXT, nullable=False),
    Column("place", INTEGER, nullable=False),
    Column("language", TEXT, nullable=False),
    Column("attempts", INTEGER, nullable=False),
    # Who has it, under which lease, and what it says. `in_doubt`: a lease ended without an outcome.
    Column("worker", TEXT, nullable=False),
    Column("lease", INTEGER, nullable=False),
    Column("said", INTEGER),
    Column("in_doubt", Boolean, nullable=False),
    Column("route", TEXT, nullable=False),
    Column("reference", TEXT, nullable=False),
    Column("handed_at", Float),
    Column("ended_at", Float),
    Column("reason", TEXT, nullable=False),
)
"""One row for each plan and person. `queue` is `<mode>/<kind>` of the channel that is tried now."""

# Written out, for a bound parameter would hide from the databases that their partial indexes serve.
IS_WAITING: Final = MESSAGES.c.state == literal_column(f"'{WAITING}'")
IS_LEASED: Final = MESSAGES.c.state == literal_column(f"'{LEASED}'")
HAS_REFERENCE: Final = MESSAGES.c.reference != literal_column("''")

_index_of_some("messages_to_lease", MESSAGES.c.queue, MESSAGES.c.rank, MESSAGES.c.due, where=IS_WAITING)
_index_of_some("messages_leased", MESSAGES.c.worker, where=IS_LEASED)
Index("messages_of_a_person", MESSAGES.c.warning, MESSAGES.c.number)
_index_of_some("messages_by_reference", MESSAGES.c.reference, MESSAGES.c.route, where=HAS_REFERENCE)

SAID: Final = Table(
    "said",
    METADATA,
    Column("id", INTEGER, primary_key=True),
    Column("words", TEXT, nullable=False, unique=True),
)
"""The items that messages were made of, each combination once."""

WORKERS: Final = Table(
    "workers",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("alive_until", Float, nullable=False),
)

ONCE: Final = Table(
    "once",
    METADATA,
    Column("warning", INTEGER, primary_key=True),
    Column("kind", TEXT, primary_key=True),
    Column("first_number", INTEGER, primary_key=True),
    Column("words", TEXT, primary_key=True),
    Column("number", INTEGER, nullable=False),
    Column("at", Float, nullable=False),
)
"""Who of several numbers with one address gets the words; `first_number` is the lowest of them."""

EARLY_RECEIPTS: Final = Table(
    "early_receipts",
    METADATA,
    Column("route", TEXT, primary_key=True),
    Column("reference", TEXT, primary_key=True),
    Column("state", TEXT, nullable=False),
    Column("at", Float, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("came", Float, nullable=False),
)
"""Receipts of messages whose acceptance is not recorded, or never will be."""

GONE: Final = Table(
    "gone",
    METADATA,
    Column("plan", INTEGER, primary_key=True),
    Column("number", INTEGER, primary_key=True),
    Column("kind", TEXT, primary_key=True),
    Column("is_dead", Boolean, nullable=False),
)
"""Channels that a message found without an address, or with one that is no more, before it went to the next one."""

DEAD: Final = Table(
    "dead",
    METADATA,
    Column("number", INTEGER, primary_key=True, autoincrement=False),
    Column("refused_at", Float, nullable=False),
)
"""Recipients whom no channel reaches any more, until the log has heard of it."""

OUTCOMES: Final = Table(
    "outcomes",
    METADATA,
    Column("id", INTEGER, primary_key=True),
    Column("batch", TEXT, nullable=False),
    Column("mode", TEXT, nullable=False),
    Column("plan", INTEGER, nullable=False),
    Column("number", INTEGER, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("route", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("at", Float, nullable=False),
    Column("reason", TEXT, nullable=False),
    Index("outcomes_by_batch", "batch"),
)
"""What became of messages and is not in the log yet; a batch, once named, is stored under its name exactly once."""


OUTBOX: Final = KeptTables(
    "outbox", METADATA, version=1, lock=0x6F75746C65740003, sqlite_settings=("cache_size=-65536",)
)


def outbox_engine_of(settings: Settings) -> Engine:
    """The engine of an outlet's outbox, in its database or else in its data directory; made on first use.

    Raises:
        NewerSchemaError: a newer version of the platform made it.
        StoreError: the database refuses.
        OSError: the file cannot be made.
    """
    return OUTBOX.opened(settings.data_dir / FILE_NAME, settings.database_url)


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
