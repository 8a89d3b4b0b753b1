"""One line of the benchmark's table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A ratio of ours to what ran beside it: the median of `rounds`, larger being better."""

    id: str
    measure: str
    beside: str
    ratio: float
    goal: float
    rounds: tuple[float, ...]
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the ratio reaches the goal."""
        return self.ratio >= self.goal


class PeerMissingError(ImportError):
    """What a figure is measured beside is not installed; the bench says so and goes on."""
