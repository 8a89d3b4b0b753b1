"""A PostgreSQL of a cluster's own, which may be stopped, killed and started again. It writes to disk as in earnest."""

import os
import signal
import tempfile
import time
from pathlib import Path
from pwd import getpwnam

import psycopg

from tests import postgres
from tests.cluster.parts import LOOK_SECONDS, READY_SECONDS, NotReadyError, Program
from tests.kafka.broker import HOST, free_ports
from tests.kafka.keeper import Keeper

OWNER = "outlet"
"""The role and the database that docker-compose.yml names."""

IN_EARNEST = ("fsync=on", "full_page_writes=on", "autovacuum=on", "unix_socket_directories=")


class Database(Program):
    """The server, and an empty database in it."""

    def __init__(self, *settings: str) -> None:
        """Make the server's folder; `settings` are `name=value`. Nothing runs yet."""
        # Not where TMPDIR says: another user must be able to enter.
        folder = Path(tempfile.mkdtemp(prefix="outlet-pg-", dir=postgres.TEMPORARY))
        keeper = Keeper(folder)
        try:
            user = getpwnam(postgres.UNPRIVILEGED) if os.geteuid() == 0 else None
            installed = postgres.binaries()
            if user is not None:
                installed = postgres.enterable(installed, folder)
                folder.chmod(0o755)
                os.chown(folder, user.pw_uid, user.pw_gid)
            postgres._initialise(installed, folder, user)
        except BaseException:
            keeper.close()
            raise
        (self.port,) = free_ports(1)
        self._maintenance = f"postgresql://postgres@{HOST}:{self.port}/postgres"
        command = [str(installed / "bin" / "postgres"), "-D", str(folder / "data")]
        for setting in (f"listen_addresses={HOST}", f"port={self.port}", *IN_EARNEST, *settings):
            command += ["-c", setting]
        super().__init__(
            keeper=keeper,
            name="postgres",
            command=command,
            environment={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            ready=self._takes_connections,
            log=folder / "postgres.log",
            user=None if user is None else user.pw_uid,
            end_signal=signal.SIGINT,
        )

    def start(self) -> None:
        """Start it, and wait until it takes connections; after a kill, what its former life left has to end first.

        Raises:
            NotReadyError: it did not start within two minutes.
        """
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                super().start()
            except NotReadyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_SECONDS)
            else:
                break
        with psycopg.connect(self._maintenance, autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone() is None:
                connection.execute(f"CREATE ROLE {OWNER} LOGIN")
                connection.execute(f"CREATE DATABASE {OWNER} OWNER {OWNER}")

    def close(self) -> None:
        """End it at once, so that its own processes end before it, and remove its data."""
        if self.id and self.code() is None:
            self.keeper.end(self.name, signal.SIGQUIT)
        self.keeper.close()

    def _takes_connections(self) -> bool:
        try:
            with psycopg.connect(self._maintenance, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False
