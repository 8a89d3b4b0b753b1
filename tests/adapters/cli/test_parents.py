"""`outlet parent` shows what went up and what came back, and hands over again."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli.app import app
from tests.adapters.upward.desk import a_chain, hand_over, opened, parent, releases

DOCUMENT = """
[[parents]]
id = "province"
form = "cn12379"
by = "folder"
folder = "up"
acknowledgements = "down"
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "connections.toml").write_text(DOCUMENT)
    with opened(tmp_path) as city:
        a_chain(city, cancel=False)
        hand_over(city, parent(form="cn12379", by="folder", folder="up", acknowledgements="down"))
    return tmp_path


def run(data: Path, *arguments: str, code: int = 0) -> str:
    found = CliRunner().invoke(app, ["--data", str(data), "parent", *arguments], catch_exceptions=False)
    assert found.exit_code == code, found.output
    return found.output


def as_json(data: Path, *arguments: str) -> Any:
    return json.loads(run(data, *arguments, "--json"))


def test_the_list_tells_what_is_late_and_what_was_refused(data: Path) -> None:
    [told] = as_json(data, "list")["parents"]
    assert (told["id"], told["waiting"], told["overdue"], told["refused"]) == ("province", 2, 2, 0)
    assert told["last_passed"] is not None
    assert told["last_acknowledged"] is None
    assert "province\tcn12379\tfolder\tlive" in run(data, "list")


def test_every_document_is_shown_with_its_state(data: Path) -> None:
    documents = as_json(data, "show", "province", "--district", "330604")["documents"]
    assert [(one["state"], one["overdue"], one["district"]) for one in documents] == [("waiting", True, "330604")] * 2
    assert as_json(data, "show", "province", "--district", "330602")["documents"] == []
    assert len(as_json(data, "show", "province", "--limit", "1")["documents"]) == 1


def test_a_retry_writes_the_same_file_again(data: Path) -> None:
    before = {path.name: path.read_bytes() for path in (data / "up").iterdir()}
    with opened(data) as city:
        positions = [parcel.position for parcel in releases(city)]
    for path in (data / "up").iterdir():
        path.unlink()
    for position in positions:
        assert "has the release" in run(data, "retry", "province", str(position))
    assert {path.name: path.read_bytes() for path in (data / "up").iterdir()} == before
    shown = as_json(data, "show", "province")["documents"]
    assert all(not one["overdue"] for one in shown)
    assert all(datetime.fromisoformat(one["passed_at"]) > datetime(2023, 1, 1, tzinfo=UTC) for one in shown)


def test_what_cannot_be_retried_says_why(data: Path) -> None:
    assert "there is no release at position 1" in run(data, "retry", "province", "1", code=1)
    assert "no parent 'nobody'" in run(data, "retry", "nobody", "1", code=1)
    (data / "up").rename(data / "elsewhere")
    (data / "up").write_text("")
    with opened(data) as city:
        position = releases(city)[0].position
    assert "did not take" in run(data, "retry", "province", str(position), code=1)
