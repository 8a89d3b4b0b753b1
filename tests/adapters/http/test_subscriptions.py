"""Subscribing over a real server: nobody is subscribed by others, nobody learns who is, and leaving takes one click."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from adapters.clocks import ManualClock
from adapters.http.settings import Rate
from domain.ports import LogUnavailableError
from domain.recipients import ChannelKind
from domain.telling_events import SubscriptionEnded
from tests.adapters.http.outlets import problem
from tests.adapters.http.subscribing import ASKED, Counter, counter_at
from tests.adapters.sending.house import Town, until
from tests.adapters.subscriptions.office import MAIL, PHONE, SMS, office_in, wanted
from tests.conftest import PROJECT
from tests.streams.messages import START

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
COASTS = str(PROJECT / "docs" / "examples" / "three-coasts" / "policy.toml")


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with counter_at(tmp_path / "data") as opened:
        yield opened


def codes(response: httpx.Response) -> dict[str, str]:
    """The codes of what was found, by path."""
    return {one["path"]: one["code"] for one in problem(response, "bad-request", 400)["findings"]}


def test_a_subscription_is_asked_for_confirmed_by_its_code_and_told_of(counter: Counter) -> None:
    answer = counter.ask()
    assert answer.status_code == 202
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"id", "expires"}
    identifier = answer.json()["id"]
    [notice] = counter.office.notices()
    assert str(notice.subject) == identifier
    assert notice.expires.isoformat() == answer.json()["expires"]
    [text] = [one.text for one in notice.notices]
    assert text.sms.startswith("【绍兴发布】")
    assert "{code}" in text.sms
    assert "{link}" in text.sms
    confirmed = counter.confirm(notice.subject)
    assert confirmed.status_code == 200
    assert confirmed.json()["state"] == "confirmed"
    number = counter.office.number_of(notice.subject)
    assert counter.office.everyone() == [number]
    assert counter.confirm(notice.subject).json() == confirmed.json()


def test_the_answer_is_the_same_for_who_subscribes_already(counter: Counter) -> None:
    counter.subscribed()
    known, unknown = counter.ask(), counter.ask(telephone="+8613800000077")
    assert (known.status_code, unknown.status_code) == (202, 202)
    assert set(known.json()) == set(unknown.json())
    assert known.json()["expires"] == unknown.json()["expires"]
    varying = {"x-request-id", "date"}
    headers = [{name: value for name, value in one.headers.items() if name not in varying} for one in (known, unknown)]
    assert headers[0] == headers[1]


def test_a_wrong_code_is_told_as_such_and_the_sixth_attempt_finds_nothing(counter: Counter) -> None:
    identifier = counter.asked()
    right = counter.office.code(identifier)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    for _ in range(5):
        assert problem(counter.confirm(identifier, wrong), "forbidden", 403)["code"] == "wrong-code"
    assert problem(counter.confirm(identifier, right), "not-found", 404)["code"] == "no-request"
    assert counter.office.everyone() == []


def test_what_was_never_asked_cannot_be_confirmed(counter: Counter) -> None:
    for identifier in (str(uuid4()), "no-uuid"):
        answer = counter.client.post(f"/v1/subscriptions/{identifier}/confirm", json={"code": "123456"})
        assert problem(answer, "not-found", 404)["code"] == "no-request"


def test_a_missing_area_is_an_error_and_never_everyone(counter: Counter) -> None:
    assert codes(counter.ask(areas=[])) == {"/areas": "no-area"}
    assert codes(counter.client.post("/v1/subscriptions", json={"telephone": PHONE})) == {"/areas": "no-area"}
    assert counter.office.notices() == []


def test_everything_that_is_wrong_is_told_at_once_and_no_contact_is_repeated(counter: Counter) -> None:
    answer = counter.ask(
        telephone="+861380", areas=["330604", "999999"], hazards=["XX"], level_min="purple", language="tlh"
    )
    assert codes(answer) == {
        "/telephone": "value",
        "/areas[2]": "outside",
        "/hazards[1]": "unknown-hazard",
        "/level_min": "unknown-level",
        "/language": "language",
    }
    assert "861380" not in answer.text
    assert counter.office.vault.count() == 0


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ({"email": MAIL}, "/telephone"),
        ({"telephone": ""}, "/telephone"),
        ({"telephone": "", "email": "nobody"}, "/email"),
        ({"telephone": "+8657512345678"}, "/telephone"),  # a landline takes no text messages
        ({"telephone": "+12025550123"}, "/telephone"),  # abroad
        ({"telephon": PHONE}, "/telephon"),
        ({"areas": "330604"}, "/areas"),
        ({"points": [{"latitude": 30}]}, "/points/0/longitude"),
        ({"points": [{"latitude": 30, "longitude": 120.6}]}, "/points"),  # no boundaries are known here
    ],
)
def test_what_cannot_be_meant_is_refused(counter: Counter, words: dict[str, object], path: str) -> None:
    assert path in codes(counter.ask(**words))


def test_bodies_of_other_kinds_are_refused(counter: Counter) -> None:
    post = counter.client.post
    problem(post("/v1/subscriptions", content=b"<a/>", headers={"Content-Type": "text/xml"}), "media-type", 415)
    problem(post("/v1/subscriptions", content=b"{}"), "media-type", 415)
    json = {"Content-Type": "application/json"}
    assert codes(post("/v1/subscriptions", content=b"{", headers=json)) == {"/": "not-json"}
    problem(post("/v1/subscriptions", content=b'{"telephone": "' + b"1" * 70_000, headers=json), "too-large", 413)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    assert post("/v1/subscriptions", content=b"areas=%ff", headers=form).status_code == 400


def test_a_point_is_taken_where_the_outlet_has_boundaries_and_only_within_them(tmp_path: Path) -> None:
    with counter_at(tmp_path / "data", policy=COASTS) as counter:
        district = counter.office.platform.gazetteer.districts()[0]
        [ring, *_] = counter.office.platform.gazetteer.boundary(district.code)
        latitude = sum(point[0] for point in ring[:-1]) / (len(ring) - 1)
        longitude = sum(point[1] for point in ring[:-1]) / (len(ring) - 1)
        inside = {"latitude": latitude, "longitude": longitude, "radius_km": 2}
        words = {"email": MAIL, "telephone": "", "areas": [], "hazards": ["*"]}
        number, _ = counter.subscribed(points=[inside], **words)
        subscriber = counter.office.desk.subscriber(number)
        assert subscriber is not None
        assert (subscriber.circles[0].latitude, subscriber.circles[0].radius_km) == (latitude, 2)
        assert subscriber.language == counter.office.platform.policy.outlet.languages[0]
        outside = counter.ask(points=[inside, {"latitude": -latitude, "longitude": longitude}], **words)
        assert codes(outside) == {"/points[2]": "outside"}
        nowhere = counter.ask(points=[{"latitude": 91, "longitude": 0}], **words)
        assert codes(nowhere) == {"/points[1]": "coordinates"}


def test_a_contact_that_is_asked_for_too_often_is_refused_and_counted(counter: Counter) -> None:
    for _ in range(3):
        assert counter.ask().status_code == 202
    refused = counter.ask()
    assert "too-many-requests" in problem(refused, "too-many-requests", 429)["type"]
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert counter.ask(telephone="+8613800000078").status_code == 202
    assert 'outlet_http_limited_total{by="contact"} 1' in counter.client.get("/metrics").text


def test_an_address_that_asks_faster_than_it_may_is_refused_before_anybody_is_sent_a_code(tmp_path: Path) -> None:
    with counter_at(tmp_path / "data", rate=Rate(per_second=0.001, burst=2)) as counter:
        answers = [counter.ask(telephone=f"+861380000010{place}") for place in range(3)]
        assert [one.status_code for one in answers] == [202, 202, 429]
        assert len(counter.office.notices()) == 2
        assert counter.ask(areas=[]).status_code == 400, "what cannot be used costs nothing"
        assert 'outlet_http_limited_total{by="subscriber"} 1' in counter.client.get("/metrics").text


def test_an_expired_request_is_gone(counter: Counter) -> None:
    identifier = counter.asked()
    code = counter.office.code(identifier)
    counter.office.later(minutes=31)
    problem(counter.confirm(identifier, code), "not-found", 404)


def test_a_mail_program_ends_a_subscription_in_one_click_and_may_click_again(counter: Counter) -> None:
    number, _ = counter.subscribed(telephone="", email=MAIL)
    path = counter.unsubscribe_path(number)
    for _ in range(2):
        assert counter.client.post(path, data=ONE_CLICK).status_code == 200
    assert counter.office.topics().count(SubscriptionEnded.TOPIC) == 1
    assert counter.office.everyone() == []
    assert counter.office.vault.person(number) is None


def test_the_body_of_rfc_8058_may_come_as_multipart(counter: Counter) -> None:
    number, _ = counter.subscribed(telephone="", email=MAIL)
    parts = {"List-Unsubscribe": (None, b"One-Click")}
    assert counter.client.post(counter.unsubscribe_path(number), files=parts).status_code == 200
    assert counter.office.everyone() == []


@pytest.mark.parametrize("body", ["", "List-Unsubscribe=No", "List-Unsubscribe=One-Clicks", "One-Click"])
def test_another_body_ends_nothing(counter: Counter, body: str) -> None:
    number, _ = counter.subscribed()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = counter.client.post(counter.unsubscribe_path(number), content=body, headers=form)
    assert problem(answer, "bad-request", 400)["code"] == "no-one-click"
    assert counter.office.everyone() == [number]


def test_a_request_that_waits_is_dropped_by_the_unsubscribe_link_of_its_mail(counter: Counter) -> None:
    identifier = counter.asked(telephone="", email=MAIL)
    number = counter.office.number_of(identifier)
    assert counter.client.post(counter.unsubscribe_path(number), data=ONE_CLICK).status_code == 200
    problem(counter.confirm(identifier), "not-found", 404)
    assert counter.office.vault.person(number) is None
    assert "notices-withdrawn" in counter.office.topics()


def test_a_token_that_was_not_made_here_is_refused(counter: Counter) -> None:
    number, _ = counter.subscribed()
    token = counter.unsubscribe_path(number)
    altered = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert problem(counter.client.post(altered, data=ONE_CLICK), "not-found", 404)["code"] == "no-such-link"
    assert counter.client.get(altered).status_code == 404
    assert counter.office.everyone() == [number]


def test_a_duty_holder_on_a_roster_does_not_leave_it_by_a_link(tmp_path: Path) -> None:
    town = Town(tmp_path / "data")
    [number] = town.people(1, channels=(ChannelKind.EMAIL, ChannelKind.SMS), address=lambda _: PHONE)
    town.close()
    with counter_at(tmp_path / "data") as counter:
        path, before = counter.unsubscribe_path(number), counter.everything()
        assert problem(counter.client.post(path, data=ONE_CLICK), "forbidden", 403)["code"] == "on-a-roster"
        page = counter.client.post(path, data=ONE_CLICK, headers={"Accept": "text/html"})
        assert page.status_code == 403
        assert "official list" in counter.client.get(path, headers={"Accept-Language": "en"}).text
        assert counter.everything() == before
        assert counter.office.everyone() == [number]


def test_no_contact_reaches_the_log_the_answers_or_the_metrics(counter: Counter) -> None:
    number, path = counter.subscribed()
    answers = [
        counter.client.get(path),
        counter.client.get(counter.unsubscribe_path(number)),
        counter.client.get("/metrics"),
    ]
    texts = [one.text for one in answers] + [one.event.model_dump_json() for one in counter.office.platform.log.read()]
    assert all(PHONE not in text and PHONE[3:] not in text for text in texts)
    assert path.removeprefix("/s/") not in answers[-1].text
    assert counter.office.vault.found([SMS])[SMS] == [number]


def test_a_server_drops_what_expired_while_none_ran(tmp_path: Path) -> None:
    with office_in(tmp_path / "data", clock=ManualClock(START - timedelta(hours=1))) as office:
        office.desk.ask(SMS, wanted(), office.now)
        assert office.vault.count() == 1
    with counter_at(tmp_path / "data") as counter:
        until(lambda: counter.office.vault.count() == 0)


def test_a_log_that_cannot_be_written_is_told_as_such_and_the_request_may_be_made_again(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise LogUnavailableError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(counter.office.platform.runner, "record", unavailable)
        refused = counter.ask()
    assert int(refused.headers["retry-after"]) > 0
    problem(refused, "unavailable", 503)
    assert counter.ask().status_code == 202


def test_confirming_many_requests_of_one_contact_at_once_makes_one_subscription(counter: Counter) -> None:
    asked = [counter.asked(areas=[code]) for code in ("330604", "330683", "330602")]
    codes_sent = [counter.office.code(one) for one in asked]
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(counter.confirm, asked, codes_sent))
    assert [one.status_code for one in answers] == [200] * 3
    [number] = counter.office.everyone()
    assert counter.office.vault.found([SMS]) == {SMS: [number]}


def test_what_was_asked_is_what_is_kept(counter: Counter) -> None:
    number, _ = counter.subscribed(areas=["330604", "330683000000"], language="en")
    subscriber = counter.office.desk.subscriber(number)
    assert subscriber is not None
    assert subscriber.areas == ("330604", "330683")
    assert subscriber.hazards == tuple(ASKED["hazards"])
    assert subscriber.level_min.value == ASKED["level_min"]
    assert (subscriber.language, subscriber.channels) == ("en", (ChannelKind.SMS,))
