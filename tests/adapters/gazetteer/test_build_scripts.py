"""The scripts that build the gazetteer's data: the datum's offset, and the same bytes for the same source."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.gazetteer import read_boundaries
from domain.geometry import outer_rings, polygon_findings
from scripts.gazetteer import build_boundaries, build_divisions, gcj02
from tests.adapters.gazetteer.cities import square


@given(longitude=st.floats(75, 134), latitude=st.floats(19, 53))
def test_a_position_comes_back_from_gcj02_within_a_metre(longitude: float, latitude: float) -> None:
    shown = gcj02.from_wgs84(longitude, latitude)
    assert gcj02.to_wgs84(*shown) == pytest.approx((longitude, latitude), abs=1e-6)


@pytest.mark.parametrize(
    ("wgs84", "shown"),
    [
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ],
)
def test_the_offset_is_that_of_other_implementations(wgs84: tuple[float, float], shown: tuple[float, float]) -> None:
    # The three points of the test suite of googollee/eviltransform (MIT).
    assert gcj02.from_wgs84(*wgs84) == pytest.approx(shown, abs=1e-6)


def test_converted_neighbours_stay_sound_and_do_not_overlap() -> None:
    source = {
        "features": [
            {"id": code, "properties": {"name": code}, "geometry": square(west, 30, 0.5)}
            for code, west in (("330602", 120.0), ("330603", 120.5))
        ]
    }
    built = build_boundaries.collection(source, 0.002, "Nobody")
    shapes = read_boundaries(json.dumps(built).encode())
    assert list(shapes) == ["330602", "330603"]
    assert shapes["330602"].intersection(shapes["330603"]).area < 1e-8
    for shape in shapes.values():
        assert [polygon_findings(ring, "/", refuses=True) for ring in outer_rings(shape)] == [()]


def package(folder: Path, streets: str) -> Path:
    (folder / "dist").mkdir()
    tables = {"provinces": "33,浙江省\n", "cities": "3306,绍兴市\n", "areas": "330602,越城区\n", "streets": streets}
    for name, rows in tables.items():
        (folder / "dist" / f"{name}.csv").write_text(f"code,name\n{rows}", encoding="utf-8")
    return folder


def test_the_table_is_sorted_and_the_same_every_time(tmp_path: Path) -> None:
    found = build_divisions.rows(package(tmp_path, "330602010,东浦街道\n"))
    content = build_divisions.compressed(found)
    assert content == build_divisions.compressed(dict(reversed(found.items())))
    assert gzip.decompress(content).decode() == "33\t浙江省\n3306\t绍兴市\n330602\t越城区\n330602010\t东浦街道\n"


@pytest.mark.parametrize("row", ["33060201,东浦街道", "330699010,东浦街道", "330602010,"])
def test_a_row_that_does_not_fit_stops_the_build(tmp_path: Path, row: str) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        build_divisions.rows(package(tmp_path, f"{row}\n"))
