"""Shapes: what a reader is told of a bad one, and which districts a good one means."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from domain.areas import Circle, Point
from domain.findings import Code
from domain.geometry import (
    EARTH_RADIUS_KM,
    Surfaces,
    circle_findings,
    circle_ring,
    outer_rings,
    polygon_findings,
)

SQUARE = ((30.0, 120.0), (30.0, 121.0), (31.0, 121.0), (31.0, 120.0), (30.0, 120.0))


def distance_km(one: Point, other: Point) -> float:
    """Great-circle distance by the haversine formula, as an independent measure."""
    (phi, lam), (psi, mu) = (tuple(map(math.radians, point)) for point in (one, other))
    root = math.sin((psi - phi) / 2) ** 2 + math.cos(phi) * math.cos(psi) * math.sin((mu - lam) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(root))


def codes(ring: Sequence[Point]) -> list[Code]:
    return [found.code for found in polygon_findings(ring, "/alert", refuses=True)]


def test_a_sound_polygon_has_no_findings() -> None:
    assert polygon_findings(SQUARE, "/alert", refuses=True) == ()


@pytest.mark.parametrize(
    ("ring", "words"),
    [
        (SQUARE[:3], "3 points"),
        ((), "0 points"),
        (SQUARE[:-1], "last point is not its first"),
        (((0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (0.0, 0.0)), "no area"),
        (((0.0, 0.0),) * 4, "no area"),
        (((0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0)), "crosses itself"),
    ],
)
def test_a_bad_ring_is_found_with_its_reason(ring: Sequence[Point], words: str) -> None:
    (found,) = polygon_findings(ring, "/alert/info/area/polygon", refuses=True)
    assert (found.code, found.path, found.refuses) == (Code.POLYGON, "/alert/info/area/polygon", True)
    assert words in found.sentence


def test_the_caller_says_whether_a_finding_refuses() -> None:
    (found,) = polygon_findings(SQUARE[:-1], "/", refuses=False)
    assert not found.refuses


def test_an_open_ring_that_also_crosses_itself_is_told_both() -> None:
    assert codes(((0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0))) == [Code.POLYGON, Code.POLYGON]


def test_swapped_coordinates_are_recognised_when_swapping_mends_them() -> None:
    swapped = tuple((longitude, latitude) for latitude, longitude in SQUARE)
    (found,) = polygon_findings(swapped, "/", refuses=True)
    assert found.code == Code.COORDINATES
    assert "swapped" in found.sentence


@pytest.mark.parametrize("place", [(95.0, 95.0), (30.0, 200.0), (math.nan, 120.0), (30.0, math.inf)])
def test_a_position_out_of_range_is_no_swap(place: Point) -> None:
    (found,) = polygon_findings((place, *SQUARE[1:4], place), "/", refuses=True)
    assert found.code == Code.COORDINATES
    assert "is no position" in found.sentence


def test_a_ring_across_the_antimeridian_is_sound() -> None:
    assert codes(((0.0, 179.0), (0.0, -179.0), (1.0, -179.0), (1.0, 179.0), (0.0, 179.0))) == []


def test_a_point_is_a_sound_circle() -> None:
    assert circle_findings(Circle(latitude=30, longitude=120, radius_km=0), "/", refuses=True) == ()


@pytest.mark.parametrize("radius_km", [-1.0, 30_000.0, math.nan])
def test_an_impossible_radius_is_found(radius_km: float) -> None:
    (found,) = circle_findings(Circle(latitude=30, longitude=120, radius_km=radius_km), "/", refuses=False)
    assert found.code == Code.CIRCLE


def test_a_swapped_centre_is_found() -> None:
    (found,) = circle_findings(Circle(latitude=120, longitude=30, radius_km=5), "/", refuses=True)
    assert found.code == Code.COORDINATES


@given(
    latitude=st.floats(-85, 85),
    longitude=st.floats(-180, 180),
    radius_km=st.floats(0.01, 500),
)
def test_every_corner_of_a_circle_is_the_radius_away(latitude: float, longitude: float, radius_km: float) -> None:
    ring = circle_ring(Circle(latitude=latitude, longitude=longitude, radius_km=radius_km))
    assert ring[0] == ring[-1]
    for corner in ring:
        assert distance_km((latitude, longitude), corner) == pytest.approx(radius_km, rel=1e-4)


DISTRICTS = {"a": box(120, 30, 121, 31), "b": box(121, 30, 122, 31), "c": box(178, 0, 180, 2)}
SURFACES = Surfaces(DISTRICTS)


def rectangle(south: float, west: float, north: float, east: float) -> tuple[Point, ...]:
    return ((south, west), (south, east), (north, east), (north, west), (south, west))


def test_a_shape_means_the_districts_that_it_covers_enough_of() -> None:
    third = rectangle(29, 119, 32, 121.34)
    assert SURFACES.meant_by_ring(third, 0.3) == ("a", "b")
    assert SURFACES.meant_by_ring(third, 0.5) == ("a",)


def test_a_small_shape_means_the_district_that_it_lies_in() -> None:
    assert SURFACES.meant_by_ring(rectangle(30.1, 120.1, 30.2, 120.2), 0.9) == ("a",)


def test_a_common_border_is_no_share_even_without_a_threshold() -> None:
    assert SURFACES.meant_by_ring(rectangle(30, 119, 31, 120), 0.0) == ()


def test_a_shape_far_away_means_nothing() -> None:
    assert SURFACES.meant_by_ring(rectangle(-10, 10, -9, 11), 0.0) == ()


def test_a_ring_without_area_means_nothing() -> None:
    assert SURFACES.meant_by_ring(((30.5, 120.5),) * 4, 0.0) == ()
    assert SURFACES.meant_by_ring(((30.5, 120.2), (30.5, 120.4), (30.5, 120.6), (30.5, 120.2)), 0.0) == ()


def test_a_point_means_the_district_around_it() -> None:
    assert SURFACES.meant_by_circle(Circle(latitude=30.5, longitude=121.5, radius_km=0), 1.0) == ("b",)


def test_a_wide_circle_means_every_district_that_it_swallows() -> None:
    assert SURFACES.meant_by_circle(Circle(latitude=30.5, longitude=121, radius_km=300), 1.0) == ("a", "b")


def test_a_ring_across_the_antimeridian_means_only_what_it_touches() -> None:
    ring = ((0.0, 179.0), (0.0, -179.0), (2.0, -179.0), (2.0, 179.0), (0.0, 179.0))
    assert SURFACES.meant_by_ring(ring, 0.5) == ("c",)
    around = Surfaces({**DISTRICTS, "d": box(-180, 0, -179, 2), "equator": box(0, 0, 1, 2)})
    assert around.meant_by_ring(ring, 0.5) == ("c", "d")


def test_a_circle_across_the_antimeridian_is_put_back_on_both_sides() -> None:
    around = Surfaces({"c": box(179, 0, 180, 1), "d": box(-180, 0, -179, 1)})
    assert around.meant_by_circle(Circle(latitude=0.5, longitude=-179.9, radius_km=500), 1.0) == ("c", "d")


def test_shares_are_shares_of_square_kilometres_at_every_latitude() -> None:
    # Between 60 and 80 degrees north, the half of the degrees nearer the pole is much less than half the surface.
    tall = Surfaces({"tall": box(0, 60, 10, 80)})
    north = rectangle(70, -5, 85, 15)
    share = (math.sin(math.radians(80)) - math.sin(math.radians(70))) / (
        math.sin(math.radians(80)) - math.sin(math.radians(60))
    )
    assert tall.meant_by_ring(north, share - 0.01) == ("tall",)
    assert tall.meant_by_ring(north, 0.5) == ()


def test_without_surfaces_a_shape_means_nothing() -> None:
    assert Surfaces.empty().meant_by_ring(SQUARE, 0.0) == ()


def test_surfaces_know_whose_they_are() -> None:
    assert ["a" in SURFACES, "z" in SURFACES] == [True, False]


def test_a_district_whose_boundary_crosses_itself_still_answers() -> None:
    crossed = Surfaces({"x": Polygon([(0, 0), (1, 1), (0, 1), (1, 0), (0, 0)])})
    assert crossed.meant_by_ring(rectangle(-1, -1, 2, 2), 1.0) == ("x",)


def test_outer_rings_are_closed_and_in_the_order_latitude_longitude() -> None:
    with_hole = Polygon([(0, 0), (4, 0), (4, 2), (0, 2)], [[(1, 1), (2, 1), (2, 1.5)]])
    rings = outer_rings(MultiPolygon([with_hole, box(10, 0, 11, 1)]))
    assert [list(ring) for ring in rings] == [
        [(0, 0), (0, 4), (2, 4), (2, 0), (0, 0)],
        [(0, 11), (1, 11), (1, 10), (0, 10), (0, 11)],
    ]
    assert outer_rings(with_hole) == rings[:1]


@given(south=st.floats(-80, 79), west=st.floats(-179, 178), height=st.floats(0.01, 1), width=st.floats(0.01, 1))
def test_a_shape_means_the_district_of_its_own_outline(south: float, west: float, height: float, width: float) -> None:
    own = Surfaces({"own": box(west, south, west + width, south + height)})
    assert own.meant_by_ring(rectangle(south, west, south + height, west + width), 0.999) == ("own",)
