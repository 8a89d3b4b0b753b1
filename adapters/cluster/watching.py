"""`outlet watcher`: what came from each agency in the last minutes, as figures for Prometheus."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from adapters.cluster.health import OK, Health, Sample
from adapters.cluster.topics import identities_of
from adapters.settings import KafkaSettings, Settings
from domain.arrivals import WINDOW_SECONDS, Outcome, Window, begin_of
from domain.messages import Mode
from domain.ports import Clock
from streams.kafka_topics import Subject
from streams.kafka_watcher import Watcher

CURRENT: Final = "current"
PREVIOUS: Final = "previous"


def watcher_of(settings: Settings, kafka: KafkaSettings, *, on_stall: Callable[[], None]) -> Watcher:
    """A watcher of this outlet; it needs Kafka alone.

    Raises:
        KafkaUnavailableError: no broker answers, or a topic is not there.
    """
    names = kafka.names
    identities_of(kafka, [names.of(Subject.EVENTS, Mode.LIVE), names.changelog_of_windows])
    return Watcher(kafka.brokers, names, settings.data_dir / "watcher", on_stall=on_stall)


def health_of(watcher: Watcher, clock: Clock) -> Health:
    """What a watcher says of itself, and of the agencies."""

    def samples() -> Iterable[Sample]:
        for stage, count in sorted(watcher.health.records.items()):
            yield Sample("outlet_watcher_records_total", count, {"stage": stage})
        yield Sample("outlet_watcher_unreadable_total", watcher.unreadable)
        for (topic, partition), lag in sorted(watcher.health.lags.items()):
            yield Sample("outlet_watcher_lag", lag, {"topic": topic, "partition": str(partition)})
        yield from agency_samples(watcher.windows(), clock.now())

    return Health({"windows": lambda: OK if watcher.is_ready else "the watcher has not read its table back"}, samples)


def agency_samples(windows: Iterable[Window], now: datetime) -> Iterable[Sample]:
    """Figures of every agency that was heard of within the table's day: zero, too, is a figure."""
    found: dict[str, dict[datetime, Window]] = {}
    for window in windows:
        found.setdefault(window.agency, {})[window.begin] = window
    current = begin_of(now)
    begins = {CURRENT: current, PREVIOUS: current - timedelta(seconds=WINDOW_SECONDS)}
    for agency, by_begin in sorted(found.items()):
        for name, begin in begins.items():
            counts = by_begin.get(begin)
            for outcome in Outcome:
                count = 0 if counts is None else counts.of(outcome)
                yield Sample("outlet_agency_messages", count, {"agency": agency, "outcome": outcome, "window": name})
    for agency, by_begin in sorted(found.items()):
        last = max(window.last for window in by_begin.values())
        yield Sample("outlet_agency_last_message_age_seconds", (now - last).total_seconds(), {"agency": agency})
