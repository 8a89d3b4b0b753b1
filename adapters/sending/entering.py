"""What an event of the log becomes when it is entered: a plan's sends, a notice's rows, a stop, or what ends by it.

An event is entered once, in one transaction with the position up to which the log was followed.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from adapters.sending.contents import Contents
from adapters.sending.marks import STOPPED, set_mark
from adapters.sending.rows import Changes, MessageRow, new_row, rows_of_people
from adapters.sending.tables import MESSAGES, NEEDLESS, NOTICES, PLANS, SENDS, WAITING, WARNINGS, insert_new
from domain.messages import Mode
from domain.notices import Notice, NoticesPlanned, NoticesWithdrawn, Purpose
from domain.ports import RecordedEvent
from domain.recipients import ChannelKind, RecipientNumber
from domain.sending import NoticeChoice, PendingNotice, newest_notice_counts
from domain.telling_events import SendingResumed, SendingStopped, TellingPlanned
from domain.values import Moment

TOPICS: Final = frozenset(
    kind.TOPIC for kind in (TellingPlanned, NoticesPlanned, NoticesWithdrawn, SendingStopped, SendingResumed)
)
DEFAULT_KINDS: Final = (ChannelKind.SMS, ChannelKind.EMAIL)
"""Tried where nothing is known of somebody's channels any more: the vault says what there is."""


def enter(connection: Connection, recorded: RecordedEvent, contents: Contents) -> None:
    """Enter one event; others than the outbox's say nothing here."""
    match recorded.event:
        case TellingPlanned() as plan:
            _enter_plan(connection, recorded.position, plan)
        case NoticesPlanned() as planned:
            _enter_notices(connection, recorded.position, planned, contents)
        case NoticesWithdrawn() as withdrawn:
            _enter_withdrawal(connection, recorded.position, withdrawn, contents)
        case SendingStopped():
            set_mark(connection, STOPPED, "yes")
        case SendingResumed():
            set_mark(connection, STOPPED, "no")
        case _:
            pass


def notice_name(purpose: Purpose, subject: UUID) -> str:
    """Under which name a subject of notices stands among the warnings; no warning's id holds a stroke."""
    return f"{purpose.value}/{subject}"


def choice_of_notice(contents: Contents, plans: Collection[int], needless_to: int, now: Moment) -> NoticeChoice:
    """Which of somebody's notices, named by their positions, is still to be handed over.

    Raises:
        LookupError: the log holds no notices at one of these positions.
    """
    pending = [PendingNotice(plan, contents.notices_of(plan).event.expires) for plan in plans]
    return newest_notice_counts(pending, needless_to, now)


def _enter_plan(connection: Connection, position: int, plan: TellingPlanned) -> None:
    warning = _warning(connection, plan.mode, plan.warning_id, position)
    connection.execute(
        insert(PLANS).values(
            position=position,
            warning=warning,
            district=plan.district,
            release=plan.position,
            number=plan.number,
            at=plan.at.timestamp(),
            is_urgent=plan.at_once,
        )
    )
    rows = [
        {
            "plan": position,
            "warning": warning,
            "rank": send.level.rank,
            "hazards": " ".join(sorted({item.hazard for item in send.items})),
            "people_sha256": send.people_sha256,
            "people": send.count,
            "filled_to": 0,
            "is_filled": send.count == 0,
        }
        for send in plan.sends
    ]
    if rows:
        connection.execute(insert(SENDS), rows)


def _warning(connection: Connection, mode: Mode, name: str, position: int) -> int:
    """The number of the warning of this name, of which something new is said at this position."""
    key = {"mode": mode.value, "warning_id": name}
    connection.execute(insert_new(connection, WARNINGS).values(**key, newest=position))
    warning = int(connection.execute(select(WARNINGS.c.id).filter_by(**key)).scalar_one())
    connection.execute(update(WARNINGS).where(WARNINGS.c.id == warning).values(newest=position))
    return warning


# --- notices ----------------------------------------------------------------------------------------------------


def _enter_notices(connection: Connection, position: int, planned: NoticesPlanned, contents: Contents) -> None:
    warning = _warning(connection, planned.mode, notice_name(planned.purpose, planned.subject), position)
    named = {"purpose": planned.purpose.value, "subject": str(planned.subject), "about": planned.warning_id}
    connection.execute(insert_new(connection, NOTICES).values(warning=warning, **named))
    at = planned.at.timestamp()
    whole = {"position": position, "warning": warning, "district": "", "release": 0, "number": 0, "at": at}
    connection.execute(insert(PLANS).values(**whole, is_urgent=True))
    notices = {notice.number: notice for notice in planned.notices}
    entered = connection.execute(
        insert(SENDS)
        .values(
            plan=position,
            warning=warning,
            rank=planned.level.rank,
            hazards="",
            people_sha256="",
            people=len(notices),
            filled_to=0,
            is_filled=True,
        )
        .returning(SENDS.c.id)
    )
    send = int(entered.scalar_one())
    rows = [
        {
            **new_row(
                plan=position,
                warning=warning,
                send=send,
                rank=planned.level.rank,
                mode=planned.mode,
                due=at,
                language=notice.text.language,
                kinds=_kinds(notice),
            ),
            "number": number,
        }
        for number, notice in notices.items()
    ]
    if rows:
        connection.execute(insert(MESSAGES), rows)
        _end_what_is_not_to_be_said(connection, warning, notices, planned.at, contents)


def _kinds(notice: Notice) -> str:
    return ",".join(kind.value for kind in notice.channels or DEFAULT_KINDS)


def _enter_withdrawal(connection: Connection, position: int, withdrawn: NoticesWithdrawn, contents: Contents) -> None:
    warning = _warning(connection, withdrawn.mode, notice_name(withdrawn.purpose, withdrawn.subject), position)
    for number in set(withdrawn.numbers):
        key = {"warning": warning, "number": number}
        connection.execute(insert_new(connection, NEEDLESS).values(**key, planned_to=position))
        connection.execute(update(NEEDLESS).filter_by(**key).values(planned_to=position))
    _end_what_is_not_to_be_said(connection, warning, set(withdrawn.numbers), withdrawn.at, contents)


def _end_what_is_not_to_be_said(
    connection: Connection, warning: int, numbers: Collection[RecipientNumber], at: Moment, contents: Contents
) -> None:
    """At once, and not when a channel is free: that nobody is asked any more is seen while a route is down, too."""
    changes = Changes()
    needless = needless_of(connection, warning)
    waiting: dict[int, dict[int, MessageRow]] = {}
    for row in rows_of_people(connection, warning, list(numbers)):
        if row.state == WAITING:
            waiting.setdefault(row.number, {})[row.plan] = row
    for number, rows in waiting.items():
        choice = choice_of_notice(contents, rows, needless.get(number, 0), at)
        for plan, ending in choice.withdrawn.items():
            changes.withdraw(rows[plan], ending, at.timestamp())
    changes.write(connection)


def needless_of(connection: Connection, warning: int) -> dict[RecipientNumber, int]:
    """For each whose notices about this subject were taken back, up to which position."""
    found = connection.execute(select(NEEDLESS.c.number, NEEDLESS.c.planned_to).where(NEEDLESS.c.warning == warning))
    return {row.number: row.planned_to for row in found}
