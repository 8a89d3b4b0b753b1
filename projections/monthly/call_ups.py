"""Call-ups of a month: which posts were called up, who confirmed and how fast, and who did not."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain import callup_events
from domain.callup_events import CallUpStep
from domain.messages import Mode
from domain.policy import CallUpDefinition
from projections.monthly import facts
from projections.monthly.collecting import Handler, in_order
from projections.monthly.period import Period, spread_of
from projections.monthly.values import CallUpFigures, CallUpSum

STILL_ASKED: Final = "open"

PostKey = tuple[str, int, str]
"""A warning's id, the round, and the post."""


@dataclass(slots=True)
class _Post:
    """A post in one round."""

    role: str
    district: str
    opened: datetime
    confirmed: datetime | None = None
    how: str = ""
    answered: bool = False
    reported: bool = False
    ended: str = STILL_ASKED

    @property
    def waited(self) -> timedelta | None:
        """From the opening to the confirmation."""
        return None if self.confirmed is None else self.confirmed - self.opened


class CallUps:
    """Counts the call-ups of one mode; what became of them counts with the month in which they were opened."""

    def __init__(self, period: Period, mode: Mode, definition: CallUpDefinition) -> None:
        """Nothing is counted yet; the definition says what is prompt and what is in time."""
        self._period = period
        self._mode = mode.value
        self._prompt_seconds = definition.voice_after_seconds
        self._in_time_seconds = definition.questions_after_seconds
        self._rounds: set[tuple[str, int]] = set()
        self._posts: dict[PostKey, _Post] = {}
        self._steps: Counter[str] = Counter()

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What is counted of which topic."""
        return {
            callup_events.CallUpsOpened.TOPIC: self._opened,
            callup_events.CallUpStepTaken.TOPIC: self._step,
            callup_events.CallUpConfirmed.TOPIC: self._confirmed,
            callup_events.CallUpAnswered.TOPIC: self._answered,
            callup_events.CallUpsEnded.TOPIC: self._ended,
        }

    def _opened(self, _: int, fact: facts.CallUpsOpened) -> None:
        if fact.mode == self._mode and self._period.holds(fact.at):
            self._rounds.add((fact.warning_id, fact.round))
            for called in fact.posts:
                post = _Post(called.role, fact.district, fact.at)
                self._posts.setdefault((fact.warning_id, fact.round, called.post), post)

    def _step(self, _: int, fact: facts.CallUpStepTaken) -> None:
        if (fact.warning_id, fact.round) in self._rounds:
            self._steps[fact.step] += 1

    def _confirmed(self, _: int, fact: facts.CallUpConfirmed) -> None:
        post = self._posts.get((fact.warning_id, fact.round, fact.post))
        if post is not None and post.confirmed is None:  # the first to confirm answers for the post
            post.confirmed, post.how = fact.at, fact.how

    def _answered(self, _: int, fact: facts.CallUpAnswered) -> None:
        post = self._posts.get((fact.warning_id, fact.round, fact.post))
        if post is not None:
            post.answered = post.answered or not fact.is_report
            post.reported = post.reported or fact.is_report

    def _ended(self, _: int, fact: facts.CallUpsEnded) -> None:
        for name in fact.posts:
            post = self._posts.get((fact.warning_id, fact.round, name))
            if post is not None:
                post.ended = fact.reason

    @property
    def posts(self) -> int:
        """How many posts were called up."""
        return len(self._posts)

    @property
    def confirmed(self) -> int:
        """How many of them confirmed."""
        return sum(post.confirmed is not None for post in self._posts.values())

    def figures(self) -> CallUpFigures:
        """What was counted."""
        posts = list(self._posts.values())
        total = self._sum("", posts)
        return CallUpFigures(
            rounds=len(self._rounds),
            posts=total.posts,
            prompt_seconds=self._prompt_seconds,
            in_time_seconds=self._in_time_seconds,
            promptly=total.promptly,
            in_time=total.in_time,
            confirmed=total.confirmed,
            unconfirmed=total.posts - total.confirmed,
            seconds=total.seconds,
            answered=sum(post.answered for post in posts),
            reported=sum(post.reported for post in posts),
            called=self._steps[CallUpStep.CALLED],
            next_asked=self._steps[CallUpStep.NEXT_ASKED],
            hows=in_order(Counter(post.how for post in posts if post.confirmed is not None)),
            endings=in_order(Counter(post.ended for post in posts if post.confirmed is None)),
            by_role=self._sums(lambda post: post.role),
            by_district=self._sums(lambda post: post.district),
        )

    def _sums(self, key_of: Callable[[_Post], str]) -> tuple[CallUpSum, ...]:
        found: dict[str, list[_Post]] = defaultdict(list)
        for post in self._posts.values():
            found[key_of(post)].append(post)
        return tuple(self._sum(key, posts) for key, posts in sorted(found.items()))

    def _sum(self, key: str, posts: Sequence[_Post]) -> CallUpSum:
        waited = [post.waited for post in posts if post.waited is not None]
        return CallUpSum(
            key=key,
            posts=len(posts),
            promptly=sum(one <= timedelta(seconds=self._prompt_seconds) for one in waited),
            in_time=sum(one <= timedelta(seconds=self._in_time_seconds) for one in waited),
            confirmed=len(waited),
            seconds=spread_of(waited),
        )
