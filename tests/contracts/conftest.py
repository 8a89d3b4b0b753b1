"""The adapters that each contract suite runs against."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.event_logs import OPENERS, EventLogFactory


@pytest.fixture(params=sorted(OPENERS))
def event_log_factory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventLogFactory]:
    factory = EventLogFactory(request.param, str(tmp_path / "events.db"))
    yield factory
    factory.close()
