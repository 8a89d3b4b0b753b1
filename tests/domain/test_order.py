"""Promises 1, 2 and 4: neither order nor repetition matters, un-merge, and every chain keeps to itself."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.contributions import Contribution
from domain.events import ContributionsChanged
from domain.merging import in_force, merge
from domain.policy import Policy
from domain.sections import Section
from tests.domain.builders import SHENGZHOU, START, YUECHENG, World, message, policy_with
from tests.domain.strategies import AGENCIES, SENDERS, Said, contributions_of, conversations

POLICY = policy_with()
DISTRICTS = (YUECHENG, SHENGZHOU)


def played(said: list[Said], policy: Policy = POLICY) -> World:
    """All of it sent, ten seconds apart; then every wait ends and the clock moves on to an hour later."""
    world = World(policy)
    for one in said:
        world.send(one.agency, one.message)
        world.now += timedelta(seconds=10)
    world.wait(seconds=policy.chains.update_without_alert_waits_seconds + 1)
    world.wait(seconds=(START + timedelta(hours=1) - world.now).total_seconds())
    return world


def contents(world: World) -> dict[str, tuple[Section, ...]]:
    return {district: world.sections(district) for district in DISTRICTS}


def standing(world: World) -> dict[tuple[str, str], Contribution]:
    """The contributions in force, without the chains' names."""
    return {
        (f"{said.agency} {said.message}", district): said.model_copy(update={"chain": ""})
        for district in DISTRICTS
        for said in world.state(district).contributions.values()
    }


@given(data=st.data(), said=conversations())
def test_any_order_and_any_repetition_ends_in_the_same_sections(data: st.DataObject, said: list[Said]) -> None:
    again = data.draw(st.lists(st.sampled_from(said), max_size=3)) if said else []
    shuffled = data.draw(st.permutations([*said, *again]))
    assert contents(played(shuffled)) == contents(played(said))


@given(said=conversations())
def test_what_stands_in_the_end_follows_from_the_set_of_messages_alone(said: list[Said]) -> None:
    world = played(said)
    expected = {
        key: contribution
        for key, contribution in contributions_of(said, POLICY).items()
        if any(in_force(statement, world.now) for statement in contribution.statements)
    }
    assert standing(world) == expected


@given(said=conversations())
def test_sections_are_what_the_contributions_in_force_make_and_nothing_else(said: list[Said]) -> None:
    world = played(said)
    for district in DISTRICTS:
        state = world.state(district)
        assert state.sections == merge(state.contributions.values(), policy=POLICY, now=world.now)


@given(data=st.data(), said=conversations())
def test_ending_one_agencys_chains_leaves_exactly_what_the_others_alone_would_have_made(
    data: st.DataObject, said: list[Said]
) -> None:
    agency = data.draw(st.sampled_from(AGENCIES))
    world = World(POLICY)
    for one in said:
        world.send(one.agency, one.message)
    for number, one in enumerate(said):
        if one.agency == agency:
            refs = [(one.message.sender, one.message.identifier)]
            world.send(agency, message(f"cancel-{number}", refs=refs, minute=30, sender=SENDERS[agency]))
    world.wait(seconds=121)
    others = World(POLICY)
    for one in said:
        if one.agency != agency:
            others.send(one.agency, one.message)
    others.wait(seconds=121)
    assert contents(world) == contents(others)


@given(data=st.data(), said=conversations())
def test_no_change_of_contributions_is_told_twice(data: st.DataObject, said: list[Said]) -> None:
    told: dict[tuple[str, str], ContributionsChanged] = {}
    for event in played(data.draw(st.permutations(said))).log:
        if isinstance(event, ContributionsChanged):
            before = told.get((event.agency, event.chain))
            assert before is None or (before.message, before.entered) != (event.message, event.entered)
            told[event.agency, event.chain] = event


@given(said=conversations())
def test_the_districts_know_exactly_what_the_books_say(said: list[Said]) -> None:
    """What each chain was told to say equals what the districts hold, but for what has expired."""
    world = played(said)
    told: dict[str, dict[str, Contribution]] = {}
    for event in world.log:
        if isinstance(event, ContributionsChanged):
            told[event.chain] = {contribution.district: contribution for contribution in event.entered}
    for district in DISTRICTS:
        expected = {
            chain: by_district[district]
            for chain, by_district in told.items()
            if district in by_district and any(in_force(s, world.now) for s in by_district[district].statements)
        }
        assert world.state(district).contributions == expected


@given(said=conversations())
def test_the_same_log_gives_the_same_state(said: list[Said]) -> None:
    world = played(said)
    states, books = world.replayed()
    assert states == {key: state for key, state in world.states.items() if key in states}
    assert all(book.__dict__ == world.books[key].__dict__ for key, book in books.items())
