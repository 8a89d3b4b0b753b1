"""Subscriptions: what somebody may ask to be told of, and what confirming, changing and ending come to. Pure.

How somebody is reached is not known here, nor where requests wait to be confirmed, nor what a page shows of them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field, model_validator

from domain.areas import Circle
from domain.event import Event
from domain.levels import Level
from domain.messages import Mode
from domain.notices import Notice, NoticesPlanned, NoticesWithdrawn, Purpose
from domain.outlet import stream_id_of
from domain.recipients import EVERY_HAZARD, ChannelKind, Recipient, RecipientNumber
from domain.telling_events import PersonErased, SendText, SubscriptionConfirmed, SubscriptionEnded
from domain.values import Language, Moment, Value

SUBSCRIBERS: Final = "subscribers"
SUBSCRIBER: Final = "subscriber"
"""Their roster and their role, as counts name them."""

MOST_AREAS: Final = 100
MOST_CIRCLES: Final = 5
MOST_AN_HOUR: Final = 3
MOST_A_DAY: Final = 10
"""Requests by one contact: nobody's telephone is rung on by strangers who write its number down."""

MOST_ATTEMPTS: Final = 5
"""Five guesses of six digits: with three codes an hour, years go by before one is likely to be met."""

_CODE_LASTS: Final = {ChannelKind.SMS: timedelta(minutes=30), ChannelKind.EMAIL: timedelta(hours=24)}


class SubscriptionOverError(Exception):
    """The subscriber was erased: what asks for this number again comes too late."""


class Wanted(Value):
    """What somebody wants to be told of, and by which channel. Without a place nobody subscribes: never everywhere."""

    channel: ChannelKind
    areas: Annotated[tuple[str, ...], Field(max_length=MOST_AREAS)] = ()
    circles: Annotated[tuple[Circle, ...], Field(max_length=MOST_CIRCLES)] = ()
    hazards: Annotated[tuple[str, ...], Field(min_length=1)] = (EVERY_HAZARD,)
    level_min: Level = Level.WHITE
    language: Language = "zh-CN"

    @model_validator(mode="after")
    def _a_missing_area_is_an_error(self) -> "Wanted":
        if not self.areas and not self.circles:
            raise ValueError("a subscription names an area or a point")
        if self.channel not in _CODE_LASTS:
            raise ValueError(f"nobody subscribes by {self.channel.value}")
        return self

    def recipient(self, number: RecipientNumber) -> Recipient:
        """The recipient under this number."""
        return Recipient(
            number=number,
            roster=SUBSCRIBERS,
            mode=Mode.LIVE,
            role=SUBSCRIBER,
            language=self.language,
            areas=self.areas,
            circles=self.circles,
            hazards=self.hazards,
            level_min=self.level_min,
            channels=(self.channel,),
        )


def wanted_of(recipient: Recipient) -> Wanted:
    """What a subscriber wants, from the recipient that they are."""
    return Wanted(
        channel=recipient.channels[0],
        areas=recipient.areas,
        circles=recipient.circles,
        hazards=recipient.hazards,
        level_min=recipient.level_min,
        language=recipient.language,
    )


def subscription_stream(number: RecipientNumber) -> UUID:
    """The stream of one subscriber: its last event says whether they subscribe."""
    return stream_id_of("subscription", str(number))


def notice_stream(subject: UUID) -> UUID:
    """The stream of the messages about one request."""
    return stream_id_of("notices", Purpose.SUBSCRIPTION.value, str(subject))


def code_lasts(channel: ChannelKind) -> timedelta:
    """How long a request waits to be confirmed: mail is read later than a telephone is looked at."""
    return _CODE_LASTS[channel]


def wait_before_another(asked: Iterable[datetime], now: datetime) -> timedelta:
    """How long a contact that was asked for at these moments must wait to be asked for again; zero for not at all."""
    moments = sorted(asked)
    waits = [timedelta(0)]
    for most, window in ((MOST_AN_HOUR, timedelta(hours=1)), (MOST_A_DAY, timedelta(days=1))):
        recent = [moment for moment in moments if moment > now - window]
        if len(recent) >= most:
            waits.append(recent[-most] + window - now)
    return max(waits)


# --- decisions over a subscriber's stream ---------------------------------------------------------------------


def standing(history: Iterable[Event]) -> str | None:
    """The SHA-256 of the recipient that a subscriber is by their stream; None for who does not subscribe."""
    found: str | None = None
    for event in history:
        match event:
            case SubscriptionConfirmed():
                found = event.recipient_sha256
            case SubscriptionEnded() | PersonErased():
                found = None
            case _:
                raise TypeError(f"{event.TOPIC} says nothing of a subscription")
    return found


def confirm(history: Sequence[Event], number: RecipientNumber, recipient_sha256: str, now: Moment) -> list[Event]:
    """What a confirmation or a change comes to; nothing when the same stands already.

    Raises:
        SubscriptionOverError: the person was erased, and their number is nobody's any more.
    """
    if any(isinstance(event, PersonErased) for event in history):
        raise SubscriptionOverError(f"the subscriber {number} was erased")
    if standing(history) == recipient_sha256:
        return []
    return [SubscriptionConfirmed(at=now, number=number, recipient_sha256=recipient_sha256)]


def end(history: Sequence[Event], number: RecipientNumber, reason: str, now: Moment) -> list[Event]:
    """What leaving comes to: nothing else needs the contact of a subscriber, so the person is erased with it.

    Whose subscription ended because their address is dead is erased alone; who never subscribed, never.
    """
    if not has_subscribed(history) or any(isinstance(event, PersonErased) for event in history):
        return []
    erased = PersonErased(at=now, numbers=(number,), reason=reason)
    if standing(history) is None:
        return [erased]
    return [SubscriptionEnded(at=now, number=number, reason=reason), erased]


def has_subscribed(history: Iterable[Event]) -> bool:
    """Whether the number is, or was, a subscriber's and nothing else."""
    return any(isinstance(event, SubscriptionConfirmed) for event in history)


# --- the message that asks ------------------------------------------------------------------------------------


def opt_in(
    subject: UUID,
    number: RecipientNumber,
    wanted: Wanted,
    *,
    signature: str,
    outlet: str,
    has_link: bool,
    now: Moment,
) -> NoticesPlanned:
    """The message that asks whether a contact's owner wants to subscribe; it names nobody and holds no code itself.

    `signature` stands before a text message, `outlet` is the sender's name in a mail.
    """
    lasts = code_lasts(wanted.channel)
    text = _text(wanted.language, signature, outlet, int(lasts.total_seconds() // 60), has_link=has_link)
    return NoticesPlanned(
        at=now,
        mode=Mode.LIVE,
        purpose=Purpose.SUBSCRIPTION,
        subject=subject,
        level=Level.WHITE,
        notices=(Notice(number=number, channels=(wanted.channel,), text=text),),
        expires=now + lasts,
    )


def withdrawal(subject: UUID, number: RecipientNumber, reason: str, now: Moment) -> NoticesWithdrawn:
    """Take the message back, if it has not been handed over."""
    return NoticesWithdrawn(
        at=now, mode=Mode.LIVE, purpose=Purpose.SUBSCRIPTION, subject=subject, numbers=(number,), reason=reason
    )


def _text(language: Language, signature: str, outlet: str, minutes: int, *, has_link: bool) -> SendText:
    """The request for confirmation; in English where it is not Chinese."""
    is_chinese = language.split("-")[0].lower() == "zh"
    if is_chinese:
        lasts = f"{minutes // 60}小时" if minutes % 60 == 0 else f"{minutes}分钟"
        sms = f"{signature}订阅预警的验证码是{{code}}，{lasts}内有效，回复验证码即可确认。"
        sms += "也可打开 {link} 确认。" if has_link else ""
        sms += "不是您本人操作的，请不必理会。"
        subject = "请确认订阅预警"
        parts = [f"有人用这个邮箱地址向{outlet}订阅预警。如果是您，请在{lasts}内确认，验证码是：", "{code}"]
        parts += ["或打开以下网页确认：", "{link}"] if has_link else []
        parts += ["不是您本人操作的，请不必理会：不确认就不会订阅。"]
    else:
        lasts = f"{minutes // 60} hours" if minutes % 60 == 0 else f"{minutes} minutes"
        sms = f"{signature}Your code for warnings is {{code}}, valid for {lasts}: reply with it to subscribe."
        sms += " Or open {link} ." if has_link else ""
        sms += " Not you? Ignore this."
        subject = "Please confirm your subscription to warnings"
        parts = [
            f"Somebody asked {outlet} to send warnings to this address. Was it you? Confirm within {lasts}; the code:",
            "{code}",
        ]
        parts += ["Or open this page:", "{link}"] if has_link else []
        parts += ["If it was not you, ignore this: nothing is sent without a confirmation."]
    return SendText(language=language, subject=subject, sms=sms, body="\n\n".join(parts))
