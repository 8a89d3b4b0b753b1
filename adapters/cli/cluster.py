"""The processes of a distributed outlet, from `outlet topics` to `outlet watcher` (docs/cluster.md)."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from adapters.cli.common import REFUSED, JsonOption, errors_as_sentences, fail, globals_of, print_json, until_told
from adapters.cli.looks import print_table, say, verdict_text
from adapters.cli.run import address_of
from adapters.settings import KafkaSettings, Settings
from adapters.wiring import NothingHereError, Part, Platform, build, has_outlet, opened_log, rare_full_collections
from domain.policy import parse_policy
from domain.ports import LogUnavailableError

if TYPE_CHECKING:
    from adapters.cluster.health import Health

HealthOption = Annotated[
    str | None,
    typer.Option(
        "--health", metavar="HOST:PORT", help="Answer /livez, /readyz and /metrics here; port 0 takes a free one."
    ),
]

STALL_EXIT: Final = 75
"""The exit code of a worker that stood still: to be started again."""


def topics(context: typer.Context, *, json: JsonOption = False) -> None:
    """Make the outlet and its topics where they are missing, and compare the others. Exit code 1 if one differs."""
    from adapters.cluster.topics import State, ensured

    with _cluster(context) as (settings, kafka, _), build(settings) as platform:
        checked = ensured(kafka, [agency.id for agency in platform.policy.agencies])
    if json:
        print_json({"topics": [one.as_json() for one in checked]})
    else:
        rows = [
            (
                one.topic.name,
                str(one.topic.partitions),
                verdict_text(one.state.value, is_good=one.state is not State.DIFFERS),
                one.difference,
            )
            for one in checked
        ]
        print_table(("topic", "partitions", "state", "difference"), rows)
    if any(one.state is State.DIFFERS for one in checked):
        raise typer.Exit(REFUSED)


def relay(
    context: typer.Context,
    *,
    health: HealthOption = None,
    again_from: Annotated[
        int | None,
        typer.Option(
            "--from", metavar="POSITION", min=0, help="Produce again what lies behind this position; it harms nobody."
        ),
    ] = None,
) -> None:
    """Follow the event log and produce it to Kafka, from where it was recorded to have come."""
    from adapters.cluster.lease import Lease
    from adapters.cluster.processes import Start
    from adapters.cluster.reach import broker_answers
    from adapters.cluster.relaying import RelayProcess, relay_of
    from adapters.policies import catalogues
    from streams.adoption import adopted_policy

    with _cluster(context) as (settings, kafka, url), until_told() as stop, ExitStack() as stack:
        start = Start()
        reported = stack.enter_context(
            _reported("relay", health, {"start": start.check, "kafka": lambda: broker_answers(kafka)})
        )

        def begin() -> RelayProcess:
            log = opened_log(settings, may_create=False)
            adopted = adopted_policy(log)
            if adopted is None:
                log.close()
                raise NothingHereError(settings.data_dir)
            stack.callback(log.close)
            relaying = relay_of(log, parse_policy(adopted.text, catalogues()), kafka)
            return RelayProcess(relaying, log, Lease(url, "relay"), again_from=again_from)

        process = start.when_there(begin, stop)
        if process is not None:
            reported(process.health())
            process.run(stop)
    say("stopped")


def worker(context: typer.Context, *, health: HealthOption = None) -> None:
    """Take agencies' messages in from Kafka and run the stages for a share of the districts.

    Any number may run; they divide the partitions among themselves. One that holds records and deals with none ends
    with exit code 75, to be started again.
    """
    import os

    from adapters.cluster.processes import Start
    from adapters.cluster.reach import broker_answers
    from adapters.cluster.working import health_of, work_of
    from streams.kafka_worker import run_worker, worker_app

    with _cluster(context) as (settings, kafka, _), ExitStack() as stack:
        start = Start()
        reported = stack.enter_context(
            _reported("worker", health, {"start": start.check, "broker": lambda: broker_answers(kafka)})
        )
        stack.enter_context(rare_full_collections())

        def begin() -> Callable[[], None]:
            platform = _platform_there(settings)
            try:
                work = work_of(platform, kafka)
            except BaseException:
                platform.close()
                raise
            stack.enter_context(platform)
            reported(health_of(platform, work.health))
            # Threads under way are left behind: what they have not stored is delivered again.
            return lambda: run_worker(worker_app(work, on_stall=lambda: os._exit(STALL_EXIT)))

        with until_told() as stop:
            run = start.when_there(begin, stop)
        if run is not None:
            run()
    say("stopped")


def projector(context: typer.Context, *, health: HealthOption = None) -> None:
    """Keep the read models current and act on deadlines. Of several, one works and the others wait for their turn."""
    from adapters.cluster.lease import Lease
    from adapters.cluster.processes import Start
    from adapters.cluster.projecting import ProjectorProcess

    with _cluster(context) as (settings, _, url), until_told() as stop, ExitStack() as stack:
        start = Start()
        reported = stack.enter_context(_reported("projector", health, {"start": start.check}))
        platform = start.when_there(lambda: _platform_there(settings, Part.PROJECTOR), stop)
        if platform is not None:
            stack.enter_context(platform)
            process = ProjectorProcess(platform, Lease(url, "projector"))
            reported(process.health())
            process.run(stop)
    say("stopped")


def courier(context: typer.Context, *, health: HealthOption = None) -> None:
    """Hand over what is planned for people, by the routes of connections.toml. Several share the work by leases."""
    from adapters.cluster.health import Health, Sample, log_answers
    from adapters.cluster.processes import Start
    from adapters.connections import connections_in
    from adapters.services import people, telling

    with _cluster(context) as (settings, _, _), until_told() as stop, ExitStack() as stack:
        start = Start()
        reported = stack.enter_context(_reported("courier", health, {"start": start.check}))
        platform = start.when_there(lambda: _platform_there(settings), stop)
        if platform is not None:
            stack.enter_context(platform)
            connections = connections_in(settings.data_dir)
            told = stack.enter_context(people(platform, connections, connections.http.public_url))
            sends = stack.enter_context(telling(platform, told))
            log = platform.log

            checks = {"log": lambda: log_answers(log)}
            reported(Health(checks, lambda: [Sample("outlet_courier_handed_total", sends.handed)]))
            stop.wait()
    say("stopped")


def watcher(context: typer.Context, *, health: HealthOption = None) -> None:
    """Count what comes from each agency, in windows of five minutes, from Kafka alone: figures at /metrics.

    Of several, each counts for a share of the agencies. Ends with exit code 75 like a worker.
    """
    import os

    from adapters.clocks import SystemClock
    from adapters.cluster.processes import Start
    from adapters.cluster.reach import broker_answers
    from adapters.cluster.watching import health_of, watcher_of
    from streams.kafka_worker import run_worker

    with _cluster(context) as (settings, kafka, _), ExitStack() as stack:
        start = Start()
        checks = {"start": start.check, "broker": lambda: broker_answers(kafka)}
        reported = stack.enter_context(_reported("watcher", health, checks))
        with until_told() as stop:
            watching = start.when_there(
                lambda: watcher_of(settings, kafka, on_stall=lambda: os._exit(STALL_EXIT)), stop
            )
        if watching is not None:
            reported(health_of(watching, SystemClock()))
            run_worker(watching.app)
    say("stopped")


def _platform_there(settings: Settings, part: Part = Part.EDGE) -> Platform:
    """The platform of an outlet that somebody has made: `outlet topics` does."""
    if not has_outlet(settings):
        raise NothingHereError(settings.data_dir)
    return build(settings, part=part)


@contextmanager
def _cluster(context: typer.Context) -> Iterator[tuple[Settings, KafkaSettings, str]]:
    """The settings, of which Kafka and the database are known to be there."""
    # The processes run for months and are read by their log: each line with its time.
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    with errors_as_sentences():
        settings = globals_of(context).settings()
        try:
            from adapters.cluster.processes import NotDistributedError, kafka_of
            from adapters.cluster.reach import KafkaUnavailableError
        except ModuleNotFoundError as error:
            fail(f"the optional groups `kafka` and `postgres` are needed here: {error.name} is not installed")
        try:
            yield (settings, *kafka_of(settings))
        except (NotDistributedError, KafkaUnavailableError) as error:
            fail(str(error))


@contextmanager
def _reported(
    name: str, where: str | None, checks: Mapping[str, Callable[[], str]]
) -> Iterator[Callable[["Health"], None]]:
    """Say how this process is, from its first moment on; what is given later is said as well."""
    from adapters.cluster.health import Health, Sample, said_at

    given: list[Health] = []
    every = dict(checks)

    def add(health: Health) -> None:
        every.update(health.checks)
        given.append(health)

    def samples() -> Iterator[Sample]:
        for one in given:
            with suppress(LogUnavailableError):  # what needs the database is not known while it is away
                yield from one.samples()

    whole = Health(every, samples)
    with said_at(address_of("--health", where) if where else None, whole) as url:
        say(f"{name}{f', health at {url}' if url else ''}")
        yield add
