"""Requests to real servers on loopback, also to those that misbehave."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.net.client import Answer, OutboundClient, OutboundCode, OutboundError, Reach

REACH = Reach(networks=(ip_network("127.0.0.0/8"),))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Script = Callable[[bytes, int], bytes | None]
"""From a request's head and how many came before to the bytes of an answer; None hangs."""


class Peer:
    """A server that answers by a script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.heads: list[bytes] = []
        self.connections = 0
        self.port = 0
        self.ended: list[asyncio.Event] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/path?key=secret"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        ended = asyncio.Event()
        self.ended.append(ended)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                if lengths:
                    await reader.readexactly(int(lengths[0].partition(b":")[2]))
                answer = self.script(head, len(self.heads) - 1)
                if answer is None:
                    await reader.read()
                    return
                writer.write(answer)
                if b"close" in answer.lower() or answer.endswith(b"--cut"):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            ended.set()


@asynccontextmanager
async def peer(script: Script, context: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    found = Peer(script)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0, ssl=context)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        await server.wait_closed()
        for ended in found.ended:
            await ended.wait()
        await asyncio.sleep(0)


def run(script: Script, ask: Callable[[OutboundClient, Peer], Awaitable[None]], **more: int) -> None:
    async def main() -> None:
        client = OutboundClient(REACH, **more)  # type: ignore[arg-type]
        async with peer(script) as found:
            try:
                await ask(client, found)
            finally:
                await client.close()

    asyncio.run(main())


def answered_with(raw: bytes, *, method: str = "GET", **more: int) -> Answer:
    kept: list[Answer] = []

    async def ask(client: OutboundClient, found: Peer) -> None:
        kept.append(await client.request(method, found.url, timeout_seconds=5))

    run(lambda _head, _count: raw, ask, **more)
    return kept[0]


def refused_with(raw: bytes | None, *, seconds: float = 5.0, method: str = "GET", **more: int) -> OutboundError:
    kept: list[OutboundError] = []

    async def ask(client: OutboundClient, found: Peer) -> None:
        with pytest.raises(OutboundError) as caught:
            await client.request(method, found.url, timeout_seconds=seconds)
        kept.append(caught.value)

    run(lambda _head, _count: raw, ask, **more)
    assert "secret" not in str(kept[0])
    return kept[0]


def test_an_answer_of_any_status_is_an_answer_and_a_redirect_is_not_followed() -> None:
    for status in (200, 204, 301, 302, 307, 404, 418, 500, 503):
        raw = f"HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:1/\r\nX-Two: a\r\nx-two: b\r\n".encode()
        answer = answered_with(raw + (b"\r\n" if status == 204 else b"Content-Length: 1\r\n\r\nx"))
        assert answer.status == status
        assert answer.headers["location"] == "http://127.0.0.1:1/"
        assert answer.headers["x-two"] == "a, b"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nold, close", b"old, close"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
def test_every_way_in_which_a_body_ends_is_understood(raw: bytes, body: bytes) -> None:
    answer = answered_with(raw)
    assert (answer.status, answer.body) == (200, body)
    assert "link" not in answer.headers


def test_a_head_has_no_body_whatever_its_length_says() -> None:
    assert answered_with(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", method="HEAD").body == b""


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort--cut", OutboundCode.UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort--cut", OutboundCode.UNREACHABLE),
        (b"--cut", OutboundCode.PROTOCOL),
        (b"SSH-2.0-Server\r\n\r\n", OutboundCode.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", OutboundCode.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", OutboundCode.PROTOCOL),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", OutboundCode.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 70_000 + b"\r\n\r\n", OutboundCode.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: 0123456789\r\n" * 9_000 + b"\r\n", OutboundCode.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000, OutboundCode.TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 2000, OutboundCode.TOO_LARGE),
    ],
)
def test_what_is_no_whole_answer_is_refused_with_its_reason(raw: bytes, code: OutboundCode) -> None:
    assert refused_with(raw, most_answer_bytes=1_000).code is code


async def _all_closed(links: list[asyncio.StreamWriter]) -> None:
    for link in links:
        link.close()
        with suppress(OSError):
            await link.wait_closed()
    await asyncio.sleep(0)


def test_a_hanging_server_ends_in_a_timeout() -> None:
    assert refused_with(None, seconds=0.05).code is OutboundCode.TIMEOUT


def test_an_endless_body_is_cut_off_by_its_size() -> None:
    async def main() -> OutboundError:
        links: list[asyncio.StreamWriter] = []

        async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            links.append(writer)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            try:
                while True:
                    writer.write(b"x" * 65_536)
                    await writer.drain()
            except ConnectionError:
                writer.close()

        server = await asyncio.start_server(endless, "127.0.0.1", 0)
        client = OutboundClient(REACH, most_answer_bytes=1_000_000)
        with pytest.raises(OutboundError) as caught:
            await client.request("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", timeout_seconds=20)
        await client.close()
        server.close()
        await server.wait_closed()
        await _all_closed(links)
        return caught.value

    assert asyncio.run(main()).code is OutboundCode.TOO_LARGE


def test_connections_are_kept_and_a_second_answer_to_one_request_is_nobodys() -> None:
    async def ask(client: OutboundClient, found: Peer) -> None:
        for _ in range(5):
            assert (await client.request("POST", found.url, body=b"x")).body == b"ok"
        assert found.connections == 1

    run(lambda _head, _count: OK, ask)

    async def ask_the_smuggler(client: OutboundClient, found: Peer) -> None:
        for _ in range(3):
            assert (await client.request("GET", found.url)).body == b"ok"

    run(lambda _head, _count: OK + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", ask_the_smuggler)


def test_a_kept_connection_that_was_closed_is_replaced() -> None:
    async def main() -> None:
        links: list[asyncio.StreamWriter] = []

        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            links.append(writer)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await writer.drain()
            await reader.read(1)  # the next request, which is not answered
            writer.close()

        server = await asyncio.start_server(once, "127.0.0.1", 0)
        client = OutboundClient(REACH)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        assert (await client.request("GET", url)).body == b"ok"
        assert (await client.request("GET", url)).body == b"ok"
        await client.close()
        server.close()
        await server.wait_closed()
        await _all_closed(links)

    asyncio.run(main())


def test_the_request_is_written_as_asked_for() -> None:
    async def ask(client: OutboundClient, found: Peer) -> None:
        await client.request("POST", found.url + "#fragment", headers={"X-Mine": "a"}, body=b"{}")
        await client.request("GET", found.url)
        posted, got = found.heads
        authority = f"host: 127.0.0.1:{found.port}\r\n".encode()
        assert posted.startswith(b"POST /path?key=secret HTTP/1.1\r\n" + authority)
        assert b"X-Mine: a\r\n" in posted
        assert b"content-length: 2\r\n" in posted
        assert b"content-length" not in got
        assert b"accept-encoding" not in got.lower()

    run(lambda _head, _count: OK, ask)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"x": "a\r\nhost: other"}),
        ("GET", {"x\r\ny": "a"}),
        ("GET", {"Host": "other"}),
        ("GET", {"Content-Length": "5"}),
        ("GET / HTTP/1.1\r\n", {}),
    ],
)
def test_nothing_can_be_smuggled_into_a_request(method: str, headers: dict[str, str]) -> None:
    async def ask(client: OutboundClient, found: Peer) -> None:
        with pytest.raises(ValueError, match=r"cannot be sent|no method"):
            await client.request(method, found.url, headers=headers)
        assert not found.heads

    run(lambda _head, _count: OK, ask)


def test_the_next_address_of_a_name_is_tried() -> None:
    async def main() -> None:
        async def resolve(_host: str, _port: int) -> list[str]:
            return ["127.0.0.2", "127.0.0.1"]

        client = OutboundClient(REACH, resolve=resolve)
        async with peer(lambda _head, _count: OK) as found:
            url = f"http://two.example.com:{found.port}/"
            assert (await client.request("GET", url)).status == 200
            await client.close()

    asyncio.run(main())


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert answered_with(OK).status == 200


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


@pytest.mark.parametrize(
    ("host", "is_trusted", "code"),
    [
        ("right.example.com", True, None),
        ("127.0.0.1", True, None),
        ("wrong.example.com", True, OutboundCode.TLS),
        ("right.example.com", False, OutboundCode.TLS),
    ],
)
def test_the_certificate_must_fit_the_name_of_the_url(
    tmp_path: Path, host: str, is_trusted: bool, code: OutboundCode | None
) -> None:
    certificate, key = _certificate(tmp_path, "right.example.com")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate)) if is_trusted else None

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async def main() -> OutboundCode | None:
        client = OutboundClient(REACH, resolve=resolve, tls=trusting)
        async with peer(lambda _head, _count: OK, serving) as found:
            try:
                for _ in range(2):
                    answer = await client.request("POST", f"https://{host}:{found.port}/", body=b"x" * 100_000)
                    assert answer.body == b"ok"
                assert found.connections == 1
                return None
            except OutboundError as error:
                return error.code
            finally:
                await client.close()

    assert asyncio.run(main()) is code
