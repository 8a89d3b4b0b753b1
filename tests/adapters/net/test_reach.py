"""Where requests may go: no address outside of what is allowed is ever connected (QUALITY.md, S8)."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.net.addresses import Reach, address_of, is_allowed
from adapters.net.client import OutboundClient, OutboundCode, OutboundError

CODES_OF_A_REFUSAL = {
    OutboundCode.URL,
    OutboundCode.SCHEME,
    OutboundCode.FORBIDDEN_HOST,
    OutboundCode.FORBIDDEN_ADDRESS,
    OutboundCode.UNRESOLVED,
}

FORBIDDEN_ADDRESSES = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:7f00:1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2002:a9fe:a9fe::1",
    "2002:c0a8:1::",
    "2606:4700::5efe:10.0.0.1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
)

FORBIDDEN_SPELLINGS = (
    "0x7f.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.01",
    "127.0.0.1.",
    "127.0.0.256",
    "1.2.3.4.5",
    "0",
    "localhost.",
    "metadata.google.internal.",
    "user@127.0.0.1",
    "user:secret@example.com",
    "example.com@127.0.0.1",
    "example.com\\@127.0.0.1",
    "127.0.0.1%00.example.com",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "[fe80::1%25eth0]",
    "[fe80::1%1]",
    "[::1",
    "[127.0.0.1]",
    "[v1.x]",
    "[::1]x",
    "..",
    ".",
    "",
    "-a.example.com",
    "a b.example.com",
    "example.com\t",
    "exa\nmple.com",
    "example.com\r\nhost: inner",
)

FORBIDDEN_NAMES = ("localhost", "ip6-localhost")


@contextmanager
def listening() -> Iterator[tuple[int, list[str]]]:
    """A port of this machine at which nobody may knock, on every address it has; who did is told."""
    knocks: list[str] = []
    link = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    ended = threading.Event()
    link.settimeout(0.02)

    def listen() -> None:
        while not ended.is_set():
            try:
                connection, address = link.accept()
            except TimeoutError:
                continue
            knocks.append(str(address))
            connection.close()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield link.getsockname()[1], knocks
    finally:
        # The listener has a last look after the last request is over.
        ended.wait(0.05)
        ended.set()
        thread.join()
        link.close()


async def _asked(url: str, reach: Reach, answers: Sequence[Sequence[str]] | None = None) -> OutboundError | None:
    turns = iter(answers or ())

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return next(turns)

    client = OutboundClient(reach, resolve=resolve if answers is not None else None)
    try:
        await client.request("POST", url, body=b"{}", timeout_seconds=5)
    except OutboundError as error:
        return error
    finally:
        await client.close()
    return None


def _shown(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@pytest.mark.parametrize("plain_http", [True, False])
def test_no_special_address_is_connected_however_it_is_written(plain_http: bool) -> None:
    reach = Reach(plain_http=plain_http)
    hosts = [_shown(address) for address in FORBIDDEN_ADDRESSES]
    with listening() as (port, knocks):
        for host in (*hosts, *FORBIDDEN_SPELLINGS, *FORBIDDEN_NAMES):
            for scheme in ("http", "https"):
                error = asyncio.run(_asked(f"{scheme}://{host}:{port}/x?key=secret", reach))
                assert error is not None, host
                assert error.code in CODES_OF_A_REFUSAL, (host, error)
                assert "secret" not in str(error)
    assert len(hosts) + len(FORBIDDEN_SPELLINGS) + len(FORBIDDEN_NAMES) >= 60
    assert knocks == []


def test_a_name_that_leads_to_a_special_address_is_not_connected() -> None:
    with listening() as (port, knocks):
        for address in FORBIDDEN_ADDRESSES:
            for answer in ([address], ["93.184.215.14", address], [address, "93.184.215.14"]):
                error = asyncio.run(_asked(f"https://rebinding.example.com:{port}/", Reach(), [answer]))
                assert error is not None
                assert error.code is OutboundCode.FORBIDDEN_ADDRESS
    assert knocks == []


def test_a_scoped_address_of_a_name_is_refused() -> None:
    for address in ("fe80::1%2", "2606:4700::1%2", "nonsense", ""):
        error = asyncio.run(_asked("https://scoped.example.com/", Reach(), [[address]]))
        assert error is not None
        assert error.code is OutboundCode.FORBIDDEN_ADDRESS


def test_a_name_that_is_public_first_and_private_then_is_never_connected_to_the_latter() -> None:
    """Vetting asks once more than the request: each asks for itself, and what it vetted is what it connects to."""
    with listening() as (port, knocks):

        async def rebind() -> None:
            turns = iter([["93.184.215.14"], ["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"]])

            async def resolve(_host: str, _port: int) -> Sequence[str]:
                return next(turns)

            client = OutboundClient(Reach(plain_http=True), resolve=resolve)
            url = f"http://rebinding.example.com:{port}/"
            assert await client.vet(url) == [IPv4Address("93.184.215.14")]
            for _ in range(3):
                with pytest.raises(OutboundError) as caught:
                    await client.request("POST", url)
                assert caught.value.code is OutboundCode.FORBIDDEN_ADDRESS
            await client.close()

        asyncio.run(rebind())
    assert knocks == []


def test_the_connection_goes_to_the_vetted_address_and_asks_nobody_again() -> None:
    with listening() as (port, knocks):
        reach = Reach(networks=(ip_network("127.0.0.0/8"),))
        error = asyncio.run(_asked(f"http://no-such-name.invalid:{port}/", reach, [["127.0.0.1"]]))
        assert error is not None
        assert error.code is OutboundCode.UNREACHABLE
    assert len(knocks) == 1


def test_only_configured_hosts_are_asked_for() -> None:
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async def run() -> list[OutboundCode]:
        client = OutboundClient(Reach(hosts=frozenset({"feeds.example.com"})), resolve=resolve)
        codes = []
        for host in ("other.example.com", "xfeeds.example.com", "feeds.example.com.evil.example", "FEEDS.example.com"):
            with pytest.raises(OutboundError) as caught:
                await client.request("GET", f"https://{host}/")
            codes.append(caught.value.code)
        await client.close()
        return codes

    codes = asyncio.run(run())
    assert codes == [OutboundCode.FORBIDDEN_HOST] * 3 + [OutboundCode.FORBIDDEN_ADDRESS]
    assert asked == ["feeds.example.com"]


def test_own_networks_open_themselves_alone_and_plain_http_there_alone() -> None:
    reach = Reach(networks=(ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")))
    for text, allowed in (
        ("10.1.2.3", True),
        ("10.2.0.1", False),
        ("::ffff:10.1.2.3", True),
        ("64:ff9b::10.1.2.3", True),
        ("64:ff9b::10.2.2.3", False),
        ("fd00:1::9", True),
        ("fd00:2::9", False),
        ("93.184.215.14", True),
        ("2606:4700::1111", True),
        ("2002:5db8:d70e::1", True),
    ):
        address = address_of(text)
        assert address is not None
        assert is_allowed(address, reach) is allowed, text
    error = asyncio.run(_asked("http://public.example.com/", reach, [["93.184.215.14"]]))
    assert error is not None
    assert error.code is OutboundCode.SCHEME


ADDRESSES = st.one_of(
    st.integers(0, 2**32 - 1).map(lambda number: str(IPv4Address(number))),
    st.integers(0, 2**128 - 1).map(lambda number: str(IPv6Address(number))),
    st.sampled_from(FORBIDDEN_ADDRESSES),
    st.builds(
        lambda prefix, number: str(IPv6Address(int(IPv6Address(prefix)) + number)),
        st.sampled_from(["::ffff:0:0", "64:ff9b::", "2000::", "fe80::", "::"]),
        st.integers(0, 2**32 - 1),
    ),
    st.text(max_size=20),
)


@given(st.lists(ADDRESSES, min_size=1, max_size=4), st.booleans())
def test_no_address_outside_the_allowed_set_is_ever_connected(addresses: list[str], own: bool) -> None:
    reach = Reach(networks=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")) if own else (), plain_http=True)
    connected: list[str] = []

    class Watched(OutboundClient):
        async def _connected_to(self, address: object, destination: object) -> object:  # type: ignore[override]
            connected.append(str(address))
            raise OutboundError(OutboundCode.UNREACHABLE, "nobody is there")

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    async def run() -> OutboundError:
        client = Watched(reach, resolve=resolve)
        with pytest.raises(OutboundError) as caught:
            await client.request("GET", "http://name.example.com/")
        await client.close()
        return caught.value

    error = asyncio.run(run())
    allowed = [found for text in addresses if (found := address_of(text)) is not None and is_allowed(found, reach)]
    if len(allowed) == len(addresses):
        assert connected == [str(one) for one in allowed]
    else:
        assert connected == []
        assert error.code is OutboundCode.FORBIDDEN_ADDRESS
    for one in connected:
        plain = address_of(one)
        assert plain is not None
        assert not plain.is_loopback
        assert not plain.is_link_local
        assert not plain.is_multicast
        assert not plain.is_unspecified
        if plain.is_private:
            assert any(plain.version == network.version and plain in network for network in reach.networks)
