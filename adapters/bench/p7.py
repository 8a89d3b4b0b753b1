"""P7: who gets it, by 300 division codes among a million recipients, beside a bare numpy pass over all of them.

The bare pass is given the fastest form there is: each recipient's code as a small whole number, and the wanted ones as
a table that it is looked up in. (`np.isin` on codes of nine digits takes many times as long.) It finds who is entered
for the very codes; ours also looks around and below each. Once before the rounds both find the same people.
"""

import time
from collections.abc import Sequence
from statistics import median

import numpy as np
from pyroaring import FrozenBitMap

from adapters.audience.people import Numbers, people_of
from adapters.bench.p6_people import HAZARD, LEVEL, PEOPLE, Province, hearing, province
from adapters.bench.row import Row
from adapters.gazetteer.china import parent_of
from domain.messages import Mode
from domain.sections import AreaLevel

CODES = 300
REPEATS = 50
MOST = 0.2


def measure(rounds: int = 5, *, people: int = PEOPLE) -> list[Row]:
    """P7's figure."""
    side = province(people, with_points=False)
    chosen = np.sort(np.random.default_rng(7).choice(len(side.townships), CODES, replace=False))
    codes = [side.townships[place] for place in chosen.tolist()]
    areas = [AreaLevel(code=code, name=code, level=LEVEL, within=(parent_of(code),)) for code in codes]
    wanted = np.zeros(len(side.townships), dtype=bool)
    wanted[chosen] = True
    if ours(side, areas) != people_of(bare(side, wanted)):
        raise AssertionError("both sides do not find the same people")
    ratios = [_ratio(side, areas, wanted) for _ in range(rounds)]
    return [
        Row(
            id="P7",
            measure=f"who gets it: {CODES} division codes × {people:,} recipients",
            beside="one bare numpy pass (code by look-up table, hazard, level)",
            ratio=median(ratios),
            goal=1 / MOST,
            rounds=tuple(ratios),
            note=f"{len(ours(side, areas)):,} people; the goal is {MOST:g} of its time",
        )
    ]


def ours(side: Province, areas: Sequence[AreaLevel]) -> FrozenBitMap:
    """Whom one of the areas concerns, who is to hear of the hazard, and from this level on."""
    view = side.view
    return view.concerned(Mode.LIVE, areas) & view.wanting(HAZARD) & view.from_level(LEVEL)


def bare(side: Province, wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Numbers:
    """The numbers of those entered for a wanted code, by one pass over the columns."""
    return (np.flatnonzero(wanted[side.columns.codes] & hearing(side.columns)) + 1).astype(np.uint32)


def _ratio(side: Province, areas: Sequence[AreaLevel], wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    """One round: each side some times, in turn."""
    started = time.perf_counter()
    for _ in range(REPEATS):
        ours(side, areas)
    between = time.perf_counter()
    for _ in range(REPEATS):
        bare(side, wanted)
    return (time.perf_counter() - between) / (between - started)
