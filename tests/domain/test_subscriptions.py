"""The rules of subscribing: never everywhere, never often, and who has left is nobody's subscriber any more."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.areas import Circle
from domain.event import Event
from domain.levels import Level
from domain.messages import Mode
from domain.notices import CODE_PLACE, LINK_PLACE, Purpose
from domain.recipients import ChannelKind
from domain.subscriptions import (
    MOST_A_DAY,
    MOST_AN_HOUR,
    SubscriptionOverError,
    Wanted,
    confirm,
    end,
    notice_stream,
    opt_in,
    standing,
    subscription_stream,
    wait_before_another,
    wanted_of,
    withdrawal,
)
from domain.telling_events import PersonErased, SendingStopped, SubscriptionConfirmed, SubscriptionEnded
from domain.texts import sms_segments

NOW = datetime(2026, 5, 20, 8, 0, tzinfo=UTC)
SUBJECT = UUID("7d1f6a52-4f4b-4e0a-9d2e-1f6f6f0a7b11")
NUMBER = 17
A, B = "a" * 64, "b" * 64
CIRCLE = Circle(latitude=30.0, longitude=120.6, radius_km=2)


def confirmed(digest: str) -> Event:
    return SubscriptionConfirmed(at=NOW, number=NUMBER, recipient_sha256=digest)


ENDED = SubscriptionEnded(at=NOW, number=NUMBER, reason="unsubscribed")
ERASED = PersonErased(at=NOW, numbers=(NUMBER,), reason="unsubscribed")

wanted = st.builds(
    Wanted,
    channel=st.sampled_from((ChannelKind.SMS, ChannelKind.EMAIL)),
    areas=st.lists(st.sampled_from(("330604", "330683", "330604001")), min_size=1, max_size=3).map(tuple),
    circles=st.sampled_from(((), (CIRCLE,))),
    hazards=st.sampled_from((("*",), ("11B03", "11B01"))),
    level_min=st.sampled_from(Level),
    language=st.sampled_from(("zh-CN", "en")),
)
steps = st.lists(st.sampled_from(("confirm a", "confirm b", "end")), max_size=12)


@pytest.mark.parametrize("place", [{}, {"areas": (), "circles": ()}])
def test_without_a_place_nobody_subscribes(place: dict[str, tuple[()]]) -> None:
    with pytest.raises(ValidationError, match="an area or a point"):
        Wanted.model_validate({"channel": ChannelKind.SMS, **place})


@pytest.mark.parametrize("channel", [ChannelKind.VOICE, ChannelKind.SCREEN])
def test_nobody_is_telephoned_because_they_subscribed(channel: ChannelKind) -> None:
    with pytest.raises(ValidationError, match="nobody subscribes"):
        Wanted(channel=channel, areas=("330604",))


@given(wanted)
def test_a_subscriber_is_a_live_recipient_who_wants_what_they_asked_for(want: Wanted) -> None:
    recipient = want.recipient(NUMBER)
    assert (recipient.mode, recipient.roster, recipient.role) == (Mode.LIVE, "subscribers", "subscriber")
    assert wanted_of(recipient) == want


@given(steps)
def test_whatever_is_asked_in_whatever_order_who_has_left_never_stands_again(asked: Sequence[str]) -> None:
    history: list[Event] = []
    has_left = False
    for step in asked:
        before = standing(history)
        if step == "end":
            events = end(history, NUMBER, "unsubscribed", NOW)
            assert [type(event) for event in events] == ([SubscriptionEnded, PersonErased] if before else [])
            has_left = has_left or bool(events)
        elif has_left:
            with pytest.raises(SubscriptionOverError):
                confirm(history, NUMBER, A, NOW)
            events = []
        else:
            digest = A if step == "confirm a" else B
            events = confirm(history, NUMBER, digest, NOW)
            assert len(events) == (before != digest)
        history += events
        assert (standing(history) is None) == (has_left or not history)


def test_the_last_that_was_confirmed_stands_until_it_ends() -> None:
    assert standing([]) is None
    assert standing([confirmed(A)]) == A
    assert standing([confirmed(A), confirmed(B)]) == B
    assert standing([confirmed(A), ENDED]) is None
    assert standing([confirmed(A), ERASED]) is None
    assert end([], NUMBER, "never subscribed", NOW) == []
    assert end([ENDED], NUMBER, "a duty holder whose address is dead is on a roster still", NOW) == []
    assert end([confirmed(A), ENDED, ERASED], NUMBER, "again", NOW) == []


def test_whose_address_is_dead_is_erased_with_nothing_more_to_end() -> None:
    [erased] = end([confirmed(A), ENDED], NUMBER, "the address is dead", NOW)
    assert erased == PersonErased(at=NOW, numbers=(NUMBER,), reason="the address is dead")


def test_an_event_that_says_nothing_of_a_subscription_is_an_error() -> None:
    with pytest.raises(TypeError, match="sending-stopped"):
        standing([SendingStopped(at=NOW, by="x", reason="y")])


@given(st.lists(st.integers(0, 72 * 60), max_size=80))
def test_a_contact_is_never_asked_for_more_than_three_times_an_hour_and_ten_times_a_day(minutes: Sequence[int]) -> None:
    asked: list[datetime] = []
    for minute in sorted(minutes):
        now = NOW + timedelta(minutes=minute)
        wait = wait_before_another(asked, now)
        if not wait:
            asked.append(now)
        else:
            assert not wait_before_another(asked, now + wait), "the wait that is told is enough"
    for moment in asked:
        window = [one for one in asked if timedelta(0) <= one - moment < timedelta(hours=1)]
        assert len(window) <= MOST_AN_HOUR
        window = [one for one in asked if timedelta(0) <= one - moment < timedelta(days=1)]
        assert len(window) <= MOST_A_DAY


def test_who_was_never_asked_need_not_wait() -> None:
    assert wait_before_another([], NOW) == timedelta(0)


@given(wanted, st.booleans())
def test_the_message_that_asks_has_the_code_and_the_link_where_there_is_one_and_ends_in_time(
    want: Wanted, has_link: bool
) -> None:
    notice = opt_in(SUBJECT, NUMBER, want, signature="【绍兴发布】", outlet="绍兴市", has_link=has_link, now=NOW)
    assert (notice.mode, notice.purpose, notice.subject) == (Mode.LIVE, Purpose.SUBSCRIPTION, SUBJECT)
    lasts = timedelta(minutes=30) if want.channel is ChannelKind.SMS else timedelta(hours=24)
    assert notice.expires == NOW + lasts
    [one] = notice.notices
    assert (one.number, one.channels) == (NUMBER, (want.channel,))
    assert one.text.language == want.language
    for text in (one.text.sms, one.text.body):
        assert text.count(CODE_PLACE) == 1
        assert text.count(LINK_PLACE) == has_link
    assert one.text.sms.startswith("【绍兴发布】")
    assert CODE_PLACE not in one.text.subject


@pytest.mark.parametrize(("language", "signature"), [("zh-CN", "【绍兴发布】"), ("en", "[Shaoxing] "), ("es", "")])
def test_without_a_link_the_text_message_fits_one_segment(language: str, signature: str) -> None:
    want = Wanted(channel=ChannelKind.SMS, areas=("330604",), language=language)
    notice = opt_in(SUBJECT, NUMBER, want, signature=signature, outlet="", has_link=False, now=NOW)
    assert sms_segments(notice.notices[0].text.sms.replace(CODE_PLACE, "123456")) == 1


def test_a_message_that_is_taken_back_names_its_request_and_its_recipient() -> None:
    event = withdrawal(SUBJECT, NUMBER, "withdrawn", NOW)
    assert (event.subject, event.numbers, event.purpose) == (SUBJECT, (NUMBER,), Purpose.SUBSCRIPTION)


def test_every_subscriber_and_every_request_has_a_stream_of_its_own() -> None:
    streams = {subscription_stream(1), subscription_stream(2), notice_stream(SUBJECT), notice_stream(UUID(int=1))}
    assert len(streams) == 4
