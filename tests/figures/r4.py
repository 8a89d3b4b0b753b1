"""R4: the broker stopped, killed and started, workers killed, leaving and joining, while messages flow.

Messages come by Kafka, which is a real one, and by HTTP. Afterwards nothing may be lost or doubled in the event store,
and the board is that of one process.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.cluster import Cluster
from tests.cluster.parts import Part
from tests.figures import cluster_run
from tests.figures.cluster_feed import ClusterFeed
from tests.figures.cluster_run import Trouble
from tests.figures.figure import Figure, Progress

PROMISE = (
    "broker stopped, killed and started, workers killed, partitions rebalanced while messages flow: 0 lost and 0 "
    "doubled in the event store"
)


@dataclass(frozen=True)
class Size:
    """How large a run is: how often each trouble comes, how long what it took away stays away, and how long not."""

    messages: int
    rounds: int
    away_seconds: float
    back_seconds: float


def measure(folder: Path, size: Size, progress: Progress) -> Figure:
    """Every trouble in turn."""
    return cluster_run.measure(folder, Figure("R4", PROMISE), size.messages, troubles(size), progress)


def troubles(size: Size) -> list[Trouble]:
    """Everything that is done, in its order."""
    return [_trouble(name, size, end, names) for _ in range(size.rounds) for name, end, names in KINDS]


def _trouble(name: str, size: Size, end: Callable[[Part], None], names: Sequence[str]) -> Trouble:
    """End these while messages flow, and let them come back after a while."""

    def trouble(cluster: Cluster, feeding: ClusterFeed, figure: Figure) -> None:
        before = feeding.answers.count
        for each in names:
            end(cluster.parts[each])
        figure.count(name)
        time.sleep(size.away_seconds)
        figure.count("answered while something was away", feeding.answers.count - before)
        cluster.tend()
        time.sleep(size.back_seconds)

    trouble.__name__ = name
    return trouble


def _in_order(part: Part) -> None:
    part.stop()


def _by_force(part: Part) -> None:
    part.kill()


KINDS: tuple[tuple[str, Callable[[Part], None], tuple[str, ...]], ...] = (
    ("broker stopped", _in_order, ("kafka",)),
    ("worker killed", _by_force, ("worker-1",)),
    ("broker killed", _by_force, ("kafka",)),
    ("both workers killed", _by_force, ("worker-1", "worker-2")),
    # The others take over its partitions, and give some back when it joins again.
    ("worker left and joined", _in_order, ("worker-2",)),
)
