"""The report as HTML: one file that fetches nothing, runs nothing, and believes no name."""

import re
from base64 import b64encode
from hashlib import sha256

from lxml import html

from adapters.channels.mail_html import COLOURS
from adapters.reports.as_html import html_of
from adapters.reports.blocks import Chart, Document, Heading, Table
from tests.adapters.reports.conftest import BAD_NAME

NEVER = ("script", "link", "iframe", "object", "embed", "img", "base", "form", "a", "image", "use", "foreignObject")


def parsed(document: Document) -> html.HtmlElement:
    return html.document_fromstring(html_of(document).decode())


def test_it_has_no_script_and_no_reference_to_anything_outside(document: Document) -> None:
    page = parsed(document)
    for name in NEVER:
        assert page.findall(f".//{name}") == [], name
    for element in page.iter():
        for name, value in element.attrib.items():
            assert not str(name).startswith("on"), name
            assert name not in {"src", "href", "style", "action", "data", "srcset"}, name
            assert "javascript:" not in value.lower()
    style = page.findtext(".//style") or ""
    assert "url(" not in style
    assert "@import" not in style


def test_its_policy_for_browsers_allows_the_style_in_it_and_nothing_else(document: Document) -> None:
    page = parsed(document)
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    style = page.findtext(".//style") or ""
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'"


def test_names_are_text_whatever_they_hold(document: Document) -> None:
    text = html_of(document).decode()
    assert BAD_NAME not in text
    assert "<script" not in text
    assert "\x01" not in text
    assert "&lt;script&gt;alert(" in text


def test_every_heading_table_and_chart_is_in_it_with_its_words(document: Document) -> None:
    page = parsed(document)
    headings = [block for block in document.blocks if isinstance(block, Heading)]
    tables = [block for block in document.blocks if isinstance(block, Table)]
    charts = [block for block in document.blocks if isinstance(block, Chart)]
    assert len(headings) == 7
    assert [one.text for one in page.findall(".//h2")] == [one.text for one in headings]
    assert [one.text for one in page.findall(".//caption")] == [one.caption for one in tables]
    assert [len(one.findall(".//tbody/tr")) for one in page.findall(".//table")] == [len(one.rows) for one in tables]
    drawn = page.findall(".//svg")
    assert len(drawn) == len(charts) >= 4
    for element, chart in zip(drawn, charts, strict=True):
        assert element.get("role") == "img"
        named = str(element.get("aria-labelledby")).split()
        assert [element.xpath(f"./*[@id='{name}']")[0].text for name in named] == [
            chart.drawing.title,
            chart.drawing.description,
        ]
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_a_colour_of_a_level_never_stands_alone(document: Document) -> None:
    page = parsed(document)
    marks = page.xpath("//span[contains(@class, 'level')]")
    assert marks
    assert all((mark.text or "").strip() for mark in marks)
    legend = 9.0
    for rect in page.xpath("//svg//rect"):
        if rect.get("fill") in set(COLOURS.values()) and float(rect.get("width")) != legend:
            assert rect.findtext("title")


def test_it_is_the_same_to_the_byte_and_names_its_content(document: Document) -> None:
    first = html_of(document)
    assert first == html_of(document)
    assert document.content_sha256 in first.decode()
    assert re.search(r'<html lang="(zh-CN|en)">', first.decode())
