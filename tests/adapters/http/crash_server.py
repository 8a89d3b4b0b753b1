"""A server process for the tests that kill it: `python -m tests.adapters.http.crash_server FOLDER` prints its port."""

import sys
import threading
from pathlib import Path

from adapters.http.app import create_app
from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.http.server import serving
from adapters.settings import Settings
from adapters.wiring import build
from tests.adapters.http.outlets import GENEROUS


def main(folder: Path) -> None:
    """Serve until standard input ends or the process is killed."""
    with build(Settings(data_dir=folder, policy="shaoxing")) as platform, AgencyKeys(folder / FILE_NAME) as keys:
        app = create_app(platform, keys, settings=GENEROUS)
        with serving(app, "127.0.0.1", 0, GENEROUS) as at:
            sys.stdout.write(f"{at.port}\n")
            sys.stdout.flush()
            stop = threading.Event()

            def wait_for_the_end() -> None:
                sys.stdin.read()
                stop.set()

            threading.Thread(target=wait_for_the_end, daemon=True).start()
            platform.runner.run(stop)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
