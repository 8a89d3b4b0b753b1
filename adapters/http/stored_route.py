"""Routes behind which files are read or written: one that cannot be used now is no defect, and is answered as such."""

import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi.routing import APIRoute
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import Response

from adapters.http.problems import Kind, ProblemError
from adapters.store.read_errors import ReadTablesUnavailableError
from domain.ports import LogUnavailableError, VersionConflictError

RETRY_SECONDS: Final = "2"
_CANNOT_BE_USED: Final = (
    LogUnavailableError,
    OperationalError,
    ReadTablesUnavailableError,
    VersionConflictError,
    sqlite3.OperationalError,
)


class StoredRoute(APIRoute):
    """A route of this kind. Other origins' pages may not read its answers."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own function."""
        own = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await own(request)
            except _CANNOT_BE_USED as error:
                sentence = "This cannot be read or changed now. Come back after `Retry-After` seconds."
                raise ProblemError(Kind.UNAVAILABLE, sentence, headers={"Retry-After": RETRY_SECONDS}) from error

        return handler
