"""OpenAPI is part of the product: it is complete, its examples are true, and a fuzzer finds no answer outside it."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from adapters.http.documentation import EXAMPLES
from adapters.http.problems import MEDIA_TYPE, TYPE_PREFIX, Kind
from adapters.http.public.listing import Cursor
from tests.adapters.http.outlets import GENEROUS, UNLIMITED, Outlet, outlet_at, problem, receipts_of
from tests.streams.messages import at

KINDS = {"message.cap.xml": "application/cap+xml", "message.12379.xml": "text/xml", "message.json": "application/json"}
AGENCIES = {
    "message.cap.xml": "water",
    "message.12379.xml": "meteorology",
    "message.json": "natural-resources",
}


NOTHING_ASKED = sha256(b"[]").hexdigest()[:16]
"""As a cursor of a request without parameters has it: anybody can make one."""


@dataclass
class Described:
    """An outlet with something released, and what it says of itself."""

    outlet: Outlet
    document: dict[str, Any]
    warning_id: str

    def operations(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield f"{method.upper()} {path}", operation

    def valid(self, schema: dict[str, Any], value: Any) -> None:
        jsonschema_rs.validator_for({**schema, "components": self.document["components"]}).validate(value)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    settings = replace(GENEROUS, public_rate=UNLIMITED)
    with outlet_at(tmp_path_factory.mktemp("described"), settings) as outlet:
        for name, kind in KINDS.items():
            content = (EXAMPLES / name).read_bytes()
            receipts_of(outlet.post(content, agency=AGENCIES[name], kind=kind))
        deadline = time.monotonic() + 20
        outlet.platform.advance(at(10))
        while not (features := outlet.client.get("/v1/warnings").json()["features"]):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        document = outlet.client.get("/openapi.json").json()
        yield Described(outlet, document, features[0]["id"])


def test_every_operation_says_what_it_is_and_every_error_has_its_type(described: Described) -> None:
    for name, operation in described.operations():
        assert operation["summary"], name
        assert operation["operationId"], name
        assert operation["tags"], name
        for status, answer in operation["responses"].items():
            assert answer["description"], (name, status)
            if int(status) >= 400:
                told = answer["content"][MEDIA_TYPE]["examples"]
                assert told, (name, status)
                for kind, one in told.items():
                    assert one["value"]["type"] == TYPE_PREFIX + kind
                    assert one["value"]["status"] == int(status)
                    described.valid(answer["content"][MEDIA_TYPE]["schema"], one["value"])


def test_every_kind_of_problem_is_in_the_document(described: Described) -> None:
    told = {
        kind
        for _, operation in described.operations()
        for answer in operation["responses"].values()
        for kind in answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
    }
    # These two belong to an address or method that no operation has.
    assert {kind.value.name for kind in Kind} - told <= {"method-not-allowed"}


def test_the_document_has_servers_tags_ways_to_show_a_key_and_the_webhook(described: Described) -> None:
    document = described.document
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/", "description": "This outlet."}]
    assert {tag for _, one in described.operations() for tag in one["tags"]} <= {
        one["name"] for one in document["tags"]
    }
    assert set(document["components"]["securitySchemes"]) == {"bearer", "apiKey"}
    assert "contact" not in document["info"]
    hook = document["webhooks"]["warning.released"]["post"]
    assert {one["name"] for one in hook["parameters"]} == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    content = hook["requestBody"]["content"]["application/json"]
    described.valid(content["schema"], content["example"])


def test_every_example_of_an_answer_has_the_documented_shape(described: Described) -> None:
    shown = 0
    for name, operation in described.operations():
        for status, answer in operation["responses"].items():
            for media_type, content in answer.get("content", {}).items():
                if "example" in content and "json" in media_type:
                    described.valid(content["schema"], content["example"])
                    shown += 1
                if int(status) < 300 and media_type not in {"application/zip", "text/plain"} and "/v1/" in name:
                    assert "example" in content, (name, status, media_type)
    assert shown >= 6


def test_every_example_of_a_request_is_taken(described: Described) -> None:
    """The fixture has sent them all; sent again they are duplicates."""
    for name, kind in KINDS.items():
        content = (EXAMPLES / name).read_bytes()
        (receipt,) = receipts_of(described.outlet.post(content, agency=AGENCIES[name], kind=kind))
        assert receipt["duplicate"]
        assert receipt["identifier"] in content.decode()


def test_no_schema_is_referred_to_that_is_not_there(described: Described) -> None:
    text = described.outlet.client.get("/openapi.json").text
    for kind, name in re.findall(r"#/components/(\w+)/(\w+)", text):
        assert name in described.document["components"][kind], (kind, name)


def fuzzed(described: Described, folder: Path, *arguments: str) -> str:
    """What Schemathesis says; it must find nothing."""
    # The stream does not end by itself, so it is asked below.
    key = described.outlet.key("water")
    (folder / "schemathesis.toml").write_text(
        "[checks.positive_data_acceptance]\n"
        # Codes of districts and the like are strings to a schema; what is none of ours is refused.
        'expected-statuses = ["2xx", 304, 400, 401, 403, 404, 406, 408, 409, 413, 415, 422, 429]\n'
        "[parameters]\n"
        f'"path.agency" = "water"\n"path.warning_id" = "{described.warning_id}"\n"path.n" = 1\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"]
    command += ["run", f"{described.outlet.at.url}/openapi.json", "--exclude-path", "/v1/stream"]
    command += ["--header", f"Authorization: Bearer {key}", "--suppress-health-check", "all", "--no-shrink"]
    command += ["--continue-on-failure", "--request-timeout", "20", "--output-sanitize", "true", *arguments]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)
    assert found.returncode == 0, found.stdout[-6_000:] + found.stderr[-2_000:]
    assert "generated" in found.stdout
    return found.stdout


def test_schemathesis_finds_no_answer_outside_the_document(described: Described, tmp_path: Path) -> None:
    phases = ("--phases", "examples,coverage,fuzzing", "--seed", "1")
    fuzzed(described, tmp_path, "--exclude-method", "POST", "--max-examples", "25", *phases)
    fuzzed(described, tmp_path, "--include-method", "POST", "--phases", "examples", "--seed", "1")


@pytest.mark.slow
def test_schemathesis_finds_nothing_in_a_long_run_either(described: Described, tmp_path: Path) -> None:
    # Not stateful: nothing here is made by one request and asked for by the next.
    phases = ("--phases", "examples,coverage,fuzzing")
    fuzzed(described, tmp_path, "--exclude-method", "POST", "--max-examples", "300", *phases)
    fuzzed(described, tmp_path, "--include-method", "POST", "--max-examples", "40", "--max-time", "300", *phases)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("?after=0&state=true", 200),
        ("?after=-1", 400),
        ("?after=" + "9" * 40, 400),
        ("?state=maybe", 400),
        ("?level_min=purple", 400),
        ("?district=%00", 400),
        ("?unheard=1", 400),
        ("?after=0&after=1", 400),
    ],
)
def test_the_stream_answers_as_documented(described: Described, query: str, status: int) -> None:
    answers = described.document["paths"]["/v1/stream"]["get"]["responses"]
    with described.outlet.client.stream("GET", f"/v1/stream{query}") as response:
        assert response.status_code == status
        kind = response.headers["content-type"].partition(";")[0]
        assert kind in answers[str(status)]["content"]
    with httpx.Client(base_url=described.outlet.at.url, trust_env=False) as client:
        refused = client.get("/v1/stream", headers={"Last-Event-ID": "none"})
        described.valid(answers["400"]["content"][MEDIA_TYPE]["schema"], refused.json())


@pytest.mark.parametrize(
    "query",
    [
        "at=0001-01-01T00:00:00%2B23:59",
        "at=9999-12-31T23:59:59-23:59",
        f"cursor={Cursor(2**62, 1, '', '').written()}",
        f"cursor={Cursor(253_402_300_799_000_000, 1, '', NOTHING_ASKED).written()}",
        f"cursor={Cursor(-(2**62), 1, '', '').written()}",
        f"cursor={Cursor(1_663_027_200_000_000, -1, '', '').written()}",
        "limit=%C2%B2",
        "point=inf,nan",
    ],
)
def test_values_at_the_ends_of_what_can_be_said_are_refused_as_parameters(described: Described, query: str) -> None:
    assert problem(described.outlet.client.get(f"/v1/warnings?{query}"), "bad-request", 400)["code"] == "parameters"
