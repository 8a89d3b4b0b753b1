"""The faust worker: agents that hand what they consume to the shared steps. With the watcher, the only import of faust.

Settings are those with which nothing was lost in trials: at least once, acknowledged by hand after a step is stored,
never more than one coroutine for an agent, no web server, no topics made by faust.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import faust
from faust.types import TP

from streams.kafka_boundary import Boundary, Take, Watchdog, WorkerHealth
from streams.kafka_brokers import Brokers
from streams.kafka_records import Consumed
from streams.kafka_topics import LARGEST_RECORD_BYTES

log = logging.getLogger(__name__)

BATCH: Final = 200
GATHER_SECONDS: Final = 0.02
"""How long the first record of a batch waits for others."""

LOOK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker does: for each stage the topics that it consumes, and the step that takes their records.

    `group` is the consumer group, shared by all workers of an outlet. `folder` is for faust's own files.
    """

    brokers: Brokers
    group: str
    folder: Path
    steps: Mapping[str, tuple[Iterable[str], Take]]
    health: WorkerHealth = field(default_factory=WorkerHealth)
    stall_seconds: float = 60.0


def worker_app(work: Work, *, on_stall: Callable[[], None]) -> Any:  # noqa: ANN401 -- faust ships no usable types
    """The faust app; nothing is connected yet. `on_stall` is called when records wait and none is dealt with."""
    app = app_of(work.brokers, work.group, work.folder)
    boundary = Boundary(work.health)
    for stage, (topics, take) in work.steps.items():
        _add_agent(app, stage, tuple(topics), take, boundary)
    add_watch(app, work.health, on_stall, stall_seconds=work.stall_seconds)
    return app


def app_of(brokers: Brokers, group: str, folder: Path, **more: Any) -> Any:  # noqa: ANN401 -- see above
    """A faust app with the settings of this file; `folder` is for its own files."""
    return faust.App(
        group,
        broker=[f"kafka://{server}" for server in brokers.list],
        broker_credentials=_credentials(brokers),
        autodiscover=False,
        datadir=str(folder),
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        reply_create_topic=False,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=LARGEST_RECORD_BYTES + 64 * 1024,
        broker_commit_interval=1.0,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        broker_rebalance_timeout=60.0,
        broker_max_poll_records=BATCH * 5,
        producer_acks=-1,
        producer_linger=0.01,
        stream_wait_empty=False,
        **more,
    )


def raw_topic(app: Any, *topics: str) -> Any:  # noqa: ANN401 -- see above
    """Topics whose keys and values stay the bytes that they are."""
    raw = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
    return app.topic(*topics, **raw, allow_empty=True)


def _add_agent(app: Any, stage: str, topics: tuple[str, ...], take: Take, boundary: Boundary) -> None:  # noqa: ANN401
    @app.agent(raw_topic(app, *topics), name=stage)  # type: ignore[untyped-decorator]
    async def process(stream: Any) -> None:  # noqa: ANN401
        async for events in stream.noack_take(BATCH, within=GATHER_SECONDS):
            await boundary.finish(stage, take, [consumed_in(event.message) for event in events])
            # By hand, and only now: what faust acknowledges itself counts as done when its agent is cancelled.
            for event in events:
                await stream.ack(event)


def consumed_in(message: Any) -> Consumed:  # noqa: ANN401
    """A message of faust's as a record."""
    return Consumed(message.topic, message.partition, message.offset, message.key, message.value)


def add_watch(
    app: Any,  # noqa: ANN401 -- see above
    health: WorkerHealth,
    on_stall: Callable[[], None],
    *,
    stall_seconds: float,
    own: frozenset[str] = frozenset(),
) -> None:
    """Look at the app every few seconds; `own` are topics that it keeps for itself, where nothing waits for it."""
    watchdog = Watchdog(stall_seconds)

    @app.timer(LOOK_SECONDS)  # type: ignore[untyped-decorator]
    async def look() -> None:
        health.lags = _lags(app.consumer, health, own)
        health.is_consuming = not app.rebalancing
        if watchdog.is_stalled(health):
            log.critical("records wait and none was dealt with for %s s", stall_seconds)
            on_stall()


def _lags(consumer: Any, health: WorkerHealth, own: frozenset[str]) -> dict[tuple[str, int], int]:  # noqa: ANN401
    """How many records of each assigned partition are not dealt with yet."""
    found: dict[tuple[str, int], int] = {}
    for partition in consumer.assignment():
        if partition.topic in own:
            continue
        key = (partition.topic, partition.partition)
        begun = consumer._committed_offset.get(TP(*key)) or 0  # noqa: SLF001 -- no public way to it
        found[key] = max(0, (consumer.highwater(partition) or 0) - max(begun, health.done.get(key, 0)))
    # A partition that another worker has taken over is its own matter from here on.
    health.done = {key: offset for key, offset in health.done.items() if key in found}
    return found


def run_worker(app: Any) -> None:  # noqa: ANN401
    """Run the app in this thread until a signal ends the process.

    Raises:
        SystemExit: always, with the code of the process.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = faust.Worker(app, loop=loop, redirect_stdouts=False, override_logging=False, quiet=True)
    worker.spinner = None  # it would hide the cursor of whatever standard output is
    worker.execute_from_commandline()


def _credentials(brokers: Brokers) -> Any:  # noqa: ANN401
    context = brokers.ssl_context()
    if brokers.protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=brokers.username, password=brokers.password, mechanism=brokers.mechanism, ssl_context=context
        )
    return None if context is None else faust.SSLCredentials(context)
