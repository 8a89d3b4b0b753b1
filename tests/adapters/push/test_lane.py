"""What a target is owed, and when, decided without a clock or a network."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from adapters.push.lane import Chance, Lane
from adapters.push.state import Progress, Standing
from adapters.push.target import Outcome, Parcel, TryAgain
from domain.events import WarningReleased
from domain.messages import MessageType, Mode
from tests.adapters.http.public.samples import START

PATIENCE = Chance(0.5, timedelta(hours=24))


class Nobody:
    """A target that is never called."""

    id = "nobody"

    def wants(self, release: WarningReleased) -> bool:
        raise NotImplementedError

    async def hand_over(self, parcel: Parcel) -> Outcome:
        raise NotImplementedError


def release(district: str) -> WarningReleased:
    return WarningReleased(
        at=START,
        district=district,
        mode=Mode.LIVE,
        warning_id="w",
        revision=1,
        number=1,
        message_type=MessageType.ALERT,
        sender="s",
        identifier="i",
        references=(),
        sections=(),
        changes=(),
        texts=(),
    )


def lane_with(districts: str, progress: Progress | None = None) -> Lane:
    """A lane that is owed a release for each letter, at positions from 1 on."""
    lane = Lane(Nobody(), Standing(0, progress or Progress(0)), districts_at_once=16)
    for position, district in enumerate(districts, start=1):
        lane.take(Parcel(position, release(district)))
        lane.position = position
    return lane


def everything_sendable(lane: Lane, seconds: float = 0.0) -> list[int]:
    found = []
    while (position := lane.next(START + timedelta(seconds=seconds))) is not None:
        found.append(position)
    return found


def test_a_district_waits_for_its_own_release_and_others_do_not() -> None:
    lane = lane_with("aab")
    assert everything_sendable(lane) == [1, 3]
    lane.delivered(1, START)
    assert everything_sendable(lane) == [2]


def test_a_failing_release_holds_up_its_district_alone() -> None:
    lane = lane_with("aabb")
    assert everything_sendable(lane) == [1, 3]
    lane.failed(1, TryAgain("no"), START, PATIENCE)
    lane.delivered(3, START)
    assert everything_sendable(lane) == [4]
    lane.delivered(4, START)
    assert everything_sendable(lane) == []
    assert everything_sendable(lane, seconds=1) == [1]


def test_a_target_that_fails_as_a_whole_is_tried_by_one_release_at_a_time() -> None:
    lane = lane_with("abcdefgh")
    first = everything_sendable(lane)
    for position in first:
        lane.failed(position, TryAgain("no"), START, PATIENCE)
    assert lane.is_failing
    assert lane.standing().progress.failures == 1, "those that were on their way together are one failure"
    [probe] = everything_sendable(lane)
    lane.failed(probe, TryAgain("no"), START, PATIENCE)
    assert everything_sendable(lane) == []
    [probe] = everything_sendable(lane, seconds=10)
    lane.delivered(probe, START)
    assert not lane.is_failing


def test_patience_ends_for_a_release_that_fails_while_others_do_not() -> None:
    lane = lane_with("ab" + "b" * 100)
    hour = timedelta(hours=1)
    for number in range(25):
        now = START + number * hour
        position = lane.next(now)
        while position is not None and position != 1:
            lane.delivered(position, now)
            position = lane.next(now)
        assert position == 1
        is_over = lane.failed(1, TryAgain("no"), now, PATIENCE)
        assert is_over is (number == 24)


def test_what_was_put_back_is_the_next_of_its_district() -> None:
    lane = lane_with("aa")
    assert lane.next(START) == 1
    lane.put_back(1)
    assert lane.is_idle
    assert lane.next(START) == 1


@given(
    st.text(alphabet="abcd", min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=200),
)
def test_whatever_happens_nothing_is_lost_repeated_or_out_of_order(
    districts: str, happenings: list[tuple[int, bool]]
) -> None:
    """Releases are answered in any order, fail or not, and the machine stops in between: the marks hold."""
    lane, done, now = lane_with(districts), list[int](), START
    on_their_way: list[int] = []

    def settle(place: int, *, works: bool) -> None:
        position = on_their_way.pop(place % len(on_their_way))
        if works:
            lane.delivered(position, now)
            done.append(position)
        else:
            lane.failed(position, TryAgain("no"), now, PATIENCE)

    for place, works in happenings:
        now += timedelta(seconds=400)
        while (position := lane.next(now)) is not None:
            on_their_way.append(position)
        if on_their_way:
            settle(place, works=works)
        if place == 3:  # a restart: what is on its way is forgotten, what is marked stays
            lane, on_their_way = Lane(Nobody(), lane.standing(), districts_at_once=16), []
    while len(done) < len(districts):
        now += timedelta(seconds=1000)
        while (position := lane.next(now)) is not None:
            on_their_way.append(position)
        assert on_their_way, "something is owed and nothing can be sent"
        settle(0, works=True)
    assert sorted(done) == list(range(1, len(districts) + 1))
    for district in set(districts):
        own = [position for position in done if districts[position - 1] == district]
        assert own == sorted(own)
    assert lane.standing().progress.done_up_to == len(districts)
