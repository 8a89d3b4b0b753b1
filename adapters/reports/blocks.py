"""What a report consists of before it is HTML or PDF: headings, paragraphs, tables and charts, already in words."""

from dataclasses import dataclass

from adapters.reports.drawing import Drawing
from domain.levels import Level
from domain.values import Language


@dataclass(frozen=True, slots=True)
class LevelCell:
    """A level: its word on its colour."""

    level: Level
    word: str


Cell = str | LevelCell


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title; figures stand to the right, and wide columns take the room that is left."""

    title: str
    is_figure: bool = False
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """Begins a part of the report; `name` is the place that can be linked to."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; a notice stands out."""

    text: str
    is_notice: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing."""

    drawing: Drawing


Block = Heading | Paragraph | Table | Chart


@dataclass(frozen=True, slots=True)
class Document:
    """A report in one language. `foot` stands on every page of a PDF and at the end of HTML."""

    language: Language
    title: str
    subtitle: str
    author: str
    page: str
    foot: str
    content_sha256: str
    blocks: tuple[Block, ...]
