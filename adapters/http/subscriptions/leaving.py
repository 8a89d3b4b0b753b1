"""`/u/{token}`, where `List-Unsubscribe` of a mail leads: a button for people, one click for programs (RFC 8058)."""

from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from adapters.channels.mail_unsubscribing import recipient_of_token
from adapters.http.problems import Kind, ProblemError
from adapters.http.subscriptions.pages import PRIVATE
from adapters.http.subscriptions.reading import is_one_click, raw_body_of
from adapters.http.subscriptions.reception import Reception
from adapters.http.subscriptions.words import WORDS
from adapters.subscriptions.desk import Ended
from domain.recipients import RecipientNumber


class Leaving:
    """Unsubscribing by a mail's token."""

    def __init__(self, reception: Reception, keys: Sequence[bytes]) -> None:
        """`keys` are those that tokens are made with."""
        self._at = reception
        self._keys = tuple(keys)

    def show(self, request: Request) -> Response:
        """Show the button that unsubscribes."""
        number = self._number_of_token(request)
        if number is None:
            return self._at.pages.message(request, "gone", 404)
        match self._at.desk.ending(number, self._at.now):
            case Ended.ENDED:
                return self._at.pages.page(request, "unsubscribe")
            case Ended.NOTHING_STOOD:
                return self._at.pages.message(request, "nothing")
            case Ended.ON_A_ROSTER:
                return self._at.pages.message(request, "rostered")

    async def unsubscribe(self, request: Request) -> Response:
        """End the subscription whose mail had this token.

        The body is `List-Unsubscribe=One-Click`. Who is on an official list of people who must be warned cannot leave
        it by a link: the list is the bureau's to change.
        """
        body = await raw_body_of(request, self._at.limits, self._at.budget)
        if not is_one_click(body):
            sentence = "The body is List-Unsubscribe=One-Click (RFC 8058); nothing was changed."
            raise ProblemError(Kind.BAD_REQUEST, sentence, headers=PRIVATE, more={"code": "no-one-click"})
        return await run_in_threadpool(self._unsubscribed, request)

    def _unsubscribed(self, request: Request) -> Response:
        number = self._number_of_token(request)
        if number is None:
            return self._page_or_problem(request, "gone", Kind.NOT_FOUND, "no-such-link")
        match self._at.desk.end(number, self._at.now):
            case Ended.ENDED:
                return self._at.pages.message(request, "ended")
            case Ended.NOTHING_STOOD:
                return self._at.pages.message(request, "nothing")
            case Ended.ON_A_ROSTER:
                return self._page_or_problem(request, "rostered", Kind.FORBIDDEN, "on-a-roster")

    def _page_or_problem(self, request: Request, subject: str, kind: Kind, code: str) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return self._at.pages.message(request, subject, int(kind.value.status))
        raise ProblemError(kind, WORDS["en"][f"{subject}_lead"], headers=PRIVATE, more={"code": code})

    def _number_of_token(self, request: Request) -> RecipientNumber | None:
        token = request.path_params["token"]
        found = (recipient_of_token(key, token) for key in self._keys)
        return next((number for number in found if number is not None), None)
