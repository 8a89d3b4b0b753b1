"""Who is told what: the rules on sets beside the same rules written for one person."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind, Duty, Recipient
from domain.routing import Item, Kind, Plan, Reason, Told, plan
from domain.sections import AreaLevel, Section

DISTRICT = "330683"
TOWNS = ("330683101", "330683102")
HAZARDS = ("11B01", "11B03", "11D01")
NOBODY: frozenset[int] = frozenset()
NOW = datetime(2026, 9, 13, tzinfo=UTC)


class Crowd:
    """An audience of frozensets: every question is answered person by person."""

    def __init__(self, recipients: Sequence[Recipient], unreachable: frozenset[int] = NOBODY) -> None:
        self.people = recipients
        self._unreachable = unreachable

    def nobody(self) -> frozenset[int]:
        return NOBODY

    def everyone(self, mode: Mode) -> frozenset[int]:
        return self._who(one for one in self.people if one.mode is mode)

    def concerned(self, mode: Mode, areas: Sequence[AreaLevel]) -> frozenset[int]:
        codes = [area.code for area in areas]
        return self._who(one for one in self.people if one.mode is mode and touches(one, codes))

    def wanting(self, hazard: str) -> frozenset[int]:
        return self._who(one for one in self.people if wants(one, hazard))

    def from_level(self, level: Level) -> frozenset[int]:
        return self._who(one for one in self.people if one.level_min <= level)

    def reachable(self) -> frozenset[int]:
        return self._who(self.people) - self._unreachable

    def by_role(self) -> Mapping[str, frozenset[int]]:
        return {
            role: self._who(one for one in self.people if one.role == role) for role in {p.role for p in self.people}
        }

    def by_channel(self) -> Mapping[ChannelKind, frozenset[int]]:
        return {kind: self._who(one for one in self.people if one.channels[0] is kind) for kind in ChannelKind}

    def duties(self, people: Iterable[int]) -> Sequence[Duty]:
        asked = set(people)
        return [
            Duty(one.number, one.roster, one.role, one.language, one.channels, one.post, one.turn)
            for one in sorted(self.people, key=lambda one: one.number)
            if one.number in asked
        ]

    def people_from(self, content: bytes) -> frozenset[int]:
        return frozenset(map(int, content.split()))

    def content_of(self, people: Iterable[int]) -> bytes:
        return " ".join(map(str, sorted(people))).encode()

    def follow(self, position: int) -> None:
        """Nothing changes."""

    def _who(self, people: Iterator[Recipient] | Sequence[Recipient]) -> frozenset[int]:
        return frozenset(one.number for one in people)


def touches(one: Recipient, codes: Sequence[str]) -> bool:
    return any(own.startswith(code) or code.startswith(own) for own in one.areas for code in codes)


def wants(one: Recipient, hazard: str) -> bool:
    return "*" in one.hazards or hazard in one.hazards


def person(number: int, *areas: str, **words: object) -> Recipient:
    fields = {"roster": "duty", "role": "duty", "channels": ("sms",), "areas": areas or (DISTRICT,), **words}
    return Recipient.model_validate({"number": number, **fields})


def section(hazard: str, levels: Mapping[str, Level]) -> Section:
    return Section(
        hazard=hazard,
        level=max(levels.values()),
        issuers=("meteorology",),
        areas=tuple(AreaLevel(code=code, name=code, level=level) for code, level in levels.items()),
        effective=NOW,
        expires=None,
        headlines={},
        contributors=(),
    )


def told_in(found: Plan[frozenset[int]], number: int) -> tuple[Item, ...]:
    return next((send.items for send in found.sends if number in send.people), ())


def reasons(found: Plan[frozenset[int]], number: int) -> set[tuple[str, Reason]]:
    return {(one.hazard, one.reason) for one in found.withheld if number in one.people}


def test_a_higher_level_is_told_to_those_who_knew_of_the_lower_one() -> None:
    crowd = Crowd([person(1)])
    first = plan([section("11B01", {DISTRICT: Level.BLUE})], Told(), crowd, mode=Mode.LIVE)
    second = plan([section("11B01", {DISTRICT: Level.RED})], first.told, crowd, mode=Mode.LIVE)
    assert told_in(first, 1) == (Item("11B01", Kind.NEW, Level.BLUE),)
    assert told_in(second, 1) == (Item("11B01", Kind.RAISED, Level.RED),)


def test_the_same_again_is_silent_with_its_reason() -> None:
    crowd = Crowd([person(1)])
    content = [section("11B01", {DISTRICT: Level.BLUE})]
    first = plan(content, Told(), crowd, mode=Mode.LIVE)
    again = plan(content, first.told, crowd, mode=Mode.LIVE)
    assert again.sends == ()
    assert reasons(again, 1) == {("11B01", Reason.ALREADY_TOLD)}


def test_the_end_is_told_to_exactly_those_who_were_told() -> None:
    crowd = Crowd([person(1), person(2, level_min="red"), person(3, hazards=("11D01",))])
    first = plan([section("11B01", {DISTRICT: Level.BLUE})], Told(), crowd, mode=Mode.LIVE)
    end = plan([], first.told, crowd, mode=Mode.LIVE)
    assert [(send.items, send.people) for send in end.sends] == [
        ((Item("11B01", Kind.LIFTED, Level.BLUE),), frozenset({1}))
    ]
    assert end.told == Told({})


def test_a_lower_level_is_told_even_below_the_level_from_which_somebody_wants_to_hear() -> None:
    crowd = Crowd([person(1, level_min="orange")])
    first = plan([section("11B01", {DISTRICT: Level.RED})], Told(), crowd, mode=Mode.LIVE)
    lower = plan([section("11B01", {DISTRICT: Level.BLUE})], first.told, crowd, mode=Mode.LIVE)
    assert told_in(lower, 1) == (Item("11B01", Kind.LOWERED, Level.BLUE),)


def test_a_new_area_is_told_to_those_in_it_alone() -> None:
    crowd = Crowd([person(1, TOWNS[0]), person(2, TOWNS[1])])
    first = plan([section("11D01", {TOWNS[0]: Level.YELLOW})], Told(), crowd, mode=Mode.LIVE)
    both = plan([section("11D01", {TOWNS[0]: Level.YELLOW, TOWNS[1]: Level.YELLOW})], first.told, crowd, mode=Mode.LIVE)
    assert told_in(both, 1) == ()
    assert told_in(both, 2) == (Item("11D01", Kind.NEW, Level.YELLOW),)


def test_a_recipient_of_drills_hears_of_no_live_warning_and_the_other_way_round() -> None:
    crowd = Crowd([person(1), person(2, mode="drill")])
    content = [section("11B01", {DISTRICT: Level.RED})]
    live, drill = (plan(content, Told(), crowd, mode=mode) for mode in (Mode.LIVE, Mode.DRILL))
    assert [set(send.people) for send in live.sends] == [{1}]
    assert [set(send.people) for send in drill.sends] == [{2}]


def test_a_covered_hazard_is_withheld_with_its_reason_and_told_once_the_cover_ends() -> None:
    crowd = Crowd([person(1)])
    covers = {"11B01": ("11B03",)}
    both = [section("11B01", {DISTRICT: Level.RED}), section("11B03", {DISTRICT: Level.YELLOW})]
    first = plan(both, Told(), crowd, mode=Mode.LIVE, covers=covers)
    assert told_in(first, 1) == (Item("11B01", Kind.NEW, Level.RED),)
    assert reasons(first, 1) == {("11B03", Reason.COVERED)}
    rain_stays = plan(both[1:], first.told, crowd, mode=Mode.LIVE, covers=covers)
    assert set(told_in(rain_stays, 1)) == {
        Item("11B01", Kind.LIFTED, Level.RED),
        Item("11B03", Kind.NEW, Level.YELLOW),
    }


def test_who_cannot_be_reached_does_not_count_as_told() -> None:
    content = [section("11B01", {DISTRICT: Level.RED})]
    first = plan(content, Told(), Crowd([person(1)], frozenset({1})), mode=Mode.LIVE)
    assert reasons(first, 1) == {("11B01", Reason.NO_CHANNEL)}
    reached = plan(content, first.told, Crowd([person(1)]), mode=Mode.LIVE)
    assert told_in(reached, 1) == (Item("11B01", Kind.NEW, Level.RED),)


# --- the same rules, for one person ---------------------------------------------------------------------------


def expected(one: Recipient, sections: Sequence[Section], told: Mapping[str, Level]) -> set[Item]:
    """What this person is told, who was told of these hazards at these levels."""
    items = set()
    now = {}
    for content in sections:
        levels = [area.level for area in content.areas if touches(one, [area.code])]
        if levels:
            now[content.hazard] = max(levels)
    for hazard, level in now.items():
        was = told.get(hazard)
        if was is None:
            if wants(one, hazard) and one.level_min <= level:
                items.add(Item(hazard, Kind.NEW, level))
        elif was != level:
            items.add(Item(hazard, Kind.RAISED if was < level else Kind.LOWERED, level))
    items |= {Item(hazard, Kind.LIFTED, was) for hazard, was in told.items() if hazard not in now}
    return items


levels = st.sampled_from(list(Level))
areas = st.sampled_from((DISTRICT, *TOWNS))
contents = st.dictionaries(
    st.sampled_from(HAZARDS), st.dictionaries(areas, levels, min_size=1), max_size=len(HAZARDS)
).map(lambda content: [section(hazard, places) for hazard, places in content.items()])
persons = st.builds(
    person,
    st.just(1),
    areas,
    hazards=st.sampled_from([("*",), ("11B01",), ("11B03", "11D01")]),
    level_min=levels.map(lambda level: level.value),
)


@given(crowd=st.lists(persons, min_size=1, max_size=6), story=st.lists(contents, min_size=1, max_size=6))
def test_sets_decide_what_the_rules_say_for_each_person(crowd: list[Recipient], story: list[list[Section]]) -> None:
    people = [one.model_copy(update={"number": number}) for number, one in enumerate(crowd, 1)]
    told: Told[frozenset[int]] = Told()
    knows: dict[int, dict[str, Level]] = {one.number: {} for one in people}
    for sections in story:
        found = plan(sections, told, Crowd(people), mode=Mode.LIVE)
        for one in people:
            items = told_in(found, one.number)
            assert set(items) == expected(one, sections, knows[one.number])
            for item in items:
                if item.kind is Kind.LIFTED:
                    del knows[one.number][item.hazard]
                else:
                    knows[one.number][item.hazard] = item.level
        told = found.told
        assert {
            one.number: {
                h: level for h, held in told.levels.items() for level, who in held.items() if one.number in who
            }
            for one in people
        } == knows


@given(content=contents, crowd=st.lists(persons, min_size=1, max_size=4))
def test_everyone_concerned_is_told_or_withheld_for_a_reason(content: list[Section], crowd: list[Recipient]) -> None:
    people = [one.model_copy(update={"number": number}) for number, one in enumerate(crowd, 1)]
    found = plan(content, Told(), Crowd(people), mode=Mode.LIVE)
    for one in people:
        concerning = {s.hazard for s in content if touches(one, [area.code for area in s.areas])}
        said = {item.hazard for item in told_in(found, one.number)}
        assert said | {hazard for hazard, _ in reasons(found, one.number)} == concerning
        assert not said & {hazard for hazard, _ in reasons(found, one.number)}
