"""Small files of single parts: secrets, and SQLite files of keys, webhooks, marks. What is in them is each part's own.

The event log and the read tables, which carry load, are opened by modules of their own.
"""

import os
import secrets
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


def secret_in(path: Path, size: int) -> bytes:
    """The random bytes in this file, made on first use and readable for its owner alone.

    Raises:
        ValueError: the file holds something else.
        OSError: it cannot be read or made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(secrets.token_bytes(size))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, path)  # whole or not at all, and never over one that another process has made
        except FileExistsError:
            pass
        finally:
            part.unlink()
    found = path.read_bytes()
    if len(found) != size:
        raise ValueError(f"{path} does not hold a key of {size} bytes")
    return found
