"""A chart as plain shapes, which HTML writes as SVG and PDF draws itself. Lengths are in points, y grows downwards."""

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

Anchor = Literal["start", "middle", "end"]

INK: Final = "#1a1a1a"
FAINT: Final = "#d0d0d0"
GREY: Final = "#6b6b6b"

_WIDE: Final = frozenset("WFA")
_WIDE_EM: Final = 1.0
_NARROW_EM: Final = 0.56


@dataclass(frozen=True, slots=True)
class Rect:
    """A filled rectangle; `says` is what a reader is told of it."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str = FAINT
    width: float = 0.6


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text whose baseline is at y."""

    x: float
    y: float
    text: str
    size: float = 9
    anchor: Anchor = "start"
    colour: str = INK


Shape = Rect | Line | Label


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart, with its title and a sentence that says what it shows."""

    name: str
    title: str
    description: str
    width: float
    height: float
    shapes: tuple[Shape, ...]


def text_width(text: str, size: float) -> float:
    """About how wide a text becomes: a Chinese character is as wide as it is high, others about half of that."""
    ems = sum(_WIDE_EM if unicodedata.east_asian_width(letter) in _WIDE else _NARROW_EM for letter in text)
    return ems * size


def shortened(text: str, size: float, width: float) -> str:
    """The text, cut with an ellipsis where it is wider than there is room."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text}…"
