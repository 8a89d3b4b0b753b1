"""`outlet import` on a made-up list: what is listed is in force, and what no longer is has ended."""

import json
from typing import Any

import pytest

from tests.adapters.cli.conftest import Outlet
from tests.adapters.cli.samples import LIST_PROFILE, row

ROWS = [
    row("1", "yellow", "2031-03-04T10:00:00+09:00", "2031-03-04T12:00:00+09:00"),
    row("2", "orange", "2031-03-04T11:00:00+09:00", "2031-03-04T11:30:00+09:00", by="Water"),
    row("3", "yellow", "2031-03-04T11:00:00+09:00", "2031-03-04T14:00:00+09:00", places="South"),
]


def imported(outlet: Outlet, rows: list[dict[str, Any]], *more: str, code: int = 0) -> Any:
    profile = outlet.file("profile.toml", LIST_PROFILE)
    file = outlet.file("rows.ndjson", "".join(json.dumps(one) + "\n" for one in rows))
    return outlet.json("--policy", outlet.policy, "import", "--profile", profile, file, *more, code=code)


@pytest.mark.parametrize(
    ("at", "levels"),
    [
        ("2031-03-04T09:59:59+09:00", {}),
        ("2031-03-04T10:00:00+09:00", {"N1": "yellow"}),
        ("2031-03-04T11:00:00+09:00", {"N1": "orange", "S2": "yellow"}),
        ("2031-03-04T11:30:00+09:00", {"N1": "yellow", "S2": "yellow"}),
        ("2031-03-04T12:00:00+09:00", {"S2": "yellow"}),
        ("2031-03-04T14:00:00+09:00", {}),
    ],
)
def test_the_board_shows_what_was_listed_from_the_first_moment_up_to_the_last(
    outlet: Outlet, at: str, levels: dict[str, str]
) -> None:
    summary = imported(outlet, ROWS)
    assert summary["moments"] == 5
    assert summary["outcomes"] == {"accepted": 6}
    shown = outlet.json("board", "--at", at)
    assert {entry["code"]: entry["level"] for entry in shown["districts"]} == levels


def test_an_item_that_stays_listed_unchanged_is_recorded_once(outlet: Outlet) -> None:
    imported(outlet, ROWS)
    entries = outlet.json("history", "S2")["entries"]
    assert [entry["kind"] for entry in entries].count("contribution-recorded") == 1


def test_a_row_that_is_refused_is_named_with_its_reason_and_the_others_stand(outlet: Outlet) -> None:
    outside = row("4", "orange", "2031-03-04T10:30:00+09:00", "2031-03-04T14:00:00+09:00", places="Atlantis")
    unread = row("5", "mauve", "2031-03-04T10:30:00+09:00", "2031-03-04T14:00:00+09:00")
    summary = imported(outlet, [*ROWS, outside, unread], code=1)
    assert [item["item"] for item in summary["refused_rows"]] == ["5"]
    assert [receipt["source"] for receipt in summary["rejected"]] == ["made-up#4"]
    assert summary["outcomes"] == {"accepted": 6, "rejected": 2}  # each once, not at every moment
    assert len(outlet.json("board", "--at", "2031-03-04T11:00:00+09:00")["districts"]) == 2


def test_a_later_copy_of_a_growing_archive_goes_on_where_the_first_ended(outlet: Outlet) -> None:
    imported(outlet, ROWS[:2])
    later = row("6", "orange", "2031-03-05T10:00:00+09:00", "2031-03-05T11:00:00+09:00")
    summary = imported(outlet, [*ROWS[:2], later])
    assert summary["outcomes"] == {"accepted": 2}
    shown = outlet.json("board", "--at", "2031-03-05T10:00:00+09:00")
    assert [entry["level"] for entry in shown["districts"]] == ["orange"]


def test_a_list_without_spans_is_what_is_shown_at_that_moment(outlet: Outlet) -> None:
    bare = [{key: value for key, value in ROWS[0].items() if key != "listed"}]
    outlet.file("profile.toml", LIST_PROFILE)
    profile = outlet.file("bare.toml", LIST_PROFILE.replace('spans = "listed"\n', ""))
    file = outlet.file("now.ndjson", json.dumps(bare[0]) + "\n")
    at = "2031-03-04T10:00:00+09:00"
    summary = outlet.json("--policy", outlet.policy, "import", "--profile", profile, "--at", at, file)
    assert summary["outcomes"] == {"accepted": 1}
    assert len(outlet.json("board", "--at", at)["districts"]) == 1


def test_an_unknown_profile_or_a_file_that_is_no_list_is_said(outlet: Outlet) -> None:
    file = outlet.file("rows.ndjson", "{}\n")
    result = outlet("import", "--profile", "no-such", file, code=2)
    assert "no-such" in result.stderr
    broken = outlet.file("broken.ndjson", "[1, 2")
    profile = outlet.file("profile.toml", LIST_PROFILE)
    result = outlet("--policy", outlet.policy, "import", "--profile", profile, broken, code=1)
    assert "Traceback" not in result.output
    missing = outlet("--policy", outlet.policy, "import", "--profile", profile, outlet.folder / "none.ndjson", code=1)
    assert "none.ndjson" in missing.stderr.replace("\n", "")
