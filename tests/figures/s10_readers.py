"""Every reader of S10: how it is called, what it may raise, and the sound documents that damage begins with.

The sound documents are the tests' own made-up ones, and the real ones of the shared data where that lies beside us.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.requests import Request

from adapters.cap import CapChecks, CapReader
from adapters.cap.json_messages import each_message
from adapters.clocks import SystemClock
from adapters.cn12379.archive import only_document
from adapters.cn12379.names import MalformedNameError, parse_file_name, parse_identifier
from adapters.cn12379.reader import Cn12379Reader
from adapters.connections import ConnectionsError, parse_connections
from adapters.feeds.list_reader import ListReader
from adapters.feeds.profile_files import ProfileError, profile_from_toml, shipped_profile, shipped_profile_names
from adapters.gazetteer.errors import GazetteerError
from adapters.gazetteer.from_policy import gazetteer_of
from adapters.gazetteer.geojson import geojson_gazetteer
from adapters.gazetteer.villages import read_villages
from adapters.http.problems import ProblemError
from adapters.http.public.query import (
    FILTERS,
    Parameters,
    read_box,
    read_filter,
    read_past,
    read_point,
    read_truth,
    read_whole,
)
from adapters.http.signatures import signed_head
from adapters.net.client import Answer
from adapters.policies import catalogues, load, shipped_policies
from adapters.pollers.looks import FeedError
from adapters.pollers.syndication import entries_of
from adapters.reading import AnyReader
from adapters.store.codec import EventCodec
from adapters.store.errors import CodecError
from adapters.upward.answers import BrokenAcknowledgementError, acknowledgement_in, verdict_of
from domain.findings import RefusedMessageError
from domain.interpretation import interpret
from domain.messages import AgencyMessage
from domain.policy import Policy, PolicyError, parse_policy
from tests.adapters.cap.samples import ALERT
from tests.adapters.cli.samples import LIST_PROFILE, POLICY
from tests.adapters.cn12379.samples import MESSAGE
from tests.adapters.feeds.samples import ITEM, TITLE_PROFILE, item, listing, profile, titled
from tests.adapters.http.messages import as_json, json_message, zipped
from tests.figures.s3_policy import squares
from tests.streams.messages import cap, cn12379

NOW = datetime(2026, 8, 7, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Reader:
    """`read` returns, or raises one of `refusals`; anything else is a defect. `weight` is its share of the examples."""

    name: str
    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]
    sound: tuple[bytes, ...]
    weight: int = 1


class BrokenPromiseError(AssertionError):
    """A reader returned something that it does not promise."""


def readers(shared: Path | None) -> list[Reader]:
    """All of them."""
    return [*_of_messages(shared), *_of_lists(shared), *_of_feeds(shared), *_of_documents(), *_of_requests()]


def files(shared: Path | None, *folders: str, most_bytes: int = 200_000) -> tuple[bytes, ...]:
    """The real documents in these folders, the largest left out: they cost time and show nothing new."""
    if shared is None:
        return ()
    found = [path for folder in folders for path in sorted((shared / folder).rglob("*")) if path.is_file()]
    return tuple(path.read_bytes() for path in found if path.stat().st_size <= most_bytes)


def _of_messages(shared: Path | None) -> Iterator[Reader]:
    policy, _ = load("shaoxing")
    refusals = (RefusedMessageError,)
    real_cap, real_edxl = files(shared, "cap/valid", "cap/invalid"), files(shared, "edxl")
    own_12379 = (MESSAGE.encode(), cn12379("33060041600000_20220913080000"))
    real_12379 = tuple(one for one in files(shared, "messages") if b"<alert" in one[:400])
    as_zip = tuple(zipped(one) for one in (*own_12379, *real_12379))
    json_forms = (as_json(json_message("m-1")), as_json(json_message("m-1"), json_message("m-2")))
    own_cap = (ALERT.encode(), cap("m-1"), cap("m-2", kind="Update", references=(("m-1", 0),)))
    strict, lenient = CapReader(), CapReader(CapChecks.lenient())
    yield Reader("CAP XML", _messages(strict.read), refusals, (*own_cap, *real_cap), 6)
    yield Reader("CAP XML, lenient", _messages(lenient.read), refusals, (*own_cap, *real_cap), 5)
    yield Reader("EDXL", _messages(lenient.read), refusals, (*real_edxl, *own_cap), 2)
    yield Reader("12379 XML", _messages(Cn12379Reader().read), refusals, (*own_12379, *real_12379), 5)
    yield Reader("12379 zip", _messages(Cn12379Reader().read), refusals, as_zip, 3)
    yield Reader("zip", only_document, refusals, as_zip, 2)
    every = (*own_cap, *own_12379, *as_zip, *json_forms, *files(shared, "cap_json"), *real_edxl)
    yield Reader("CAP JSON", _messages(AnyReader(policy).read), refusals, json_forms, 4)
    yield Reader("JSON arrays", _parts, refusals, json_forms, 2)
    yield Reader("any message, and what it means", _meant(AnyReader(policy)), refusals, every, 6)


def _messages(read: Callable[[bytes], Sequence[AgencyMessage]]) -> Callable[[bytes], object]:
    """A reader of messages gives one at least, and each is valid by the type's own rules."""

    def checked(content: bytes) -> object:
        try:
            messages = read(content)
        except RefusedMessageError as error:
            if not any(finding.refuses for finding in error.findings):
                raise BrokenPromiseError("refused without a finding that refuses") from error
            raise
        if not messages:
            raise BrokenPromiseError("nothing was read and nothing refused")
        for message in messages:
            if AgencyMessage.model_validate(message.model_dump()) != message:
                raise BrokenPromiseError("a message that is not itself")
        return messages

    return checked


def _meant(reader: AnyReader) -> Callable[[bytes], object]:
    """What is read is also interpreted, by every agency: whatever it holds, the rules have a word for it."""
    policy, _ = load("shaoxing")
    gazetteer = gazetteer_of(policy.gazetteer)

    def checked(content: bytes) -> object:
        return [
            interpret(message, agency_id=agency.id, policy=policy, gazetteer=gazetteer, now=NOW)
            for message in reader.read(content)
            for agency in (*policy.agencies[:2], policy.agencies[-1])
        ]

    return checked


def _parts(content: bytes) -> object:
    parts = each_message(content)
    if parts is not None and not all(isinstance(part, bytes) for part in parts):
        raise BrokenPromiseError("a part that is no bytes")
    return parts


def _of_lists(shared: Path | None) -> Iterator[Reader]:
    own = (
        listing(ITEM, item(id="18")),
        titled("样例市气象台解除暴雨橙色预警"),
        json.dumps(ITEM).encode(),
        b"var alarminfo=" + json.dumps(ITEM).encode() + b";",
    )
    real = tuple(one for one in files(shared, "cn_feeds", "messages") if not one.lstrip().startswith(b"<"))
    profiles = {"made-up": profile(), "by titles": profile(TITLE_PROFILE)}
    profiles |= {name: shipped_profile(name) for name in shipped_profile_names()}
    for name, one in profiles.items():
        yield Reader(f"list: {name}", _listed(ListReader(one)), (RefusedMessageError,), (*own, *real), 2)


def _listed(reader: ListReader) -> Callable[[bytes], object]:
    def checked(content: bytes) -> object:
        reading = reader.read_list(content)
        for unread in reading.refused:
            if not any(finding.refuses for finding in unread.findings):
                raise BrokenPromiseError("an item that is refused without a reason")
        return [AgencyMessage.model_validate(message.model_dump()) for message in reading.messages]

    return checked


def _of_feeds(shared: Path | None) -> Iterator[Reader]:
    alert = ALERT.partition("?>")[2].strip()
    own = (
        f"""<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://a.example/">
<entry><id>urn:1</id><updated>2026-05-16T08:00:00Z</updated><link rel="alternate" type="application/cap+xml"
href="b.xml"/></entry><entry><id>urn:2</id><content type="application/cap+xml">{alert}</content></entry></feed>""",
        """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><item><guid>https://a.example/1</guid>
<pubDate>Sat, 16 May 2026 08:00:00 +0800</pubDate><link>https://a.example/1.xml</link></item></channel></rss>""",
    )
    real = files(shared, "feeds")

    def entries(content: bytes) -> object:
        found = entries_of(content, "https://feed.example/a/b?c=d")
        return [entry.key for entry in found]

    yield Reader("Atom and RSS", entries, (FeedError,), (*(one.encode() for one in own), *real), 5)
    told = (
        b"<msg><data><rows><status>0</status><error_code/><note>ok</note></rows></data></msg>",
        b"<msg><data><rows><status>1</status><error_code>x</error_code></rows><rows/></data></msg>",
    )
    answers = (*told, as_json(json_message("m-1")), b'{"receipts":[{"outcome":"rejected","notes":[{"sentence":"x"}]}]}')
    yield Reader("acknowledgement", acknowledgement_in, (BrokenAcknowledgementError,), told, 2)
    yield Reader("a parent's answer", _verdict, (), answers, 2)


def _verdict(content: bytes) -> object:
    return [verdict_of(Answer(status, {"retry-after": "5"}, content)) for status in (200, 202, 409, 422, 503)]


def _of_documents() -> Iterator[Reader]:
    policies = (POLICY.encode(), *(text.encode() for text in shipped_policies().values()))
    profiles = (LIST_PROFILE.encode(), TITLE_PROFILE.encode())
    connections = (
        b'[[feeds]]\nid = "a"\nkind = "cap-feed"\nagency = "water"\nurl = "https://a.example/feed"\n',
        b'[[feeds]]\nid = "d"\nkind = "cap-feed"\nurl = "https://a.example/"\n[feeds.headers]\nX-Key = "1"\n',
        b'[[feeds]]\nid = "b"\nkind = "list"\nurls = ["https://a.example/1"]\nprofile = "nmc"\n',
        b'[[parents]]\nid = "up"\nform = "cn12379"\nby = "http"\nurl = "https://a.example/x"\nzip = false\n',
        b'[[parents]]\nid = "on"\nform = "cap"\nby = "folder"\nfolder = "out"\nlevel_min = "red"\nmode = "live"\n',
        b'[[feeds]]\nid = "c"\nkind = "folder"\nfolder = "in"\n[outbound]\nnetworks = ["10.0.0.0/8"]\n',
    )
    villages = ("code,name\n330604001001,样例村\n330604001002,样例社区\n".encode(),)
    places = (json.dumps(squares()).encode(),)
    yield Reader("policy", _text(lambda text: parse_policy(text, catalogues())), (PolicyError,), policies, 3)
    yield Reader("list profile", _text(profile_from_toml), (ProfileError,), profiles, 2)
    yield Reader("connections", _text(parse_connections), (ConnectionsError,), connections, 2)
    yield Reader("boundaries", geojson_gazetteer, (GazetteerError,), places, 2)
    yield Reader("villages", read_villages, (GazetteerError,), villages)
    yield Reader("stored event", _stored_event, (CodecError,), _stored_samples(), 3)


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    """These are given text: whoever reads the file refuses what is not UTF-8."""
    return lambda content: read(content.decode("utf-8", "replace"))


@cache
def _codec() -> EventCodec:
    return EventCodec()


def _stored_event(content: bytes) -> object:
    topic, _, state = content.partition(b"\n")
    return _codec().event(topic.decode("utf-8", "replace"), state)


def _stored_samples() -> tuple[bytes, ...]:
    """One event of each kind and version that was ever stored, as the store's own test keeps them."""
    golden = Path(__file__).resolve().parent.parent / "adapters" / "store" / "golden" / "events.ndjson"
    rows = [json.loads(line) for line in golden.read_text(encoding="utf-8").splitlines()]
    return tuple(f"{row['topic']}\n{json.dumps(row['state'], ensure_ascii=False)}".encode() for row in rows)


def _of_requests() -> Iterator[Reader]:
    queries = tuple(
        urlencode(one, doseq=True).encode()
        for one in (
            {"district": "330604,330602", "hazard": "11B03", "level_min": "yellow", "at": "2026-05-16T08:00:00+08:00"},
            {"point": "30.0,120.5", "limit": "20", "cursor": "330604"},
            {"bbox": "119.5,29.1,121.3,30.3", "district": ["330604", "330602"], "after": "12", "state": "true"},
        )
    )
    head = b"webhook-id: msg_1\nwebhook-timestamp: 1663027200\nwebhook-signature: v1,AAAA v1a,BBBB"
    names = (b"33060041600000_20220913080000_11B03_YELLOW_ALERT.XML", b"33060041600000_20220913080000")
    yield Reader("query and cursor", _query, (ProblemError,), queries, 4)
    yield Reader("signed headers", _signed_head, (ProblemError,), (head,), 2)
    yield Reader("12379 names", _names, (MalformedNameError,), names)


def _query(content: bytes) -> object:
    policy, _ = _shaoxing()
    names = (*FILTERS, "at", "point", "bbox", "limit", "after", "state", "cursor")
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": content}
    parameters = Parameters(Request(scope), names)
    found = [
        read_filter(parameters, policy=policy, knows_district=lambda code: code.startswith("3306")),
        parameters.one("at", read_past(SystemClock().now())),
        parameters.one("point", read_point),
        parameters.one("bbox", read_box),
        parameters.one("limit", read_whole(1, 500)),
        parameters.one("after", read_whole(0, 2**63 - 1)),
        parameters.one("state", read_truth),
        parameters.read("Last-Event-ID", content.decode("latin-1"), read_whole(0, 2**63 - 1)),
    ]
    parameters.refuse_if_any()
    return found


@cache
def _shaoxing() -> tuple[Policy, str]:
    return load("shaoxing")


def _signed_head(content: bytes) -> object:
    lines = [line.partition(b":") for line in content.splitlines()]
    headers = Headers(raw=[(name.strip().lower(), value.strip()) for name, _, value in lines])
    return signed_head(headers, datetime(2022, 9, 13, 0, 0, tzinfo=UTC), 300)


def _names(content: bytes) -> object:
    text = content.decode("utf-8", "replace")
    for read in (parse_file_name, parse_identifier):
        try:
            read(text)
        except MalformedNameError:
            continue
    return text
