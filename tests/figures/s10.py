"""S10: whatever the bytes, a reader returns what it promises or raises its one error; nothing else.

Hypothesis chooses a sound document and the accidents that befall it, or plain noise, and shrinks what it finds. With
`atheris` installed, `python -m tests.figures.s10_atheris` drives the same readers by coverage.
"""

import base64
from collections.abc import Callable
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.figures.figure import Figure, Progress
from tests.figures.s10_damage import damage
from tests.figures.s10_readers import Reader, readers

PROMISE = "every reader returns what it promises or raises its one error"
NOISE = 0.15
"""The share of examples that are plain bytes."""

SHOWN_BYTES = 600


def measure(examples: int, chosen_seed: int, progress: Progress, shared: Path | None) -> Figure:
    """Try so many examples in all, divided among the readers by their weights."""
    figure = Figure("S10", PROMISE)
    every = readers(shared)
    weights = sum(reader.weight for reader in every)
    figure.counts["readers"] = len(every)
    figure.counts["sound documents"] = sum(len(reader.sound) for reader in every)
    for number, reader in enumerate(every):
        share = max(1, round(examples * reader.weight / weights))
        _try(reader, share, chosen_seed + number, figure, lambda name=reader.name: progress(  # type: ignore[misc]
            figure.counts.get("examples", 0), examples, name))  # fmt: skip
    if shared is None:
        figure.counts["real documents"] = "left out: the shared data is not here"
    return figure


def _try(reader: Reader, examples: int, chosen_seed: int, figure: Figure, tell: Callable[[], None]) -> None:
    """The reader on every sound document as it is, and on so many damaged ones."""
    last = b""

    @seed(chosen_seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(st.integers(0, len(reader.sound) - 1), st.integers(0, 2**63), st.one_of(st.none(), st.binary(max_size=120)))
    def one(place: int, chance: int, noise: bytes | None) -> None:
        nonlocal last
        random = Random(chance)
        is_noise = noise is not None and random.random() < 2 * NOISE
        last = noise if is_noise and noise is not None else damage(reader.sound[place], random)
        figure.count("examples")
        if figure.counts["examples"] % 50 == 0:
            tell()
        figure.count("returned" if _holds(reader, last) else "refused")

    try:
        for content in reader.sound:
            last = content
            _holds(reader, content)
        one()
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is what this figure looks for
        shown = base64.b64encode(last[:SHOWN_BYTES]).decode()
        figure.must(kept=False, otherwise=f"{reader.name}: {type(error).__name__}: {error!s:.300}; base64 {shown}")


def _holds(reader: Reader, content: bytes) -> bool:
    """Whether it returned; False where it raised an error that it may raise.

    Raises:
        Exception: any other error.
    """
    try:
        reader.read(content)
    except reader.refusals:
        return False
    return True
