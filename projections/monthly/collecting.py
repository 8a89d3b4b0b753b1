"""What all parts of the monthly report share: how they are fed, and counts in an order of their own."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from domain.levels import Level

Handler = Callable[[int, Any], None]
"""Takes a position in the log and the fact recorded there."""

Key = TypeVar("Key", bound=str)


class Collector(Protocol):
    """Counts one subject while the log goes by, in the log's order."""

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What is counted of which topic."""
        ...


def in_order(counts: Mapping[Key, int]) -> dict[Key, int]:
    """The counts that are not zero, by their keys: equal counts are written alike, whatever came first."""
    return {key: counts[key] for key in sorted(counts) if counts[key]}


def by_level(counts: Mapping[Level, int]) -> dict[Level, int]:
    """The counts that are not zero, from the highest level down."""
    return {level: counts[level] for level in sorted(counts, reverse=True) if counts[level]}
