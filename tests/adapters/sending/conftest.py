"""An outlet with people in a fresh folder, at the start of the tests' time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.sending.house import Town, town_in


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with town_in(tmp_path / "data") as made:
        yield made
