"""The README's commands, run as they are printed: what a newcomer types first must work."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from adapters.cli.app import app
from adapters.clocks import SystemClock
from tests.adapters.http.outlets import receipts_of
from tests.adapters.http.processes import outlet_run
from tests.conftest import PROJECT
from tests.streams.messages import START, cap

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


def client(name: str) -> str:
    """The example client of a README."""
    (found,) = re.findall(r"```python\n(.*?)```", (PROJECT / name).read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


def test_both_languages_print_the_same_client_of_at_most_twenty_lines() -> None:
    assert client("README.md") == client("README.zh-CN.md")
    assert len([line for line in client("README.md").splitlines() if line]) <= 20


def flood(number: int) -> bytes:
    """A red flash flood of now."""
    minutes = int((SystemClock().now() - START).total_seconds() // 60)
    return cap(f"README-{number}", agency="water", hazard="11A51", level="red", minutes=minutes, codes=("330604",))


def test_the_client_sends_and_follows_without_gap_or_repetition_over_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    result = CliRunner().invoke(app, ["--data", str(data), "agency", "add", "water", "--json"])
    key = json.loads(result.output)["issued"][0]["secret"]
    (tmp_path / "message.xml").write_bytes(flood(1))
    (tmp_path / "client.py").write_text(client("README.md"), encoding="utf-8")
    printed: list[str] = []
    with outlet_run(data) as first:
        surroundings = {**os.environ, "OUTLET": first.url, "OUTLET_KEY": key, "PYTHONIOENCODING": "utf-8"}
        surroundings |= {"no_proxy": "*"}
        following = subprocess.Popen(
            [sys.executable, "client.py"], cwd=tmp_path, env=surroundings, stdout=subprocess.PIPE, text=True
        )
        assert following.stdout is not None
        lines = following.stdout
        reading = threading.Thread(target=lambda: printed.extend(lines), daemon=True)
        reading.start()
        try:
            _until(lambda: any("shaoxing-330604-1-1" in line for line in list(printed)), printed, following)
            address = first.url.removeprefix("http://")
            first.process.kill()  # without a word, in the middle of the stream
            first.process.wait()
            with outlet_run(data, address=address) as second:
                headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cap+xml"}
                content = flood(2).replace(b"330604", b"330683")
                receipts_of(
                    httpx.post(f"{second.url}/v1/agencies/water/messages", content=content, headers=headers, timeout=30)
                )
                _until(lambda: any("shaoxing-330683-1-1" in line for line in list(printed)), printed, following)
        finally:
            following.kill()
            following.wait()
            reading.join()
            lines.close()
    told = [line.split()[-1] for line in printed if "shaoxing-" in line]
    assert told == ["shaoxing-330604-1-1", "shaoxing-330683-1-1"]
    assert json.loads(printed[0])["receipts"][0]["outcome"] == "accepted"


def _until(happened: Callable[[], bool], printed: list[str], following: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert following.poll() is None, printed
        assert time.monotonic() < deadline, printed
        time.sleep(0.05)
