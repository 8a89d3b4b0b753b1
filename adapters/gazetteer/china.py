"""China's divisions from the table in `data/`: provinces, cities, counties and townships.

What the table holds, and how it was made, stands in data/SOURCES.md.
"""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from types import MappingProxyType

from adapters.gazetteer.codes import CITY_DIGITS, DISTRICT_DIGITS, TOWNSHIP_DIGITS, ChineseCodes
from adapters.gazetteer.lookup import ShortNames
from adapters.gazetteer.places import Boundaries, TableGazetteer
from adapters.gazetteer.tree import ExtraPlace

NO_NAMES = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})
"""Names of the table's headings between a province and its counties; nobody means a place by them."""

_LARGER = {CITY_DIGITS: 2, DISTRICT_DIGITS: CITY_DIGITS, TOWNSHIP_DIGITS: DISTRICT_DIGITS, 12: TOWNSHIP_DIGITS}


def parent_of(code: str) -> str:
    """The code of the next larger division: the nesting of the codes is that of the places."""
    return code[: _LARGER.get(len(code), 0)]


@cache
def divisions() -> Mapping[str, str]:
    """Every division of China down to townships, name by code; headings have the empty name."""
    packed = resources.files("adapters.gazetteer").joinpath("data", "divisions.tsv.gz").read_bytes()
    rows = dict(line.split("\t") for line in gzip.decompress(packed).decode().splitlines())
    for code in [code for code, name in rows.items() if name in NO_NAMES]:
        rows[code] = ""
    return MappingProxyType(rows)


def china_gazetteer(
    *,
    districts: Sequence[str],
    extra_places: Iterable[ExtraPlace] = (),
    villages: Mapping[str, str] | None = None,
    boundaries: Boundaries | None = None,
    short_names: ShortNames = "districts",
    code_system: str = "CN-GB2260",
) -> TableGazetteer:
    """A gazetteer of the given districts (6-digit codes) and their townships.

    `code_system` is the name under which codes are published in CAP; `villages` are what `read_villages` gives,
    `boundaries` what `read_boundaries` gives.

    Raises:
        GazetteerError: with everything that does not fit the table.
    """
    return TableGazetteer(
        divisions(),
        parent_of=parent_of,
        districts=districts,
        codes=ChineseCodes(code_system),
        extra_places=extra_places,
        villages=villages,
        boundaries=boundaries,
        short_names=short_names,
    )
