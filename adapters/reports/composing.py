"""A month's figures as a document in one language, the same for HTML and PDF."""

from adapters.reports.blocks import Document
from adapters.reports.parts import overview, released, times
from adapters.reports.parts_people import assessment, call_ups, consultation, data, told
from adapters.reports.words import Words
from projections.monthly.values import MonthlyReport
from projections.monthly_report import content_sha256


def document_of(report: MonthlyReport, words: Words) -> Document:
    """The report in words, in the order in which such a report is read."""
    digest = content_sha256(report)
    return Document(
        language=words.language,
        title=words.say("title"),
        subtitle=words.month(report.begins),
        author=words.outlet(),
        page=words.say("page", page="{page}", pages="{pages}"),
        foot=words.say("foot", hash=digest),
        content_sha256=digest,
        blocks=(
            *overview(report, words),
            *released(report, words),
            *times(report, words),
            *told(report, words),
            *call_ups(report, words),
            *consultation(report, words),
            *assessment(report, words),
            *data(report, words, digest),
        ),
    )
