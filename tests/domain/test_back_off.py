"""How long a failure makes wait."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.back_off import LONGEST_SECONDS, back_off


def test_the_wait_doubles_up_to_the_longest() -> None:
    waits = [back_off(failures, chance=0).total_seconds() for failures in (1, 2, 3, 4, 11, 1000)]
    assert waits == [1, 2, 4, 8, LONGEST_SECONDS, LONGEST_SECONDS]


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 10_000))
def test_chance_takes_at_most_a_half_and_nothing_of_what_was_asked_for(
    failures: int, chance: float, asked: float
) -> None:
    whole = back_off(failures, chance=0)
    wait = back_off(failures, chance=chance, at_least_seconds=asked)
    assert max(whole / 2, timedelta(seconds=asked)) <= wait <= max(whole, timedelta(seconds=asked))
