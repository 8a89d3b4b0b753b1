"""A month of made-up messages through a real platform, whose figures can be counted on paper. Asserts nothing.

All times are in Beijing; minute 0 is the 13th of September 2022, 08:00. What the outbox and the call-ups would record
is recorded as they do it, so that every moment is known.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid5

from adapters.clocks import ManualClock
from domain.assessment import ReleasedWarning, assessment_stream, event_was_missed, warning_was
from domain.callup_events import (
    CalledHazard,
    CalledPost,
    CallUpAnswer,
    CallUpAnswered,
    CallUpConfirmed,
    CallUpEnd,
    CallUpsEnded,
    CallUpsOpened,
    CallUpStep,
    CallUpStepTaken,
    How,
)
from domain.drill_events import DrillStarted
from domain.event import Event
from domain.events import WarningReleased
from domain.levels import Level
from domain.messages import Mode
from domain.notices import Notice, NoticesPlanned, Purpose
from domain.outlet import SettleConflict, stream_id_of
from domain.recipients import ChannelKind
from domain.telling_events import DeliveriesRecorded, DeliveryRecorded, DeliveryState, SendText
from tests.adapters.sending.house import Town
from tests.streams.messages import at, cap

AUGUST = -14 * 1440.0
"""The 30th of August, 08:00."""

OCTOBER = 17 * 1440 + 960.0
"""The 1st of October, 00:00."""

RAIN, FLASH_FLOOD, TYPHOON = "11B03", "11A51", "11B01"
SHANGYU, SHENGZHOU, XINCHANG, KEQIAO = "330604", "330683", "330624", "330603"


class Month:
    """What a test does with the month's platform."""

    def __init__(self, town: Town) -> None:
        """Work on this town's platform."""
        self.town = town

    def record(self, event: Event) -> int:
        """Store something; its position."""
        log = self.town.platform.log
        self.town.platform.runner.record(uuid5(stream_id_of("test"), str(log.head())), event)
        return log.head()

    def released(self, district: str, mode: Mode = Mode.LIVE) -> list[tuple[int, WarningReleased]]:
        """The releases of a district, each with its position."""
        found = [(one.position, one.event) for one in self.town.platform.log.read()]
        return [
            (position, event)
            for position, event in found
            if isinstance(event, WarningReleased) and (event.district, event.mode) == (district, mode)
        ]

    def plan_of(self, release: int) -> int:
        """The position of what was planned for a release."""
        (found,) = [position for position, plan in self.town.plans() if plan.position == release]
        return found

    def delivered(self, planned: int, *outcomes: tuple[int, DeliveryState, datetime, str], mode: Mode) -> None:
        """Outcomes of a plan: number, state, when, reason."""
        rows = tuple(
            DeliveryRecorded(
                planned=planned, number=number, channel=ChannelKind.SMS, route="spool", state=state, at=when, reason=why
            )
            for number, state, when, why in outcomes
        )
        self.record(DeliveriesRecorded(at=self.town.clock.now(), mode=mode, deliveries=rows))


@contextmanager
def made_up_month(folder: Path) -> Iterator[Month]:
    """The platform after all of it, in October."""
    town = Town(folder, ManualClock(at(AUGUST)))
    try:
        month = Month(town)
        _august_into_september(town)
        _the_thirteenth(month)
        _people(month)
        _a_drill(month)
        _into_october(month)
        _verdicts(month)
        yield month
    finally:
        town.close()


def _august_into_september(town: Town) -> None:
    """A typhoon, blue in Xinchang from the 30th of August, 08:00, which expires on the 2nd of September, 08:00."""
    town.deliver(cap("T1", hazard=TYPHOON, level="blue", codes=(XINCHANG,), minutes=AUGUST, hours=72), minutes=AUGUST)
    town.wait_until(-11 * 1440 + 1)


def _the_thirteenth(month: Month) -> None:
    town = month.town
    town.wait_until(0)
    town.people(3, areas=(SHANGYU,))
    # Sent at 08:00:00, received 08:02:00, released with what came in the meantime at 08:02:30.
    town.deliver(cap("R1", level="yellow", codes=(SHANGYU,), minutes=0), minutes=2)
    town.wait_until(3)
    # Raised: released at once, at 09:00:00.
    update = cap("R2", kind="Update", level="red", codes=(SHANGYU,), minutes=60, references=(("R1", 0),))
    town.deliver(update, minutes=60)
    # Sent 09:28, received 09:30, released in both districts 09:30:30.
    town.deliver(
        cap("W1", agency="water", hazard=FLASH_FLOOD, level="orange", codes=(SHANGYU, SHENGZHOU), minutes=88),
        minutes=90,
    )
    town.wait_until(91)
    # Two levels apart in Shengzhou: flagged at 09:40:00, released 09:40:30, settled twelve minutes after the flag.
    town.deliver(cap("M3", hazard=FLASH_FLOOD, level="blue", codes=(SHENGZHOU,), minutes=100), minutes=100)
    town.wait_until(112)
    town.platform.runner.command(SHENGZHOU, Mode.LIVE, SettleConflict(FLASH_FLOOD, "Officer A", "orange stands"))
    town.pass_on()
    town.wait_until(115)
    # Lifted at once, at 10:00:00.
    town.deliver(cap("R3", kind="Cancel", minutes=120, references=(("R1", 0), ("R2", 60))), minutes=120)
    # Refused, repeated.
    town.deliver(b"this is no warning", minutes=130)
    town.deliver(cap("W1", agency="water", hazard=FLASH_FLOOD, level="orange", codes=(SHANGYU, SHENGZHOU), minutes=88))


def _people(month: Month) -> None:
    """Deliveries of the red of 09:00, a call-up of it, and the call-up's notices."""
    town = month.town
    release, event = month.released(SHANGYU)[1]
    planned = month.plan_of(release)
    red = at(60)
    month.delivered(
        planned,
        (1, "accepted", red + timedelta(seconds=4), ""),
        (2, "accepted", red + timedelta(seconds=10), ""),
        (1, "delivered", red + timedelta(seconds=20), ""),
        (3, "failed", red + timedelta(seconds=90), "refused: 550 no such number +8613800000003"),
        mode=Mode.LIVE,
    )
    posts = tuple(CalledPost(post=f"post-{n}", role="village-head", numbers=(n,)) for n in (1, 2, 3, 4))
    opened = CallUpsOpened(
        at=red,
        district=SHANGYU,
        mode=Mode.LIVE,
        warning_id=event.warning_id,
        position=release,
        round=1,
        hazards=(CalledHazard(hazard=RAIN, level=Level.RED),),
        posts=posts,
    )
    month.record(opened)
    notice = Notice(
        number=1,
        channels=(ChannelKind.SMS,),
        text=SendText(language="zh-CN", subject="请确认", sms="请确认 {link}", body="请确认"),
    )
    notices = NoticesPlanned(
        at=red,
        mode=Mode.LIVE,
        purpose=Purpose.CALL_UP,
        subject=stream_id_of("test"),
        level=Level.RED,
        notices=(notice,),
        expires=red + timedelta(hours=1),
    )
    month.delivered(month.record(notices), (1, "accepted", red + timedelta(seconds=2), ""), mode=Mode.LIVE)
    round_of: dict[str, Any] = {"district": SHANGYU, "mode": Mode.LIVE, "warning_id": event.warning_id, "round": 1}
    hows: tuple[How, ...] = ("sms", "link", "officer")
    for number, seconds, how in zip((1, 2, 3), (60, 180, 1200), hows, strict=True):
        confirmed_at = red + timedelta(seconds=seconds)
        month.record(CallUpConfirmed(at=confirmed_at, **round_of, post=f"post-{number}", number=number, how=how))
    again = red + timedelta(seconds=300)
    month.record(CallUpConfirmed(at=again, **round_of, post="post-1", number=1, how="link"))
    month.record(CallUpStepTaken(at=again, **round_of, step=CallUpStep.CALLED, post="post-4", number=4))
    answers = (CallUpAnswer(question="command", text="yes"),)
    month.record(CallUpAnswered(at=again, **round_of, post="post-1", number=1, answers=answers))
    ended = CallUpsEnded(at=at(120), **round_of, posts=("post-4",), reason=CallUpEnd.LIFTED)
    month.record(ended)
    assert town.clock.now() >= ended.at


def _a_drill(month: Month) -> None:
    """Everything again for exercise: none of it may show in a live figure."""
    town = month.town
    month.record(DrillStarted(at=at(135), drill="autumn", title="autumn", by="Officer A"))
    town.people(2, areas=(KEQIAO,), mode=Mode.DRILL)
    exercise = cap("D1", status="Exercise", level="red", codes=(KEQIAO,), minutes=140)
    town.deliver(exercise, minutes=140)
    town.wait_until(141)
    release, event = month.released(KEQIAO, Mode.DRILL)[0]
    opened = CallUpsOpened(
        at=at(141),
        district=KEQIAO,
        mode=Mode.DRILL,
        warning_id=event.warning_id,
        position=release,
        round=1,
        hazards=(),
        posts=(CalledPost(post="1", role="grid-worker", numbers=(1,)),),
    )
    month.record(opened)


def _into_october(month: Month) -> None:
    """What expires on the 14th is lifted there; October's first rain was sent and received in September."""
    town = month.town
    town.wait_until(OCTOBER - 1)
    town.deliver(cap("R9", level="blue", codes=(XINCHANG,), minutes=OCTOBER - 1), minutes=OCTOBER - 0.25)
    town.wait_until(OCTOBER + 60)


def _verdicts(month: Month) -> None:
    """The rain of Shangyu was false at first sight and a hit after all; a flash flood in Keqiao was missed."""
    now = month.town.clock.now()
    stream = assessment_stream(SHANGYU)
    _, event = month.released(SHANGYU)[0]
    warning = ReleasedWarning(event.warning_id, SHANGYU, {RAIN: Level.RED, FLASH_FLOOD: Level.ORANGE})
    runner = month.town.platform.runner
    for verdict in ("false", "hit"):
        for said in warning_was(verdict, warning, hazards=(RAIN,), by="Officer A", now=now):
            runner.record(stream, said)
    for said in warning_was("false", warning, hazards=(FLASH_FLOOD,), by="Officer A", now=now):
        runner.record(stream, said)
    missed = event_was_missed(district=KEQIAO, hazard=FLASH_FLOOD, happened=at(200), by="Officer A", now=now)
    runner.record(assessment_stream(KEQIAO), missed)
    runner.record(assessment_stream(KEQIAO), missed)
    runner.record(
        assessment_stream(KEQIAO),
        event_was_missed(district=KEQIAO, hazard=FLASH_FLOOD, happened=at(OCTOBER + 5), by="Officer A", now=now),
    )
