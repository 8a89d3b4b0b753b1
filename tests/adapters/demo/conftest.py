"""The demonstration replayed once for all tests, and the option that writes its golden file anew."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.demo import load_story, open_platform, replay
from adapters.demo.replay import Step
from adapters.wiring import Platform


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write golden files anew, to be reviewed before they are committed"
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether to write golden files; the default serves runs in which this folder was not on the command line."""
    return bool(request.config.getoption("--update-golden", default=False))


class Replayed(NamedTuple):
    """The platform after the whole story, and every step of it."""

    platform: Platform
    steps: tuple[Step, ...]

    def of(self, special: str) -> Step:
        """The step of the arrival that shows this."""
        arrival = load_story().special(special)
        return next(step for step in self.steps if step.arrival == arrival)


@pytest.fixture(scope="session")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    directory: Path = tmp_path_factory.mktemp("demo")
    with open_platform(directory) as platform:
        yield Replayed(platform, tuple(replay(platform, load_story())))
