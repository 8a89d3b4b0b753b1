"""The acknowledgement says accepted or refused, and why."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.cn12379.acknowledgement import acknowledge
from adapters.xml.safe import parse
from domain.findings import Code, note, refusal


def rows_of(answer: bytes) -> dict[str, str]:
    rows = parse(answer).find("data/rows")
    assert rows is not None
    return {str(row.tag): row.text or "" for row in rows}


def test_a_message_without_findings_is_accepted() -> None:
    assert rows_of(acknowledge([])) == {"status": "0", "error_code": "", "note": ""}


def test_notes_are_told_and_refuse_nothing() -> None:
    answer = rows_of(acknowledge([note(Code.INCOMPLETE_NOTE, "/alert/info[1]/instruction", "No instruction.")]))
    assert answer == {"status": "0", "error_code": "", "note": "/alert/info[1]/instruction: No instruction."}


def test_a_refusal_names_the_first_code_and_every_finding() -> None:
    findings = [
        note(Code.WHITESPACE, "/alert/status", "Trimmed."),
        refusal(Code.TIME_ZONE, "/alert/sendTime", "No zone."),
        refusal(Code.MISSING, "/alert/info[1]/area", "No area."),
    ]
    answer = rows_of(acknowledge(findings))
    assert answer["status"] == "1"
    assert answer["error_code"] == "time-zone"
    assert answer["note"].splitlines() == [
        "/alert/status: Trimmed.",
        "/alert/sendTime: No zone.",
        "/alert/info[1]/area: No area.",
    ]


@given(st.text(alphabet=st.characters()))
def test_whatever_a_finding_quotes_the_answer_is_xml(sentence: str) -> None:
    assert rows_of(acknowledge([refusal(Code.VALUE, "/", "x")]))["status"] == "1"
    finding = refusal(Code.VALUE, "/", "x").model_copy(update={"sentence": sentence})
    assert rows_of(acknowledge([finding]))["status"] == "1"
