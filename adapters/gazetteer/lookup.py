"""Which of our places a name means: full names first, then words for the whole, then short names.

A name that could mean two places means neither. What does not belong here: codes and shapes.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from adapters.gazetteer.names import ABOVE_KINDS, DISTRICT_KINDS, TOWNSHIP_KINDS, key, stem, village_key
from adapters.gazetteer.tree import PlaceTree

ShortNames = Literal["districts", "townships"]
"""Which wins when a name without its kind fits both a district and a township of it: 上虞 the district 上虞区 in one
city, 龙岗 the township 龙岗街道 in another."""

WHOLE = frozenset({"全市", "全省", "全境", "全域", "全市范围", "全市各地"})
WHOLE_LAND = frozenset({"全市陆地", "全市陆域"})
WHOLE_SEA = frozenset({"全市海域", "全市海区"})
WHOLE_OF_ONE = frozenset({"全区", "全县", "全旗", "全镇", "全街道", "全乡", "全村"})
LONGEST_NAME = 80
"""Longer text is a description, and taking it apart would only cost time."""

_ABOVE, _DISTRICT, _TOWNSHIP, _VILLAGE = range(4)
_FULL_NAME_ORDER = (_DISTRICT, _ABOVE, _TOWNSHIP, _VILLAGE)
_SHORT_NAME_ORDER = {
    "districts": (_DISTRICT, _TOWNSHIP, _ABOVE),
    "townships": (_TOWNSHIP, _DISTRICT, _ABOVE),
}
_KINDS = {_ABOVE: ABOVE_KINDS, _DISTRICT: DISTRICT_KINDS, _TOWNSHIP: TOWNSHIP_KINDS}


class NameLookup:
    """Finds our places by name."""

    def __init__(self, tree: PlaceTree, *, short_names: ShortNames) -> None:
        """Index the names of all our places, of those above them, and of the outlet's own."""
        self._tree = tree
        self._order = _SHORT_NAME_ORDER[short_names]
        self._full: dict[str, list[str]] = {}
        self._short: dict[str, list[str]] = {}
        self._groups: dict[str, tuple[str, ...]] = {}
        for code in (*tree.above, *tree.areas):
            self._index(code, tree.name(code))
        for place in (*tree.extra_districts.values(), *tree.inner.values()):
            for alias in place.aliases:
                self._add(self._full, key(alias), place.code)
        for place in tree.groups:
            for name in (place.name, *place.aliases):
                self._groups[key(name)] = place.covers

    def find(self, name: str) -> tuple[str, ...]:
        """The codes that a name means, ours or above ours; empty when it means none, or could mean several."""
        spelled = key(name)
        return self._find(spelled, "") if 0 < len(spelled) <= LONGEST_NAME else ()

    def is_one_of_ours(self, name: str) -> bool:
        """Whether any place of ours bears the name, so that it is not looked for elsewhere if it could mean several."""
        spelled = key(name)
        return spelled in self._full or spelled in self._short

    def find_by_former_kind(self, name: str) -> tuple[str, ...]:
        """The one district of this name and another kind (上虞市 for 上虞区), for names that are known nowhere."""
        return self._by_stem(stem(key(name), DISTRICT_KINDS), "", (_DISTRICT,))

    def _index(self, code: str, name: str) -> None:
        rank = self._rank(code)
        self._add(self._full, village_key(name) if rank == _VILLAGE else key(name), code)
        if rank in _KINDS:
            self._add(self._short, stem(key(name), _KINDS[rank]), code)

    @staticmethod
    def _add(index: dict[str, list[str]], spelled: str, code: str) -> None:
        if spelled and code not in index.setdefault(spelled, []):
            index[spelled].append(code)

    def _rank(self, code: str) -> int:
        area = self._tree.areas.get(code)
        return _ABOVE if area is None else min(_DISTRICT + len(area.within), _VILLAGE)

    def _find(self, spelled: str, scope: str) -> tuple[str, ...]:
        """The codes that a key means inside a place already named before it (`scope`), or anywhere."""
        exact = self._choose(self._full.get(spelled, ()), scope, _FULL_NAME_ORDER)
        exact = exact or self._choose(self._full.get(village_key(spelled), ()), scope, (_VILLAGE,))
        return (
            exact
            or self._whole(spelled, scope)
            or self._by_stem(spelled, scope, self._order)
            or self._by_stem(stem(spelled, TOWNSHIP_KINDS), scope, (_TOWNSHIP,))
            or self._stacked(spelled, scope)
        )

    def _whole(self, spelled: str, scope: str) -> tuple[str, ...]:
        """What a name for several places, or a word for all of them, means inside the place named before it."""
        tree = self._tree
        if spelled in self._groups:
            covers = self._groups[spelled]
            return covers if not scope or all(scope in tree.around(code) for code in covers) else ()
        if scope and (spelled in WHOLE or spelled in WHOLE_OF_ONE):
            return (scope,)
        districts = tree.above.get(scope, ()) if scope else tree.districts
        if spelled in WHOLE or (spelled in WHOLE_OF_ONE and len(districts) == 1):
            return districts
        if spelled in WHOLE_LAND:
            return tuple(code for code in districts if code not in tree.sea)
        return tuple(code for code in districts if code in tree.sea) if spelled in WHOLE_SEA else ()

    def _by_stem(self, short: str, scope: str, order: tuple[int, ...]) -> tuple[str, ...]:
        return self._choose(self._short.get(short, ()), scope, order)

    def _stacked(self, spelled: str, scope: str) -> tuple[str, ...]:
        """A larger place's name before a smaller one's: 绍兴市越城区东浦街道, the longest name in front first."""
        for length in range(len(spelled) - 1, 1, -1):
            front, rest = spelled[:length], spelled[length:]
            holders = self._choose(self._full.get(front, ()), scope, _FULL_NAME_ORDER)
            holders = holders or self._by_stem(front, scope, (_DISTRICT, _ABOVE))
            if holders and (found := self._find(rest, holders[0])):
                return found
        return ()

    def _choose(self, codes: Iterable[str], scope: str, order: tuple[int, ...]) -> tuple[str, ...]:
        """The one code of the first rank that has any; none when that rank has several."""
        by_rank: dict[int, list[str]] = {}
        for code in codes:
            if not scope or scope in self._tree.around(code):
                by_rank.setdefault(self._rank(code), []).append(code)
        for rank in order:
            if rank in by_rank:
                return (by_rank[rank][0],) if len(by_rank[rank]) == 1 else ()
        return ()


class ElsewhereNames:
    """Knows by its full official name a place of the table that is not ours, also with larger ones before it."""

    def __init__(self, names: Mapping[str, str], tree: PlaceTree) -> None:
        """Keep the table; it is indexed when a name is first asked for, since most outlets never meet one."""
        self._names = names
        self._tree = tree
        self._codes: dict[str, list[str]] = {}

    def holds(self, name: str) -> bool:
        """Whether the name is that of a place elsewhere."""
        spelled = key(name)
        if len(spelled) > LONGEST_NAME:
            return False
        if not self._codes:
            for code, official in self._names.items():
                if official:
                    self._codes.setdefault(key(official), []).append(code)
        return self._holds(spelled, "")

    def _holds(self, spelled: str, scope: str) -> bool:
        codes = [code for code in self._codes.get(spelled, ()) if not scope or scope in self._tree.around(code)]
        if any(code not in self._tree.areas and code not in self._tree.above for code in codes):
            return True
        for length in range(len(spelled) - 1, 1, -1):
            holders = self._codes.get(spelled[:length], ())
            if any(
                self._holds(spelled[length:], holder)
                for holder in holders
                if not scope or scope in self._tree.around(holder)
            ):
                return True
        return False
