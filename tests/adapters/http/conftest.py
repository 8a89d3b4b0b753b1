"""One listening outlet for a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.http.outlets import Outlet, outlet_at


@pytest.fixture
def outlet(tmp_path: Path) -> Iterator[Outlet]:
    """A Shaoxing outlet in a fresh folder, at the start of the tests' time."""
    with outlet_at(tmp_path / "data") as listening:
        yield listening
