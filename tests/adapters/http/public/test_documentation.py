"""OpenAPI is part of the product: what it says is what is answered."""

from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from adapters.http.public import models, public_router
from tests.adapters.http.public.conftest import Desk, Served
from tests.adapters.http.public.listening import listening
from tests.adapters.http.public.samples import FLOOD, WATER, cap

PATHS = {
    "/v1/warnings",
    "/v1/warnings/{warning_id}",
    "/v1/warnings/{warning_id}/explain",
    "/v1/warnings/{warning_id}/revisions",
    "/v1/warnings/{warning_id}/revisions/{n}",
    "/v1/feed.atom",
    "/v1/stream",
}


@pytest.fixture
def document(desk: Desk) -> dict[str, Any]:
    app = FastAPI()
    app.include_router(public_router(desk.platform))
    return app.openapi()


def test_every_address_is_documented_with_its_answers_and_errors(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == PATHS
    for path, methods in document["paths"].items():
        assert set(methods) == {"get"}
        said = methods["get"]
        assert said["summary"]
        assert "422" not in said["responses"], "parameters are refused with 400"
        assert said["responses"]["200"]["content"]
        for code, answer in said["responses"].items():
            if int(code) >= 400:
                assert set(answer["content"]) == {"application/problem+json"}
        in_path = {one["name"] for one in said.get("parameters", []) if one["in"] == "path"}
        assert in_path == {part.strip("{}") for part in path.split("/") if part.startswith("{")}
    assert document["paths"]["/v1/warnings"]["get"]["responses"]["200"]["content"].keys() == {"application/geo+json"}
    forms = document["paths"]["/v1/warnings/{warning_id}/revisions/{n}"]["get"]["responses"]["200"]["content"]
    assert set(forms) == {"application/json", "application/cap+xml", "application/zip"}


def test_every_answer_has_the_documented_shape(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1", level="orange"), minutes=0)
    desk.deliver(cap("r2", level="blue", sender=WATER), minutes=0)
    desk.deliver(cap("f1", hazard=FLOOD), minutes=1)
    path = f"/v1/warnings/{desk.newest().warning_id}"
    shapes: dict[str, type[BaseModel]] = {
        "/v1/warnings": models.Warnings,
        path: models.CurrentRelease,
        f"{path}/explain": models.Explanation,
        f"{path}/revisions": models.Releases,
        f"{path}/revisions/2": models.Release,
        f"{path}/revisions/99": models.Problem,
        "/v1/warnings?x=1": models.Problem,
    }
    for address, shape in shapes.items():
        shape.model_validate_json(served.get(address).content)
    assert served.get("/v1/warnings").json()["features"][0]["properties"]["sections"][0]["conflict"]["is_open"]
    with listening(served.base, "?after=0") as stream:
        models.StreamedRelease.model_validate(stream.next("release").data)


def test_every_documented_parameter_is_accepted_and_no_other(document: dict[str, Any], served: Served) -> None:
    for path in ("/v1/warnings", "/v1/stream"):
        named = {one["name"] for one in document["paths"][path]["get"]["parameters"] if one["in"] == "query"}
        sentence = served.get(f"{path}?unheard=1").json()["findings"][0]["sentence"]
        assert named == set(sentence.partition("there are ")[2].rstrip(".").split(", "))
