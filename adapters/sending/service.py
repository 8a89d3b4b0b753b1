"""The sending worker as a service beside the stages, with the routes that are set up; where none is, the spool.

Drills go to the spool whatever is set up.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from adapters.channels.port import Incoming
from adapters.channels.spool import Spool
from adapters.links import Links, links_in
from adapters.sending.lane import Pace, Route
from adapters.sending.outbox import Outbox
from adapters.sending.tables import OUTBOX, outbox_engine_of
from adapters.sending.worker import SendingWorker
from adapters.store.kept_tables import refusals_named
from adapters.vault.vault import vault_of
from adapters.wiring import Platform
from domain.messages import Mode
from domain.outlet import stream_id_of
from domain.ports import Gazetteer
from domain.recipients import ChannelKind

SPOOL_FOLDER: Final = "spool"
STREAM: Final = stream_id_of("sending")
"""Where emergency stops and resumptions are recorded."""

BOTH: Final = frozenset(Mode)
DRILLS: Final = frozenset({Mode.DRILL})


def routes_with_spool(configured: Sequence[Route], folder: Path, sender: str) -> list[Route]:
    """These routes, and a spool for every kind that none of them serves and for every drill."""
    served = {route.channel.kind for route in configured}
    return [
        *configured,
        *(Route(Spool(folder, kind, sender=sender), DRILLS if kind in served else BOTH) for kind in ChannelKind),
    ]


def open_outbox(platform: Platform, links: Links | None = None) -> Outbox:
    """The platform's outbox, beside its log; without `links` notices have no address to lead to.

    Raises:
        ValueError: the links' key file does not hold a key.
        NewerSchemaError: a newer version of the platform made it.
        StoreError: its database refuses.
        OSError: the files cannot be made.
    """
    signed = links_in(platform.settings.data_dir) if links is None else links
    engine = outbox_engine_of(platform.settings)
    with refusals_named(OUTBOX.part):
        return Outbox(engine, platform.log, platform.policy, lambda code: _place(platform.gazetteer, code), signed)


@contextmanager
def sending(
    platform: Platform,
    configured: Sequence[Route] = (),
    *,
    links: Links | None = None,
    incoming: Callable[[str, Incoming], None] | None = None,
    pace: Pace | None = None,
) -> Iterator[SendingWorker]:
    """Hand over what is planned for people, in threads of its own, while this is entered; gives the worker.

    `links` are those of the notices; without them notices lead to no page. `incoming` is given what people send to us,
    with the route's name, in the thread of the channels: it is quick.
    """
    folder = platform.settings.data_dir
    routes = routes_with_spool(configured, folder / SPOOL_FOLDER, platform.policy.outlet.sender)
    with (
        vault_of(platform.settings) as vault,
        open_outbox(platform, links) as outbox,
        SendingWorker(
            outbox=outbox,
            events=platform.log,
            addresses=vault,
            preferences=platform.audience,
            routes=routes,
            clock=platform.clock,
            pace=pace,
            incoming=incoming,
        ) as worker,
    ):
        yield worker


def _place(gazetteer: Gazetteer, code: str) -> str:
    area = gazetteer.area(code)
    return area.name if area else ""
