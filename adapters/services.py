"""What runs beside the stages in `outlet run`: pollers, parent systems, webhooks, the worker that tells people.

Each is a context manager that starts its own thread when it is entered and has ended it when it is left. What they
share with the HTTP side, people's answers above all, is opened once and first.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from adapters.callup.replies import ReplyReader
from adapters.connections import Connections
from adapters.links import Links, links_in
from adapters.pollers.assembly import Surroundings
from adapters.pollers.service import pollers
from adapters.sending.lane import Route
from adapters.sending.routes import routes_of
from adapters.sending.service import sending
from adapters.sending.worker import SendingWorker
from adapters.subscriptions.desk import SubscriptionDesk, subscription_desk
from adapters.upward.service import parents
from adapters.vault.vault import ContactVault, vault_of
from adapters.webhooks.service import webhooks
from adapters.wiring import Platform


@dataclass(frozen=True, slots=True)
class People:
    """What leads to people and back: routes, links, the vault, and the desk of those who subscribe."""

    routes: Sequence[Route]
    links: Links
    vault: ContactVault
    desk: SubscriptionDesk


@contextmanager
def people(platform: Platform, connections: Connections, public_url: str = "") -> Iterator[People]:
    """Open it; links begin with `public_url`, without which messages hold none.

    Raises:
        ConnectionsError: a route cannot be used.
    """
    folder = platform.settings.data_dir
    routes = routes_of(connections.channels, folder, connections.outbound, clock=platform.clock, public_url=public_url)
    links = links_in(folder, public_url)
    with vault_of(platform.settings) as vault, subscription_desk(platform, vault, links) as desk:
        yield People(routes, links, vault, desk)


@contextmanager
def services(platform: Platform, connections: Connections, told: People) -> Iterator[None]:
    """All of them, while this is entered; a distributed outlet has couriers of its own for the second part."""
    with ExitStack() as stack:
        stack.enter_context(edges(platform, connections))
        if platform.settings.kafka is None:
            stack.enter_context(telling(platform, told))
        yield


@contextmanager
def edges(platform: Platform, connections: Connections) -> Iterator[None]:
    """What connects the outlet to other systems: feeds, parents, webhooks."""
    around = Surroundings(
        platform.settings.data_dir,
        platform.policy,
        networks=connections.outbound.networks,
        plain_http=connections.outbound.plain_http,
    )
    with (
        pollers(platform, connections.feeds, around),
        parents(platform, connections.parents, connections.outbound),
        webhooks(platform, connections.outbound),
    ):
        yield


@contextmanager
def telling(platform: Platform, told: People) -> Iterator[SendingWorker]:
    """What leads to people, and their replies; gives the worker that empties the outbox."""
    desk = told.desk
    replies = ReplyReader(platform, told.vault, confirm_by_reply=desk.confirm_by_reply, end_by_reply=desk.end_by_reply)
    with replies, sending(platform, told.routes, links=told.links, incoming=replies.take) as worker:
        yield worker
