"""The path of a warning, top to bottom. Read this first.

    bytes -> intake -> MessageAccepted, ContributionsChanged      (agency's stream)
          -> merge  -> ContributionRecorded, OutletRevised        (district's stream)
                    -> WarningReleased, ReleaseScheduled, ReleaseHeld
          -> dispatch -> TellingPlanned                           (who is told what, and who is not and why)
          -> call-up  -> CallUpsOpened, NoticesPlanned            (who has to confirm it, and what they are sent)
    clock -> lapse  -> expired statements end, waits are over, what is due is released, call-ups go on

Both runners, the embedded one and Kafka's workers, run these same functions.
"""

from dataclasses import dataclass

from domain.events import ContributionsChanged, WarningReleased
from streams.callup import call_up
from streams.dispatch import plan_telling
from streams.intake import take_in, take_listing
from streams.lapse import fall_due
from streams.merge import merge_contributions
from streams.park import Step


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage that follows the log: its name (under which its position is kept), what it reads, and its step."""

    name: str
    topics: frozenset[str]
    step: Step


ENTRANCES = (take_in, take_listing)
"""How messages come in: single deliveries, and lists of what is in force."""

STAGES: tuple[Stage, ...] = (
    Stage(name="merge", topics=frozenset({ContributionsChanged.TOPIC}), step=merge_contributions),
    Stage(name="dispatch", topics=frozenset({WarningReleased.TOPIC}), step=plan_telling),
    Stage(name="call-up", topics=frozenset({WarningReleased.TOPIC}), step=call_up),
)
"""The stages that follow the log, in order."""

CLOCK_STAGE = fall_due
"""What happens when a deadline passes."""
