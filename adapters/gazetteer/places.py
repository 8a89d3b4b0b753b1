"""The gazetteer over a table of places: what a claim means among our districts.

What belongs here: the order in which geocodes, names and shapes are heard, and the answer. How codes, names and
shapes are read stands in `codes`, `lookup` and domain.geometry.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from shapely.geometry import MultiPolygon, Polygon

from adapters.gazetteer.codes import CodeSystem
from adapters.gazetteer.errors import refuse_if_any
from adapters.gazetteer.lookup import ElsewhereNames, NameLookup, ShortNames
from adapters.gazetteer.tree import ExtraPlace, PlaceTree
from domain.areas import Area, AreaClaim, Point, Resolution
from domain.geometry import Surfaces, outer_rings

Boundaries = Mapping[str, Polygon | MultiPolygon]
"""Boundaries by own code, in GeoJSON's order of axes, WGS 84."""


class _Heard(NamedTuple):
    """What one kind of statement in a claim came to: areas by code, and what was not known or lies outside."""

    areas: Mapping[str, Area]
    unknown: Sequence[str]
    outside: Sequence[str]

    @property
    def settles(self) -> bool:
        """Whether anything was understood: a known place elsewhere settles a claim as much as one of ours."""
        return bool(self.areas or self.outside)


class TableGazetteer:
    """Keeps the promises of `domain.ports.Gazetteer` over a table of codes, names and nesting."""

    def __init__(  # noqa: PLR0913  (each is a table or a choice of the outlet's policy; all but three may be left out)
        self,
        names: Mapping[str, str],
        *,
        parent_of: Callable[[str], str],
        districts: Sequence[str],
        codes: CodeSystem,
        extra_places: Iterable[ExtraPlace] = (),
        villages: Mapping[str, str] | None = None,
        boundaries: Boundaries | None = None,
        short_names: ShortNames = "districts",
    ) -> None:
        """Build from names by code.

        `parent_of` gives the code of the next larger place, or nothing; `districts` are the codes of ours;
        `villages` are names by code of what is finer than the table; boundaries may be had for some places only.

        Raises:
            GazetteerError: with everything in the data that does not fit.
        """
        self._tree = PlaceTree(
            names, parent_of=parent_of, districts=districts, extra_places=extra_places, villages=villages
        )
        self._codes = codes
        self._names = NameLookup(self._tree, short_names=short_names)
        self._elsewhere = ElsewhereNames(names, self._tree)
        self._boundaries = dict(boundaries or {})
        refuse_if_any(
            [
                f"There is a boundary of {code}, which is not known."
                for code in self._boundaries
                if not self._tree.knows(code)
            ]
        )
        self._surfaces = Surfaces(
            {code: shape for code, shape in self._boundaries.items() if self._tree.is_district(code)}
        )
        self._listed_townships = {self._codes.finer(code) for code in villages or {}}

    def resolve(self, claim: AreaClaim, *, threshold: float) -> Resolution:
        """What a claim means among our districts, largest areas first, areas of one size by code.

        The first kind of statement of which anything is understood settles the claim: geocodes, then names, then
        shapes. What an earlier kind held that was not understood stays listed. A shape that reaches none of our
        districts is outside, or unknown while some district has no boundary; it is listed by the description.
        """
        unknown: list[str] = []
        for hear in (self._hear_geocodes, self._hear_names):
            heard = hear(claim)
            unknown.extend(heard.unknown)
            if heard.settles:
                return _resolution(heard.areas, unknown, heard.outside)
        heard = self._hear_shapes(claim, threshold)
        return _resolution(heard.areas, [*unknown, *heard.unknown], heard.outside)

    def area(self, code: str) -> Area | None:
        """The area with this own code, or None when it is not within our districts."""
        return self._tree.areas.get(code) or self._unlisted(code)

    def districts(self) -> Sequence[Area]:
        """Our districts in code order."""
        return tuple(self._tree.areas[code] for code in self._tree.districts)

    def boundary(self, code: str) -> tuple[tuple[Point, ...], ...]:
        """The outer rings of an area's boundary, closed, in (latitude, longitude); empty when it has none."""
        shape = self._boundaries.get(code)
        return outer_rings(shape) if shape is not None else ()

    def geocodes(self, code: str) -> tuple[tuple[str, str], ...]:
        """(system, code) pairs for CAP. The outlet's own codes are never published as a national system's.

        A functional district is published as the parts that it consists of; a sea area has no codes.
        """
        district = self._tree.extra_districts.get(code)
        if district is not None:
            return tuple(pair for part in district.covers for pair in self._codes.published(part))
        if code in self._tree.inner or self.area(code) is None:
            return ()
        return self._codes.published(code)

    def _hear_geocodes(self, claim: AreaClaim) -> _Heard:
        areas: dict[str, Area] = {}
        unknown: list[str] = []
        foreign: list[str] = []
        outside: list[str] = []
        for geocode in claim.geocodes:
            codes = self._codes.read(geocode, self._tree.knows)
            found = [area for code in codes for area in self._meant_by_code(code)]
            areas.update((area.code, area) for area in found)
            if found:
                continue
            if any(self._lies_elsewhere(code) for code in codes):
                outside.append(geocode.value)
            else:
                (unknown if self._codes.holds(geocode) else foreign).append(geocode.value)
        # Senders repeat a place in several systems; one that we do not keep is another spelling of what is understood.
        understood = bool(areas or outside)
        return _Heard(areas, unknown if understood else [*unknown, *foreign], outside)

    def _hear_names(self, claim: AreaClaim) -> _Heard:
        areas: dict[str, Area] = {}
        unknown: list[str] = []
        outside: list[str] = []
        for name in claim.place_names:
            codes = self._names.find(name)
            if not codes and not self._names.is_one_of_ours(name) and self._elsewhere.holds(name):
                outside.append(name)
                continue
            codes = codes or self._names.find_by_former_kind(name)
            areas.update((area.code, area) for code in codes for area in self._meant_by_code(code))
            if not codes:
                unknown.append(name)
        return _Heard(areas, unknown, outside)

    def _hear_shapes(self, claim: AreaClaim, threshold: float) -> _Heard:
        areas: dict[str, Area] = {}
        missed = False
        for codes in (
            *(self._surfaces.meant_by_ring(ring, threshold) for ring in claim.polygons),
            *(self._surfaces.meant_by_circle(circle, threshold) for circle in claim.circles),
        ):
            areas.update((code, self._tree.areas[code]) for code in codes)
            missed = missed or not codes
        label = [claim.description.strip() or "shape"] if missed else []
        is_complete = all(code in self._surfaces for code in self._tree.districts if code not in self._tree.sea)
        return _Heard(areas, [], label) if is_complete else _Heard(areas, label, [])

    def _meant_by_code(self, code: str) -> tuple[Area, ...]:
        """The area with this code, or all our districts within what it stands for; empty when it is not ours."""
        area = self.area(code)
        if area is not None:
            return (area,)
        return tuple(self._tree.areas[district] for district in self._tree.above.get(code, ()))

    def _unlisted(self, code: str) -> Area | None:
        """A village of a known township for which no villages were imported: named after its township, never wider."""
        township = self._tree.areas.get(self._codes.finer(code))
        if township is None or not township.within or township.code in self._listed_townships:
            return None
        return Area(
            code=code,
            name=f"{township.name}（{code}）",
            district=township.district,
            within=(township.code, *township.within),
        )

    def _lies_elsewhere(self, code: str) -> bool:
        """Whether the code, or that of the place around it, is one of the table's and not ours."""
        return any(
            place and self._tree.knows(place) and place not in self._tree.areas
            for place in (code, self._codes.finer(code))
        )


def _resolution(areas: Mapping[str, Area], unknown: Iterable[str], outside: Iterable[str]) -> Resolution:
    """The answer in its promised order; what is not ours is listed in the claim's order, each once."""
    return Resolution(
        areas=tuple(sorted(areas.values(), key=lambda area: (len(area.within), area.code))),
        unknown=tuple(dict.fromkeys(unknown)),
        outside=tuple(dict.fromkeys(outside)),
    )
