"""OpenAPI stays complete with the subscribers' and the agencies' questions in it, and says what is answered."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adapters.http.problems import MEDIA_TYPE
from tests.adapters.http import test_openapi as rules
from tests.adapters.http.outlets import problem
from tests.adapters.http.test_audience_http import Asking, asking_at
from tests.adapters.http.test_openapi import Described

PATHS = {
    ("/v1/subscriptions", "post"),
    ("/v1/subscriptions/{id}/confirm", "post"),
    ("/u/{token}", "post"),
    ("/v1/audience", "post"),
    ("/v1/warnings/{warning_id}/audience", "get"),
}


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with ExitStack() as stack:
        yield stack.enter_context(asking_at(tmp_path_factory.mktemp("asking")))


@pytest.fixture(scope="module")
def described(asking: Asking) -> Described:
    return Described(asking.outlet, asking.outlet.client.get("/openapi.json").json(), "none")


def test_every_address_for_programs_is_in_the_document_and_no_page_is(described: Described) -> None:
    found = {(path, method) for path, methods in described.document["paths"].items() for method in methods}
    assert found >= PATHS
    assert not {path for path, _ in found} & {"/subscribe", "/s/{token}"}
    assert ("/u/{token}", "get") not in found


def test_the_rules_of_the_document_hold_with_them_in_it(described: Described) -> None:
    rules.test_every_operation_says_what_it_is_and_every_error_has_its_type(described)
    rules.test_every_kind_of_problem_is_in_the_document(described)
    rules.test_the_document_has_servers_tags_ways_to_show_a_key_and_the_webhook(described)
    rules.test_every_example_of_an_answer_has_the_documented_shape(described)
    rules.test_no_schema_is_referred_to_that_is_not_there(described)


def test_the_examples_of_requests_are_taken_and_answered_as_documented(described: Described) -> None:
    client, paths = described.outlet.client, described.document["paths"]

    def example(path: str) -> Any:
        return paths[path]["post"]["requestBody"]["content"]["application/json"]["example"]

    def shape(path: str, status: str, kind: str = "application/json") -> dict[str, Any]:
        found: dict[str, Any] = paths[path]["post"]["responses"][status]["content"][kind]["schema"]
        return found

    asked = client.post("/v1/subscriptions", json=example("/v1/subscriptions"))
    assert asked.status_code == 202
    described.valid(shape("/v1/subscriptions", "202"), asked.json())
    confirm = "/v1/subscriptions/{id}/confirm"
    refused = client.post(confirm.format(id=asked.json()["id"]), json=example(confirm))
    described.valid(shape(confirm, "403", MEDIA_TYPE), problem(refused, "forbidden", 403))
    unusable = client.post("/v1/subscriptions", json={})
    described.valid(shape("/v1/subscriptions", "400", MEDIA_TYPE), problem(unusable, "bad-request", 400))


@pytest.mark.long
def test_schemathesis_finds_no_answer_of_theirs_outside_the_document(described: Described, tmp_path: Path) -> None:
    only = [word for path, _ in sorted(PATHS) for word in ("--include-path", path)]
    rules.fuzzed(described, tmp_path, *only, "--phases", "examples,coverage", "--max-examples", "10", "--seed", "1")
