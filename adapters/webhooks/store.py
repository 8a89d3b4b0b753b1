"""The webhooks of downstream systems, in one small SQLite file.

What another process changes (`outlet webhook`) holds from the next sending on. The secrets lie in it as they are,
since a signature can only be made with the secret itself: the file is readable for its owner alone.
"""

import base64
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from msgspec.json import decode, encode

from adapters.http.public.query import Filter
from adapters.store.small_files import connected, make_private
from domain.levels import Level
from domain.messages import Mode

FILE_NAME: Final = "webhooks.sqlite"
SECRET_BYTES: Final = 32
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 -- the prefix, not a secret
OVERLAP: Final = timedelta(hours=24)
"""For how long the secret before the newest one still signs as well."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS webhook (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    mode TEXT NOT NULL,
    districts TEXT NOT NULL,
    hazards TEXT NOT NULL,
    level_min TEXT,
    secret BLOB NOT NULL,
    old_secret BLOB,
    old_until TEXT,
    created TEXT NOT NULL,
    disabled TEXT,
    reason TEXT NOT NULL DEFAULT ''
)
"""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One registered address. `old_secret` signs beside `secret` until `old_until`."""

    id: str
    url: str
    mode: Mode
    wanted: Filter
    secret: bytes
    created: datetime
    old_secret: bytes | None = None
    old_until: datetime | None = None
    disabled: datetime | None = None
    reason: str = ""

    @property
    def host(self) -> str:
        """All that is told of the address where others read: its path may be a secret of the receiver's."""
        return urlsplit(self.url).hostname or ""

    def signing_secrets(self, now: datetime) -> Sequence[bytes]:
        """Those that a request is signed with now, the newest first."""
        if self.old_secret is not None and self.old_until is not None and now < self.old_until:
            return (self.secret, self.old_secret)
        return (self.secret,)


class Webhooks:
    """All webhooks. Safe to use from many threads and several processes."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it readable for its owner alone."""
        make_private(path)
        self._lock = threading.Lock()
        self._connection = connected(path, _SCHEMA)
        self._version = -1
        self._by_id: Mapping[str, Webhook] = {}

    def add(self, url: str, wanted: Filter, now: datetime, *, mode: Mode = Mode.LIVE) -> Webhook:
        """A new webhook with a new secret; the URL has been vetted."""
        webhook = Webhook(f"wh_{secrets.token_hex(6)}", url, mode, wanted, secrets.token_bytes(SECRET_BYTES), now)
        row = (
            webhook.id,
            url,
            mode.value,
            encode(sorted(wanted.districts)).decode(),
            encode(sorted(wanted.hazards)).decode(),
            None if wanted.level_min is None else wanted.level_min.value,
            webhook.secret,
            now.isoformat(),
        )
        with self._lock:
            self._connection.execute(
                "INSERT INTO webhook (id, url, mode, districts, hazards, level_min, secret, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            self._load()
        return webhook

    def all(self) -> Mapping[str, Webhook]:
        """Every webhook by its id, the oldest first. Quick: SQLite counts the commits of others."""
        with self._lock:
            if self._connection.execute("PRAGMA data_version").fetchone()[0] != self._version:
                self._load()
            return self._by_id

    def named(self, identifier: str) -> Webhook:
        """The webhook with this id.

        Raises:
            LookupError: there is none.
        """
        found = self.all().get(identifier)
        if found is None:
            raise LookupError(f"there is no webhook {identifier!r}; see `outlet webhook list`")
        return found

    def disable(self, identifier: str, now: datetime, reason: str) -> Webhook:
        """Send it nothing from now on.

        Raises:
            LookupError: there is none.
        """
        return self._changed(
            identifier,
            "disabled = coalesce(disabled, ?), reason = CASE WHEN disabled IS NULL THEN ? ELSE reason END",
            (now.isoformat(), reason),
        )

    def enable(self, identifier: str) -> Webhook:
        """Serve it again.

        Raises:
            LookupError: there is none.
        """
        return self._changed(identifier, "disabled = NULL, reason = ''", ())

    def rotate(self, identifier: str, now: datetime) -> Webhook:
        """Give it a new secret; the one before signs beside it for `OVERLAP`.

        Raises:
            LookupError: there is none.
        """
        return self._changed(
            identifier,
            "old_secret = secret, old_until = ?, secret = ?",
            ((now + OVERLAP).isoformat(), secrets.token_bytes(SECRET_BYTES)),
        )

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        """The webhooks themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _changed(self, identifier: str, change: str, values: tuple[object, ...]) -> Webhook:
        self.named(identifier)
        with self._lock:
            # `change` is one of the phrases above, never what somebody sent.
            sentence = f"UPDATE webhook SET {change} WHERE id = ?"  # noqa: S608
            self._connection.execute(sentence, (*values, identifier))
            self._load()
        return self.named(identifier)

    def _load(self) -> None:
        self._version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        rows = self._connection.execute(
            "SELECT id, url, mode, districts, hazards, level_min, secret, created, old_secret, old_until, disabled,"
            " reason FROM webhook ORDER BY created, id"
        )
        self._by_id = {row[0]: _webhook(row) for row in rows}


def shown_secret(secret: bytes) -> str:
    """The secret as its owner is given it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


_Row = tuple[str, str, str, str, str, str | None, bytes, str, bytes | None, str | None, str | None, str]


def _webhook(row: _Row) -> Webhook:
    identifier, url, mode, districts, hazards, level_min, secret, created, old, old_until, disabled, reason = row
    wanted = Filter(
        frozenset(decode(districts, type=list[str])),
        frozenset(decode(hazards, type=list[str])),
        None if level_min is None else Level(level_min),
    )
    return Webhook(
        id=identifier,
        url=url,
        mode=Mode(mode),
        wanted=wanted,
        secret=secret,
        created=datetime.fromisoformat(created),
        old_secret=old,
        old_until=datetime.fromisoformat(old_until) if old_until else None,
        disabled=datetime.fromisoformat(disabled) if disabled else None,
        reason=reason,
    )
