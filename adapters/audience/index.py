"""The audience that the stages ask: it follows the log, builds the next view aside, and puts it in place whole.

One follower, as a rule the runner, says how far the log is taken in; anybody else asks a `view()`, which never moves.
What the log says of one number: the roster version imported last that names it counts before others, and rosters before
subscriptions. Who was erased is never told again; whose channel refuses stays on their roster and is told again from
the next version that names them.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Final

from pyroaring import FrozenBitMap

from adapters.audience.kept import FORMAT, KeptAudience, KeptRoster, event_at, read_kept, write_kept
from adapters.audience.part import AudiencePart
from adapters.audience.people import NOBODY, content_of, people_from
from adapters.audience.places import Places
from adapters.audience.recipients_codec import RecipientsError, packed_parts, unpack, unpacked
from adapters.audience.subscribers import Settled, Subscribers
from adapters.audience.table import joined
from adapters.audience.view import AudienceView, CountedPart
from domain.levels import Level
from domain.messages import Mode
from domain.ports import EventLog, Gazetteer, RecordedEvent
from domain.recipients import ChannelKind, Duty, Recipient
from domain.sections import AreaLevel
from domain.telling_events import PersonErased, RosterImported, SubscriptionConfirmed, SubscriptionEnded

TOPICS: Final = frozenset(
    kind.TOPIC for kind in (RosterImported, SubscriptionConfirmed, SubscriptionEnded, PersonErased)
)
SUBSCRIBERS_AT_ONCE: Final = 20_000
KEEP_EVERY_POSITIONS: Final = 50_000

RosterKey = tuple[str, Mode]


@dataclass(frozen=True, slots=True)
class _Version:
    """A roster's version that stands, with its part."""

    position: int
    sha256: str
    part: AudiencePart


@dataclass(frozen=True, slots=True)
class _Standing:
    """All that the log has said up to a position. `withdrawn` is, by number, where a roster's channel refused."""

    position: int = 0
    rosters: Mapping[RosterKey, _Version] = field(default_factory=dict)
    subscribers: Subscribers = field(default_factory=Subscribers)
    withdrawn: Mapping[int, int] = field(default_factory=dict)
    erased: FrozenBitMap = NOBODY


@dataclass(slots=True)
class _News:
    """What a stretch of the log adds: for each roster and number only what was said last."""

    rosters: dict[RosterKey, tuple[int, str]] = field(default_factory=dict)
    confirmed: dict[int, str] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    withdrawn: dict[int, int] = field(default_factory=dict)
    erased: set[int] = field(default_factory=set)
    heard: bool = False

    def take(self, recorded: RecordedEvent, before: _Standing) -> None:
        """Take in one event; others than the audience's say nothing here."""
        self.heard = True
        match recorded.event:
            case RosterImported() as event:
                self.rosters[event.roster, event.mode] = (recorded.position, event.recipients_sha256)
            case SubscriptionConfirmed() as event:
                if event.number not in self.erased and event.number not in before.erased:
                    self.confirmed[event.number] = event.recipient_sha256
                    self.withdrawn.pop(event.number, None)
            case SubscriptionEnded() as event:
                subscribes = event.number in before.subscribers and event.number not in self.gone
                if event.number not in self.confirmed and not subscribes:
                    self.withdrawn[event.number] = recorded.position
                self._leave(event.number)
            case PersonErased() as event:
                self.erased.update(event.numbers)
                for number in event.numbers:
                    self._leave(number)
            case _:
                pass

    def _leave(self, number: int) -> None:
        self.confirmed.pop(number, None)
        self.gone.add(number)


class RosterAudience:
    """Keeps the promises of `domain.routing.Audience` over rosters and subscribers in the log."""

    def __init__(
        self, log: EventLog, gazetteer: Gazetteer, *, code_system: str = "", kept_path: Path | None = None
    ) -> None:
        """Begin where the file at `kept_path` ends, if it belongs to this log; nothing else is read yet.

        `code_system` is the name of the system of the gazetteer's own codes (the policy's `geocode_system`).
        """
        self._log = log
        self._places = Places(gazetteer, code_system)
        self._kept_path = kept_path
        self._lock = threading.Lock()
        self._standing = self._from_file() or _Standing()
        self._kept_position = self._standing.position
        self._view = self._view_of(self._standing)

    def view(self) -> AudienceView:
        """The audience as it stands now; it stays so, whatever is taken in afterwards."""
        return self._view

    def follow(self, position: int) -> None:
        """Take in what the log says of rosters and subscribers up to this position, if that has not been done.

        Raises:
            RecipientsError: a version's recipients are not kept or cannot be read; nothing has been taken in.
        """
        with self._lock:
            if position <= self._standing.position:
                return
            news = _News()
            for recorded in self._log.read(after=self._standing.position, topics=TOPICS):
                if recorded.position > position:
                    break
                news.take(recorded, self._standing)
            if news.heard:
                standing = self._after(news, position)
                self._view, self._standing = self._view_of(standing), standing
            else:
                self._standing = replace(self._standing, position=position)
                self._view = self._view.at(position)
            if position - self._kept_position >= KEEP_EVERY_POSITIONS:
                self._keep()

    def keep(self) -> None:
        """Write what has been taken in to the file, from which the next start goes on.

        Raises:
            OSError: the file cannot be written.
        """
        with self._lock:
            self._keep()

    def _after(self, news: _News, position: int) -> _Standing:
        before = self._standing
        versions = {
            key: _Version(at, digest, AudiencePart(unpack(digest, self._log.attachment), self._places))
            for key, (at, digest) in news.rosters.items()
        }
        withdrawn = {n: at for n, at in before.withdrawn.items() if n not in news.confirmed} | news.withdrawn
        return _Standing(
            position=position,
            rosters={**before.rosters, **versions},
            subscribers=self._subscribers_after(news),
            withdrawn={number: at for number, at in withdrawn.items() if number not in news.erased},
            erased=before.erased | FrozenBitMap(news.erased),
        )

    def _subscribers_after(self, news: _News) -> Subscribers:
        subscribers = self._standing.subscribers.changed((), FrozenBitMap(news.gone), self._places)
        waiting = iter(news.confirmed.items())
        while some := list(islice(waiting, SUBSCRIBERS_AT_ONCE)):
            came = [self._subscriber(number, digest) for number, digest in some]
            subscribers = subscribers.changed(came, NOBODY, self._places)
        return subscribers

    def _subscriber(self, number: int, digest: str) -> Recipient:
        """The one recipient that is kept for a subscription."""
        found = [one for one in unpack(digest, self._log.attachment).recipients() if one.number == number]
        if not found:
            raise RecipientsError(f"{digest} does not hold the subscriber {number}")
        return found[0]

    def _view_of(self, standing: _Standing) -> AudienceView:
        newest_first = sorted(standing.rosters.values(), key=lambda version: -version.position)
        counted = [
            CountedPart(
                version.part, refused=FrozenBitMap(n for n, at in standing.withdrawn.items() if at > version.position)
            )
            for version in newest_first
        ]
        counted += [CountedPart(part, left=left) for part, left in standing.subscribers.parts(self._places)]
        return AudienceView(standing.position, counted, self._places, erased=standing.erased)

    def _keep(self) -> None:
        standing = self._standing
        if self._kept_path is None or standing.position == 0:
            return
        stream, version = event_at(self._log, standing.position)
        kept = KeptAudience(
            format=FORMAT,
            position=standing.position,
            stream=stream,
            version=version,
            rosters=[
                KeptRoster(roster, mode.value, version.position, version.sha256)
                for (roster, mode), version in standing.rosters.items()
            ],
            subscribers=[part for _, table in standing.subscribers.tables() for part in packed_parts(table)],
            withdrawn=dict(standing.withdrawn),
            erased=content_of(standing.erased),
        )
        write_kept(self._kept_path, kept)
        self._kept_position = standing.position

    def _from_file(self) -> _Standing | None:
        kept = read_kept(self._kept_path, self._log) if self._kept_path is not None else None
        if kept is None:
            return None
        try:
            tables = [unpacked(content) for content in kept.subscribers]
            whole = [joined([one for one in tables if one.mode is mode]) for mode in {one.mode for one in tables}]
            return _Standing(
                position=kept.position,
                rosters={
                    (one.roster, Mode(one.mode)): _Version(
                        one.position,
                        one.sha256,
                        AudiencePart(unpack(one.sha256, self._log.attachment), self._places),
                    )
                    for one in kept.rosters
                },
                subscribers=Subscribers(
                    {table.mode: Settled(table, AudiencePart(table, self._places)) for table in whole}
                ),
                withdrawn=kept.withdrawn,
                erased=people_from(kept.erased),
            )
        except (RecipientsError, ValueError):
            return None

    def nobody(self) -> FrozenBitMap:
        """The empty set."""
        return NOBODY

    def everyone(self, mode: Mode) -> FrozenBitMap:
        """All who are reached in this mode; live and drill share nobody."""
        return self._view.everyone(mode)

    def concerned(self, mode: Mode, areas: Sequence[AreaLevel]) -> FrozenBitMap:
        """Whose areas or points touch one of these areas: equal, within it or around it."""
        return self._view.concerned(mode, areas)

    def wanting(self, hazard: str) -> FrozenBitMap:
        """Who is to hear of this hazard."""
        return self._view.wanting(hazard)

    def from_level(self, level: Level) -> FrozenBitMap:
        """Whose lowest level is this one or a lower one."""
        return self._view.from_level(level)

    def reachable(self) -> FrozenBitMap:
        """Who has at least one channel that works: not erased, not withdrawn."""
        return self._view.reachable()

    def by_role(self) -> Mapping[str, FrozenBitMap]:
        """Everyone, by role."""
        return self._view.by_role()

    def by_channel(self) -> Mapping[ChannelKind, FrozenBitMap]:
        """Everyone, by the channel they prefer."""
        return self._view.by_channel()

    def by_language(self) -> Mapping[str, FrozenBitMap]:
        """Everyone, by the language they are told in."""
        return self._view.by_language()

    def by_preference(self) -> Mapping[tuple[ChannelKind, ...], FrozenBitMap]:
        """Everyone, by all their channels in order of preference."""
        return self._view.by_preference()

    def duties(self, people: Iterable[int]) -> Sequence[Duty]:
        """What each of these answers for, by rising number; who is on no roster is left out."""
        return self._view.duties(people)

    def people_from(self, content: bytes) -> FrozenBitMap:
        """The set that `content_of` made these bytes of.

        Raises:
            PeopleError: the bytes are no set.
        """
        return people_from(content)

    def content_of(self, people: Iterable[int]) -> bytes:
        """A set as bytes: the same for equal sets, whoever makes them."""
        return content_of(people)
