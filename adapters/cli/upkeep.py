"""`outlet parked`, `outlet rebuild` and `outlet version`: what did not go through, and the read tables' upkeep."""

import platform
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Annotated, Any

import typer
from rich.progress import Progress

from adapters.cli.common import JsonOption, err, fail, print_json, reading_of
from adapters.cli.looks import print_table, say
from adapters.clocks import SystemClock
from adapters.http.turned_away import turned_away_in
from projections import PROJECTIONS
from projections.follow import rebuild as rebuild_tables
from projections.parked import CONFLICTING_COPY, EVENT, REJECTED, WAITING
from projections.parked import parked as parked_of

TURNED_AWAY_SHOWN = timedelta(hours=24)
KINDS = (REJECTED, EVENT, CONFLICTING_COPY, WAITING)


def parked(
    context: typer.Context,
    *,
    kind: Annotated[str | None, typer.Option(help=f"One kind alone: {', '.join(KINDS)}.")] = None,
    agency: Annotated[str | None, typer.Option(help="One agency's alone.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many of the newest.")] = None,
    json: JsonOption = False,
) -> None:
    """List what did not go through, newest first, each with its reason. Nothing is ever dropped.

    Requests that were turned away before there was a message are counted by the hour: wrong keys, too many, too large.
    """
    if kind is not None and kind not in KINDS:
        fail(f"--kind is one of {', '.join(KINDS)}, not {kind!r}", 2)
    with reading_of(context) as read:
        now = SystemClock().now().astimezone(read.policy.zone)
        items = [item.as_json() for item in parked_of(read.tables, now=now, kind=kind, agency=agency, limit=limit)]
        since = now - TURNED_AWAY_SHOWN
        turned = turned_away_in(read.settings.data_dir, since=since, agency=agency) if kind is None else []
        away = [row.document(read.policy.zone) for row in turned]
    if json:
        print_json({"at": now.isoformat(), "items": items, "turned_away": away})
        return
    if not items:
        say("nothing is parked")
    else:
        _print_items(items)
    if away:
        say("turned away before a message was kept, in the last 24 hours:")
        print_table(tuple(away[0]), [tuple(str(value) for value in row.values()) for row in away])


def _print_items(items: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        (
            str(item["position"]),
            item["at"],
            item["kind"],
            item["agency"],
            item["key"],
            item["source"],
            " ".join(item["codes"]),
            item["sentence"],
        )
        for item in items
    ]
    print_table(("position", "at", "kind", "agency", "what", "from", "codes", "in words"), rows)


def rebuild(context: typer.Context, *, json: JsonOption = False) -> None:
    """Empty the read tables and build them anew from the event log; the answers are the same afterwards."""
    with reading_of(context) as read, Progress(console=err, disable=not err.is_terminal or json) as bar:
        task = bar.add_task("rebuild", total=read.log.head())
        events = rebuild_tables(
            read.log,
            read.tables,
            PROJECTIONS,
            progress=lambda position, head: bar.update(task, completed=position, total=head),
        )
    names = [projection.name for projection in PROJECTIONS]
    if json:
        print_json({"events": events, "projections": names})
    else:
        say(f"{len(names)} projections built from {events} events: {', '.join(names)}")


def version(*, json: JsonOption = False) -> None:
    """Print the versions of this program, of Python and of SQLite."""
    try:
        own = version_of("single-outlet")
    except PackageNotFoundError:
        own = "not installed"
    found = {"outlet": own, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    if json:
        print_json(found)
    else:
        say(", ".join(f"{name} {number}" for name, number in found.items()))
