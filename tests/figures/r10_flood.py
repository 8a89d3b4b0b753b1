"""The one who floods, and the one who only burns as much: both in processes of their own, bounded in time.

On few cores a flooding client takes from the server what the flood itself does not: so in the calm rounds a burner
uses as much of the processor as the flooder did, and the difference is what the server does about the flood.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

from tests.streams.messages import cap

CONNECTIONS = 8
LASTING_HOURS = 24 * 365 * 30
TICK_SECONDS = 0.01
PLACE = "IDENTIFIER-TO-BE-SET"


@dataclass
class Flood:
    """What came of a flood: answers by status, the seconds it took, and the processor's seconds that it used."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    used_seconds: float = 0.0

    @property
    def sent(self) -> int:
        """How many were answered."""
        return sum(self.statuses.values())


def flood(say: Connection, url: str, key: str, per_second: float, seconds: float, name: str) -> None:
    """Send so many messages a second for so long, and say what came of it."""
    say.send(asyncio.run(_flood(url, key, per_second, seconds, name)))
    say.close()


async def _flood(url: str, key: str, per_second: float, seconds: float, name: str) -> Flood:
    where = urlsplit(url)
    found = Flood()
    began, used = time.monotonic(), time.process_time()
    alert = cap(PLACE, hours=LASTING_HOURS, codes=("330681",))
    cancel = cap(f"{PLACE}-end", kind="Cancel", minutes=1, references=((PLACE, 0),))

    async def one_line(place: int) -> None:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        number = place
        while (due := number / per_second) < seconds:
            late = began + due - time.monotonic()
            if late > 0:
                await asyncio.sleep(late)
            # Alerts and their cancels in turn: what is in force does not grow, whichever of them are let in.
            chain = f"{name}-{number // (2 * CONNECTIONS)}-{place}"
            body = (cancel if (number // CONNECTIONS) % 2 else alert).replace(PLACE.encode(), chain.encode())
            writer.write(_head(key, len(body)) + body)
            found.statuses[await _status(reader)] += 1
            number += CONNECTIONS
        writer.close()

    await asyncio.gather(*(one_line(place) for place in range(CONNECTIONS)))
    found.seconds, found.used_seconds = time.monotonic() - began, time.process_time() - used
    return found


def _head(key: str, length: int) -> bytes:
    return (
        f"POST /v1/agencies/meteorology/messages HTTP/1.1\r\nHost: x\r\nX-Api-Key: {key}\r\n"
        f"Content-Type: application/cap+xml\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next((int(line.partition(b":")[2]) for line in lines if line.lower().startswith(b"content-length:")), 0)
    await reader.readexactly(length)
    return int(lines[0].split()[1])


def burn(say: Connection, share: float, seconds: float) -> None:
    """Use this share of a processor for so long, in slices as short as requests come."""
    began = time.monotonic()
    while (now := time.monotonic()) - began < seconds:
        until = now + share * TICK_SECONDS
        while time.monotonic() < until:
            pass
        time.sleep(max(0.0, (1 - share) * TICK_SECONDS))
    say.send(time.process_time())
    say.close()
