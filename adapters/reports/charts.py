"""The report's charts, as shapes. A colour never stands alone: a word, a letter or a figure stands beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log10
from typing import Final

from adapters.channels.mail_html import COLOURS
from adapters.reports.drawing import FAINT, GREY, INK, Drawing, Label, Line, Rect, Shape, shortened, text_width
from domain.levels import Level

WIDTH: Final = 680.0
OUTLINE: Final = "#8a8a8a"
ON_COLOUR: Final[Mapping[Level, str]] = {
    Level.WHITE: INK,
    Level.BLUE: "#ffffff",
    Level.YELLOW: INK,
    Level.ORANGE: INK,
    Level.RED: "#ffffff",
}

_SIZE: Final = 9.0
_NAMES: Final = 110.0
_ROW: Final = 20.0
_MOST_GRID_LINES: Final = 5
_SHADES: Final = ("#0b6e4f", "#7fb69a", "#d9b44a", "#8c2f39")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar; `word` is its name in the legend."""

    amount: int
    fill: str
    word: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar and its name."""

    name: str
    segments: tuple[Segment, ...]

    @property
    def amount(self) -> int:
        """All of its segments together."""
        return sum(segment.amount for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Range:
    """A measured duration: median, 90 % and longest in seconds, with what each is in words."""

    name: str
    seconds: tuple[float, float, float]
    says: str


@dataclass(frozen=True, slots=True)
class Head:
    """What a chart is called and what it shows."""

    name: str
    title: str
    description: str


def level_segments(levels: Mapping[Level, int], word: Callable[[Level], str]) -> tuple[Segment, ...]:
    """Counts by level as segments, the lowest level first."""
    return tuple(Segment(levels[level], COLOURS[level], word(level)) for level in Level if levels.get(level))


def columns(head: Head, bars: Sequence[Bar]) -> Drawing:
    """A column for each bar, with its amount on top."""
    left, top, height = 34.0, 26.0, 130.0
    most = max([bar.amount for bar in bars] + [1])
    step = max(1, _rounded_up(most / _MOST_GRID_LINES))
    highest = step * ceil(most / step)
    each = (WIDTH - left) / max(len(bars), 1)
    width = min(each * 0.7, 36.0)
    shapes: list[Shape] = _legend(bars)
    for amount in range(0, highest + 1, step):
        y = top + height - height * amount / highest
        shapes += [Line(left, y, WIDTH, y), Label(left - 4, y + 3, str(amount), 8, "end", GREY)]
    for place, bar in enumerate(bars):
        middle, y = left + each * (place + 0.5), top + height
        for segment in bar.segments:
            tall = height * segment.amount / highest
            y -= tall
            says = f"{bar.name}: {segment.word} {segment.amount}"
            shapes.append(Rect(middle - width / 2, y, width, tall, segment.fill, OUTLINE, says))
        if bar.amount:
            shapes.append(Label(middle, y - 3, str(bar.amount), 8, "middle"))
        shapes.append(Label(middle, top + height + 12, bar.name, 8, "middle", GREY))
    return Drawing(head.name, head.title, head.description, WIDTH, top + height + 18, tuple(shapes))


def bars(head: Head, rows: Sequence[Bar]) -> Drawing:
    """A lying bar for each row, with its name before it and its amount behind it."""
    most = max([row.amount for row in rows] + [1])
    room = WIDTH - _NAMES - 40
    top = 24.0
    shapes: list[Shape] = _legend(rows)
    for place, row in enumerate(rows):
        x, y = _NAMES, top + place * _ROW
        shapes.append(Label(_NAMES - 6, y + 11, shortened(row.name, _SIZE, _NAMES - 10), _SIZE, "end"))
        for segment in row.segments:
            wide = room * segment.amount / most
            says = f"{row.name}: {segment.word} {segment.amount}"
            shapes.append(Rect(x, y, wide, _ROW - 6, segment.fill, OUTLINE, says))
            x += wide
        shapes.append(Label(x + 4, y + 11, str(row.amount), _SIZE))
    return Drawing(head.name, head.title, head.description, WIDTH, top + len(rows) * _ROW + 2, tuple(shapes))


def share_bar(head: Head, segments: Sequence[tuple[str, int]]) -> Drawing:
    """One bar of the whole width, divided by amounts; each part has its word and amount below."""
    whole = max(sum(amount for _, amount in segments), 1)
    shapes: list[Shape] = []
    x, place = 0.0, 0.0
    for (word, amount), fill in zip(segments, _SHADES, strict=False):
        wide = WIDTH * amount / whole
        if amount:
            shapes.append(Rect(x, 4, wide, 20, fill, OUTLINE, f"{word}: {amount}"))
        shapes += [Rect(place, 32, 9, 9, fill, OUTLINE), Label(place + 13, 40, f"{word} {amount}", _SIZE)]
        place += text_width(f"{word} {amount}", _SIZE) + 34
        x += wide
    return Drawing(head.name, head.title, head.description, WIDTH, 46, tuple(shapes))


def strip(
    head: Head, days: Sequence[str], rows: Sequence[tuple[str, Sequence[Level | None]]], word: Callable[[Level], str]
) -> Drawing:
    """A row of days for each name; a day with a level has its colour and the first letter of its word."""
    each = min((WIDTH - _NAMES) / max(len(days), 1), 32.0)
    top = 18.0
    shapes: list[Shape] = [
        Label(_NAMES + each * (place + 0.5), top - 5, day, 8, "middle", GREY) for place, day in enumerate(days)
    ]
    for line, (name, levels) in enumerate(rows):
        y = top + line * _ROW
        shapes.append(Label(_NAMES - 6, y + 13, shortened(name, _SIZE, _NAMES - 10), _SIZE, "end"))
        for place, level in enumerate(levels):
            x = _NAMES + place * each
            if level is None:
                shapes.append(Rect(x, y, each, _ROW, "#ffffff", FAINT))
            else:
                shapes.append(Rect(x, y, each, _ROW, COLOURS[level], OUTLINE, f"{name} {days[place]}: {word(level)}"))
                letter = word(level)[:1].upper()
                shapes.append(Label(x + each / 2, y + 13, letter, _SIZE, "middle", ON_COLOUR[level]))
    return Drawing(head.name, head.title, head.description, WIDTH, top + len(rows) * _ROW + 4, tuple(shapes))


def ranges(head: Head, rows: Sequence[Range], marks: Sequence[tuple[float, str]]) -> Drawing:
    """A line for each duration on a logarithmic axis: a square at the median, a tick at 90 %, its end the longest."""
    left, top = 190.0, 20.0
    room = WIDTH - left - 10
    first, last = marks[0][0], marks[-1][0]

    def place(seconds: float) -> float:
        inside = min(max(seconds, first), last)
        return left + room * (log10(inside / first) / log10(last / first))

    bottom = top + len(rows) * _ROW
    shapes: list[Shape] = []
    for seconds, word in marks:
        x = place(seconds)
        shapes += [Line(x, top - 4, x, bottom), Label(x, top - 8, word, 8, "middle", GREY)]
    for line, row in enumerate(rows):
        y = top + line * _ROW + _ROW / 2
        median, most, longest = (place(seconds) for seconds in row.seconds)
        shapes += [
            Label(left - 8, y + 3, shortened(row.name, _SIZE, left - 12), _SIZE, "end"),
            Line(median, y, longest, y, INK, 1.6),
            Line(most, y - 5, most, y + 5, INK, 1.6),
            Rect(median - 4, y - 4, 8, 8, "#0057b8", INK, row.says),
        ]
    return Drawing(head.name, head.title, head.description, WIDTH, bottom + 6, tuple(shapes))


def marks_for(longest_seconds: float, say: Callable[[float], str]) -> list[tuple[float, str]]:
    """The marks of an axis of time that holds this duration."""
    known = (1.0, 10.0, 60.0, 600.0, 3600.0, 6 * 3600.0, 86400.0, 7 * 86400.0, 30 * 86400.0)
    needed = next((place for place, mark in enumerate(known) if mark >= longest_seconds), len(known) - 1)
    return [(mark, say(mark)) for mark in known[: max(needed, 1) + 1]]


def _legend(rows: Sequence[Bar]) -> list[Shape]:
    words = {segment.word: segment.fill for row in rows for segment in row.segments}
    order = {colour: level.rank for level, colour in COLOURS.items()}
    shapes: list[Shape] = []
    x = WIDTH
    for word, fill in sorted(words.items(), key=lambda one: -order.get(one[1], 0)):
        x -= text_width(word, _SIZE) + 10
        shapes += [Label(x, 11, word, _SIZE), Rect(x - 13, 3, 9, 9, fill, OUTLINE)]
        x -= 20
    return shapes


def _rounded_up(amount: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, … that is not smaller."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= amount:
                return factor * power
        power *= 10
