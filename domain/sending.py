"""What one person is still to hear of one warning. Pure: what was planned, heard and stands in, one message out.

A plan says that something is to be told; by the time a channel is free the warning may have changed again. So what is
said is made at the last moment, from the newest plan: who heard nothing hears of what stands as new, who may have heard
hears the end as well, and what has ended untold is never told. Of notices about one subject the newest counts alone.
Queues, leases and channels do not belong here.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from domain.event import Event
from domain.levels import Level
from domain.notices import CODE_PLACE, LINK_PLACE
from domain.recipients import RecipientNumber
from domain.routing import Item, Kind
from domain.telling_events import PersonErased, SendText, SubscriptionConfirmed, SubscriptionEnded
from domain.values import Moment

ADDRESS_IS_DEAD: Final = "address-is-dead"
"""Why a subscription ends when no channel of the person's takes anything any more."""


class Ending(StrEnum):
    """Why something that was planned for a person was not handed to any channel, or to none that took it."""

    EXPIRED = "expired"  # its content has ended by the clock
    SUPERSEDED = "superseded"  # a newer plan for the same person says something else of the same hazards
    NEVER_TOLD = "never-told"  # it was lifted, and they had not heard that it stood
    ALREADY_HEARD = "already-heard"  # they know the hazard at the level at which it stands
    SAME_ADDRESS = "same-address"  # the same words went to the same address under another of their numbers
    NEEDLESS = "needless"  # a notice that was taken back before it was handed over
    NO_ADDRESS = "no-address"  # the vault has none by which they could be reached: erased, or never entered
    NO_ROUTE = "no-route"  # no route of their channels is set up
    NO_TEXT = "no-text"  # the release that the plan speaks of cannot be put into words any more
    GIVEN_UP = "given-up"  # tried too often or for too long
    REFUSED = "refused"  # no channel of theirs takes it
    FAILED = "failed"  # the channel's server took it and said later that it did not arrive


@dataclass(frozen=True, slots=True)
class Heard:
    """At which level somebody knows that a hazard stands; uncertain when a hand-over was begun and never recorded."""

    level: Level
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Stands:
    """At which level a hazard stands for somebody by the newest plan, and when that ends by the clock."""

    level: Level
    expires: Moment | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """What one plan holds for a person and has not been handed over: the plan's position and its hazards."""

    planned: int
    hazards: frozenset[str]


@dataclass(frozen=True, slots=True)
class Saying:
    """What is handed over now, for which plans, and why others are not."""

    items: tuple[Item, ...]
    plans: tuple[int, ...]
    withdrawn: Mapping[int, Ending]


def what_to_say(
    pending: Sequence[Pending], heard: Mapping[str, Heard], stands: Mapping[str, Stands], now: Moment
) -> Saying:
    """One message for everything that is pending for a person of one warning; every plan is in it or has its reason.

    Items come by level, the highest first.
    """
    withdrawn: dict[int, Ending] = {}
    covered: set[str] = set()
    standing: list[Pending] = []
    for one in sorted(pending, key=lambda each: -each.planned):
        if one.hazards <= covered:
            withdrawn[one.planned] = Ending.SUPERSEDED
        else:
            standing.append(one)
        covered |= one.hazards
    said: dict[str, Item] = {}
    unsaid: dict[str, Ending] = {}
    for hazard in sorted(covered):
        found = _of_one_hazard(hazard, heard.get(hazard), stands.get(hazard), now)
        match found:
            case Item():
                said[hazard] = found
            case Ending():
                unsaid[hazard] = found
            case _:
                assert_never(found)
    plans: list[int] = []
    for one in standing:
        if one.hazards & said.keys():
            plans.append(one.planned)
        else:
            withdrawn[one.planned] = unsaid[min(one.hazards)]
    items = tuple(sorted(said.values(), key=lambda item: (-item.level.rank, item.hazard)))
    assert bool(items) == bool(plans), "whatever is said is said for a plan"
    return Saying(items, tuple(sorted(plans)), withdrawn)


def _of_one_hazard(hazard: str, heard: Heard | None, stands: Stands | None, now: Moment) -> Item | Ending:
    if stands is None:
        return Item(hazard, Kind.LIFTED, heard.level) if heard else Ending.NEVER_TOLD
    if stands.expires is not None and stands.expires <= now:
        return Ending.EXPIRED
    if heard is None or not heard.is_certain:  # "raised" would name what they may never have heard of
        return Item(hazard, Kind.NEW, stands.level)
    if heard.level == stands.level:
        return Ending.ALREADY_HEARD
    return Item(hazard, Kind.RAISED if heard.level < stands.level else Kind.LOWERED, stands.level)


def after_hearing(heard: Mapping[str, Heard], items: Collection[Item], *, is_certain: bool) -> dict[str, Heard]:
    """What somebody knows after a message; an uncertain one leaves what they knew for certain in doubt.

    Whoever may not have heard that a hazard was lifted still counts as knowing of it.
    """
    known = dict(heard)
    for item in items:
        if item.kind is not Kind.LIFTED:
            known[item.hazard] = Heard(item.level, is_certain)
        elif is_certain:
            known.pop(item.hazard, None)
        else:
            known[item.hazard] = Heard(item.level, is_certain=False)
    return known


def due_at(planned_at: float, *, is_urgent: bool, group_wait_seconds: float) -> float:
    """When a planned message may go, in seconds: at once if it is urgent, else after others may have joined it."""
    return planned_at if is_urgent else planned_at + group_wait_seconds


def gives_up(attempts: int, age_seconds: float, *, most_attempts: int, longest_seconds: float) -> bool:
    """Whether a message that failed so often, so long after its plan, is not tried by this channel any more."""
    return attempts >= most_attempts or age_seconds >= longest_seconds


# --- notices --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PendingNotice:
    """A notice for one person that has not been handed over: the position of its event, and when it ends."""

    planned: int
    expires: Moment


@dataclass(frozen=True, slots=True)
class NoticeChoice:
    """Which of somebody's notices about one subject is still to be handed over, and why the others are not."""

    planned: int | None
    withdrawn: Mapping[int, Ending]


def newest_notice_counts(pending: Collection[PendingNotice], needless_to: int, now: Moment) -> NoticeChoice:
    """The newest notice takes the place of all before it, in whatever channel; every other one has its reason.

    `needless_to` is the position up to which this person's notices were taken back, 0 where they never were.
    """
    newest = max((one.planned for one in pending), default=0)
    withdrawn: dict[int, Ending] = {}
    for one in pending:
        if one.planned <= needless_to:
            withdrawn[one.planned] = Ending.NEEDLESS
        elif one.planned < newest:
            withdrawn[one.planned] = Ending.SUPERSEDED
        elif one.expires <= now:
            withdrawn[one.planned] = Ending.EXPIRED
    return NoticeChoice(None if newest == 0 or newest in withdrawn else newest, withdrawn)


def with_places_filled(text: SendText, *, link: str, code: str) -> SendText:
    """The text for one recipient. An empty link leaves no double space and none at a line's end behind."""

    def filled(words: str) -> str:
        linked = words.replace(LINK_PLACE, link) if link else _NO_LINK.sub(_gap, words)
        return linked.replace(CODE_PLACE, code)

    places = {"subject": text.subject, "sms": text.sms, "body": text.body, "short": text.short}
    return text.model_copy(update={name: filled(words) for name, words in places.items()})


_NO_LINK: Final = re.compile(rf" *{re.escape(LINK_PLACE)} *")


def _gap(found: re.Match[str]) -> str:
    """What stays where a link would stand: one space if there was any and words follow and go before it."""
    before, after = found.string[: found.start()], found.string[found.end() :]
    is_between_words = bool(before) and not before.endswith("\n") and bool(after) and not after.startswith("\n")
    return " " if is_between_words and " " in found.group() else ""


# --- addresses that are no more -------------------------------------------------------------------------------


def no_channel_is_left(channels: int, dead: int, missing: int) -> bool:
    """Whether nothing reaches somebody any more, by how one message fared on all of their channels.

    `dead` are channels that were refused because the address is no more, `missing` those for which there is none. Any
    other ending (a route that is down, a full mailbox) says nothing about the person; and who was reached by none
    before, for want of any address, does not leave by that.
    """
    return dead > 0 and dead + missing >= channels


def dead_address_ends(
    history: Sequence[Event], number: RecipientNumber, refused_at: Moment, now: Moment
) -> list[Event]:
    """What follows from a dead address for somebody with this stream of their subscription, empty for rostered people.

    Whatever the stream has said since the refusal counts before it, and who has left does not leave again. For rostered
    people the end holds until the next version of their roster.
    """
    match history[-1] if history else None:
        case PersonErased():
            return []
        case SubscriptionEnded(at=at) if at >= refused_at or _ever_subscribed(history):
            return []
        case SubscriptionConfirmed(at=at) if at > refused_at:
            return []
        case _:
            pass
    return [SubscriptionEnded(at=now, number=number, reason=ADDRESS_IS_DEAD)]


def _ever_subscribed(history: Sequence[Event]) -> bool:
    return any(isinstance(event, SubscriptionConfirmed) for event in history)
