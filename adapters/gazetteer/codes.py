"""Code systems: what a CAP geocode says in the gazetteer's own codes, and what a place is published under.

What belongs here: the form of codes. Whether a code is known, and where it lies, is the tree's.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from domain.areas import Geocode
from domain.values import Value

CHINESE_DIGITS = 12
CITY_DIGITS = 4
DISTRICT_DIGITS = 6
TOWNSHIP_DIGITS = 9

_CHINESE_CODE = re.compile(r"(?:\d{2}|\d{4}|\d{6}|\d{9}|\d{12})", re.ASCII)


class CodeSystem(Protocol):
    """How senders write the codes of one country's places."""

    def read(self, geocode: Geocode, known: Callable[[str], bool]) -> tuple[str, ...]:
        """The own codes that a geocode stands for, whether known or not; empty when it is none of this system's."""
        ...

    def holds(self, geocode: Geocode) -> bool:
        """Whether the geocode's system is one that this gazetteer keeps codes of."""
        ...

    def finer(self, code: str) -> str:
        """The own code of the area around a code that is finer than any table, empty when there is none."""
        ...

    def published(self, code: str) -> tuple[tuple[str, str], ...]:
        """(system, code) pairs under which CAP shall name the place with this own code."""
        ...


class ChineseCodes:
    """Division codes after GB/T 2260 and the statistical codes below it, 2, 4, 6, 9 or 12 digits.

    Senders name the system as they like (`12379`, `areaCode`, …), so the name is not looked at. Trailing zeros say
    the level: 330602000000 is the county 330602, 330600000000 the city 3306.
    """

    def __init__(self, name: str = "CN-GB2260") -> None:
        """Keep the name under which codes are published."""
        self._name = name

    def read(self, geocode: Geocode, known: Callable[[str], bool]) -> tuple[str, ...]:
        """The code without the zeros that only fill it up."""
        value = geocode.value.strip()
        if not _CHINESE_CODE.fullmatch(value):
            return ()
        if len(value) == CHINESE_DIGITS and value.endswith("000"):
            value = value[:TOWNSHIP_DIGITS]
        if len(value) == TOWNSHIP_DIGITS and value.endswith("000"):
            value = value[:DISTRICT_DIGITS]
        # Cities without counties (441900, Dongguan) repeat their own code as that of their one county.
        while len(value) in {DISTRICT_DIGITS, CITY_DIGITS} and value.endswith("00") and not known(value):
            value = value[:-2]
        return (value,)

    def holds(self, geocode: Geocode) -> bool:  # noqa: ARG002  (the Protocol asks with it)
        """Any system may carry a division code: the form decides."""
        return True

    def finer(self, code: str) -> str:
        """A village's township."""
        return code[:TOWNSHIP_DIGITS] if len(code) == CHINESE_DIGITS else ""

    def published(self, code: str) -> tuple[tuple[str, str], ...]:
        """The code filled up to 12 digits, as 12379 writes it."""
        return ((self._name, code.ljust(CHINESE_DIGITS, "0")),)


class PublishedCode(Value):
    """A code that a data set gives for one of its places: the system as CAP names it, and the code in it."""

    system: str
    value: str


class ListedCodes:
    """Codes in any systems, exactly as a data set lists them for each place; nothing is derived."""

    def __init__(self, listed: Mapping[str, Sequence[PublishedCode]], own_system: str = "") -> None:
        """Keep the codes listed by own code; `own_system` names the system of the own codes, if senders use them."""
        self._listed = {code: tuple(codes) for code, codes in listed.items()}
        self._own_system = own_system.casefold()
        self._codes: dict[tuple[str, str], tuple[str, ...]] = {}
        for code, codes in self._listed.items():
            for item in codes:
                spelled = (item.system.casefold(), item.value.casefold())
                self._codes[spelled] = (*self._codes.get(spelled, ()), code)
        self._systems = {system for system, _ in self._codes} | ({self._own_system} if own_system else set())

    def read(self, geocode: Geocode, known: Callable[[str], bool]) -> tuple[str, ...]:
        """Every place that lists this code in this system; upper and lower case are the same."""
        system, value = geocode.name.strip().casefold(), geocode.value.strip()
        if self._own_system and system == self._own_system and known(value):
            return (value,)
        return self._codes.get((system, value.casefold()), ())

    def holds(self, geocode: Geocode) -> bool:
        """Whether any place lists a code in this system."""
        return geocode.name.strip().casefold() in self._systems

    def finer(self, code: str) -> str:  # noqa: ARG002  (the Protocol asks with it)
        """Nothing: a code that is not listed is not known."""
        return ""

    def published(self, code: str) -> tuple[tuple[str, str], ...]:
        """The listed codes."""
        return tuple((item.system, item.value) for item in self._listed.get(code, ()))
