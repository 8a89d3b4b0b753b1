"""The adapters that each contract suite runs against."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from tests import postgres
from tests.contracts.event_logs import OPENERS, EventLogFactory

LOCATIONS: Mapping[str, Callable[[Path], AbstractContextManager[str]]] = {
    "postgres": lambda _folder: postgres.schema(),
    "sqlite": lambda folder: nullcontext(str(folder / "events.db")),
}
"""Where each adapter of OPENERS keeps the log of one test."""

EVERY_LOG = [pytest.param(name, marks=pytest.mark.postgres if name == "postgres" else ()) for name in sorted(OPENERS)]


@pytest.fixture(params=EVERY_LOG)
def event_log_factory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventLogFactory]:
    with LOCATIONS[request.param](tmp_path) as location:
        factory = EventLogFactory(request.param, location)
        yield factory
        factory.close()
