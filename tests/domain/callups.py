"""Call-ups on the domain alone: a state that decisions are added to, and people who hold posts. Asserts nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain import callup
from domain.callup_events import CalledHazard, CalledPost, CallUpStep, CallUpStepTaken
from domain.callup_policy import CallUpDefinition, QuestionDefinition
from domain.callup_reach import Reach, Summons
from domain.callup_state import CallUps, evolve_all
from domain.event import Event
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind, Duty

START = datetime(2026, 9, 13, 8, 0, tzinfo=UTC)
HAZARD = "11A51"
DEFINITION = CallUpDefinition(
    roles=("duty",),
    questions=(
        QuestionDefinition(id="command", names={"en": "Who is in command?"}),
        QuestionDefinition(id="moved", names={"en": "Have people been moved?"}),
    ),
    report_questions=(QuestionDefinition(id="damage", names={"en": "What damage is there?"}),),
)


def duty(number: int, *channels: ChannelKind) -> Duty:
    return Duty(number, "duty", "duty", "en", channels or (ChannelKind.SMS,))


def summons(
    post: str, *numbers: int, hazard: str = HAZARD, level: Level = Level.RED, has_risen: bool = False
) -> Summons:
    called = CalledPost(post=post, role="duty", numbers=numbers)
    return Summons(called, (CalledHazard(hazard=hazard, level=level),), has_risen)


@dataclass
class Ladder:
    """The call-ups of one warning, with every event so far and a clock that is set by the second."""

    definition: CallUpDefinition = DEFINITION
    duties: dict[int, Duty] = field(default_factory=dict)
    state: CallUps = field(default_factory=lambda: CallUps(Mode.LIVE, "w", "330604"))
    events: list[Event] = field(default_factory=list)
    seconds: float = 0
    position: int = 0

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def add(self, events: Sequence[Event]) -> Sequence[Event]:
        self.state = evolve_all(self.state, events)
        self.events += events
        return events

    def release(self, *called: Summons) -> Sequence[Event]:
        """A release that calls these up; all that stood before and is not among them has ended."""
        self.position += 1
        standing = {number: {h.hazard: h.level for h in one.hazards} for one in called for number in one.post.numbers}
        for number in standing:
            self.duties.setdefault(number, duty(number))
        reach = Reach(
            summons=called, known=frozenset(self.duties), calling=standing, touching={n: frozenset() for n in standing}
        )
        ended = self.add(callup.end_what_is_over(self.state, reach, self.definition, self.now))
        opened = callup.open_rounds(self.state, called, self.definition, position=self.position, now=self.now)
        return [*ended, *self.add(opened)]

    def tick(self, seconds: float, standing: Iterable[str] = (HAZARD,)) -> Sequence[Event]:
        """The clock goes on to so many seconds after the start, and acts."""
        self.seconds = seconds
        events = self.add(callup.climb(self.state, self.duties, standing, self.now))
        return [*events, *self.add(callup.make_report(self.state, self.now))]

    def confirm(self, number: int) -> Sequence[Event]:
        return self.add(callup.confirm(self.state, number, "sms", self.now))

    def steps(self, events: Iterable[Event] | None = None) -> list[tuple[float, CallUpStep, int]]:
        return [
            ((one.at - START).total_seconds(), one.step, one.number)
            for one in (self.events if events is None else events)
            if isinstance(one, CallUpStepTaken)
        ]
