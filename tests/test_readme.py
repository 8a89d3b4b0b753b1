"""The README's commands, run as they are printed: what a newcomer types first must work."""

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.cli.app import app
from adapters.clocks import SystemClock
from tests.streams.messages import START, cap

PROJECT = Path(__file__).resolve().parents[1]
SERVICES = ("run", "import")
"""`run` does not end by itself and `import` needs a bureau's list: each has tests of its own."""


def commands(name: str) -> list[list[str]]:
    """Every `outlet` command of a README, without the path of the program and the comment."""
    text = (PROJECT / name).read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith(".venv/bin/outlet")]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_commands_work_as_printed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = int((SystemClock().now() - START).total_seconds() // 60)
    content = cap("README-1", agency="water", hazard="11A51", level="red", minutes=minutes)
    (tmp_path / "message.xml").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    ran = 0
    for words in commands(name):
        if set(SERVICES) & set(words):
            continue
        found = [str(tmp_path / "message.xml") if word == "*.xml" else word for word in words]
        result = CliRunner().invoke(app, found)
        assert result.exit_code == 0, (words, result.output)
        ran += 1
    assert ran >= 5
    board = CliRunner().invoke(app, ["--data", "data", "board", "--json"])
    assert [district["code"] for district in json.loads(board.output)["districts"]] == ["330604"]


def test_both_languages_print_the_same_commands() -> None:
    assert commands("README.md") == commands("README.zh-CN.md")
