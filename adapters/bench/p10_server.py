"""The serving side of P10, a process of its own: the whole app and a bare write loop, each on a loopback port.

Prints both ports as JSON, then releases one event for each line `ours` or `bare` that it is told, until there are
no more lines.
"""

import asyncio
import json
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import uvloop

from adapters.http.app import create_app
from adapters.http.keys import AgencyKeys
from adapters.http.server import serving
from adapters.http.settings import HttpSettings, Rate
from adapters.settings import Settings
from adapters.wiring import build
from domain.events import WarningReleased
from domain.messages import Mode
from domain.outlet import stream_id_of
from domain.ports import NewEvent

STREAM = stream_id_of("bench", "p10")
DISTRICT = "330604"
SECONDS = 60.0


class Bare(asyncio.Protocol):
    """Keeps every connection; what is asked of it is not read."""

    transports: list[asyncio.WriteTransport]

    def __init__(self, transports: list[asyncio.WriteTransport]) -> None:
        """All share one list."""
        self.transports = transports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """One more, which is told at once that it is known."""
        writing = cast(asyncio.WriteTransport, transport)  # uvloop's are no subclasses
        self.transports.append(writing)
        writing.write(b"event: ready\n\n\r\n")


def write_to_all(transports: list[asyncio.WriteTransport], content: bytes) -> None:
    """The loop that ours is compared with."""
    for transport in transports:
        transport.write(content)


def release(number: int) -> WarningReleased:
    """A release of about the usual size: one section, two languages."""
    now = datetime.now(UTC).isoformat()
    area = {"code": DISTRICT, "name": "上虞区", "level": "red", "within": []}
    words = "预计未来三小时，全区各乡镇街道将出现一百毫米以上降雨，请注意防范山洪、滑坡和城市内涝。"
    said: dict[str, Any] = {
        "agency": "meteorology",
        "chain": "bench",
        "message": {"sender": "meteorology@shaoxing.example", "identifier": f"m{number}", "sent": now},
        "level": "red",
        "areas": [area],
        "effective": now,
        "expires": None,
        "wordings": [
            {"language": "zh-CN", "headline": words[:20], "description": words, "instruction": words, "station": "区台"}
        ],
    }
    section = {
        "hazard": "11B03",
        "level": "red",
        "issuers": ["meteorology"],
        "areas": [area],
        "effective": now,
        "expires": None,
        "headlines": {"zh-CN": words[:20], "en": "Rainstorm red"},
        "contributors": [said],
    }
    document = {
        "at": now,
        "district": DISTRICT,
        "mode": Mode.LIVE,
        "warning_id": str(stream_id_of("warning", "bench")),
        "revision": number,
        "number": number,
        "message_type": "Alert",
        "sender": "outlet@shaoxing.example",
        "identifier": f"bench-{number}",
        "references": [],
        "sections": [section],
        "changes": [{"hazard": "11B03", "kind": "raised", "before": "orange", "after": "red", "areas": [DISTRICT]}],
        "texts": [
            {"language": language, "headline": words[:20], "description": words, "sms": words}
            for language in ("zh-CN", "en")
        ],
        "cap": "<alert/>",
    }
    return WarningReleased.model_validate_json(json.dumps(document, default=str))


def serve_bare(loop: asyncio.AbstractEventLoop, transports: list[asyncio.WriteTransport]) -> int:
    """The bare server in a thread, on the same kind of loop; its port."""
    threading.Thread(target=loop.run_forever, daemon=True).start()
    starting = loop.create_server(lambda: Bare(transports), "127.0.0.1", 0, backlog=8192)
    port: int = asyncio.run_coroutine_threadsafe(starting, loop).result(SECONDS).sockets[0].getsockname()[1]
    return port


def main() -> None:
    """Serve until the input ends."""
    transports: list[asyncio.WriteTransport] = []
    loop = uvloop.new_event_loop()
    folder = Path(sys.argv[1])
    # All clients come from one address here.
    settings = HttpSettings(public_rate=Rate(1_000_000, 1_000_000), streams_per_address=1_000_000)
    with (
        build(Settings(data_dir=folder, policy="shaoxing")) as platform,
        AgencyKeys(folder / "keys") as keys,
        serving(create_app(platform, keys, settings=settings), "127.0.0.1", 0, settings) as running,
    ):
        print(json.dumps({"ours": running.port, "bare": serve_bare(loop, transports)}), flush=True)  # noqa: T201
        number = 0
        for line in sys.stdin:
            if line.strip() == "ours":
                number += 1
                platform.log.append([NewEvent(STREAM, number, release(number))])
            else:
                content = sys.argv[2].encode() * int(sys.argv[3])
                loop.call_soon_threadsafe(write_to_all, transports, content + b"\n\n\r\n")


if __name__ == "__main__":
    main()
