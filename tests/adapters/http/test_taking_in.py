"""What comes in over HTTP: every form, duplicates, conflicting copies, refusals, and answers that are durable."""

import json
import socket
from hashlib import sha256
from pathlib import Path

import pytest

from domain.events import DuplicateArrived, MessageAccepted, MessageRejected, WarningReleased
from domain.levels import Level
from tests.adapters.http.messages import as_json, json_message, zipped
from tests.adapters.http.outlets import Outlet, outlet_at, problem, receipts_of, tighter
from tests.streams.messages import cap, cn12379

EDXL = b"""<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><distributionID>d</distributionID>
<senderID>s</senderID><dateTimeSent>2022-09-13T08:00:00+08:00</dateTimeSent><distributionStatus>Actual</distributionStatus>
<distributionType>Report</distributionType><combinedConfidentiality>none</combinedConfidentiality>
%s</EDXLDistribution>"""
CONTENT = b"<contentObject><xmlContent><embeddedXMLContent>%s</embeddedXMLContent></xmlContent></contentObject>"


def edxl(*alerts: bytes) -> bytes:
    return EDXL % b"".join(CONTENT % alert.partition(b"?>")[2] for alert in alerts)


def test_an_accepted_message_is_in_the_log_when_it_is_answered_and_is_released_after(outlet: Outlet) -> None:
    content = cap("m-1", level="red")
    [receipt] = receipts_of(outlet.post(content))
    assert MessageAccepted.TOPIC in outlet.topics()
    assert receipt["outcome"] == "accepted"
    assert receipt["duplicate"] is False
    assert receipt["districts"] == ["330604"]
    assert receipt["raw_sha256"] == sha256(content).hexdigest()
    assert len(receipt["id"]) == 64
    outlet.wait_for_topic(WarningReleased.TOPIC)


def test_the_raw_bytes_of_a_message_are_kept(outlet: Outlet) -> None:
    content = cap("m-1")
    [receipt] = receipts_of(outlet.post(content))
    assert outlet.platform.log.attachment(receipt["raw_sha256"]) == content


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (cap("m-1"), "application/cap+xml"),
        (cap("m-1"), "text/xml; charset=utf-8"),
        (cap("m-1"), "application/octet-stream"),
        (cap("m-1"), None),
        (edxl(cap("m-1")), "application/xml"),
        (cn12379("33060041600000_20220913080000"), "application/xml"),
        (zipped(cn12379("33060041600000_20220913080000")), "application/zip"),
        (as_json(json_message("m-1")), "application/json"),
        (as_json(json_message("m-1")), None),
        (b"\xef\xbb\xbf" + as_json(json_message("m-1")), "application/json; charset=utf-8"),
    ],
)
def test_every_form_is_taken_in(outlet: Outlet, content: bytes, kind: str | None) -> None:
    [receipt] = receipts_of(outlet.post(content, kind=kind))
    assert receipt["outcome"] == "accepted"
    assert receipt["districts"] == ["330604"]


def test_an_envelope_of_two_has_two_receipts(outlet: Outlet) -> None:
    receipts = receipts_of(outlet.post(edxl(cap("m-1"), cap("m-2", hazard="11B06"))))
    assert [receipt["identifier"] for receipt in receipts] == ["m-1", "m-2"]


def test_a_json_message_keeps_its_texts_and_may_name_its_level(outlet: Outlet) -> None:
    message = json_message("m-1", info={"severity": "Minor", "level": "white"})
    receipts_of(outlet.post(as_json(message), kind="application/json"))
    [accepted] = [one.event for one in outlet.platform.log.read() if isinstance(one.event, MessageAccepted)]
    [info] = accepted.message.infos
    assert info.description == "预计有暴雨。\r\n第二行 "
    assert info.level is Level.WHITE


def test_an_array_is_taken_in_as_its_messages(outlet: Outlet) -> None:
    messages = [json_message(f"m-{number}") for number in range(5)]
    receipts = receipts_of(outlet.post(as_json(*messages), kind="application/json"))
    assert [receipt["identifier"] for receipt in receipts] == [f"m-{number}" for number in range(5)]


def test_a_message_is_the_same_alone_and_in_an_array(outlet: Outlet) -> None:
    alone, other = json_message("m-1"), json_message("m-2")
    receipts_of(outlet.post(as_json(alone), kind="application/json"))
    first, second = receipts_of(outlet.post(as_json(alone, other), kind="application/json"))
    assert (first["outcome"], second["outcome"]) == ("duplicate", "accepted")


def test_a_message_has_the_same_id_in_json_and_in_xml(outlet: Outlet) -> None:
    [receipt] = receipts_of(outlet.post(as_json(json_message("m-1")), kind="application/json"))
    [other] = problem(outlet.post(cap("m-1")), "conflicting-copy", 409)["receipts"]
    assert receipt["id"] == other["id"]


def test_the_same_bytes_again_are_answered_as_a_duplicate(outlet: Outlet) -> None:
    [first] = receipts_of(outlet.post(cap("m-1")))
    [again] = receipts_of(outlet.post(cap("m-1")))
    assert again["duplicate"] is True
    assert again["id"] == first["id"]
    assert outlet.topics().count(DuplicateArrived.TOPIC) == 1


def test_the_same_triple_with_other_bytes_conflicts_and_the_first_stands(outlet: Outlet) -> None:
    receipts_of(outlet.post(cap("m-1")))
    document = problem(outlet.post(cap("m-1", text="Other words.")), "conflicting-copy", 409)
    assert document["findings"][0]["code"] == "conflicting-copy"
    assert document["receipts"][0]["outcome"] == "conflicting-copy"


def test_a_refused_message_is_answered_with_every_finding(outlet: Outlet) -> None:
    content = cap("m-1", hazard="11D01", codes=("330604",)).replace(b"meteorology@", b"somebody@")
    document = problem(outlet.post(content), "refused", 422)
    assert {found["code"] for found in document["findings"]} == {"remit-sender"}
    content = cap("m-2", agency="water", hazard="99999", level="red").replace(b"Extreme", b"Terrible")
    document = problem(outlet.post(content, agency="water"), "refused", 422)
    assert {"unknown-hazard", "unknown-level"} <= {found["code"] for found in document["findings"]}
    for found in document["findings"]:
        assert found["path"].startswith("/alert/")
        assert found["sentence"]
    assert outlet.topics().count(MessageRejected.TOPIC) == 2


def test_one_refused_message_of_an_array_makes_the_answer_a_refusal_and_the_others_stand(outlet: Outlet) -> None:
    bad = json_message("m-2", agency="water")
    content = as_json(json_message("m-1"), bad, json_message("m-3"))
    document = problem(outlet.post(content, kind="application/json"), "refused", 422)
    assert [one["outcome"] for one in document["receipts"]] == ["accepted", "rejected", "accepted"]
    assert {found["message"] for found in document["findings"]} == {1}


def test_every_wrong_member_of_a_json_message_is_found_at_its_cap_path(outlet: Outlet) -> None:
    message = json_message("m-1", info={"expire": "2022-09-14T08:00:00+08:00", "headline": 7}, surprise=1)
    del message["sender"]
    document = problem(outlet.post(as_json(message), kind="application/json"), "refused", 422)
    found = {(one["code"], one["path"]) for one in document["findings"]}
    assert found == {
        ("missing", "/alert/sender"),
        ("schema", "/alert/surprise"),
        ("schema", "/alert/info[1]/expire"),
        ("value", "/alert/info[1]/headline"),
    }


def test_a_json_message_keeps_the_rules_of_cap(outlet: Outlet) -> None:
    message = json_message("m 1", msgType="Update", info={"expires": "tomorrow"})
    document = problem(outlet.post(as_json(message), kind="application/json"), "refused", 422)
    assert {"identifier", "references", "time"} <= {one["code"] for one in document["findings"]}


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"", "application/cap+xml", "empty"),
        (b"  \n", "application/json", "empty"),
        (b"<alert", "application/cap+xml", "not-xml"),
        (b"{", "application/json", "not-json"),
        (b"[{}", "application/json", "not-json"),
        (b"nonsense", "application/cap+xml", "not-xml"),
        (b'{"identifier": "\xff"}', "application/json", "encoding"),
    ],
)
def test_bytes_that_are_no_document_are_answered_400(outlet: Outlet, content: bytes, kind: str, code: str) -> None:
    document = problem(outlet.post(content, kind=kind), "malformed", 400)
    assert [found["code"] for found in document["findings"]] == [code]


@pytest.mark.parametrize("kind", ["text/html", "image/png", "multipart/form-data; boundary=x", "text/plain"])
def test_an_unknown_content_type_is_answered_415(outlet: Outlet, kind: str) -> None:
    problem(outlet.post(cap("m-1"), kind=kind), "media-type", 415)
    assert MessageAccepted.TOPIC not in outlet.topics()


def test_content_of_another_kind_than_declared_is_answered_415(outlet: Outlet) -> None:
    problem(outlet.post(as_json(json_message("m-1")), kind="application/cap+xml"), "media-type", 415)
    problem(outlet.post(cap("m-1"), kind="application/zip"), "media-type", 415)
    problem(outlet.post(cap("m-1"), headers={"Content-Encoding": "gzip"}), "media-type", 415)


def test_a_body_that_is_too_large_is_answered_413_and_nothing_is_kept(tmp_path: Path) -> None:
    with outlet_at(tmp_path, tighter(max_body_bytes=10_000)) as outlet:
        head = outlet.platform.log.head()
        problem(outlet.post(cap("m-1", text="x" * 20_000)), "too-large", 413)
        problem(outlet.post(b"x" * 3_000_000), "too-large", 413)
        key = outlet.key()

        def endless() -> object:
            for _ in range(100):
                yield b"y" * 1_000

        response = outlet.client.post(
            "/v1/agencies/meteorology/messages",
            content=endless(),  # type: ignore[arg-type]
            headers={"X-Api-Key": key, "Content-Type": "text/xml"},
        )
        problem(response, "too-large", 413)
        assert outlet.platform.log.head() == head


def test_an_array_of_too_many_messages_is_answered_413(tmp_path: Path) -> None:
    with outlet_at(tmp_path, tighter(max_messages=3)) as outlet:
        content = as_json(*(json_message(f"m-{number}") for number in range(4)))
        problem(outlet.post(content, kind="application/json"), "too-large", 413)


def test_an_unknown_path_and_a_wrong_method_are_problems_too(outlet: Outlet) -> None:
    problem(outlet.client.get("/nowhere"), "not-found", 404)
    problem(outlet.client.get("/v1/agencies/water/messages"), "method-not-allowed", 405)


def test_the_openapi_document_tells_the_json_form_and_the_answers(outlet: Outlet) -> None:
    document = outlet.client.get("/openapi.json").json()
    operation = document["paths"]["/v1/agencies/{agency}/messages"]["post"]
    assert set(operation["responses"]) >= {"202", "400", "401", "403", "409", "413", "415", "422", "429", "503"}
    form = operation["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]
    assert {"identifier", "sender", "sent", "status", "msgType"} <= set(form["required"])
    assert "$ref" not in json.dumps(form)
    assert set(document["components"]["securitySchemes"]) == {"bearer", "apiKey"}


def test_health_and_metrics_are_told(outlet: Outlet) -> None:
    receipts_of(outlet.post(cap("m-1")))
    problem(outlet.post(cap("m-2", agency="water")), "refused", 422)
    assert outlet.client.get("/livez").text == "ok"
    assert outlet.client.get("/readyz").json()["checks"] == {"log": "ok", "intake": "ok", "stages": "ok"}
    metrics = outlet.client.get("/metrics").text
    assert 'outlet_messages_total{agency="meteorology",outcome="accepted"} 1' in metrics
    assert 'outlet_refusals_total{code="remit-sender"} 1' in metrics
    path = 'route="/v1/agencies/{agency}/messages"'
    assert f'outlet_http_requests_total{{method="POST",{path},status="202"}} 1' in metrics


def test_metrics_are_for_those_who_may_read_them(tmp_path: Path) -> None:
    with outlet_at(tmp_path, tighter(metrics_readers=())) as outlet:
        problem(outlet.client.get("/metrics"), "forbidden", 403)


def test_an_outlet_whose_intake_has_ended_is_not_ready_and_answers_503(outlet: Outlet) -> None:
    outlet.app.worker.close()
    response = outlet.client.get("/readyz")
    assert problem(response, "unavailable", 503)["checks"]["intake"] != "ok"
    refused = outlet.post(cap("m-1"))
    problem(refused, "unavailable", 503)
    assert int(refused.headers["retry-after"]) >= 1


def test_a_sender_that_goes_away_before_the_answer_harms_nobody(outlet: Outlet) -> None:
    content = cap("m-1")
    head = (
        f"POST /v1/agencies/meteorology/messages HTTP/1.1\r\nHost: x\r\nX-Api-Key: {outlet.key()}\r\n"
        f"Content-Type: text/xml\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    for sent in (content, content[:100]):
        with socket.create_connection((outlet.at.host, outlet.at.port), timeout=10) as connection:
            connection.sendall(head.encode() + sent)
    receipts_of(outlet.post(cap("m-2")))
    outlet.wait_for_topic(MessageAccepted.TOPIC)
