"""Files that another system takes away: whole or not there, and never one in the place of another."""

import os
from pathlib import Path
from typing import Final

PART: Final = ".part"


class NameTakenError(Exception):
    """A file of this name with other bytes waits to be taken away."""


def put(folder: Path, name: str, content: bytes) -> None:
    """Write `<name>.part`, flush it to the disk, rename it. A file that is there with the same bytes is left alone.

    Raises:
        NameTakenError: one with other bytes is there.
        OSError: it cannot be written.
    """
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        if path.read_bytes() == content:
            return
        raise NameTakenError(f"{name} with another content has not been taken away yet")
    part = path.with_name(f"{path.name}{PART}")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make the folder's entries survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def move_beside(path: Path, folder: Path) -> Path:
    """Move a file into a folder under a name that is free there; where it is now.

    Raises:
        OSError: it cannot be moved.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place, number = folder / path.name, 2
    while place.exists():
        place, number = folder / f"{path.stem}.{number}{path.suffix}", number + 1
    path.rename(place)
    return place
