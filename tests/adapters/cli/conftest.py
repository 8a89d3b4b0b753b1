"""A command line with a data directory of its own, under the made-up policy."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.app import app
from tests.adapters.cli.samples import write_policy


@dataclass
class Outlet:
    """The command `outlet`, run in this process."""

    folder: Path
    policy: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def __call__(self, *arguments: str | Path, code: int = 0) -> Result:
        result = self.plain("--data", self.data, *arguments)
        assert result.exit_code == code, result.output
        return result

    def plain(self, *arguments: str | Path) -> Result:
        """Without a data directory; whatever the exit code."""
        # A wide terminal's width does not matter: nothing is a terminal here.
        return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)

    def json(self, *arguments: str | Path, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code).stdout)

    def file(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return path

    def ingest(self, *messages: str, at: str = "2031-03-04T08:00:00+00:00", code: int = 0) -> Any:
        """Take messages in at a moment, under the made-up policy."""
        files = [self.file(f"message-{number}.xml", text) for number, text in enumerate(messages)]
        return self.json("--policy", self.policy, "ingest", "--at", at, *files, code=code)

    def moments(self, entries: Sequence[dict[str, Any]]) -> list[str]:
        return [str(entry["at"]) for entry in entries]


@pytest.fixture
def outlet(tmp_path: Path) -> Outlet:
    return Outlet(tmp_path, write_policy(tmp_path / "policy"))
