"""The command `outlet`: every command's name and the options in front of it. Start here."""

import sys
import traceback
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from adapters.cli import cluster, drills, feeds, policy, release, rosters
from adapters.cli.assessing import assess
from adapters.cli.bench import bench
from adapters.cli.board import board
from adapters.cli.callups import callups
from adapters.cli.callups import commands as callup_commands
from adapters.cli.check import check
from adapters.cli.common import Globals, err
from adapters.cli.demo import demo
from adapters.cli.doctor import doctor
from adapters.cli.duty import approve, refuse, settle
from adapters.cli.history import explain, history
from adapters.cli.importing import import_list
from adapters.cli.ingest import ingest
from adapters.cli.parents import commands as parent_commands
from adapters.cli.reports import report
from adapters.cli.run import run
from adapters.cli.sending import deliveries, resume, stop
from adapters.cli.upkeep import parked, rebuild, version
from adapters.cli.webhooks import commands as webhook_commands
from adapters.http.commands import commands as agency_commands

IN_FRONT: Final = ("--data", "--policy")


class Outlet(TyperGroup):
    """Takes the options in front of the command behind it as well: nobody remembers on which side they belong."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 -- the context of click within typer
        """Parse with those options moved to the front."""
        return super().parse_args(ctx, in_front(args))


def in_front(args: list[str]) -> list[str]:
    """The arguments with `--data DIR` and `--policy NAME` first; what follows `--` is left alone."""
    ahead: list[str] = []
    behind: list[str] = []
    place = 0
    while place < len(args):
        argument = args[place]
        if argument == "--":
            behind += args[place:]
            break
        if argument in IN_FRONT:
            ahead += args[place : place + 2]
            place += 1
        elif argument.startswith(tuple(f"{name}=" for name in IN_FRONT)):
            ahead.append(argument)
        else:
            behind.append(argument)
        place += 1
    return [*ahead, *behind]


app = typer.Typer(
    name="outlet",
    cls=Outlet,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Warnings of several agencies in, one outlet warning for each district out, with every step on record.",
    epilog="Exit codes: 0 done, 1 something was refused or is not there, 2 wrong usage.",
)

WORK = "Work"
ANSWERS = "Answers"
DUTY = "Duty officers"
UPKEEP = "Upkeep"
CLUSTER = "A distributed outlet"


@app.callback()
def options(
    context: typer.Context,
    *,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The data directory; else OUTLET_DATA, else `data`.")
    ] = None,
    policy_name: Annotated[
        str | None,
        typer.Option("--policy", metavar="NAME|PATH", help="A shipped policy or a TOML file; else the adopted one."),
    ] = None,
) -> None:
    """Keep the options in front of the command for it."""
    context.obj = Globals(data_dir=data, policy=policy_name)


app.command(rich_help_panel=WORK)(run)
app.command(rich_help_panel=WORK)(demo)
app.command(rich_help_panel=WORK)(check)
app.command(rich_help_panel=WORK)(ingest)
app.command("import", rich_help_panel=WORK)(import_list)
app.command(rich_help_panel=ANSWERS)(board)
app.command(rich_help_panel=ANSWERS)(history)
app.command(rich_help_panel=ANSWERS)(explain)
app.command(rich_help_panel=ANSWERS)(parked)
app.add_typer(release.commands, name="release", rich_help_panel=ANSWERS)
app.command(rich_help_panel=ANSWERS)(deliveries)
app.command(rich_help_panel=ANSWERS)(callups)
app.command(rich_help_panel=ANSWERS)(report)
app.command(rich_help_panel=DUTY)(stop)
app.command(rich_help_panel=DUTY)(resume)
app.command(rich_help_panel=DUTY)(approve)
app.command(rich_help_panel=DUTY)(refuse)
app.command(rich_help_panel=DUTY)(settle)
app.add_typer(callup_commands, name="callup", rich_help_panel=DUTY)
app.command(rich_help_panel=DUTY)(assess)
app.add_typer(drills.commands, name="drill", rich_help_panel=DUTY)
app.add_typer(feeds.commands, name="feed", rich_help_panel=UPKEEP)
app.add_typer(rosters.commands, name="roster", rich_help_panel=DUTY)
app.add_typer(policy.commands, name="policy", rich_help_panel=UPKEEP)
app.add_typer(agency_commands, name="agency", rich_help_panel=UPKEEP)
app.add_typer(parent_commands, name="parent", rich_help_panel=UPKEEP)
app.add_typer(webhook_commands, name="webhook", rich_help_panel=UPKEEP)
app.command(rich_help_panel=UPKEEP)(rebuild)
app.command(rich_help_panel=UPKEEP)(doctor)
app.command(rich_help_panel=UPKEEP)(bench)
app.command(rich_help_panel=UPKEEP)(version)
app.command(rich_help_panel=CLUSTER)(cluster.topics)
app.command(rich_help_panel=CLUSTER)(cluster.relay)
app.command(rich_help_panel=CLUSTER)(cluster.worker)
app.command(rich_help_panel=CLUSTER)(cluster.projector)
app.command(rich_help_panel=CLUSTER)(cluster.courier)
app.command(rich_help_panel=CLUSTER)(cluster.watcher)


def main() -> None:
    """Run the command line; a defect of ours ends in a sentence and exit code 1, its trace on request."""
    try:
        app()
    except BrokenPipeError:  # the reader of a pipe has seen enough
        sys.stderr.close()
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        err.print(f"outlet: internal error, please report: {type(error).__name__} at {place}: {error}", markup=False)
        raise SystemExit(1) from error
