"""S10 driven by coverage: `python -m tests.figures.s10_atheris -runs=100000` where atheris is installed.

Atheris is no dependency of ours: it is built for few systems. Its options are libFuzzer's; a folder named at the end
keeps what it found interesting. An error that no reader may raise ends it with the input that caused it.
"""

import importlib
import sys
from pathlib import Path
from random import Random
from typing import Any

CHOICE_BYTES = 4
"""In front of each input: which reader, and whether the rest is content or the seed of an accident."""


def main() -> None:
    """Fuzz until the runs are done.

    Raises:
        SystemExit: atheris is not installed.
    """
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        sys.exit("atheris is not installed: pip install atheris (Linux and macOS, CPython 3.11 and later)")
    with atheris.instrument_imports(include=["adapters", "domain"]):
        s10_readers = importlib.import_module("tests.figures.s10_readers")
    from tests.figures.s10_damage import damage  # noqa: PLC0415 -- after what is to be instrumented
    from tests.figures.sizes import shared_data  # noqa: PLC0415

    every = s10_readers.readers(shared_data())

    def one_input(data: bytes) -> None:
        if len(data) < CHOICE_BYTES:
            return
        reader = every[data[0] % len(every)]
        rest = data[CHOICE_BYTES:]
        content = rest if data[1] % 2 else damage(reader.sound[data[2] % len(reader.sound)], Random(data[3:].hex()))
        try:
            reader.read(content)
        except reader.refusals:
            return

    atheris.Setup(_options(), one_input)
    atheris.Fuzz()


def _options() -> list[str]:
    """What was asked for; libFuzzer's own names for its files go where the tests' leftovers go."""
    return [sys.argv[0], f"-artifact_prefix={Path.cwd()}/", *sys.argv[1:]]


if __name__ == "__main__":
    main()
