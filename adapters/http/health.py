"""`/livez`, `/readyz` and `/metrics`: is the process there, can it take messages in, and what has it counted."""

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from adapters.http import documentation as said
from adapters.http.batching import IntakeWorker
from adapters.http.metrics import MEDIA_TYPE, Metrics
from adapters.http.peers import peer_of, within
from adapters.http.problems import Kind, ProblemError
from adapters.http.settings import HttpSettings
from domain.ports import EventLog, LogUnavailableError

OK: Final = "ok"
NO_STORE: Final = {"Cache-Control": "no-store"}


def health_router(
    worker: IntakeWorker,
    log: EventLog,
    metrics: Metrics,
    settings: HttpSettings,
    beside: Mapping[str, Callable[[], str]] | None = None,
) -> APIRouter:
    """The three routes. `beside` are checks of what works beside the intake, each answering `ok` or what fails.

    A check belongs here when its failure means that warnings do not go through. A feed that is silent or a receiver
    that does not answer is no reason to send the agencies elsewhere: those have alarms of their own.
    """
    router = APIRouter(tags=["operation"])

    @router.head("/livez", include_in_schema=False)
    @router.get("/livez", response_class=PlainTextResponse, responses=said.LIVE_RESPONSES, operation_id="livez")
    async def livez() -> Response:
        """Tell that the process answers; nothing is looked at."""
        return Response(OK, media_type="text/plain", headers=NO_STORE)

    @router.head("/readyz", include_in_schema=False)
    @router.get("/readyz", responses=said.READY_RESPONSES, operation_id="readyz")
    async def readyz() -> Response:
        """Tell whether messages can be taken in and go through; 503 with what fails otherwise."""
        checks = await run_in_threadpool(_checks, worker, log, beside or {})
        if any(found != OK for found in checks.values()):
            raise ProblemError(Kind.UNAVAILABLE, "Not ready.", headers=NO_STORE, more={"checks": checks})
        return Response(msgspec.json.encode({"checks": checks}), media_type="application/json", headers=NO_STORE)

    @router.get("/metrics", response_class=PlainTextResponse, responses=said.METRICS_RESPONSES, operation_id="metrics")
    async def read_metrics(request: Request) -> Response:
        """Counters and histograms in Prometheus's text form, for the addresses that may read them."""
        if not within(peer_of(request), settings.metrics_readers):
            raise ProblemError(Kind.FORBIDDEN)
        gauges = await run_in_threadpool(_gauges, worker, log)
        return Response(metrics.text(gauges), media_type=MEDIA_TYPE, headers=NO_STORE)

    return router


def _checks(worker: IntakeWorker, log: EventLog, beside: Mapping[str, Callable[[], str]]) -> Mapping[str, str]:
    return {
        **{name: check() for name, check in beside.items()},
        "log": _said(log.head),
        "intake": OK if worker.health.is_alive else "the intake thread has ended",
        "stages": worker.health.trouble or OK,
    }


def _said(look: Callable[[], object]) -> str:
    try:
        look()
    except LogUnavailableError as error:
        return str(error)
    return OK


def _gauges(worker: IntakeWorker, log: EventLog) -> Mapping[str, float]:
    gauges = {
        "outlet_http_waiting_messages": float(worker.waiting_messages),
        "outlet_http_intake_alive": float(worker.health.is_alive),
        "outlet_http_stages_in_trouble": float(bool(worker.health.trouble)),
        "outlet_http_seconds_since_stages_ran": time.monotonic() - worker.health.pumped_at,
    }
    with contextlib.suppress(LogUnavailableError):
        gauges["outlet_log_position"] = float(log.head())
    return gauges
