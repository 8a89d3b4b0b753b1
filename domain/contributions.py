"""What one chain currently says about one district, and how a message is split into that.

A statement is one hazard at one level over some areas; a contribution is all that a chain's newest message states
about one district. Merging several chains' contributions is `merging.py`'s business.
"""

from collections.abc import Iterable, Sequence

from domain.areas import Area
from domain.levels import Level
from domain.messages import AgencyMessage
from domain.values import Language, Moment, Value


class MessageKey(Value):
    """What identifies a message in every feed: CAP's triple."""

    sender: str
    identifier: str
    sent: Moment

    def __str__(self) -> str:
        """The triple in the form of CAP's `references`."""
        return f"{self.sender},{self.identifier},{self.sent.isoformat()}"


def key_of(message: AgencyMessage) -> MessageKey:
    """A message's triple."""
    return MessageKey(sender=message.sender, identifier=message.identifier, sent=message.sent)


class Wording(Value):
    """An agency's own words in one language, byte for byte, with the station that signed them."""

    language: Language
    station: str
    event: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""


class Statement(Value):
    """One hazard at one level over areas of ours. `expires` is None only while a list shows it."""

    hazard: str
    level: Level
    areas: tuple[Area, ...]
    effective: Moment
    expires: Moment | None
    urgency: str = "Unknown"
    certainty: str = "Unknown"
    wordings: tuple[Wording, ...] = ()


class Contribution(Value):
    """All that a chain currently says about one district, as of its message `message`."""

    chain: str
    agency: str
    district: str
    message: MessageKey
    statements: tuple[Statement, ...]

    @property
    def expires(self) -> Moment | None:
        """When its last statement ends; None while one is listed."""
        ends = [statement.expires for statement in self.statements]
        return None if any(end is None for end in ends) else max((end for end in ends if end is not None), default=None)


def split_by_district(
    statements: Sequence[Statement], *, chain: str, agency: str, message: MessageKey
) -> tuple[Contribution, ...]:
    """One contribution for each district that the statements touch, in order of district code."""
    return tuple(
        Contribution(
            chain=chain,
            agency=agency,
            district=district,
            message=message,
            statements=tuple(_within(statements, district)),
        )
        for district in sorted({area.district for statement in statements for area in statement.areas})
    )


def _within(statements: Iterable[Statement], district: str) -> Iterable[Statement]:
    for statement in statements:
        areas = tuple(area for area in statement.areas if area.district == district)
        if areas:
            yield statement if areas == statement.areas else statement.model_copy(update={"areas": areas})
