"""What agencies may say, drawn at random: chains in CAP's and in 12379's manner, joined, bent and in any order.

The expected outcome stands beside it as an independent model: what each chain says follows from the set of its
messages alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st

from domain.areas import AreaClaim
from domain.contributions import Contribution, key_of, split_by_district
from domain.interpretation import interpret
from domain.levels import Level
from domain.messages import AgencyMessage, Info, MessageType
from domain.policy import Policy
from tests.domain.builders import (
    AREAS,
    FLOOD,
    LAND,
    LANDSLIDE,
    RAIN,
    SKY,
    START,
    WATER,
    FakeGazetteer,
    claim,
    info,
    message,
)

AGENCIES = (WATER, LAND, SKY)
HAZARDS = (RAIN, LANDSLIDE, FLOOD)
SENDERS = {WATER: "330600332,00000", LAND: "33060099900000", SKY: "33060041600000"}

levels = st.sampled_from(Level)
hazards = st.sampled_from(HAZARDS)
claims: st.SearchStrategy[AreaClaim] = st.lists(
    st.sampled_from([area.code for area in AREAS]), min_size=1, max_size=3, unique=True
).map(lambda codes: claim(*codes))


@st.composite
def infos(draw: st.DrawFn, minute: float = 0) -> Info:
    """One info; a third of them has expired by the time the tests look."""
    hours = draw(st.sampled_from([0.2, 3, 24]))
    sent = START + timedelta(minutes=minute)
    return info(draw(hazards), draw(levels), hours=hours, sent=sent, areas=(draw(claims),))


@dataclass(frozen=True)
class Said:
    """A message and the agency that said it."""

    agency: str
    message: AgencyMessage


@st.composite
def chains(draw: st.DrawFn, number: int) -> list[Said]:
    """One agency's chain: an alert, updates and perhaps a cancel, referencing in CAP's or in 12379's manner."""
    agency = draw(st.sampled_from(AGENCIES))
    names_the_first = draw(st.booleans())
    said: list[Said] = []
    for place in range(draw(st.integers(1, 4))):
        minute = place + draw(st.sampled_from([0, 0, 0, -1, 1]))  # clocks differ; some messages share a second
        ids = [one.message.identifier for one in said]
        refs: list[str | tuple[str, str]] = []
        if ids and names_the_first:
            refs = [ids[0]]
        elif ids:
            refs = [(SENDERS[agency], ref) for ref in draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))]
        cancels = bool(ids) and draw(st.integers(0, 3)) == 0
        blocks = [] if cancels else draw(st.lists(infos(minute), min_size=1, max_size=2))
        one = message(
            f"{draw(st.integers(0, 2))}-{number}-{place}", *blocks, refs=refs, minute=minute, sender=SENDERS[agency]
        )
        said.append(Said(agency, one))
    return said


@st.composite
def wild_messages(draw: st.DrawFn) -> Said:
    """A message that references whatever it likes: itself, what never came, another's, each other in a ring."""
    agency = draw(st.sampled_from(AGENCIES))
    names = st.sampled_from([f"wild-{number}" for number in range(5)] + ["0-0-0", "1-0-1", "never"])
    identifier = draw(st.sampled_from([f"wild-{number}" for number in range(5)]))
    refs = draw(st.lists(names, max_size=3, unique=True))
    kind = draw(st.sampled_from([MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL]))
    blocks = [] if kind is MessageType.CANCEL else [draw(infos())]
    return Said(
        agency,
        message(identifier, *blocks, refs=refs, kind=kind, minute=draw(st.integers(0, 4)), sender=SENDERS[agency]),
    )


@st.composite
def conversations(draw: st.DrawFn) -> list[Said]:
    """Several agencies' chains, some joined by a message that references two, some with messages that never came."""
    said: list[Said] = []
    for number in range(draw(st.integers(1, 4))):
        said += draw(chains(number))
    if draw(st.booleans()):
        joiner = draw(st.sampled_from(said))
        own = [one.message.identifier for one in said if one.agency == joiner.agency]
        refs = draw(st.lists(st.sampled_from(own), min_size=1, max_size=3, unique=True))
        blocks = draw(st.lists(infos(9), max_size=1))
        said.append(Said(joiner.agency, message("joiner", *blocks, refs=refs, minute=9, sender=SENDERS[joiner.agency])))
    said += draw(st.lists(wild_messages(), max_size=3))
    lost = draw(st.sets(st.integers(0, len(said) - 1), max_size=2))
    kept = [one for place, one in enumerate(said) if place not in lost]
    return _one_of_each(kept)


def _one_of_each(said: Iterable[Said]) -> list[Said]:
    """One message for each triple: two with the same triple are a conflict, in which the first to come stands."""
    found: dict[object, Said] = {}
    for one in said:
        found.setdefault((one.agency, str(key_of(one.message))), one)
    return list(found.values())


def contributions_of(said: Sequence[Said], policy: Policy) -> dict[tuple[str, str], Contribution]:
    """By (chain's members, district): what the chains say in the end, reckoned from the set of messages alone."""
    result: dict[tuple[str, str], Contribution] = {}
    for agency in AGENCIES:
        own = [one.message for one in said if one.agency == agency]
        for group in _connected(own):
            head = _head(group)
            if head is None or head.message_type is MessageType.CANCEL:
                continue
            meaning = interpret(head, agency_id=agency, policy=policy, gazetteer=FakeGazetteer(), now=START)
            for part in split_by_district(meaning.statements, chain="", agency=agency, message=key_of(head)):
                result[f"{agency} {key_of(head)}", part.district] = part
    return result


def _names(one: AgencyMessage) -> set[tuple[str, str]]:
    return {(ref.sender or one.sender, ref.identifier) for ref in one.references}


def _node(one: AgencyMessage) -> tuple[str, str]:
    return (one.sender, one.identifier)


def _connected(messages: Sequence[AgencyMessage]) -> list[list[AgencyMessage]]:
    groups: list[tuple[set[tuple[str, str]], list[AgencyMessage]]] = []
    for one in messages:
        nodes = {_node(one), *_names(one)}
        touched = [group for group in groups if group[0] & nodes]
        groups = [group for group in groups if not group[0] & nodes]
        groups.append((nodes.union(*(t[0] for t in touched)), [one, *(m for t in touched for m in t[1])]))
    return [members for _, members in groups]


def _head(group: Sequence[AgencyMessage]) -> AgencyMessage | None:
    """The newest message that no other names; of all, where each is named. None while nothing but cancels came."""
    if all(one.message_type is MessageType.CANCEL for one in group):
        return None
    named = {node for one in group for node in _names(one) if node != _node(one)}
    rank = [MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL].index
    by_node: dict[tuple[str, str], AgencyMessage] = {}
    for one in sorted(group, key=lambda m: (m.sent, rank(m.message_type))):
        by_node[_node(one)] = one
    candidates = [one for node, one in by_node.items() if node not in named] or list(by_node.values())
    return max(candidates, key=lambda m: (m.sent, rank(m.message_type), m.identifier))
