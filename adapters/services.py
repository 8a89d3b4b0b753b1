"""What runs beside the stages in `outlet run`: pollers, parent systems, webhooks, the worker that tells people.

Each is a context manager that starts its own thread when it is entered and has ended it when it is left.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from adapters.connections import Connections
from adapters.pollers.assembly import Surroundings
from adapters.pollers.service import pollers
from adapters.sending.routes import routes_of
from adapters.sending.service import sending
from adapters.upward.service import parents
from adapters.webhooks.service import webhooks
from adapters.wiring import Platform


@contextmanager
def services(platform: Platform, connections: Connections) -> Iterator[None]:
    """All of them, while this is entered."""
    around = Surroundings(
        platform.settings.data_dir,
        platform.policy,
        networks=connections.outbound.networks,
        plain_http=connections.outbound.plain_http,
    )
    routes = routes_of(connections.channels, platform.settings.data_dir)
    with ExitStack() as stack:
        stack.enter_context(pollers(platform, connections.feeds, around))
        stack.enter_context(parents(platform, connections.parents, connections.outbound))
        stack.enter_context(webhooks(platform, connections.outbound))
        stack.enter_context(sending(platform, routes))
        yield
