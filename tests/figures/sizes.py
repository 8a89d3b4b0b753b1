"""How large each figure is in the tests and in full: the full sizes are those that QUALITY.md names, or more."""

from pathlib import Path

from tests.conftest import PROJECT
from tests.figures import r1, r5, r10, s3, s4, s6, s7, s10, telling
from tests.figures.figure import Figure, Progress

S3_SMALL, S3_FULL = (
    s3.Size(every=197, shapes=60, over_http_every=41),
    s3.Size(every=1, shapes=5_000, over_http_every=401),
)
S4_SMALL, S4_FULL = 200, 10_000
S10_SMALL, S10_FULL = 1_500, 100_000
R1_SMALL, R1_FULL = r1.Size(messages=150, kills=6), r1.Size(messages=10_000, kills=200)
R10_SMALL, R10_FULL = r10.Size(pairs=1, seconds=1.5), r10.Size(pairs=7, seconds=10)
R5_SMALL, R5_FULL = (
    r5.Size(people=60, trouble_seconds=1, slow_seconds=0.4, down_seconds=4),
    r5.Size(people=2_000, trouble_seconds=10, slow_seconds=2, down_seconds=30),
)
S6_SMALL, S6_FULL = s6.Size(people=20, erased=1), s6.Size(people=2_000, erased=20)
S7_SMALL, S7_FULL = s7.Size(letters=250, through_channels=20), s7.Size(letters=25_000, through_channels=2_000)
TELLING_SMALL, TELLING_FULL = (
    telling.Size(people=400, server_kills=2, outlet_kills=1),
    telling.Size(people=100_000, server_kills=8, outlet_kills=5),
)


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
        case "r5":
            return r5.measure(folder, R5_FULL if full else R5_SMALL, progress)
        case "s6":
            return s6.measure(folder, S6_FULL if full else S6_SMALL, progress)
        case "s7":
            return s7.measure(folder, S7_FULL if full else S7_SMALL, chosen_seed, progress)
        case "telling":
            return telling.measure(folder, TELLING_FULL if full else TELLING_SMALL, progress)
        case "r10":
            return r10.measure(folder, R10_FULL if full else R10_SMALL, progress)
        case _:
            raise LookupError(f"there is no figure {name!r}")
