"""Small SQLite files of single parts: keys, webhooks, marks. Opened in one way; what is in them is each part's own.

The event log and the read tables, which carry load, are opened by modules of their own.
"""

import os
import sqlite3
from pathlib import Path
from typing import Literal


def make_private(path: Path) -> None:
    """Make the file readable for its owner alone, before SQLite makes it by the process's umask.

    Raises:
        OSError: it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def connected(path: Path, schema: str, *, synchronous: Literal["FULL", "NORMAL"] = "FULL") -> sqlite3.Connection:
    """A connection for threads that take turns by a lock of their caller's, with the schema's tables there.

    Every statement is its own transaction unless one is begun. With NORMAL the last ones may be lost with the power.
    """
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.executescript(schema)
    return connection
