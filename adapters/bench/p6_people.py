"""A made-up province of a million recipients: as the audience's index, and as bare numpy columns beside it.

Their numbers are dealt without regard to where they live, which is the worst case for bitmaps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from adapters.audience.part import AudiencePart
from adapters.audience.places import Places
from adapters.audience.table import Column, Floats, RecipientTable
from adapters.audience.view import AudienceView, CountedPart
from adapters.gazetteer.china import china_gazetteer, divisions
from adapters.gazetteer.codes import TOWNSHIP_DIGITS
from adapters.gazetteer.from_policy import counties_of
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import EVERY_HAZARD, ChannelKind

V = TypeVar("V")

PROVINCE = "33"
PEOPLE = 1_000_000
HAZARD = "11B03"
LEVEL = Level.YELLOW
HAZARDS = ((EVERY_HAZARD,), ("11A51", HAZARD), ("11B01",), ("11D01",))
SHARES = (0.4, 0.2, 0.2, 0.2)
TOWNS = 120
WEST, EAST, SOUTH, NORTH = 118.0, 123.0, 27.0, 31.2


@dataclass(frozen=True, slots=True)
class Columns:
    """What one bare pass reads: of hazards a bit each, of codes a small number, for which a table can be looked up."""

    longitudes: Floats
    latitudes: Floats
    codes: NDArray[np.uint16]
    hazards: NDArray[np.uint32]
    level: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Province:
    """Both sides of the same people, and the townships' codes."""

    view: AudienceView
    columns: Columns
    townships: Sequence[str]


def province(count: int = PEOPLE, *, with_points: bool, radii_km: Sequence[float] = (0.0,)) -> Province:
    """So many recipients: with a point each, or entered for a township each."""
    chance = np.random.default_rng(67)
    counties = counties_of([PROVINCE])
    gazetteer = china_gazetteer(districts=counties)
    townships = [code for code in divisions() if len(code) == TOWNSHIP_DIGITS and code.startswith(counties)]
    codes = chance.integers(0, len(townships), count).astype(np.uint16)
    hazards = chance.choice(len(HAZARDS), count, p=SHARES).astype(np.uint32)
    levels = chance.integers(0, len(Level), count).astype(np.uint32)
    towns = np.column_stack((chance.uniform(WEST, EAST, TOWNS), chance.uniform(SOUTH, NORTH, TOWNS)))
    homes = towns[chance.integers(0, TOWNS, count)] + chance.normal(0, 0.08, (count, 2))
    scattered = chance.random(count) < 0.5  # noqa: PLR2004 -- half in towns, half anywhere
    anywhere = np.column_stack((chance.uniform(WEST, EAST, count), chance.uniform(SOUTH, NORTH, count)))
    homes = np.where(scattered[:, None], anywhere, homes)
    radii = chance.choice(np.asarray(radii_km), count)
    rows = count if with_points else 0
    table = RecipientTable(
        mode=Mode.LIVE,
        numbers=np.arange(1, count + 1, dtype=np.uint32),
        rosters=_one("residents", count),
        roles=_one("resident", count),
        languages=_one("zh-CN", count),
        areas=_one((), count) if with_points else Column(tuple((c,) for c in townships), codes.astype(np.uint32)),
        hazards=Column(HAZARDS, hazards),
        levels=Column(tuple(Level), levels),
        channels=_one((ChannelKind.SMS,), count),
        circle_rows=np.arange(rows, dtype=np.uint32),
        circles=np.column_stack((homes[:rows, 1], homes[:rows, 0], radii[:rows])),
    )
    places = Places(gazetteer)
    bits = np.array([bits_of(words) for words in HAZARDS], dtype=np.uint32)[hazards]
    columns = Columns(homes[:, 0].copy(), homes[:, 1].copy(), codes, bits, levels.astype(np.uint8))
    return Province(AudienceView(0, [CountedPart(AudiencePart(table, places))], places), columns, townships)


def _one(value: V, count: int) -> Column[V]:
    """A column in which all say the same."""
    return Column((value,), np.zeros(count, dtype=np.uint32))


def bits_of(hazards: Sequence[str]) -> np.uint32:
    """A bit for each hazard; all bits for every hazard."""
    known = sorted({word for words in HAZARDS for word in words if word != EVERY_HAZARD})
    every = 2**32 - 1
    return np.uint32(sum(every if word == EVERY_HAZARD else 1 << known.index(word) for word in hazards))


def hearing(columns: Columns) -> NDArray[np.bool_]:
    """Whose hazard and level it is: the same pass for both figures."""
    hear: NDArray[np.bool_] = ((columns.hazards & bits_of((HAZARD,))) != 0) & (columns.level <= LEVEL.rank)
    return hear
