"""The side beside ours in P1 and P2: Debian's Alertmanager, every alert a group of its own, told to one webhook."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from adapters.bench.row import PeerMissingError

NAMES = ("prometheus-alertmanager", "alertmanager")
SECONDS = 30.0

CONFIGURATION = """
route:
  receiver: bench
  group_by: ['...']
  group_wait: 0s
  group_interval: 5m
  repeat_interval: 4h
receivers:
  - name: bench
    webhook_configs:
      - url: http://127.0.0.1:{receiver}/
        send_resolved: false
"""


def found() -> str:
    """The program.

    Raises:
        PeerMissingError: it is not installed.
    """
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise PeerMissingError("Alertmanager is not installed (Debian's package is prometheus-alertmanager)")


@contextmanager
def alertmanager(folder: Path, receiver: int) -> Iterator[int]:
    """A running Alertmanager that tells the receiver on this port; yields its own.

    Raises:
        PeerMissingError: it is not installed.
        ChildProcessError: it did not start.
    """
    folder.mkdir()
    configuration = folder / "alertmanager.yml"
    configuration.write_text(CONFIGURATION.format(receiver=receiver))
    port = _free_port()
    command = [
        found(),
        f"--config.file={configuration}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        _ready(process, port)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(SECONDS / 3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    """It takes no port 0 that would say which one it became; between here and its start another could take it."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _ready(process: "subprocess.Popen[bytes]", port: int) -> None:
    opener = build_opener(ProxyHandler({}))
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with opener.open(f"http://127.0.0.1:{port}/-/ready", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise ChildProcessError("Alertmanager did not start")
