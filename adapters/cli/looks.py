"""How answers look: tables with coloured levels in a terminal, plain tab-separated lines when piped.

A level is always its word as well: colour alone says nothing to some readers, and nothing on paper.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from adapters.cli.common import out
from domain.levels import Level

LEVEL_STYLES: Final = {
    Level.WHITE: "white",
    Level.BLUE: "blue",
    Level.YELLOW: "yellow",
    Level.ORANGE: "dark_orange",
    Level.RED: "red",
}

Cell = str | Text


def level_text(level: Level | str) -> Text:
    """A level's word in its colour."""
    found = Level(level)
    return Text(found.value, style=f"bold {LEVEL_STYLES[found]}")


def verdict_text(verdict: str, *, is_good: bool) -> Text:
    """A verdict, red where it is a bad one."""
    return Text(verdict, style="green" if is_good else "bold red")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str | None = None) -> None:
    """A table in a terminal; else a line of column names and a line for each row, separated by tabs."""
    if not out.is_terminal:
        out.file.write("\t".join(columns) + "\n")
        for row in rows:
            out.file.write("\t".join(" ".join(str(cell).split()) for cell in row) + "\n")
        return
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    out.print(table)


def say(sentence: Cell, style: str = "") -> None:
    """A line of text, with no part of it taken for markup."""
    out.print(sentence, style=style, markup=False, highlight=False)


def clock_text(iso: str | None) -> str:
    """A time of an answer for a person: to the minute, with its offset; empty where there is none."""
    return "" if iso is None else datetime.fromisoformat(iso).strftime("%Y-%m-%d %H:%M %z")


def name_in(names: dict[str, Any], language: str) -> str:
    """The name of a hazard or agency in an answer, in the language asked for."""
    return str(names.get("name_en" if language.startswith("en") else "name_zh", ""))
