"""What addresses a name has, asked of the system's resolver beside the event loop."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from adapters.net.errors import OutboundCode, OutboundError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a name and port, as texts; raises OutboundError(UNRESOLVED) where it leads nowhere."""

MOST_ADDRESSES: Final = 16
THREADS: Final = 16


class SystemResolver:
    """getaddrinfo in threads of its own: a name server that hangs must not hold up anything else of the process."""

    def __init__(self) -> None:
        """No thread runs before the first question."""
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses, in the system's order.

        Raises:
            OutboundError: the name has none.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, _addresses, host, port)
        except (OSError, UnicodeError) as error:
            raise OutboundError(OutboundCode.UNRESOLVED, f"the name {host} leads nowhere") from error
        return list(dict.fromkeys(found))[:MOST_ADDRESSES]

    def close(self) -> None:
        """Ask nothing more; questions under way are left to end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str, port: int) -> list[str]:
    # Addresses with a zone come as `fe80::1%2`: kept so, for they are refused by their look.
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(address[0]) for *_, address in found]
