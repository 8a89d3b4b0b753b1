"""The board against a real archive: what Shenzhen's bureaus listed at a moment is what the board names for it.

The rows are read here with `json` alone, and places are looked up in the archive's own table of streets: nothing of
what is tested helps to say what is right.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli.app import app
from adapters.settings import Settings
from adapters.wiring import ReadSide, open_for_reading
from domain.messages import Mode
from projections.board import board

pytestmark = pytest.mark.long

ROWS, MOMENTS = 315, 500
RANKS = {level: rank for rank, level in enumerate(["white", "blue", "yellow", "orange", "red"])}
COLOURS = {"白色": "white", "蓝色": "blue", "黄色": "yellow", "橙色": "orange", "红色": "red"}
HAZARDS = {
    "暴雨": "11B03",
    "雷电": "11B14",
    "雷雨大风": "11B20",
    "高温": "11B09",
    "台风": "11B01",
    "地质灾害": "11B37",
}
ALL_LAND = "全市陆地"
DAPENG = ("葵涌", "大鹏", "南澳")
TOWNS = {"441521102": "小漠", "441521103": "鹅埠", "441521104": "赤石", "441521105": "鲘门"}
ZONE, NEW_DISTRICT = "深汕特别合作区", "大鹏新区"

Levels = Mapping[tuple[str, str], str]
"""(hazard code, place) to level."""


@dataclass(frozen=True)
class Places:
    """Which district each street lies in, and the name of each street's code."""

    district_of: Mapping[str, str]
    street_of_code: Mapping[str, str]

    def covers(self, name: str, street: str) -> bool:
        district = self.district_of[street]
        return name in {street, district} or (name == ALL_LAND and district != ZONE)


@dataclass(frozen=True)
class Row:
    hazard: str
    level: str
    places: frozenset[str]
    begins: datetime
    ends: datetime


def places_in(shared_data: Path) -> Places:
    table = json.loads((shared_data / "shenzhen" / "shenzhen_divisions.json").read_text(encoding="utf-8"))
    streets = {s["code"]: s["name"].removesuffix("街道") for county in table["counties"] for s in county["streets"]}
    district_of = {
        s["name"].removesuffix("街道"): county["name"] for county in table["counties"] for s in county["streets"]
    }
    district_of |= dict.fromkeys(DAPENG, NEW_DISTRICT) | dict.fromkeys(TOWNS.values(), ZONE)
    return Places(district_of, {**streets, **TOWNS})


def rows_in(file: Path) -> list[Row]:
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        names = row["area"].replace("，", "、").split("、")
        for begins, ends in row["listed"]:
            rows.append(
                Row(
                    hazard=HAZARDS[row["subCategory"].rpartition(".")[2]],
                    level=COLOURS[row["wLevel"]],
                    places=frozenset("赤石" if name == "赤石镇" else name for name in names),
                    begins=datetime.fromisoformat(begins),
                    ends=datetime.fromisoformat(ends),
                )
            )
    return rows


def highest(levels: Sequence[str]) -> str:
    return max(levels, key=RANKS.__getitem__)


@dataclass(frozen=True)
class Archive:
    data: Path
    file: Path
    rows: Sequence[Row]
    places: Places
    moments_tried: int

    def listed(self, moment: datetime) -> list[Row]:
        return [row for row in self.rows if row.begins <= moment < row.ends]

    def pairs(self, moment: datetime) -> set[tuple[str, str]]:
        """Each hazard that was listed, with its highest level."""
        listed = self.listed(moment)
        return {(h, highest([row.level for row in listed if row.hazard == h])) for h in {row.hazard for row in listed}}

    def streets(self, moment: datetime) -> Levels:
        """The highest level that was listed for each street, by its own name or that of a larger place."""
        found: dict[tuple[str, str], str] = {}
        for row in self.listed(moment):
            for street in self.places.district_of:
                if any(self.places.covers(name, street) for name in row.places):
                    known = found.get((row.hazard, street))
                    found[row.hazard, street] = highest([known, row.level]) if known else row.level
        return found

    def moments(self, count: int, seed: int) -> list[datetime]:
        """Half of them anywhere in the archive's time, half at or just before a moment at which the list changed."""
        chance = random.Random(seed)
        changes = sorted({row.begins for row in self.rows} | {row.ends for row in self.rows})
        seconds = (changes[-1] - changes[0]).total_seconds()
        anywhere = [changes[0] + timedelta(seconds=chance.uniform(0, seconds)) for _ in range(count - count // 2)]
        at_changes = [chance.choice(changes) - timedelta(microseconds=chance.choice([0, 1])) for _ in range(count // 2)]
        return [*anywhere, *at_changes]


@pytest.fixture(scope="module")
def archive(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    data = tmp_path_factory.mktemp("shenzhen") / "data"
    (file,) = (shared_data / "shenzhen").glob("warnings_*.ndjson")
    arguments = ["--data", str(data), "--policy", "shenzhen", "import", "--profile", "shenzhen", str(file), "--json"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["rows"] == ROWS
    assert summary["outcomes"] == {"accepted": 2 * ROWS}  # each row once, and its end once
    assert summary["unresolved_places"] == {}
    return Archive(data, file, rows_in(file), places_in(shared_data), MOMENTS)


@pytest.fixture(scope="module")
def read(archive: Archive) -> Iterator[ReadSide]:
    with open_for_reading(Settings(data_dir=archive.data)) as opened:
        yield opened


def sections_of(shown: Any) -> Iterator[tuple[Any, Any]]:
    for district in shown["districts"]:
        for section in district["sections"]:
            yield district, section


def pairs_shown(shown: Any) -> set[tuple[str, str]]:
    levels: dict[str, list[str]] = {}
    for _, section in sections_of(shown):
        levels.setdefault(section["hazard"]["code"], []).append(section["level"])
    return {(hazard, highest(found)) for hazard, found in levels.items()}


def streets_shown(shown: Any, places: Places) -> Levels:
    """A street's level on the board: its own entry's, else its district's."""
    found: dict[tuple[str, str], str] = {}
    for district, section in sections_of(shown):
        own = {area["code"]: area["level"] for area in section["areas"]}
        whole = own.get(district["code"])
        for code, street in places.street_of_code.items():
            level = own.get(code, whole if places.district_of[street] == district["name"] else None)
            if level is not None:
                found[section["hazard"]["code"], street] = level
    return found


def test_at_each_of_many_moments_the_board_names_exactly_what_was_listed(archive: Archive, read: ReadSide) -> None:
    names = {area.code: area.name for area in read.gazetteer.districts()}
    moments = archive.moments(archive.moments_tried, seed=20260516)
    for moment in moments:
        shown = board(read.tables, at=moment, mode=Mode.LIVE, policy=read.policy, gazetteer_names=names)
        assert pairs_shown(shown) == archive.pairs(moment), moment
        assert streets_shown(shown, archive.places) == archive.streets(moment), moment
    assert sum(bool(archive.listed(moment)) for moment in moments) > len(moments) // 3  # not all of it is silence
    assert any(not archive.listed(moment) for moment in moments)


def test_the_command_says_the_same_and_a_rebuild_changes_nothing(archive: Archive) -> None:
    def shown(moment: datetime) -> Any:
        arguments = ["board", "--data", str(archive.data), "--at", moment.isoformat(), "--json"]
        return json.loads(CliRunner().invoke(app, arguments, catch_exceptions=False).stdout)

    moments = archive.moments(6, seed=7)
    before = [shown(moment) for moment in moments]
    for moment, found in zip(moments, before, strict=True):
        assert datetime.fromisoformat(found["at"]).astimezone(UTC) == moment.astimezone(UTC)
        assert pairs_shown(found) == archive.pairs(moment), moment
        assert streets_shown(found, archive.places) == archive.streets(moment), moment
    rebuilt = CliRunner().invoke(app, ["rebuild", "--data", str(archive.data)], catch_exceptions=False)
    assert rebuilt.exit_code == 0
    assert [shown(moment) for moment in moments] == before


def test_importing_the_same_archive_again_changes_nothing(archive: Archive) -> None:
    arguments = ["import", "--data", str(archive.data), "--profile", "shenzhen", str(archive.file), "--json"]
    summary = json.loads(CliRunner().invoke(app, arguments, catch_exceptions=False).stdout)
    assert (summary["moments"], summary["outcomes"]) == (0, {})
    assert summary["moments_before"] > 0
