"""`python -m tests.figures FIGURE... [--full] [--json]`: measure a figure of QUALITY.md and print it.

Exit code 0 when it holds, 1 when it falls short. Without `--full` the sizes are those of the tests.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.figures.figure import Figure
from tests.figures.sizes import MEASURES, measured

FIGURES = tuple(MEASURES)


def main() -> int:
    """Measure what is asked for; 1 when any falls short."""
    options = _options()
    console = Console(stderr=True)
    found: list[tuple[Figure, float]] = []
    for name in options.figures or FIGURES:
        folder = Path(tempfile.mkdtemp(prefix=f"figure-{name}-"))
        began = time.monotonic()
        columns = (TextColumn("{task.fields[figure]}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, TextColumn("{task.description}"), console=console) as bar:
            task = bar.add_task("", figure=name.upper(), total=None)

            def tell(done: int, of: int, what: str, bar: Progress = bar, task: int = task) -> None:
                bar.update(task, completed=done, total=of, description=what)  # type: ignore[arg-type]

            figure = measured(name, folder, tell, full=options.full, chosen_seed=options.seed)
        found.append((figure, time.monotonic() - began))
        if figure.holds:
            shutil.rmtree(folder)
        else:
            console.print(f"left for a look: {folder}", markup=False, highlight=False)
    _print(found, as_json=options.json)
    return 0 if all(figure.holds for figure, _ in found) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.figures", description=__doc__)
    parser.add_argument("figures", nargs="*", choices=FIGURES, help="which; all of them if none is named")
    parser.add_argument("--full", action="store_true", help="in the size that QUALITY.md asks for")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    parser.add_argument("--seed", type=int, default=1, help="another run of the dice")
    return parser.parse_args()


def _print(found: list[tuple[Figure, float]], *, as_json: bool) -> None:
    if as_json:
        documents = [{**figure.document(), "seconds": round(seconds, 1)} for figure, seconds in found]
        sys.stdout.write(json.dumps({"figures": documents}, ensure_ascii=False, indent=2) + "\n")
        return
    for figure, seconds in found:
        verdict = "holds" if figure.holds else "FALLS SHORT"
        sys.stdout.write(f"{figure.id} {verdict} ({seconds:.0f} s): {figure.promise}\n")
        for name, value in figure.counts.items():
            sys.stdout.write(f"  {name}: {value}\n")
        for shortfall in figure.shortfalls:
            sys.stdout.write(f"  short: {shortfall}\n")


if __name__ == "__main__":
    sys.exit(main())
