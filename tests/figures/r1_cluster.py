"""R1 on the distributed outlet: SIGKILL at random points of each of its processes, and of both servers, during a feed.

Acknowledged is what HTTP has answered and what Kafka has confirmed with all replicas. Whatever was killed is started
again at once, and may be killed again while it starts.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.cluster.cluster import Cluster
from tests.figures import cluster_run
from tests.figures.cluster_feed import ClusterFeed
from tests.figures.cluster_run import Trouble
from tests.figures.figure import Figure, Progress

PROMISE = (
    "no message that HTTP answered or Kafka confirmed is lost or doubled by SIGKILL of any process, and the end is "
    "that of one process without kills"
)
PROCESSES = ("worker-1", "worker-2", "relay", "projector", "web")
SERVERS = ("kafka", "postgres")


@dataclass(frozen=True)
class Size:
    """How large a run is. Of so many kills one is of a server; kills are some seconds apart, this on the average."""

    messages: int
    kills: int
    server_each: int
    pause_seconds: float
    seed: int = 1


def measure(folder: Path, size: Size, progress: Progress) -> Figure:
    """Kill so often while messages flow."""
    figure = Figure("R1 (distributed)", PROMISE)
    return cluster_run.measure(folder, figure, size.messages, troubles(size), progress)


def troubles(size: Size) -> list[Trouble]:
    """All kills, in their order."""
    random = Random(size.seed)
    preys = [_prey(number, size, random) for number in range(size.kills)]
    return [_kill(prey, random, size.pause_seconds) for prey in preys]


def _prey(number: int, size: Size, random: Random) -> str:
    if number % size.server_each == size.server_each - 1:
        return SERVERS[number // size.server_each % len(SERVERS)]
    return random.choice(PROCESSES)


def _kill(prey: str, random: Random, pause_seconds: float) -> Trouble:
    pause = random.uniform(0, 2 * pause_seconds)
    share = random.random()

    def kill(cluster: Cluster, feeding: ClusterFeed, figure: Figure) -> None:
        before = feeding.answers.count
        # Something of what flows meanwhile is answered first.
        time.sleep(share * 0.2)
        part = cluster.parts[prey]
        figure.count(f"killed: {prey}")
        figure.count("killed while messages were on their way", int(feeding.answers.count > before))
        part.kill()
        cluster.tend()
        time.sleep(pause)

    kill.__name__ = f"kill {prey}"
    return kill
