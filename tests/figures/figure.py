"""What a figure gives: what was counted, and where it falls short. What it measures belongs to its own module."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass
class Figure:
    """The outcome of one figure. It holds when nothing in `shortfalls` says otherwise."""

    id: str
    promise: str
    counts: dict[str, Any] = field(default_factory=dict)
    shortfalls: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the promise was kept."""
        return not self.shortfalls

    def count(self, name: str, more: int = 1) -> None:
        """So many more of this."""
        self.counts[name] = self.counts.get(name, 0) + more

    def must(self, kept: bool, otherwise: str) -> None:
        """Note a shortfall unless this holds; only the first twenty are kept whole, the rest are counted."""
        if kept:
            return
        self.count("shortfalls")
        if len(self.shortfalls) < MOST_SHORTFALLS:
            self.shortfalls.append(otherwise)

    def document(self) -> dict[str, Any]:
        """As JSON: `{"id", "promise", "holds", "counts", "shortfalls"}`."""
        return {
            "id": self.id,
            "promise": self.promise,
            "holds": self.holds,
            "counts": self.counts,
            "shortfalls": self.shortfalls,
        }


MOST_SHORTFALLS = 20


class Progress(Protocol):
    """Told of how far a figure has come."""

    def __call__(self, done: int, of: int, what: str) -> None:
        """So much is done of so much."""
        ...


def unseen(done: int, of: int, what: str) -> None:
    """For tests: nobody looks."""


Measure = Callable[[Progress], Figure]
