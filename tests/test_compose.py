"""docker-compose.yml and what it mounts: valid, confined, without secrets, and of commands that there are.

No container engine is needed. That its processes run is shown by tests/cluster.
"""

import json
import re
import xml.etree.ElementTree as ET
from ipaddress import ip_address
from typing import Any

import jsonschema_rs
import pytest
import yaml
from typer.main import get_command

from adapters.cli.app import app
from adapters.connections import parse_connections
from tests.cluster.compose import COMPOSE_FILE, HEALTHY, ComposeError, Service, document, services
from tests.cluster.compose_schema import compose_schema
from tests.conftest import PROJECT
from tests.kafka.jars import POM

SET = {"OUTLET_DATABASE_PASSWORD": "a-password"}
SERVICES = {service.name: service for service in services(SET)}
OURS = [service for service in SERVICES.values() if service.is_ours]
LASTING = [service for service in SERVICES.values() if service.name != "topics"]

every = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
every_lasting = pytest.mark.parametrize("service", LASTING, ids=[each.name for each in LASTING])
every_one_of_ours = pytest.mark.parametrize("service", OURS, ids=[each.name for each in OURS])

METRIC = re.compile(r"\boutlet_\w+")
SECRET = re.compile(r"password|secret|token|api_?key", re.IGNORECASE)


def test_the_file_is_valid_by_the_schema_of_compose_files() -> None:
    validator = jsonschema_rs.validator_for(compose_schema())
    assert [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(document(SET))] == []


def test_nothing_starts_without_a_password_for_the_database() -> None:
    with pytest.raises(ComposeError, match="OUTLET_DATABASE_PASSWORD"):
        services({})


def test_no_secret_stands_in_the_file() -> None:
    """Whatever is named like a secret is filled in from outside."""
    read = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
    found = [
        f"{service}.{name}"
        for service, said in read["services"].items()
        for name, value in said.get("environment", {}).items()
        if SECRET.search(name) and not str(value).startswith("${")
    ]
    assert found == []


def test_every_volume_is_declared_and_every_mounted_file_is_there() -> None:
    declared = document(SET)["volumes"].keys()
    for service in SERVICES.values():
        for volume in service.raw.get("volumes", ()):
            source = str(volume).partition(":")[0]
            assert (PROJECT / source).exists() if source.startswith("./") else source in declared


@every
def test_a_service_can_harm_nothing_beside_itself(service: Service) -> None:
    raw = service.raw
    assert int(str(raw["user"]).partition(":")[0]) > 0, "not root"
    assert raw["read_only"] is True
    assert raw["cap_drop"] == ["ALL"]
    assert raw["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in raw
    assert "cap_add" not in raw
    assert not [volume for volume in raw.get("volumes", ()) if "docker.sock" in str(volume)]


@every
def test_a_service_cannot_use_up_the_machine(service: Service) -> None:
    assert service.raw["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service.raw["logging"]["options"].keys() == {"max-size", "max-file"}


@every
def test_nobody_beyond_this_machine_reaches_a_service(service: Service) -> None:
    for published in service.raw.get("ports", ()):
        assert ip_address(str(published).split(":", maxsplit=1)[0]).is_loopback
    assert service.raw.get("network_mode") is None


@every_lasting
def test_a_service_says_how_it_is_and_comes_back(service: Service) -> None:
    assert service.raw["healthcheck"]["test"][0] == "CMD"
    assert service.raw["restart"] == "unless-stopped"


@every
def test_a_service_waits_for_the_health_of_those_that_have_one(service: Service) -> None:
    for name, condition in service.waits_for.items():
        assert (condition == HEALTHY) == ("test" in SERVICES[name].raw["healthcheck"])


@every_one_of_ours
def test_a_command_is_one_of_the_outlet_s_and_takes_its_options(service: Service) -> None:
    name, *words = service.command
    known: Any = get_command(app)
    known.commands[name].make_context(name, list(words))


@pytest.mark.parametrize("service", [each for each in OURS if each.name != "topics"], ids=lambda each: each.name)
def test_a_process_is_asked_for_its_health_where_it_listens(service: Service) -> None:
    assert service.probe is not None
    assert service.probe.path == "/readyz"
    assert f"0.0.0.0:{service.probe.port}" in service.command


def test_processes_of_ours_share_settings_and_data() -> None:
    first = OURS[0]
    for service in OURS:
        assert service.environment == first.environment
        assert service.raw["volumes"] == first.raw["volumes"]
        assert service.raw["image"] == first.raw["image"]


def test_kafka_is_of_the_version_that_the_tests_run() -> None:
    namespace = {"m": "http://maven.apache.org/POM/4.0.0"}
    tested = ET.parse(POM).findtext("m:dependencies/m:dependency[1]/m:version", namespaces=namespace)
    assert SERVICES["kafka"].raw["image"] == f"apache/kafka:{tested}"


def test_the_connections_that_are_mounted_can_be_read() -> None:
    connections = parse_connections((PROJECT / "deploy" / "connections.toml").read_text(encoding="utf-8"))
    assert [channel.id for channel in connections.channels] == ["mail"]


def test_prometheus_asks_every_process_of_ours() -> None:
    read = yaml.safe_load((PROJECT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    asked = read["scrape_configs"][0]["static_configs"][0]["targets"]
    assert set(asked) == {f"{each.name}:{each.probe.port}" for each in OURS if each.probe and each.name != "topics"}


@pytest.mark.parametrize("path", ["prometheus/rules.yml", "grafana/dashboards/outlet.json"])
def test_what_is_watched_is_counted(path: str) -> None:
    """Every figure that a dashboard or a rule asks for stands in the code that serves it."""
    code = "".join(
        source.read_text(encoding="utf-8")
        for ring in ("streams", "adapters")
        for source in (PROJECT / ring).rglob("*.py")
    )
    asked = METRIC.findall((PROJECT / "deploy" / path).read_text(encoding="utf-8"))
    assert {name for name in asked if f'"{name}' not in code} == set()


def test_the_dashboard_asks_the_source_that_is_provided() -> None:
    dashboard = json.loads((PROJECT / "deploy/grafana/dashboards/outlet.json").read_text(encoding="utf-8"))
    provided = yaml.safe_load(
        (PROJECT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text(encoding="utf-8")
    )
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {provided["datasources"][0]["uid"]}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
