"""Our side of P1 and P2, a process of its own: what `outlet run --http` is made of, with one webhook.

Prints its port and a key of the agency as JSON; ends when its input does.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

from adapters.bench.p1_messages import AGENCY
from adapters.http.app import create_app
from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.http.public.query import Filter
from adapters.http.server import serving
from adapters.http.settings import HttpSettings, Rate
from adapters.net.client import OutboundClient, Reach
from adapters.push.courier import Courier
from adapters.push.state import FILE_NAME as PUSH_FILE
from adapters.push.state import PushState
from adapters.push.target import Parcel, Target
from adapters.settings import Settings
from adapters.webhooks.store import FILE_NAME as WEBHOOKS_FILE
from adapters.webhooks.store import Webhooks
from adapters.webhooks.target import Documents, WebhookTarget
from adapters.wiring import Platform, build, rare_full_collections

UNLIMITED = Rate(per_second=1_000_000, burst=1_000_000)
"""A partner may send a hundred messages a second by default; what is measured is more."""


def main() -> None:
    """Serve until the input ends."""
    folder, policy, receiver = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    database = sys.argv[4] if len(sys.argv) > 4 else None  # noqa: PLR2004 -- the fourth word
    settings = HttpSettings(agency_rate=UNLIMITED, address_rate=UNLIMITED)
    stop = threading.Event()
    with ExitStack() as stack:
        stack.enter_context(rare_full_collections())
        platform = stack.enter_context(build(Settings(data_dir=folder, policy=policy, database_url=database)))
        keys = stack.enter_context(AgencyKeys(folder / FILE_NAME))
        key = keys.add_key(AGENCY, datetime.now(UTC)).secret
        app = create_app(platform, keys, settings=settings)
        stack.callback(app.shut)
        running = stack.enter_context(serving(app, "127.0.0.1", 0, settings))
        stack.enter_context(_webhook(platform, f"http://127.0.0.1:{receiver}/"))
        print(json.dumps({"port": running.port, "key": key}), flush=True)  # noqa: T201
        threading.Thread(target=_end_with_input, args=(stop,), daemon=True).start()
        platform.runner.run(stop)


def _end_with_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


class _Complaints:
    """A receiver that does not take everything at once makes the figures worthless, and says so by their absence."""

    def failing_too_long(self, target: Target, parcel: Parcel, reason: str) -> None:
        self.gone(target, f"{parcel.key}: {reason}")

    def given_up(self, target: Target, parcel: Parcel, reason: str) -> None:
        self.gone(target, f"{parcel.key}: {reason}")

    def gone(self, target: Target, reason: str) -> None:
        sys.stderr.write(f"{target.id}: {reason}\n")


@contextmanager
def _webhook(platform: Platform, url: str) -> Iterator[None]:
    """The courier with one webhook that wants every release, its progress kept on the disk."""
    folder = platform.settings.data_dir
    with Webhooks(folder / WEBHOOKS_FILE) as webhooks, PushState(folder / PUSH_FILE) as state:
        webhook = webhooks.add(url, Filter(), datetime.now(UTC))
        client = OutboundClient(Reach(networks=(ip_network("127.0.0.0/8"),)))
        target = WebhookTarget(webhook, platform, Documents(platform), client)
        with Courier(platform.log, platform.clock, state, lambda: {target.id: target}, _Complaints()):
            yield


if __name__ == "__main__":
    main()
