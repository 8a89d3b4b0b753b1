"""What became of messages, counted for people who ask: by state, channel and reason, with the times that matter."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, case, func, select

from adapters.sending.letters import moment
from adapters.sending.tables import FILE_NAME, MESSAGES, NOTICES, OUTBOX, OUTCOMES, PLANS, SENDS, WARNINGS
from adapters.settings import Settings
from adapters.store.kept_tables import reading, refusals_named
from domain.messages import Mode


@dataclass(frozen=True, slots=True)
class Count:
    """So many messages are in this state, by this channel, for this reason."""

    state: str
    channel: str
    route: str
    reason: str
    messages: int


@dataclass(frozen=True, slots=True)
class PlanDeliveries:
    """What became of one plan. Seconds are from the plan to the first and the last hand-over.

    For notices `purpose` and `subject` say what they ask for, `warning_id` may be empty and there is no district.
    """

    planned: int
    mode: str
    purpose: str
    subject: str
    warning_id: str
    district: str
    number: int
    at: datetime
    people: int
    not_filled_in: int
    first_handed_at: datetime | None
    last_handed_at: datetime | None
    counts: tuple[Count, ...]

    @property
    def first_seconds(self) -> float | None:
        """From the plan to the first hand-over."""
        return None if self.first_handed_at is None else (self.first_handed_at - self.at).total_seconds()

    @property
    def last_seconds(self) -> float | None:
        """From the plan to the last hand-over."""
        return None if self.last_handed_at is None else (self.last_handed_at - self.at).total_seconds()

    def as_json(self, zone: ZoneInfo) -> dict[str, Any]:
        """For programs."""
        return {
            **asdict(self),
            "at": self.at.astimezone(zone).isoformat(),
            "first_handed_at": _iso(self.first_handed_at, zone),
            "last_handed_at": _iso(self.last_handed_at, zone),
            "first_seconds": self.first_seconds,
            "last_seconds": self.last_seconds,
            "counts": [asdict(count) for count in self.counts],
        }


@dataclass(frozen=True, slots=True)
class PersonDelivery:
    """One message to one person."""

    planned: int
    purpose: str
    warning_id: str
    state: str
    channel: str
    route: str
    reason: str
    handed_at: datetime | None
    ended_at: datetime | None

    def as_json(self, zone: ZoneInfo) -> dict[str, Any]:
        """For programs."""
        return {
            **asdict(self),
            "handed_at": _iso(self.handed_at, zone),
            "ended_at": _iso(self.ended_at, zone),
        }


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Everything that was asked for."""

    not_reported: int
    plans: Sequence[PlanDeliveries]
    person: Sequence[PersonDelivery] | None


def deliveries_of(settings: Settings, *, mode: Mode, warning_id: str | None, number: int | None) -> Deliveries:
    """What became of messages, newest plan first; nothing where nothing was ever planned.

    With `number` the messages to one person instead of the counts.

    Raises:
        StoreError: the outbox cannot be read, or was made by a newer version of the platform.
    """
    engine = OUTBOX.found(settings.data_dir / FILE_NAME, settings.database_url)
    if engine is None:
        return Deliveries(not_reported=0, plans=(), person=() if number is not None else None)
    try:
        with refusals_named(OUTBOX.part), reading(engine) as connection:
            waiting = connection.execute(select(func.count()).select_from(OUTCOMES)).scalar_one()
            if number is not None:
                return Deliveries(waiting, (), _person(connection, mode, warning_id, number))
            return Deliveries(waiting, _plans(connection, mode, warning_id), None)
    finally:
        engine.dispose()


def _plans(connection: Connection, mode: Mode, warning_id: str | None) -> list[PlanDeliveries]:
    asked = _asked(select(PLANS, WARNINGS.c.mode, *_OF_WHAT), mode, warning_id)
    found: list[PlanDeliveries] = []
    for plan in connection.execute(asked.order_by(PLANS.c.position.desc())):
        of_plan = MESSAGES.c.plan == plan.position
        # PostgreSQL's sum of integers is none.
        people = int(
            connection.execute(
                select(func.coalesce(func.sum(SENDS.c.people), 0)).where(SENDS.c.plan == plan.position)
            ).scalar_one()
        )
        times = connection.execute(
            select(func.min(MESSAGES.c.handed_at), func.max(MESSAGES.c.handed_at)).where(of_plan)
        ).one()
        grouping = (MESSAGES.c.state, MESSAGES.c.queue, MESSAGES.c.route, MESSAGES.c.reason)
        counts = tuple(
            Count(row.state, row.queue.partition("/")[2], row.route, row.reason, row.messages)
            for row in connection.execute(
                select(*grouping, func.count().label("messages")).where(of_plan).group_by(*grouping).order_by(*grouping)
            )
        )
        found.append(
            PlanDeliveries(
                planned=plan.position,
                mode=plan.mode,
                purpose=plan.purpose or "",
                subject=plan.subject or "",
                warning_id=plan.of_warning,
                district=plan.district,
                number=plan.number,
                at=moment(plan.at),
                people=people,
                not_filled_in=people - sum(count.messages for count in counts),
                first_handed_at=_moment(times[0]),
                last_handed_at=_moment(times[1]),
                counts=counts,
            )
        )
    return found


def _person(connection: Connection, mode: Mode, warning_id: str | None, number: int) -> list[PersonDelivery]:
    asked = _asked(select(MESSAGES, *_OF_WHAT).join(PLANS, PLANS.c.position == MESSAGES.c.plan), mode, warning_id)
    return [
        PersonDelivery(
            planned=row.plan,
            purpose=row.purpose or "",
            warning_id=row.of_warning,
            state=row.state,
            channel=row.queue.partition("/")[2],
            route=row.route,
            reason=row.reason,
            handed_at=_moment(row.handed_at),
            ended_at=_moment(row.ended_at),
        )
        for row in connection.execute(asked.where(MESSAGES.c.number == number).order_by(MESSAGES.c.plan.desc()))
    ]


_WARNING: Final = case((NOTICES.c.purpose.is_(None), WARNINGS.c.warning_id), else_=NOTICES.c.about)
"""The warning that is told, or that notices are about."""

_OF_WHAT: Final = (_WARNING.label("of_warning"), NOTICES.c.purpose, NOTICES.c.subject)


def _asked(sentence: Select[Any], mode: Mode, warning_id: str | None) -> Select[Any]:
    joined = sentence.join(WARNINGS, WARNINGS.c.id == PLANS.c.warning).where(WARNINGS.c.mode == mode.value)
    whole = joined.outerjoin(NOTICES, NOTICES.c.warning == WARNINGS.c.id)
    return whole if warning_id is None else whole.where(_WARNING == warning_id)  # noqa: SIM300 -- a column's expression stands first


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)


def _iso(at: datetime | None, zone: ZoneInfo) -> str | None:
    return None if at is None else at.astimezone(zone).isoformat()
