"""Sets of recipient numbers as compressed bitmaps, and the bytes by which equal sets are known as equal.

The bitmaps are frozen: one is shared by every reader of the index. What does not belong here: who is in a set.
"""

from array import array
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyroaring import AbstractBitMap, FrozenBitMap

Numbers = NDArray[np.uint32]
"""Recipient numbers as an array."""

NOBODY: Final = FrozenBitMap()


class PeopleError(ValueError):
    """Bytes that are no set of people."""


def people_of(numbers: Numbers, *, lasting: bool = True) -> FrozenBitMap:
    """The set of these numbers; rising ones are taken in several times as fast as others.

    One that is not to last is not packed as small as can be.
    """
    return FrozenBitMap(array("I", np.ascontiguousarray(numbers, dtype=np.uint32).tobytes()), optimize=lasting)


def numbers_of(people: AbstractBitMap) -> Numbers:
    """The numbers of a set, rising."""
    return np.frombuffer(people.to_array(), dtype=np.uint32)


def all_of(sets: Iterable[FrozenBitMap]) -> FrozenBitMap:
    """Who is in any of these sets, however many they are."""
    found = list(sets)
    if len(found) <= 1:
        return found[0] if found else NOBODY
    return FrozenBitMap.union(*found)


def content_of(people: Iterable[int]) -> bytes:
    """A set in the portable format of Roaring bitmaps (RoaringFormatSpec), the same bytes for equal sets.

    A set that came out of others may hold the same numbers in other containers, and then has other bytes. So it is
    made anew from its rising numbers, and each container is the smallest of its three kinds.
    """
    if isinstance(people, AbstractBitMap):
        return FrozenBitMap(people.to_array(), optimize=True).serialize()
    return FrozenBitMap(array("I", sorted(set(people))), optimize=True).serialize()


def people_from(content: bytes) -> FrozenBitMap:
    """The set that `content_of` made these bytes of.

    Raises:
        PeopleError: the bytes are no set.
    """
    try:
        return FrozenBitMap.deserialize(content)
    except ValueError as error:
        raise PeopleError(f"{len(content)} bytes are no set of people: {error}") from error
