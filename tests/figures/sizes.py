"""How large each figure is in the tests and in full: the full sizes are those that QUALITY.md names, or more."""

from pathlib import Path

from tests.conftest import PROJECT
from tests.figures import r1, r10, s3, s4, s10
from tests.figures.figure import Figure, Progress

S3_SMALL, S3_FULL = (
    s3.Size(every=197, shapes=60, over_http_every=41),
    s3.Size(every=1, shapes=5_000, over_http_every=401),
)
S4_SMALL, S4_FULL = 200, 10_000
S10_SMALL, S10_FULL = 1_500, 100_000
R1_SMALL, R1_FULL = r1.Size(messages=150, kills=6), r1.Size(messages=10_000, kills=200)
R10_SMALL, R10_FULL = r10.Size(pairs=1, seconds=1.5), r10.Size(pairs=7, seconds=10)


def shared_data() -> Path | None:
    """The real documents that lie beside the project, if they do."""
    folder = PROJECT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def measured(name: str, folder: Path, progress: Progress, *, full: bool, chosen_seed: int = 1) -> Figure:
    """Measure the figure of this name below an empty folder."""
    match name:
        case "s3":
            return s3.measure(folder, S3_FULL if full else S3_SMALL, progress, shared_data())
        case "s4":
            return s4.measure(folder, S4_FULL if full else S4_SMALL, progress)
        case "s10":
            return s10.measure(S10_FULL if full else S10_SMALL, chosen_seed, progress, shared_data())
        case "r1":
            return r1.measure(folder, R1_FULL if full else R1_SMALL, progress)
        case "r10":
            return r10.measure(folder, R10_FULL if full else R10_SMALL, progress)
        case _:
            raise LookupError(f"there is no figure {name!r}")
