"""The report as PDF, read back by another program."""

import os
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pypdf import PdfReader
from reportlab.lib.pagesizes import A4

from adapters.bench.p5_events import City
from adapters.reports.as_pdf import CHINESE_FACE, LATIN_FACE, faces, pdf_of, widths_of
from adapters.reports.blocks import Column, Document, Heading, Paragraph, Table
from adapters.reports.composing import document_of
from projections.monthly.values import MonthlyReport
from tests.adapters.reports.conftest import words_of
from tests.conftest import PROJECT


def read(document: Document) -> PdfReader:
    return PdfReader(BytesIO(pdf_of(document)), strict=True)


def text_of(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def without_blanks(text: str) -> str:
    """The reader breaks a line where the face changes."""
    return "".join(text.split())


def test_its_title_pages_outline_and_words_can_be_read(document: Document) -> None:
    reader = read(document)
    assert reader.metadata is not None
    assert reader.metadata.title == f"{document.title} {document.subtitle}"
    assert reader.metadata.author == document.author
    assert len(reader.pages) >= 2
    headings = [block.text for block in document.blocks if isinstance(block, Heading)]
    assert [str(entry["/Title"]) for entry in reader.outline if isinstance(entry, dict)] == headings
    text = without_blanks(text_of(reader))
    for words in (document.title, *headings):
        assert without_blanks(words) in text


def test_every_page_has_its_number_and_the_hash_of_the_content(document: Document) -> None:
    reader = read(document)
    pages = len(reader.pages)
    for number, page in enumerate(reader.pages, start=1):
        text = without_blanks(page.extract_text())
        assert document.content_sha256 in text
        assert without_blanks(document.page.format(page=number, pages=pages)) in text


def test_chinese_names_are_in_the_english_report_too(city: City, report: MonthlyReport) -> None:
    assert "西城区" in text_of(read(document_of(report, words_of(city, "en"))))


def test_nothing_in_it_acts_or_leads_outside(document: Document) -> None:
    content = pdf_of(document)
    for name in (b"/JavaScript", b"/JS", b"/URI", b"/Launch", b"/EmbeddedFile", b"/SubmitForm"):
        assert name not in content


def test_it_is_the_same_to_the_byte(document: Document) -> None:
    assert pdf_of(document) == pdf_of(document)


IN_ANOTHER_PROCESS = """
import sys
from hashlib import sha256
from adapters.reports.as_html import html_of
from adapters.reports.as_pdf import pdf_of
from adapters.reports.blocks import *
document = Document("zh-CN", "标题 title", "2026年9月", "样例", "{page}/{pages}", "foot", "0" * 64, (
    Heading("a", "一、概况"), Paragraph("文字 & words <b>"),
    Table("表", (Column("甲", is_wide=True), Column("乙", is_figure=True)), (("一", "1"), ("二", "2"))),
))
print(sha256(pdf_of(document)).hexdigest(), sha256(html_of(document)).hexdigest())
"""


def test_it_is_the_same_in_other_processes_zones_and_locales() -> None:
    surroundings = (
        {"PYTHONHASHSEED": "1", "TZ": "America/New_York", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8"},
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", IN_ANOTHER_PROCESS],
            env={**os.environ, **one},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for one in surroundings
    ]
    assert answers[0] == answers[1]
    assert len(answers[0].split()) == 2


@given(st.text(max_size=60))
def test_every_letter_gets_a_face_and_none_is_lost(text: str) -> None:
    pieces = list(faces(text))
    assert "".join(piece for _, piece in pieces) == text
    assert {face for face, _ in pieces} <= {CHINESE_FACE, LATIN_FACE}


@pytest.mark.parametrize("text", ["<b>&amp;</para>", "]]>\x00\x07", "\ud800", "長" * 400, "x" * 400, "😀", "<font"])
def test_a_report_can_be_set_whatever_its_texts_hold(document: Document, text: str) -> None:
    columns = (Column(text, is_wide=True), Column("n", is_figure=True))
    blocks = (Heading("x", text), Paragraph(text), Table(text, columns, ((text, "1"),)))
    assert read(replace(document, blocks=blocks)).pages


@given(st.lists(st.tuples(st.text(max_size=80), st.booleans(), st.booleans()), min_size=1, max_size=12))
@example([("figure" * 13, True, False)] * 11 + [("text", False, False)])
def test_columns_of_a_table_never_lose_their_width(columns: list[tuple[str, bool, bool]]) -> None:
    made = tuple(Column(title, is_figure=figure, is_wide=wide) for title, figure, wide in columns)
    widths = widths_of(Table("", made, (tuple("1" for _ in made),)))
    assert all(width > 0 for width in widths)
    assert sum(widths) < A4[0]


def test_the_templates_and_phrases_lie_in_the_package() -> None:
    folder = PROJECT / "adapters" / "reports"
    names = {Path(one).name for one in folder.rglob("*") if one.is_file()}
    assert {"report.html", "report.css", "phrases.en.toml", "phrases.zh-CN.toml"} <= names
