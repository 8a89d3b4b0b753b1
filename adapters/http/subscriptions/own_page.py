"""`/s/{token}`: what a request asks for, with the button that confirms it; then the subscription, to change or end."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from adapters.http.problems import Kind, ProblemError
from adapters.http.subscriptions.reading import Fields, unusable
from adapters.http.subscriptions.reception import DONE, Reception
from adapters.links import Opened
from adapters.subscriptions.checking import UnusableError, WantedForm
from adapters.subscriptions.desk import Ended, NoRequestError
from domain.notices import Purpose
from domain.recipients import Recipient, RecipientNumber
from domain.subscriptions import wanted_of


class OwnPage:
    """A subscriber's own page."""

    def __init__(self, reception: Reception) -> None:
        """Of this outlet."""
        self._at = reception

    def show(self, request: Request) -> Response:
        """Show what a request asks for, or a subscription."""
        opened = self._opened(request)
        if opened is None:
            return self._at.pages.message(request, "gone", 404)
        waiting = self._at.desk.waiting(opened.subject, self._at.now)
        if waiting is not None and waiting.number == opened.number and waiting.confirmed_as is None:
            return self._at.pages.confirm(request, waiting.wanted)
        number, subscriber = self._subscriber(opened)
        if subscriber is None:
            return self._at.pages.message(request, "gone", 404)
        asked = request.query_params.get("said", "")
        if number != opened.number:  # the request changed an earlier subscription of the same contact
            return self._at.to_own_page(request, opened.subject, number, asked)
        return self._at.pages.manage(request, wanted_of(subscriber), said=asked if asked in DONE else "")

    async def act(self, request: Request) -> Response:
        """Confirm, change or end, as the page's button says."""
        fields = await self._at.fields(request)
        try:
            return await run_in_threadpool(self._acted, request, fields)
        except UnusableError as error:
            raise unusable(error.findings) from error
        except NoRequestError:
            return self._at.pages.message(request, "gone", 404)

    def _acted(self, request: Request, fields: Fields) -> Response:
        opened = self._opened(request)
        if opened is None or not fields.is_form:
            raise NoRequestError
        match fields.one("do"):
            case "confirm":
                waiting = self._at.desk.waiting(opened.subject, self._at.now)
                if waiting is None or opened.number not in {waiting.number, waiting.confirmed_as}:
                    raise NoRequestError
                number = self._at.desk.confirm(opened.subject, self._at.now)
                return self._at.to_own_page(request, opened.subject, number, "confirmed")
            case "change":
                return self._changed(request, opened, fields)
            case "end":
                ended = self._at.desk.end(opened.number, self._at.now) is Ended.ENDED
                return self._at.pages.message(request, "ended" if ended else "gone", 200 if ended else 404)
            case _:
                raise ProblemError(Kind.BAD_REQUEST, "The page's buttons are confirm, change and end.")

    def _changed(self, request: Request, opened: Opened, fields: Fields) -> Response:
        number, subscriber = self._subscriber(opened)
        if subscriber is None:
            raise NoRequestError
        form: WantedForm | None = None
        try:
            form = fields.as_value(WantedForm)
            wanted = self._at.checker.wanted(form, subscriber.channels[0])
        except UnusableError as error:
            sentences = self._at.pages.sentences(request, error.findings)
            return self._at.pages.manage(request, wanted_of(subscriber), form=form, wrong=sentences)
        if not self._at.desk.change(number, wanted):
            raise NoRequestError
        return self._at.to_own_page(request, opened.subject, number, "changed")

    def _opened(self, request: Request) -> Opened | None:
        opened = self._at.desk.links.opened(request.path_params["token"])
        return opened if opened is not None and opened.purpose is Purpose.SUBSCRIPTION else None

    def _subscriber(self, opened: Opened) -> tuple[RecipientNumber, Recipient | None]:
        """Whose subscription a link leads to, and the subscriber."""
        waiting = self._at.desk.waiting(opened.subject, self._at.now)
        became = waiting.confirmed_as if waiting is not None else None
        number = opened.number if became is None else became
        return number, self._at.desk.subscriber(number)
