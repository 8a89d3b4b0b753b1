"""The tree of places: which of them are ours, what lies within what, and what the outlet adds of its own.

What belongs here: codes and nesting. Names are read in `names`, claims in `places`.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from adapters.gazetteer.errors import refuse_if_any
from domain.areas import Area
from domain.values import Value


class ExtraPlace(Value):
    """A place that the outlet adds to the table. Its code is the outlet's own and must not be one of the table's.

    - A district of the outlet's own (`is_district`): a functional district whose parts lie in other divisions, which
      `covers` moves into it, or a sea area (`is_sea`), which is left out of "the whole city's land".
    - A name for several areas (`covers` without `is_district`): resolves to those areas, and is none itself; a
      spelling that the table does not have is such a name for one area. Its code may be empty.
    - A place inside a district (`within` without `covers`): a scenic area, a harbour.

    `within` is the code of the area that directly holds it: for a district the city, so that the city's code means
    it too (left out, the table's own nesting of codes decides); for a place inside a district, that district or one
    of its townships.
    """

    code: str = ""
    name: str
    within: str = ""
    aliases: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    is_district: bool = False
    is_sea: bool = False


class PlaceTree:
    """Our districts with all that lies inside and above them; the rest of the table is elsewhere."""

    def __init__(
        self,
        names: Mapping[str, str],
        *,
        parent_of: Callable[[str], str],
        districts: Sequence[str],
        extra_places: Iterable[ExtraPlace] = (),
        villages: Mapping[str, str] | None = None,
    ) -> None:
        """Build the tree from names by code; `parent_of` gives the code of the next larger division, or nothing.

        Raises:
            GazetteerError: with everything that does not fit: an unknown district, a code used twice, a place
                within or covering what is not known.
        """
        extras = tuple(extra_places)
        self.extra_districts = {place.code: place for place in extras if place.is_district}
        self.groups = tuple(place for place in extras if place.covers and not place.is_district)
        self.inner = {place.code: place for place in extras if not place.covers and not place.is_district}
        refuse_if_any([*_faults_of_districts(names, districts), *_faults_of_extras(names, districts, extras)])
        own = {**self.extra_districts, **self.inner}
        self._table = names
        self._names = {code: place.name for code, place in own.items()} | dict(villages or {})
        self._moved = {part: place.code for place in self.extra_districts.values() for part in place.covers}
        self._moved |= {code: place.within for code, place in own.items() if place.within}
        self._parent_of = parent_of
        self.sea = frozenset(code for code, place in self.extra_districts.items() if place.is_sea)
        self.districts = tuple(sorted({*districts, *self.extra_districts}))
        self.areas = self._areas()
        self._check_placed(villages or {})
        self.above = self._above()

    def name(self, code: str) -> str:
        """The name of any place of the table or of our own, empty when unknown."""
        return self._names.get(code) or self._table.get(code, "")

    def knows(self, code: str) -> bool:
        """Whether the code is one of the table's or of our own."""
        return code in self._names or code in self._table

    def parent(self, code: str) -> str:
        """The code of the next larger place, empty at the top."""
        return self._moved.get(code) or self._parent_of(code)

    def around(self, code: str) -> Iterator[str]:
        """The codes of every larger place around one, innermost first."""
        while code := self.parent(code):
            yield code

    def is_district(self, code: str) -> bool:
        """Whether the code is that of a district of ours."""
        area = self.areas.get(code)
        return area is not None and not area.within

    def _areas(self) -> dict[str, Area]:
        """Every place of ours by its code, each district before what lies inside it."""
        inside: dict[str, list[str]] = {}
        for code in (*self._table, *self._names):
            inside.setdefault(self.parent(code), []).append(code)
        found: dict[str, Area] = {}
        districts = frozenset(self.districts)
        for district in self.districts:
            waiting = deque([Area(code=district, name=self.name(district), district=district)])
            while waiting:
                area = waiting.popleft()
                found[area.code] = area
                around = (area.code, *area.within)
                waiting.extend(
                    Area(code=code, name=self.name(code), district=district, within=around)
                    for code in inside.get(area.code, ())
                    if code not in found and code not in districts
                )
        return found

    def _above(self) -> dict[str, tuple[str, ...]]:
        """The codes of places above our districts, each with the districts of ours that it holds."""
        found: dict[str, list[str]] = {}
        for district in self.districts:
            for code in self.around(district):
                found.setdefault(code, []).append(district)
        return {code: tuple(districts) for code, districts in found.items()}

    def _check_placed(self, villages: Mapping[str, str]) -> None:
        problems = [
            f"The extra place {place.code} {place.name} lies within {place.within}, which is not ours."
            for place in self.inner.values()
            if place.code not in self.areas
        ]
        problems += [
            f"The extra place {place.name} covers {code}, which is not ours."
            for place in self.groups
            for code in place.covers
            if code not in self.areas
        ]
        problems += [
            f"The village {code} {name} lies in none of our townships."
            for code, name in villages.items()
            if code not in self.areas
        ]
        refuse_if_any(problems)


def _faults_of_districts(names: Mapping[str, str], districts: Sequence[str]) -> Iterator[str]:
    for code, count in Counter(districts).items():
        if count > 1:
            yield f"The district {code} is named {count} times."
        if code not in names:
            yield f"The district {code} is not in the table."


def _faults_of_extras(
    names: Mapping[str, str], districts: Sequence[str], extras: Sequence[ExtraPlace]
) -> Iterator[str]:
    counted = Counter(place.code for place in extras if place.code)
    parts = Counter(code for place in extras if place.is_district for code in place.covers)
    for place in extras:
        label = f"The extra place {place.code} {place.name}"
        if not place.code and (place.is_district or not place.covers):
            yield f"{label} needs a code."
        if place.code in names or counted[place.code] > 1:
            yield f"{label} has a code that is already in use."
        if not (place.is_district or place.covers or place.within):
            yield f"{label} is no district, covers nothing and lies within nothing."
        if place.is_district and place.within and place.within not in names:
            yield f"{label} lies within {place.within}, which is not in the table."
        for code in place.covers if place.is_district else ():
            if code not in names:
                yield f"{label} takes in {code}, which is not in the table."
            if code in districts:
                yield f"{label} takes in {code}, which is a district of its own."
            if parts[code] > 1:
                yield f"{label} takes in {code}, and so does another."
