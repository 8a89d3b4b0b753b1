"""Messages under lease: the most urgent first, each made from what is newest at this moment.

One person has one message of a warning under way at a time, so that no all-clear overtakes its alert; everything else
that waits for the same person and warning goes into the same message, or ends with its reason. A lease is stored
before anything is handed over: what a killed worker had is found again, and is marked as perhaps handed over.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, delete, literal_column, select, update

from adapters.sending.contents import Content, Contents
from adapters.sending.filling import Filling, queue_of
from adapters.sending.letters import BY_RANK, Lease, items_as_text, items_from_text, moment
from adapters.sending.rows import Changes, MessageRow, rows_of_people
from adapters.sending.tables import (
    ACCEPTED,
    DELIVERED,
    LEASED,
    MARKS,
    MESSAGES,
    SAID,
    WAITING,
    WITHDRAWN,
    WORKERS,
    insert_new,
)
from domain.messages import Mode
from domain.recipients import ChannelKind
from domain.routing import Item
from domain.sending import Ending, Heard, Pending, Saying, after_hearing, what_to_say
from domain.telling_events import SendText

log = logging.getLogger(__name__)

AGAIN_SECONDS: Final = 0.25
"""When somebody is looked at again who has a message of the same warning under way."""

_LEASE: Final = "lease"

# Written out, for a bound parameter would hide from SQLite that its partial indexes serve.
IS_WAITING: Final = MESSAGES.c.state == literal_column(f"'{WAITING}'")
IS_LEASED: Final = MESSAGES.c.state == literal_column(f"'{LEASED}'")


@dataclass(frozen=True, slots=True)
class _Candidate:
    plan: int
    number: int
    warning: int
    queue: str
    place: int
    kinds: str


class Leasing:
    """Leases for one worker. Used by one thread at a time."""

    def __init__(self, engine: Engine, filling: Filling, contents: Contents, worker: str) -> None:
        """Nothing is leased yet."""
        self._engine = engine
        self._filling = filling
        self._contents = contents
        self._worker = worker
        self._said: dict[str, int] = {}
        self._items: dict[int, tuple[Item, ...]] = {}

    def lease(self, mode: Mode, kind: ChannelKind, most: int, now: datetime) -> list[Lease]:
        """Up to so many messages for this kind of channel; those that say nothing any more end here.

        Raises:
            LogUnavailableError: the log cannot be read now.
        """
        self._filling.follow()
        if self._filling.standing.is_stopped or most <= 0:
            return []
        with self._engine.begin() as connection:
            candidates = _candidates(connection, queue_of(mode, kind.value), most, now.timestamp())
            if not candidates:
                return []
            lease = _next_lease(connection)
            rows = self._rows(connection, candidates)
            changes = Changes()
            leases: list[Lease] = []
            for candidate in candidates:
                mine = rows[candidate.warning, candidate.number]
                if any(row.state == LEASED for row in mine):
                    _look_again(changes, mine, now.timestamp() + AGAIN_SECONDS)
                    continue
                found = self._of_person(connection, changes, candidate, mine, now, lease)
                if found is not None:
                    leases.append(found)
            changes.write(connection)
        return leases

    def _rows(
        self, connection: Connection, candidates: Sequence[_Candidate]
    ) -> dict[tuple[int, int], list[MessageRow]]:
        """Every row of these people's for these warnings, those included that were not filled in yet."""
        found: dict[tuple[int, int], list[MessageRow]] = {(one.warning, one.number): [] for one in candidates}
        for warning in {one.warning for one in candidates}:
            numbers = [one.number for one in candidates if one.warning == warning]
            rows = rows_of_people(connection, warning, numbers)
            if self._filling.fill_in(connection, warning, {row.number: row for row in rows}):
                rows = rows_of_people(connection, warning, numbers)
            for row in rows:
                found[warning, row.number].append(row)
        return found

    def _of_person(
        self,
        connection: Connection,
        changes: Changes,
        candidate: _Candidate,
        rows: Sequence[MessageRow],
        now: datetime,
        lease: int,
    ) -> Lease | None:
        waiting = {row.plan: row for row in rows if row.state == WAITING}
        newest = rows[0].newest
        pending = [Pending(plan, frozenset(row.hazards.split())) for plan, row in waiting.items()]
        content = self._contents.of(newest)
        saying = what_to_say(pending, self._heard(connection, rows), content.stands_for(candidate.number), now)
        text = self._words(newest, saying, waiting) if saying.items else None
        withdrawn = dict(saying.withdrawn)
        if saying.items and text is None:
            withdrawn |= dict.fromkeys(saying.plans, Ending.NO_TEXT)
        for plan, ending in withdrawn.items():
            row, at = waiting[plan], now.timestamp()
            changes.change(row, state=WITHDRAWN, reason=ending.value, ended_at=at, worker="")
            changes.tell(row, WITHDRAWN, at, reason=ending.value)
        if text is None:
            return None
        said = self._said_id(connection, saying.items)
        mine = [waiting[plan] for plan in saying.plans]
        for row in mine:  # those that join another's message go by its channel from now on
            changes.change(
                row,
                state=LEASED,
                worker=self._worker,
                lease=lease,
                said=said,
                queue=candidate.queue,
                place=candidate.place,
                kinds=candidate.kinds,
            )
        return self._lease(candidate, mine, content, saying, text, lease, said)

    def _lease(
        self,
        candidate: _Candidate,
        rows: Sequence[MessageRow],
        content: Content,
        saying: Saying,
        text: SendText,
        lease: int,
        said: int,
    ) -> Lease:
        mode, _, kind = candidate.queue.partition("/")
        return Lease(
            plans=saying.plans,
            number=candidate.number,
            warning=candidate.warning,
            mode=Mode(mode),
            warning_id=content.plan.warning_id,
            kind=ChannelKind(kind),
            level=max(item.level for item in saying.items),
            text=text,
            planned_at=moment(min(row.planned_at for row in rows)),
            expires=content.end_of(saying.items),
            repeated=any(row.in_doubt for row in rows),
            attempts=max(row.attempts for row in rows),
            lease=lease,
            as_of=self._filling.standing.position,
            said=said,
        )

    def _heard(self, connection: Connection, rows: Sequence[MessageRow]) -> dict[str, Heard]:
        """What this person has heard of the warning, in the order in which it was handed over."""
        heard: dict[str, Heard] = {}
        for row in sorted(rows, key=lambda one: (one.lease, one.plan)):
            if row.said is None:
                continue
            is_certain = row.state in {ACCEPTED, DELIVERED} or row.reason == Ending.SAME_ADDRESS.value
            if is_certain or row.in_doubt:
                heard = after_hearing(heard, self._items_of(connection, row.said), is_certain=is_certain)
        return heard

    def _words(self, newest: int, saying: Saying, waiting: dict[int, MessageRow]) -> SendText | None:
        return self._contents.words(newest, saying.items, waiting[saying.plans[-1]].language)

    def _said_id(self, connection: Connection, items: tuple[Item, ...]) -> int:
        text = items_as_text(items)
        if text not in self._said:
            connection.execute(insert_new(connection, SAID).values(words=text))
            found = connection.execute(select(SAID.c.id).where(SAID.c.words == text)).scalar_one()
            self._said[text] = int(found)
            self._items[int(found)] = items
        return self._said[text]

    def _items_of(self, connection: Connection, said: int) -> tuple[Item, ...]:
        if said not in self._items:
            text = connection.execute(select(SAID.c.words).where(SAID.c.id == said)).scalar_one()
            self._items[said] = items_from_text(text)
        return self._items[said]

    def beat(self, now: float, alive_seconds: float) -> int:
        """Say that this worker lives, and put back what workers had that live no longer; how many messages."""
        with self._engine.begin() as connection:
            connection.execute(insert_new(self._engine, WORKERS).values(id=self._worker, alive_until=now))
            mine = WORKERS.c.id == self._worker
            connection.execute(update(WORKERS).where(mine).values(alive_until=now + alive_seconds))
            living = select(WORKERS.c.id).where(WORKERS.c.alive_until >= now)
            dead = (
                update(MESSAGES)
                .where(IS_LEASED, MESSAGES.c.worker.not_in(living))
                .values(state=WAITING, in_doubt=True, worker="", due=now)
            )
            returned = connection.execute(dead).rowcount
            connection.execute(delete(WORKERS).where(WORKERS.c.alive_until < now))
        return returned

    def leave(self) -> None:
        """This worker ends; whatever is still under its lease may have been handed over."""
        with self._engine.begin() as connection:
            mine = update(MESSAGES).where(IS_LEASED, MESSAGES.c.worker == self._worker)
            connection.execute(mine.values(state=WAITING, in_doubt=True, worker=""))
            connection.execute(delete(WORKERS).where(WORKERS.c.id == self._worker))


def _candidates(connection: Connection, queue: str, most: int, now: float) -> list[_Candidate]:
    """The most urgent people who are due, the highest level first and then the longest waiting; each once."""
    found: dict[tuple[int, int], _Candidate] = {}
    for rank in sorted(BY_RANK, reverse=True):
        due = (
            select(
                MESSAGES.c.plan,
                MESSAGES.c.number,
                MESSAGES.c.warning,
                MESSAGES.c.queue,
                MESSAGES.c.place,
                MESSAGES.c.kinds,
            )
            .where(IS_WAITING, MESSAGES.c.queue == queue, MESSAGES.c.rank == rank, MESSAGES.c.due <= now)
            .order_by(MESSAGES.c.due)
            .limit(most - len(found))
        )
        for row in connection.execute(due):
            found.setdefault((row.warning, row.number), _Candidate(*row))
        if len(found) >= most:
            break
    return list(found.values())


def _next_lease(connection: Connection) -> int:
    """Leases are counted, so that what somebody heard is known in its order whatever the clock does."""
    connection.execute(insert_new(connection, MARKS).values(name=_LEASE, value="0"))
    lease = int(connection.execute(select(MARKS.c.value).where(MARKS.c.name == _LEASE)).scalar_one()) + 1
    connection.execute(update(MARKS).where(MARKS.c.name == _LEASE).values(value=str(lease)))
    return lease


def _look_again(changes: Changes, rows: Sequence[MessageRow], due: float) -> None:
    for row in rows:
        if row.state == WAITING and row.due < due:
            changes.change(row, due=due)
