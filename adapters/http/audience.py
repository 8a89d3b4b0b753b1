"""Who would be told, before anything is sent: `GET /v1/warnings/{warning_id}/audience` and `POST /v1/audience`.

For agencies with a key, as counts and never as persons. It is the plan itself, made by the same decision on the same
audience as dispatch makes it; what is asked changes nothing and sends nothing.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter
from pydantic import Field
from pyroaring import FrozenBitMap
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.audience.view import AudienceView
from adapters.audience.who import Who, who_of_content, who_of_warning
from adapters.http import audience_documentation as said
from adapters.http.access import Door
from adapters.http.app import OutletApp
from adapters.http.bodies import BodyBudget
from adapters.http.keys import AgencyKeys
from adapters.http.peers import address_of, counted_as
from adapters.http.problems import Kind, ProblemError
from adapters.http.public.refusals import no_warning
from adapters.http.rates import RateLimiter, whole_seconds
from adapters.http.replays import SignedId
from adapters.http.settings import HttpSettings
from adapters.http.stored_route import StoredRoute
from adapters.http.subscriptions.reading import Fields, raw_body_of, unusable
from adapters.rosters.checking import area_coded
from adapters.subscriptions.checking import UnusableError
from adapters.wiring import Platform
from domain.findings import Code, Finding, refusal
from domain.levels import Level
from domain.messages import Mode
from domain.values import Value
from projections.base import equal
from projections.board import REVISIONS

MOST_CODES: Final = 500

Found = Sequence[Who[FrozenBitMap]]


class AudienceForm(Value):
    """A warning that nobody has issued: a hazard at a level in these areas."""

    hazard: Annotated[str, Field(max_length=40)]
    level: Level
    areas: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(min_length=1, max_length=MOST_CODES)]
    mode: Mode = Mode.LIVE


class AudienceRouter(APIRouter):
    """Both addresses over one platform."""

    def __init__(self, platform: Platform, keys: AgencyKeys, limits: HttpSettings) -> None:
        """Offer the addresses."""
        super().__init__(route_class=StoredRoute, tags=["agencies"])
        self._platform = platform
        self._keys = keys
        self._limits = limits
        self._budget = BodyBudget(limits.max_held_bytes)
        self._addresses = RateLimiter(limits.address_rate, limits.max_addresses)
        self.add_api_route(
            "/v1/warnings/{warning_id}/audience",
            self.of_warning,
            methods=["GET"],
            operation_id="audience_of_warning",
            summary="Who would be told if all that a warning says now were released",
            response_class=JSONResponse,
            responses=said.OF_WARNING,
            openapi_extra=said.ASKING_OF_WARNING,
        )
        self.add_api_route(
            "/v1/audience",
            self.of_content,
            methods=["POST"],
            operation_id="audience_of_content",
            summary="Who would be told of a hazard at a level in these areas",
            response_class=JSONResponse,
            responses=said.OF_CONTENT,
            openapi_extra=said.ASKING_OF_CONTENT,
        )

    async def of_warning(self, request: Request) -> Response:
        """Count whom a warning would be told to, what is held included, beside who knows of it already."""
        async with self._admitted(request):
            return await run_in_threadpool(self._of_warning, request.path_params["warning_id"])

    async def of_content(self, request: Request) -> Response:
        """Count whom a warning would be told to that nobody has issued, beside all that is public in its districts."""
        async with self._admitted(request) as body:
            try:
                return await run_in_threadpool(self._of_content, body)
            except UnusableError as error:
                raise unusable(error.findings, "audience") from error

    def _of_warning(self, warning_id: str) -> Response:
        platform = self._platform
        rows = platform.tables.select(REVISIONS, equal(warning_id=warning_id), order=("-position",), limit=1)
        if not rows:
            raise no_warning(warning_id)
        try:
            mode = Mode(rows[0].mode)
            found = who_of_warning(
                platform.log, self._audience(), platform.policy, rows[0].district, mode, warning_id=warning_id
            )
        except LookupError as error:
            raise no_warning(warning_id) from error
        return self._answer([found], mode)

    def _of_content(self, body: bytes) -> Response:
        form = Fields(body, is_form=False).as_value(AudienceForm)
        platform = self._platform
        areas = [area_coded(platform.gazetteer, code) for code in form.areas]
        findings: list[Finding] = [
            refusal(Code.OUTSIDE, f"/areas[{place + 1}]", "This outlet has no area of this code.")
            for place, area in enumerate(areas)
            if area is None
        ]
        if platform.policy.hazard_index.get(form.hazard) is None:
            findings.append(refusal(Code.UNKNOWN_HAZARD, "/hazard", "This outlet's policy has no such hazard."))
        if findings:
            raise UnusableError(findings)
        found = who_of_content(
            platform.log,
            self._audience(),
            platform.policy,
            platform.gazetteer,
            hazard=form.hazard,
            level=form.level,
            codes=[area.code for area in areas if area is not None],
            at=platform.clock.now(),
            mode=form.mode,
        )
        return self._answer(found, form.mode)

    def _audience(self) -> AudienceView:
        """Everyone, as the log says now. The runner follows, so that nobody else moves what it plans with."""
        platform = self._platform
        platform.runner.act(lambda _house, _now: platform.audience.follow(platform.log.head()))
        return platform.audience.view()

    def _answer(self, found: Found, mode: Mode) -> Response:
        names = {area.code: area.name for area in self._platform.gazetteer.districts()}
        at = self._platform.clock.now().astimezone(self._platform.policy.zone).isoformat()
        document = {
            "at": at,
            "mode": mode.value,
            **_totals(found),
            "districts": [_district(one, names) for one in found],
        }
        return Response(msgspec.json.encode(document), 200, {"Cache-Control": "no-store"}, "application/json")

    @asynccontextmanager
    async def _admitted(self, request: Request) -> AsyncIterator[bytes]:
        """The body of a request that may ask, while this is entered; a signed one is answered once."""
        app = request.app
        assert isinstance(app, OutletApp)
        address = counted_as(address_of(request, self._limits))
        if wait := self._addresses.take(address, 1, time.monotonic()):
            app.state.metrics.limited("address")
            sentence, headers = "This address asks faster than it may.", {"Retry-After": whole_seconds(wait)}
            raise ProblemError(Kind.TOO_MANY, sentence, headers=headers)
        door = Door(self._keys, app.answered, self._limits)
        try:
            body, signed = await self._let_in(request, door)
        except ProblemError as error:
            self._addresses.charge(address, self._limits.refused_key_cost, time.monotonic())
            app.count_turned_away(error.kind.value.name, address)
            raise
        try:
            yield body
        except BaseException:
            if signed is not None:
                door.abandon(signed)
            raise
        if signed is not None:
            await run_in_threadpool(app.answered.remember, [signed], self._platform.clock.now())

    async def _let_in(self, request: Request, door: Door) -> tuple[bytes, SignedId | None]:
        """The body, once the headers have shown whose request it is; and its id where it is signed."""
        admitted = door.admit_any(request, self._platform.clock.now())
        agency = self._platform.policy.agency(admitted.agency)
        if agency is None or agency.disabled:
            raise ProblemError(Kind.FORBIDDEN, "The policy has no such agency, or it is disabled.")
        body = b"" if request.method == "GET" else await raw_body_of(request, self._limits, self._budget)
        return body, door.verify_body(admitted, body, self._platform.clock.now())


def audience_router(platform: Platform, keys: AgencyKeys, settings: HttpSettings | None = None) -> APIRouter:
    """The addresses at which agencies ask who would be told, with the intake's keys and limits.

    It belongs into the app of `create_app`, which knows the signed requests that were answered.
    """
    return AudienceRouter(platform, keys, settings or HttpSettings())


def _totals(found: Found) -> dict[str, Any]:
    """The counts of all districts together; who lives in two of them is told of both, and counted in both."""
    return {
        "people": sum(one.people for one in found),
        "by_role": _added(one.by_role for one in found),
        "by_channel": _added({kind.value: n for kind, n in one.by_channel.items()} for one in found),
        "by_reason": _added(_added({reason.value: n} for _, reason, n in one.withheld) for one in found),
    }


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _district(found: Who[FrozenBitMap], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "code": found.asked.district,
        "name": names.get(found.asked.district, found.asked.district),
        "people": found.people,
        "by_role": dict(sorted(found.by_role.items())),
        "by_channel": {kind.value: count for kind, count in sorted(found.by_channel.items())},
        "sends": [
            {
                "items": [{"hazard": i.hazard, "kind": i.kind.value, "level": i.level.value} for i in items],
                "people": people,
            }
            for items, people in found.sends
        ],
        "withheld": [
            {"hazard": hazard, "reason": reason.value, "people": people} for hazard, reason, people in found.withheld
        ],
    }
