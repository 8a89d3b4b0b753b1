"""The path of a warning, top to bottom. Read this first.

    bytes -> intake -> MessageAccepted, ContributionsChanged      (agency's stream)
          -> merge  -> ContributionRecorded, OutletRevised        (district's stream)
                    -> WarningReleased, ReleaseScheduled, ReleaseHeld
          -> dispatch -> TellingPlanned                           (who is told what, and who is not and why)
          -> call-up  -> CallUpsOpened, NoticesPlanned            (who has to confirm it, and what they are sent)
    clock -> lapse  -> expired statements end, waits are over, what is due is released, call-ups go on

Both runners, the embedded one and Kafka's workers, run these same functions.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from domain.event import Event
from domain.events import ContributionsChanged, WarningReleased
from streams.callup import call_up, what_was_called_up
from streams.dispatch import plan_telling, what_was_told
from streams.intake import take_in, take_listing
from streams.lapse import fall_due
from streams.merge import districts_touched, merge_contributions
from streams.park import Step


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage that follows the log: its name (under which its position is kept), what it reads, and its step.

    `asks_for` says which streams the step will most likely look at for an event.
    """

    name: str
    topics: frozenset[str]
    step: Step
    asks_for: Callable[[Event], Iterable[UUID]] = lambda _: ()


ENTRANCES = (take_in, take_listing)
"""How messages come in: single deliveries, and lists of what is in force."""

STAGES: tuple[Stage, ...] = (
    Stage("merge", frozenset({ContributionsChanged.TOPIC}), merge_contributions, districts_touched),
    Stage("dispatch", frozenset({WarningReleased.TOPIC}), plan_telling, what_was_told),
    Stage("call-up", frozenset({WarningReleased.TOPIC}), call_up, what_was_called_up),
)
"""The stages that follow the log, in order."""

CLOCK_STAGE = fall_due
"""What happens when a deadline passes."""
