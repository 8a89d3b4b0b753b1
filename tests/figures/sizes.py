"""How large each figure is in the tests and in full: the full sizes are those that QUALITY.md names, or more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.conftest import PROJECT
from tests.figures import equality, r1, r1_cluster, r4, r5, r5_cluster, r10, s3, s4, s6, s7, s10, telling
from tests.figures.figure import Figure, Progress

S3_SMALL, S3_FULL = (
    s3.Size(every=197, shapes=60, over_http_every=41),
    s3.Size(every=1, shapes=5_000, over_http_every=401),
)
S4_SMALL, S4_FULL = 200, 10_000
S10_SMALL, S10_FULL = 1_500, 100_000
R1_SMALL, R1_FULL = r1.Size(messages=150, kills=6), r1.Size(messages=10_000, kills=200)
R1_CLUSTER_SMALL, R1_CLUSTER_FULL = (
    r1_cluster.Size(messages=300, kills=6, server_each=3, pause_seconds=1.5),
    r1_cluster.Size(messages=10_000, kills=200, server_each=20, pause_seconds=2.5),
)
R4_SMALL, R4_FULL = (
    r4.Size(messages=300, rounds=1, away_seconds=2, back_seconds=2),
    r4.Size(messages=10_000, rounds=5, away_seconds=15, back_seconds=10),
)
R10_SMALL, R10_FULL = r10.Size(pairs=1, seconds=1.5), r10.Size(pairs=7, seconds=10)
R5_SMALL, R5_FULL = (
    r5.Size(people=60, trouble_seconds=1, slow_seconds=0.4, down_seconds=4),
    r5.Size(people=2_000, trouble_seconds=10, slow_seconds=2, down_seconds=30),
)
R5_CLUSTER_SMALL, R5_CLUSTER_FULL = (
    r5.Size(people=20, trouble_seconds=1, slow_seconds=0.4, down_seconds=5),
    r5.Size(people=2_000, trouble_seconds=10, slow_seconds=2, down_seconds=30),
)
EQUALITY_SMALL, EQUALITY_FULL = (
    equality.Size(messages=150, districts=20),
    equality.Size(messages=10_000, districts=1_000),
)
S6_SMALL, S6_FULL = s6.Size(people=20, erased=1), s6.Size(people=2_000, erased=20)
S7_SMALL, S7_FULL = s7.Size(letters=250, through_channels=20), s7.Size(letters=25_000, through_channels=2_000)
TELLING_SMALL, TELLING_FULL = (
    telling.Size(people=400, server_kills=2, outlet_kills=1),
    telling.Size(people=100_000, server_kills=8, outlet_kills=5),
)


def shared_data() -> Path | None:
    """The real documents that lie beside the project, if they do."""
    folder = PROJECT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@dataclass(frozen=True)
class Run:
    """What a figure is measured with."""

    folder: Path
    progress: Progress
    full: bool
    seed: int


MEASURES: Mapping[str, Callable[[Run], Figure]] = {
    "s3": lambda run: s3.measure(run.folder, S3_FULL if run.full else S3_SMALL, run.progress, shared_data()),
    "s4": lambda run: s4.measure(run.folder, S4_FULL if run.full else S4_SMALL, run.progress),
    "s6": lambda run: s6.measure(run.folder, S6_FULL if run.full else S6_SMALL, run.progress),
    "s7": lambda run: s7.measure(run.folder, S7_FULL if run.full else S7_SMALL, run.seed, run.progress),
    "s10": lambda run: s10.measure(S10_FULL if run.full else S10_SMALL, run.seed, run.progress, shared_data()),
    "r1": lambda run: r1.measure(run.folder, R1_FULL if run.full else R1_SMALL, run.progress),
    "r1-cluster": lambda run: r1_cluster.measure(
        run.folder, replace(R1_CLUSTER_FULL if run.full else R1_CLUSTER_SMALL, seed=run.seed), run.progress
    ),
    "r4": lambda run: r4.measure(run.folder, R4_FULL if run.full else R4_SMALL, run.progress),
    "r5": lambda run: r5.measure(run.folder, R5_FULL if run.full else R5_SMALL, run.progress),
    "r5-cluster": lambda run: r5_cluster.measure(
        run.folder, R5_CLUSTER_FULL if run.full else R5_CLUSTER_SMALL, run.progress
    ),
    "r10": lambda run: r10.measure(run.folder, R10_FULL if run.full else R10_SMALL, run.progress),
    "telling": lambda run: telling.measure(run.folder, TELLING_FULL if run.full else TELLING_SMALL, run.progress),
    "equality": lambda run: equality.measure(
        run.folder, EQUALITY_FULL if run.full else EQUALITY_SMALL, run.seed, run.progress
    ),
}


def measured(name: str, folder: Path, progress: Progress, *, full: bool, chosen_seed: int = 1) -> Figure:
    """Measure the figure of this name below an empty folder.

    Raises:
        LookupError: there is none of this name.
    """
    measure = MEASURES.get(name)
    if measure is None:
        raise LookupError(f"there is no figure {name!r}")
    return measure(Run(folder, progress, full, chosen_seed))
