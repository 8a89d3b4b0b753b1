"""How contact data is kept: sealed under a key of the person's own, which is itself sealed under the vault's key.

Destroying a person's key makes everything about them unreadable, in every copy of the file that was ever made.
"""

import hmac
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.store.small_files import secret_in

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_FINDER: Final = b"single-outlet: finder of contacts"


class SealBrokenError(Exception):
    """What was sealed cannot be opened: another key, or altered bytes."""


class VaultKey:
    """The vault's own key: seals the persons' keys, and makes the marks by which an address is found again.

    A mark is an HMAC of kind and address: without the vault's key nobody can tell by it whether an address is here.
    """

    def __init__(self, key: bytes) -> None:
        """Use these 32 bytes."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a vault's key has {KEY_BYTES} bytes")
        self._sealer = AESGCM(key)
        self._finder = hmac.digest(key, _FINDER, "sha256")

    def seal_key(self, person_key: bytes, number: int) -> bytes:
        """A person's key, sealed for this recipient number alone."""
        return _sealed(self._sealer, person_key, _owner(number))

    def open_key(self, sealed: bytes, number: int) -> bytes:
        """The person's key.

        Raises:
            SealBrokenError: it was sealed for another number or by another vault.
        """
        return _opened(self._sealer, sealed, _owner(number))

    def mark(self, kind: str, address: str) -> bytes:
        """By which the address is found: equal for equal addresses, and says nothing else."""
        return hmac.new(self._finder, f"{kind}:{address}".encode(), sha256).digest()


def new_person_key() -> bytes:
    """A key for one person."""
    return secrets.token_bytes(KEY_BYTES)


def seal(person_key: bytes, number: int, field: str, text: str) -> bytes:
    """A text of a person, sealed for this field alone."""
    return _sealed(AESGCM(person_key), text.encode(), _owner(number) + field.encode())


def open_sealed(person_key: bytes, number: int, field: str, sealed: bytes) -> str:
    """The text.

    Raises:
        SealBrokenError: it belongs to another person or field, or was altered.
    """
    return _opened(AESGCM(person_key), sealed, _owner(number) + field.encode()).decode()


def key_in(path: Path) -> VaultKey:
    """The key in this file, made on first use and readable for its owner alone.

    Raises:
        ValueError: the file does not hold a key.
        OSError: it cannot be read or made.
    """
    return VaultKey(secret_in(path, KEY_BYTES))


def _owner(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _sealed(sealer: AESGCM, content: bytes, owner: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + sealer.encrypt(nonce, content, owner)


def _opened(sealer: AESGCM, sealed: bytes, owner: bytes) -> bytes:
    try:
        return sealer.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner)
    except (InvalidTag, ValueError) as error:
        raise SealBrokenError("a sealed contact cannot be opened with this vault's key") from error
