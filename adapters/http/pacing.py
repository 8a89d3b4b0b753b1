"""How often one address may ask the public routes, and how many streams it may hold open.

The limits are generous, since a whole bureau may sit behind one address; they are there so that one program gone wild
does not take the outlet from everybody else. The intake has limits of its own; health is never refused.
"""

import time
from collections import Counter
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.metrics import Metrics
from adapters.http.peers import address_of, counted_as
from adapters.http.problems import Kind, ProblemError, problem_response, request_id_of
from adapters.http.rates import RateLimiter, whole_seconds
from adapters.http.settings import HttpSettings
from adapters.http.turned_away import TurnedAway
from domain.ports import Clock

STREAM: Final = "/v1/stream"
NOT_PACED: Final = ("/v1/agencies/", "/livez", "/readyz", "/metrics")
STREAM_RETRY_SECONDS: Final = "30"


class Pacing:
    """A ring around all routes, in plain ASGI, inside the one that counts answers."""

    def __init__(
        self, app: ASGIApp, *, settings: HttpSettings, metrics: Metrics, turned_away: TurnedAway, clock: Clock
    ) -> None:
        """Around this app."""
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._turned_away = turned_away
        self._clock = clock
        self._rates = RateLimiter(settings.public_rate, settings.max_addresses)
        self._streams: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 429."""
        if scope["type"] != "http" or scope["path"].startswith(NOT_PACED):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        address = counted_as(address_of(request, self._settings))
        wait_seconds = self._rates.take(address, 1, time.monotonic())
        if wait_seconds:
            detail = "This address asks faster than it may."
            await self._refuse(request, address, "public", detail, whole_seconds(wait_seconds))(scope, receive, send)
        elif scope["path"] == STREAM and scope["method"] == "GET":
            await self._stream(request, address, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _stream(self, request: Request, address: str, receive: Receive, send: Send) -> None:
        """A stream stays open for hours: what counts is how many there are at once."""
        most = self._settings.streams_per_address
        if self._streams[address] >= most:
            detail = f"This address holds {most} streams open, as many as it may."
            answer = self._refuse(request, address, "streams", detail, STREAM_RETRY_SECONDS)
            await answer(request.scope, receive, send)
            return
        self._streams[address] += 1
        try:
            await self._app(request.scope, receive, send)
        finally:
            self._streams[address] -= 1
            if not self._streams[address]:
                del self._streams[address]

    def _refuse(self, request: Request, address: str, by: str, detail: str, retry_after: str) -> ASGIApp:
        self._metrics.limited(by)
        self._turned_away.count(Kind.TOO_MANY.value.name, self._clock.now(), address=address)
        # A page of another origin must be able to read when to come back.
        headers = {
            "Retry-After": retry_after,
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "Retry-After",
        }
        return problem_response(ProblemError(Kind.TOO_MANY, detail, headers=headers), request_id_of(request))
