"""A night's feed for R1: chains of several agencies, districts and formats, and what clients keep to when sending them.

No message ends by the clock while the figure runs, and none waits for a message that never comes: then what is in
force at the end depends on the messages alone, and two runs can be held against each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.adapters.http.messages import zipped
from tests.streams.messages import SENDER_CODES, cap, cn12379
from tests.streams.traffic import CITY, DISTRICTS, HAZARDS, LEVELS, TOWNSHIPS

LASTING_HOURS = 24 * 365 * 30
"""Far beyond any run of this figure."""

LASTING_MESSAGES = 200
"""The last ones of a feed, half of whose chains are left in force. Earlier chains all end: every release names all
earlier ones of its episode, and one episode of a whole run would make them larger than any real night's."""


@dataclass(frozen=True)
class Letter:
    """One message as bytes, and the agency that posts it."""

    agency: str
    content: bytes


def feed(seed: int, count: int) -> list[list[Letter]]:
    """So many messages as conversations: within one the order of sending is kept, between them there is none."""
    random = Random(seed)
    conversations: list[list[Letter]] = []
    left = count
    number = 0
    while left > 0:
        stays = left < LASTING_MESSAGES and random.random() < 0.5
        conversation = _conversation(random, number, stays=stays)[:left]
        conversations.append(conversation)
        left -= len(conversation)
        number += 1
    return conversations


def for_clients(conversations: Sequence[Sequence[Letter]], clients: int) -> list[list[Letter]]:
    """Who sends what: conversations are dealt out in turn."""
    return [
        [letter for conversation in conversations[client::clients] for letter in conversation]
        for client in range(clients)
    ]


def _conversation(random: Random, number: int, *, stays: bool) -> list[Letter]:
    agency = random.choice(tuple(HAZARDS))
    letters = [Letter(agency, content) for content in _chain(random, agency, number, stays=stays)]
    if random.random() < 0.15:  # what was lost on the way back is sent again, also long after
        letters.append(random.choice(letters))
    if random.random() < 0.1:
        letters.insert(random.randrange(len(letters) + 1), Letter(agency, _useless(random, agency, number)))
    if random.random() < 0.1 and len(letters) > 1:  # an update overtakes its alert
        letters[0], letters[1] = letters[1], letters[0]
    return letters


def _chain(random: Random, agency: str, number: int, *, stays: bool) -> Iterator[bytes]:
    """An alert, updates, and the cancel unless the warning stays."""
    is_cn12379 = agency in SENDER_CODES and random.random() < 0.4
    status = "Exercise" if random.random() < 0.1 else "Actual"
    hazard = random.choice(HAZARDS[agency])
    kinds = ["Alert", *["Update"] * random.randint(0, 3), *([] if stays else ["Cancel"])]
    earlier: list[tuple[str, float]] = []
    for place, kind in enumerate(kinds):
        minutes = float(number + 7 * place)
        level = random.choice(LEVELS)
        codes = (CITY,) if random.random() < 0.03 else tuple(random.sample((*DISTRICTS, *TOWNSHIPS), 2))
        text = f"message {place} of chain {number}"
        if is_cn12379:
            name = f"{SENDER_CODES[agency]}_{20220913000000 + number * 10 + place}"
            content = cn12379(
                name,
                agency=agency,
                minutes=minutes,
                kind=kind,
                status=status,
                hazard=hazard,
                level=level,
                codes=codes,
                first=earlier[0][0] if earlier else "",
                hours=LASTING_HOURS,
                text=text,
            )
            content = zipped(content, f"{name}.XML") if random.random() < 0.3 else content
        else:
            name = f"c{number}-{place}"
            content = cap(
                name,
                agency=agency,
                minutes=minutes,
                kind=kind,
                status=status,
                hazard=hazard,
                level=level,
                codes=codes,
                references=tuple(earlier),
                hours=LASTING_HOURS,
                text=text,
            )
        earlier.append((name, minutes))
        yield content


def _useless(random: Random, agency: str, number: int) -> bytes:
    """A message that must be refused, each time with the same answer."""
    whole = cap(f"useless-{number}", agency=agency, minutes=number, hazard=HAZARDS[agency][0], hours=LASTING_HOURS)
    return random.choice(
        (
            whole[: random.randint(1, len(whole) - 10)],
            whole.replace(b"330604", b"440304"),
            whole.replace(b"@shaoxing.example", b"@nobody.example"),
        )
    )
