"""Puts the HTTP side together: `create_app(platform, keys)` gives the whole FastAPI app. Start here."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from adapters.http.access import Door, remembered
from adapters.http.batching import IntakeWorker
from adapters.http.bodies import BodyBudget
from adapters.http.health import health_router
from adapters.http.keys import AgencyKeys
from adapters.http.messages import Intake, messages_router
from adapters.http.metrics import Metrics
from adapters.http.openapi import complete
from adapters.http.pacing import Pacing
from adapters.http.problems import install
from adapters.http.public import PublicRouter, public_router
from adapters.http.rates import RateLimiter
from adapters.http.replays import FILE_NAME, AnsweredRequests
from adapters.http.settings import HttpSettings
from adapters.http.turned_away import FILE_NAME as TURNED_AWAY_FILE
from adapters.http.turned_away import FLUSH_SECONDS, TurnedAway
from adapters.http.watching import Watching
from adapters.wiring import Platform

MOST_AGENCIES: Final = 10_000


class OutletApp(FastAPI):
    """The app and what works behind it. `shut` must be called when no server uses it any more."""

    worker: IntakeWorker
    answered: AnsweredRequests
    public: PublicRouter
    turned_away: TurnedAway

    def end_streams(self) -> None:
        """End the answers that do not end by themselves; a server calls it when it begins to stop."""
        self.public.close()

    def build_middleware_stack(self) -> ASGIApp:
        """Around everything, the handler of defects too: every answer is counted and carries its id."""
        paced = Pacing(
            super().build_middleware_stack(),
            settings=self.state.settings,
            metrics=self.state.metrics,
            turned_away=self.turned_away,
            clock=self.state.clock,
        )
        return Watching(paced, self.state.metrics)

    def count_turned_away(self, problem: str, address: str) -> None:
        """The server itself ended a request that no route has seen."""
        self.state.metrics.turned_away(problem)
        self.turned_away.count(problem, self.state.clock.now(), address=address)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document; what the routes cannot say of themselves is added."""
        if self.openapi_schema is None:
            self.openapi_schema = complete(get_openapi(title=self.title, version=self.version, routes=self.routes))
        return self.openapi_schema

    def shut(self) -> None:
        """Finish what was taken in, then release the files. Closing twice is allowed."""
        self.worker.close()
        self.answered.close()
        self.turned_away.close()


def create_app(
    platform: Platform,
    keys: AgencyKeys,
    *,
    settings: HttpSettings | None = None,
    routers: Sequence[APIRouter] = (),
    checks: Mapping[str, Callable[[], str]] | None = None,
) -> OutletApp:
    """The HTTP side of a platform: intake, the public reading API, health, metrics, and the routers given.

    `checks` are asked by `/readyz` as well, each answering `ok` or what fails.

    Its worker thread submits and pumps; deadlines are acted on by `runner.run`, which must run elsewhere. The server
    that ends the app's lifespan shuts it.
    """
    limits = settings or HttpSettings()
    metrics = Metrics()
    turned_away = TurnedAway(
        platform.settings.data_dir / TURNED_AWAY_FILE, [agency.id for agency in platform.policy.agencies]
    )
    answered = AnsweredRequests(platform.settings.data_dir / FILE_NAME, remembered=remembered(limits))
    worker = IntakeWorker(
        platform.runner, platform.clock, answered=answered, metrics=metrics, most_waiting=limits.max_waiting_messages
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        flushing = asyncio.create_task(_flush_now_and_then(turned_away))
        yield
        flushing.cancel()
        assert isinstance(app, OutletApp)
        app.shut()

    app = OutletApp(
        title="single-outlet",
        version=_version(),
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.worker, app.answered, app.public = worker, answered, public_router(platform)
    app.turned_away = turned_away
    app.state.metrics, app.state.settings, app.state.clock = metrics, limits, platform.clock
    install(app)
    intake = Intake(
        door=Door(keys, answered, limits),
        worker=worker,
        clock=platform.clock,
        settings=limits,
        metrics=metrics,
        turned_away=turned_away,
        budget=BodyBudget(limits.max_held_bytes),
        agencies=RateLimiter(limits.agency_rate, MOST_AGENCIES),
        addresses=RateLimiter(limits.address_rate, limits.max_addresses),
    )
    health = health_router(worker, platform.log, metrics, limits, checks)
    for router in (messages_router(intake), app.public, health, *routers):
        app.include_router(router)
    return app


async def _flush_now_and_then(turned_away: TurnedAway) -> None:
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        await run_in_threadpool(turned_away.flush)


def _version() -> str:
    try:
        return version("single-outlet")
    except PackageNotFoundError:
        return "0"
