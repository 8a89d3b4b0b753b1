"""docker-compose.yml as it is written: services with their commands, settings and conditions. No container is needed.

What is read is what is there; how a service runs without a container is the cluster's business.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import PROJECT

COMPOSE_FILE = PROJECT / "docker-compose.yml"
HEALTHY, COMPLETED = "service_healthy", "service_completed_successfully"

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<sign>[-?])(?P<rest>[^}]*))?\}")
_PROBED = re.compile(r"http://127\.0\.0\.1:(?P<port>\d+)(?P<path>/[\w/-]*)")


class ComposeError(Exception):
    """The file asks for what it cannot have; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a health check asks: a port of its own process, and a path there."""

    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Service:
    """One service. `raw` is all that the file says of it, with variables filled in."""

    name: str
    raw: Mapping[str, Any]

    @property
    def is_ours(self) -> bool:
        """Whether it runs the image that is built here."""
        return "build" in self.raw

    @property
    def command(self) -> tuple[str, ...]:
        """The words behind the image's entry point."""
        return tuple(str(word) for word in self.raw.get("command", ()))

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that it is given."""
        return {str(name): str(value) for name, value in self.raw.get("environment", {}).items()}

    @property
    def waits_for(self) -> Mapping[str, str]:
        """The condition in which each other service has to be first."""
        return {name: said["condition"] for name, said in self.raw.get("depends_on", {}).items()}

    @property
    def probe(self) -> Probe | None:
        """What its health check asks over HTTP, if it does."""
        words = " ".join(map(str, self.raw.get("healthcheck", {}).get("test", ())))
        found = _PROBED.search(words)
        return Probe(int(found["port"]), found["path"]) if found else None

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles that it belongs to; without one it always runs."""
        return tuple(self.raw.get("profiles", ()))


def document(variables: Mapping[str, str], path: Path = COMPOSE_FILE) -> dict[str, Any]:
    """The file with its variables filled in.

    Raises:
        ComposeError: a variable that must be given is not.
    """
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    filled: dict[str, Any] = _filled(read, variables)
    return filled


def services(variables: Mapping[str, str], path: Path = COMPOSE_FILE) -> tuple[Service, ...]:
    """The services, each after those that it waits for.

    Raises:
        ComposeError: a variable is missing, or services wait for each other or for one that is not there.
    """
    by_name = {name: Service(name, raw) for name, raw in document(variables, path)["services"].items()}
    return tuple(by_name[name] for name in _in_order({name: each.waits_for for name, each in by_name.items()}))


def _in_order(waits: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    done: set[str] = set()
    while len(done) < len(waits):
        ready = [name for name, others in waits.items() if name not in done and done.issuperset(others)]
        if not ready:
            raise ComposeError(f"these wait for each other, or for what is not there: {sorted(waits.keys() - done)}")
        yield from ready
        done.update(ready)


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, variables), value)
    if isinstance(value, list):
        return [_filled(each, variables) for each in value]
    if isinstance(value, dict):
        return {name: _filled(each, variables) for name, each in value.items()}
    return value


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, sign, rest = found.group("name", "sign", "rest")
    if given := variables.get(name):
        return given
    if sign == "-":
        return str(rest)
    raise ComposeError(f"{name} is not set: {rest}" if sign == "?" else f"{name} is not set")
