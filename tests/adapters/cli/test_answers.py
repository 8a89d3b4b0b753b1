"""From `ingest` to `board`, `explain`, `history`, `release show`, `parked` and `rebuild`, as one who types sees it."""

from typing import Any

import pytest

from tests.adapters.cli.conftest import Outlet
from tests.adapters.cli.samples import FLOOD, WATER, cap, reference

AT = "2031-03-04T17:30:00+09:00"


def the_board(outlet: Outlet, at: str = AT, *more: str) -> Any:
    return outlet.json("board", "--at", at, *more)


def test_what_was_ingested_stands_on_the_board_in_the_documented_shape(outlet: Outlet) -> None:
    taken = outlet.ingest(cap("a1", "Moderate"), cap("w1", "Severe", hazard=FLOOD, sender=WATER))
    assert [receipt["outcome"] for receipt in taken["receipts"]] == ["accepted", "accepted"]
    assert taken["unreadable"] == []
    shown = the_board(outlet)
    assert (shown["at"], shown["mode"]) == (AT, "live")
    (district,) = shown["districts"]
    assert (district["code"], district["name"], district["level"]) == ("N1", "North", "orange")
    assert {"warning_id", "revision", "sections"} <= set(district)
    flood, rain = district["sections"]
    assert flood["hazard"] == {"code": "FLOOD", "name_zh": "洪水", "name_en": "Flood"}
    assert [issuer["id"] for issuer in flood["issuers"]] == ["water"]
    assert flood["areas"] == [{"code": "N1", "name": "North", "level": "orange"}]
    assert (rain["level"], rain["conflict"]) == ("yellow", None)
    assert rain["effective"] == "2031-03-04T17:00:00+09:00"
    assert rain["expires"] == "2031-03-04T23:00:00+09:00"
    assert rain["text"] == "The words of a1."


def test_the_board_of_a_past_moment_shows_what_was_in_force_then(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    assert the_board(outlet, "2031-03-04T16:59:00+09:00")["districts"] == []
    assert the_board(outlet, "2031-03-04T23:00:00+09:00")["districts"] == []
    assert len(the_board(outlet, "2031-03-04T22:59:59+09:00")["districts"]) == 1


def test_a_time_without_a_zone_is_the_outlets_and_that_is_said(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    result = outlet("board", "--at", "2031-03-04T17:30:00", "--json")
    assert AT in result.stdout
    assert "Asia/Tokyo" in result.stderr


def test_one_district_alone_by_code_or_name_and_an_unknown_one_is_named(outlet: Outlet) -> None:
    outlet.ingest(cap("a1", districts=("N1", "S2")))
    assert [entry["code"] for entry in the_board(outlet, AT, "--district", "South")["districts"]] == ["S2"]
    result = outlet("board", "--district", "Nowhere", code=1)
    assert "Nowhere" in result.stderr
    assert "Traceback" not in result.output


def test_drills_stand_on_a_board_of_their_own(outlet: Outlet) -> None:
    outlet.ingest(cap("d1", status="Exercise"))
    assert the_board(outlet)["districts"] == []
    assert [entry["code"] for entry in the_board(outlet, AT, "--mode", "drill")["districts"]] == ["N1"]


def test_piped_answers_are_plain_lines_with_the_word_of_the_level(outlet: Outlet) -> None:
    outlet.ingest(cap("a1", "Severe"))
    lines = outlet("board", "--at", AT, "--lang", "zh").stdout.splitlines()
    assert lines[0].split("\t")[:3] == ["district", "level", "hazard"]
    assert lines[1].split("\t")[:3] == ["North N1", "orange", "暴雨"]
    assert "\x1b" not in "".join(lines)


def test_a_malformed_file_ends_with_1_and_the_next_is_still_taken(outlet: Outlet) -> None:
    taken = outlet.ingest("<alert", cap("good"), code=1)
    assert [receipt["outcome"] for receipt in taken["receipts"]] == ["rejected", "accepted"]
    assert taken["receipts"][0]["findings"][0]["code"] == "not-xml"
    assert len(the_board(outlet)["districts"]) == 1
    (item,) = outlet.json("parked")["items"]
    assert (item["kind"], item["codes"]) == ("rejected", ["not-xml"])


def test_the_same_file_twice_is_a_duplicate_and_no_refusal(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    assert outlet.ingest(cap("a1"))["receipts"][0]["outcome"] == "duplicate"


def test_a_message_by_an_agency_that_the_policy_does_not_know_is_wrong_usage(outlet: Outlet) -> None:
    path = outlet.file("a.xml", cap("a"))
    result = outlet("--policy", outlet.policy, "ingest", path, "--agency", "nobody", code=2)
    assert "nobody" in result.stderr


def test_explain_names_the_messages_and_the_rules_and_the_release(outlet: Outlet) -> None:
    outlet.ingest(cap("a1", "Moderate"), cap("w1", "Severe", sender=WATER))
    told = outlet.json("explain", "N1", "--lang", "en")
    (section,) = told["sections"]
    assert {source["identifier"] for source in section["sources"]} == {"a1", "w1"}
    assert "highest_level_in_force_wins_in_each_area" in {one["rule"] for one in section["applied"]}
    assert told["release"]["identifier"].startswith("sample-N1-1-")
    first = outlet.json("explain", told["warning_id"][:12], "--revision", "1", "--lang", "en")
    assert {source["identifier"] for source in first["sections"][0]["sources"]} == {"a1"}
    assert "a1" in outlet("explain", "--lang", "en").stdout  # the only warning there is need not be named


def test_history_tells_a_district_and_a_warning_in_order(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    outlet.ingest(cap("a2", kind="Cancel", references=reference("a1")), at="2031-03-04T09:00:00+00:00")
    told = outlet.json("history", "North")
    kinds = [entry["kind"] for entry in told["entries"]]
    assert kinds.index("contribution-recorded") < kinds.index("outlet-revised") < kinds.index("contribution-ended")
    assert all(entry["at"].endswith("+09:00") and entry["sentence"] for entry in told["entries"])
    warning = next(entry["warning_id"] for entry in told["entries"] if entry["warning_id"])
    same = outlet.json("history", warning)
    assert same["warning_id"] == warning
    assert outlet.moments(same["entries"]) == outlet.moments(told["entries"])
    assert len(outlet.json("history", "N1", "--limit", "1")["entries"]) == 1


@pytest.mark.parametrize("command", ["history", "explain", "release show"])
def test_a_warning_that_is_not_there_is_said_in_one_line(outlet: Outlet, command: str) -> None:
    outlet.ingest(cap("a1"))
    result = outlet(*command.split(), "zzz", code=1)
    assert "zzz" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_release_is_shown_as_it_went_out(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    shown = outlet.json("release", "show", "N1", "--format", "cap")
    assert shown["files"][0]["name"] == f"{shown['identifier']}.xml"
    document = outlet("release", "show", shown["identifier"], "--format", "cap").stdout
    assert f"<identifier>{shown['identifier']}</identifier>" in document
    assert outlet.plain("check", outlet.file("out.xml", document)).exit_code == 0
    assert "Heavy rain yellow" in outlet("release", "show", "N1").stdout
    # This outlet has no 12379 sender code.
    assert "12379" in outlet("release", "show", "N1", "--format", "cn12379", code=1).stderr


def test_a_rebuild_gives_the_same_answers(outlet: Outlet) -> None:
    outlet.ingest(cap("a1", districts=("N1", "S2")), cap("w1", "Severe", sender=WATER), "<alert", code=1)
    before = [the_board(outlet), outlet.json("history", "N1"), outlet.json("parked")["items"]]
    rebuilt = outlet.json("rebuild")
    assert rebuilt["events"] > 0
    assert "board" in rebuilt["projections"]
    assert [the_board(outlet), outlet.json("history", "N1"), outlet.json("parked")["items"]] == before


def test_the_answers_come_back_when_the_read_tables_are_lost(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    before = the_board(outlet)
    for path in outlet.data.glob("read.sqlite*"):
        path.unlink()
    assert the_board(outlet) == before


@pytest.mark.parametrize(
    "command", ["board", "history N1", "explain", "parked", "rebuild", "doctor", "release show x", "policy show"]
)
def test_a_reading_command_makes_no_data_directory(outlet: Outlet, command: str) -> None:
    result = outlet(*command.split(), code=1)
    assert str(outlet.data) in result.stderr.replace("\n", "")
    assert not outlet.data.exists()


def test_the_data_directory_may_be_named_behind_the_command(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    assert outlet.plain("board", "--at", AT, "--data", outlet.data).exit_code == 0
    assert outlet.plain("board", f"--data={outlet.data}", "--at", AT).exit_code == 0


@pytest.mark.parametrize(("option", "value"), [("--at", "yesterday"), ("--mode", "test"), ("--lang", "fr")])
def test_a_value_that_cannot_be_meant_is_wrong_usage(outlet: Outlet, option: str, value: str) -> None:
    outlet.ingest(cap("a1"))
    assert value in outlet("board", option, value, code=2).stderr
