"""Who may send as which agency: keys, signing secrets and pinned certificates, in one small SQLite file.

Several keys of an agency are valid at once, so that one is exchanged without a gap. What another process changes
(`outlet agency`) holds from the next request on. The remit is no matter of this file: the policy has it.
"""

import base64
import hmac
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from adapters.store.small_files import connected, make_private

FILE_NAME: Final = "keys.sqlite"
PREFIX: Final = "outlet"
SECRET_BYTES: Final = 32
SIGNING_PREFIX: Final = "whsec_"
LONGEST_KEY: Final = 200

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS credential (
    id TEXT PRIMARY KEY,
    agency TEXT NOT NULL,
    kind TEXT NOT NULL,
    held BLOB NOT NULL,
    label TEXT NOT NULL,
    created TEXT NOT NULL,
    expires TEXT,
    disabled TEXT
)
"""


class CredentialKind(StrEnum):
    """What a credential is: a bearer key, a secret that requests are signed with, or a pinned certificate."""

    KEY = "key"
    SIGNING_SECRET = "signing-secret"  # noqa: S105 -- the word, not a secret
    CERTIFICATE = "certificate"


class State(StrEnum):
    """Whether a credential may be used, and why not."""

    VALID = "valid"
    EXPIRED = "expired"
    DISABLED = "disabled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential. `held` is a key's SHA-256, a secret's bytes, or a certificate's SHA-256."""

    id: str
    agency: str
    kind: CredentialKind
    held: bytes
    label: str
    created: datetime
    expires: datetime | None
    disabled: datetime | None

    def state(self, now: datetime) -> State:
        """Whether it may be used at this moment."""
        if self.disabled is not None:
            return State.DISABLED
        return State.EXPIRED if self.expires is not None and self.expires <= now else State.VALID


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a presented key is worth; `credential` is None for an unknown one."""

    state: State
    credential: Credential | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A new credential and its secret, which is shown once and cannot be shown again."""

    credential: Credential
    secret: str


class AgencyKeys:
    """All credentials. Safe to use from many threads and several processes; `verify` reads memory."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it readable for its owner alone."""
        make_private(path)  # signing secrets lie in it as they are
        self._lock = threading.Lock()
        self._connection = connected(path, _SCHEMA)
        self._version = -1
        self._by_id: dict[str, Credential] = {}
        self._by_agency: dict[tuple[str, CredentialKind], tuple[Credential, ...]] = {}

    def add_key(self, agency: str, now: datetime, *, label: str = "", expires: datetime | None = None) -> Issued:
        """A new key of this agency."""
        identifier, secret = secrets.token_hex(6), secrets.token_urlsafe(SECRET_BYTES)
        key = f"{PREFIX}_{identifier}_{secret}"
        credential = Credential(identifier, agency, CredentialKind.KEY, _digest(key), label, now, expires, None)
        return self._added(credential, key)

    def add_signing_secret(
        self, agency: str, now: datetime, *, label: str = "", expires: datetime | None = None
    ) -> Issued:
        """A new signing secret; from now on every request of this agency must be signed with one of its secrets.

        It is kept as it is, since a signature can only be checked with the secret itself.
        """
        held = secrets.token_bytes(SECRET_BYTES)
        credential = Credential(
            secrets.token_hex(6), agency, CredentialKind.SIGNING_SECRET, held, label, now, expires, None
        )
        return self._added(credential, SIGNING_PREFIX + base64.b64encode(held).decode())

    def add_certificate(self, agency: str, fingerprint: str, now: datetime, *, label: str = "") -> Issued:
        """Pin a client certificate by its SHA-256; every request of this agency must then come with a pinned one.

        Raises:
            ValueError: the fingerprint is not 64 hexadecimal digits (colons are ignored).
        """
        held = fingerprint_bytes(fingerprint)
        if held is None:
            raise ValueError(
                f"{fingerprint!r} is no SHA-256 fingerprint: 64 hexadecimal digits, with or without colons"
            )
        credential = Credential(secrets.token_hex(6), agency, CredentialKind.CERTIFICATE, held, label, now, None, None)
        return self._added(credential, held.hex())

    def disable(self, identifier: str, now: datetime) -> Credential:
        """Disable one credential, at once and for good.

        Raises:
            LookupError: there is none with this id.
        """
        with self._lock:
            sentence = "UPDATE credential SET disabled = coalesce(disabled, ?) WHERE id = ?"
            changed = self._connection.execute(sentence, (now.isoformat(), identifier)).rowcount
            self._load()
            if not changed:
                raise LookupError(f"there is no credential {identifier!r}")
            return self._by_id[identifier]

    def disable_all(self, agency: str, now: datetime) -> Sequence[Credential]:
        """Disable every key of an agency. Its secrets and certificates stay: without a key nothing is let in."""
        return [
            self.disable(credential.id, now)
            for credential in self.credentials(agency)
            if credential.kind is CredentialKind.KEY and credential.disabled is None
        ]

    def credentials(self, agency: str | None = None) -> Sequence[Credential]:
        """All credentials, or one agency's, by agency and age."""
        with self._fresh():
            found = [one for one in self._by_id.values() if agency in {None, one.agency}]
        return sorted(found, key=lambda one: (one.agency, one.created, one.id))

    def verify(self, key: str, now: datetime) -> Verdict:
        """What this key is worth now.

        The id in the key, which is no secret, finds the row; the rest is compared in constant time, and a key of an
        unknown id costs the same comparison. Why a key is of no use is told only to whom holds the whole key.
        """
        found = self._find(key)
        # Compared in any case, so that time does not tell which ids there are.
        expected = found.held if found is not None else bytes(sha256().digest_size)
        is_right = hmac.compare_digest(_digest(key), expected)
        if found is None or not is_right:
            return Verdict(State.UNKNOWN)
        return Verdict(found.state(now), found)

    def usable(self, agency: str, kind: CredentialKind, now: datetime) -> Sequence[bytes]:
        """What is held of the agency's usable credentials of this kind."""
        with self._fresh():
            found = self._by_agency.get((agency, kind), ())
        return [one.held for one in found if one.state(now) is State.VALID]

    def requires(self, agency: str, kind: CredentialKind) -> bool:
        """Whether the agency must use this kind: it has one that is not disabled. An expired one is still required."""
        with self._fresh():
            return any(one.disabled is None for one in self._by_agency.get((agency, kind), ()))

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        """The keys themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _find(self, key: str) -> Credential | None:
        if len(key) > LONGEST_KEY:
            return None
        _, _, rest = key.partition("_")
        with self._fresh():
            found = self._by_id.get(rest.partition("_")[0])
        return found if found is not None and found.kind is CredentialKind.KEY else None

    def _added(self, credential: Credential, secret: str) -> Issued:
        row = (
            credential.id,
            credential.agency,
            credential.kind.value,
            credential.held,
            credential.label,
            credential.created.isoformat(),
            credential.expires.isoformat() if credential.expires else None,
            None,
        )
        with self._lock:
            self._connection.execute("INSERT INTO credential VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._load()
        return Issued(credential, secret)

    @contextmanager
    def _fresh(self) -> Iterator[None]:
        """With what other processes have changed; SQLite counts their commits, so that looking costs microseconds."""
        with self._lock:
            if self._connection.execute("PRAGMA data_version").fetchone()[0] != self._version:
                self._load()
            yield

    def _load(self) -> None:
        self._version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        self._by_id = {row[0]: _credential(row) for row in self._connection.execute("SELECT * FROM credential")}
        grouped: dict[tuple[str, CredentialKind], tuple[Credential, ...]] = {}
        for one in self._by_id.values():
            grouped[one.agency, one.kind] = (*grouped.get((one.agency, one.kind), ()), one)
        self._by_agency = grouped


def fingerprint_bytes(text: str) -> bytes | None:
    """A certificate's SHA-256 from its hexadecimal form, or None."""
    plain = text.replace(":", "").strip()
    try:
        held = bytes.fromhex(plain)
    except ValueError:
        return None
    return held if len(held) == sha256().digest_size else None


def _digest(key: str) -> bytes:
    """A key at rest. Plain SHA-256 is enough, and right.

    A key is 256 random bits: there is no list of likely ones to try, which is all that a slow hash hinders. A slow
    hash on every request would only make the intake easy to exhaust.
    """
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


def _credential(row: tuple[str, str, str, bytes, str, str, str | None, str | None]) -> Credential:
    identifier, agency, kind, held, label, created, expires, disabled = row
    return Credential(
        id=identifier,
        agency=agency,
        kind=CredentialKind(kind),
        held=held,
        label=label,
        created=datetime.fromisoformat(created),
        expires=datetime.fromisoformat(expires) if expires else None,
        disabled=datetime.fromisoformat(disabled) if disabled else None,
    )
