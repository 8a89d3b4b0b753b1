"""The files that a report becomes, each with a name of its own. Where they are put is the command's business."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from adapters.reports.as_html import html_of
from adapters.reports.as_pdf import pdf_of
from adapters.reports.composing import document_of
from adapters.reports.words import Words
from projections.monthly.values import MonthlyReport
from projections.monthly_report import content_sha256


class ReportFormat(StrEnum):
    """The forms of a report. JSON holds the figures by code, and so is of no language."""

    HTML = "html"
    PDF = "pdf"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One file of a report."""

    name: str
    content: bytes

    def write(self, path: Path) -> None:
        """Put it there, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(self.content)
        part.replace(path)


def files_of(report: MonthlyReport, words: Words, formats: Sequence[ReportFormat]) -> list[ReportFile]:
    """The report in each of these forms, in their order."""
    return [_file(report, words, one) for one in dict.fromkeys(formats)]


def document_json(report: MonthlyReport) -> dict[str, object]:
    """The report for programs, with the hash of its content."""
    return {"content_sha256": content_sha256(report), "report": report.model_dump(mode="json")}


def _file(report: MonthlyReport, words: Words, form: ReportFormat) -> ReportFile:
    stem = f"risk-report-{report.outlet}-{report.month}"
    match form:
        case ReportFormat.HTML:
            return ReportFile(f"{stem}.{words.language}.html", html_of(document_of(report, words)))
        case ReportFormat.PDF:
            return ReportFile(f"{stem}.{words.language}.pdf", pdf_of(document_of(report, words)))
        case ReportFormat.JSON:
            text = json.dumps(document_json(report), ensure_ascii=False, indent=2, sort_keys=True)
            return ReportFile(f"{stem}.json", f"{text}\n".encode())
        case _:
            assert_never(form)
