"""What the newest plan of a warning says: who should know what, until when, and the words for it; and what notices say.

Plans, notices, releases and sets of people are read from the event log, and the few that are in use are kept in memory.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from pyroaring import FrozenBitMap

from adapters.audience.people import people_from
from domain.event import Event
from domain.events import WarningReleased
from domain.levels import Level
from domain.notices import Notice, NoticesPlanned
from domain.policy import Policy
from domain.ports import EventLog
from domain.recipients import RecipientNumber
from domain.routing import Item, Kind
from domain.sending import Stands
from domain.telling_events import SendText, TellingPlanned
from domain.telling_texts import send_texts
from domain.values import Language, Moment
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

T = TypeVar("T")
E = TypeVar("E", bound=Event)

KEPT: Final = 200
"""Plans whose sets stay in memory; a set of a million people takes some hundred kilobytes."""


class Content:
    """One plan with its release."""

    def __init__(self, plan: TellingPlanned, release: WarningReleased, events: EventLog) -> None:
        self.plan = plan
        self.release = release
        self._told: dict[str, dict[Level, FrozenBitMap]] = {
            hazard: {level: people_under(events, digest) for level, digest in levels.items()}
            for hazard, levels in plan.told.items()
        }
        self._ends = {section.hazard: section.expires for section in release.sections}
        self._stands = {
            (hazard, level): Stands(level, self._ends.get(hazard, plan.expires))
            for hazard, levels in self._told.items()
            for level in levels
        }
        self._texts: dict[tuple[Item, ...], Mapping[Language, SendText]] = {
            tuple(Item(item.hazard, item.kind, item.level) for item in send.items): _by_language(send.texts)
            for send in plan.sends
        }

    def standing(self, number: RecipientNumber) -> tuple[tuple[str, Level], ...]:
        """What this person should know to stand, after this plan; the same for many."""
        return tuple(
            (hazard, level)
            for hazard, levels in self._told.items()
            for level, people in levels.items()
            if number in people
        )

    def stands(self, standing: tuple[tuple[str, Level], ...]) -> dict[str, Stands]:
        """The same with its ends."""
        return {hazard: self._stands[hazard, level] for hazard, level in standing}

    def end_of(self, items: tuple[Item, ...]) -> Moment | None:
        """When the first of these ends by the clock; an all-clear has no end."""
        ends = [self._ends.get(item.hazard, self.plan.expires) for item in items if item.kind is not Kind.LIFTED]
        known = [end for end in ends if end is not None]
        return min(known) if known else None

    def texts(self, items: tuple[Item, ...], policy: Policy, place: str) -> Mapping[Language, SendText]:
        """The words for these items by language: those that were planned, or composed anew from the release.

        There are none where the release cannot be put into words under the policy of now.
        """
        if items not in self._texts:
            made = attempt(lambda: send_texts(policy, self.release, items, place=place))
            if isinstance(made, Failed):
                log.error("plan for release %s cannot be put into words", self.plan.position, exc_info=made.error)
            self._texts[items] = {} if isinstance(made, Failed) else _by_language(made)
        return self._texts[items]


class NoticeContent:
    """What one event says of notices."""

    def __init__(self, event: NoticesPlanned) -> None:
        self.event = event
        self.by_number: Mapping[RecipientNumber, Notice] = {notice.number: notice for notice in event.notices}


class Contents:
    """The contents of plans and notices by their position. Used by one thread at a time."""

    def __init__(self, events: EventLog, policy: Callable[[], Policy], place: Callable[[str], str]) -> None:
        """`policy` is the one of now; `place` gives a district's name, or nothing where it has none."""
        self._events = events
        self._policy = policy
        self._place = place
        self._kept: OrderedDict[int, Content] = OrderedDict()
        self._kept_notices: OrderedDict[int, NoticeContent] = OrderedDict()

    def of(self, position: int) -> Content:
        """The plan at this position.

        Raises:
            LookupError: the log holds no plan there, or not what belongs to it.
        """
        return _kept(self._kept, position, self._content)

    def _content(self, position: int) -> Content:
        plan = self._at(position, TellingPlanned)
        return Content(plan, self._at(plan.position, WarningReleased), self._events)

    def notices_of(self, position: int) -> NoticeContent:
        """The notices at this position.

        Raises:
            LookupError: the log holds none there.
        """
        return _kept(self._kept_notices, position, self._notices)

    def _notices(self, position: int) -> NoticeContent:
        return NoticeContent(self._at(position, NoticesPlanned))

    def words(self, position: int, items: tuple[Item, ...], language: Language) -> SendText | None:
        """The words in a language, else in the outlet's first; None where there are none."""
        content, policy = self.of(position), self._policy()
        texts = content.texts(items, policy, self._place(content.plan.district))
        return texts.get(language) or texts.get(policy.outlet.languages[0]) or next(iter(texts.values()), None)

    def _at(self, position: int, kind: type[E]) -> E:
        for recorded in self._events.read(after=position - 1, limit=1):
            if recorded.position == position and isinstance(recorded.event, kind):
                return recorded.event
        raise LookupError(f"the log holds no {kind.TOPIC} at {position}")


def _kept(kept: OrderedDict[int, T], position: int, made: Callable[[int], T]) -> T:
    found = kept.get(position)
    if found is None:
        found = kept[position] = made(position)
        while len(kept) > KEPT:
            kept.popitem(last=False)
    kept.move_to_end(position)
    return found


def people_under(events: EventLog, digest: str) -> FrozenBitMap:
    """The set of people kept under a digest.

    Raises:
        LookupError: nothing is kept there.
    """
    content = events.attachment(digest)
    if content is None:
        raise LookupError(f"nothing is kept under {digest}")
    return people_from(content)


def _by_language(texts: tuple[SendText, ...]) -> dict[Language, SendText]:
    return {text.language: text for text in texts}
