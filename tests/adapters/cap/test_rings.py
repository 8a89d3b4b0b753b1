"""The cheap proof that a ring does not cross itself against the costly search."""

import random
from math import cos, pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon

from adapters.cap import shapes
from domain.geometry import polygon_findings

coordinates = st.one_of(st.integers(-3, 3).map(float), st.floats(-90, 90, allow_subnormal=False))
rings = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=12).map(lambda points: (*points, points[0]))


@given(rings)
def test_a_ring_that_winds_once_is_sound(ring: tuple[tuple[float, float], ...]) -> None:
    if shapes._winds_once(ring):
        assert Polygon(ring).is_valid
        assert not polygon_findings(ring, "/", refuses=True)


def test_nearly_every_ring_around_its_middle_is_seen_to_wind_once_and_all_of_them_are_sound() -> None:
    chance = random.Random(7)
    seen = 0
    for _ in range(2_000):
        corners = chance.randint(3, 19)
        scale = 10 ** chance.uniform(-3, 1)
        place = chance.uniform(-60, 60)
        angles = [2 * pi * corner / corners for corner in range(corners)]
        points = [
            (place + reach * sin(angle), place + reach * cos(angle))
            for angle in angles
            for reach in (scale * chance.uniform(0.7, 1),)
        ]
        ring = (*points, points[0])
        if shapes._winds_once(ring):
            seen += 1
            assert Polygon(ring).is_valid
    assert seen > 1_900


@pytest.mark.parametrize("turns", [2, 3])
def test_a_ring_that_winds_more_than_once_is_not_taken_for_sound(turns: int) -> None:
    corners = 7
    angles = [2 * pi * turns * corner / corners for corner in range(corners)]
    points = [(sin(angle), cos(angle)) for angle in angles]
    assert not shapes._winds_once((*points, points[0]))
