"""The workers of P12: `outlet worker`, so many processes of their own, ended with what is measured."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from kafka.errors import CoordinatorNotAvailableError

from adapters.bench.p12_outlet import CLIENT, Outlet
from streams.kafka_clients import admin_of

JOINED_SECONDS: Final = 180.0
ENDING_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 0.2
SETTLED_SECONDS: Final = 2.0
"""After the group has divided the partitions, its members take them up."""

STABLE: Final = "Stable"


Process = subprocess.Popen[bytes]


@contextmanager
def workers(outlet: Outlet, count: int) -> Iterator[list[Process]]:
    """So many workers that have divided the outlet's partitions among themselves.

    Raises:
        TimeoutError: they have not come together.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(_worker(outlet, number)) for number in range(count)]
        _wait_until_divided(outlet, count)
        yield processes


@contextmanager
def held(processes: Sequence[Process]) -> Iterator[None]:
    """They stand still meanwhile: for less time than after which their group would take them for dead."""
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


@contextmanager
def _worker(outlet: Outlet, number: int) -> Iterator[Process]:
    settings, kafka = outlet.platform.settings, outlet.kafka
    environment = {
        "OUTLET_DATA": str(settings.data_dir),
        "OUTLET_DATABASE_URL": str(settings.database_url),
        "OUTLET_KAFKA_BOOTSTRAP_SERVERS": kafka.brokers.servers,
        "OUTLET_KAFKA_TOPIC_PREFIX": kafka.names.prefix,
        "OUTLET_KAFKA_PARTITIONS": str(kafka.partitions),
    }
    words = [f"{name}={value}" for name, value in environment.items()]
    with (settings.data_dir / f"worker-{number}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            ["/usr/bin/env", *words, sys.executable, "-m", "adapters.cli", "worker"], stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_divided(outlet: Outlet, count: int) -> None:
    admin = admin_of(outlet.kafka.brokers, CLIENT)
    group = outlet.kafka.group
    until = time.monotonic() + JOINED_SECONDS
    try:
        while not _is_divided(admin, group, count):
            if time.monotonic() > until:
                raise TimeoutError(f"{count} workers have not come together in {JOINED_SECONDS:g} s")
            time.sleep(LOOK_SECONDS)
    finally:
        admin.close()
    time.sleep(SETTLED_SECONDS)


def _is_divided(admin: Any, group: str, count: int) -> bool:  # noqa: ANN401 -- the client ships no types
    try:
        found = admin.describe_groups([group])[group]
    except CoordinatorNotAvailableError:  # the first group that a broker ever has
        return False
    return found["group_state"] == STABLE and len(found["members"]) == count
