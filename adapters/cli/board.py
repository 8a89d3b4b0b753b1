"""`outlet board`: what is in force, now or at any past moment."""

from typing import Annotated, Any

import typer

from adapters.cli.common import (
    AtOption,
    JsonOption,
    LanguageOption,
    ModeOption,
    district_named,
    district_names,
    globals_of,
    language_of,
    moment_of,
    print_json,
    reading_of,
)
from adapters.cli.looks import clock_text, level_text, name_in, print_table, say
from adapters.clocks import SystemClock
from domain.messages import Mode
from projections.board import board as board_of

COLUMNS = ("district", "level", "hazard", "issued by", "areas", "since", "until", "conflict", "revision", "text")


def board(
    context: typer.Context,
    *,
    at: AtOption = None,
    district: Annotated[str | None, typer.Option(help="One district alone, by its code or name.")] = None,
    mode: ModeOption = Mode.LIVE,
    lang: LanguageOption = None,
    json: JsonOption = False,
) -> None:
    """Show what is in force in each district, now or at a past moment. A district with nothing is left out."""
    language = language_of(lang, globals_of(context).settings())
    with reading_of(context) as read:
        moment = moment_of(at, read.policy) or SystemClock().now()
        code = district_named(read.gazetteer, district).code if district is not None else None
        names = district_names(read.gazetteer)
        shown = board_of(read.tables, at=moment, mode=mode, policy=read.policy, gazetteer_names=names)
    if code is not None:
        shown["districts"] = [entry for entry in shown["districts"] if entry["code"] == code]
    if json:
        print_json(shown)
    else:
        _print(shown, language)


def _print(shown: dict[str, Any], language: str) -> None:
    drill = "DRILL, " if shown["mode"] == Mode.DRILL.value else ""
    if not shown["districts"]:
        say(f"{drill}nothing in force at {clock_text(shown['at'])}")
        return
    rows = [_row(entry, section, language) for entry in shown["districts"] for section in entry["sections"]]
    print_table(COLUMNS, rows, title=f"{drill}in force at {clock_text(shown['at'])}")


def _row(entry: dict[str, Any], section: dict[str, Any], language: str) -> list[Any]:
    own = section["level"]
    areas = [area["name"] if area["level"] == own else f"{area['name']} ({area['level']})" for area in section["areas"]]
    number, released = entry["revision"], entry["released_revision"]
    return [
        f"{entry['name']} {entry['code']}",
        level_text(own),
        name_in(section["hazard"], language),
        ", ".join(name_in(issuer, language) for issuer in section["issuers"]),
        ", ".join(areas),
        clock_text(section["effective"]),
        clock_text(section["expires"]) or "while listed",
        _conflict_words(section["conflict"]),
        f"{number}" if released == number else f"{number} (released: {released or 'none'})",
        section["headlines"].get(language) or section["text"],
    ]


def _conflict_words(conflict: dict[str, Any] | None) -> str:
    if conflict is None:
        return ""
    levels = ", ".join(f"{agency} {level}" for agency, level in conflict["levels"].items())
    settled = conflict["settled_by"]
    return f"{levels}; settled by {settled}" if settled else f"OPEN: {levels}"
