"""A client of the stream that knows only what the standard says of server-sent events."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx

from tests.adapters.http.public.conftest import SECONDS


class Heard(NamedTuple):
    """One event. `id` is the last one named so far, as a browser keeps it."""

    kind: str
    data: Any
    id: str


class Listener:
    """Reads events one by one from an open answer."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.id = ""
        self._lines = answer.iter_lines()

    def __iter__(self) -> Iterator[Heard]:
        kind, data = "message", list[str]()
        for line in self._lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line and data:
                yield Heard(kind, json.loads("\n".join(data)), self.id)
            if not line:
                kind, data = "message", []
            elif name == "event":
                kind = value
            elif name == "data":
                data.append(value)
            elif name == "id":
                self.id = value

    def next(self, kind: str) -> Heard:
        """The next event of this kind; others in between are passed over, heartbeats only."""
        for heard in self:
            if heard.kind == kind:
                return heard
            assert heard.kind == "heartbeat", heard
        raise AssertionError(f"the stream ended before a {kind}")


@contextmanager
def listening(base: str, query: str = "", *, last: str = "") -> Iterator[Listener]:
    """An open stream."""
    headers = {"Last-Event-ID": last} if last else {}
    with (
        httpx.Client(timeout=SECONDS) as client,
        client.stream("GET", f"{base}/v1/stream{query}", headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        yield Listener(answer)
