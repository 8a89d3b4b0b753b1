"""Each figure in a small size, and in full where slow tests are asked for.

R10's ratio is a time, and no test asserts a time: here its counts must hold, `make figures` measures the ratio.
"""

from pathlib import Path

import pytest

from tests.figures import sizes
from tests.figures.figure import Figure, unseen

SIZES = [pytest.param(False, id="small"), pytest.param(True, id="full", marks=pytest.mark.slow)]


def held(name: str, folder: Path, *, full: bool) -> Figure:
    figure = sizes.measured(name, folder, unseen, full=full)
    assert figure.shortfalls == []
    return figure


@pytest.mark.parametrize("full", SIZES)
def test_nothing_outside_a_remit_reaches_the_public_and_each_is_refused_with_its_reason(
    tmp_path: Path, full: bool
) -> None:
    counts = held("s3", tmp_path, full=full).counts
    assert counts["events of refused messages that reach further"] == 0
    assert counts["public documents naming a refused message"] == 0
    assert counts["control messages named in public"] > 0


@pytest.mark.parametrize("full", SIZES)
def test_a_stolen_request_has_no_effect_however_often_it_is_replayed_and_however_it_is_bent(
    tmp_path: Path, full: bool
) -> None:
    counts = held("s4", tmp_path, full=full).counts
    assert counts["replays"] == counts["replays answered 409 replayed"] >= sizes.S4_SMALL
    assert counts["effects of stolen requests"] == 0


@pytest.mark.parametrize("full", SIZES)
def test_every_reader_returns_what_it_promises_or_raises_its_one_error(tmp_path: Path, full: bool) -> None:
    counts = held("s10", tmp_path, full=full).counts
    assert counts["returned"] > 0
    assert counts["refused"] > 0


@pytest.mark.parametrize("full", SIZES)
def test_a_server_killed_at_any_moment_loses_and_doubles_nothing_that_was_answered(tmp_path: Path, full: bool) -> None:
    counts = held("r1", tmp_path, full=full).counts
    assert counts["answered messages lost"] == 0
    assert counts["killed while serving"] > 0


@pytest.mark.parametrize("full", SIZES)
def test_a_flood_is_answered_429_and_counted_and_keeps_nobody_else_out(tmp_path: Path, full: bool) -> None:
    figure = sizes.measured("r10", tmp_path, unseen, full=full)
    timed = ("the others' p95 was", "round ")
    assert [shortfall for shortfall in figure.shortfalls if not shortfall.startswith(timed)] == []
    assert figure.counts["flood answered by status"]["429"] == figure.counts["counted by the server as limited"]
