"""A seeded stream of what agencies send in a bad night, and what the way to us does to it.

Chains of several agencies, hazards and places, in CAP's manner and in 12379's, live and drill, with updates,
cancels, messages that never came and messages nobody can use. Only bytes are made here; nothing is judged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.streams.messages import SENDER_CODES, SENDERS, cap, cn12379

DISTRICTS = ("330602", "330603", "330604", "330624", "330681", "330683")
TOWNSHIPS = ("330604001", "330604101", "330602001", "330681001", "330683001", "330603001")
CITY = "330600"
HAZARDS = {
    "water": ("11A51", "11A01", "11A03"),
    "meteorology": ("11B03", "11B01", "11A51", "11B37"),
    "natural-resources": ("11B37", "11D01"),
}
LEVELS = ("blue", "yellow", "orange", "red")


@dataclass(frozen=True)
class Sent:
    """One message as bytes: when its sender sent it, and the chain it belongs to (empty for a useless one)."""

    minutes: float
    chain: str
    kind: str
    content: bytes
    live: bool = True


def _codes(random: Random) -> tuple[str, ...]:
    if random.random() < 0.05:
        return (CITY,)
    return tuple(random.sample((*DISTRICTS, *TOWNSHIPS), random.randint(1, 3)))


def _chain(random: Random, number: int, begins: float) -> Iterator[Sent]:
    """A first message, updates, perhaps a cancel. Some first messages got lost, some chains end by the clock."""
    agency = random.choice(tuple(HAZARDS))
    is_cn12379 = agency in SENDER_CODES and random.random() < 0.5
    status = "Exercise" if random.random() < 0.1 else "Actual"
    hazard = random.choice(HAZARDS[agency])
    kinds = ["Alert", *["Update"] * random.randint(0, 3), *["Cancel"] * random.randint(0, 1)]
    minutes, earlier = begins, list[tuple[str, float]]()
    for place, kind in enumerate(kinds):
        name = f"{SENDER_CODES[agency]}_{20220913000000 + number * 10 + place}" if is_cn12379 else f"c{number}-{place}"
        fields = {
            "agency": agency,
            "minutes": minutes,
            "kind": kind,
            "status": status,
            "hazard": hazard,
            "level": random.choice(LEVELS),
            "codes": _codes(random),
            "hours": random.choice((0.5, 1, 2, 6, 24)),
            "text": f"message {place} of chain {number}",
        }
        if is_cn12379:
            content = cn12379(name, first=earlier[0][0] if earlier else "", **fields)  # type: ignore[arg-type]
        else:
            named = earlier[-1:] if random.random() < 0.7 else earlier
            content = cap(name, references=tuple(named), **fields)  # type: ignore[arg-type]
        earlier.append((name, minutes))
        if place == 0 and len(kinds) > 1 and random.random() < 0.1:
            pass  # lost on the way: its updates speak after the wait, its cancel ends nothing
        else:
            yield Sent(minutes, f"{agency}/{number}", kind, content, live=status == "Actual")
        minutes = round(minutes + random.uniform(1, 90))


def _useless(random: Random, minutes: float) -> Sent:
    """A message that must be refused: torn, outside, beyond the remit, of nobody we know."""
    whole = cap(f"useless-{minutes}", minutes=minutes)
    content = random.choice(
        (
            whole[: random.randint(1, len(whole) - 10)],
            cap(f"useless-{minutes}", minutes=minutes, codes=("440304",)),
            cap(f"useless-{minutes}", minutes=minutes, agency="water", hazard="11B01"),
            whole.replace(SENDERS["meteorology"].encode(), b"nobody@example.org"),
        )
    )
    return Sent(minutes, "", "Alert", content)


def traffic(seed: int, count: int) -> list[Sent]:
    """About so many messages, in the order in which they were sent."""
    random = Random(seed)
    sent: list[Sent] = []
    number = 0
    while len(sent) < count:
        begins = float(random.randint(0, 4 * count))
        sent += [_useless(random, begins)] if random.random() < 0.03 else _chain(random, number, begins)
        number += 1
    return sorted(sent, key=lambda one: one.minutes)[:count]


def disturbed(sent: Sequence[Sent], seed: int, *, repeated: float, moved: float, window: int = 20) -> list[Sent]:
    """The same messages with a share of them coming again, and a share up to `window` places early or late."""
    random = Random(seed)
    places: list[tuple[float, Sent]] = []
    for place, one in enumerate(sent):
        here = place + random.uniform(-window, window) if random.random() < moved else float(place)
        places.append((here, one))
        if random.random() < repeated:
            places.append((here + random.uniform(0, window), replace(one)))
    return [one for _, one in sorted(places, key=lambda pair: pair[0])]
