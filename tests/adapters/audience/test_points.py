"""Points with a radius: the grid finds whom a test of every single circle finds."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon

from adapters.audience.places import surface_of
from adapters.audience.points import PointIndex
from adapters.audience.table import Floats
from domain.areas import Circle
from domain.geometry import EARTH_RADIUS_KM, circle_ring


def index_of(circles: Floats) -> PointIndex:
    return PointIndex(np.arange(1, len(circles) + 1, dtype=np.uint32), circles)


def people(count: int, seed: int, *, radii_km: tuple[float, ...] = (0.0,)) -> Floats:
    """A town and its surroundings, one stray point far away, and many at one place."""
    chance = np.random.default_rng(seed)
    latitudes = np.concatenate((chance.normal(30, 0.1, count), chance.uniform(29, 31, count), [0.0], [30.0] * 40))
    longitudes = np.concatenate((chance.normal(120, 0.1, count), chance.uniform(119, 121, count), [0.0], [120.0] * 40))
    return np.column_stack((latitudes, longitudes, chance.choice(radii_km, len(latitudes))))


def star(seed: int, *, reach: float, corners: int = 40) -> Polygon:
    chance = np.random.default_rng(seed)
    turn = np.sort(chance.uniform(0, 2 * np.pi, corners))
    far = reach * chance.uniform(0.2, 1, corners)
    return Polygon(np.column_stack((120 + far * np.cos(turn), 30 + far * np.sin(turn)))).buffer(0)


@given(seed=st.integers(0, 10_000), reach=st.sampled_from([0.01, 0.1, 0.5, 2.0, 200.0]))
def test_whoever_lies_in_a_polygon_is_found_and_nobody_else(seed: int, reach: float) -> None:
    circles = people(8_000, seed)
    shape = star(seed, reach=reach)
    expected = np.flatnonzero(shapely.intersects_xy(shape, circles[:, 1], circles[:, 0])) + 1
    assert list(index_of(circles).touching(shape)) == expected.tolist()


on_a_lattice = st.integers(0, 12).map(lambda number: number / 4)


@given(
    corners=st.lists(st.tuples(on_a_lattice, on_a_lattice), min_size=3, max_size=12),
    seed=st.integers(0, 10_000),
)
def test_borders_along_the_cells_and_points_on_borders_lose_nobody(
    corners: list[tuple[float, float]], seed: int
) -> None:
    shape = surface_of([[(y, x) for x, y in (*corners, corners[0])]])
    points = np.random.default_rng(seed).integers(0, 13, (4_000, 2)) / 4
    circles = np.column_stack((points, np.zeros(len(points))))
    expected = np.flatnonzero(shapely.intersects_xy(shape, points[:, 1], points[:, 0])) + 1
    assert list(index_of(circles).touching(shape)) == expected.tolist()


@settings(max_examples=10)
@given(seed=st.integers(0, 1_000), reach=st.sampled_from([0.02, 0.3, 1.0]))
def test_a_circle_touches_a_polygon_when_it_is_no_further_than_its_radius(seed: int, reach: float) -> None:
    """Beside each circle as a shape by the domain's formula; within 1 % of its border it may go either way."""
    circles = people(1_500, seed, radii_km=(0.5, 3.0, 20.0, 90.0, 600.0))
    shape = star(seed, reach=reach)
    shapely.prepare(shape)
    found = set(index_of(circles).touching(shape))
    for number in range(1, len(circles) + 1, 20):
        latitude, longitude, radius_km = circles[number - 1].tolist()
        inner, outer = (
            Polygon(
                [
                    (x, y)
                    for y, x in circle_ring(
                        Circle(latitude=latitude, longitude=longitude, radius_km=radius_km * share), 360
                    )
                ]
            )
            for share in (0.99, 1.01)
        )
        if shape.intersects(inner):
            assert number in found
        if not shape.intersects(outer):
            assert number not in found


@pytest.mark.parametrize(("longitude", "is_near"), [(179.99, True), (-179.99, True), (179.0, False), (-178.5, False)])
def test_circles_and_polygons_at_the_antimeridian_meet(longitude: float, is_near: bool) -> None:
    ring = ((10.0, 179.9), (10.0, -179.9), (11.0, -179.9), (11.0, 179.9), (10.0, 179.9))
    found = index_of(np.array([[10.5, longitude, 5.0], [0.0, 0.0, 0.0]])).touching(surface_of([ring]))
    assert (1 in found) is is_near


@given(degrees=st.floats(0.2, 5), latitude=st.floats(-65, 65))
@example(degrees=0.2, latitude=65.0)
def test_distances_are_kilometres_at_every_latitude(degrees: float, latitude: float) -> None:
    """A point west of a tall square: its distance is the arc to the square's western side."""
    square = shapely.box(100, latitude - 5, 101, latitude + 5)
    arc_km = math.asin(math.cos(math.radians(latitude)) * math.sin(math.radians(degrees))) * EARTH_RADIUS_KM
    circles = np.array([[latitude, 100 - degrees, arc_km * 1.02], [latitude, 100 - degrees, arc_km * 0.98]])
    assert list(index_of(circles).touching(square)) == [1]


def test_a_shape_without_an_inside_touches_nobody() -> None:
    flat = surface_of([((30.0, 120.0), (30.0, 121.0), (30.0, 120.0), (30.0, 120.0))])
    assert not index_of(people(10, 1)).touching(flat)
    with pytest.raises(ValueError, match="linearring"):
        surface_of([((30.0, 120.0), (30.0, 121.0))])
