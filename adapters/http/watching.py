"""What happens to every request of every route: an id, a count and safe headers."""

import secrets
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.metrics import Metrics

REQUEST_ID: Final = b"x-request-id"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Watching:
    """The outermost ring, in plain ASGI: it is passed by every request, and costs microseconds."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Around this app."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        status, seconds = 500, 0.0

        async def send_on(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                # A stream answers for hours; what is measured is how long its client waited for it to begin.
                status, seconds = message["status"], time.perf_counter() - began
                headers = [*message.get("headers", ())]
                headers += [(REQUEST_ID, request_id.encode()), (b"x-content-type-options", b"nosniff")]
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        finally:
            route = scope.get("route")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            # A path that a stranger chose is no label: there would be no end of them.
            path = getattr(route, "path", "unmatched")
            self._metrics.answered(method=method, route=path, status=status, seconds=seconds)
