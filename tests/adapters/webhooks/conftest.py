"""An outlet of three districts on a clock set by hand, with a folder for its webhooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from adapters.clocks import ManualClock
from adapters.connections import OutboundDefinition
from adapters.http.public.query import Filter
from adapters.push.pace import Pace
from adapters.push.state import FILE_NAME as STATE_NAME
from adapters.push.state import PushState
from adapters.settings import Settings
from adapters.webhooks.service import webhooks
from adapters.webhooks.store import FILE_NAME, Webhook, Webhooks
from adapters.wiring import Platform, build
from domain.events import WarningReleased
from domain.messages import Mode
from streams.intake import Delivery, Outcome
from tests.adapters.http.public.samples import START, cap, write_policy

LOOPBACK = OutboundDefinition(networks=(ip_network("127.0.0.0/8"),))
QUICK = Pace(tick_seconds=0.02)


class House:
    """What a test does with an outlet and its webhooks."""

    def __init__(self, platform: Platform, clock: ManualClock) -> None:
        self.platform = platform
        self.clock = clock
        self._count = 0

    @property
    def folder(self) -> Path:
        return self.platform.settings.data_dir

    def release(self, district: str, *, level: str = "yellow", hazard: str = "11B03", drill: bool = False) -> None:
        """One more release in a district."""
        self._count += 1
        status = "Exercise" if drill else "Actual"
        content = cap(
            f"m{self._count}",
            level=level,
            districts=(district,),
            hazard=hazard,
            status=status,
            minutes=self._count / 100,
            text=f"Number {self._count}.",
        )
        [receipt] = self.platform.runner.submit([Delivery(content=content, agency=None, source="test")])
        assert receipt.outcome is Outcome.ACCEPTED, receipt
        self.platform.runner.pump()

    def releases(self) -> list[tuple[int, WarningReleased]]:
        found = [(one.position, one.event) for one in self.platform.log.read()]
        return [(place, event) for place, event in found if isinstance(event, WarningReleased)]

    def register(
        self, url: str, wanted: Filter | None = None, *, mode: Mode = Mode.LIVE, begin: int | None = None
    ) -> Webhook:
        """As `outlet webhook add` does."""
        with Webhooks(self.folder / FILE_NAME) as store, PushState(self.folder / STATE_NAME) as state:
            webhook = store.add(url, wanted or Filter(), self.clock.now(), mode=mode)
            state.begin(webhook.id, self.platform.log.head() if begin is None else begin)
        return webhook

    @contextmanager
    def open(self) -> Iterator[tuple[Webhooks, PushState]]:
        with Webhooks(self.folder / FILE_NAME) as store, PushState(self.folder / STATE_NAME) as state:
            yield store, state

    @contextmanager
    def serving(self, outbound: OutboundDefinition = LOOPBACK, pace: Pace = QUICK) -> Iterator[None]:
        """The courier, until the block ends."""
        with webhooks(self.platform, outbound, pace=pace):
            yield

    def pass_time(self, hours: float) -> None:
        """Only the clock moves."""
        self.clock.set(self.clock.now() + timedelta(hours=hours))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = ManualClock(START)
    settings = Settings(data_dir=tmp_path / "data", policy=str(write_policy(tmp_path / "policy")))
    with build(settings, clock=clock) as platform:
        yield House(platform, clock)
