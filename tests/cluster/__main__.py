"""`python -m tests.cluster`: the distributed outlet on this machine, until Ctrl-C; `make cluster` calls it.

Variables of docker-compose.yml (OUTLET_POLICY, OUTLET_KAFKA_PARTITIONS, ...) are taken from the environment.
"""

import os
import shlex
import signal
import sys
import time
from pathlib import Path

from tests.cluster.cluster import Cluster
from tests.cluster.compose import ComposeError
from tests.cluster.parts import NotReadyError
from tests.kafka.jars import NoKafkaError
from tests.postgres import NoServerError

TEND_SECONDS = 1.0


def main() -> int:
    """0 after Ctrl-C or SIGTERM; 1 where it could not start."""
    # Both end it in order, while it starts as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    say("starting Kafka, PostgreSQL and the outlet's processes; the first time, Maven fetches Kafka")
    try:
        with Cluster(os.environ) as cluster:
            introduce(cluster)
            while True:
                time.sleep(TEND_SECONDS)
                for sentence in cluster.tend():
                    say(sentence)
    except KeyboardInterrupt:
        say("ended")
        return 0
    except (ComposeError, NoKafkaError, NoServerError, NotReadyError) as error:
        say(str(error))
        return 1


def introduce(cluster: Cluster) -> None:
    """Say where everything is, and what to try."""
    variables = cluster.folder / "environment"
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in cluster.environment.items())
    variables.write_text("".join(lines), encoding="utf-8")
    say(f"\nweb         {cluster.url}")
    say(f"kafka       {cluster.broker.bootstrap_servers}")
    say(f"postgresql  {cluster.database_url}")
    say(f"mails       {cluster.mails}")
    say(f"data        {cluster.data}")
    say(f"\n{'process':<12} {'id':>7}  log")
    for name, part in cluster.parts.items():
        said = "done" if part.code() == 0 else part.id
        health = f"  {cluster.probe_url(name)}" if cluster.services[name].probe else ""
        say(f"{name:<12} {said:>7}  {part.log}{health}")
    outlet = Path(sys.executable).with_name("outlet")
    say(f"\nIn another terminal:\n  source {variables}\n  {outlet} agency add water\n  {outlet} board")
    say("  kill -9 ID   # of a worker: the others go on, and it is started again\n\nCtrl-C ends everything.")


def say(sentence: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
