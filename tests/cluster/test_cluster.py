"""The process set of docker-compose.yml, without containers, on a real Kafka and PostgreSQL: it works as a whole."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from tests import postgres
from tests.cluster.cluster import Cluster
from tests.cluster.parts import answers
from tests.conftest import PROJECT
from tests.figures.outlets import Listed, hours_until, wait_for, write_list
from tests.kafka import broker
from tests.streams.messages import cap

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

PATIENCE_SECONDS = 120.0
DISTRICT = "330604"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Skips, or fails in CI, where there is no Kafka or no PostgreSQL."""
    postgres.server()
    broker.need_kafka()
    with Cluster() as running:
        yield running


def call(cluster: Cluster, *arguments: str) -> str:
    """What a command of the outlet says on this cluster."""
    environment = {**os.environ, **cluster.environment}
    command = [sys.executable, "-m", "adapters.cli", *arguments]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def message(identifier: str, agency: str, hazard: str, level: str) -> bytes:
    hours = hours_until(datetime.now(UTC) + timedelta(hours=6))
    return cap(identifier, agency=agency, hazard=hazard, level=level, codes=(DISTRICT,), hours=hours)


def post(cluster: Cluster, key: str, content: bytes, agency: str) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cap+xml"}
    request = urllib.request.Request(f"{cluster.url}/v1/agencies/{agency}/messages", content, headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        assert answer.status == 202


def produce(cluster: Cluster, content: bytes, agency: str) -> None:
    producer = KafkaProducer(bootstrap_servers=cluster.broker.bootstrap_servers)
    try:
        producer.send(f"outlet.agency-messages.{agency}", content).get(timeout=PATIENCE_SECONDS)
    finally:
        producer.close()


def hazards_in_force(cluster: Cluster) -> set[str]:
    """What the board of the web process shows for the district."""
    with urllib.request.urlopen(f"{cluster.url}/v1/warnings?district={DISTRICT}", timeout=PATIENCE_SECONDS) as answer:
        board: dict[str, Any] = json.load(answer)
    return {section["hazard"]["code"] for feature in board["features"] for section in feature["properties"]["sections"]}


def test_messages_by_http_and_by_kafka_become_one_warning_that_is_told_though_a_worker_is_killed(
    cluster: Cluster, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    write_list(people, [Listed(email="warden@shaoxing.example", area=DISTRICT, name="Warden")])
    call(cluster, "roster", "import", str(people), "--roster", "wardens")
    key = json.loads(call(cluster, "agency", "add", "meteorology", "--json"))["issued"][0]["secret"]

    post(cluster, key, message("by-http", "meteorology", "11B03", "orange"), "meteorology")
    cluster.kill("worker-1")
    produce(cluster, message("by-kafka", "water", "11A01", "red"), "water")

    wait_for(lambda: len(hazards_in_force(cluster)) == 2, PATIENCE_SECONDS, "both hazards are on the board")
    wait_for(lambda: any(cluster.mails.glob("*.eml")), PATIENCE_SECONDS, "the warden has a mail")
    cluster.start("worker-1")


def test_a_command_decides_on_what_has_arrived_before_it_though_others_decide_on_that(
    cluster: Cluster, tmp_path: Path
) -> None:
    """What agencies have produced a moment ago is on the board that the command leaves."""
    (tmp_path / "by-hand.xml").write_bytes(message("by-hand", "meteorology", "11B01", "blue"))
    produce(cluster, message("just-now", "natural-resources", "11D01", "yellow"), "natural-resources")
    call(cluster, "ingest", str(tmp_path / "by-hand.xml"), "--agency", "meteorology")
    [district] = json.loads(call(cluster, "board", "--json"))["districts"]
    assert {section["hazard"]["code"] for section in district["sections"]} >= {"11B01", "11D01"}


def test_doctor_finds_topics_relay_and_merging_in_order(cluster: Cluster) -> None:
    checks = {one["check"]: one for one in json.loads(call(cluster, "doctor", "--json"))["checks"]}
    assert all(one["ok"] for one in checks.values()), checks
    assert {"Kafka", "relay", "merging"} <= checks.keys()


def test_a_process_that_dies_is_named_and_started_again(cluster: Cluster) -> None:
    os.kill(cluster.parts["courier"].id, 9)
    wait_for(lambda: cluster.parts["courier"].code() is not None, PATIENCE_SECONDS, "it is dead")
    assert cluster.tend() == ["courier ended with -9, and is started again"]
    wait_for(lambda: answers(cluster.probe_url("courier")), PATIENCE_SECONDS, "it is ready again")


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("relay", "outlet_relay_position"),
        ("worker-2", "outlet_worker_lag"),
        ("projector", "outlet_projector_position"),
        ("courier", "outlet_courier_handed_total"),
        ("watcher", "outlet_watcher_lag"),
        ("web", "outlet_http_requests_total"),
    ],
)
def test_a_process_counts_what_the_dashboard_shows(cluster: Cluster, name: str, figure: str) -> None:
    wait_for(lambda: figure in metrics(cluster, name), PATIENCE_SECONDS, f"{name} tells {figure}")


def metrics(cluster: Cluster, name: str) -> str:
    with urllib.request.urlopen(cluster.probe_url(name, "/metrics"), timeout=PATIENCE_SECONDS) as answer:
        text: str = answer.read().decode()
        return text
