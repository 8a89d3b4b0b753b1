"""What the public routes have in common: open to every origin, errors by name, and the kinds of their answers."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from adapters.http.problems import Kind, ProblemError, problem_response, request_id_of
from adapters.http.public import feed
from adapters.http.public.listing import MEDIA_TYPE
from adapters.http.public.query import Filter
from adapters.http.public.refusals import unavailable
from adapters.http.public.streaming import MEDIA_TYPE as STREAM_TYPE
from adapters.http.public.streaming import Start, Streams
from adapters.store.read_errors import ReadTablesUnavailableError
from domain.ports import LogUnavailableError

STREAM_PATH = "/v1/stream"
_CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Content-Location, ETag, Last-Modified, Link, Retry-After, X-Request-Id"),
]
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Accept, If-None-Match, If-Modified-Since, Last-Event-ID",
    "Access-Control-Max-Age": "86400",
}


class PublicRoute(APIRoute):
    """A route that every page of the web may read, its errors too: nothing behind it depends on who asks."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own function; a store that cannot be read now is no defect, and is answered as such."""
        own = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await own(request)
            except (LogUnavailableError, ReadTablesUnavailableError) as error:
                raise unavailable() from error

        return handler

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers that say so."""

        def sending(message: Message) -> Any:  # noqa: ANN401 -- what `send` returns, handed on without another coroutine
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_CORS]
            return send(message)

        if self.methods and scope["method"] not in self.methods:
            # Of the routes of one address the first is asked, and knows its own method only.
            allowed = "GET, OPTIONS" if self.path == STREAM_PATH else "GET, HEAD, OPTIONS"
            error = ProblemError(Kind.METHOD, headers={"Allow": allowed})
            await problem_response(error, request_id_of(Request(scope)))(scope, receive, sending)
            return
        await super().handle(scope, receive, sending)


class GeoJson(JSONResponse):
    """For OpenAPI; of another class FastAPI would say that the answer is a string."""

    media_type = MEDIA_TYPE


class Atom(Response):
    """For OpenAPI."""

    media_type = feed.MEDIA_TYPE


class EventStream(Response):
    """A stream that its own function serves, which knows what to do about a client that does not read."""

    media_type = STREAM_TYPE

    def __init__(self, streams: Streams, wanted: Filter, start: Start) -> None:
        """Nothing is sent yet."""
        super().__init__()
        self._streams, self._wanted, self._start = streams, wanted, start

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 -- ASGI asks for it
        """Serve until the client goes or is let go."""
        await self._streams.serve(self._wanted, self._start, receive, send)


def preflight() -> Response:
    """What a page of another origin may ask for."""
    return Response(status_code=204, headers=_PREFLIGHT)
