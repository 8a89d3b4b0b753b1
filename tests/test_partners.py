"""`docs/partners.md`, run from the first command to the last: what a partner's engineer types must work."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.http.processes import outlet_run
from tests.conftest import PROJECT


def blocks() -> list[str]:
    """Every shell block of the page, in order."""
    text = (PROJECT / "docs" / "partners.md").read_text(encoding="utf-8")
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def write_command(folder: Path) -> None:
    """`outlet` on the PATH, as an installation has it."""
    folder.mkdir()
    command = folder / "outlet"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{PROJECT}" exec "{sys.executable}" -m adapters.cli "$@"\n')
    command.chmod(0o755)


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="curl and openssl are needed")
def test_every_command_works_in_order_from_the_key_to_the_signed_message(tmp_path: Path) -> None:
    write_command(tmp_path / "bin")
    answers: list[str] = []
    with outlet_run(tmp_path / "data") as running:
        surroundings = {
            **os.environ,
            "OUTLET": running.url,
            "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }
        before = ""
        for block in blocks():
            # What a shell keeps from one block to the next is kept: only the lines that set something are repeated.
            result = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", before + block],
                cwd=tmp_path,
                env=surroundings,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert result.returncode == 0, (block, result.stdout, result.stderr)
            before += "".join(f"{line}\n" for line in block.splitlines() if re.match(r'(export )?\w+="\$[({]', line))
            answers.append(result.stdout)
            for name, pattern in (("OUTLET_KEY", r"^outlet_[\w-]+$"), ("OUTLET_SECRET", r"^whsec_\S+$")):
                if found := re.search(pattern, result.stdout, re.MULTILINE):
                    surroundings[name] = found[0]
    receipts = [json.loads(answer)["receipts"][0] for answer in answers if answer.startswith('{"receipts"')]
    assert [one["outcome"] for one in receipts] == ["accepted", "accepted", "duplicate"]
    assert all(one["agency"] == "meteorology" for one in receipts)
    assert sum(block.count("curl ") for block in blocks()) == 4
