"""`outlet release show`: a release as it went out, in each of its forms."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from adapters.cli.common import JsonOption, LanguageOption, ModeOption, globals_of, language_of, print_json, reading_of
from adapters.cli.history import meant
from adapters.cli.looks import say
from adapters.cn12379.writer import Cn12379Writer
from adapters.wiring import ReadSide
from domain.messages import Mode
from projections.history import find_warning
from projections.releases import Release, release_named, releases

commands = typer.Typer(no_args_is_help=True, help="Show what was released.")


class Form(StrEnum):
    """In which form a release is shown."""

    CAP = "cap"
    CN12379 = "cn12379"
    TEXT = "text"


@commands.command()
def show(
    context: typer.Context,
    wanted: Annotated[
        str, typer.Argument(metavar="WARNING|IDENTIFIER", help="A release's identifier; or a warning or district.")
    ],
    *,
    form: Annotated[Form, typer.Option("--format", help="CAP 1.2, 12379 XML, or the texts.")] = Form.TEXT,
    mode: ModeOption = Mode.LIVE,
    lang: LanguageOption = None,
    json: JsonOption = False,
) -> None:
    """Show a release as it went out; of a warning or district, the newest one."""
    language = language_of(lang, globals_of(context).settings())
    with reading_of(context) as read:
        release = release_meant(read, wanted, mode)
        files = _files(read, release, form)
        shown = release.as_json()
        shown["at"] = release.at.astimezone(read.policy.zone).isoformat()
    if json:
        print_json({**shown, "format": form.value, "files": [{"name": name, "text": text} for name, text in files]})
    elif form is Form.TEXT:
        _print_texts(shown, language if lang is not None else None)
    else:
        for _, text in files:
            typer.echo(text, nl=not text.endswith("\n"))


def release_meant(read: ReadSide, wanted: str, mode: Mode) -> Release:
    """The release with this identifier, or the newest one of the warning or district.

    Raises:
        LookupError: there is none such.
    """
    named = release_named(read.tables, wanted)
    if named is not None:
        return named
    warning = find_warning(read.tables, meant(read, wanted, mode), mode=mode)
    newest = releases(read.tables, warning_id=warning, limit=1)
    if not newest:
        raise LookupError(f"the warning {warning} has not been released")
    return newest[0]


def _files(read: ReadSide, release: Release, form: Form) -> list[tuple[str, str]]:
    match form:
        case Form.TEXT:
            return []
        case Form.CAP:
            if not release.row.cap:
                raise LookupError(f"the release {release.row.identifier} went out without a CAP document; see `parked`")
            return [(release.cap_name, release.row.cap)]
        case Form.CN12379:
            event = next(iter(read.log.read(after=release.row.position - 1, limit=1))).event
            written = Cn12379Writer(read.policy, read.gazetteer).write(event)
            if not written:
                raise LookupError("12379 has no form for it: no sender code in the policy, or no national hazard code")
            return [(name, content.decode()) for name, content in written]


def _print_texts(shown: dict[str, Any], language: str | None) -> None:
    say(f"{shown['identifier']} ({shown['mode']}, {shown['message_type']}), {shown['at']}", "bold")
    for text in shown["texts"]:
        if language is None or text["language"].split("-")[0] == language.split("-")[0]:
            say(f"[{text['language']}] {text['headline']}")
            say(text["description"])
            say(f"SMS: {text['sms']}")
