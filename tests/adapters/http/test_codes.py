"""The page of codes is current and complete."""

from adapters.http.codes import document
from adapters.http.problems import Kind
from domain.findings import Code
from tests.conftest import PROJECT


def test_the_page_of_codes_is_current() -> None:
    page = (PROJECT / "docs" / "codes.md").read_text(encoding="utf-8")
    assert page == document(), "run: python -m adapters.http.codes > docs/codes.md"


def test_every_code_and_every_problem_is_told_with_words() -> None:
    rows = dict(line.strip("| ").split(" | ", 1) for line in document().splitlines() if line.startswith("| `"))
    for name in [*(code.value for code in Code), *(kind.value.name for kind in Kind)]:
        assert rows[f"`{name}`"].strip(" |"), name
