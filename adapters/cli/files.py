"""Which files a command is to take, and how much of one."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

MANY_FILES: Final = 5
"""From so many on, a terminal is shown a progress bar."""

LARGEST_FILE_BYTES: Final = 32 * 1024 * 1024
"""Larger files are not taken in: no reader accepts them, and the log would have to keep them."""

SUFFIXES: Final = frozenset({".xml", ".cap", ".zip"})


def files_in(paths: Iterable[Path]) -> list[Path]:
    """The files themselves, and of a folder every message file in it and below, in order of their names."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            below = sorted(entry for entry in path.rglob("*") if entry.suffix.lower() in SUFFIXES and entry.is_file())
            found += [entry for entry in below if not entry.name.startswith(".")]
        else:
            found.append(path)
    return found


def content_of(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        OSError: it cannot be read, or is larger than what is taken in.
    """
    size = path.stat().st_size
    if size > LARGEST_FILE_BYTES:
        raise OSError(0, f"{size} bytes; {LARGEST_FILE_BYTES} are taken in at most", str(path))
    return path.read_bytes()
