"""The outbound client, telling apart what was never sent from what may have been read and was not answered.

A letter of the first kind is tried again as if nothing had been; one of the second is in doubt.
"""

import asyncio
import ssl

from adapters.net.client import OutboundClient, OutboundCode, OutboundError, Reach
from adapters.net.connection import Connection
from adapters.net.urls import Destination


class NotSentError(OutboundError):
    """Nobody has read anything of the request: there was no connection."""


class GatewayClient(OutboundClient):
    """An outbound client with a time limit of its own for connecting."""

    def __init__(
        self, reach: Reach, *, connect_seconds: float, most_answer_bytes: int, tls: ssl.SSLContext | None = None
    ) -> None:
        """`connect_seconds` is for the name, the connection and its handshake together."""
        super().__init__(reach, most_answer_bytes=most_answer_bytes, tls=tls)
        self._connect_seconds = connect_seconds

    async def _connected(self, destination: Destination) -> Connection:
        try:
            async with asyncio.timeout(self._connect_seconds):
                return await super()._connected(destination)
        except TimeoutError as error:
            sentence = f"{destination.authority}: not connected within {self._connect_seconds:g} seconds"
            raise NotSentError(OutboundCode.TIMEOUT, sentence) from error
        except OutboundError as error:
            raise NotSentError(error.code, error.sentence) from error
