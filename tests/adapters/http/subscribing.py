"""A listening outlet at which people subscribe, and what one of them does with it.

Nothing here asserts anything.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from adapters.channels.mail_opening import own_unsubscribe_key
from adapters.channels.mail_unsubscribing import unsubscribe_token
from adapters.http.app import OutletApp, create_app
from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.http.server import serving
from adapters.http.settings import HttpSettings, Rate
from adapters.http.subscriptions import subscriptions_router
from adapters.http.subscriptions.router import ADDRESS_RATE
from tests.adapters.http.outlets import GENEROUS
from tests.adapters.subscriptions.office import PHONE, PUBLIC_URL, Office, office_in

ASKED: dict[str, Any] = {"telephone": PHONE, "areas": ["330604"], "hazards": ["11B03"], "level_min": "yellow"}


@dataclass
class Counter:
    """An office that listens."""

    office: Office
    app: OutletApp
    url: str
    client: httpx.Client

    def ask(self, **words: Any) -> httpx.Response:
        return self.client.post("/v1/subscriptions", json={**ASKED, **words})

    def asked(self, **words: Any) -> UUID:
        """The id of a request that was taken."""
        return UUID(self.ask(**words).json()["id"])

    def confirm(self, identifier: UUID, code: str | None = None) -> httpx.Response:
        sent = {"code": self.office.code(identifier) if code is None else code}
        return self.client.post(f"/v1/subscriptions/{identifier}/confirm", json=sent)

    def subscribed(self, **words: Any) -> tuple[int, str]:
        """A new subscriber's number, and the path of their own page."""
        identifier = self.asked(**words)
        manage = self.confirm(identifier).json()["manage"]
        return self.office.number_of(identifier), manage.removeprefix(PUBLIC_URL)

    def unsubscribe_path(self, number: int) -> str:
        """As it stands in this recipient's mails."""
        key = own_unsubscribe_key(self.office.platform.settings.data_dir)
        return f"/u/{unsubscribe_token(key, number)}"

    def everything(self) -> tuple[object, ...]:
        """All that a request could change."""
        folder = self.office.platform.settings.data_dir
        waiting = self.office.desk._waiting._connection
        rows = [waiting.execute(f"SELECT * FROM {table}").fetchall() for table in ("request", "asked", "leaving")]
        return (self.office.platform.log.head(), self.office.vault.count(), *rows, sorted(map(str, folder.iterdir())))


@contextmanager
def counter_at(
    folder: Path, *, policy: str = "shaoxing", settings: HttpSettings = GENEROUS, rate: Rate = ADDRESS_RATE
) -> Iterator[Counter]:
    with ExitStack() as stack:
        office = stack.enter_context(office_in(folder, policy=policy))
        keys = stack.enter_context(AgencyKeys(folder / FILE_NAME))
        router = subscriptions_router(office.desk, rate=rate)
        app = create_app(office.platform, keys, settings=settings, routers=[router])
        stack.callback(app.shut)
        at = stack.enter_context(serving(app, "127.0.0.1", 0, settings))
        client = stack.enter_context(httpx.Client(base_url=at.url, timeout=30, trust_env=False))
        yield Counter(office, app, at.url, client)


def text_of(page: httpx.Response) -> str:
    """A page's words."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page.text, flags=re.DOTALL))
