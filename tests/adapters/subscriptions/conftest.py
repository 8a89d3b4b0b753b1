"""One office for a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.subscriptions.office import Office, office_in


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office in a fresh folder, at the start of the tests' time."""
    with office_in(tmp_path / "data") as opened:
        yield opened
