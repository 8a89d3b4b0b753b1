"""The npm `smpp` package for P9 and the tests: installed once into a cache, and its SMSC as a process of its own.

The programs and the lock file lie in the source tree, beside the tests that they are written for.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any, Final, cast

from adapters.bench.row import PeerMissingError

PROGRAMS: Final = Path(__file__).resolve().parents[2] / "tests" / "adapters" / "channels" / "smsc"
_FILES: Final = ("package.json", "package-lock.json")
_INSTALL_SECONDS: Final = 180
_END_SECONDS: Final = 10.0


def node() -> str:
    """The program.

    Raises:
        PeerMissingError: it is not installed.
    """
    found = shutil.which("node")
    if found is None:
        raise PeerMissingError("node is not installed (Debian's package is nodejs)")
    return found


def modules(cache: Path | None = None) -> Path:
    """The folder with the package in it, installed by `npm ci` the first time.

    Raises:
        PeerMissingError: there is no node, no npm, no source tree, or the package cannot be had.
    """
    node()
    if not all((PROGRAMS / name).is_file() for name in _FILES):
        raise PeerMissingError("the SMSC's program is part of the source tree, and this is not one")
    digest = hashlib.sha256(b"".join((PROGRAMS / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    base = (cache or Path.home() / ".cache") / "single-outlet"
    folder = base / f"smsc-{digest}"
    if not (folder / "node_modules" / "smpp").is_dir():
        _install(base, folder)
    return folder / "node_modules"


def _install(base: Path, folder: Path) -> None:
    """Beside its place first, then into it: several processes may do so at once."""
    npm = shutil.which("npm")
    if npm is None:
        raise PeerMissingError("npm is not installed (Debian's package is npm)")
    base.mkdir(parents=True, exist_ok=True)
    making = Path(mkdtemp(prefix="smsc-", dir=base))
    for name in _FILES:
        shutil.copy(PROGRAMS / name, making)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        subprocess.run(  # noqa: S603 -- the program found above
            command, cwd=making, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
        with suppress(OSError):  # another process was first
            making.rename(folder)
    except subprocess.CalledProcessError as error:
        raise PeerMissingError(f"npm ci: {error.stderr.strip()[-300:]}") from error
    except subprocess.TimeoutExpired as error:
        raise PeerMissingError(f"npm ci: not done within {_INSTALL_SECONDS} s") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


class Smsc:
    """A running SMSC on a loopback port."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        """It has said its port."""
        self._process = process
        self.port = port

    def tell(self, **said: Any) -> None:  # noqa: ANN401 -- options and commands of smsc.js
        """Change an option, or have it do something; it has when this returns."""
        stream = cast("IO[str]", self._process.stdin)
        stream.write(json.dumps(said) + "\n")
        stream.flush()
        if not cast("IO[str]", self._process.stdout).readline():
            raise ChildProcessError("the SMSC has ended")

    def kill(self) -> None:
        """End it as a power failure would."""
        self._process.kill()
        self._process.wait(_END_SECONDS)


@contextmanager
def smsc(**options: Any) -> Iterator[Smsc]:  # noqa: ANN401 -- options of smsc.js
    """An SMSC for the length of a block.

    Raises:
        PeerMissingError: the package cannot be had.
        ChildProcessError: it did not start.
    """
    command = [node(), str(PROGRAMS / "smsc.js"), str(modules()), json.dumps(options)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            line = cast("IO[str]", process.stdout).readline()
            if not line:
                raise ChildProcessError("the SMSC did not start")
            yield Smsc(process, json.loads(line)["port"])
        finally:
            process.kill()
