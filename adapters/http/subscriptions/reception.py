"""What every address of a subscriber needs: the desk, the pages, limits on bodies, and the way to one's own page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.http.bodies import BodyBudget
from adapters.http.settings import HttpSettings
from adapters.http.subscriptions.pages import PRIVATE, Pages
from adapters.http.subscriptions.reading import Fields, fields_of
from adapters.http.subscriptions.words import WORDS
from adapters.subscriptions.checking import FormChecker
from adapters.subscriptions.desk import SubscriptionDesk
from domain.notices import Purpose
from domain.recipients import RecipientNumber

DONE: Final = frozenset({"confirmed", "changed"})
"""What one's own page may be told to say."""


@dataclass(frozen=True, slots=True)
class Reception:
    """One outlet's."""

    desk: SubscriptionDesk
    checker: FormChecker
    pages: Pages
    limits: HttpSettings
    budget: BodyBudget

    @property
    def now(self) -> datetime:
        """The platform's time."""
        return self.desk.platform.clock.now()

    async def fields(self, request: Request) -> Fields:
        """What a request posts.

        Raises:
            ProblemError: MEDIA_TYPE, TOO_LARGE, SLOW_BODY, BAD_REQUEST or UNAVAILABLE.
        """
        return await fields_of(request, self.limits, self.budget)

    def word(self, request: Request, name: str) -> str:
        """A word of the pages in the request's language."""
        return WORDS[self.pages.language(request)][name]

    def own_path(self, subject: UUID, number: RecipientNumber) -> str:
        """The path of a subscriber's own page."""
        return f"/s/{self.desk.links.token(Purpose.SUBSCRIPTION, subject, number)}"

    def own_link(self, subject: UUID, number: RecipientNumber) -> str:
        """Its whole address, as far as it is known."""
        return self.desk.links.link(Purpose.SUBSCRIPTION, subject, number) or self.own_path(subject, number)

    def to_own_page(self, request: Request, subject: UUID, number: RecipientNumber, done: str) -> Response:
        """Send the browser there."""
        query = f"?lang={self.pages.language(request)}" + (f"&said={done}" if done in DONE else "")
        return RedirectResponse(self.own_path(subject, number) + query, 303, dict(PRIVATE))


def private_json(document: Mapping[str, Any], status: int) -> Response:
    """An answer that no cache keeps."""
    return Response(msgspec.json.encode(document), status, dict(PRIVATE), "application/json")
