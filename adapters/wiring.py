"""The only place where everything is put together: `build(settings)` gives a running platform.

`open_for_reading(settings)` gives what answers questions: it takes nothing in, decides nothing, adopts nothing.
"""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import Enum, auto
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from adapters.audience.index import RosterAudience
from adapters.cap.writer import CapWriter
from adapters.clocks import SystemClock
from adapters.deadlines import NoDeadlines, ReadDeadlines
from adapters.gazetteer.from_policy import gazetteer_of
from adapters.gazetteer.places import TableGazetteer
from adapters.policies import catalogues, load
from adapters.reading import AnyReader
from adapters.settings import DEFAULT_POLICY, Settings
from adapters.store.errors import NoSchemaError, StoreError
from adapters.store.read_tables import SqlReadTables, open_sqlite_read_tables
from adapters.store.sqlite_log import SqliteEventLog
from adapters.store.stored_log import StoredEventLog
from domain.messages import Mode
from domain.policy import GazetteerDefinition, parse_policy
from domain.ports import Clock, LogUnavailableError
from projections import PROJECTIONS
from projections.base import ReadTables, equal
from projections.board import DISTRICTS, REVISIONS
from projections.follow import Follower, catch_up
from streams.adoption import adopted_policy
from streams.embedded import EmbeddedRunner
from streams.house import DocumentWriter, House
from streams.kafka_relay import FOLLOWER as RELAY
from streams.ledger import Ledger

log = logging.getLogger(__name__)


class Part(Enum):
    """What a process does of an outlet's work. The stages are none of its business where the outlet is distributed."""

    WHOLE = auto()
    """Everything: what is taken in goes through, the read models are kept current, the clock acts.

    A command is of this kind; in a distributed outlet it waits until workers have taken through what has arrived.
    """

    PROJECTOR = auto()
    """Keeps the read models current and acts on deadlines, and waits for nobody."""

    EDGE = auto()
    """Takes in and answers. In a distributed outlet others keep the read models and act on deadlines."""


class NothingHereError(Exception):
    """A data directory is asked for that nobody has written to."""

    def __init__(self, data_dir: Path) -> None:
        """Name the directory."""
        super().__init__(f"there is no outlet in {data_dir}: `outlet ingest`, `outlet import` or `outlet run` make one")


class DistributedElsewhereError(StoreError):
    """The log's stages are run by workers over Kafka: a second hand at the same work would do it again."""

    def __init__(self) -> None:
        """Say what is missing."""
        super().__init__(
            "this outlet is distributed: workers run its stages. Set OUTLET_KAFKA_BOOTSTRAP_SERVERS as they have it"
        )


class Platform:
    """One outlet on one event log, with everything that commands and tests work with."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None, part: Part = Part.WHOLE) -> None:
        """Open the data directory, making it if need be, and adopt the policy when it is another one.

        Raises:
            DistributedElsewhereError: workers run the stages of this outlet, and these settings know nothing of it.
            PolicyError, GazetteerError: the policy or the places it names cannot be used; nothing is stored.
            SigningError: documents are to be signed, and the key or the certificate cannot be used.
        """
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.log = opened_log(settings)
        self._part = part
        self._keeps_up = settings.kafka is None or part is not Part.EDGE
        try:
            self._must_be_ours()
            self._put_together()
        except BaseException:
            self.log.close()
            raise

    def _must_be_ours(self) -> None:
        if self.settings.kafka is None and self.log.follower_position(RELAY) > 0:
            raise DistributedElsewhereError

    def _put_together(self) -> None:
        adopted = adopted_policy(self.log)
        name = self.settings.policy or (None if adopted else DEFAULT_POLICY)
        if name is None and adopted is not None:
            self.policy, self.policy_text = parse_policy(adopted.text, catalogues()), adopted.text
            beside: Path | None = self.settings.data_dir
        else:
            self.policy, self.policy_text = load(name or DEFAULT_POLICY)
            beside = folder_of(name or DEFAULT_POLICY)
        self.gazetteer = gazetteer_of(self.policy.gazetteer, beside=beside)
        self.reader = AnyReader(self.policy)
        self.writer = _writer(CapWriter(self.policy, self.gazetteer), self.settings)
        if beside is not None and beside != self.settings.data_dir:
            keep_files(self.policy.gazetteer, beside, self.settings.data_dir)
        self.tables = opened_tables(self.settings)
        self._follower = Follower(self.log, self.tables, PROJECTIONS)
        self.audience = RosterAudience(
            self.log,
            self.gazetteer,
            code_system=self.policy.gazetteer.geocode_system,
            kept_path=self.settings.audience_path,
        )
        self.house = self.another_house()
        self.runner = EmbeddedRunner(
            log=self.log,
            house=self.house,
            reader=self.reader,
            clock=self.clock,
            deadlines=ReadDeadlines(self.tables) if self._keeps_up else NoDeadlines(),
            project=self.project if self._keeps_up else _nothing,
            elsewhere=self._workers(),
        )
        if self._keeps_up:
            self.project()
        self.adopted = adopted is None or adopted.policy_sha256 != self.policy.sha256
        if self.adopted:
            self.project()
            self.runner.adopt(self.policy, self.policy_text, self.districts_in_force())
            self.project()

    def project(self) -> int:
        """Bring the read models up to the head of the log; nothing is asked of them while the head stands still."""
        return self._follower.catch_up()

    def _workers(self) -> Callable[[], None] | None:
        """What stands in for the stages where workers run them; None where this process does."""
        if self.settings.kafka is None:
            return None
        if self._part is not Part.WHOLE:
            return _nobody_waits
        from adapters.cluster.barrier import Barrier

        return Barrier(self.log, self.settings.kafka, [agency.id for agency in self.policy.agencies]).wait

    def another_house(self) -> House:
        """The same house with a ledger of its own, for another thread that decides."""
        return House(
            policy=self.policy,
            gazetteer=self.gazetteer,
            ledger=Ledger(self.log),
            writer=self.writer,
            audience=self.audience,
        )

    def districts_in_force(self) -> Sequence[tuple[str, Mode]]:
        """Every district and mode with an outlet warning."""
        return districts_in_force(self.tables)

    def advance(self, moment: datetime) -> None:
        """Move a settable clock forward, acting on each deadline on the way at its own time.

        Raises:
            TypeError: the platform runs on the machine's clock.
        """
        self.runner.advance(moment)

    def close(self) -> None:
        """Finish writes and release the files."""
        try:
            self.audience.keep()  # only a quicker start, so nothing may fail for it
        except (LogUnavailableError, OSError) as error:
            log.warning("who may be told was not kept for the next start: %s", error)
        self.tables.close()
        self.log.close()

    def __enter__(self) -> Self:
        """The platform itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


class ReadSide:
    """What answers questions about an outlet: its log, its read tables at the log's head, its policy and places."""

    def __init__(self, settings: Settings) -> None:
        """Open what is there and bring the read tables up to date.

        Raises:
            NothingHereError: the data directory holds no outlet; none is made.
            PolicyError, GazetteerError: the adopted policy can no longer be used.
        """
        self.settings = settings
        self.log = opened_log(settings, may_create=False)
        self.tables = opened_tables(settings)
        try:
            self.policy_text = self._adopted_text()
            self.policy = parse_policy(self.policy_text, catalogues())
            self.gazetteer: TableGazetteer = gazetteer_of(self.policy.gazetteer, beside=settings.data_dir)
            catch_up(self.log, self.tables, PROJECTIONS)
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def _adopted_text(self) -> str:
        adopted = adopted_policy(self.log)
        if adopted is None:
            raise NothingHereError(self.settings.data_dir)
        return adopted.text

    def __enter__(self) -> Self:
        """What was opened."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the files."""
        self.tables.close()
        self.log.close()


def _nobody_waits() -> None:
    """The workers go on by themselves."""


def _nothing() -> int:
    """Bring no read models up: another process does."""
    return 0


def opened_log(settings: Settings, *, may_create: bool = True) -> StoredEventLog[Any]:
    """The event log: in the database that the settings name, or else in the data directory.

    Raises:
        NothingHereError: it is missing, and may not be created.
        StoreError: it cannot be opened.
    """
    if settings.database_url is None:
        if not may_create and not settings.log_path.is_file():
            raise NothingHereError(settings.data_dir)
        return SqliteEventLog(settings.log_path)
    _needs_the_driver()
    from adapters.store.postgres_log import PostgresEventLog

    try:
        return PostgresEventLog(settings.database_url, may_create=may_create)
    except NoSchemaError as error:
        raise NothingHereError(settings.data_dir) from error


def opened_tables(settings: Settings) -> SqlReadTables:
    """The read tables, beside the event log."""
    if settings.database_url is None:
        return open_sqlite_read_tables(settings.read_path)
    _needs_the_driver()
    from adapters.store.postgres_read_tables import open_postgres_read_tables

    return open_postgres_read_tables(settings.database_url)


def has_outlet(settings: Settings) -> bool:
    """Whether somebody has made an outlet here."""
    try:
        opened_log(settings, may_create=False).close()
    except NothingHereError:
        return False
    return True


def _needs_the_driver() -> None:
    if find_spec("psycopg") is None:
        raise StoreError("OUTLET_DATABASE_URL is set, but the optional group `postgres` is not installed")


def districts_in_force(tables: ReadTables) -> list[tuple[str, Mode]]:
    """Every district and mode whose newest revision has sections."""
    found: list[tuple[str, Mode]] = []
    for row in tables.select(DISTRICTS, order=("mode", "district")):
        where = equal(district=row.district, mode=row.mode)
        newest = tables.select(REVISIONS, where, order=("-position",), limit=1)
        if newest and newest[0].sections != b"[]":
            found.append((row.district, Mode(row.mode)))
    return found


def folder_of(policy_name: str) -> Path | None:
    """The folder of a policy's file; None for a shipped policy."""
    path = Path(policy_name)
    return path.parent if path.is_file() else None


def keep_files(places: GazetteerDefinition, beside: Path, data_dir: Path) -> None:
    """Copy the files that a policy names beside it into the data directory, where the adopted policy finds them."""
    for name in (places.source, places.boundaries, places.villages):
        source = beside / name
        if not name or Path(name).is_absolute() or ".." in Path(name).parts or not source.is_file():
            continue
        kept = data_dir / name
        content = source.read_bytes()
        if kept.is_file() and kept.read_bytes() == content:
            continue
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{kept.name}.part")
        part.write_bytes(content)
        part.replace(kept)


@contextmanager
def rare_full_collections() -> Iterator[None]:
    """For a process that keeps many states: a full garbage collection stops it for seconds and finds next to nothing.

    Events and states are frozen values without cycles, freed by their reference counts. Young garbage is collected as
    always; with 64,000 contributions in force the full ones cost half of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _writer(writer: CapWriter, settings: Settings) -> DocumentWriter:
    """The writer, signing where a key is configured; the cryptography is loaded only then."""
    if settings.signing_files is None:
        return writer
    from adapters.cap.signing import SigningWriter, signer_of

    return SigningWriter(writer, signer_of(*settings.signing_files))


def build(settings: Settings, *, clock: Clock | None = None, part: Part = Part.WHOLE) -> Platform:
    """A platform for these settings."""
    return Platform(settings, clock=clock, part=part)


def open_for_reading(settings: Settings) -> ReadSide:
    """What answers questions, for these settings."""
    return ReadSide(settings)
