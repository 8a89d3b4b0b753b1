"""Topics on a real broker: made once as declared, compared afterwards, never changed behind anybody's back."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from kafka import KafkaAdminClient

from adapters.cluster.reach import KafkaUnavailableError
from adapters.cluster.topics import Checked, State, compared, ensured, identities_of
from adapters.settings import KafkaSettings
from streams.kafka_brokers import Brokers
from streams.kafka_topics import TopicNames
from tests.kafka import broker

pytestmark = pytest.mark.kafka

AGENCIES = ["water", "meteorology"]


@pytest.fixture
def kafka() -> Iterator[KafkaSettings]:
    with broker.prefix() as (servers, prefix):
        yield KafkaSettings(Brokers(servers), names=TopicNames(prefix), partitions=3)


def states(checked: list[Checked]) -> set[State]:
    return {one.state for one in checked}


def test_topics_are_made_once_and_are_there_afterwards_as_they_were_declared(kafka: KafkaSettings) -> None:
    assert states(ensured(kafka, AGENCIES)) == {State.MADE}
    assert states(ensured(kafka, AGENCIES)) == {State.THERE}


def test_comparing_makes_nothing(kafka: KafkaSettings) -> None:
    assert states(compared(kafka, AGENCIES)) == {State.MISSING}
    ensured(kafka, AGENCIES)
    assert states(compared(kafka, AGENCIES)) == {State.THERE}


def test_an_agency_that_joins_gets_its_topic_and_the_others_stay(kafka: KafkaSettings) -> None:
    ensured(kafka, AGENCIES)
    checked = ensured(kafka, [*AGENCIES, "forestry"])
    assert [one.topic.name for one in checked if one.state is State.MADE] == [kafka.names.of_agency("forestry")]


def test_a_topic_that_differs_is_named_with_its_difference_and_left_as_it_is(kafka: KafkaSettings) -> None:
    ensured(kafka, AGENCIES)
    checked = ensured(replace(kafka, partitions=6), AGENCIES)
    differing = [one for one in checked if one.state is State.DIFFERS]
    assert {one.difference for one in differing} == {"3 partitions, declared 6"}
    assert states(ensured(kafka, AGENCIES)) == {State.THERE}


def test_a_topic_that_is_made_anew_has_another_identity(kafka: KafkaSettings) -> None:
    ensured(kafka, AGENCIES)
    topic = kafka.names.of_agency("water")
    before = identities_of(kafka, [topic])
    admin = KafkaAdminClient(**kafka.brokers.client_options())
    admin.delete_topics([topic])
    while topic in admin.list_topics():  # a broker forgets in its own time
        time.sleep(0.1)
    admin.close()
    with pytest.raises(KafkaUnavailableError, match="outlet topics"):
        identities_of(kafka, [topic])
    ensured(kafka, AGENCIES)
    assert identities_of(kafka, [topic]) != before


def test_where_no_broker_answers_that_is_said_with_its_address() -> None:
    [port] = broker.free_ports(1)
    with pytest.raises(KafkaUnavailableError, match=f"127.0.0.1:{port}"):
        ensured(KafkaSettings(Brokers(f"127.0.0.1:{port}")), AGENCIES)
