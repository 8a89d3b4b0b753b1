"""A small outlet with a desk for subscribers: its real log, vault, audience, links and waiting requests.

Nothing here asserts anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from adapters.clocks import ManualClock
from adapters.links import Links, links_in
from adapters.settings import Settings
from adapters.subscriptions.desk import SubscriptionDesk, subscription_desk
from adapters.vault.vault import Contact, ContactVault, vault_in
from adapters.wiring import Platform, build
from domain.messages import Mode
from domain.notices import NoticesPlanned, Purpose
from domain.recipients import ChannelKind
from domain.subscriptions import Wanted
from tests.streams.messages import START

PHONE = "+8613800000001"
OTHER_PHONE = "+8613800000002"
MAIL = "somebody@people.example"
PUBLIC_URL = "https://warnings.example"

SMS = Contact(ChannelKind.SMS, PHONE)
OTHER_SMS = Contact(ChannelKind.SMS, OTHER_PHONE)
EMAIL = Contact(ChannelKind.EMAIL, MAIL)


def wanted(*areas: str, channel: ChannelKind = ChannelKind.SMS, **words: object) -> Wanted:
    return Wanted.model_validate({"channel": channel, "areas": areas or ("330604",), **words})


@dataclass
class Office:
    """The outlet and what a subscriber's telephone or mailbox is told."""

    platform: Platform
    clock: ManualClock
    vault: ContactVault
    links: Links
    desk: SubscriptionDesk

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def later(self, **words: float) -> datetime:
        self.clock.set(self.clock.now() + timedelta(**words))
        return self.clock.now()

    def notices(self) -> list[NoticesPlanned]:
        """Every request for confirmation that was planned, in order."""
        return [one.event for one in self.platform.log.read() if isinstance(one.event, NoticesPlanned)]

    def number_of(self, identifier: UUID) -> int:
        """Whom the notice of a request is planned for."""
        [number] = [one.number for event in self.notices() if event.subject == identifier for one in event.notices]
        return number

    def code(self, identifier: UUID) -> str:
        """What the outbox puts in place of `{code}`."""
        return self.links.code(Purpose.SUBSCRIPTION, identifier, self.number_of(identifier))

    def token(self, identifier: UUID) -> str:
        """The last part of what the outbox puts in place of `{link}`."""
        return self.links.token(Purpose.SUBSCRIPTION, identifier, self.number_of(identifier))

    def subscribe(self, contact: Contact = SMS, want: Wanted | None = None) -> int:
        """Ask and confirm by the code; whose subscription it became."""
        asked = self.desk.ask(contact, want or wanted(channel=contact.kind), self.now)
        return self.desk.confirm_by_code(asked.id, self.code(asked.id), self.now)

    def topics(self) -> list[str]:
        return [one.event.TOPIC for one in self.platform.log.read()]

    def everyone(self) -> list[int]:
        """Who may be told of live warnings, as the log says now."""
        self.platform.audience.follow(self.platform.log.head())
        view = self.platform.audience.view()
        return sorted(view.everyone(Mode.LIVE) & view.reachable())


@contextmanager
def office_in(
    folder: Path, *, policy: str = "shaoxing", public_url: str = PUBLIC_URL, clock: ManualClock | None = None
) -> Iterator[Office]:
    ticking = clock or ManualClock(START)
    links = links_in(folder, public_url)
    with (
        build(Settings(data_dir=folder, policy=policy), clock=ticking) as platform,
        vault_in(folder) as vault,
        subscription_desk(platform, vault, links) as desk,
    ):
        yield Office(platform, ticking, vault, links, desk)
