"""The risk situation of a month (自然灾害风险形势分析报告), counted in one reading of the log.

No tables are kept for it: a report is asked for once a month, and from the log alone it can be computed again, to the
same content, as it was at any position. A thing counts in the month in which it happened; what became of it (answers,
deliveries, verdicts) counts with it, whenever that was recorded. How a report looks does not belong here.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from domain.messages import Mode
from domain.policy import Policy
from domain.ports import EventLog
from projections.follow import Progress
from projections.monthly.assessments import Assessments
from projections.monthly.call_ups import CallUps
from projections.monthly.collecting import Collector, Handler
from projections.monthly.consultation import Consultation
from projections.monthly.data import Data
from projections.monthly.facts import facts_in
from projections.monthly.messages import Messages
from projections.monthly.period import Period, month_named
from projections.monthly.releases import Releases
from projections.monthly.telling import Telling
from projections.monthly.times import Times
from projections.monthly.values import DrillFigures, MonthlyReport


def monthly_report(
    log: EventLog,
    month: str,
    *,
    policy: Policy,
    now: datetime,
    until: int | None = None,
    progress: Progress | None = None,
) -> MonthlyReport:
    """The report on a month such as `2026-09`, in the time zone of the policy, as of a position of the log.

    `policy` is the one in force at that position, `until`, else at the log's head. `now` says no more than whether the
    month is over.

    Raises:
        ValueError: this is no month, or the log has no such position.
    """
    period = month_named(month, policy.zone)
    head = log.head()
    position = head if until is None else until
    if not 0 <= position <= head:
        raise ValueError(f"the log has no position {position}; its head is {head}")
    parts = _Parts(period, policy)
    read = _read(log, position, parts.all, period, progress)
    is_over = now >= period.ends or (read.newest is not None and read.newest >= period.ends)
    known_until = period.ends if is_over else (read.newest or period.begins)
    return parts.report(policy, position, read, is_over=is_over, known_until=known_until)


def content_json(report: MonthlyReport) -> bytes:
    """The report's content as canonical JSON: keys in order, no white space, UTF-8."""
    document = report.model_dump(mode="json")
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def content_sha256(report: MonthlyReport) -> str:
    """The SHA-256 (hex) of the content, whatever language or form it is printed in."""
    return sha256(content_json(report)).hexdigest()


@dataclass(slots=True)
class _Read:
    """What the reading itself came to: events of the month that were counted, and the newest moment of all."""

    counted: int = 0
    newest: datetime | None = None


class _Parts:
    """Every part of the report; those of drills are counted apart."""

    def __init__(self, period: Period, policy: Policy) -> None:
        self._period = period
        self._messages = Messages(period, Mode.LIVE)
        self._releases = Releases(period, Mode.LIVE)
        self._times = Times(period, Mode.LIVE)
        self._telling = Telling(period, Mode.LIVE)
        self._call_ups = CallUps(period, Mode.LIVE, policy.callup)
        self._consultation = Consultation(period, Mode.LIVE)
        self._assessments = Assessments(period)
        self._data = Data(period)
        self._drill_messages = Messages(period, Mode.DRILL)
        self._drill_releases = Releases(period, Mode.DRILL)
        self._drill_telling = Telling(period, Mode.DRILL)
        self._drill_call_ups = CallUps(period, Mode.DRILL, policy.callup)

    @property
    def all(self) -> Sequence[Collector]:
        """All of them; each sees the log in its order."""
        return (
            self._messages,
            self._releases,
            self._times,
            self._telling,
            self._call_ups,
            self._consultation,
            self._assessments,
            self._data,
            self._drill_messages,
            self._drill_releases,
            self._drill_telling,
            self._drill_call_ups,
        )

    def report(
        self, policy: Policy, position: int, read: _Read, *, is_over: bool, known_until: datetime
    ) -> MonthlyReport:
        """What they have counted, put together."""
        period = self._period
        return MonthlyReport(
            outlet=policy.outlet.id,
            month=period.name,
            timezone=policy.outlet.timezone,
            begins=period.begins,
            ends=period.ends,
            is_over=is_over,
            position=position,
            recorded_until=None if read.newest is None else read.newest.astimezone(period.zone),
            policy_sha256=policy.sha256,
            releases=self._releases.figures(until=known_until),
            messages=self._messages.figures(),
            times=self._times.figures(self._telling.handed_over()),
            telling=self._telling.figures(),
            call_ups=self._call_ups.figures(),
            consultation=self._consultation.figures(),
            assessment=self._assessments.figures(),
            drills=DrillFigures(
                started=self._data.drills_started,
                stopped=self._data.drills_stopped,
                messages=self._drill_messages.figures().accepted,
                releases=self._drill_releases.count,
                told=self._drill_telling.told,
                posts=self._drill_call_ups.posts,
                confirmed=self._drill_call_ups.confirmed,
            ),
            data=self._data.figures(read.counted),
        )


def _read(
    log: EventLog, position: int, collectors: Sequence[Collector], period: Period, progress: Progress | None
) -> _Read:
    """Show the log to the collectors."""
    handlers: dict[str, list[Handler]] = {}
    for collector in collectors:
        for topic, handler in collector.handlers.items():
            handlers.setdefault(topic, []).append(handler)
    read = _Read()
    for at_position, topic, fact in facts_in(log, until=position, topics=frozenset(handlers), progress=progress):
        read.counted += period.holds(fact.at)
        if read.newest is None or fact.at > read.newest:
            read.newest = fact.at
        for handler in handlers[topic]:
            handler(at_position, fact)
    return read


def assessments_of(log: EventLog, month: str, *, policy: Policy) -> Assessments:
    """The warnings of a month with the last verdict on each, and the events that were missed.

    Raises:
        ValueError: this is no month.
    """
    period = month_named(month, policy.zone)
    found = Assessments(period)
    _read(log, log.head(), [found], period, None)
    return found
