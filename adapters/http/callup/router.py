"""The addresses `/c/{token}`: looking changes nothing, sending the form confirms or answers.

Mail scanners and link previews open every link in a message, so only the button of the form does anything. The token
is all that is needed, and there is no cookie. How often an address may ask is limited for all routes alike, in
`pacing.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.http.bodies import BodyBudget, body_of
from adapters.http.callup.book import CallUpBook
from adapters.http.callup.page import HEADERS, NOTHING_SENT, Pages, Sent
from adapters.http.callup.wording import CHINESE, ENGLISH, WORDS, asked_language, language_of
from adapters.http.settings import MEBIBYTE, HttpSettings
from adapters.links import Links, Opened
from adapters.wiring import Platform
from domain.callup import CallUpCode, CallUpError
from domain.callup_events import CallUpAnswer
from domain.callup_state import CallUps
from domain.notices import Purpose
from domain.ports import LogUnavailableError, VersionConflictError
from domain.recipients import RecipientNumber
from streams.callup import answer, confirm
from streams.house import House

LARGEST_FORM_BYTES: Final = 64 * 1024
MOST_FIELDS: Final = 50
RETRY_SECONDS: Final = "5"
ANSWER: Final = "q-"

Token = Annotated[str, Path(description="The recipient's own token, from their message.")]


def call_up_router(platform: Platform, links: Links) -> APIRouter:
    """The routes of the page, for a platform and the links it hands out."""
    desk = _Desk(platform, links)
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/c/{token}", desk.look, methods=["GET", "HEAD"])
    router.add_api_route("/c/{token}", desk.take, methods=["POST"])
    return router


class _Desk:
    """Answers the requests for pages."""

    def __init__(self, platform: Platform, links: Links) -> None:
        self._platform = platform
        self._links = links
        self._book = CallUpBook(platform.log)
        self._pages = Pages(platform.policy, platform.gazetteer)
        self._usual = CHINESE if platform.policy.outlet.languages[0].lower().startswith("zh") else ENGLISH
        self._limits = HttpSettings(max_body_bytes=LARGEST_FORM_BYTES)
        self._budget = BodyBudget(16 * MEBIBYTE)

    def look(self, request: Request, token: Token) -> Response:
        """Show the page; nothing changes."""
        try:
            return self._show(request, token)
        except LogUnavailableError:
            return self._unavailable(request)

    async def take(self, request: Request, token: Token) -> Response:
        """Take what the form sends, then show the page anew."""
        body = await body_of(request, self._limits, self._budget)
        try:
            return await run_in_threadpool(partial(self._take, request, token, body))
        finally:
            self._budget.release(len(body))

    def _take(self, request: Request, token: str, body: bytes) -> Response:
        form = _form_of(body)
        try:
            opened = self._opened(token)
            state = self._book.of(opened.subject) if opened else None
            if opened is None or state is None:
                return self._unknown(request)
            self._platform.runner.act(partial(_carry_out, state, opened.number, form))
        except CallUpError as error:
            return self._show(request, token, sent=self._not_taken(request, error, form))
        except (LogUnavailableError, VersionConflictError):
            return self._unavailable(request)
        asked = asked_language(request)
        query = "" if asked is None else f"?lang={asked.split('-')[0]}"
        # To the same address, so that loading the page again sends nothing again.
        return RedirectResponse(f"{token}{query}", HTTPStatus.SEE_OTHER, HEADERS)

    def _not_taken(self, request: Request, error: CallUpError, form: "_Form") -> Sent:
        words = WORDS[language_of(request, self._usual)]
        match error.code:
            case CallUpCode.NO_ANSWER:
                return Sent(words.nothing_answered, form.answers)
            case CallUpCode.TOO_LONG:
                return Sent(words.too_long, form.answers)
            case _:
                return Sent(words.not_taken)

    def _show(self, request: Request, token: str, *, sent: Sent = NOTHING_SENT) -> Response:
        opened = self._opened(token)
        state = self._book.of(opened.subject) if opened else None
        if opened is None or state is None:
            return self._unknown(request)
        language = language_of(request, self._usual)
        page = self._pages.page(state, opened.number, language, sent=sent)
        if page is None:
            return self._unknown(request)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if sent.problem else HTTPStatus.OK
        return self._answer(status, self._pages.html(page, problem=sent.problem), language)

    def _opened(self, token: str) -> Opened | None:
        opened = self._links.opened(token)
        return opened if opened is not None and opened.purpose is Purpose.CALL_UP else None

    def _unknown(self, request: Request) -> Response:
        language = language_of(request, self._usual)
        words = WORDS[language]
        html = self._pages.plain(language, words.unknown, words.unknown_more)
        return self._answer(HTTPStatus.NOT_FOUND, html, language)

    def _unavailable(self, request: Request) -> Response:
        language = language_of(request, self._usual)
        words = WORDS[language]
        html = self._pages.plain(language, words.title, words.unavailable)
        answer_ = self._answer(HTTPStatus.SERVICE_UNAVAILABLE, html, language)
        answer_.headers["Retry-After"] = RETRY_SECONDS
        return answer_

    @staticmethod
    def _answer(status: HTTPStatus, html: str, language: str) -> Response:
        return Response(html, status, {**HEADERS, "Content-Language": language}, "text/html; charset=utf-8")


@dataclass(frozen=True, slots=True)
class _Form:
    """What a form sent: its step, and the answers by their questions."""

    step: str
    answers: Mapping[str, str]


def _form_of(body: bytes) -> _Form:
    """The form in a body (application/x-www-form-urlencoded), the first field of each name; another body is empty."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        return _Form("", {})
    fields: dict[str, str] = {}
    for name, text in pairs:
        fields.setdefault(name, text.replace("\r\n", "\n"))
    answers = {name.removeprefix(ANSWER): text for name, text in fields.items() if name.startswith(ANSWER)}
    return _Form(fields.get("step", ""), answers)


def _carry_out(state: CallUps, number: RecipientNumber, form: _Form, house: House, now: datetime) -> None:
    """What the form asks for; what was left empty is not answered.

    Raises:
        CallUpError: it does not fit what stands now.
    """
    match form.step:
        case "confirm":
            confirm(house, state.mode, state.warning_id, number, "link", now)
        case "answers" | "report":
            said = [
                CallUpAnswer(question=name, text=text.strip()) for name, text in form.answers.items() if text.strip()
            ]
            answer(house, state.mode, state.warning_id, number, said, now, is_report=form.step == "report")
        case _:
            raise CallUpError(CallUpCode.UNKNOWN_QUESTION, "the form asks for nothing that there is")
