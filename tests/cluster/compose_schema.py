"""The schema of compose files, from the module by which `docker compose` itself reads them: Go fetches it, once.

Nothing of the module is built or run.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

MODULE, VERSION = "github.com/compose-spec/compose-go/v2", "v2.16.2"
SUM = "h1:pTp1DqQwJzFd85GzlWsSszKA1ABrV/ySqsClujIcWA8="
"""Of the module's files, as Go counts it."""

FETCH_SECONDS = 300.0


class NoSchemaError(Exception):
    """The schema cannot be had; the sentence says why."""


def compose_schema() -> dict[str, Any]:
    """The schema; skips where it cannot be had, and fails in CI, where it must be."""
    try:
        schema: dict[str, Any] = json.loads((_module() / "schema" / "compose-spec.json").read_text(encoding="utf-8"))
    except NoSchemaError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    return schema


def _module() -> Path:
    """The folder of the module in Go's cache."""
    go = shutil.which("go")
    if go is None:
        raise NoSchemaError("Go is not installed, which brings the schema of compose files")
    command = [go, "mod", "download", "-json", f"{MODULE}@{VERSION}"]
    # Outside of any module, and with the Go that is here.
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GO111MODULE": "on"}
    with tempfile.TemporaryDirectory() as nowhere:
        done = subprocess.run(
            command, cwd=nowhere, env=environment, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS
        )
    if done.returncode != 0:
        raise NoSchemaError(f"Go did not bring the schema of compose files: {(done.stderr or done.stdout)[-300:]}")
    told = json.loads(done.stdout)
    if told["Sum"] != SUM:
        raise NoSchemaError(f"{MODULE} {VERSION} is not what it was: its sum is {told['Sum']}")
    return Path(told["Dir"])
