"""A platform on a clock that is set by hand."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import Platform, build
from domain.messages import Mode
from domain.sections import Section
from streams.intake import Delivery, Receipt
from tests.streams.messages import START, at


class Desk:
    """What a test does with a platform: deliver at a minute, let time pass, look."""

    def __init__(self, platform: Platform) -> None:
        """Work on this platform."""
        self.platform = platform

    def deliver(self, content: bytes, *, agency: str | None = None, minutes: float | None = None) -> Receipt:
        """Hand over one message, at a minute if given, and take it through all stages."""
        if minutes is not None:
            self.platform.advance(at(minutes))
        receipts = self.platform.runner.submit([Delivery(content=content, agency=agency, source="test")])
        self.platform.runner.pump()
        assert len(receipts) == 1
        return receipts[0]

    def wait_until(self, minutes: float) -> None:
        """Let the clock run to this minute."""
        self.platform.advance(at(minutes))
        self.platform.runner.pump()

    def sections(self, district: str = "330604", mode: Mode = Mode.LIVE) -> Sequence[Section]:
        """The district's sections now."""
        return self.platform.house.ledger.outlet(district, mode).sections

    def levels(self, district: str = "330604", mode: Mode = Mode.LIVE) -> dict[str, str]:
        """Hazard -> level now."""
        return {section.hazard: section.level.value for section in self.sections(district, mode)}

    def topics(self) -> list[str]:
        """Every recorded topic, in order."""
        return [recorded.event.TOPIC for recorded in self.platform.log.read()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A Shaoxing platform in a fresh folder, at the start of the tests' time."""
    with build(Settings(data_dir=tmp_path / "data", policy="shaoxing"), clock=ManualClock(START)) as platform:
        yield Desk(platform)
