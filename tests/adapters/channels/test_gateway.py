"""The HTTP gateway channel against a real gateway on loopback that behaves, and against many that do not."""

import asyncio
import hmac
import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from adapters.channels.port import Accepted, Later, Outcome, Refused
from adapters.net.client import Reach
from domain.messages import Mode
from domain.recipients import ChannelKind
from tests.adapters.channels.gateway_house import (
    NOW,
    NUMBER,
    SECRET,
    TEXT,
    accepts,
    base_of,
    letter,
    opened,
    repeated,
    route,
    run,
    said,
    sent,
    until,
    worded,
)
from tests.adapters.webhooks.receivers import Reply, Taken, receiving


def test_a_letter_arrives_with_its_id_and_is_named_by_the_gateways_reference(tmp_path: Path) -> None:
    with receiving(accepts) as gateway:
        [outcome] = sent(route(tmp_path, base_of(gateway)), letter(expires=NOW + timedelta(hours=3)))
    assert outcome == Accepted("gw-7-1")
    [taken] = gateway.taken
    assert taken.path == "/messages"
    assert taken.headers["idempotency-key"] == "7-1"
    assert taken.headers["content-type"] == "application/json; charset=utf-8"
    assert taken.document == {
        "id": "7-1",
        "to": NUMBER,
        "text": TEXT.sms,
        "sender": "绍兴发布",
        "language": "zh-CN",
        "level": "red",
        "mode": "live",
        "expires": "2026-09-13T11:00:00+00:00",
        "repeated": False,
    }


def test_a_request_is_signed_over_its_path_time_nonce_and_body(tmp_path: Path) -> None:
    with receiving(accepts) as gateway:
        sent(route(tmp_path, base_of(gateway) + "/api"), letter(1), letter(2))
    for taken in gateway.taken:
        digest = sha256(taken.body).hexdigest()
        lines = ("POST", "/api/messages", taken.headers["x-timestamp"], taken.headers["x-nonce"], digest)
        due = hmac.new(SECRET.encode(), "\n".join(lines).encode(), sha256).hexdigest()
        assert taken.headers["x-signature"] == due
        assert taken.headers["x-key-id"] == "outlet"
        assert taken.headers["x-timestamp"] == str(int(NOW.timestamp()))
    assert gateway.taken[0].headers["x-nonce"] != gateway.taken[1].headers["x-nonce"]


def test_a_repetition_has_the_same_id_and_says_that_it_is_one(tmp_path: Path) -> None:
    with receiving(accepts) as gateway:
        sent(route(tmp_path, base_of(gateway)), letter(), repeated(letter()))
    assert [one.document["repeated"] for one in gateway.taken] == [False, True]
    assert {one.headers["idempotency-key"] for one in gateway.taken} == {"7-1"}


@pytest.mark.parametrize(
    ("form", "written"), [("plus", "+8613800000001"), ("digits", "8613800000001"), ("national", "13800000001")]
)
def test_a_number_is_written_as_the_gateway_wants_it(tmp_path: Path, form: str, written: str) -> None:
    with receiving(accepts) as gateway:
        sent(route(tmp_path, base_of(gateway), number_form=form), letter())
    assert gateway.taken[0].document["to"] == written


def test_letters_one_after_the_other_go_over_one_connection(tmp_path: Path) -> None:
    with receiving(accepts) as gateway:
        outcomes = sent(route(tmp_path, base_of(gateway)), *(letter(number) for number in range(1, 21)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert gateway.connections == 1


def test_a_voice_route_is_the_same_over_another_kind(tmp_path: Path) -> None:
    with receiving(accepts) as gateway:
        channel = route(tmp_path, base_of(gateway), serves="voice", text={"one_line": True, "without_signature": True})
        assert channel.kind is ChannelKind.VOICE
        sent(channel, letter())
    assert gateway.taken[0].document["text"] == "上虞区暴雨红色预警，请立即转移避险。"


def answering(reply: Reply) -> Callable[[Taken, int], Reply]:
    return lambda _taken, _count: reply


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (said(status="duplicate", id="gw-9"), Accepted("gw-9")),
        (said(status="accepted"), Accepted("")),
        (said(status="accepted", id=12345), Accepted("12345")),
        (Reply(200, {"content-type": "text/html"}, b'{"status": "accepted", "id": "a"}'), Accepted("a")),
        (Reply(200, JSON, b'\xef\xbb\xbf{"status": "accepted", "id": "a"}'), Accepted("a")),
        (Reply(429, {"retry-after": "17"}), Later("the gateway answered 429", 17.0, is_route_down=True)),
        (
            Reply(429, {"retry-after": "Sun, 13 Sep 2026 08:00:40 GMT"}),
            Later("the gateway answered 429", 40.0, is_route_down=True),
        ),
        (Reply(429, {"retry-after": "999999"}), Later("the gateway answered 429", 3600.0, is_route_down=True)),
        (Reply(503), Later("the gateway answered 503", is_route_down=True)),
        (said(status="busy"), Later("the gateway answered 200 busy", is_route_down=True)),
        (
            said(status="suspended", reason="no balance"),
            Later("the gateway answered 200 suspended: no balance", is_route_down=True),
        ),
        (said(status="later"), Later("the gateway answered 200 later")),
        (Reply(500, JSON, b'{"status": "later"}'), Later("the gateway answered 500 later")),
        (Reply(500), Later("the gateway answered 500", in_doubt=True)),
        (Reply(502, {}, b"<html>bad gateway"), Later("the gateway answered 502", in_doubt=True)),
        (Reply(401), Later("the gateway answered 401", is_route_down=True)),
        (Reply(404), Later("the gateway answered 404", is_route_down=True)),
        (
            Reply(302, {"location": "http://127.0.0.1:1/elsewhere"}),
            Later("the gateway answered 302", is_route_down=True),
        ),
        (Reply(408), Later("the gateway answered 408")),
        (said(status="refused", reason="spam"), Refused("the gateway answered 200 refused: spam")),
        (Reply(400), Refused("the gateway answered 400")),
        (said(status="unknown-number"), Refused("the gateway answered 200 unknown-number", address_is_dead=True)),
        (said(status="queued?"), Later("the gateway answered 200 queued?, and nothing that is known", in_doubt=True)),
        (
            Reply(200, JSON, b'{"status": '),
            Later("the gateway answered 200, and nothing that is known", in_doubt=True),
        ),
        (
            Reply(200, JSON, b"[" * 100_000),
            Later("the gateway answered 200, and nothing that is known", in_doubt=True),
        ),
        (Reply(200), Later("the gateway answered 200, and nothing that is known", in_doubt=True)),
        (Reply(204), Later("the gateway answered 204, and nothing that is known", in_doubt=True)),
    ],
)
def test_an_answer_means_what_the_profile_and_the_status_say(tmp_path: Path, reply: Reply, outcome: Outcome) -> None:
    with receiving(answering(reply)) as gateway:
        [found] = sent(route(tmp_path, base_of(gateway)), letter())
    assert found == outcome
    assert len(gateway.taken) == 1, "no redirect is followed, and nothing is sent twice"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(closes=True), "the connection broke before the answer was whole"),
        (Reply(raw=b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"), "the connection broke"),
        (Reply(raw=b"220 smtp.example ready\r\n"), "no HTTP"),
        (Reply(200, JSON, b" " * 1_100_000), "larger than"),
        (Reply(200, JSON, b"{}", hangs_seconds=30.0), "no answer within"),
    ],
)
def test_a_letter_that_was_sent_and_not_answered_is_in_doubt(tmp_path: Path, reply: Reply, reason: str) -> None:
    with receiving(answering(reply)) as gateway:
        channel = route(tmp_path, base_of(gateway), connect_seconds=0.3, answer_seconds=0.5)
        [found] = sent(channel, letter())
    assert isinstance(found, Later)
    assert reason in found.reason
    assert found.in_doubt
    assert not found.is_route_down


def test_a_gateway_that_hangs_up_before_it_has_read_leaves_the_letter_in_doubt(tmp_path: Path) -> None:
    """Nobody can tell what it has read."""

    async def play() -> Outcome:
        async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, opened(route(tmp_path, f"http://127.0.0.1:{port}")) as channel:
            return await channel.send(letter())

    found = run(play())
    assert isinstance(found, Later)
    assert found.in_doubt


def test_where_nobody_listens_nothing_is_in_doubt_and_the_route_is_down(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        [found] = sent(route(tmp_path, f"http://127.0.0.1:{taken.getsockname()[1]}"), letter())
    assert isinstance(found, Later)
    assert found.is_route_down
    assert not found.in_doubt


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://127.0.0.1:9", "http://nowhere.invalid"])
def test_a_gateway_in_a_network_that_is_not_allowed_is_not_asked(tmp_path: Path, url: str) -> None:
    [found] = sent(route(tmp_path, url, reach=Reach()), letter())
    assert isinstance(found, Later)
    assert found.is_route_down
    assert not found.in_doubt


def test_a_server_that_accepts_and_never_shakes_hands_is_given_up_within_the_time_for_connecting(
    tmp_path: Path,
) -> None:
    async def play() -> Outcome:
        async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        channel = route(tmp_path, f"https://127.0.0.1:{port}", connect_seconds=0.3)
        async with server, opened(channel):
            return await channel.send(letter())

    found = run(play())
    assert found == Later(found.reason, is_route_down=True)
    assert "not connected within 0.3 seconds" in found.reason


def test_the_gateways_words_are_kept_without_the_number_that_it_repeats(tmp_path: Path) -> None:
    words = f"no such {NUMBER} or 13800000001 or 138-0000-0001\u202e, sorry" + "!" * 500
    with receiving(answering(said(status="refused", reason=words[:190]))) as gateway:
        [found] = sent(route(tmp_path, base_of(gateway)), letter())
    assert isinstance(found, Refused)
    assert not any(part in found.reason for part in ("13800000001", "0000-0001", "\u202e"))
    assert len(found.reason) < 250


def test_what_cannot_go_out_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with receiving(accepts) as gateway:
        channel = route(tmp_path, base_of(gateway), text={"longest": 40})
        outcomes = sent(
            channel,
            letter(address="somebody"),
            letter(address=""),
            letter(mode=Mode.DRILL),
            letter(text=worded("   ")),
            letter(text=worded("长" * 41)),
            letter(expires=NOW),
        )
    assert gateway.taken == []
    assert outcomes == [
        Refused("not a number in E.164", address_is_dead=True),
        Refused("not a number in E.164", address_is_dead=True),
        Refused("city is a route for live, and this is drill"),
        Refused("a message without words"),
        Refused("41 characters, and 40 are the most"),
        Later("its content has expired"),
    ]


def test_a_text_that_is_too_long_goes_out_in_its_short_form_and_is_never_cut(tmp_path: Path) -> None:
    with receiving(accepts) as gateway:
        channel = route(tmp_path, base_of(gateway), text={"longest": 40})
        sent(channel, letter(text=worded("长" * 41, short="短，见 https://w.example/1")))
        sent(
            route(tmp_path / "parts", base_of(gateway), text={"most_parts": 1}),
            letter(text=worded("长" * 71, short="短")),
        )
    assert [one.document["text"] for one in gateway.taken] == ["短，见 https://w.example/1", "短"]


def test_words_of_a_letter_cannot_become_places_or_json(tmp_path: Path) -> None:
    nasty = 'a{recipient}"}, "to": "+1{{x}} {link}\\u0041'
    with receiving(accepts) as gateway:
        sent(route(tmp_path, base_of(gateway)), letter(text=worded(nasty)))
    assert gateway.taken[0].document["text"] == nasty
    assert gateway.taken[0].document["to"] == NUMBER


def test_closing_waits_for_the_answer_that_is_due_and_takes_nothing_more(tmp_path: Path) -> None:
    async def play() -> tuple[Outcome, Outcome]:
        with receiving(lambda taken, _count: replace(accepts(taken, 0), hangs_seconds=0.4)) as gateway:
            channel = route(tmp_path, base_of(gateway))
            await channel.open()
            sending = asyncio.create_task(channel.send(letter()))
            await until(lambda: len(gateway.taken) == 1)
            await channel.close()
            assert sending.done()
            return await sending, await channel.send(letter(2))

    first, second = run(play())
    assert first == Accepted("gw-7-1")
    assert second == Later("the route is closing", is_route_down=True)


def test_a_hand_over_may_be_broken_off_and_the_channel_is_closed_all_the_same(tmp_path: Path) -> None:
    async def play() -> None:
        with receiving(answering(Reply(200, hangs_seconds=20.0))) as gateway:
            channel = route(tmp_path, base_of(gateway), answer_seconds=30.0)
            await channel.open()
            sending = asyncio.create_task(channel.send(letter()))
            await until(lambda: len(gateway.taken) == 1)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            await channel.close()
            assert [came async for came in channel.receipts()] == []

    run(play())


def test_what_is_written_to_the_log_and_shown_of_a_route_holds_no_secret(tmp_path: Path) -> None:
    channel = route(tmp_path, "http://127.0.0.1:9")
    sent(channel)
    assert SECRET not in repr(channel._parts)


FORM = """
name = "form"
settings = ["account"]
[signing]
scheme = "bearer"
header = "x-api-key"
prefix = ""
[request]
path = "/{account}/send"
body = "form"
[request.query]
v = "1 {level}"
[request.fields]
phone = "{recipient}"
msg = "{text}"
out = "{id}"
ttl = "{expires_seconds}"
again = "{repeated}"
"""


def test_a_gateway_that_wants_a_form_and_a_key_gets_them_and_a_status_alone_is_an_answer(tmp_path: Path) -> None:
    tmp_path.joinpath("form.toml").write_text(FORM, encoding="utf-8")
    with receiving(answering(Reply(201, {}, b"OK"))) as gateway:
        channel = route(tmp_path, base_of(gateway), profile="form.toml", settings={"account": "a/b"})
        outcomes = sent(channel, letter(text=worded("a b&c=中"), expires=NOW + timedelta(seconds=90)))
    assert outcomes == [Accepted("7-1")], "without a reference of the gateway's, its reports name our id"
    [taken] = gateway.taken
    assert taken.path == "/a%2Fb/send?v=1%20red"
    assert taken.headers["x-api-key"] == SECRET
    assert taken.body == b"phone=%2B8613800000001&msg=a%20b%26c%3D%E4%B8%AD&out=7-1&ttl=90&again=false"


def test_a_json_body_is_whole_whatever_the_words_are(tmp_path: Path) -> None:
    with receiving(accepts) as gateway:
        sent(route(tmp_path, base_of(gateway)), letter(text=worded("雨🌧 \U00020000 é\t\x00\u202e end")))
    assert json.loads(gateway.taken[0].body)["text"] == "雨🌧 \U00020000 é  end"


def test_a_gateway_in_the_old_way_is_asked_by_a_query_without_a_body(tmp_path: Path) -> None:
    profile = """
name = "old"
[request]
method = "POST"
path = "/"
body = "none"
[request.query]
m = "{recipient}"
c = "{text}"
{answer}
"""
    (tmp_path / "old.toml").write_text(profile.replace("{answer}", "[answer]\nrefused_statuses = [406]"))
    with receiving(lambda _taken, count: Reply(200 if count else 406)) as gateway:
        outcomes = sent(route(tmp_path, base_of(gateway), profile="old.toml"), letter(), letter())
    assert outcomes == [Refused("the gateway answered 406"), Accepted("7-1")]
    assert gateway.taken[0].path.startswith("/?m=%2B8613800000001&c=%E3%80%90")
    assert gateway.taken[0].body == b""
    assert "x-signature" not in gateway.taken[0].headers


def test_words_that_make_an_address_too_long_are_refused_and_not_tried_for_ever(tmp_path: Path) -> None:
    (tmp_path / "old.toml").write_text(
        'name = "old"\n[request]\nbody = "none"\n[request.query]\nm = "{recipient}"\nc = "{text}"\n'
    )
    with receiving(accepts) as gateway:
        [found] = sent(route(tmp_path, base_of(gateway), profile="old.toml"), letter(text=worded("长" * 500)))
    assert isinstance(found, Refused)
    assert gateway.taken == []
