"""`outlet worker`: a platform's stages, each with a house of its own, given to the faust worker."""

from collections.abc import Iterable
from typing import Any

from adapters.cluster.health import OK, Health, Sample, log_answers
from adapters.cluster.topics import identities_of
from adapters.settings import KafkaSettings
from adapters.store.codec import EventCodec
from adapters.wiring import Platform
from domain.events import ContributionsChanged
from streams.kafka_boundary import WorkerHealth
from streams.kafka_steps import INTAKE, DistrictSteps, MessageSteps
from streams.kafka_topics import Subject
from streams.kafka_worker import Work
from streams.pipeline import STAGES, Stage


def work_of(platform: Platform, kafka: KafkaSettings) -> Work:
    """All stages of a platform, and the topics of its agencies.

    Raises:
        KafkaUnavailableError: no broker answers, or an agency's topic is not there.
        LogUnavailableError: the log cannot be read.
    """
    names = kafka.names
    of_agencies = [names.of_agency(agency.id) for agency in platform.policy.agencies]
    intake = MessageSteps(
        house=platform.another_house(),
        reader=platform.reader,
        clock=platform.clock,
        names=names,
        identities=identities_of(kafka, of_agencies),
    )
    steps: dict[str, tuple[Iterable[str], Any]] = {INTAKE: (of_agencies, intake.take)}
    for stage in STAGES:
        by_district = DistrictSteps(
            stage, events=platform.log, house=platform.another_house(), forms=EventCodec(), clock=platform.clock
        )
        steps[stage.name] = (names.both(_subject_of(stage)), by_district.take)
    return Work(brokers=kafka.brokers, group=kafka.group, folder=platform.settings.data_dir / "worker", steps=steps)


def _subject_of(stage: Stage) -> Subject:
    """What a stage consumes: the slices of changed contributions, or releases."""
    return Subject.CONTRIBUTIONS if ContributionsChanged.TOPIC in stage.topics else Subject.RELEASES


def health_of(platform: Platform, health: WorkerHealth) -> Health:
    """What a worker says of itself."""

    def samples() -> Iterable[Sample]:
        for stage, count in sorted(health.records.items()):
            yield Sample("outlet_worker_records_total", count, {"stage": stage})
        for stage, count in sorted(health.news.items()):
            yield Sample("outlet_worker_news_total", count, {"stage": stage})
        for (topic, partition), lag in sorted(health.lags.items()):
            yield Sample("outlet_worker_lag", lag, {"topic": topic, "partition": str(partition)})
        yield Sample("outlet_worker_stages_in_trouble", len(health.troubles))

    checks = {
        "stages": lambda: health.trouble or OK,
        "kafka": lambda: OK if health.is_consuming else "the worker has not joined its group",
        "log": lambda: log_answers(platform.log),
    }
    return Health(checks, samples)
