"""`outlet feed arrivals`: how much came from each agency lately, by any way, and what became of it."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from adapters.cli.common import USAGE, JsonOption, fail, moment_of, print_json, reading_of
from adapters.cli.looks import Cell, clock_text, print_table, say
from domain.arrivals import WINDOW_SECONDS, Outcome, Window, begin_of
from projections.arrivals import arrival_windows

BAR_LENGTH: Final = 32
USUAL_HOURS: Final = 1.0

_MARKS: Final = {
    Outcome.ACCEPTED: ("█", "green"),
    Outcome.REFUSED: ("▓", "bold red"),
    Outcome.REPEATED: ("░", "yellow"),
}


def arrivals(
    context: typer.Context,
    *,
    hours: Annotated[float | None, typer.Option(min=0, help="The last so many hours; 1, if nothing is said.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="From this moment on, in ISO 8601.")] = None,
    agency: Annotated[str | None, typer.Option(help="One agency alone.")] = None,
    json: JsonOption = False,
) -> None:
    """Count what came from each agency in windows of five minutes: accepted, refused, or come again. No drills."""
    if hours is not None and since is not None:
        fail("--hours and --since say the same in two ways: give one of them", USAGE)
    with reading_of(context) as read:
        zone = read.policy.zone
        begin = moment_of(since, read.policy) or datetime.now(UTC) - timedelta(hours=hours or USUAL_HOURS)
        windows = arrival_windows(read.tables, begin, agency=agency)
    since_text = begin_of(begin).astimezone(zone).isoformat()
    if json:
        documents = [document(window, zone) for window in windows]
        print_json({"since": since_text, "window_seconds": WINDOW_SECONDS, "windows": documents})
    elif not windows:
        say(f"nothing came since {clock_text(since_text)}")
    else:
        most = max(sum(map(window.of, Outcome)) for window in windows)
        header = ("window", "agency", *(outcome.value for outcome in Outcome), _legend())
        print_table(header, [_row(window, zone, most) for window in windows])


def document(window: Window, zone: tzinfo) -> dict[str, Any]:
    """A window as JSON; the agency is null where nobody knows whose messages they were."""
    return {
        "agency": window.agency or None,
        "begin": window.begin.astimezone(zone).isoformat(),
        "end": window.end.astimezone(zone).isoformat(),
        **{outcome.value: window.of(outcome) for outcome in Outcome},
        "last": window.last.astimezone(zone).isoformat(),
    }


def _row(window: Window, zone: tzinfo, most: int) -> tuple[Cell, ...]:
    begin = clock_text(window.begin.astimezone(zone).isoformat())
    counts = (str(window.of(outcome)) for outcome in Outcome)
    return (begin, window.agency or "(nobody's)", *counts, bar(window, most))


def bar(window: Window, most: int) -> Text:
    """The counts side by side, as long as they are beside the largest window; what came at all is seen."""
    drawn = Text()
    for outcome, (mark, style) in _MARKS.items():
        count = window.of(outcome)
        drawn.append(mark * (max(1, round(BAR_LENGTH * count / most)) if count else 0), style=style)
    return drawn


def _legend() -> str:
    return " ".join(f"{mark} {outcome.value}" for outcome, (mark, _) in _MARKS.items())
