"""The log becomes rows: plans are entered as they are recorded, and their people follow in slices, urgent plans first.

Entering a plan is a few rows, so a stop or a newer plan is known at once however many people wait to be filled in. A
slice and how far it came are one transaction: after a crash filling goes on, and nobody is missed or filled in twice.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol
from uuid import uuid4

from pyroaring import FrozenBitMap
from sqlalchemy import Connection, Engine, Row, func, select, update

from adapters.sending.contents import Contents, people_under
from adapters.sending.entering import DEFAULT_KINDS, TOPICS, enter
from adapters.sending.letters import Standing
from adapters.sending.marks import IDENTITY, POSITION, STOPPED, marks_of, set_mark
from adapters.sending.recovery import Recovery
from adapters.sending.rows import new_row
from adapters.sending.tables import MARKS, MESSAGES, PLANS, SENDS, WARNINGS, insert_for_each, insert_new
from adapters.store.kept_tables import reading
from domain.messages import Mode
from domain.policy import Policy
from domain.ports import EventLog
from domain.recipients import ChannelKind
from domain.sending import due_at
from domain.telling_events import SendingResumed, SendingStopped

SLICE: Final = 5_000
"""People filled in by one transaction: a lease waits for no more than that."""

SETS_KEPT: Final = 50


class Preferences(Protocol):
    """How people are reached and in which language; what the audience's index says of it."""

    def follow(self, position: int) -> None:
        """Take in what the log says up to this position, if that has not been done."""
        ...

    def by_language(self) -> Mapping[str, FrozenBitMap]:
        """Everyone, by the language they are told in."""
        ...

    def by_preference(self) -> Mapping[tuple[ChannelKind, ...], FrozenBitMap]:
        """Everyone, by all their channels in order of preference."""
        ...


class Filling:
    """Follows the log into the outbox's tables."""

    def __init__(self, engine: Engine, events: EventLog, policy: Policy, contents: Contents) -> None:
        """Go on where the last run ended."""
        self._engine = engine
        self._events = events
        self._policy = policy
        self._contents = contents
        self._sets: OrderedDict[str, FrozenBitMap] = OrderedDict()
        self._groups_at = -1
        self._groups: list[tuple[str, str, FrozenBitMap]] = []
        with engine.begin() as connection:
            connection.execute(insert_new(engine, MARKS).values(name=POSITION, value="0"))
            connection.execute(insert_new(engine, MARKS).values(name=IDENTITY, value=uuid4().hex))
            marks = marks_of(connection)
        self.identity = marks[IDENTITY]
        self.standing = Standing(position=int(marks[POSITION]), is_stopped=marks.get(STOPPED) == "yes")
        self._recovery = Recovery(engine, events, contents, self.standing)

    def look_for_another(self) -> None:
        """Find out, if it is not known, whether another outbox came further than this one.

        Raises:
            LogUnavailableError: the log cannot be read or written now.
        """
        self._recovery.begin(self._events.head())

    def follow(self) -> bool:
        """Enter what the log says up to its head; True when there was something new.

        Raises:
            LogUnavailableError: the log cannot be read now; what was read is entered by the next call.
        """
        head, standing = self._events.head(), self.standing
        self._recovery.begin(head)
        if head <= standing.position:
            return False
        found = [one for one in self._events.read(after=standing.position, topics=TOPICS) if one.position <= head]
        if found:
            with self._engine.begin() as connection:
                entered = int(marks_of(connection)[POSITION])  # another process may have been here first
                for recorded in found:
                    if recorded.position > entered:
                        enter(connection, recorded, self._contents)
                if head > entered:
                    set_mark(connection, POSITION, str(head))
            self._recovery.claim(head)
        for recorded in found:
            match recorded.event:
                case SendingStopped():
                    standing.is_stopped = True
                case SendingResumed():
                    standing.is_stopped = False
                case _:
                    pass
        if found:
            self._learn_newest()
        standing.position = head
        return bool(found)

    def _learn_newest(self) -> None:
        with reading(self._engine) as connection:
            since = select(WARNINGS.c.id, WARNINGS.c.newest).where(WARNINGS.c.newest > self.standing.position)
            self.standing.newest.update({row.id: row.newest for row in connection.execute(since)})

    def fill(self, preferences: Preferences, people: int = SLICE) -> int:
        """Fill in the next slice of the most urgent plan; how many people it had, 0 when all are filled in.

        After the last, what an earlier outbox handed over is marked, as many messages as are counted.

        Raises:
            LogUnavailableError: the log cannot be read now.
            LookupError: a plan's people are not kept.
        """
        with reading(self._engine) as connection:
            send = connection.execute(
                select(SENDS, PLANS.c.at, PLANS.c.is_urgent, WARNINGS.c.mode)
                .join(PLANS, PLANS.c.position == SENDS.c.plan)
                .join(WARNINGS, WARNINGS.c.id == SENDS.c.warning)
                .where(SENDS.c.is_filled.is_(False))
                .order_by(SENDS.c.rank.desc(), SENDS.c.plan, SENDS.c.id)
                .limit(1)
            ).first()
        if send is None:
            return self._recovery.step()
        everyone = self.people_of(send.people_sha256)
        start = everyone.rank(send.filled_to)
        some = FrozenBitMap(everyone[start : start + people])
        groups = self._grouped(send, some, preferences)
        ends = start + len(some) >= len(everyone)
        with self._engine.begin() as connection:
            moved = connection.execute(
                update(SENDS)
                .where(SENDS.c.id == send.id, SENDS.c.filled_to == send.filled_to, SENDS.c.is_filled.is_(False))
                .values(filled_to=some.max() if some else send.filled_to, is_filled=ends)
            )
            if moved.rowcount:  # else another process has filled it in
                for row, numbers in groups:
                    insert_for_each(connection, MESSAGES, row, "number", numbers)
        return len(some)

    def people_of(self, digest: str) -> FrozenBitMap:
        """A set of people, kept in memory while it is in use."""
        if digest not in self._sets:
            self._sets[digest] = people_under(self._events, digest)
            while len(self._sets) > SETS_KEPT:
                self._sets.popitem(last=False)
        self._sets.move_to_end(digest)
        return self._sets[digest]

    def _grouped(
        self, send: Row[Any], some: FrozenBitMap, preferences: Preferences
    ) -> list[tuple[dict[str, Any], FrozenBitMap]]:
        """Rows but for the number, each with those people whose rows are so."""
        if self._groups_at != send.plan:
            preferences.follow(send.plan)
            speakers = preferences.by_language()
            self._groups = [
                (language, ",".join(kind.value for kind in kinds), members & speakers[language])
                for kinds, members in preferences.by_preference().items()
                for language in speakers
            ]
            self._groups_at = send.plan
        default = (self._policy.outlet.languages[0], ",".join(DEFAULT_KINDS))
        found: list[tuple[dict[str, Any], FrozenBitMap]] = []
        left = some
        for language, kinds, members in self._groups:
            found.append((self._row(send, language, kinds), some & members))
            left = left - members
        found.append((self._row(send, *default), left))
        return [(row, numbers) for row, numbers in found if numbers]

    def _row(self, send: Row[Any], language: str, kinds: str) -> dict[str, Any]:
        wait = self._policy.telling.group_wait_seconds
        return new_row(
            plan=send.plan,
            warning=send.warning,
            send=send.id,
            rank=send.rank,
            mode=Mode(send.mode),
            due=due_at(send.at, is_urgent=send.is_urgent, group_wait_seconds=wait),
            language=language,
            kinds=kinds,
        )

    def fill_in(self, connection: Connection, warning: int, known: Mapping[int, Row[Any]]) -> bool:
        """Fill in these people's rows of every plan of the warning: a lease must know all that is planned for them.

        `known` gives for each a row of theirs, from which language and channels are taken. False when there were none.
        """
        sends = connection.execute(
            select(SENDS, PLANS.c.at, PLANS.c.is_urgent, WARNINGS.c.mode)
            .join(PLANS, PLANS.c.position == SENDS.c.plan)
            .join(WARNINGS, WARNINGS.c.id == SENDS.c.warning)
            .where(SENDS.c.is_filled.is_(False), SENDS.c.warning == warning)
        ).all()
        rows: list[dict[str, Any]] = []
        for send in sends:
            people = self.people_of(send.people_sha256)
            for number, row in known.items():
                if number > send.filled_to and number in people:
                    rows.append({**self._row(send, row.language, row.kinds), "number": number})
        if rows:
            connection.execute(insert_new(self._engine, MESSAGES), rows)
        return bool(rows)

    def left_to_fill(self) -> int:
        """How many people's rows are not filled in yet, as far as whole plans go."""
        with reading(self._engine) as connection:
            counted = select(func.coalesce(func.sum(SENDS.c.people), 0)).where(SENDS.c.is_filled.is_(False))
            return int(connection.execute(counted).scalar_one())


__all__: Sequence[str] = ("SLICE", "Filling", "Preferences")
