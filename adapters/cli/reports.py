"""`outlet report`: the risk situation of a month as a file to print, and as JSON."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from adapters.cli.common import USAGE, JsonOption, district_names, err, fail, print_json, reading_of
from adapters.cli.looks import say
from adapters.clocks import SystemClock
from adapters.policies import catalogues
from adapters.reports.making import ReportFile, ReportFormat, document_json, files_of
from adapters.reports.words import Words
from adapters.wiring import ReadSide
from domain.events import PolicyAdopted
from domain.policy import Policy, parse_policy
from domain.ports import EventLog
from projections.monthly.values import MonthlyReport
from projections.monthly_report import content_sha256, monthly_report
from streams.adoption import POLICY_STREAM


class ReportLanguage(StrEnum):
    """The languages of a report."""

    CHINESE = "zh-CN"
    ENGLISH = "en"


def report(
    context: typer.Context,
    *,
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month, in the outlet's zone.")],
    language: Annotated[
        ReportLanguage, typer.Option("--language", help="The language of the report.")
    ] = ReportLanguage.CHINESE,
    form: Annotated[
        list[ReportFormat] | None, typer.Option("--format", help="A form to write; give it again for another one.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR|FILE", help="Where to: a folder, or for one form its file.")
    ] = None,
    position: Annotated[
        int | None,
        typer.Option("--position", min=0, help="As of this position of the log, which an earlier report names."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make the monthly risk situation report (自然灾害风险形势分析报告): one log and month, one content."""
    forms = form or ([] if json else [ReportFormat.HTML])
    with reading_of(context) as read:
        try:
            made, policy = _made(read, month, position, quiet=json)
        except ValueError as error:
            fail(str(error), USAGE)
        words = Words(language.value, policy, district_names(read.gazetteer))
        paths = _written(files_of(made, words, forms), to)
    if json:
        print_json({**document_json(made), "files": [str(path) for path in paths]})
        return
    say(f"{made.month}: {made.releases.releases} releases of {made.releases.warnings} warnings, log {made.position}")
    if not made.is_over:
        say("the month is not over: make the report again after its end", style="bold yellow")
    say(f"content SHA-256 {content_sha256(made)}")
    for path in paths:
        say(str(path))


def _made(read: ReadSide, month: str, position: int | None, *, quiet: bool) -> tuple[MonthlyReport, Policy]:
    """The report, and the policy that was in force at its position."""
    policy = read.policy if position is None else policy_at(read.log, position)
    with Progress(console=err, disable=not err.is_terminal or quiet, transient=True) as bar:
        task = bar.add_task("report", total=None)
        made = monthly_report(
            read.log,
            month,
            policy=policy,
            now=SystemClock().now(),
            until=position,
            progress=lambda reached, head: bar.update(task, completed=reached, total=head),
        )
    return made, policy


def policy_at(log: EventLog, position: int) -> Policy:
    """The policy that was in force at a position of the log.

    Raises:
        ValueError: none had been adopted.
    """
    until_then = (recorded.event for recorded in log.stream(POLICY_STREAM) if recorded.position <= position)
    adopted = [event.text for event in until_then if isinstance(event, PolicyAdopted)]
    if not adopted:
        raise ValueError(f"no policy had been adopted at position {position}")
    return parse_policy(adopted[-1], catalogues())


def _written(files: list[ReportFile], to: Path | None) -> list[Path]:
    """Write the files; their paths. A path with a suffix that is no folder is meant for one file."""
    folder = to or Path()
    is_file = to is not None and not to.is_dir() and to.suffix != ""
    if is_file and len(files) > 1:
        fail(f"--to {to} is one file, and {len(files)} are to be written; name a folder", USAGE)
    paths = [folder if is_file else folder / file.name for file in files]
    for file, path in zip(files, paths, strict=True):
        file.write(path)
    return paths
