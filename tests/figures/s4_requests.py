"""Signed requests as a partner makes them and as a thief bends them, down to the single header line."""

import base64
import hmac
import http.client
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from urllib.parse import urlsplit

Header = tuple[str, str]


@dataclass(frozen=True)
class Signed:
    """A request in all its parts; headers in order, since a thief may send one twice."""

    agency: str
    key: str
    identifier: str
    timestamp: str
    signature: str
    body: bytes
    more: tuple[Header, ...] = ()
    first: tuple[Header, ...] = ()
    named: Callable[[str], str] = str
    path: str = ""
    leave_out: frozenset[str] = frozenset()
    chunked: bool = False

    def headers(self) -> list[Header]:
        """Every header line."""
        signing = [
            ("webhook-id", self.identifier),
            ("webhook-timestamp", self.timestamp),
            ("webhook-signature", self.signature),
        ]
        kept = [(self.named(name), value) for name, value in signing if name not in self.leave_out]
        return [("Authorization", f"Bearer {self.key}"), *self.first, *kept, *self.more]


def signed(secret: bytes, agency: str, key: str, identifier: str, timestamp: str, body: bytes) -> Signed:
    """A request as the specification says, written from it and not from our code."""
    content = f"{identifier}.{timestamp}.".encode() + body
    made = base64.b64encode(hmac.new(secret, content, sha256).digest()).decode()
    return Signed(agency, key, identifier, timestamp, f"v1,{made}", body)


class Line:
    """One connection to the server, opened again when it was closed."""

    def __init__(self, url: str) -> None:
        """Nothing is sent yet."""
        where = urlsplit(url)
        self._connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)

    def post(self, request: Signed) -> tuple[int, str]:
        """Send it as it is; the status and the body of the answer."""
        path = request.path or f"/v1/agencies/{request.agency}/messages"
        self._connection.putrequest("POST", path)
        for name, value in request.headers():
            self._connection.putheader(name, value)
        if request.chunked:
            self._connection.putheader("Transfer-Encoding", "chunked")
            self._connection.endheaders(iter([request.body]), encode_chunked=True)
        else:
            self._connection.putheader("Content-Length", str(len(request.body)))
            self._connection.endheaders(request.body)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")

    def metric(self, name: str) -> float:
        """A gauge of `/metrics`."""
        self._connection.request("GET", "/metrics")
        text = self._connection.getresponse().read().decode()
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass(frozen=True)
class Bent:
    """A stolen request bent in one way, and the problem that must answer it."""

    name: str
    request: Signed
    status: int
    problem: str


@dataclass(frozen=True)
class Loot:
    """What a thief may hold: an answered request, one kept back, secrets of others, and the time now."""

    stolen: Signed
    own_secret: bytes
    other_secret: bytes
    other_agency: str
    other_key: str
    new_body: bytes
    now: int


def bends(loot: Loot) -> Sequence[Bent]:
    """Every way to bend it that we could think of. Whatever still verifies is a replay; all else is refused."""
    return [*_altered(loot), *_of_another_time(loot), *_of_another_agency(loot), *_dressed_up(loot), *_doubled(loot)]


def _altered(loot: Loot) -> list[Bent]:
    one = loot.stolen
    made = one.signature.removeprefix("v1,")
    flipped = ("A" if made[0] != "A" else "B") + made[1:]
    signatures = {
        "flipped": f"v1,{flipped}",
        "of zeros": "v1," + base64.b64encode(bytes(32)).decode(),
        "empty": "v1,",
        "cut short": f"v1,{made[:20]}",
        "of another version": f"v2,{made}",
        "asymmetric by name": f"v1a,{made}",
        "without version": made,
        "no base64": "v1,!!!!",
        "version in capitals": f"V1,{made}",
        "behind ten others": " ".join(["v1,AAAA"] * 10 + [one.signature]),
        "of the body alone": "v1," + base64.b64encode(hmac.new(loot.own_secret, one.body, sha256).digest()).decode(),
        "plain hash": "v1," + base64.b64encode(sha256(one.body).digest()).decode(),
    }
    parts = {
        "body of another message": replace(one, body=loot.new_body),
        "body with a space behind": replace(one, body=one.body + b" "),
        "body cut": replace(one, body=one.body[:-1]),
        "empty body": replace(one, body=b""),
        "fresh id": replace(one, identifier="msg_fresh"),
        "spaces behind the id": replace(one, identifier=f"{one.identifier}  "),
        "id in capitals": replace(one, identifier=one.identifier.upper()),
        "timestamp one later": replace(one, timestamp=str(int(one.timestamp) + 1)),
        "timestamp with a nought": replace(one, timestamp=f"0{one.timestamp}"),
        "timestamp as a fraction": replace(one, timestamp=f"{one.timestamp}.0"),
        "timestamp with a sign": replace(one, timestamp=f"+{one.timestamp}"),
        "dot moved from id to timestamp": replace(one, identifier=f"{one.identifier}.{one.timestamp}", body=b""),
    }
    found = [
        Bent(f"signature {name}", replace(one, signature=text), 401, "bad-signature")
        for name, text in signatures.items()
    ]
    return found + [Bent(name, request, 401, "bad-signature") for name, request in parts.items()]


def _of_another_time(loot: Loot) -> list[Bent]:
    """Kept back and never sent, so that the id is unknown: the time alone must keep it out."""
    one = loot.stolen
    found = []
    for seconds in (-86_400, -3_600, -320, 320, 3_600, 86_400, 10**9):
        name, when = f"msg_kept_{seconds}", str(loot.now + seconds)
        request = signed(loot.own_secret, one.agency, one.key, name, when, loot.new_body)
        found.append(Bent(f"signed {seconds} s from now", request, 401, "stale"))
    return found


def _of_another_agency(loot: Loot) -> list[Bent]:
    one = loot.stolen
    path = f"/v1/agencies/{loot.other_agency}/messages"
    forged = signed(loot.other_secret, one.agency, one.key, "msg_forged", str(loot.now), loot.new_body)
    return [
        Bent("another's path, own key", replace(one, path=path), 403, "other-agency"),
        Bent("another's path and key", replace(one, path=path, key=loot.other_key), 401, "bad-signature"),
        Bent("own path, another's key", replace(one, key=loot.other_key), 403, "other-agency"),
        Bent("another's secret", forged, 401, "bad-signature"),
        Bent("path in capitals", replace(one, path=f"/v1/agencies/{one.agency.upper()}/messages"), 403, "other-agency"),
        Bent("no key", replace(one, key=""), 401, "no-key"),
        Bent("a key of nobody", replace(one, key="outlet_0_0"), 401, "unknown-key"),
    ]


def _dressed_up(loot: Loot) -> list[Bent]:
    """The same request in other clothes: it verifies, so that its id must give it away."""
    one = loot.stolen
    path = f"/v1/agencies/{one.agency}/messages"
    worn = {
        "header names in capitals": replace(one, named=str.upper),
        "header names in title case": replace(one, named=str.title),
        "as JSON by type": replace(one, more=(("Content-Type", "application/json"),)),
        "as a zip by type": replace(one, more=(("Content-Type", "application/zip"),)),
        "with a query": replace(one, path=f"{path}?again=1"),
        "path percent-encoded": replace(one, path=path.replace("messages", "%6Dessages")),
        "in chunks": replace(one, chunked=True),
        "with spaces before the id": replace(one, identifier=f"  {one.identifier}"),
        "with a second signature": replace(one, signature=f"v1,AAAA {one.signature} v1,BBBB"),
        "through a claimed proxy": replace(one, more=(("X-Forwarded-For", "203.0.113.7"),)),
        "with the key twice": replace(one, more=(("X-Api-Key", one.key),)),
    }
    return [Bent(name, request, 409, "replayed") for name, request in worn.items()]


def _doubled(loot: Loot) -> list[Bent]:
    one = loot.stolen
    fresh = ("webhook-id", "msg_second")
    return [
        Bent("a second id behind", replace(one, more=(fresh,)), 409, "replayed"),
        Bent("a second id before", replace(one, first=(fresh,)), 401, "bad-signature"),
        Bent("two ids in one", replace(one, identifier=f"{one.identifier}, msg_second"), 401, "bad-signature"),
        Bent("a second time before", replace(one, first=(("webhook-timestamp", str(loot.now)),)), 401, "bad-signature"),
        Bent(
            "a second signature line before",
            replace(one, first=(("webhook-signature", "v1,AA"),)),
            401,
            "bad-signature",
        ),
        *(
            Bent(f"without {name}", replace(one, leave_out=frozenset({name})), 401, "unsigned")
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        ),
        Bent(
            "key alone",
            replace(one, leave_out=frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"})),
            401,
            "unsigned",
        ),
        Bent(
            "key alone, new message",
            replace(
                one,
                body=loot.new_body,
                leave_out=frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"}),
            ),
            401,
            "unsigned",
        ),
    ]
