"""Messages under lease: the most urgent first, each made from what is newest at this moment.

One person has one message of a warning under way at a time, so that no all-clear overtakes its alert; everything else
that waits for the same person and warning goes into the same message, or ends with its reason. A lease is stored
before anything is handed over: what a killed worker had is found again, and is marked as perhaps handed over. A lease
that was stored without an answer was given to nobody: it is taken back by the next one, and is in no doubt.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, case, delete, null, select, update

from adapters.sending.filling import Filling
from adapters.sending.letters import BY_RANK, Lease
from adapters.sending.marks import LEASE, marks_of, set_mark
from adapters.sending.rows import Changes, MessageRow, queue_of, rows_of_people
from adapters.sending.saying import Round, Speaking
from adapters.sending.tables import IS_LEASED, IS_WAITING, LEASED, MESSAGES, WAITING, WORKERS, insert_new
from domain.messages import Mode
from domain.recipients import ChannelKind

log = logging.getLogger(__name__)

ROUNDS: Final = 50
"""How many rounds that come to nothing but withdrawals follow each other at most."""

AGAIN_SECONDS: Final = 0.25
"""When somebody is looked at again who has a message of the same warning under way."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    number: int
    warning: int
    queue: str
    place: int
    kinds: str


class Leasing:
    """Leases for one worker. Used by one thread at a time."""

    def __init__(self, engine: Engine, filling: Filling, speaking: Speaking, worker: str) -> None:
        """Nothing is leased yet."""
        self._engine = engine
        self._filling = filling
        self._speaking = speaking
        self._worker = worker
        # Numbers of leases that may be stored, and that nobody was given.
        self._unanswered: set[int] = set()

    def lease(self, mode: Mode, kind: ChannelKind, most: int, now: datetime) -> list[Lease]:
        """Up to so many messages for this kind of channel; those that say nothing any more end here.

        Raises:
            LogUnavailableError: the log cannot be read now.
        """
        for _ in range(ROUNDS):  # one that only withdraws must not keep what waits behind it
            self._filling.follow()
            standing = self._filling.standing
            if standing.is_stopped or standing.is_recovering or most <= 0:
                return []
            try:
                with self._engine.begin() as connection:
                    self._take_back(connection)
                    leases = self._leased(connection, queue_of(mode, kind.value), most, now)
            except BaseException:
                self._speaking.forget()
                raise
            self._unanswered.clear()
            if leases or leases is None:
                return leases or []
        return []

    def _take_back(self, connection: Connection) -> None:
        """What was leased by transactions that broke off, should they have been stored all the same.

        One that the server is still busy with holds the lock that this one has waited for.
        """
        if not self._unanswered:
            return
        mine = IS_LEASED, MESSAGES.c.worker == self._worker, MESSAGES.c.lease.in_(self._unanswered)
        said = case((MESSAGES.c.in_doubt, MESSAGES.c.said), else_=null())  # else it surely said nothing
        connection.execute(update(MESSAGES).where(*mine).values(state=WAITING, worker="", said=said))

    def _leased(self, connection: Connection, queue: str, most: int, now: datetime) -> list[Lease] | None:
        """Leases of those who are due; None where nobody is."""
        candidates = _candidates(connection, queue, most, now.timestamp())
        if not candidates:
            return None
        lease = _next_lease(connection)
        self._unanswered.add(lease)
        changes = Changes()
        leases: list[Lease] = []
        by_warning: dict[int, list[_Candidate]] = {}
        for candidate in candidates:
            by_warning.setdefault(candidate.warning, []).append(candidate)
        for warning, people in by_warning.items():
            rows = self._rows(connection, warning, [candidate.number for candidate in people])
            of_person: dict[int, list[MessageRow]] = {candidate.number: [] for candidate in people}
            for row in rows:
                of_person[row.number].append(row)
            when = Round(now, lease, self._filling.standing.position)
            speech = self._speaking.round(connection, warning, rows, when)
            for candidate in people:
                mine = of_person[candidate.number]
                if any(row.state == LEASED for row in mine):
                    _look_again(changes, mine, now.timestamp() + AGAIN_SECONDS)
                    continue
                made = speech.to(candidate.number, candidate.queue, mine, changes)
                if made is None:
                    continue
                leases.append(made)
                for row in mine:
                    if row.plan in made.plans:
                        self._take(changes, row, candidate, made)
        changes.write(connection)
        # By warning they were put together; by urgency they go.
        return sorted(leases, key=lambda one: -one.level.rank)

    def _take(self, changes: Changes, row: MessageRow, candidate: _Candidate, made: Lease) -> None:
        said = made.said if made.purpose is None else None
        changes.change(row, state=LEASED, worker=self._worker, lease=made.lease, said=said)
        if row.queue != candidate.queue or row.place != candidate.place:
            # Those that join another's message go by its channel from now on.
            changes.change(row, queue=candidate.queue, place=candidate.place, kinds=candidate.kinds)

    def _rows(self, connection: Connection, warning: int, numbers: Sequence[int]) -> list[MessageRow]:
        """Every row of these people's for the warning, those included that were not filled in yet."""
        rows = rows_of_people(connection, warning, numbers)
        if self._filling.fill_in(connection, warning, {row.number: row for row in rows}):
            rows = rows_of_people(connection, warning, numbers)
        return rows

    def bring_forward(self, queues: Sequence[str], now: float) -> None:
        """Let those who were put off in these queues come up now; the attempt that put them off is not counted.

        Else the most urgent, who were tried first and most often, would wait longest after a route's trouble.
        """
        put_off = IS_WAITING, MESSAGES.c.rank.in_(BY_RANK), MESSAGES.c.due > now, MESSAGES.c.attempts > 0
        with self._engine.begin() as connection:
            for queue in queues:
                mine = update(MESSAGES).where(MESSAGES.c.queue == queue, *put_off)
                connection.execute(mine.values(due=now, attempts=MESSAGES.c.attempts - 1))

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
            select(MESSAGES.c.number, MESSAGES.c.warning, MESSAGES.c.queue, MESSAGES.c.place, MESSAGES.c.kinds)
            .where(IS_WAITING, MESSAGES.c.queue == queue, MESSAGES.c.rank == rank, MESSAGES.c.due <= now)
            .order_by(MESSAGES.c.due)
            .limit(most - len(found))
        )
        for row in connection.execute(due).fetchall():
            found.setdefault((row.warning, row.number), _Candidate(*row))
        if len(found) >= most:
            break
    return list(found.values())


def _next_lease(connection: Connection) -> int:
    """Leases are counted, so that what somebody heard is known in its order whatever the clock does."""
    lease = int(marks_of(connection).get(LEASE, 0)) + 1
    set_mark(connection, LEASE, str(lease))
    return lease


def _look_again(changes: Changes, rows: Sequence[MessageRow], due: float) -> None:
    for row in rows:
        if row.state == WAITING and row.due < due:
            changes.change(row, due=due)
