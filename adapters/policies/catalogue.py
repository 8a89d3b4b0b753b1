"""The hazard catalogues that a policy may name in `catalogue`: data files beside this module, read into definitions.

What belongs here: reading the file. Which hazards an outlet uses, and how it overrides them, is its policy's.
"""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from types import MappingProxyType

from domain.hazards import HazardDefinition
from domain.levels import Level

WORD_SEPARATOR = "、"
LEVEL_SEPARATOR = ","


@cache
def catalogues() -> Mapping[str, Sequence[HazardDefinition]]:
    """Every shipped catalogue by name, each in order of its codes. `cn`: China's national eventType codes."""
    return MappingProxyType({"cn": _definitions("hazards_cn.tsv")})


def _definitions(name: str) -> tuple[HazardDefinition, ...]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
    return tuple(_definition(row) for row in rows)


def _definition(row: Mapping[str, str]) -> HazardDefinition:
    words = [row["name_official"], *row["words"].split(WORD_SEPARATOR)]
    return HazardDefinition(
        code=row["code"],
        names={"zh-CN": row["name_zh"], "en": row["name_en"]},
        category=row["category"],
        events=tuple(dict.fromkeys(word for word in words if word and word != row["name_zh"])),
        levels=tuple(Level(level) for level in row["levels"].split(LEVEL_SEPARATOR) if level),
        published_from=Level(row["published_from"]) if row["published_from"] else None,
        merges_into=row["merges_into"] or None,
    )
