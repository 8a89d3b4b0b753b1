"""A report as PDF, set by ReportLab. The same document gives the same bytes, on any machine.

Chinese stands in the reader's own Song face (STSong-Light, one of the faces that every PDF reader has or replaces);
no font is embedded. Streams are left uncompressed: another zlib would write other bytes.
"""

import re
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any, Final, assert_never

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepTogether, PageTemplate, Spacer
from reportlab.platypus import Paragraph as Text
from reportlab.platypus import Table as Grid

from adapters.channels.mail_html import COLOURS
from adapters.reports.blocks import Block, Cell, Chart, Column, Document, Heading, LevelCell, Paragraph, Table
from adapters.reports.charts import ON_COLOUR
from adapters.reports.drawing import Drawing, Label, Line, Rect
from projections.words import is_chinese

CHINESE_FACE: Final = "STSong-Light"
LATIN_FACE: Final = "Helvetica"
LATIN_BOLD_FACE: Final = "Helvetica-Bold"

_ACCENT: Final = HexColor("#8c1d18")
_RULE: Final = HexColor("#cccccc")
_SHADE: Final = HexColor("#f3efe9")
_INK: Final = HexColor("#1a1a1a")
_QUIET: Final = HexColor("#555555")
_MARGIN: Final = 18 * mm
_ROOM: Final = A4[0] - 2 * _MARGIN
_CELL_SIZE: Final = 7.6
_CELL_PAD: Final = 3.0
_WIDEST_FIGURE: Final = 92.0
_BLANK: Final = "\N{NO-BREAK SPACE}"
_FEW_ROWS: Final = 14
"""Tables of so many rows are not torn over two pages."""

_LATIN: Final = re.compile("[\x20-\x7e\xa0-\xff–—−…]+")
_NOT_FOR_PDF: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def pdf_of(document: Document) -> bytes:
    """The report as PDF, with an outline, and its content hash on every page.

    It is set twice: only the first time tells how many pages there are.
    """
    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE_FACE))
    pages, _ = _set(document, 0)
    counted, content = _set(document, pages)
    assert counted == pages, "the number of pages does not move the text"
    return content


class _Set(BaseDocTemplate):
    """Pages with a foot, and an outline of the headings."""

    def __init__(self, target: BytesIO, document: Document, pages: int) -> None:
        super().__init__(
            target,
            pagesize=A4,
            title=_shown(f"{document.title} {document.subtitle}"),
            author=_shown(document.author),
            subject=document.foot,
            creator="single-outlet",
            lang=document.language,
            invariant=1,
            pageCompression=0,
        )
        self._document = document
        self._pages = pages
        frame = Frame(_MARGIN, _MARGIN, _ROOM, A4[1] - 2 * _MARGIN, 0, 0, 0, 0)
        self.addPageTemplates([PageTemplate("page", [frame], onPage=self._foot)])

    def _foot(self, canvas: Canvas, _: BaseDocTemplate) -> None:
        page = self._document.page.format(page=canvas.getPageNumber(), pages=self._pages)
        canvas.setStrokeColor(_RULE)
        canvas.line(_MARGIN, _MARGIN - 8, A4[0] - _MARGIN, _MARGIN - 8)
        canvas.setFillColor(_QUIET)
        draw_text(canvas, _MARGIN, _MARGIN - 18, self._document.foot, 7, 0)
        draw_text(canvas, A4[0] - _MARGIN, _MARGIN - 18, page, 7, 1)

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 -- the name that the library calls
        """Enter a heading in the outline."""
        if isinstance(flowable, _HeadingText):
            self.canv.bookmarkPage(flowable.place)
            self.canv.addOutlineEntry(flowable.words, flowable.place, 0)


class _HeadingText(Text):
    """A heading, with the place it is found at."""

    def __init__(self, heading: Heading, style: ParagraphStyle) -> None:
        super().__init__(marked(heading.text), style)
        self.place = heading.name
        self.words = _shown(heading.text)


class _Figure(Flowable):
    """A drawing as wide as the text."""

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self._drawing = drawing
        self._scale = _ROOM / drawing.width

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:  # noqa: ARG002, N803 -- the library's own names
        """Its size, whatever room there is."""
        return _ROOM, self._drawing.height * self._scale

    def draw(self) -> None:
        """Draw it with y growing downwards."""
        canvas = self.canv
        canvas.scale(self._scale, self._scale)
        height = self._drawing.height
        for shape in self._drawing.shapes:
            match shape:
                case Rect():
                    canvas.setFillColor(HexColor(shape.fill))
                    canvas.setStrokeColor(HexColor(shape.stroke or shape.fill))
                    canvas.setLineWidth(0.5)
                    canvas.rect(shape.x, height - shape.y - shape.height, shape.width, shape.height, fill=1)
                case Line():
                    canvas.setStrokeColor(HexColor(shape.colour))
                    canvas.setLineWidth(shape.width)
                    canvas.line(shape.x1, height - shape.y1, shape.x2, height - shape.y2)
                case Label():
                    canvas.setFillColor(HexColor(shape.colour))
                    share = {"start": 0.0, "middle": 0.5, "end": 1.0}[shape.anchor]
                    draw_text(canvas, shape.x, height - shape.y, shape.text, shape.size, share)
                case _:
                    assert_never(shape)


def faces(text: str) -> Iterable[tuple[str, str]]:
    """The text in pieces, each with the face that has its letters."""
    place = 0
    for found in _LATIN.finditer(text):
        if found.start() > place:
            yield CHINESE_FACE, text[place : found.start()]
        yield LATIN_FACE, found[0]
        place = found.end()
    if place < len(text):
        yield CHINESE_FACE, text[place:]


def draw_text(canvas: Canvas, x: float, y: float, text: str, size: float, share: float) -> None:
    """A line of text; `share` of its width lies before x."""
    pieces = list(faces(_shown(text)))
    x -= share * sum(pdfmetrics.stringWidth(piece, face, size) for face, piece in pieces)
    for face, piece in pieces:
        canvas.setFont(face, size)
        canvas.drawString(x, y, piece)
        x += pdfmetrics.stringWidth(piece, face, size)


def marked(text: str) -> str:
    """The text in the markup of the library's paragraphs: escaped, each piece in its face."""
    return "".join(f'<font name="{face}">{_escaped(piece)}</font>' for face, piece in faces(_shown(text)))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shown(text: str) -> str:
    return _NOT_FOR_PDF.sub("\N{REPLACEMENT CHARACTER}", text)


def _set(document: Document, pages: int) -> tuple[int, bytes]:
    target = BytesIO()
    template = _Set(target, document, pages)
    template.build(list(_flowables(document)))
    return template.page, target.getvalue()


def _style(document: Document, size: float, **settings: Any) -> ParagraphStyle:  # noqa: ANN401 -- the library's own settings
    face = CHINESE_FACE if is_chinese(document.language) else LATIN_FACE
    wrap = "CJK" if is_chinese(document.language) else None
    known: dict[str, Any] = {"fontName": face, "wordWrap": wrap, "textColor": _INK, "leading": size * 1.5}
    return ParagraphStyle("text", fontSize=size, **(known | settings))


def _flowables(document: Document) -> Iterable[Flowable]:
    yield Text(marked(document.title), _style(document, 20, alignment=1, textColor=_ACCENT))
    yield Text(marked(document.subtitle), _style(document, 13, alignment=1, spaceBefore=2))
    yield Text(marked(document.author), _style(document, 10, alignment=1, textColor=_QUIET, spaceAfter=6))
    heading: list[Flowable] = []
    for block in document.blocks:
        found = [*heading, *_block(document, block)]
        heading = []
        if isinstance(block, Heading):
            heading = found  # goes with what follows it
        elif isinstance(block, Table) and len(block.rows) > _FEW_ROWS:
            yield from found
        else:
            yield KeepTogether(found)
    yield from heading


def _block(document: Document, block: Block) -> Iterable[Flowable]:
    caption = _style(document, 9.5, spaceBefore=8, spaceAfter=3, keepWithNext=1)
    match block:
        case Heading():
            yield _HeadingText(block, _style(document, 14, textColor=_ACCENT, spaceBefore=14, spaceAfter=4))
        case Paragraph():
            notice = {"backColor": HexColor("#fff4d6"), "borderColor": HexColor("#b58900"), "borderWidth": 0.7}
            settings = {**notice, "borderPadding": 4, "spaceAfter": 8} if block.is_notice else {}
            yield Text(marked(block.text), _style(document, 9.5, spaceBefore=4, **settings))
        case Chart():
            yield from (Text(marked(block.drawing.title), caption), _Figure(block.drawing), Spacer(0, 6))
        case Table():
            yield from (Text(marked(block.caption), caption), _grid(document, block), Spacer(0, 6))
        case _:
            assert_never(block)


def _grid(document: Document, table: Table) -> Grid:
    rows = [
        [_cell(document, column.title, column) for column in table.columns],
        *(
            [_cell(document, cell, column) for cell, column in zip(row, table.columns, strict=True)]
            for row in table.rows
        ),
    ]
    style: list[Any] = [
        ("GRID", (0, 0), (-1, -1), 0.4, _RULE),
        ("BACKGROUND", (0, 0), (-1, 0), _SHADE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), _CELL_PAD),
        ("RIGHTPADDING", (0, 0), (-1, -1), _CELL_PAD),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    return Grid(rows, colWidths=widths_of(table), repeatRows=1, style=style, hAlign="LEFT")


def _cell(document: Document, cell: Cell, column: Column) -> Text:
    alignment = 2 if column.is_figure else 0
    if isinstance(cell, LevelCell):
        on, colour = ON_COLOUR[cell.level], COLOURS[cell.level]
        text = f'<font backColor="{colour}" color="{on}">{marked(_words(cell))}</font>'
        return Text(text, _style(document, _CELL_SIZE, alignment=alignment, leading=11))
    return Text(marked(cell), _style(document, _CELL_SIZE, alignment=alignment, leading=10))


def widths_of(table: Table) -> list[float]:
    """Each column's width. Figures get what they need; texts get the same where there is room, else they are wrapped.

    Wide columns share what is left over.
    """
    needed = [
        max(_width(text) for text in [column.title, *(_words(row[place]) for row in table.rows)])
        for place, column in enumerate(table.columns)
    ]
    figures = [
        min(one, _WIDEST_FIGURE) if column.is_figure else 0.0 for one, column in zip(needed, table.columns, strict=True)
    ]
    texts = [0.0 if column.is_figure else one for one, column in zip(needed, table.columns, strict=True)]
    # Many figures side by side leave the texts what as many columns would have if all were alike.
    share = _ROOM * sum(column.is_figure for column in table.columns) / len(table.columns)
    if sum(figures) > share:
        figures = [one * share / sum(figures) for one in figures]
    room = _ROOM - sum(figures)
    if any(texts) and sum(texts) > room:
        fair = room / sum(one > 0 for one in texts)
        spare = room - sum(min(one, fair) for one in texts)
        over = sum(max(one - fair, 0.0) for one in texts)
        texts = [min(one, fair) + spare * max(one - fair, 0.0) / over for one in texts]
    widths = [figure + text for figure, text in zip(figures, texts, strict=True)]
    wide = [place for place, column in enumerate(table.columns) if column.is_wide]
    for place in wide:
        widths[place] += max(_ROOM - sum(figures) - sum(texts), 0.0) / len(wide)
    return widths


def _words(cell: Cell) -> str:
    return f"{_BLANK}{cell.word}{_BLANK}" if isinstance(cell, LevelCell) else cell


def _width(text: str) -> float:
    pieces: Sequence[tuple[str, str]] = list(faces(_shown(text)))
    return sum(pdfmetrics.stringWidth(piece, face, _CELL_SIZE) for face, piece in pieces) + 2 * _CELL_PAD + 2
