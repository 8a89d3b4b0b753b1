"""An outlet with people in a fresh folder, at the start of the tests' time: once with files, once with a database."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import postgres
from tests.adapters.sending.house import Town, town_in

DATABASES = [pytest.param("postgres", marks=pytest.mark.postgres), "sqlite"]


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where the outlet's database is; None for files."""
    with ExitStack() as stack:
        yield stack.enter_context(postgres.schema()) if request.param == "postgres" else None


@pytest.fixture
def town(tmp_path: Path, url: str | None) -> Iterator[Town]:
    with town_in(tmp_path / "data", url=url) as made:
        yield made


@pytest.fixture
def file_town(tmp_path: Path) -> Iterator[Town]:
    """One whose outbox is a file, for tests that take the file away."""
    with town_in(tmp_path / "data") as made:
        yield made
