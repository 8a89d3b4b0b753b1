"""The subscribers' addresses, and what the desk is asked for each. No GET changes anything.

A token or a code is all the right that anybody shows: there are no cookies, so that no other site's page can act for
a visitor.
"""

import asyncio
import logging
import time
import unicodedata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.channels.mail_opening import OWN_PATH, own_unsubscribe_key
from adapters.http.app import OutletApp
from adapters.http.bodies import BodyBudget
from adapters.http.peers import address_of, counted_as
from adapters.http.problems import Kind, ProblemError
from adapters.http.rates import RateLimiter, whole_seconds
from adapters.http.settings import HttpSettings, Rate
from adapters.http.stored_route import StoredRoute
from adapters.http.subscriptions import documentation as said
from adapters.http.subscriptions.leaving import Leaving
from adapters.http.subscriptions.own_page import OwnPage
from adapters.http.subscriptions.pages import Pages
from adapters.http.subscriptions.reading import Fields, unusable
from adapters.http.subscriptions.reception import Reception, private_json
from adapters.subscriptions.checking import FormChecker, SubscriptionForm, UnusableError, WantedForm
from adapters.subscriptions.desk import NoRequestError, SubscriptionDesk, WrongCodeError
from adapters.subscriptions.waiting import TooManyRequestsError
from adapters.vault.vault import Contact
from domain.ports import LogUnavailableError
from domain.subscriptions import Wanted
from domain.values import Value
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 60.0
ADDRESS_RATE: Final = Rate(per_second=1 / 30, burst=30)
"""Of one address: a household or an office subscribes within a minute, a program does not send thousands of codes."""


class CodeForm(Value):
    """The body of a confirmation."""

    code: str


class SubscriptionsRouter(APIRouter):
    """All of them, over one desk."""

    def __init__(self, reception: Reception, *, unsubscribe_keys: Sequence[bytes], rate: Rate) -> None:
        """Offer the addresses."""
        super().__init__(route_class=StoredRoute, tags=["subscriptions"], lifespan=self._living)
        self._at = reception
        self._own_page = OwnPage(reception)
        self._leaving = Leaving(reception, unsubscribe_keys)
        self._addresses = RateLimiter(rate, reception.limits.max_addresses)
        self._add_api()
        self._add_pages()

    def _add_api(self) -> None:
        self.add_api_route(
            "/v1/subscriptions",
            self.subscribe,
            methods=["POST"],
            status_code=202,
            operation_id="subscribe",
            summary="Ask for warnings by text message or mail; a code is sent to confirm it",
            response_class=JSONResponse,
            responses=said.ASKED,
            openapi_extra=said.ASKING,
        )
        self.add_api_route(
            "/v1/subscriptions/{id}/confirm",
            self.confirm,
            methods=["POST"],
            operation_id="confirm_subscription",
            summary="Confirm a subscription by the code that its contact was sent",
            response_class=JSONResponse,
            responses=said.CONFIRMED,
            openapi_extra=said.CONFIRMING,
        )
        self.add_api_route(
            f"{OWN_PATH}{{token}}",
            self._leaving.unsubscribe,
            methods=["POST"],
            operation_id="unsubscribe",
            summary="Unsubscribe in one click, as mail programs do (RFC 8058)",
            response_class=Response,
            responses=said.UNSUBSCRIBED,
            openapi_extra=said.ONE_CLICK,
        )

    def _add_pages(self) -> None:
        pages = {
            "/subscribe": self.subscribe_page,
            "/s/{token}": self._own_page.show,
            f"{OWN_PATH}{{token}}": self._leaving.show,
        }
        for path, show in pages.items():
            self.add_api_route(path, show, methods=["GET", "HEAD"], include_in_schema=False)
        self.add_api_route("/s/{token}", self._own_page.act, methods=["POST"], include_in_schema=False)

    def subscribe_page(self, request: Request) -> Response:
        """Show the form of a request."""
        return self._at.pages.subscribe(request)

    async def subscribe(self, request: Request) -> Response:
        """Take a request in and have its contact asked.

        Name a telephone number or a mail address, and at least one area or point. The answer is the same whether or
        not the contact subscribes already. Who subscribes again changes the subscription by confirming it.
        """
        fields = await self._at.fields(request)
        try:
            contact, wanted = await run_in_threadpool(self._checked, fields)
            self._must_not_hurry(request)
            accepted = await run_in_threadpool(self._at.desk.ask, contact, wanted, self._at.now)
        except UnusableError as error:
            if not fields.is_form:
                raise unusable(error.findings) from error
            sentences = self._at.pages.sentences(request, error.findings)
            return self._at.pages.subscribe(request, _refilled(fields), sentences, 400)
        except TooManyRequestsError as error:
            self._count_limited(request, error.by)
            headers = {"Retry-After": whole_seconds(error.wait.total_seconds())}
            if not fields.is_form:
                raise ProblemError(Kind.TOO_MANY, f"{error}", headers=headers) from error
            page = self._at.pages.subscribe(request, _refilled(fields), [self._at.word(request, "too_many")], 429)
            page.headers.update(headers)
            return page

        if fields.is_form:
            return self._at.pages.page(request, "sent", 202, id=str(accepted.id))
        expires = accepted.expires.astimezone(self._at.desk.platform.policy.zone).isoformat()
        return private_json({"id": str(accepted.id), "expires": expires}, 202)

    def _checked(self, fields: Fields) -> tuple[Contact, Wanted]:
        return self._at.checker.subscription(fields.as_value(SubscriptionForm))

    async def confirm(self, request: Request) -> Response:
        """Confirm by the code; five attempts are all. Confirming again is answered alike."""
        fields = await self._at.fields(request)
        try:
            return await run_in_threadpool(self._confirmed, request, fields)
        except UnusableError as error:
            raise unusable(error.findings) from error
        except WrongCodeError as error:
            if fields.is_form:
                wrong = [self._at.word(request, "wrong_code")]
                return self._at.pages.page(request, "sent", 403, id=request.path_params["id"], wrong=wrong)
            raise ProblemError(Kind.FORBIDDEN, "This is not the code.", more={"code": "wrong-code"}) from error
        except NoRequestError as error:
            if fields.is_form:
                return self._at.pages.message(request, "gone", 404)
            sentence = "No such request waits: it has expired, was tried too often, or was never made."
            raise ProblemError(Kind.NOT_FOUND, sentence, more={"code": "no-request"}) from error

    def _confirmed(self, request: Request, fields: Fields) -> Response:
        try:
            identifier = UUID(request.path_params["id"])
        except ValueError:
            raise NoRequestError from None
        code = unicodedata.normalize("NFKC", fields.as_value(CodeForm).code).strip()
        number = self._at.desk.confirm_by_code(identifier, code, self._at.now)
        if fields.is_form:
            return self._at.to_own_page(request, identifier, number, "confirmed")
        manage = self._at.own_link(identifier, number)
        return private_json({"id": str(identifier), "state": "confirmed", "manage": manage}, 200)

    def _must_not_hurry(self, request: Request) -> None:
        app = request.app
        limits = app.state.settings if isinstance(app, OutletApp) else self._at.limits
        wait = self._addresses.take(counted_as(address_of(request, limits)), 1, time.monotonic())
        if wait:
            raise TooManyRequestsError("subscriber", timedelta(seconds=wait))

    def _count_limited(self, request: Request, by: str) -> None:
        app = request.app
        if isinstance(app, OutletApp):
            app.state.metrics.limited(by)
            address = counted_as(address_of(request, app.state.settings))
            app.turned_away.count(Kind.TOO_MANY.value.name, self._at.now, address=address)

    @asynccontextmanager
    async def _living(self, _app: object) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(self._sweep_now_and_then())
        yield
        sweeping.cancel()

    async def _sweep_now_and_then(self) -> None:
        while True:
            try:
                done = await run_in_threadpool(attempt, lambda: self._at.desk.sweep(self._at.now))
            except LogUnavailableError as error:
                done = Failed(error)
            if isinstance(done, Failed):
                log.error("expired subscriptions cannot be dropped now; tried again", exc_info=done.error)
            await asyncio.sleep(SWEEP_SECONDS)


def subscriptions_router(
    desk: SubscriptionDesk,
    *,
    unsubscribe_keys: Sequence[bytes] | None = None,
    region: str | None = None,
    rate: Rate = ADDRESS_RATE,
) -> APIRouter:
    """The subscribers' addresses.

    `unsubscribe_keys` are those that tokens in mails are made with; left out, this outlet's own. `region` is the
    country whose telephone numbers are taken; left out, as `FormChecker` has it. `rate` is that of one address.

    Raises:
        MailSetupError: the key's file cannot be used.
    """
    platform = desk.platform
    keys = [own_unsubscribe_key(platform.settings.data_dir)] if unsubscribe_keys is None else unsubscribe_keys
    limits = HttpSettings()
    checker = FormChecker(platform.policy, platform.gazetteer, region=region)
    pages = Pages(platform.policy, platform.gazetteer, checker)
    reception = Reception(desk, checker, pages, limits, BodyBudget(limits.max_held_bytes))
    return SubscriptionsRouter(reception, unsubscribe_keys=keys, rate=rate)


def _refilled(fields: Fields) -> WantedForm | None:
    """What the form held beside the contact, as far as it can be shown again."""
    try:
        return fields.as_value(WantedForm)
    except UnusableError:
        return None
