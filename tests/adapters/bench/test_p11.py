"""P11 with a few people: the bench itself runs, whatever the figures are."""

import pytest

from adapters.bench import p11


@pytest.mark.slow
def test_the_red_one_is_handed_over_while_yellow_ones_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(p11, "WAITING", 500)
    monkeypatch.setattr(p11, "IDLE_MESSAGES", 5)
    waiting, idle = p11.measure(rounds=2)
    assert len(waiting.rounds) == 2
    assert waiting.ratio > 0
    assert idle.ratio > 0
