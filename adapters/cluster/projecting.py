"""`outlet projector`: keeps the read models current and acts on deadlines, one process at a time."""

import threading
from collections import Counter
from collections.abc import Iterable

from adapters.cluster.health import OK, Health, Sample
from adapters.cluster.lease import Lease
from adapters.wiring import Platform
from projections import PROJECTIONS
from projections.parked import EVENT, parked


class ProjectorProcess:
    """Runs a platform's rounds under a lease."""

    def __init__(self, platform: Platform, lease: Lease) -> None:
        """Nothing runs yet."""
        self._platform = platform
        self._lease = lease

    def run(self, stop: threading.Event) -> None:
        """Project and act until told to stop."""
        while not stop.is_set():
            with self._lease.held(stop) as is_ours:
                if is_ours:
                    self._work(stop)

    def _work(self, stop: threading.Event) -> None:
        ended = threading.Event()

        def look() -> None:
            if stop.is_set() or not self._lease.still():
                ended.set()

        self._platform.runner.run(ended, between=look)

    def health(self) -> Health:
        """What the process says of itself; one that waits for its turn is well."""
        checks = {"rounds": lambda: self._platform.runner.trouble or OK, "lease": lambda: self._lease.trouble or OK}
        return Health(checks, self._samples)

    def _samples(self) -> Iterable[Sample]:
        platform = self._platform
        positions = platform.tables.positions(PROJECTIONS)
        yield Sample("outlet_projector_is_active", float(self._lease.is_active))
        yield Sample("outlet_log_position", platform.log.head())
        yield Sample("outlet_projector_position", min(positions.values(), default=0))
        by_stage = Counter(item.source for item in parked(platform.tables, now=platform.clock.now(), kind=EVENT))
        for stage, count in sorted(by_stage.items()):
            yield Sample("outlet_parked_total", count, {"stage": stage})
