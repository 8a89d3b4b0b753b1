"""The channel to screens, loudspeakers and broadcasters: one signed request to their controller for each device.

Requests are signed as Standard Webhooks describes it, like the outlet's webhooks. A controller reports nothing back.
"""

import base64
import binascii
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from adapters.channels.gateway_client import GatewayClient
from adapters.channels.gateway_handing import Hands, Sending, UnderWay, client_to, secret_line, tls_with
from adapters.channels.gateway_profile import AnswerRule
from adapters.channels.gateway_profiles import GatewaySetupError
from adapters.channels.port import DeliveryReceipt, Incoming, Later, Letter, Outcome, Refused
from adapters.channels.screen_definition import ScreenDefinition
from adapters.channels.screen_message import screen_body
from adapters.channels.smpp_writing import CannotBeSentError
from adapters.clocks import SystemClock
from adapters.http.public.query import Filter
from adapters.net.client import Reach
from adapters.webhooks.store import SECRET_PREFIX, Webhook
from adapters.webhooks.target import signed_headers
from domain.ports import Clock
from domain.recipients import ChannelKind

MOST_ANSWER_BYTES: Final = 64 * 1024
SHORTEST_KEY: Final = 24
"""As Standard Webhooks has it."""

ANSWERS: Final = AnswerRule(
    accepted_statuses=frozenset({200, 201, 202, 204}), dead_statuses=frozenset({404, 410}), reason="reason"
)


class ScreenChannel:
    """The devices behind one controller; an address is a device's id."""

    def __init__(self, definition: ScreenDefinition, key: bytes, client: GatewayClient, clock: Clock) -> None:
        """Nothing is connected before the first letter."""
        self._definition = definition
        self._client = client
        self._clock = clock
        self._signer = Webhook(definition.id, definition.url, definition.mode, Filter(), key, clock.now())
        self._hands = Hands(client, ANSWERS, definition.connect_seconds + definition.answer_seconds, clock)
        self._under_way = UnderWay()
        self._is_closing = False

    @property
    def name(self) -> str:
        """The route's name in `connections.toml`."""
        return self._definition.id

    @property
    def kind(self) -> ChannelKind:
        """Screens."""
        return ChannelKind.SCREEN

    @property
    def window(self) -> int:
        """How many requests may be unanswered at once."""
        return self._definition.window

    async def open(self) -> None:
        """Nothing is to be done beforehand."""

    async def close(self) -> None:
        """Wait for the answers that are due."""
        self._is_closing = True
        await self._under_way.ended()
        await self._client.close()

    async def receipts(self) -> AsyncIterator[DeliveryReceipt | Incoming]:
        """Nothing comes back."""
        nothing: tuple[DeliveryReceipt, ...] = ()
        for receipt in nothing:
            yield receipt

    async def send(self, letter: Letter) -> Outcome:
        """Tell the controller what one device is to show."""
        definition = self._definition
        if letter.mode is not definition.mode:
            return Refused(f"{self.name} is a route for {definition.mode.value}, and this is {letter.mode.value}")
        if self._is_closing:
            return Later("the route is closing", is_route_down=True)
        with self._under_way:
            now = self._clock.now()
            try:
                body = screen_body(letter, definition, now)
            except CannotBeSentError as error:
                return error.outcome
            headers = signed_headers(self._signer, letter.id, now, body)
            return await self._hands.over(letter.id, Sending("POST", definition.url, headers, body))


def screen_channel(
    definition: ScreenDefinition, data_dir: Path, reach: Reach, *, clock: Clock | None = None
) -> ScreenChannel:
    """The described route.

    Raises:
        GatewaySetupError: its secret or its certificates cannot be used.
    """
    key = _key(secret_line(data_dir, "secret_file", definition.secret_file))
    client = client_to(
        definition.url,
        reach,
        connect_seconds=definition.connect_seconds,
        most_answer_bytes=MOST_ANSWER_BYTES,
        tls=tls_with(data_dir, definition.ca_file),
    )
    return ScreenChannel(definition, key, client, clock or SystemClock())


def _key(secret: bytes) -> bytes:
    """The key in a secret such as `whsec_…`.

    Raises:
        GatewaySetupError: it is none.
    """
    try:
        key = base64.b64decode(secret.decode().removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX.encode()) or len(key) < SHORTEST_KEY:
        raise GatewaySetupError(
            [f"secret_file: a secret is {SECRET_PREFIX} and the base64 of at least {SHORTEST_KEY} bytes"]
        )
    return key
