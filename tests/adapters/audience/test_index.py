"""The index follows the log: whatever was said of rosters and subscribers, the last word about each number counts."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from pyroaring import FrozenBitMap

from adapters.audience.recipients_codec import RecipientsError
from adapters.audience.subscribers import FEWEST_TO_JOIN, Subscribers
from adapters.gazetteer import TableGazetteer, china_gazetteer, geojson_gazetteer, read_boundaries
from domain.areas import Circle
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import Recipient
from domain.sections import AreaLevel
from tests.adapters.audience.logs import AudienceLog, recipient
from tests.adapters.gazetteer.cities import SHAOXING, collection, feature, shaoxing, square

GAZETTEER = shaoxing()
DISTRICT, TOWN = "330683", "330683101"


def area(code: str, *within: str) -> list[AreaLevel]:
    return [AreaLevel(code=code, name=code, level=Level.RED, within=within)]


class Model:
    """The same rules, number by number."""

    def __init__(self) -> None:
        self.rosters: dict[tuple[str, Mode], dict[int, Recipient]] = {}  # the version imported last comes last
        self.subscribers: dict[int, Recipient] = {}
        self.refused: set[int] = set()
        self.erased: set[int] = set()

    def roster(self, name: str, recipients: Sequence[Recipient]) -> None:
        self.rosters.pop((name, Mode.LIVE), None)
        self.rosters[name, Mode.LIVE] = {one.number: one for one in recipients}
        self.refused -= {one.number for one in recipients}

    def subscribe(self, one: Recipient) -> None:
        if one.number not in self.erased:
            self.subscribers[one.number] = one
            self.refused.discard(one.number)

    def end(self, number: int) -> None:
        if self.subscribers.pop(number, None) is None:
            self.refused.add(number)

    def erase(self, number: int) -> None:
        self.erased.add(number)
        self.subscribers.pop(number, None)

    def everyone(self) -> dict[int, Recipient]:
        found = dict(self.subscribers)
        for version in self.rosters.values():
            found |= version
        return found


@st.composite
def steps(draw: DrawFn) -> tuple[str, object]:
    kind = draw(st.sampled_from(("roster", "subscribe", "subscribe", "end", "erase", "follow")))
    number = draw(st.integers(1, 6))
    if kind == "roster":
        numbers = draw(st.sets(st.integers(1, 6)))
        code = draw(st.sampled_from((DISTRICT, TOWN)))
        return kind, (draw(st.sampled_from("ab")), [recipient(one, code, role=f"on {code}") for one in numbers])
    if kind == "subscribe":
        return kind, recipient(number, draw(st.sampled_from((DISTRICT, TOWN))), role="subscriber")
    return kind, number


@given(story=st.lists(steps(), max_size=14), restart=st.booleans())
def test_the_last_word_about_each_number_counts_whenever_the_log_is_followed(
    story: list[tuple[str, object]], restart: bool
) -> None:
    with TemporaryDirectory() as folder, AudienceLog(Path(folder)) as log:
        kept, model = Path(folder, "audience"), Model()
        index = log.audience(GAZETTEER, kept_path=kept)
        for kind, what in story:
            match kind, what:
                case "roster", (str(name), list(people)):
                    log.roster(name, people)
                    model.roster(name, people)
                case "subscribe", Recipient() as one:
                    log.subscribe(one)
                    model.subscribe(one)
                case "end", int(number):
                    log.end(number)
                    model.end(number)
                case "erase", int(number):
                    log.erase(number)
                    model.erase(number)
                case _:
                    index.follow(log.head)
                    if restart:
                        index.keep()
                        index = log.audience(GAZETTEER, kept_path=kept)
        index.follow(log.head)
        everyone = model.everyone()
        assert set(index.everyone(Mode.LIVE)) == set(everyone)
        assert set(index.reachable()) == {n for n in everyone if n not in model.erased and n not in _refused(model)}
        roles = {role: set(people) for role, people in index.by_role().items()}
        assert roles == {
            role: {number for number, one in everyone.items() if one.role == role}
            for role in {one.role for one in everyone.values()}
        }
        assert set(index.concerned(Mode.LIVE, area("330683102", DISTRICT))) == {
            number for number, one in everyone.items() if one.areas == (DISTRICT,)
        }


def _refused(model: Model) -> set[int]:
    """A refusal is of the roster's entry; it does not outlive that the number is on a roster no more."""
    return {number for number in model.refused if any(number in version for version in model.rosters.values())}


def test_a_start_goes_on_from_the_file_and_from_nothing_without_it_or_with_a_strange_one(tmp_path: Path) -> None:
    kept = tmp_path / "audience"
    with AudienceLog(tmp_path) as log:
        log.roster("duty", [recipient(1, DISTRICT)])
        for number in (2, 3, 4):
            log.subscribe(recipient(number, TOWN))
        log.end(3)
        index = log.audience(GAZETTEER, kept_path=kept)
        index.follow(log.head)
        index.keep()
        again = log.audience(GAZETTEER, kept_path=kept)
        assert again.view().position == log.head
        assert set(again.everyone(Mode.LIVE)) == {1, 2, 4}
        kept.write_bytes(kept.read_bytes()[:-1])
        assert log.audience(GAZETTEER, kept_path=kept).view().position == 0
    other = tmp_path / "other"
    other.mkdir()
    with AudienceLog(tmp_path) as log, AudienceLog(other) as strange:
        fresh = log.audience(GAZETTEER, kept_path=kept)
        fresh.follow(log.head)
        fresh.keep()
        for number in range(10, 16):
            strange.erase(number)
        assert strange.audience(GAZETTEER, kept_path=kept).view().position == 0


def test_a_version_that_cannot_be_read_is_an_error_and_leaves_the_audience_as_it_was(tmp_path: Path) -> None:
    with AudienceLog(tmp_path) as log:
        log.roster("duty", [recipient(1, DISTRICT)])
        index = log.audience(GAZETTEER)
        index.follow(log.head)
        before = log.head
        log.lose("lost")
        with pytest.raises(RecipientsError, match="nothing is kept under"):
            index.follow(log.head)
        assert (index.view().position, set(index.everyone(Mode.LIVE))) == (before, {1})


def test_a_view_stays_as_it_was_and_says_so(tmp_path: Path) -> None:
    with AudienceLog(tmp_path) as log:
        log.roster("duty", [recipient(1, DISTRICT)])
        index = log.audience(GAZETTEER)
        index.follow(log.head)
        view = index.view()
        view.follow(view.position)
        log.roster("duty", [recipient(2, DISTRICT)])
        index.follow(log.head)
        assert (set(view.everyone(Mode.LIVE)), set(index.everyone(Mode.LIVE))) == ({1}, {2})
        with pytest.raises(ValueError, match="stands at"):
            view.follow(log.head)


def test_readers_see_one_version_whole_while_the_next_is_built(tmp_path: Path) -> None:
    versions = [[recipient(number, TOWN, role=str(turn)) for number in range(1, 400)] for turn in range(6)]
    with AudienceLog(tmp_path) as log:
        index = log.audience(GAZETTEER)
        mixed: list[object] = []
        over = threading.Event()

        def look() -> None:
            while not over.is_set():
                view = index.view()
                roles = view.by_role()
                whole = view.everyone(Mode.LIVE)
                if len(roles) > 1 or set(whole) != set(view.concerned(Mode.LIVE, area(TOWN, DISTRICT))):
                    mixed.append(roles)

        readers = [threading.Thread(target=look) for _ in range(3)]
        for reader in readers:
            reader.start()
        for version in versions:
            log.roster("duty", version)
            index.follow(log.head)
        over.set()
        for reader in readers:
            reader.join(timeout=30)
        assert mixed == []
        assert set(index.by_role()) == {"5"}


@settings(max_examples=10)
@given(data=st.data())
def test_subscribers_are_the_same_before_and_after_they_are_joined_to_one_table(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder, AudienceLog(Path(folder)) as log:
        places = log.audience(GAZETTEER)._places
        many = [recipient(number, DISTRICT) for number in range(1, FEWEST_TO_JOIN + 10)]
        away = data.draw(st.sets(st.integers(1, 50)))
        from_one = Subscribers().changed(many[:40], _people(()), places).changed((), _people(away), places)
        from_two = Subscribers().changed(many, _people(()), places).changed((), _people(away), places)
        assert not from_one.settled
        assert from_two.settled
        for number in range(1, 41):
            assert (number in from_one) == (number in from_two) == (number not in away)
        again = from_two.changed([recipient(7, TOWN)], _people(()), places)
        ((_, table),) = again.tables()
        assert [one for one in table.recipients() if one.number == 7] == [recipient(7, TOWN)]
        assert len(table.numbers) == len(many) - len(away - {7})


def _people(numbers: Iterable[int]) -> FrozenBitMap:
    return FrozenBitMap(numbers)


# --- points and boundaries ------------------------------------------------------------------------------------


def country(*, with_boundaries: bool) -> TableGazetteer:
    """A region with two districts side by side, of which one, or none, has a boundary."""
    return geojson_gazetteer(
        collection(
            feature("WEST", "West", square(10, 50) if with_boundaries else None, parent="R"),
            feature("EAST", "East", None, parent="R"),
            feature("R", "Region", None),
        )
    )


def shaoxing_with(boundaries: Mapping[str, dict[str, Any]]) -> TableGazetteer:
    shapes = collection(*(feature(code, code, shape) for code, shape in boundaries.items()))
    return china_gazetteer(districts=SHAOXING, boundaries=read_boundaries(shapes))


def at(latitude: float, longitude: float, radius_km: float = 1.0) -> tuple[Circle, ...]:
    return (Circle(latitude=latitude, longitude=longitude, radius_km=radius_km),)


def test_a_point_is_concerned_by_the_district_whose_boundary_its_circle_touches(tmp_path: Path) -> None:
    people = [
        recipient(1, circles=at(50.5, 10.5)),
        recipient(2, circles=at(50.5, 11.01, 5)),  # outside, but within its radius
        recipient(3, circles=at(50.5, 11.5)),  # perhaps in the district of which there is no boundary
        recipient(4, "EAST"),
        recipient(5, "NOWHERE"),
        recipient(6, "R"),  # the whole region
        recipient(7, "EAST", circles=at(0, 0)),
    ]
    with AudienceLog(tmp_path) as log:
        log.roster("all", people)
        index = log.audience(country(with_boundaries=True), code_system="X")
        index.follow(log.head)
        unplaced = index.view().unplaced(Mode.LIVE)
        assert set(index.concerned(Mode.LIVE, area("WEST"))) >= {1, 2}
        assert set(index.concerned(Mode.LIVE, area("WEST"))) & {3, 4, 5, 7} == set()
        assert set(index.concerned(Mode.LIVE, area("EAST"))) & {1, 2, 3, 5} == set()
        assert {4, 7} <= set(index.concerned(Mode.LIVE, area("EAST")))
        assert set(unplaced.points_nowhere) == {3, 7}
        assert set(unplaced.nowhere) >= {3, 5}
        assert 7 not in unplaced.nowhere
        assert set(unplaced.unknown_codes["NOWHERE"]) == {5}


def test_points_without_any_boundary_concern_nobody_and_are_listed(tmp_path: Path) -> None:
    with AudienceLog(tmp_path) as log:
        log.roster("all", [recipient(1, circles=at(50.5, 10.5)), recipient(2, "WEST")])
        index = log.audience(country(with_boundaries=False))
        index.follow(log.head)
        assert set(index.concerned(Mode.LIVE, area("WEST"))) == {2}
        assert set(index.view().unplaced(Mode.LIVE).nowhere) == {1}
        assert set(index.view().unplaced(Mode.DRILL).nowhere) == set()


def test_a_code_of_the_whole_region_is_all_of_our_districts_in_it(tmp_path: Path) -> None:
    with AudienceLog(tmp_path) as log:
        log.roster("city", [recipient(1, "3306"), recipient(2, "3307"), recipient(3, "330683999")])
        index = log.audience(GAZETTEER)
        index.follow(log.head)
        assert set(index.concerned(Mode.LIVE, area(TOWN, DISTRICT))) == {1}
        assert set(index.concerned(Mode.LIVE, area(DISTRICT))) == {1, 3}  # 330683999 is no longer in the table
        assert set(index.view().unplaced(Mode.LIVE).unknown_codes) == {"3307"}


def test_a_township_without_a_boundary_concerns_the_points_in_its_district(tmp_path: Path) -> None:
    places = shaoxing_with({DISTRICT: square(120, 29), TOWN: square(120, 29, 0.5)})
    with AudienceLog(tmp_path) as log:
        log.roster("points", [recipient(1, circles=at(29.2, 120.2)), recipient(2, circles=at(29.8, 120.8))])
        index = log.audience(places)
        index.follow(log.head)
        asked = {code: set(index.concerned(Mode.LIVE, area(code, DISTRICT))) for code in (TOWN, "330683102")}
        assert asked == {TOWN: {1}, "330683102": {1, 2}}
        assert set(index.concerned(Mode.LIVE, area(DISTRICT))) == {1, 2}
        assert set(index.concerned(Mode.LIVE, area("330604"))) == set()
