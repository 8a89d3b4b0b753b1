"""Whatever happens, in whatever order, the promises hold; and the simulation finds the bugs that are planted for it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from domain import chains
from domain.events import ContributionsChanged
from projections import deadlines
from streams import pipeline
from tests.streams.simulation import run

SEEDS = range(25)
SEEDS_FOR_A_BUG = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_holds_in_a_world_where_anything_happens(tmp_path: Path, seed: int) -> None:
    run(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 600))
def test_every_promise_holds_in_five_hundred_more_worlds(tmp_path: Path, seed: int) -> None:
    run(tmp_path, seed)


def merge_skips_what_ended(patch: pytest.MonkeyPatch) -> None:
    stage, *others = pipeline.STAGES
    real = stage.step

    def step(house, recorded, now):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        assert isinstance(recorded.event, ContributionsChanged)
        real(house, recorded._replace(event=recorded.event.model_copy(update={"ended": ()})), now)

    patch.setattr("streams.embedded.STAGES", (pipeline.Stage(stage.name, stage.topics, step), *others))


def deadlines_are_dropped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(deadlines, "due", lambda *_, **__: [])
    patch.setattr(deadlines, "next_due", lambda _: None)


def an_older_message_speaks_for_its_chain(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chains, "_order", lambda head: -head.key.sent.timestamp())


def a_message_is_answered_and_not_recorded(patch: pytest.MonkeyPatch) -> None:
    def forgets(book, arrival, *, wait_seconds, now):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        return chains.receive(book, arrival, wait_seconds=wait_seconds, now=now)[:-1]

    patch.setattr("streams.intake.receive", forgets)


@pytest.mark.parametrize(
    "plant",
    [
        merge_skips_what_ended,
        deadlines_are_dropped,
        an_older_message_speaks_for_its_chain,
        a_message_is_answered_and_not_recorded,
    ],
)
def test_a_planted_bug_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    plant(monkeypatch)

    def until_found() -> None:
        for seed in SEEDS_FOR_A_BUG:
            run(tmp_path / str(seed), seed)

    with pytest.raises(AssertionError):
        until_found()
