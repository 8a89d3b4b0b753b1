"""The state that stages decide on, loaded from the log, and the events they have decided but not yet stored.

One ledger serves one runner. Whatever is decided between two commits is stored together or not at all; when another
writer was faster, the ledger drops what was not stored and the caller decides again on fresh state. Version conflicts
alone do not find every stale state, since "nothing to do" appends nothing: `refresh` comes before every decision. A
state that others have appended to is brought up with what came since, however long its stream has become.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from hashlib import sha256
from typing import Any, Final, TypeVar
from uuid import UUID

from domain.chains import ChainBook
from domain.event import Event
from domain.messages import Mode
from domain.outlet import OutletState, evolve, stream_id_of
from domain.ports import Attachment, EventLog, Move, NewEvent, RecordedEvent, VersionConflictError

STATES_KEPT: Final = 20_000
"""How many streams' states stay in memory; the least recently used are loaded again when needed."""

ATTEMPTS: Final = 20
"""How often a decision is made again because another process was faster, before it is given up."""

MOST_FOREIGN_EVENTS: Final = 5_000
"""Behind more than so many events of other processes, looking at each stream costs less than looking through them."""

NOBODY_MOVED: Final[Mapping[str, int]] = {}


S = TypeVar("S")

Fold = Callable[[S, Iterable[Event]], S]
"""From a state and the events after it to the state after these. The state given stays as it is."""


class Ledger:
    """Books of agencies, states of districts, and what is to be appended to their streams."""

    def __init__(self, log: EventLog) -> None:
        """Begin with nothing loaded."""
        self._log = log
        self._books: dict[UUID, ChainBook] = {}
        self._states: OrderedDict[UUID, Any] = OrderedDict()  # each of the type that its stream is folded into
        self._versions: dict[UUID, int] = {}
        self._pending: list[NewEvent] = []
        self._attachments: dict[str, Attachment] = {}
        self._stateless: set[UUID] = set()
        self._newest: dict[UUID, Event | None] = {}
        self._behind: set[UUID] = set()
        self._lent: set[UUID] = set()
        self._known = 0
        self._followers: dict[str, int] = {}
        self._expected: frozenset[UUID] = frozenset()
        self._ahead: dict[UUID, Sequence[RecordedEvent]] = {}

    def expect(self, streams: Iterable[UUID]) -> None:
        """The decisions up to the next commit will ask for these: the first of them that is not known loads them all.

        A round trip to a database for each district is what a worker would else spend its time with.
        """
        self._expected = frozenset(streams)

    def refresh(self) -> None:
        """Find out to which streams another process has appended since they were loaded. Nothing may be pending."""
        assert not self._pending, "what is pending was decided on the state before"
        head = self._log.head()
        if not self._versions or head - self._known > MOST_FOREIGN_EVENTS:
            self._behind.update(self._versions)
            self._known = head
        if self._known == head:
            return
        for position, stream, version in self._log.versions_since(self._known):
            if self._versions.get(stream, version) < version:
                self._behind.add(stream)
            self._known = position

    def _begin(self) -> None:
        """Before the first state is loaded: it holds all that is in the log now, and `refresh` looks from here on."""
        if not self._versions:
            self._known = self._log.head()

    def follow(self, follower: str) -> int:
        """Where the follower is now; its next commit holds only while it still is there."""
        return self.follow_all([follower])[follower]

    def follow_all(self, followers: Collection[str]) -> Mapping[str, int]:
        """The same for several at once."""
        found = self._log.follower_positions(followers)
        self._followers.update(found)
        return found

    def book(self, agency: str, mode: Mode) -> ChainBook:
        """The agency's book in this mode. Events decided on it must be added by `add_to_agency`."""
        stream = agency_stream(agency, mode)
        self._lent.add(stream)  # a book changes in place
        book = self._books.get(stream)
        if book is None or stream in self._behind:
            self._begin()
            book = book or ChainBook()
            version = self._versions.get(stream, 0)
            for recorded in self._events(stream):
                book.apply(recorded.event)
                version = recorded.version
            self._books[stream] = book
            self._loaded(stream, version)
        return book

    def outlet(self, district: str, mode: Mode) -> OutletState:
        """The district's state in this mode, with all that was added since."""
        return self.state_of(district_stream(district, mode), OutletState(district=district, mode=mode), _all_evolved)

    def state_of(self, stream: UUID, beginning: S, fold: Fold[S]) -> S:
        """What a stream's events come to, folded into the state before the first of them; all that was added included.

        A stream is always asked for with the same fold.
        """
        if stream not in self._states or stream in self._behind:
            self._begin()
            version = self._versions.get(stream, 0)

            def events() -> Iterator[Event]:
                nonlocal version
                for recorded in self._events(stream):
                    version = recorded.version
                    yield recorded.event

            self._states[stream] = fold(self._states.get(stream, beginning), events())
            self._loaded(stream, version)
        self._states.move_to_end(stream)
        state: S = self._states[stream]
        return state

    def add_to_state(self, stream: UUID, beginning: S, fold: Fold[S], events: Sequence[Event]) -> S:
        """Append events to such a stream and return the state after them."""
        state = fold(self.state_of(stream, beginning, fold), events)
        self._states[stream] = state
        self._add(stream, events)
        return state

    def add_to_agency(self, agency: str, mode: Mode, events: Iterable[Event]) -> None:
        """Append events that the agency's book has already been folded with."""
        self._add(agency_stream(agency, mode), events)

    def add_to_district(self, district: str, mode: Mode, events: Sequence[Event]) -> OutletState:
        """Append events to the district's stream and return the state after them."""
        beginning = OutletState(district=district, mode=mode)
        return self.add_to_state(district_stream(district, mode), beginning, _all_evolved, events)

    def add_to_stream(self, stream: UUID, event: Event) -> None:
        """Append an event to a stream that no state is folded from."""
        if stream not in self._versions:
            self._begin()
            self._versions[stream] = sum(1 for _ in self._events(stream))
            self._stateless.add(stream)
        self._add(stream, [event])

    def newest(self, stream: UUID) -> Event | None:
        """The last event of a stream in which each event says all that is known; None while there is none."""
        if stream not in self._newest or stream in self._behind:
            self._begin()
            last = deque(self._events(stream), maxlen=1)
            self._newest[stream] = last[0].event if last else self._newest.get(stream)
            self._loaded(stream, last[0].version if last else self._versions.get(stream, 0))
        return self._newest[stream]

    def add_newest(self, stream: UUID, event: Event) -> None:
        """Append an event to such a stream."""
        self.newest(stream)
        self._newest[stream] = event
        self._add(stream, [event])

    def attachment(self, digest: str) -> bytes:
        """Bytes that were kept, or will be with the next commit.

        Raises:
            LookupError: none are kept under this digest.
        """
        if digest in self._attachments:
            return self._attachments[digest].content
        content = self._log.attachment(digest)
        if content is None:
            raise LookupError(f"nothing is kept under {digest}")
        return content

    def _loaded(self, stream: UUID, version: int) -> None:
        self._versions[stream] = version
        self._behind.discard(stream)

    def _events(self, stream: UUID) -> Iterable[RecordedEvent]:
        """What is not known yet of a stream, read with those that are expected to be asked for next."""
        if stream in self._expected:
            unknown = self._expected - self._versions.keys()
            self._expected = frozenset()
            if len(unknown) > 1:
                self._ahead = dict(self._log.streams(unknown))
        ahead = self._ahead.pop(stream, None)
        if ahead is not None:
            return ahead
        return self._log.stream(stream, after_version=self._versions.get(stream, 0))

    def _add(self, stream: UUID, events: Iterable[Event]) -> None:
        version = self._versions[stream]
        for event in events:
            version += 1
            self._pending.append(NewEvent(stream_id=stream, version=version, event=event))
        self._versions[stream] = version

    def attach(self, content: bytes) -> str:
        """Keep raw bytes with the next commit and return their SHA-256 (hex)."""
        digest = sha256(content).hexdigest()
        self._attachments[digest] = Attachment(sha256=digest, content=content)
        return digest

    @property
    def pending(self) -> Sequence[NewEvent]:
        """What the next commit stores."""
        return tuple(self._pending)

    def commit(self, reached: Mapping[str, int] = NOBODY_MOVED) -> Sequence[int]:
        """Store everything pending in one transaction, with the position that each of these followers has reached.

        A follower that was asked for before moves only from where it stood then: a batch that overlaps with another
        process's is not taken twice.

        Raises:
            VersionConflictError: another writer was faster; nothing is stored, and `undo` was called.
        """
        self._expected = frozenset()
        self._ahead.clear()  # whether others write to what nobody asked for is not looked for
        if not self._pending and not reached and not self._attachments:
            return ()
        moves = [Move(name, position, self._followers.get(name)) for name, position in reached.items()]
        try:
            positions = self._log.append(self._pending, attachments=list(self._attachments.values()), moves=moves)
        except BaseException:
            self.undo()
            raise
        if positions and positions[0] == self._known + 1:  # else another process was in between: `refresh` looks
            self._known = positions[-1]
        self._followers.update(reached)
        self._pending = []
        self._attachments = {}
        self._lent.clear()
        while len(self._states) > STATES_KEPT:
            self._drop(next(iter(self._states)))
        for stream in self._stateless:  # kept no longer than they are needed: a flood of refusals has no end
            self._versions.pop(stream, None)
        self._stateless.clear()
        return positions

    def again_on_conflict(self, decide: Callable[[], S]) -> S:
        """What comes of deciding and storing; decided again on fresh state while another process is faster.

        Raises:
            VersionConflictError: others were faster each time; nothing is stored.
        """
        for _ in range(ATTEMPTS):
            try:
                return decide()
            except VersionConflictError:
                self.undo()
            except BaseException:
                self.undo()
                raise
        raise VersionConflictError(
            f"gave up after {ATTEMPTS} attempts: other processes keep writing to the same streams"
        )

    def undo(self) -> None:
        """Drop everything pending; the next decision is made on fresh state.

        What holds something that was not stored is dropped as well. The rest is looked at again when it is asked for:
        whoever calls this may not know what others have done.
        """
        for stream in {*(event.stream_id for event in self._pending), *self._lent, *self._stateless}:
            self._drop(stream)
        self._behind.update(self._versions)
        self._lent.clear()
        self._stateless.clear()
        self._ahead.clear()
        self._pending = []
        self._attachments = {}

    def forget(self) -> None:
        """The same, and drop everything that was loaded."""
        self.undo()
        for stream in list(self._versions):
            self._drop(stream)

    def _drop(self, stream: UUID) -> None:
        self._versions.pop(stream, None)
        self._behind.discard(stream)
        self._books.pop(stream, None)
        self._states.pop(stream, None)
        self._newest.pop(stream, None)


@lru_cache(maxsize=STATES_KEPT)
def agency_stream(agency: str, mode: Mode) -> UUID:
    """The stream of what an agency said in this mode."""
    return stream_id_of("agency", mode.value, agency)


@lru_cache(maxsize=STATES_KEPT)
def district_stream(district: str, mode: Mode) -> UUID:
    """The stream of a district's outlet warnings in this mode: live and drill never share one."""
    return stream_id_of("outlet", mode.value, district)


def _all_evolved(state: OutletState, events: Iterable[Event]) -> OutletState:
    return reduce(evolve, events, state)
