"""`outlet check`: verdicts, exit codes and shapes, on made-up files."""

import json
from pathlib import Path

import pytest

from tests.adapters.cli.conftest import Outlet
from tests.adapters.cli.samples import cap
from tests.adapters.cn12379.samples import MESSAGE, zipped


def test_a_readable_file_is_named_with_its_message_and_ends_with_0(outlet: Outlet) -> None:
    path = outlet.file("one.xml", cap("one"))
    result = outlet.plain("check", path, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found == {
        "files": [
            {
                "file": str(path),
                "verdict": "readable",
                "format": "cap",
                "messages": [
                    {
                        "sender": "weather@example.test",
                        "identifier": "one",
                        "sent": "2031-03-04T08:00:00+00:00",
                        "message_type": "Alert",
                        "status": "Actual",
                    }
                ],
                "findings": [],
            }
        ],
        "summary": {"readable": 1, "readable-with-notes": 0, "refused": 0},
        "unreadable": [],
    }


def test_a_refused_file_ends_with_1_and_says_why_and_the_others_are_still_read(outlet: Outlet) -> None:
    broken = outlet.file("a.xml", "<alert")
    whole = outlet.file("b.xml", cap("whole"))
    result = outlet.plain("check", "--json", broken, whole)
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert [one["verdict"] for one in found["files"]] == ["refused", "readable"]
    finding = found["files"][0]["findings"][0]
    assert set(finding) == {"code", "path", "sentence", "refuses"}
    assert (finding["code"], finding["refuses"]) == ("not-xml", True)
    assert found["summary"]["refused"] == 1


def test_a_12379_message_and_its_zip_are_read_with_their_notes(outlet: Outlet) -> None:
    path = outlet.file("message.xml", MESSAGE)
    archive = outlet.folder / "message.zip"
    archive.write_bytes(zipped({"message.xml": MESSAGE.encode()}))
    found = json.loads(outlet.plain("check", "--json", path, archive).stdout)
    assert {one["format"] for one in found["files"]} == {"cn12379"}
    assert {one["messages"][0]["identifier"] for one in found["files"]} == {"33060041600000_20300607080910"}


def test_checks_are_as_strict_as_the_policy_says(outlet: Outlet) -> None:
    no_area = cap("no-headline").replace("<headline>no-headline says RAIN0</headline>", "").replace("Likely", "Perhaps")
    path = outlet.file("odd.xml", no_area)
    strict = outlet.policy.with_name("strict.toml")
    strict.write_text(outlet.policy.read_text() + '\n[reading.checks]\nschema_defect = "refuse"\n')
    assert outlet.plain("check", path).exit_code == 0
    assert outlet.plain("check", path, "--policy", strict).exit_code == 1


def test_a_folder_stands_for_the_message_files_in_it(outlet: Outlet) -> None:
    folder = outlet.folder / "many"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.xml").write_text(cap(f"m{number}"))
    (folder / "readme.txt").write_text("no message")
    assert json.loads(outlet.plain("check", folder, "--json").stdout)["summary"]["readable"] == 3


def test_a_file_that_is_not_there_is_said_and_ends_with_1(outlet: Outlet) -> None:
    result = outlet.plain("check", outlet.folder / "nowhere.xml")
    assert result.exit_code == 1
    assert "nowhere.xml" in result.stderr
    assert "Traceback" not in result.output


def test_a_policy_that_cannot_be_used_ends_with_2_and_one_line(outlet: Outlet) -> None:
    result = outlet.plain("check", outlet.file("a.xml", cap("a")), "--policy", "no-such-policy")
    assert result.exit_code == 2
    assert "no-such-policy" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_check_touches_no_data_directory(outlet: Outlet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    outlet.plain("check", outlet.file("a.xml", cap("a")))
    assert list(empty.iterdir()) == []
    assert not outlet.data.exists()
