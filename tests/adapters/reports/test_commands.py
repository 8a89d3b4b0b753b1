"""`outlet report` and `outlet assess`, as they are typed."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from pypdf import PdfReader

from domain.assessment import AssessmentCode
from tests.adapters.cli.conftest import Outlet
from tests.adapters.cli.samples import FLOOD, RAIN, WATER, cap
from tests.conftest import PROJECT

MONTH = "2031-03"
DOCUMENT = PROJECT / "docs" / "reports.md"


@pytest.fixture
def worked(outlet: Outlet) -> Outlet:
    """Rain in the north, and later a flood there."""
    outlet.ingest(cap("a1", "Severe"))
    outlet.ingest(cap("f1", "Moderate", hazard=FLOOD, sender=WATER), at="2031-03-04T09:00:00+00:00")
    return outlet


def warning_of(outlet: Outlet) -> str:
    return str(outlet.json("explain", "N1")["warning_id"])


def test_html_is_written_where_it_is_asked_for_and_names_its_hash(worked: Outlet) -> None:
    result = worked("report", "--month", MONTH, "--to", worked.folder / "reports", "--language", "en")
    path = worked.folder / "reports" / "risk-report-sample-2031-03.en.html"
    assert str(path) in result.stdout
    digest = worked.json("report", "--month", MONTH)["content_sha256"]
    assert digest in result.stdout
    assert digest in path.read_text(encoding="utf-8")
    assert "Sample Outlet" in path.read_text(encoding="utf-8")
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_each_form_is_written_and_the_same_again(worked: Outlet) -> None:
    forms = ("--format", "html", "--format", "pdf", "--format", "json")
    first, again = worked.folder / "first", worked.folder / "again"
    assert len(worked.json("report", "--month", MONTH, *forms, "--to", first)["files"]) == 3
    worked("report", "--month", MONTH, *forms, "--to", again)
    names = sorted(one.name for one in first.iterdir())
    assert [name.rpartition(".")[2] for name in names] == ["json", "html", "pdf"]
    for name in names:
        assert (first / name).read_bytes() == (again / name).read_bytes()


def test_one_form_can_have_its_own_file_and_two_cannot(worked: Outlet) -> None:
    path = worked.folder / "march.pdf"
    worked("report", "--month", MONTH, "--format", "pdf", "--to", path)
    assert "自然灾害风险形势分析报告" in PdfReader(path).pages[0].extract_text()
    result = worked("report", "--month", MONTH, "--format", "pdf", "--format", "html", "--to", path, code=2)
    assert "name a folder" in result.stderr


def test_what_is_no_month_is_wrong_usage_and_no_outlet_is_not_there(worked: Outlet, tmp_path: Path) -> None:
    assert "is not a month" in worked("report", "--month", "March", code=2).stderr
    assert "no policy" in worked("report", "--month", MONTH, "--position", "0", code=2).stderr
    assert "no position" in worked("report", "--month", MONTH, "--position", "100000", code=2).stderr
    result = worked.plain("--data", tmp_path / "nowhere", "report", "--month", MONTH)
    assert result.exit_code == 1
    assert not (tmp_path / "nowhere").exists()


def test_an_earlier_report_is_made_again_by_its_position(worked: Outlet) -> None:
    before = worked.json("report", "--month", MONTH)
    worked("assess", warning_of(worked), "--verdict", "hit", "--by", "Officer A")
    after = worked.json("report", "--month", MONTH)
    assert after["content_sha256"] != before["content_sha256"]
    assert after["report"]["assessment"]["total"]["hits"] == 2
    again = worked.json("report", "--month", MONTH, "--position", str(before["report"]["position"]))
    assert again == before


def test_the_documents_check_of_the_hash_holds(worked: Outlet, monkeypatch: pytest.MonkeyPatch) -> None:
    worked("report", "--month", MONTH, "--format", "json", "--to", worked.folder)
    (written,) = worked.folder.glob("risk-report-*.json")
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(worked.folder)
    (worked.folder / "risk-report-shaoxing-2026-09.json").write_bytes(written.read_bytes())
    exec(compile(code, "docs/reports.md", "exec"), {})
    content = json.loads(written.read_text(encoding="utf-8"))
    canonical = json.dumps(content["report"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(canonical.encode()).hexdigest() == content["content_sha256"]


def test_a_verdict_is_on_every_hazard_of_a_warning_and_the_last_one_counts(worked: Outlet) -> None:
    warning = warning_of(worked)
    recorded = worked.json("assess", warning[:12], "--verdict", "hit", "--by", "Officer A", "--note", "it rained")
    assert [(one["hazard"], one["level"]) for one in recorded["recorded"]] == [(FLOOD, "yellow"), (RAIN, "orange")]
    worked("assess", warning, "--hazard", FLOOD, "--verdict", "false", "--by", "Officer B")
    listed = worked.json("assess", "--list", "--month", MONTH)
    assert {(one["hazard"], one["verdict"], one["by"]) for one in listed["warnings"]} == {
        (RAIN, "hit", "Officer A"),
        (FLOOD, "false", "Officer B"),
    }
    total = worked.json("report", "--month", MONTH)["report"]["assessment"]["total"]
    assert (total["warnings"], total["assessed"], total["hits"], total["false_alarms"]) == (2, 2, 1, 1)
    assert "Officer B" in worked("assess", "--list", "--month", MONTH).stdout


def test_an_event_that_was_missed_is_listed_in_the_month_in_which_it_happened(worked: Outlet) -> None:
    at = "2026-03-05T08:00:00+09:00"
    missed = ("assess", "--missed", "--district", "S2", "--hazard", "Flood", "--happened", at, "--by", "Officer A")
    (one,) = worked.json(*missed)["recorded"]
    assert (one["verdict"], one["district"], one["hazard"], one["happened"]) == ("missed", "S2", FLOOD, at)
    listed = worked.json("assess", "--list", "--month", "2026-03")
    assert [found["happened"] for found in listed["missed"]] == [at]
    assert "missed: 2026-03-05" in worked("assess", "--list", "--month", "2026-03").stdout


REFUSED = [
    (AssessmentCode.UNKNOWN_WARNING, ("ffff", "--verdict", "hit")),
    (AssessmentCode.UNKNOWN_HAZARD, ("N1", "--verdict", "hit", "--hazard", "meteors")),
    (
        AssessmentCode.UNKNOWN_DISTRICT,
        ("--missed", "--district", "Nowhere", "--hazard", RAIN, "--happened", "2026-01-01"),
    ),
    (AssessmentCode.NOT_YET, ("--missed", "--district", "N1", "--hazard", RAIN, "--happened", "2099-01-01T00:00:00Z")),
    (AssessmentCode.NOT_A_TIME, ("--missed", "--district", "N1", "--hazard", RAIN, "--happened", "yesterday")),
]


@pytest.mark.parametrize(("code", "arguments"), REFUSED)
def test_what_cannot_be_said_is_refused_with_its_code_and_stores_nothing(
    worked: Outlet, code: AssessmentCode, arguments: tuple[str, ...]
) -> None:
    before = worked.json("report", "--month", MONTH)["report"]["position"]
    assert f"[{code.value}]" in worked("assess", *arguments, "--by", "Officer A", code=1).stderr
    refused = worked.json("assess", *arguments, "--by", "Officer A", code=1)
    assert refused["refused"]["code"] == code.value
    assert worked.json("report", "--month", MONTH)["report"]["position"] == before


def test_every_code_is_tried_and_documented() -> None:
    assert {code for code, _ in REFUSED} == set(AssessmentCode)
    text = DOCUMENT.read_text(encoding="utf-8")
    assert {code for code in AssessmentCode if f"| `{code.value}` |" in text} == set(AssessmentCode)


def test_a_hazard_that_the_warning_never_spoke_of_is_refused(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    result = outlet("assess", "N1", "--verdict", "hit", "--hazard", FLOOD, "--by", "Officer A", code=1)
    assert "never spoke of" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("N1", "--verdict", "hit"),
        ("N1", "--verdict", "hit", "--by", " "),
        ("N1", "--by", "A"),
        ("--missed", "--by", "A"),
        ("N1", "--missed", "--verdict", "hit", "--by", "A"),
        ("--list",),
        ("--list", "--month", "2031"),
    ],
)
def test_a_verdict_needs_all_of_its_parts(worked: Outlet, arguments: tuple[str, ...]) -> None:
    worked("assess", *arguments, code=2)
