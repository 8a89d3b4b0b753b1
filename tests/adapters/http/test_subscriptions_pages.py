"""The subscribers' pages: without a script, in two languages, and no GET or HEAD changes anything."""

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from pathlib import Path
from string import Formatter
from uuid import uuid4

import httpx
import pytest

from adapters.http.subscriptions.pages import FOLDER
from adapters.http.subscriptions.words import WORDS
from domain.levels import Level
from domain.notices import Purpose
from tests.adapters.http.outlets import problem
from tests.adapters.http.subscribing import Counter, counter_at, text_of
from tests.adapters.subscriptions.office import MAIL, PHONE

ENGLISH = {"Accept-Language": "fr;q=0.9, en;q=0.8, zh;q=0.1"}
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
FORM = {"areas": ["330604", "330683"], "hazards": ["11B03"], "level_min": "orange", "language": "en"}


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with counter_at(tmp_path / "data") as opened:
        yield opened


def every_page(counter: Counter) -> dict[str, str]:
    """Every address that shows a page, by what it shows."""
    waiting = counter.asked(telephone="", email=MAIL)
    number, own = counter.subscribed()
    second = counter.asked(areas=["330683"])
    second_token = counter.office.token(second)
    counter.confirm(second)
    links = counter.office.links
    return {
        "form": "/subscribe",
        "confirm": f"/s/{counter.office.token(waiting)}",
        "own": own,
        "second": f"/s/{second_token}",
        "altered": f"/s/{second_token[:-1]}!",
        "another purpose": f"/s/{links.token(Purpose.CALL_UP, uuid4(), number)}",
        "nobody's": f"/s/{links.token(Purpose.SUBSCRIPTION, uuid4(), 4711)}",
        "leave": counter.unsubscribe_path(number),
        "leave waiting": counter.unsubscribe_path(counter.office.number_of(waiting)),
        "leave nothing": counter.unsubscribe_path(4711),
        "leave altered": "/u/AAAA",
    }


def test_no_get_and_no_head_changes_anything(counter: Counter) -> None:
    pages = every_page(counter)
    before = counter.everything()
    for path in pages.values():
        for method in ("GET", "HEAD"):
            for query in ("", "?lang=en&said=confirmed&do=confirm&List-Unsubscribe=One-Click"):
                answer = counter.client.request(method, path + query)
                assert answer.status_code in {200, 303, 404}, (method, path)
                if method == "HEAD":
                    assert answer.content == b""
    assert counter.everything() == before


def test_every_page_has_a_strict_policy_no_script_and_no_cookie_and_keeps_its_address_to_itself(
    counter: Counter,
) -> None:
    for name, path in every_page(counter).items():
        answer = counter.client.get(path, follow_redirects=True)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; "), name
        assert "unsafe" not in policy
        assert "script-src" not in policy
        [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        assert not re.search(r"<script|\son\w+=|style=|javascript:|https?://", answer.text), name


@pytest.mark.parametrize(
    ("headers", "query", "tag"),
    [(ENGLISH, "", "en"), (CHINESE, "", "zh-CN"), ({}, "", "zh-CN"), (ENGLISH, "?lang=zh", "zh-CN")],
)
def test_a_page_is_in_the_language_that_is_asked_for(
    counter: Counter, headers: dict[str, str], query: str, tag: str
) -> None:
    page = counter.client.get(f"/subscribe{query}", headers=headers)
    assert f'<html lang="{tag}">' in page.text
    assert WORDS["en" if tag == "en" else "zh"]["subscribe_lead"] in text_of(page)


def test_both_languages_say_everything() -> None:
    assert WORDS["zh"].keys() == WORDS["en"].keys()
    used = {name for path in FOLDER.glob("*.html") for name in re.findall(r"\bt\.(\w+)", path.read_text("utf-8"))}
    assert used <= WORDS["zh"].keys()
    assert all(not any(field for _, field, _, _ in Formatter().parse(word)) for word in WORDS["en"].values())


def form_in(page: httpx.Response) -> str:
    """Where the first form of a page posts to."""
    found = re.search(r'<form method="post"(?: action="([^"]+)")?', page.text)
    assert found is not None
    return unescape(found[1] or "")


def test_somebody_subscribes_by_the_pages_alone(counter: Counter) -> None:
    action = form_in(counter.client.get("/subscribe?lang=en"))
    sent = counter.client.post(action, data={**FORM, "telephone": PHONE, "email": "", "radius_km": ""})
    assert sent.status_code == 202
    assert WORDS["en"]["sent_lead"] in text_of(sent)
    [notice] = counter.office.notices()
    right = counter.office.code(notice.subject)
    wrong = counter.client.post(form_in(sent), data={"code": "x"})
    assert wrong.status_code == 403
    assert WORDS["en"]["wrong_code"] in text_of(wrong)
    confirmed = counter.client.post(form_in(wrong), data={"code": f" {right} "}, follow_redirects=True)
    assert confirmed.status_code == 200
    assert WORDS["en"]["confirmed"] in text_of(confirmed)
    assert "上虞区, 嵊州市" in text_of(confirmed)
    [number] = counter.office.everyone()
    subscriber = counter.office.desk.subscriber(number)
    assert subscriber is not None
    assert (subscriber.areas, subscriber.level_min) == (("330604", "330683"), Level.ORANGE)
    assert PHONE not in confirmed.text


def test_the_link_shows_what_was_asked_and_its_button_confirms(counter: Counter) -> None:
    identifier = counter.asked()
    path = f"/s/{counter.office.token(identifier)}"
    page = counter.client.get(path, headers=CHINESE)
    assert WORDS["zh"]["confirm_lead"] in text_of(page)
    assert "上虞区" in text_of(page)
    assert counter.office.everyone() == []
    done = counter.client.post(path, data={"do": "confirm"}, follow_redirects=True, headers=CHINESE)
    assert WORDS["zh"]["confirmed"] in text_of(done)
    assert counter.office.everyone() == [counter.office.number_of(identifier)]
    again = counter.client.post(path, data={"do": "confirm"}, follow_redirects=True, headers=CHINESE)
    assert again.status_code == 200


def test_the_link_of_a_request_outlives_it_as_the_subscribers_own_page(counter: Counter) -> None:
    identifier = counter.asked()
    path = f"/s/{counter.office.token(identifier)}"
    counter.confirm(identifier)
    counter.office.later(days=400)
    counter.office.desk.sweep(counter.office.now)
    assert WORDS["zh"]["manage_lead"] in text_of(counter.client.get(path))


def test_on_their_own_page_a_subscriber_changes_what_they_are_told_of(counter: Counter) -> None:
    number, path = counter.subscribed()
    changed = counter.client.post(
        path, data={"do": "change", **FORM, "areas": ["330683", "330604, 330602"]}, follow_redirects=True
    )
    assert changed.status_code == 200
    assert WORDS["zh"]["changed"] in text_of(changed)
    subscriber = counter.office.desk.subscriber(number)
    assert subscriber is not None
    assert subscriber.areas == ("330683", "330604", "330602")
    assert subscriber.level_min is Level.ORANGE
    everywhere = counter.client.post(path, data={"do": "change", "level_min": "red"}, headers=ENGLISH)
    assert everywhere.status_code == 400, "a missing area is an error, never everyone"
    assert counter.office.desk.subscriber(number) == subscriber


def test_on_their_own_page_a_subscriber_leaves(counter: Counter) -> None:
    number, path = counter.subscribed()
    page = counter.client.post(path, data={"do": "end"}, headers=ENGLISH)
    assert page.status_code == 200
    assert WORDS["en"]["ended_lead"] in text_of(page)
    assert counter.office.everyone() == []
    assert counter.office.vault.person(number) is None
    assert counter.client.get(path).status_code == 404
    assert counter.client.post(path, data={"do": "end"}).status_code == 404
    assert counter.client.post(path, data={"do": "change", **FORM}).status_code == 404


def test_a_button_that_is_not_there_and_a_link_that_is_not_ours_do_nothing(counter: Counter) -> None:
    number, path = counter.subscribed()
    before = counter.everything()
    problem(counter.client.post(path, data={"do": "everything"}), "bad-request", 400)
    assert counter.client.post(path, json={"do": "end"}).status_code == 404
    assert counter.client.post(f"{path[:-1]}!", data={"do": "end"}).status_code == 404
    other = counter.office.links.token(Purpose.SUBSCRIPTION, counter.office.notices()[0].subject, number + 1)
    assert counter.client.post(f"/s/{other}", data={"do": "confirm"}).status_code == 404
    assert counter.everything() == before


def test_a_link_to_one_request_does_not_confirm_another(counter: Counter) -> None:
    mine, theirs = counter.asked(), counter.asked(telephone="+8613800000079")
    crossed = counter.office.links.token(Purpose.SUBSCRIPTION, theirs, counter.office.number_of(mine))
    assert counter.client.post(f"/s/{crossed}", data={"do": "confirm"}).status_code == 404
    assert counter.office.everyone() == []


def test_the_page_of_a_mail_says_what_its_button_does_and_the_button_does_it(counter: Counter) -> None:
    number, _ = counter.subscribed(telephone="", email=MAIL)
    path = counter.unsubscribe_path(number)
    page = counter.client.get(path, headers=ENGLISH)
    assert WORDS["en"]["end_lead"] in text_of(page)
    [(name, value)] = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)">', page.text)
    done = counter.client.post(path, data={name: value}, headers=ENGLISH)
    assert WORDS["en"]["ended_lead"] in text_of(done)
    assert WORDS["en"]["nothing_lead"] in text_of(counter.client.get(path, headers=ENGLISH))


def test_what_is_wrong_with_a_form_is_told_on_it_and_what_was_chosen_stays(counter: Counter) -> None:
    page = counter.client.post(
        "/v1/subscriptions?lang=zh", data={"telephone": "12", "areas": ["330604", '"><b>x'], "level_min": "orange"}
    )
    assert page.status_code == 400
    assert "本地范围" in text_of(page)
    assert '<input type="checkbox" name="areas" value="330604" checked>' in page.text
    assert '<option value="orange" selected>' in page.text
    assert "<b>x" not in page.text
    assert "&lt;b&gt;x" in page.text
    nothing = counter.client.post("/v1/subscriptions?lang=en", data={"telephone": PHONE})
    assert nothing.status_code == 400
    assert "nobody is told of everywhere" in text_of(nothing)


def test_who_asks_too_often_by_the_form_is_told_so_on_it(counter: Counter) -> None:
    form = {**FORM, "telephone": PHONE}
    answers = [counter.client.post("/v1/subscriptions?lang=en", data=form) for _ in range(4)]
    assert [one.status_code for one in answers] == [202, 202, 202, 429]
    assert WORDS["en"]["too_many"] in text_of(answers[-1])
    assert int(answers[-1].headers["retry-after"]) > 0
