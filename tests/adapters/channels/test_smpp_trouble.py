"""The SMS channel over SMPP when the SMSC is busy, slow, silent, wrong or gone: nothing lost, and little repeated."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from adapters.bench.p9_node import Smsc, smsc
from adapters.channels.port import Accepted, Later, Letter, Refused
from adapters.channels.smpp import SmppChannel
from adapters.channels.smpp_connecting import UnusableFileError, connector_of
from tests.adapters.channels.smpp_routes import (
    LONG,
    channel,
    definition,
    fetched,
    letter,
    need_node,
    run,
    submitted,
    until,
    until_bound,
    with_route,
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Smsc]:
    need_node()
    with smsc(log=str(tmp_path / "log")) as running:
        yield running


async def deliver_all(route: SmppChannel, letters: list[Letter], lanes: int = 50) -> Counter[str]:
    """As a worker does: so many at once, and again what is to come later; how often each was begun in doubt."""
    left = list(reversed(letters))
    doubts: Counter[str] = Counter()

    async def lane() -> None:
        while left:
            one = left.pop()
            outcome = await route.send(one)
            assert not isinstance(outcome, Refused)
            if isinstance(outcome, Later):
                if "no answer" in outcome.reason:
                    doubts[one.id] += 1
                left.append(one)
                await asyncio.sleep(max(0.02, min(outcome.after_seconds, 0.2)))

    await asyncio.gather(*(lane() for _ in range(lanes)))
    return doubts


def test_a_throttled_letter_comes_later_and_the_route_slows_down(server: Smsc, tmp_path: Path) -> None:
    server.tell(perSecond=5)

    async def use(route: SmppChannel) -> None:
        outcomes = await asyncio.gather(*(route.send(letter(number)) for number in range(150)))
        late = [one for one in outcomes if isinstance(one, Later)]
        assert late
        assert all("ESME_RTHROTTLED" in one.reason and not one.is_route_down for one in late)
        assert route._pace.allowed < route.window
        server.tell(perSecond=100)
        await deliver_all(route, [letter(number) for number in range(150, 400)])

    run(with_route(channel(tmp_path, server.port), use))
    taken = [one["to"] for one in submitted(tmp_path / "log") if one["status"] == 0]
    assert len(set(taken)) == len(taken) > 250
    assert {f"86138{number:08d}" for number in range(150, 400)} <= set(taken)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x0B, Refused("submit_sm: ESME_RINVDSTADR", address_is_dead=True)),
        (0x01, Refused("submit_sm: ESME_RINVMSGLEN")),
        (0x08, Later("submit_sm: ESME_RSYSERR", is_route_down=True)),
        (0x0A, Later("submit_sm: ESME_RINVSRCADR", is_route_down=True)),
        (0x45, Later("submit_sm: ESME_RSUBMITFAIL")),
        (0x0411, Later("submit_sm: status 0x00000411")),
        (0x0412, Refused("submit_sm: status 0x00000412")),
        (0x0413, Refused("submit_sm: status 0x00000413", address_is_dead=True)),
    ],
)
def test_a_refusal_says_whether_it_is_about_the_number_the_letter_or_the_route(
    server: Smsc, tmp_path: Path, status: int, expected: Later | Refused
) -> None:
    server.tell(statuses={"8613800000001": status})

    async def use(route: SmppChannel) -> None:
        assert await route.send(letter(1)) == expected
        assert await route.send(letter(2)) == Accepted("m1")

    described = {"refused_statuses": [0x0412], "dead_statuses": [0x0413]}
    run(with_route(channel(tmp_path, server.port, **described), use))


def test_a_letter_without_an_answer_is_in_doubt_and_goes_on_where_it_stopped(server: Smsc, tmp_path: Path) -> None:
    server.tell(swallow=1)

    async def use(route: SmppChannel) -> None:
        outcome = await route.send(letter(1, LONG))
        assert isinstance(outcome, Later)
        assert "no answer" in outcome.reason
        assert isinstance(await route.send(letter(1, LONG)), Accepted)
        [receipt] = await fetched(route, 1)
        assert receipt.state == "delivered"  # type: ignore[union-attr]

    run(with_route(channel(tmp_path, server.port, response_seconds=0.5), use))
    headers = [one["udh"][0] for one in submitted(tmp_path / "log")]
    # Only the part in doubt went twice, under the same number: a telephone takes it for the same part.
    assert Counter(headers).most_common(1)[0][1] == 2
    assert len(headers) == 4
    assert len({header[:8] for header in headers}) == 1


def test_an_answer_that_comes_too_late_still_counts(server: Smsc, tmp_path: Path) -> None:
    server.tell(delayMs=700, receipts="before")

    async def use(route: SmppChannel) -> None:
        assert isinstance(await route.send(letter(1)), Later)
        await until(lambda: bool(route._matching._begun))
        assert await route.send(letter(1)) == Accepted("m1")

    run(with_route(channel(tmp_path, server.port, response_seconds=0.3), use))
    assert len(submitted(tmp_path / "log")) == 1


def test_other_words_of_the_same_letter_are_sent_in_full(server: Smsc, tmp_path: Path) -> None:
    server.tell(swallow=1)

    async def use(route: SmppChannel) -> None:
        assert isinstance(await route.send(letter(1, LONG)), Later)
        assert isinstance(await route.send(letter(1, LONG[::-1])), Accepted)

    run(with_route(channel(tmp_path, server.port, response_seconds=0.3), use))
    headers = [one["udh"][0] for one in submitted(tmp_path / "log")]
    assert len(headers) == 6
    assert headers[0][:8] != headers[-1][:8]


def test_a_line_that_breaks_within_a_window_loses_nothing(server: Smsc, tmp_path: Path) -> None:
    server.tell(dropAfter=120, delayMs=5)
    letters = [letter(number) for number in range(600)]
    doubts: Counter[str] = Counter()

    async def use(route: SmppChannel) -> None:
        doubts.update(await deliver_all(route, letters))

    run(with_route(channel(tmp_path, server.port), use))
    answered = Counter(one["to"] for one in submitted(tmp_path / "log") if one["status"] == 0)
    assert set(answered) == {one.address[1:] for one in letters}
    assert doubts
    assert sum(answered.values()) - len(letters) <= sum(doubts.values())


@pytest.mark.parametrize("words", [LONG, "Go to higher ground now."])
def test_an_smsc_killed_within_two_thousand_messages_costs_only_repeats_of_what_was_in_flight(
    tmp_path: Path, words: str
) -> None:
    need_node()
    log = tmp_path / "log"
    letters = [letter(number, words) for number in range(2_000)]
    doubts: Counter[str] = Counter()

    async def restart(stack: ExitStack, first: Smsc) -> None:
        await until(lambda: log.exists() and log.read_bytes().count(b"\n") > 1_000)
        first.kill()
        await asyncio.sleep(0.2)
        stack.enter_context(smsc(log=str(log), port=first.port, firstId=1_000_000))

    with ExitStack() as stack:
        first = stack.enter_context(smsc(log=str(log)))

        async def use(route: SmppChannel) -> None:
            restarting = asyncio.create_task(restart(stack, first))
            doubts.update(await deliver_all(route, letters))
            await restarting

        run(with_route(channel(tmp_path, first.port), use))
    read = Counter((one["to"], *one["udh"]) for one in submitted(log))
    parts = 3 if words == LONG else 1
    assert {key[0] for key in read} == {one.address[1:] for one in letters}
    assert len(read) == 2_000 * parts
    # A letter of several parts is in doubt with each of them that was in flight.
    assert sum(read.values()) - len(read) <= sum(doubts.values()) * parts <= 50 * parts
    assert {key[0] for key, times in read.items() if times > 1} <= {f"86138{int(one[2:]):08d}" for one in doubts}


def test_a_route_that_cannot_be_reached_says_so_at_once_and_comes_back_by_itself(tmp_path: Path) -> None:
    need_node()
    with smsc() as first:
        port = first.port
        first.kill()
    route = channel(tmp_path, port)

    async def use(route: SmppChannel) -> None:
        outcome = await route.send(letter(1))
        assert isinstance(outcome, Later)
        assert outcome.is_route_down
        with smsc(port=port):
            await until_bound(route)
            assert isinstance(await route.send(letter(1)), Accepted)

    run(with_route(route, use))


def test_a_wrong_password_is_a_route_that_is_down_and_is_not_said_aloud(
    server: Smsc, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.tell(password="another")

    async def use(route: SmppChannel) -> None:
        outcome = await route.send(letter(1))
        assert isinstance(outcome, Later)
        assert outcome.is_route_down
        assert "ESME_RINVPASWD" in outcome.reason
        server.tell(password="secret")
        await until_bound(route)

    run(with_route(channel(tmp_path, server.port), use))
    assert "ESME_RINVPASWD" in caplog.text
    assert "secret" not in caplog.text


def test_an_smsc_that_falls_silent_is_left_and_found_again(server: Smsc, tmp_path: Path) -> None:
    async def use(route: SmppChannel) -> None:
        first = route._session
        server.tell(silent=True)
        await until(lambda: route._session is not first)
        server.tell(silent=False)
        await until_bound(route)
        assert isinstance(await route.send(letter(1)), Accepted)

    run(with_route(channel(tmp_path, server.port, enquire_link_seconds=0.2, response_seconds=0.4), use))


@pytest.mark.parametrize("said", ["drop", "unbind"])
def test_an_smsc_that_ends_the_session_is_bound_to_again(server: Smsc, tmp_path: Path, said: str) -> None:
    async def use(route: SmppChannel) -> None:
        first = route._session
        server.tell(**{said: True})
        await until(lambda: route._session not in {first, None})
        assert isinstance(await route.send(letter(1)), Accepted)

    run(with_route(channel(tmp_path, server.port), use))


def test_closing_waits_for_what_is_in_flight(server: Smsc, tmp_path: Path) -> None:
    server.tell(delayMs=300)

    async def opened() -> None:
        route = channel(tmp_path, server.port)
        await route.open()
        sending = asyncio.create_task(route.send(letter(1)))
        await until(lambda: bool(submitted(tmp_path / "log")))
        await route.close()
        assert await sending == Accepted("m1")
        assert isinstance(await route.send(letter(2)), Later)

    run(opened())


def test_what_is_not_smpp_ends_the_line_and_nothing_else(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    async def opened() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as other:
            route = channel(tmp_path, other.sockets[0].getsockname()[1])
            await route.open()
            outcome = await route.send(letter(1))
            assert isinstance(outcome, Later)
            assert outcome.is_route_down
            assert "not SMPP" in outcome.reason
            await route.close()

    run(opened())


def test_a_route_over_tls_checks_whom_it_speaks_to(tmp_path: Path) -> None:
    need_node()
    authority, other = trustme.CA(), trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ours.pem")
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    (tmp_path / "password").write_text("secret\n")

    async def sent(port: int, ca_file: str) -> Accepted | Later | Refused:
        described = definition(port, tls=True, ca_file=ca_file)
        route = SmppChannel(described, connector_of(described, tmp_path), tmp_path / "ids.sqlite")
        await route.open()
        try:
            return await route.send(letter(1))
        finally:
            await route.close()

    async def both(port: int) -> None:
        assert isinstance(await sent(port, "ours.pem"), Accepted)
        refused = await sent(port, "other.pem")
        assert isinstance(refused, Later)
        assert refused.is_route_down

    with smsc(key=str(tmp_path / "key.pem"), cert=str(tmp_path / "cert.pem"), password="secret") as server:
        run(both(server.port))


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableFileError, match="password"):
        connector_of(definition(1), tmp_path)
    (tmp_path / "password").write_text("secret")
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(UnusableFileError, match="certificate"):
        connector_of(definition(1, tls=True, ca_file="ca.pem"), tmp_path)
