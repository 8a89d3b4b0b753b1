"""A distributed outlet that is fed while things are done to it, and held against one process on SQLite.

What is done to it is each figure's own: R1's kills, R4's troubles with the broker and among the workers.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tests.cluster.cluster import Cluster
from tests.figures.cluster_ends import Carried, drained, embedded_end, end_of_cluster
from tests.figures.cluster_feed import ClusterFeed
from tests.figures.figure import Figure, Progress
from tests.figures.r1_ends import End
from tests.figures.r1_feed import Letter, feed


class Trouble(Protocol):
    """Something that is done while messages flow; in the end everything that it took away is coming back."""

    __name__: str

    def __call__(self, cluster: Cluster, feeding: ClusterFeed, figure: Figure) -> None:
        """Do it, and count it."""
        ...


def measure(folder: Path, figure: Figure, messages: int, troubles: Sequence[Trouble], progress: Progress) -> Figure:
    """Feed it, do all of this to it spread over the feed, and judge."""
    conversations = feed(1, messages)
    progress(0, len(troubles) + 2, "the same messages through one process on SQLite")
    alone = embedded_end(folder, conversations)
    with Cluster() as cluster:
        try:
            _disturbed(cluster, figure, conversations, alone, troubles, progress)
        finally:
            for part in cluster.parts.values():
                (folder / part.log.name).write_bytes(part.log.read_bytes())
    return figure


def _disturbed(
    cluster: Cluster,
    figure: Figure,
    conversations: Sequence[Sequence[Letter]],
    alone: End,
    troubles: Sequence[Trouble],
    progress: Progress,
) -> None:
    # Nobody is to be told here: the processors are for the others.
    for name in ("courier", "mailcatcher"):
        cluster.stop(name)
    feeding = ClusterFeed(cluster, conversations)
    steps = len(troubles) + 2
    for number, trouble in enumerate(troubles, start=1):
        answered = feeding.answers.count
        progress(number, steps, f"{trouble.__name__}; {answered} of {feeding.total} messages answered")
        feeding.open_to(number / (len(troubles) + 1))
        trouble(cluster, feeding, figure)
        note_ends(cluster, figure)
    feeding.finish(lambda: note_ends(cluster, figure))
    progress(steps - 1, steps, "what waits is worked off")
    drained(cluster)
    note_ends(cluster, figure)
    _judge(figure, feeding, alone, *end_of_cluster(cluster, feeding.digests))


def note_ends(cluster: Cluster, figure: Figure) -> None:
    """Start again what has ended, as a service manager does; what ended unasked is counted."""
    for sentence in cluster.tend():
        if " ended with -9" not in sentence:
            figure.count(f"by itself: {sentence.partition(',')[0]}")


def _judge(figure: Figure, feeding: ClusterFeed, alone: End, end: End, records: Carried) -> None:
    answers = feeding.answers
    lost = [digest for digest in answers.by_digest if digest not in end.kept]
    figure.counts |= {
        "messages": feeding.total,
        "sent again for want of an answer": answers.retried,
        "told to come again": answers.told_to_wait,
        "accepted": end.accepted,
        "refused": end.rejected,
        "sections in force at the end": end.sections,
        "acknowledged messages lost": len(lost),
        "doubled": len(end.doubled),
        "parked": end.parked,
        "records of events and contributions in Kafka": records.records,
        "of them repeated": records.repeated,
        "events or slices that Kafka has no record of": len(records.missing),
        "state of one process on SQLite": alone.state,
        "state": end.state,
    }
    figure.must(not feeding.faults, f"partners gave up: {feeding.faults}")
    figure.must(not answers.strange, f"{len(answers.strange)} strange answers, such as {answers.strange[:2]}")
    figure.must(feeding.digests == set(answers.by_digest), "a message was never answered")
    figure.must(not lost, f"{len(lost)} acknowledged messages are not in the log")
    figure.must(not end.doubled, f"{len(end.doubled)} things happened twice: {end.doubled[:3]}")
    figure.must(not end.parked, f"{end.parked} events were parked")
    figure.must(not records.missing, f"not in Kafka: {records.missing[:3]}")
    figure.must(end.rebuilt_equal, "rebuilt from the log, the board differs")
    figure.must(end.taken == alone.taken, "what was accepted and refused differs from one process on SQLite")
    figure.must(end.merged == alone.merged, "what was recorded in districts differs from one process on SQLite")
    figure.must(end.state == alone.state, "what is in force differs from one process on SQLite")
