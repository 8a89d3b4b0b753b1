"""The mail channel and Postfix's smtp-sink, which is another's server and counts for itself. Skipped without it."""

import pytest

from adapters.bench import p8
from adapters.bench.row import PeerMissingError
from tests.adapters.channels.mail_samples import run


@pytest.fixture
def sink() -> str:
    try:
        return p8.program("smtp-sink")
    except PeerMissingError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("pipelining", [True, False])
def test_everything_that_was_accepted_is_counted_at_the_sink(sink: str, pipelining: bool) -> None:
    with p8.sink_running(sink, 500) as port:
        run(p8.send_all(port, 500, pipelining=pipelining))


def test_a_sink_that_has_not_got_everything_ends_the_measure(sink: str) -> None:
    with pytest.raises(RuntimeError, match="20 of 21"), p8.sink_running(sink, 21) as port:
        run(p8.send_all(port, 20, pipelining=True))


def test_the_figure_is_measured(sink: str) -> None:
    (row,) = p8.measure(rounds=1, messages=200)
    assert row.id == "P8"
    assert row.ratio > 0


def test_a_missing_program_is_said_to_be_missing() -> None:
    with pytest.raises(PeerMissingError, match="smtp-nothing"):
        p8.program("smtp-nothing")
