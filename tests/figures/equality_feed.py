"""What three kinds of outlet are fed to see whether they come to the same: waves in which no two messages meet.

Between two waves everything is taken through and the clock goes on. Within a wave no district and no chain is touched
twice, so the order in which its messages are merged is nobody's choice: each stream must be the same, event for event.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.streams.messages import cap

MINUTES = 10
"""Between two waves."""

HAZARDS = {
    "water": ("11A51", "11A01", "11A03"),
    "meteorology": ("11B03", "11B01", "11A51", "11B37"),
    "natural-resources": ("11B37", "11D01"),
}
LEVELS = ("blue", "yellow", "orange", "red")
REPEATED = 0.03


@dataclass(frozen=True)
class Fed:
    """One message: the agency whose topic it is produced to, and its bytes."""

    agency: str
    content: bytes


@dataclass
class Chain:
    """A chain that goes on, with all districts that it has touched and the messages it still has to send."""

    name: str
    agency: str
    hazard: str
    districts: tuple[str, ...]
    left: list[str]
    sent: list[tuple[str, float]] = field(default_factory=list)


def waves(count: int, districts: Sequence[str], seed: int) -> Iterator[tuple[float, list[Fed]]]:
    """About `count` messages as (minute, wave): alerts, updates that change level and area, cancels, repetitions."""
    random = Random(seed)
    going: list[Chain] = []
    fed = number = wave = 0
    earlier: list[tuple[set[str], Fed]] = []
    while fed < count:
        minutes = float(wave * MINUTES)
        touched: set[str] = set()
        some: list[Fed] = []
        random.shuffle(going)
        for _ in range(max(1, len(districts) // 2)):
            number += 1
            going.append(_begun(random, number, districts))
        for chain in going:
            area = set(chain.districts)
            if area & touched or not chain.left:
                continue
            touched |= area
            one = _next(random, chain, minutes)
            some.append(one)
            if random.random() < REPEATED:
                earlier.append((area, one))
        while earlier and not earlier[0][0] & touched:
            area, one = earlier.pop(0)
            touched |= area
            some.append(one)
        going = [chain for chain in going if chain.left]
        some = some[: count - fed]
        fed += len(some)
        wave += 1
        yield minutes, some


def _begun(random: Random, number: int, districts: Sequence[str]) -> Chain:
    agency = random.choice(tuple(HAZARDS))
    kinds = ["Alert", *["Update"] * random.randint(0, 2), *["Cancel"] * random.randint(0, 1)]
    within = tuple(random.sample(districts, random.randint(1, 3)))
    return Chain(f"c{number}", agency, random.choice(HAZARDS[agency]), within, kinds)


def _next(random: Random, chain: Chain, minutes: float) -> Fed:
    kind = chain.left.pop(0)
    name = f"{chain.name}-{len(chain.sent)}"
    codes = (
        chain.districts
        if kind == "Alert"
        else tuple(random.sample(chain.districts, random.randint(1, len(chain.districts))))
    )
    content = cap(
        name,
        agency=chain.agency,
        minutes=minutes,
        kind=kind,
        hazard=chain.hazard,
        level=random.choice(LEVELS),
        codes=codes,
        references=tuple(chain.sent),
        hours=random.choice((1, 2, 6, 24)),
        text=f"{kind} {name}",
    )
    chain.sent.append((name, minutes))
    return Fed(chain.agency, content)
