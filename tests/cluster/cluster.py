"""The services of docker-compose.yml as processes of this machine, on loopback, at free ports: no container is needed.

Commands, settings and the order of the start are the file's; hosts, ports and folders are this machine's. Kafka is the
one of tests/kafka, PostgreSQL the one of tests/postgres.py, and mails become files.
"""

import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster.compose import COMPLETED, COMPOSE_FILE, Service, services
from tests.cluster.database import Database
from tests.cluster.parts import Part, Program, answers
from tests.conftest import PROJECT
from tests.kafka.broker import HOST, Broker, free_ports, started
from tests.kafka.keeper import Keeper

KAFKA, POSTGRES, MAIL, WEB = "kafka", "postgres", "mailcatcher", "web"
SMTP_PORT = 1025
DATA = "/data"
"""Where the shared volume is mounted in a container of ours."""

VARIABLES = {"OUTLET_DATABASE_PASSWORD": "not-asked-for-on-loopback"}
RESTARTING = frozenset({"always", "unless-stopped"})

NOT_BROKER_SETTINGS = re.compile(r"KAFKA_(HEAP_OPTS|LISTENERS|ADVERTISED_LISTENERS|CONTROLLER_QUORUM_VOTERS|LOG_DIRS)")
"""Places, which are this machine's, and what is not for the broker but for Java."""

_PLACE = re.compile(r"(?P<host>0\.0\.0\.0|[a-z][a-z0-9-]*):(?P<port>\d+)\b")


class Cluster:
    """Everything that the file starts without a profile. Use as a context manager: it ends all that it started."""

    def __init__(self, variables: Mapping[str, str] | None = None, path: Path = COMPOSE_FILE) -> None:
        """`variables` are what a person would set for compose: OUTLET_POLICY, OUTLET_KAFKA_PARTITIONS, ..."""
        # Without services of a profile: those watch the others.
        self.services = {
            each.name: each for each in services({**VARIABLES, **(variables or {})}, path) if not each.profiles
        }
        self.parts: dict[str, Part] = {}
        self._places: dict[tuple[str, int], int] = {}
        self._wanted: set[str] = set()
        self._stack = ExitStack()
        self.keeper: Keeper

    @property
    def folder(self) -> Path:
        """Where everything but Kafka's and PostgreSQL's own data lies; it goes in the end."""
        return self.keeper.folder

    @property
    def data(self) -> Path:
        """The data directory that the processes share."""
        return self.folder / "data"

    @property
    def mails(self) -> Path:
        """What the mail catcher kept."""
        return self.folder / "mails"

    @property
    def url(self) -> str:
        """Where the outlet serves HTTP."""
        return f"http://{self._place(WEB, 8080)}"

    @property
    def environment(self) -> dict[str, str]:
        """What a command of the outlet has to be started with, to work on this cluster."""
        return self._environment(self.services[WEB])

    @property
    def database_url(self) -> str:
        """The database of the log and the tables."""
        return self.environment["OUTLET_DATABASE_URL"]

    @property
    def broker(self) -> Broker:
        """Kafka."""
        found = self.parts[KAFKA]
        assert isinstance(found, Broker)
        return found

    def kill(self, name: str) -> None:
        """SIGKILL; it stays away until it is started."""
        self._wanted.discard(name)
        self.parts[name].kill()

    def stop(self, name: str) -> None:
        """End it in order; it stays away until it is started."""
        self._wanted.discard(name)
        self.parts[name].stop()

    def start(self, name: str) -> None:
        """Start it anew, and wait until it is ready."""
        self.parts[name].start()
        self._wanted.add(name)

    def probe_url(self, name: str, path: str = "/readyz") -> str:
        """Where a process of ours tells how it is: `/readyz`, `/livez` or `/metrics`."""
        probe = self.services[name].probe
        assert probe is not None, f"{name} has no health check over HTTP"
        return f"http://{self._place(name, probe.port)}{path}"

    def tend(self) -> list[str]:
        """Start again what ended unasked, where the file says so; a sentence for each such end."""
        sentences = []
        for name in sorted(self._wanted):
            code = self.parts[name].code()
            if code is None:
                continue
            again = self.services[name].raw.get("restart") in RESTARTING
            sentences.append(f"{name} ended with {code}{', and is started again' if again else ''}")
            part = self.parts[name]
            if not again:
                self._wanted.discard(name)
            elif isinstance(part, Program):
                part.begin()
            else:
                part.start()
        return sentences

    def __enter__(self) -> Self:
        """Everything is ready.

        Raises:
            NotReadyError: a process ended, or did not get ready; with the end of what it said.
            NoKafkaError, NoServerError: there is no Kafka or no PostgreSQL to be had.
        """
        try:
            self.keeper = self._stack.enter_context(Keeper(Path(tempfile.mkdtemp(prefix="outlet-cluster-"))))
            for folder in (self.data, self.folder / "logs"):
                folder.mkdir()
            self._choose_places()
            self._start_all()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing of it runs any more: ours end in order, the rest at once."""
        ours = [self.parts[name] for name in self._wanted if self.services[name].is_ours]
        running = [part for part in ours if part.code() is None]
        for part in running:
            with suppress(ProcessLookupError):
                os.kill(part.id, signal.SIGTERM)
        for part in running:
            part.stop()
        self._stack.close()

    def _start_all(self) -> None:
        """Start everything in the file's order; what nobody waits for gets ready side by side."""
        waited_for = {name for service in self.services.values() for name in service.waits_for}
        begun: list[Program] = []
        for name, service in self.services.items():
            self.parts[name] = part = self._part(service)
            if isinstance(part, Program):
                if name in waited_for:
                    part.start()
                else:
                    part.begin()
                    begun.append(part)
            if not self._runs_once(name):
                self._wanted.add(name)
        for program in begun:
            program.wait()

    def _part(self, service: Service) -> Part:
        match service.name:
            case name if name == KAFKA:
                broker = started(broker_settings(service))
                self._stack.callback(broker.close)
                self._places[KAFKA, 9092] = int(broker.bootstrap_servers.rpartition(":")[2])
                return broker
            case name if name == POSTGRES:
                database = Database(*server_settings(service))
                self._stack.callback(database.close)
                self._places[POSTGRES, 5432] = database.port
                return database
            case name if name == MAIL:
                port = self._places[MAIL, SMTP_PORT]
                command = [sys.executable, "-m", "tests.cluster.mail_catcher", str(port), str(self.mails)]
                return self._program(MAIL, command, {"PYTHONPATH": str(PROJECT)}, partial(listens, port))
            case name if service.is_ours:
                self._mount(service)
                command = [sys.executable, "-m", "adapters.cli", *map(partial(self._local, name), service.command)]
                ready = None if self._runs_once(name) else partial(answers, self.probe_url(name))
                return self._program(name, command, self._environment(service), ready)
            case name:
                raise NotImplementedError(
                    f"{name} is new in docker-compose.yml: say here how it runs without a container"
                )

    def _program(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], ready: Callable[[], bool] | None
    ) -> Program:
        base = {key: value for key, value in os.environ.items() if not key.startswith(("OUTLET_", "PG"))}
        return Program(
            keeper=self.keeper,
            name=name,
            command=command,
            environment={**base, "PYTHONUNBUFFERED": "1", **environment},
            ready=ready,
            log=self.folder / "logs" / f"{name}.log",
        )

    def _runs_once(self, name: str) -> bool:
        return any(each.waits_for.get(name) == COMPLETED for each in self.services.values())

    def _choose_places(self) -> None:
        """A port of this machine for each that a process of ours listens at, and for the mail catcher."""
        wanted = [(MAIL, SMTP_PORT)]
        for name, service in self.services.items():
            found = (_PLACE.fullmatch(word) for word in service.command if service.is_ours)
            wanted += [(name, int(place["port"])) for place in found if place is not None]
        self._places.update(zip(wanted, free_ports(len(wanted)), strict=True))

    def _place(self, name: str, port: int) -> str:
        return f"{HOST}:{self._places[name, port]}"

    def _local(self, name: str, text: str) -> str:
        """A word or a setting of a service, with this machine's places for those in it."""

        def replaced(found: re.Match[str]) -> str:
            host = name if found["host"] == "0.0.0.0" else found["host"]
            key = host, int(found["port"])
            return self._place(*key) if key in self._places else found.group()

        return str(self.data) if text == DATA else _PLACE.sub(replaced, text)

    def _environment(self, service: Service) -> dict[str, str]:
        return {name: self._local(service.name, value) for name, value in service.environment.items()}

    def _mount(self, service: Service) -> None:
        """Put the files that are mounted into the data directory there, with this machine's places in them."""
        for volume in service.raw.get("volumes", ()):
            source, _, target = str(volume).removesuffix(":ro").partition(":")
            if source.startswith("./") and target.startswith(f"{DATA}/"):
                text = (PROJECT / source).read_text(encoding="utf-8")
                mail = f'host = "{HOST}"\nport = {self._places[MAIL, SMTP_PORT]}'
                text = text.replace(f'host = "{MAIL}"\nport = {SMTP_PORT}', mail)
                (self.data / target.removeprefix(f"{DATA}/")).write_text(text, encoding="utf-8")


def broker_settings(service: Service) -> dict[str, str]:
    """The broker's settings that its service's environment stands for."""
    return {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in service.environment.items()
        if name.startswith("KAFKA_") and not NOT_BROKER_SETTINGS.fullmatch(name)
    }


def server_settings(service: Service) -> list[str]:
    """PostgreSQL's settings in its service's command: what stands behind each -c."""
    words = service.command
    return [word for flag, word in pairwise(words) if flag == "-c"]


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as trial:
        return trial.connect_ex((HOST, port)) == 0
