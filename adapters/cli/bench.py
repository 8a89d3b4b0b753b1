"""`outlet bench`: the figures that the project promises, each beside what it is compared with."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any, Final

import typer

from adapters.bench.row import Row
from adapters.cli.common import REFUSED, JsonOption, err, fail, print_json
from adapters.cli.looks import print_table, verdict_text

BENCHES: Final = {
    "P1": "adapters.bench.p1",
    "P2": "adapters.bench.p2",
    "P1-PG": "adapters.bench.p1_postgres",
    "P2-PG": "adapters.bench.p2_postgres",
    "P3": "adapters.bench.p3",
    "P4": "adapters.bench.p4",
    "P5": "adapters.bench.p5",
    "P6": "adapters.bench.p6",
    "P7": "adapters.bench.p7",
    "P9": "adapters.bench.p9",
    "P8": "adapters.bench.p8",
    "P10": "adapters.bench.p10",
    "P11": "adapters.bench.p11",
    "P12": "adapters.bench.p12",
    "P12-LOG": "adapters.bench.p12_log",
    "P13": "adapters.bench.p13",
}
SERVERS: Final[Mapping[str, Sequence[str]]] = {
    "P1-PG": ("database_url",),
    "P2-PG": ("database_url",),
    "P12": ("database_url", "kafka"),
    "P12-LOG": ("database_url",),
}
"""Which of the servers that are named here a bench is told of."""

COLUMNS = ("id", "measure", "beside", "ratio", "goal", "verdict", "rounds", "note")


def bench(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help=f"Of {', '.join(BENCHES)}; else all.")
    ] = None,
    *,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured; the median counts.")] = 5,
    database: Annotated[
        str | None,
        typer.Option(
            envvar="OUTLET_BENCH_DATABASE_URL", show_default=False, help="PostgreSQL for …-PG and P12; else one starts."
        ),
    ] = None,
    kafka: Annotated[
        str | None, typer.Option(envvar="OUTLET_BENCH_KAFKA", metavar="HOST:PORT", help="Kafka for P12.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Measure ratios side by side in one run, and say whether each reaches its goal. Exit code 1 if one falls short."""
    wanted = [name.upper() for name in ids or BENCHES]
    unknown = [name for name in wanted if name not in BENCHES]
    if unknown:
        fail(f"no measure {', '.join(unknown)}; there are {', '.join(BENCHES)}", 2)
    named = {"database_url": database, "kafka": kafka}
    rows: list[Row] = []
    skipped: dict[str, str] = {}
    for name in wanted:
        err.print(f"{name} ...", style="dim")
        try:
            rows += import_module(BENCHES[name]).measure(
                rounds=rounds, **{one: named[one] for one in SERVERS.get(name, ())}
            )
        except ImportError as error:
            skipped[name] = str(error)
    _report(rows, skipped, json=json)
    if any(not row.met for row in rows):
        raise typer.Exit(REFUSED)


def row_document(row: Row) -> dict[str, Any]:
    """A row as JSON."""
    return {
        "id": row.id,
        "measure": row.measure,
        "beside": row.beside,
        "ratio": row.ratio,
        "goal": row.goal,
        "met": row.met,
        "rounds": list(row.rounds),
        "note": row.note,
    }


def _report(rows: Sequence[Row], skipped: dict[str, str], *, json: bool) -> None:
    if json:
        missed = [{"id": name, "reason": reason} for name, reason in skipped.items()]
        print_json({"rows": [row_document(row) for row in rows], "skipped": missed})
        return
    lines = [
        (
            row.id,
            row.measure,
            row.beside,
            f"{row.ratio:.2f}",
            f"{row.goal:g}",
            verdict_text("met" if row.met else "short", is_good=row.met),
            " ".join(f"{one:.2f}" for one in row.rounds),
            row.note,
        )
        for row in rows
    ]
    missing = verdict_text("skipped", is_good=False)
    print_table(COLUMNS, [*lines, *((name, "", "", "", "", missing, "", why) for name, why in skipped.items())])
