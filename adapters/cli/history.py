"""`outlet history` and `outlet explain`: what happened, and why a warning says what it says."""

from typing import Annotated, Any

import typer

from adapters.cli.common import (
    JsonOption,
    LanguageOption,
    ModeOption,
    district_named,
    globals_of,
    language_of,
    print_json,
    reading_of,
)
from adapters.cli.looks import clock_text, level_text, name_in, print_table, say
from adapters.wiring import ReadSide
from domain.messages import Mode
from projections.base import equal
from projections.board import DISTRICTS
from projections.explanation import explain as explanation_of
from projections.history import find_warning
from projections.history import history as history_of


def history(
    context: typer.Context,
    wanted: Annotated[str, typer.Argument(metavar="DISTRICT|WARNING", help="A district's code or name, or a warning.")],
    *,
    mode: ModeOption = Mode.LIVE,
    lang: LanguageOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many of the newest entries.")] = None,
    json: JsonOption = False,
) -> None:
    """Show everything that happened to a district or a warning, in order, each in a sentence."""
    language = language_of(lang, globals_of(context).settings())
    with reading_of(context) as read:
        district = _district_code(read, wanted)
        warning = None if district else find_warning(read.tables, wanted, mode=mode)
        entries = history_of(
            read.tables, district=district, warning_id=warning, mode=mode if district else None, limit=limit
        )
        told = [entry.as_json(read.policy, language) for entry in entries]
    if json:
        print_json({"district": district, "warning_id": warning, "mode": mode.value, "entries": told})
        return
    rows = [(str(entry["position"]), clock_text(entry["at"]), entry["kind"], entry["sentence"]) for entry in told]
    print_table(("position", "at", "what", "in words"), rows)


def _district_code(read: ReadSide, wanted: str) -> str | None:
    """The code of the district that is meant, None where it is none of ours."""
    try:
        return district_named(read.gazetteer, wanted).code
    except LookupError:
        return None


def explain(
    context: typer.Context,
    wanted: Annotated[
        str | None,
        typer.Argument(metavar="[WARNING|DISTRICT]", help="Else the one warning there is, if it is only one."),
    ] = None,
    *,
    revision: Annotated[int | None, typer.Option(min=1, help="A revision; else the newest.")] = None,
    mode: ModeOption = Mode.LIVE,
    lang: LanguageOption = None,
    json: JsonOption = False,
) -> None:
    """Tell why a warning says what it says: who said what, which rule made what of it, how it became public."""
    language = language_of(lang, globals_of(context).settings())
    with reading_of(context) as read:
        warning = find_warning(read.tables, meant(read, wanted, mode), mode=mode)
        explained = explanation_of(
            read.log, read.tables, warning, policy=read.policy, language=language, revision=revision
        ).as_json()
    if json:
        print_json(explained)
    else:
        _print(explained, language)


def meant(read: ReadSide, wanted: str | None, mode: Mode) -> str:
    """What `find_warning` understands: a district's code, or (the beginning of) a warning's id."""
    if wanted is not None:
        return _district_code(read, wanted) or wanted

    rows = read.tables.select(DISTRICTS, equal(mode=mode.value), order=("district",))
    if len(rows) != 1:
        known = ", ".join(row.district for row in rows) or "none yet"
        raise LookupError(f"say which district or warning to explain; districts that had one: {known}")
    return rows[0].district


def _print(explained: dict[str, Any], language: str) -> None:
    say(f"warning {explained['warning_id']} ({explained['mode']}), district {explained['district']}", "bold")
    say(f"revision {explained['revision']}, {clock_text(explained['at'])}")
    if not explained["sections"]:
        say("Nothing is in force in this revision.")
    for section in explained["sections"]:
        line = level_text(section["level"])
        line.append(f"  {name_in(section['hazard'], language)} {section['hazard']['code']}", "default")
        say(line)
        for source in section["sources"]:
            say(_source_words(source, language))
        for applied in section["applied"]:
            say(f"    - {applied['sentence']}")
    release = explained["release"]
    if release is None:
        say("Not released.")
    else:
        say(f"Released {clock_text(release['at'])} as {release['identifier']}: {release['sentence']}")
        for approval in release["approvals"]:
            say(f"    - {approval['by']}: {approval['hazard_name']} {approval['level']}, {clock_text(approval['at'])}")
    for revision in explained["revisions"]:
        say(f"  {revision['revision']}. {clock_text(revision['at'])}  {'; '.join(revision['changes'])}")


def _source_words(source: dict[str, Any], language: str) -> str:
    areas = ", ".join(f"{area['name']} {area['level']}" for area in source["areas"])
    until = f"until {clock_text(source['expires'])}" if source["expires"] else "while listed"
    return (
        f"    {name_in(source['agency'], language)}: {source['identifier']}, sent {clock_text(source['sent'])}, "
        f"{areas}, {until}: {source['headline']}"
    )
