"""`outlet run`: the platform as a service, fed from a watched folder, until it is told to stop."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from adapters.channels.definition_mail import is_loopback
from adapters.cli.common import USAGE, err, fail, out, platform_of, until_told
from adapters.cli.looks import level_text, say
from adapters.cli.outbox import Outbox
from adapters.connections import Connections, connections_in
from adapters.pollers.inbox import Inbox
from adapters.services import People, people, services
from adapters.wiring import Part, Platform, rare_full_collections
from domain.messages import Mode
from projections.base import Condition
from projections.board import REVISIONS, RevisionRow, sections_of
from projections.releases import Release
from streams.intake import Outcome, Receipt

DEFAULT_ADDRESS: Final = "127.0.0.1:8080"
LAST_PORT: Final = 65_535
STUCK_SECONDS: Final = 120.0
"""A round takes seconds, and waits for at most one; after so long `/readyz` says that it is stuck."""


def run(
    context: typer.Context,
    *,
    inbox: Annotated[Path | None, typer.Option(help="The folder to watch; else `inbox` in the data directory.")] = None,
    http: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Serve HTTP here; port 0 takes a free one.")
    ] = DEFAULT_ADDRESS,
    no_http: Annotated[bool, typer.Option("--no-http", help="Serve no HTTP: files and feeds alone.")] = False,
) -> None:
    """Run the platform until SIGINT or SIGTERM, serving HTTP: the agencies' intake and the public API.

    Message files in the inbox (`<inbox>/<agency>/*` or `<inbox>/*`) are taken in and moved to `<inbox>/done/`, or to
    `<inbox>/refused/` with their findings beside them. Released CAP documents are written to `outbox` in the data
    directory. With OUTLET_KAFKA_BOOTSTRAP_SERVERS set, workers, a projector and couriers do the rest (docs/cluster.md).
    """
    with rare_full_collections(), platform_of(context, part=Part.EDGE) as platform:
        connections = connections_in(platform.settings.data_dir)
        service = Service(platform, inbox or platform.settings.inbox_dir)
        with until_told() as stop:
            say(f"running on {platform.settings.data_dir}, watching {service.inbox.folder}")
            where = None if no_http else address_of("--http", http)
            public_url = connections.http.public_url or _own_url(where)
            with (
                people(platform, connections, public_url) as told,
                _serving(service, where, connections, told),
                services(platform, connections, told),
            ):
                platform.runner.run(stop, between=service.round)
            service.tell_news()
        say("stopped")


def address_of(option: str, given: str) -> tuple[str, int]:
    """The host and port that an option names."""
    host, _, port = given.rpartition(":")
    if not host or not port.isdecimal() or int(port) > LAST_PORT:
        fail(f"{option} {given!r} is not HOST:PORT, such as 127.0.0.1:8080", USAGE)
    return host.strip("[]"), int(port)


def _own_url(where: tuple[str, int] | None) -> str:
    """Where somebody at this machine finds the server: as good an address as any until a public one is set."""
    if where is None or where[1] == 0 or not is_loopback(where[0]):
        return ""
    host = f"[{where[0]}]" if ":" in where[0] else where[0]
    return f"http://{host}:{where[1]}"


@contextmanager
def _serving(
    service: "Service", where: tuple[str, int] | None, connections: Connections, told: People
) -> Iterator[None]:
    """HTTP beside the runner, unless it is left out; where it listens is told on a line of its own."""
    if where is None:
        yield
        return
    from adapters.http.app import create_app
    from adapters.http.keys import FILE_NAME, AgencyKeys
    from adapters.http.people import people_routers
    from adapters.http.server import ServerDidNotStartError, serving

    platform, limits = service.platform, connections.http.settings()
    with AgencyKeys(platform.settings.data_dir / FILE_NAME) as keys:
        routers = people_routers(platform, connections, told, keys, limits)
        app = create_app(platform, keys, settings=limits, checks={"rounds": service.check}, routers=routers)
        try:
            with serving(app, *where, limits) as server:
                say(f"serving {server.url}")
                yield
        except ServerDidNotStartError as error:
            fail(str(error))
        finally:
            app.shut()


class Service:
    """What happens in every round of a run: look into the inbox, tell what is new, write what was released."""

    def __init__(self, platform: Platform, inbox: Path) -> None:
        """Begin telling at the log's end, and writing where the last run ended."""
        self.platform = platform
        self._names = {area.code: area.name for area in platform.gazetteer.districts()}
        self._told = platform.log.head()
        self._outbox_error = ""
        self._round_began = time.monotonic()
        agencies = [agency.id for agency in platform.policy.agencies]
        self.inbox = Inbox(inbox, agencies, submit=platform.runner.submit, tell=_complain)
        self.outbox = Outbox(platform.settings.spool_dir, platform.log, platform.tables)

    def round(self) -> None:
        """Take in what has come, after telling what became of the round before."""
        self._round_began = time.monotonic()
        self.tell_news()
        for receipt in self.inbox.look():
            say(receipt_line(receipt))

    def check(self) -> str:
        """`ok` while rounds follow each other: in them deadlines are acted on, and what expires ends."""
        if trouble := self.platform.runner.trouble:
            return trouble
        seconds = time.monotonic() - self._round_began
        return "ok" if seconds < STUCK_SECONDS else f"the last round began {seconds:.0f} s ago"

    def tell_news(self) -> None:
        """A line for each new revision and release; the documents of the releases go to the outbox."""
        since = (Condition("position", ">", self._told),)
        for row in self.platform.tables.select(REVISIONS, since, order=("position",)):
            self._told = row.position
            say(self._revision_line(row))
        try:
            released = self.outbox.follow()
        except OSError as error:
            sentence = f"the outbox cannot be written, and is tried again: {error.filename}: {error.strerror}"
            if sentence != self._outbox_error:
                _complain(sentence)
            self._outbox_error = sentence
            return
        self._outbox_error = ""
        for release in released:
            say(self._release_line(release))

    def _place(self, mode: str, district: str) -> str:
        drill = "DRILL " if mode == Mode.DRILL.value else ""
        return f"{drill}{self._names.get(district, district)} {district}"

    def _revision_line(self, row: RevisionRow) -> Text:
        line = Text(f"revision  {self._place(row.mode, row.district)} #{row.revision}:")
        sections = sections_of(row)
        for section in sections:
            names = self.platform.policy.hazard_index.get(section.hazard)
            line.append(f" {names.name(self.platform.settings.language) if names else section.hazard} ")
            line.append_text(level_text(section.level))
            line.append(f" ({', '.join(section.issuers)})")
        return line if sections else line.append(" nothing in force")

    def _release_line(self, release: Release) -> Text:
        row = release.row
        place = self._place(row.mode, row.district)
        line = Text(f"release   {place} {row.message_type} {row.identifier} ({row.cause})")
        return line if row.cap else line.append(" without a CAP document: see `outlet parked`", style="red")


def receipt_line(receipt: Receipt) -> Text:
    """One receipt on one line."""
    style = "red" if receipt.outcome is Outcome.REJECTED else ""
    line = Text("receipt   ").append(receipt.outcome.value, style=style)
    who = receipt.agency or "unknown agency"
    what = receipt.message.identifier if receipt.message else "no message"
    line.append(f" {who} {what} from {receipt.source}")
    if receipt.effect:
        line.append(f" ({receipt.effect})")
    if receipt.outcome is Outcome.REJECTED:
        reasons = "; ".join(f"{found.code}: {found.sentence}" for found in receipt.findings if found.refuses)
        line.append(f": {reasons}")
    return line


def _complain(sentence: str) -> None:
    err.print(f"outlet: {sentence}", markup=False, highlight=False)
    out.file.flush()
