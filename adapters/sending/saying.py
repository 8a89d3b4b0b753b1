"""What is said to people at the moment of a lease, from what is newest: the words of a warning, or of a notice.

People for whom the same is planned, who heard the same and of whom the same stands are told the same: that is decided
once for all of them. Which rows are looked at, and what is stored of it, is the lease's matter.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from adapters.links import Links
from adapters.sending.contents import Content, Contents
from adapters.sending.entering import choice_of_notice, needless_of
from adapters.sending.letters import Lease, moment
from adapters.sending.rows import Changes, MessageRow
from adapters.sending.said import SaidItems
from adapters.sending.tables import ACCEPTED, DELIVERED, PLANS, SENDS, WAITING, WARNINGS
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind, RecipientNumber
from domain.routing import Item
from domain.sending import Ending, Heard, Pending, Saying, after_hearing, what_to_say, with_places_filled
from domain.telling_events import SendText

SENDS_KEPT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Round:
    """When it is leased, under which lease, and how far the log is known."""

    now: datetime
    lease: int
    as_of: int


@dataclass(frozen=True, slots=True)
class _Send:
    """As much of a send as is asked for again and again."""

    hazards: frozenset[str]
    planned_at: float


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said to everybody for whom it came to the same."""

    saying: Saying
    text: SendText | None
    said: int
    level: Level
    expires: datetime | None


class Speaking:
    """Makes leases of rows. Used by one thread at a time."""

    def __init__(self, contents: Contents, links: Links) -> None:
        """Nothing is known yet."""
        self._contents = contents
        self._links = links
        self._said = SaidItems()
        self._sends: dict[int, _Send] = {}

    def forget(self) -> None:
        """After a transaction that failed."""
        self._said.forget()

    def round(
        self, connection: Connection, warning: int, rows: Sequence[MessageRow], when: Round
    ) -> "WarningSpeech | NoticeSpeech":
        """Who speaks to the people of one warning, or of one subject of notices, within a transaction."""
        sends = self._sends_of(connection, {row.send for row in rows})
        if not any(send.hazards for send in sends.values()):
            return NoticeSpeech(self._contents, self._links, when, warning, needless_of(connection, warning))
        newest = connection.execute(select(WARNINGS.c.newest).where(WARNINGS.c.id == warning)).scalar_one()
        return WarningSpeech(connection, self._contents, self._said, when, warning, newest, sends)

    def _sends_of(self, connection: Connection, sends: Collection[int]) -> dict[int, _Send]:
        missing = [send for send in sends if send not in self._sends]
        if missing:
            asked = select(SENDS.c.id, SENDS.c.hazards, PLANS.c.at).join(PLANS, PLANS.c.position == SENDS.c.plan)
            for row in connection.execute(asked.where(SENDS.c.id.in_(missing))):
                self._sends[row.id] = _Send(frozenset(row.hazards.split()), row.at)
        found = {send: self._sends[send] for send in sends}
        if len(self._sends) > SENDS_KEPT:
            self._sends = found
        return dict(found)


class WarningSpeech:
    """Speaks of one warning."""

    def __init__(
        self,
        connection: Connection,
        contents: Contents,
        said: SaidItems,
        when: Round,
        warning: int,
        newest: int,
        sends: Mapping[int, _Send],
    ) -> None:
        self._connection = connection
        self._contents = contents
        self._said = said
        self._when = when
        self._warning = warning
        self._newest = newest
        self._sends = sends
        self._content: Content = contents.of(newest)
        self._known: dict[object, _Said] = {}

    def to(self, number: RecipientNumber, queue: str, rows: Sequence[MessageRow], changes: Changes) -> Lease | None:
        """What one person is told; None where it comes to nothing. What is withdrawn by it goes into the changes."""
        waiting = {row.plan: row for row in rows if row.state == WAITING}
        heard = self._heard(rows)
        standing = self._content.standing(number)
        planned = tuple((row.plan, row.send, row.language) for row in waiting.values())
        alike = planned, tuple(heard.items()), standing
        found = self._known.get(alike)
        if found is None:
            found = self._known[alike] = self._decide(waiting, heard, standing)
        for plan, ending in found.saying.withdrawn.items():
            changes.withdraw(waiting[plan], ending, self._when.now.timestamp())
        if found.text is None:
            return None
        mine = [waiting[plan] for plan in found.saying.plans]
        mode, _, kind = queue.partition("/")
        return Lease(
            plans=found.saying.plans,
            number=number,
            warning=self._warning,
            mode=Mode(mode),
            warning_id=self._content.plan.warning_id,
            kind=ChannelKind(kind),
            level=found.level,
            text=found.text,
            planned_at=moment(min(self._sends[row.send].planned_at for row in mine)),
            expires=found.expires,
            repeated=any(row.in_doubt for row in mine),
            attempts=max(row.attempts for row in mine),
            lease=self._when.lease,
            as_of=self._when.as_of,
            said=found.said,
            is_all_clear=not standing,
        )

    def _decide(
        self, waiting: Mapping[int, MessageRow], heard: Mapping[str, Heard], standing: tuple[tuple[str, Level], ...]
    ) -> _Said:
        pending = [Pending(plan, self._sends[row.send].hazards) for plan, row in waiting.items()]
        saying = what_to_say(pending, heard, self._content.stands(standing), self._when.now)
        if not saying.items:
            return _Said(saying, None, 0, Level.WHITE, None)
        text = self._contents.words(self._newest, saying.items, waiting[saying.plans[-1]].language)
        if text is None:
            untold = {**saying.withdrawn, **dict.fromkeys(saying.plans, Ending.NO_TEXT)}
            return _Said(Saying((), (), untold), None, 0, Level.WHITE, None)
        level = max(item.level for item in saying.items)
        said = self._said.number(self._connection, saying.items)
        return _Said(saying, text, said, level, self._content.end_of(saying.items))

    def _heard(self, rows: Sequence[MessageRow]) -> dict[str, Heard]:
        """What this person has heard of the warning, in the order in which it was handed over."""
        heard: dict[str, Heard] = {}
        spoken = [row for row in rows if row.said is not None]
        for row in sorted(spoken, key=lambda one: (one.lease, one.plan)):
            is_certain = row.state in {ACCEPTED, DELIVERED} or row.reason == Ending.SAME_ADDRESS.value
            if is_certain or row.in_doubt:
                heard = after_hearing(heard, self._items(row.said), is_certain=is_certain)
        return heard

    def _items(self, said: int) -> tuple[Item, ...]:
        return self._said.items(self._connection, said)


class NoticeSpeech:
    """Speaks of one subject of notices."""

    def __init__(
        self, contents: Contents, links: Links, when: Round, warning: int, needless: Mapping[RecipientNumber, int]
    ) -> None:
        self._contents = contents
        self._links = links
        self._when = when
        self._warning = warning
        self._needless = needless

    def to(self, number: RecipientNumber, queue: str, rows: Sequence[MessageRow], changes: Changes) -> Lease | None:
        """One person's newest notice, if it goes by this queue now; what it takes the place of ends."""
        waiting = {row.plan: row for row in rows if row.state == WAITING}
        now = self._when.now
        choice = choice_of_notice(self._contents, waiting, self._needless.get(number, 0), now)
        for plan, ending in choice.withdrawn.items():
            changes.withdraw(waiting[plan], ending, now.timestamp())
        if choice.planned is None:
            return None
        row = waiting[choice.planned]
        if row.queue != queue or row.due > now.timestamp():
            return None
        content = self._contents.notices_of(choice.planned)
        event, notice = content.event, content.by_number[number]
        subject = event.purpose, event.subject, number
        mode, _, kind = queue.partition("/")
        return Lease(
            plans=(choice.planned,),
            number=number,
            warning=self._warning,
            mode=Mode(mode),
            warning_id=event.warning_id,
            kind=ChannelKind(kind),
            level=event.level,
            text=with_places_filled(notice.text, link=self._links.link(*subject), code=self._links.code(*subject)),
            planned_at=event.at,
            expires=event.expires,
            repeated=row.in_doubt,
            attempts=row.attempts,
            lease=self._when.lease,
            as_of=self._when.as_of,
            said=0,
            purpose=event.purpose,
        )
