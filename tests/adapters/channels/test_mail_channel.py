"""The mail channel against real SMTP servers: what it hands over, and what it makes of every answer."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
import uvloop
from aiosmtpd.smtp import SMTP

from adapters.channels.port import Accepted, Channel, Later, Outcome, Refused
from domain.messages import Mode
from tests.adapters.channels.mail_samples import CHINESE, ENGLISH, channel_to, letter, run, sent
from tests.adapters.channels.mail_servers import Mailboxes, serving

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.mark.parametrize("loop_factory", LOOPS)
@pytest.mark.parametrize("pipelining", [True, False])
def test_every_letter_arrives_once_with_its_own_recipient_and_reference(
    tmp_path: Path, pipelining: bool, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    boxes = Mailboxes(pipelining=pipelining)
    people = [f"reader{n}@people.example" for n in range(50)]

    async def work() -> list[Outcome]:
        async with serving(boxes) as port:
            return await sent(channel_to(port, tmp_path), *people)

    outcomes = run(work(), loop_factory)
    assert sorted(boxes.recipients) == sorted(people)
    assert [message["To"] for message in boxes.messages] == boxes.recipients
    assert len({message["Message-ID"] for message in boxes.messages}) == len(people)
    assert {o.reference for o in outcomes if isinstance(o, Accepted)} == {f"Q{n + 1}" for n in range(50)}
    assert boxes.connections == 2


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_refused_recipient_changes_nothing_for_the_others(tmp_path: Path, pipelining: bool) -> None:
    boxes = Mailboxes(pipelining=pipelining)
    boxes.to_rcpt["gone@people.example"] = ["550 5.1.1 <gone@people.example>: no such user gone here"]
    boxes.to_rcpt["policy@people.example"] = ["554 5.7.1 not wanted here"]
    boxes.to_rcpt["grey@people.example"] = ["450 4.2.0 Greylisted, try again later"]
    boxes.to_data["junk@people.example"] = ["554 5.7.1 looks like spam"]
    boxes.to_data["full@people.example"] = ["452 4.3.1 no space"]
    names = ["a", "gone", "b", "policy", "c", "grey", "d", "junk", "e", "full", "f"]

    async def work() -> list[Outcome]:
        async with serving(boxes) as port:
            return await sent(channel_to(port, tmp_path, connections=1), *(f"{name}@people.example" for name in names))

    found = dict(zip(names, run(work()), strict=True))
    assert boxes.recipients == [f"{name}@people.example" for name in "abcdef"]
    assert all(isinstance(found[name], Accepted) for name in "abcdef")
    assert found["gone"] == Refused("RCPT: 550 5.1.1 <(address)>: no such user (address) here", address_is_dead=True)
    assert found["policy"] == Refused("RCPT: 554 5.7.1 not wanted here")
    assert found["junk"] == Refused("the content: 554 5.7.1 looks like spam")
    assert found["full"] == Later("the content: 452 4.3.1 no space")
    assert isinstance(found["grey"], Later)
    assert found["grey"].after_seconds > 0
    assert boxes.connections == 1


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_connection_lost_after_the_content_is_uncertain_and_the_repetition_has_the_same_message_id(
    tmp_path: Path, pipelining: bool
) -> None:
    boxes = Mailboxes(pipelining=pipelining)
    boxes.to_data["reader@people.example"] = ["take and drop"]

    async def work() -> tuple[Outcome, Outcome]:
        async with serving(boxes) as port:
            channel = channel_to(port, tmp_path, connections=1)
            first = await channel.send(letter())
            second = await channel.send(letter())
            await channel.close()
            return first, second

    first, second = run(work())
    assert isinstance(first, Later)
    assert first.in_doubt
    assert not first.is_route_down
    assert isinstance(second, Accepted)
    assert len(boxes.received) == 2
    assert len({message["Message-ID"] for message in boxes.messages}) == 1


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_connection_lost_before_the_content_is_tried_again_on_another_one(tmp_path: Path, pipelining: bool) -> None:
    boxes = Mailboxes(pipelining=pipelining)
    boxes.to_rcpt["reader@people.example"] = ["drop"]

    async def work() -> list[Outcome]:
        async with serving(boxes) as port:
            return await sent(channel_to(port, tmp_path, connections=1), "reader@people.example")

    assert run(work()) == [Accepted("Q1")]
    assert boxes.recipients == ["reader@people.example"]


def test_a_server_that_breaks_every_connection_gets_each_letter_back_to_the_caller(tmp_path: Path) -> None:
    boxes = Mailboxes()
    boxes.to_rcpt["reader@people.example"] = ["drop", "drop"]

    async def work() -> list[Outcome]:
        async with serving(boxes) as port:
            return await sent(channel_to(port, tmp_path, connections=1), "reader@people.example")

    (outcome,) = run(work())
    assert isinstance(outcome, Later)


def test_a_server_that_says_nothing_more_is_given_up(tmp_path: Path) -> None:
    boxes = Mailboxes()
    boxes.to_data["reader@people.example"] = ["silence"]

    async def work() -> list[Outcome]:
        async with serving(boxes) as port:
            channel = channel_to(port, tmp_path, connections=1, timeout_seconds=0.3)
            return await sent(channel, "reader@people.example")

    (outcome,) = run(work())
    assert outcome == Later("no reply within 0.3 s after the content was sent", in_doubt=True)


def test_a_slow_server_gets_everything(tmp_path: Path) -> None:
    boxes = Mailboxes(slow_seconds=0.05)
    people = [f"reader{n}@people.example" for n in range(12)]

    async def work() -> list[Outcome]:
        async with serving(boxes) as port:
            return await sent(channel_to(port, tmp_path), *people)

    assert all(isinstance(outcome, Accepted) for outcome in run(work()))
    assert sorted(boxes.recipients) == sorted(people)


def test_421_takes_the_route_down_for_a_while_and_no_connection_is_tried_meanwhile(tmp_path: Path) -> None:
    boxes = Mailboxes()
    boxes.to_rcpt["reader@people.example"] = ["421 4.3.2 shutting down"]

    async def work() -> tuple[Outcome, Outcome]:
        async with serving(boxes) as port:
            channel = channel_to(port, tmp_path, connections=1)
            outcomes = await channel.send(letter()), await channel.send(letter("other@people.example"))
            await channel.close()
            return outcomes

    first, second = run(work())
    assert first == Later("RCPT: 421 4.3.2 shutting down", is_route_down=True)
    assert isinstance(second, Later)
    assert second.is_route_down
    assert second.after_seconds > 0
    assert boxes.connections == 1


def test_a_server_out_of_reach_is_a_route_that_is_down_for_every_letter_that_waits(tmp_path: Path) -> None:
    async def work() -> list[Outcome]:
        async with serving(Mailboxes()) as port:
            pass
        return await sent(channel_to(port, tmp_path), *(f"reader{n}@people.example" for n in range(5)))

    outcomes = run(work())
    assert all(isinstance(outcome, Later) and outcome.is_route_down for outcome in outcomes)


def test_letters_flow_again_when_the_server_is_back(tmp_path: Path) -> None:
    boxes = Mailboxes()

    async def work() -> Outcome:
        async with serving(boxes) as port:
            channel = channel_to(port, tmp_path)
            await channel.open()
        loop = asyncio.get_running_loop()
        outcome = await channel.send(letter())
        assert isinstance(outcome, Later)
        assert outcome.is_route_down
        listening = await loop.create_server(lambda: SMTP(boxes, hostname="mx.people.example"), "127.0.0.1", port)
        while isinstance(outcome, Later):
            await asyncio.sleep(min(outcome.after_seconds, 1.0))
            outcome = await channel.send(letter())
        await channel.close()
        listening.close()
        return outcome

    assert isinstance(run(work()), Accepted)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def _tls_of(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.mark.parametrize("loop_factory", LOOPS)
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_login_and_letters_go_over_tls(
    tmp_path: Path, authority: trustme.CA, security: str, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    boxes = Mailboxes()
    (tmp_path / "password").write_text("right\n", encoding="utf-8")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    async def work() -> list[Outcome]:
        tls = _tls_of(authority)
        wrapped = {"tls": tls} if security == "tls" else {"starttls": tls}
        async with serving(boxes, login=True, **wrapped) as port:
            channel = channel_to(
                port,
                tmp_path,
                host="localhost",
                security=security,
                ca_file="ca.pem",
                username="outlet",
                password_file="password",
            )
            return await sent(channel, "a@people.example", "b@people.example", "c@people.example")

    assert all(isinstance(outcome, Accepted) for outcome in run(work(), loop_factory))
    assert boxes.logins == [b"outlet", b"outlet"]
    assert len(boxes.received) == 3


@pytest.mark.parametrize("defect", ["password", "authority", "name", "no starttls"])
def test_nothing_is_sent_where_the_server_is_not_the_right_one_or_does_not_let_us_in(
    tmp_path: Path, authority: trustme.CA, defect: str
) -> None:
    boxes = Mailboxes()
    (tmp_path / "password").write_text("wrong" if defect == "password" else "right", encoding="utf-8")
    (trustme.CA() if defect == "authority" else authority).cert_pem.write_to_path(tmp_path / "ca.pem")

    async def work() -> list[Outcome]:
        tls = None if defect == "no starttls" else _tls_of(authority, "other" if defect == "name" else "localhost")
        async with serving(boxes, starttls=tls, login=tls is not None) as port:
            channel = channel_to(
                port,
                tmp_path,
                host="localhost",
                security="starttls",
                ca_file="ca.pem",
                username="outlet",
                password_file="password",
            )
            return await sent(channel, "a@people.example")

    (outcome,) = run(work())
    assert isinstance(outcome, Later)
    assert outcome.is_route_down
    assert boxes.received == []


def test_an_international_address_goes_out_where_the_server_takes_it(tmp_path: Path) -> None:
    boxes = Mailboxes()

    async def work() -> list[Outcome]:
        async with serving(boxes) as port:
            return await sent(channel_to(port, tmp_path), "张三@例子.中国", "reader@例子.中国")

    assert all(isinstance(outcome, Accepted) for outcome in run(work()))
    assert set(boxes.recipients) == {"张三@xn--fsqu00a.xn--fiqs8s", "reader@xn--fsqu00a.xn--fiqs8s"}


def test_closing_finishes_what_is_under_way_and_takes_nothing_more(tmp_path: Path) -> None:
    boxes = Mailboxes(slow_seconds=0.05)

    async def work() -> tuple[list[Outcome], Outcome, list[object]]:
        async with serving(boxes) as port:
            channel = channel_to(port, tmp_path)
            await channel.open()
            letters = [letter(f"reader{n}@people.example", id_=f"letter-{n}") for n in range(6)]
            tasks = [asyncio.create_task(channel.send(one)) for one in letters]
            await asyncio.sleep(0.01)
            await channel.close()
            late = await channel.send(letter("late@people.example"))
            return [task.result() for task in tasks], late, [receipt async for receipt in channel.receipts()]

    outcomes, late, receipts = run(work())
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert isinstance(late, Later)
    assert receipts == []
    assert "late@people.example" not in boxes.recipients


def test_a_letter_nobody_waits_for_any_more_is_not_begun(tmp_path: Path) -> None:
    boxes = Mailboxes(slow_seconds=0.1)

    async def work() -> None:
        async with serving(boxes) as port:
            channel = channel_to(port, tmp_path, connections=1, pipelining=False)
            await channel.open()
            tasks = [asyncio.create_task(channel.send(letter(f"{name}@people.example"))) for name in "abc"]
            await asyncio.sleep(0.02)
            tasks[1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await channel.close()

    run(work())
    assert boxes.recipients == ["a@people.example", "c@people.example"]


def test_a_drill_never_leaves_by_a_live_route_nor_a_live_letter_by_a_drills(tmp_path: Path) -> None:
    boxes = Mailboxes()

    async def work() -> list[Outcome]:
        async with serving(boxes) as port:
            live, drill = channel_to(port, tmp_path), channel_to(port, tmp_path, mode="drill")
            outcomes = [await live.send(letter(mode=Mode.DRILL)), await drill.send(letter(mode=Mode.LIVE))]
            await asyncio.gather(live.close(), drill.close())
            return outcomes

    assert all(isinstance(outcome, Refused) and not outcome.address_is_dead for outcome in run(work()))
    assert boxes.received == []


def test_what_is_no_address_is_refused_without_asking_the_server(tmp_path: Path) -> None:
    boxes = Mailboxes()
    bad = ["", "reader", "a@b@c.example", "a b@people.example", "a@people.example>\r\nRCPT TO:<b@people.example"]

    async def work() -> list[Outcome]:
        async with serving(boxes) as port:
            return await sent(channel_to(port, tmp_path), *bad)

    assert run(work()) == [Refused("not a mail address", address_is_dead=True)] * len(bad)
    assert boxes.received == []


def test_it_is_a_channel(tmp_path: Path) -> None:
    channel: Channel = channel_to(25, tmp_path, connections=8)
    assert (channel.name, channel.kind.value, channel.window) == ("mail", "email", 32)


def test_both_languages_arrive_as_they_were_written(tmp_path: Path) -> None:
    boxes = Mailboxes()

    async def work() -> None:
        async with serving(boxes) as port:
            channel = channel_to(port, tmp_path)
            for text in (CHINESE, ENGLISH):
                await channel.send(letter(text=text))
            await channel.close()

    run(work())
    for message, text in zip(boxes.messages, (CHINESE, ENGLISH), strict=True):
        plain = message.get_body(("plain",))
        assert plain is not None
        assert plain.get_content().replace("\r\n", "\n") == text.body
        assert message["Subject"] == text.subject
