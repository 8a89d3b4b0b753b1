"""`outlet drill`: a drill is started, fed with exercises and stopped, apart from everything live."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.cli.common import (
    REFUSED,
    USAGE,
    JsonOption,
    district_names,
    err,
    fail,
    platform_of,
    print_json,
    reading_of,
)
from adapters.cli.files import content_of
from adapters.cli.ingest import print_receipts
from adapters.cli.looks import clock_text, level_text, print_table, say
from adapters.clocks import SystemClock
from adapters.receipts import receipt_document
from adapters.wiring import Platform
from domain.deadlines import DueKind
from domain.drill_events import DrillStarted
from domain.drills import BAD_TITLE, EMPTY, DrillError, only_one_drill_runs_at_a_time, the_running_drill
from domain.messages import Mode
from domain.policy import Policy
from projections.base import equal
from projections.board import DISTRICTS
from projections.board import board as board_of
from projections.deadlines import DEADLINES
from streams.drills import Drill, Ended, Waiting, drills_in, newest_in, start_drill, stop_drill, take_exercise
from streams.intake import Delivery, Outcome

NOT_CONFIRMED = "drill-not-confirmed"

commands = typer.Typer(no_args_is_help=True, help="Drills: start one, feed it with exercises, stop it.")


@contextmanager
def _refusals_as_sentences() -> Iterator[None]:
    try:
        yield
    except DrillError as error:
        fail(str(error), USAGE if error.code in {BAD_TITLE, EMPTY} else REFUSED)


@commands.command("start")
def start(
    context: typer.Context,
    *,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What the drill is called.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who starts it; recorded.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the title to be typed again.")] = False,
    json: JsonOption = False,
) -> None:
    """Start a drill, after telling whom it reaches and whom it cannot; the title has to be typed to confirm it."""
    from adapters.cli.drill_reach import reach_of_a_drill

    with platform_of(context) as platform, _refusals_as_sentences():
        platform.runner.pump()
        _may_start(platform, title, by)  # nobody is asked to confirm what is refused afterwards
        reach = reach_of_a_drill(platform)
        for sentence in reach.sentences(title.strip(), _marks(platform.policy)):
            err.print(sentence, markup=False, highlight=False)
        if not yes:
            _must_type(title.strip())
        started = platform.runner.act(lambda house, now: start_drill(house, title=title, by=by, now=now))
        document = {**_started(started, platform.policy), "mode": Mode.DRILL.value, **reach.document()}
    if json:
        print_json(document)
    else:
        say(f"{started.drill} runs: `outlet drill message` feeds it, `outlet drill stop` ends all of it")


def _may_start(platform: Platform, title: str, by: str) -> None:
    newest = newest_in(platform.log)
    only_one_drill_runs_at_a_time(newest, title=title, by=by, zone=platform.policy.zone, now=platform.clock.now())


def _marks(policy: Policy) -> str:
    return " / ".join(dict.fromkeys(policy.texts[language].drill_mark for language in policy.outlet.languages))


def _must_type(title: str) -> None:
    try:
        typed = typer.prompt("type the drill's title to start it", default="", show_default=False, err=True)
    except typer.Abort:
        typed = ""
    if typed.strip() != title:
        fail(f"{NOT_CONFIRMED}: the title was not typed; no drill was started")


@commands.command("message")
def message(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="One exercise: CAP, EDXL, 12379 XML or its zip.")],
    *,
    agency: Annotated[str, typer.Option("--agency", metavar="ID", help="The agency that sends it.")],
    json: JsonOption = False,
) -> None:
    """Take an exercise in while a drill runs. What does not say itself that it is an exercise is refused."""
    with platform_of(context, must_exist=True) as platform, _refusals_as_sentences():
        if platform.policy.agency(agency) is None:
            fail(f"the policy knows no agency {agency!r}", USAGE)
        drill = the_running_drill(newest_in(platform.log))
        delivery = Delivery(content=content_of(file), agency=agency, source=f"{drill.drill}: {file.name}")
        receipts = platform.runner.act(lambda house, now: take_exercise(house, platform.reader, delivery, now))
        platform.runner.pump()
    if json:
        print_json({"drill": drill.drill, "receipts": [receipt_document(receipt) for receipt in receipts]})
    else:
        print_receipts(receipts)
    if any(receipt.outcome is Outcome.REJECTED for receipt in receipts):
        raise typer.Exit(REFUSED)


@commands.command("stop")
def stop(
    context: typer.Context,
    *,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who stops it; recorded.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; recorded.")],
    json: JsonOption = False,
) -> None:
    """Stop the drill: everything that stands in drill mode is lifted, and whoever was told of it is told so."""
    with platform_of(context, must_exist=True) as platform, _refusals_as_sentences():
        platform.runner.pump()  # what has arrived belongs to the drill that is stopped
        ended = _stop(platform, by, reason)
        platform.runner.pump()
        document = {
            "drill": ended.stopped.drill,
            "at": ended.stopped.at.astimezone(platform.policy.zone).isoformat(),
            "by": ended.stopped.by,
            "reason": ended.stopped.reason,
            "districts": [release.district for release in ended.releases],
            "released": [release.identifier for release in ended.releases],
        }
    if json:
        print_json(document)
        return
    say(f"{ended.stopped.drill} is over")
    for identifier in document["released"]:
        say(f"lifted by {identifier}")


def _stop(platform: Platform, by: str, reason: str) -> Ended:
    drills = equal(mode=Mode.DRILL.value)
    districts = [row.district for row in platform.tables.select(DISTRICTS, drills, order=("district",))]
    waits = platform.tables.select(DEADLINES, equal(kind=DueKind.WAIT.value, mode=Mode.DRILL.value), order=("due",))
    waiting = [Waiting(row.owner, row.key) for row in waits]
    return platform.runner.act(lambda house, now: stop_drill(house, districts, waiting, by=by, reason=reason, now=now))


@commands.command("status")
def status(context: typer.Context, *, json: JsonOption = False) -> None:
    """Show whether a drill runs, and what stands in drill mode, that of partners who exercise alone included."""
    with reading_of(context) as read:
        drills = drills_in(read.log)
        running = drills[0].started if drills and drills[0].stopped is None else None
        now = SystemClock().now()
        names = district_names(read.gazetteer)
        shown = board_of(read.tables, at=now, mode=Mode.DRILL, policy=read.policy, gazetteer_names=names)
        document = {
            "at": shown["at"],
            "running": None if running is None else _started(running, read.policy),
            "in_force": [
                {**{name: entry[name] for name in ("code", "name", "warning_id", "level")}, "hazards": _hazards(entry)}
                for entry in shown["districts"]
            ],
        }
    if json:
        print_json(document)
        return
    say(f"DRILL {running.drill} runs: {running.title}" if running else "no drill runs")
    if document["in_force"]:
        rows = [
            (f"{entry['name']} {entry['code']}", level_text(entry["level"]), ", ".join(entry["hazards"]))
            for entry in document["in_force"]
        ]
        print_table(("district", "level", "hazards"), rows, title="DRILL, in force")


def _hazards(entry: dict[str, Any]) -> list[str]:
    return [section["hazard"]["code"] for section in entry["sections"]]


@commands.command("list")
def list_drills(context: typer.Context, *, json: JsonOption = False) -> None:
    """List all drills, the newest first."""
    with reading_of(context) as read:
        documents = [_document(drill, read.policy) for drill in drills_in(read.log)]
    if json:
        print_json({"drills": documents})
        return
    columns = ("drill", "title", "at", "by", "stopped_at", "stopped_by", "reason")
    times = {"at", "stopped_at"}
    print_table(columns, [[clock_text(one[c]) if c in times else one[c] or "" for c in columns] for one in documents])


def _started(started: DrillStarted, policy: Policy) -> dict[str, Any]:
    at = started.at.astimezone(policy.zone).isoformat()
    return {"drill": started.drill, "title": started.title, "by": started.by, "at": at}


def _document(drill: Drill, policy: Policy) -> dict[str, Any]:
    stopped = drill.stopped
    return {
        **_started(drill.started, policy),
        "stopped_at": None if stopped is None else stopped.at.astimezone(policy.zone).isoformat(),
        "stopped_by": None if stopped is None else stopped.by,
        "reason": None if stopped is None else stopped.reason,
    }
