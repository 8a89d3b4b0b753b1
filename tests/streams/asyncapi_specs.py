"""AsyncAPI's own JSON schema of its documents, from the npm package `@asyncapi/specs`: npm fetches it, once.

Nothing of the package is run.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

PACKAGE, VERSION = "@asyncapi/specs", "6.11.1"
SHA512 = "A3WBLqAKGoJ2+6FWFtpjBlCQ1oFCcs4GxF7zsIGvNqp/klGUHjlA3aAcZ9XMMpLGE8zPeYDz2x9FmO6DSuKraQ=="
"""Of the package's archive, as npm writes it."""

MEMBER = "package/schemas/3.0.0.json"
FETCH_SECONDS = 300.0


class NoSpecsError(Exception):
    """The schema cannot be had; the sentence says why."""


def asyncapi_schema() -> dict[str, Any]:
    """The schema; skips where it cannot be had, and fails in CI, where it must be."""
    try:
        archive = _archive(Path.home() / ".cache" / "single-outlet")
    except NoSpecsError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    with tarfile.open(archive) as package:
        member = package.extractfile(MEMBER)
        assert member is not None
        schema: dict[str, Any] = json.load(member)
    return schema


def _archive(cache: Path) -> Path:
    """The package's archive, fetched the first time."""
    kept = cache / f"asyncapi-specs-{VERSION}.tgz"
    if not kept.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        # Beside its place first, then into it: several processes may do so at once.
        with TemporaryDirectory(dir=cache) as folder:
            _fetch(Path(folder)).replace(kept)
    if base64.b64encode(hashlib.sha512(kept.read_bytes()).digest()).decode() != SHA512:
        raise NoSpecsError(f"{kept} is not {PACKAGE} {VERSION}: remove it, and it is fetched again")
    return kept


def _fetch(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise NoSpecsError("npm is not installed, which brings the schema of AsyncAPI documents")
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--ignore-scripts", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NoSpecsError(f"npm pack: not done within {FETCH_SECONDS} s") from error
    if done.returncode != 0:
        raise NoSpecsError(f"npm did not bring {PACKAGE}: {done.stderr.strip()[-300:]}")
    [archive] = folder.glob("*.tgz")
    return archive
