"""What `domain.routing.Audience` promises, asked of the index and of the audience that answers person by person."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind, Recipient
from domain.routing import Audience, People, Told, plan
from domain.sections import AreaLevel
from tests.adapters.audience.logs import AudienceLog
from tests.adapters.gazetteer.cities import shaoxing
from tests.domain.test_routing import Crowd, section

PLACES = ("330683", "330683101", "330683102", "330683101201", "330683101202", "330604", "330604001")
HAZARDS = ("11B01", "11B03", "11D01")
ROLES = ("duty", "watcher", "resident")
GAZETTEER = shaoxing()

Maker = Callable[[Sequence[Recipient], frozenset[int]], AbstractContextManager[Audience[People]]]


@contextmanager
def crowd(recipients: Sequence[Recipient], erased: frozenset[int]) -> Iterator[Audience[People]]:
    yield Crowd(recipients, erased)


@contextmanager
def index(recipients: Sequence[Recipient], erased: frozenset[int]) -> Iterator[Audience[People]]:
    with TemporaryDirectory() as folder, AudienceLog(Path(folder)) as log:
        for mode in Mode:
            of_mode = [one for one in recipients if one.mode is mode]
            log.roster("first", of_mode[::2], mode=mode)
            log.roster("second", of_mode[1::2], mode=mode)
        log.erase(*erased)
        audience = log.audience(GAZETTEER)
        audience.follow(log.head)
        yield audience


EVERY_AUDIENCE = pytest.mark.parametrize("maker", [crowd, index])

recipients = st.builds(
    Recipient,
    number=st.integers(1, 2**32 - 1),
    roster=st.sampled_from(("first", "second")),
    mode=st.sampled_from(Mode),
    role=st.sampled_from(ROLES),
    language=st.sampled_from(("zh-CN", "en")),
    areas=st.lists(st.sampled_from((*PLACES, "3306")), max_size=3).map(tuple),
    hazards=st.sampled_from([("*",), ("11B01",), ("11B03", "11D01"), ("11B01", "*")]),
    level_min=st.sampled_from(Level),
    channels=st.lists(st.sampled_from(ChannelKind), min_size=1, max_size=3, unique=True).map(tuple),
    post=st.sampled_from(("", "reservoir", "village")),
    turn=st.integers(1, 3),
)
crowds = st.lists(recipients, max_size=12, unique_by=lambda one: one.number)
warned = st.lists(st.sampled_from(PLACES), min_size=1, max_size=4, unique=True)


def areas_at(codes: Sequence[str], level: Level = Level.RED) -> list[AreaLevel]:
    found = [(code, GAZETTEER.area(code)) for code in codes]
    return [AreaLevel(code=code, name=code, level=level, within=area.within) for code, area in found if area]


@given(people=crowds, codes=warned, data=st.data())
def test_the_index_answers_as_one_asked_person_by_person(
    people: list[Recipient], codes: list[str], data: st.DataObject
) -> None:
    erased = data.draw(st.sets(st.sampled_from([one.number for one in people])) if people else st.just(set[int]()))
    with crowd(people, frozenset(erased)) as expected, index(people, frozenset(erased)) as found:
        areas = areas_at(codes)
        for mode in Mode:
            assert set(found.everyone(mode)) == set(expected.everyone(mode))
            assert set(found.concerned(mode, areas)) == set(expected.concerned(mode, areas))
        for hazard in HAZARDS:
            assert set(found.wanting(hazard)) == set(expected.wanting(hazard))
        for level in Level:
            assert set(found.from_level(level)) == set(expected.from_level(level))
        assert set(found.reachable()) == set(expected.reachable())
        assert _sets(found.by_role()) == _sets(expected.by_role())
        assert _sets(found.by_channel()) == _sets(expected.by_channel())
        asked = [*found.everyone(Mode.LIVE), *(one.number ^ 1 for one in people)]
        assert list(found.duties(asked)) == list(expected.duties(asked))


def _sets(groups: object) -> dict[object, set[int]]:
    assert hasattr(groups, "items")
    return {key: set(people) for key, people in groups.items()}


@given(people=crowds, story=st.lists(st.tuples(st.sampled_from(HAZARDS), warned, st.sampled_from(Level)), max_size=4))
def test_both_plan_the_same_for_every_release_of_a_story(
    people: list[Recipient], story: list[tuple[str, list[str], Level]]
) -> None:
    with crowd(people, frozenset()) as expected, index(people, frozenset()) as found:
        known: list[Told[People]] = [Told(), Told()]
        for hazard, codes, level in story:
            content = [section(hazard, dict.fromkeys(codes, level))]
            plans = [
                plan(content, told, who, mode=Mode.LIVE) for told, who in zip(known, (expected, found), strict=True)
            ]
            first, second = (
                (
                    [(send.items, set(send.people)) for send in one.sends],
                    [(no.hazard, no.reason, set(no.people)) for no in one.withheld],
                )
                for one in plans
            )
            assert first == second
            known = [one.told for one in plans]


@EVERY_AUDIENCE
@given(people=crowds)
def test_live_and_drill_share_nobody(maker: Maker, people: list[Recipient]) -> None:
    with maker(people, frozenset()) as audience:
        assert len(audience.everyone(Mode.LIVE) & audience.everyone(Mode.DRILL)) == 0
        for mode in Mode:
            assert len(audience.concerned(mode, areas_at(PLACES)) - audience.everyone(mode)) == 0


@EVERY_AUDIENCE
def test_a_district_concerns_its_villages_and_a_village_those_entered_for_the_district(maker: Maker) -> None:
    def entered(number: int, code: str) -> Recipient:
        return Recipient(number=number, roster="first", role="duty", areas=(code,), channels=(ChannelKind.SMS,))

    people = [entered(1, "330683"), entered(2, "330683101"), entered(3, "330683101201"), entered(4, "330683102")]
    with maker(people, frozenset()) as audience:
        asked = {code: set(audience.concerned(Mode.LIVE, areas_at([code]))) for code in PLACES}
    assert asked == {
        "330683": {1, 2, 3, 4},
        "330683101": {1, 2, 3},
        "330683102": {1, 4},
        "330683101201": {1, 2, 3},
        "330683101202": {1, 2},
        "330604": set(),
        "330604001": set(),
    }


@EVERY_AUDIENCE
@given(first=st.sets(st.integers(1, 2**32 - 1)), second=st.sets(st.integers(1, 300_000)))
def test_equal_sets_are_equal_bytes_and_come_back_as_they_were(maker: Maker, first: set[int], second: set[int]) -> None:
    with maker([], frozenset()) as audience:
        one, other = (audience.people_from(audience.content_of(people)) for people in (first, second))
        assert (set(one), set(other)) == (first, second)
        assert audience.content_of((one | other) - other) == audience.content_of(first - second)
        assert audience.content_of(one | other) == audience.content_of(second | first)
        assert (audience.content_of(one) == audience.content_of(other)) == (first == second)
        assert len(audience.nobody()) == 0
