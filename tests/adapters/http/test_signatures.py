"""Signed requests: good, altered, stale, replayed, and replayed after a restart. None but the first has an effect."""

import base64
import hmac
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from domain.events import DuplicateArrived, MessageAccepted
from tests.adapters.http.messages import as_json, json_message
from tests.adapters.http.outlets import Outlet, outlet_at, problem, receipts_of, tighter
from tests.streams.messages import START, cap

AGENCY = "meteorology"


class Signer:
    """A partner who signs, written from the specification and not from our code."""

    def __init__(self, outlet: Outlet) -> None:
        self.key = outlet.key(AGENCY)
        issued = outlet.keys.add_signing_secret(AGENCY, outlet.clock.now())
        self.credential = issued.credential
        self.secret = base64.b64decode(issued.secret.removeprefix("whsec_"))

    def headers(self, content: bytes, identifier: str = "msg_1", *, seconds: float = 0) -> dict[str, str]:
        """What is sent beside the body; `seconds` from the tests' start."""
        timestamp = str(int(START.timestamp() + seconds))
        signed = f"{identifier}.{timestamp}.".encode() + content
        signature = base64.b64encode(hmac.new(self.secret, signed, sha256).digest()).decode()
        return {"webhook-id": identifier, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}

    def post(self, outlet: Outlet, content: bytes, headers: dict[str, str]) -> httpx.Response:
        """Send it."""
        return outlet.post(content, agency=AGENCY, key=self.key, headers=headers)


def test_a_signed_request_is_taken_in(outlet: Outlet) -> None:
    signer = Signer(outlet)
    receipts_of(signer.post(outlet, cap("m-1"), signer.headers(cap("m-1"))))


def test_an_agency_that_signs_must_sign_every_request(outlet: Outlet) -> None:
    signer = Signer(outlet)
    headers = signer.headers(cap("m-1"))
    for missing in headers:
        rest = {name: value for name, value in headers.items() if name != missing}
        problem(signer.post(outlet, cap("m-1"), rest), "unsigned", 401)
    assert MessageAccepted.TOPIC not in outlet.topics()


def test_another_agency_need_not_sign(outlet: Outlet) -> None:
    Signer(outlet)
    content = cap("m-1", agency="water", hazard="11A51")
    receipts_of(outlet.post(content, agency="water"))


def test_whatever_is_altered_the_signature_does_not_verify(outlet: Outlet) -> None:
    signer = Signer(outlet)
    content = cap("m-1")
    good = signer.headers(content)
    problem(signer.post(outlet, cap("m-1", level="red"), good), "bad-signature", 401)
    for name, value in {
        "webhook-id": "msg_2",
        "webhook-timestamp": str(int(START.timestamp()) + 1),
        "webhook-signature": "v1," + base64.b64encode(bytes(32)).decode(),
    }.items():
        problem(signer.post(outlet, content, {**good, name: value}), "bad-signature", 401)
    for signature in ("v1,", "v1,!!!", "v2" + good["webhook-signature"][2:], "nonsense", "v1a,AAAA"):
        problem(signer.post(outlet, content, {**good, "webhook-signature": signature}), "bad-signature", 401)
    assert MessageAccepted.TOPIC not in outlet.topics()
    receipts_of(signer.post(outlet, content, good))


def test_one_good_signature_among_several_is_enough(outlet: Outlet) -> None:
    signer = Signer(outlet)
    headers = signer.headers(cap("m-1"))
    headers["webhook-signature"] = "v1a,AAAA v1,AAAA " + headers["webhook-signature"]
    receipts_of(signer.post(outlet, cap("m-1"), headers))


def test_secrets_are_exchanged_without_a_gap(outlet: Outlet) -> None:
    old = Signer(outlet)
    new = Signer(outlet)
    receipts_of(old.post(outlet, cap("m-1"), old.headers(cap("m-1"), "msg_1")))
    receipts_of(new.post(outlet, cap("m-2"), new.headers(cap("m-2"), "msg_2")))
    outlet.keys.disable(old.credential.id, outlet.clock.now())
    problem(old.post(outlet, cap("m-3"), old.headers(cap("m-3"), "msg_3")), "bad-signature", 401)


@pytest.mark.parametrize(("seconds", "is_fresh"), [(-301, False), (-299, True), (299, True), (301, False)])
def test_a_signature_is_fresh_for_five_minutes_on_both_sides(outlet: Outlet, seconds: float, is_fresh: bool) -> None:
    signer = Signer(outlet)
    response = signer.post(outlet, cap("m-1"), signer.headers(cap("m-1"), seconds=seconds))
    if is_fresh:
        receipts_of(response)
    else:
        problem(response, "stale", 401)


@pytest.mark.parametrize("timestamp", ["", "now", "1e9", "-5", "9" * 40, "１６６３０２７２００"])
def test_a_time_that_is_none_is_refused(outlet: Outlet, timestamp: str) -> None:
    signer = Signer(outlet)
    headers = {**signer.headers(cap("m-1")), "webhook-timestamp": timestamp}
    raw = {name.encode(): value.encode() for name, value in headers.items()}
    raw |= {b"x-api-key": signer.key.encode(), b"content-type": b"text/xml"}
    response = outlet.client.post("/v1/agencies/meteorology/messages", content=cap("m-1"), headers=raw)
    assert response.status_code == 401


def test_a_replayed_request_has_no_effect_not_even_after_a_restart(tmp_path: Path) -> None:
    content = cap("m-1")
    with outlet_at(tmp_path) as outlet:
        signer = Signer(outlet)
        headers = signer.headers(content)
        receipts_of(signer.post(outlet, content, headers))
        for _ in range(200):
            problem(signer.post(outlet, content, headers), "replayed", 409)
    with outlet_at(tmp_path) as outlet:
        for _ in range(200):
            problem(signer.post(outlet, content, headers), "replayed", 409)
        assert DuplicateArrived.TOPIC not in outlet.topics()
        assert outlet.topics().count(MessageAccepted.TOPIC) == 1


def test_an_id_is_used_up_by_an_answer_and_not_by_a_request_that_took_nothing(tmp_path: Path) -> None:
    with outlet_at(tmp_path, tighter(max_messages=1)) as outlet:
        signer = Signer(outlet)
        two = as_json(json_message("m-1"), json_message("m-2"))
        response = outlet.post(two, kind="application/json", key=signer.key, headers=signer.headers(two))
        problem(response, "too-large", 413)
        receipts_of(signer.post(outlet, cap("m-3"), signer.headers(cap("m-3"))))
        problem(signer.post(outlet, cap("m-4"), signer.headers(cap("m-4"))), "replayed", 409)


def test_an_id_is_an_agencys_own(outlet: Outlet) -> None:
    signer = Signer(outlet)
    receipts_of(signer.post(outlet, cap("m-1"), signer.headers(cap("m-1"))))
    secret = outlet.keys.add_signing_secret("water", outlet.clock.now()).secret
    signer.secret = base64.b64decode(secret.removeprefix("whsec_"))
    content = cap("m-1", agency="water", hazard="11A51")
    receipts_of(outlet.post(content, agency="water", headers=signer.headers(content)))
