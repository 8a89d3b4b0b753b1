"""R5 on the distributed outlet: PostgreSQL is stopped too while letters wait, and messages go on coming by Kafka.

Mail server and SMSC refuse, answer late, drop connections, and are gone together with PostgreSQL. Meanwhile HTTP says
503, a red warning comes by Kafka, and every process says at `/readyz` that it is not ready and why. After the return
all of them go on by themselves.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from kafka import KafkaProducer

from streams.kafka_topics import TopicNames
from tests.cluster.cluster import POSTGRES, Cluster
from tests.cluster.parts import answers
from tests.conftest import PROJECT
from tests.figures import r5
from tests.figures.cluster_ends import OURS
from tests.figures.figure import Figure, Progress
from tests.figures.outlets import CommandError, Listed, Outlet, at_once_policy, wait_for
from tests.figures.r1_feed import LASTING_HOURS
from tests.figures.r5 import AREAS, EXPIRING, PATIENCE_SECONDS, Size
from tests.figures.servers import Servers
from tests.streams.messages import cap

PROMISE = (
    "PostgreSQL stopped, mail server and SMSC refusing, slow, dropping connections and gone: drained within 120 s of "
    "return, in order of priority; nothing expired is sent; every process says so meanwhile, and goes on by itself"
)
COMING = "330683"
"""Where a red warning comes for while PostgreSQL is away."""

PROCESSES = (*OURS, "courier")
SAY_SECONDS = 60.0
PROBE_SECONDS = 20.0
PROBES_A_SECOND = 2


class ClusterOutlet(Outlet):
    """The distributed outlet as its operators have it."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        """Its processes run already."""
        super().__init__(folder)
        self._cluster = cluster
        self.data = cluster.data

    @property
    def url(self) -> str:
        """Where it serves."""
        return self._cluster.url

    def begin(self) -> None:
        """The courier takes the routes' settings in at its start."""
        self._cluster.stop("courier")
        self._cluster.start("courier")

    def kill(self) -> None:
        """The cluster ends its processes."""

    def call(self, *arguments: str, code: int = 0) -> str:
        """What a command of the outlet writes to standard output; everything it says is kept.

        Raises:
            CommandError: its exit code is another one.
        """
        kept = self._folder / f"command-{len(self.said)}.txt"
        errors = kept.with_suffix(".errors")
        self.said += [kept, errors]
        command = [sys.executable, "-m", "adapters.cli", *arguments]
        environment = {**os.environ, **self._cluster.environment}
        with kept.open("wb") as out, errors.open("wb") as err:
            ended = subprocess.run(command, cwd=PROJECT, env=environment, stdout=out, stderr=err, check=False)
        if ended.returncode != code:
            raise CommandError(f"outlet {arguments[0]} ended with {ended.returncode}: {errors.read_text()[-1000:]}")
        return kept.read_text()


def measure(folder: Path, size: Size, progress: Progress) -> Figure:
    """Trouble, return, and what came of it."""
    with Cluster({"OUTLET_POLICY": str(at_once_policy(folder))}) as cluster:
        figure = measure_on(cluster, folder, size, progress)
        for part in cluster.parts.values():
            (folder / part.log.name).write_bytes(part.log.read_bytes())
    return figure


def measure_on(cluster: Cluster, folder: Path, size: Size, progress: Progress) -> Figure:
    """The same on a cluster that runs already, with a policy that waits for nothing."""
    figure = Figure("R5 (distributed)", PROMISE)
    people = {one.address: one for one in r5.listed(size.people, (*AREAS, EXPIRING, COMING))}
    with Servers(folder / "servers") as servers:
        outlet = ClusterOutlet(folder, cluster)
        outlet.settle(servers)
        outlet.enlist(people.values())
        with outlet.running():
            r5.go_through(_Run(cluster, outlet, servers, size, people, figure), progress)
    return figure


class _Run(r5.Run):
    """The same, and PostgreSQL is gone with the servers."""

    slack_seconds = 15.0

    def __init__(
        self,
        cluster: Cluster,
        outlet: Outlet,
        servers: Servers,
        size: Size,
        people: dict[str, Listed],
        figure: Figure,
    ) -> None:
        super().__init__(outlet, servers, size, people, figure)
        self._cluster = cluster
        self.wanted = frozenset({*AREAS, COMING})

    def take_away(self) -> None:
        """PostgreSQL is stopped first: letters are under lease."""
        self._cluster.stop(POSTGRES)
        super().take_away()
        coming = cap(COMING, level="red", codes=(COMING,), hours=LASTING_HOURS, text="红色预警, 请立即避险。")
        produced(self._cluster, "meteorology", coming)
        try:
            self._outlet.post(coming)
        except CommandError as error:
            self._figure.must(" 503: " in str(error), f"without PostgreSQL HTTP does not say 503: {error}")
        else:
            self._figure.must(kept=False, otherwise="a message was answered 202 without PostgreSQL")
        said = unready(self._cluster, PROCESSES)
        self._figure.counts["processes that said at /readyz that they are not ready"] = len(said)
        for name in PROCESSES:
            self._figure.must("database" in said.get(name, ""), f"{name} did not say what is away: {said.get(name)}")

    def bring_back(self) -> None:
        """All of it, and the processes find it by themselves."""
        self._cluster.start(POSTGRES)
        super().bring_back()

    def come_back(self) -> None:
        """Everybody is reached, and every process is well again."""
        super().come_back()
        for sentence in self._cluster.tend():
            self._figure.count(f"by itself: {sentence}")
        for name in PROCESSES:
            wait_for(lambda name=name: answers(self._cluster.probe_url(name)), PATIENCE_SECONDS, f"{name} is ready")  # type: ignore[misc]


def produced(cluster: Cluster, agency: str, content: bytes) -> None:
    """One message to an agency's topic, confirmed."""
    producer = KafkaProducer(bootstrap_servers=cluster.broker.bootstrap_servers)
    try:
        producer.send(TopicNames().of_agency(agency), content).get(timeout=PROBE_SECONDS)
    finally:
        producer.close()


def unready(cluster: Cluster, names: Iterable[str]) -> dict[str, str]:
    """What each of these says that hinders it, asked until all of them say something, or for a minute."""
    said: dict[str, str] = {}
    end = time.monotonic() + SAY_SECONDS
    waiting = list(names)
    while waiting and time.monotonic() < end:
        for name in list(waiting):
            if found := trouble_of(cluster, name):
                said[name] = found
                waiting.remove(name)
        time.sleep(1 / PROBES_A_SECOND)
    return said


def trouble_of(cluster: Cluster, name: str) -> str:
    """What a process says at `/readyz` that hinders it; empty when it says nothing, or that it is ready."""
    try:
        with urllib.request.urlopen(cluster.probe_url(name), timeout=PROBE_SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        with error:
            checks = json.load(error)["checks"]
        return "; ".join(f"{check}: {found}" for check, found in checks.items() if found != "ok")
    except OSError:
        return ""
