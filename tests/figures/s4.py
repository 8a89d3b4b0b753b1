"""S4: a stolen signed request is replayed 10,000 times over a killed and restarted server, and bent in every way.

The server runs on the machine's clock, in a process of its own. Nothing that a thief sends may move the log's head.
"""

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.http.settings import HttpSettings, Rate
from adapters.store.sqlite_log import SqliteEventLog
from domain.events import DuplicateArrived, MessageAccepted, MessageRejected
from tests.figures.figure import Figure, Progress
from tests.figures.lives import limited_server, living, warm
from tests.figures.s4_requests import Line, Loot, Signed, bends, signed
from tests.streams.messages import cap

PROMISE = "a stolen, stale or altered request has no effect, also after a restart"
THIEVES = 4
AT_ONCE = 40
LASTING_HOURS = 24 * 365 * 30
SETTLING_SECONDS = 20.0
_UNLIMITED = Rate(per_second=1_000_000, burst=1_000_000)
LIMITS = HttpSettings(agency_rate=_UNLIMITED, address_rate=_UNLIMITED)
"""Without rate limits: else most of the replays would be answered 429, and show nothing about signatures."""


@dataclass
class _Partner:
    agency: str
    key: str
    secret: bytes

    def request(self, identifier: str, body: bytes) -> Signed:
        """A good request, now."""
        return signed(self.secret, self.agency, self.key, identifier, str(int(time.time())), body)


def measure(folder: Path, replays: int, progress: Progress) -> Figure:
    """Replay so often in all, half of it on either side of a SIGKILL, then bend the request."""
    figure = Figure("S4", PROMISE)
    data = folder / "data"
    with AgencyKeys(data / FILE_NAME) as keys:
        water, rain = (_partner(keys, agency) for agency in ("water", "meteorology"))
        stolen = rain.request("msg_stolen", _red("m-1"))
        with _server(data, folder / "life-1.txt") as (url, line):
            status, text = line.post(stolen)
            figure.must(status == 202, f"the partner's own request was answered {status}: {text[:300]}")
            head = _settled(line)
            _replay(figure, url, stolen, replays // 2, 0, replays, progress)
            figure.must(line.metric("outlet_log_position") == head, "replays moved the head of the log")
        with _server(data, folder / "life-2.txt") as (url, line):
            figure.must(_settled(line) == head, "the restart moved the head of the log")
            _replay(figure, url, stolen, replays - replays // 2, replays // 2, replays, progress)
            _bend(figure, line, Loot(stolen, rain.secret, water.secret, "water", water.key, _red("m-9"), _now()))
            _revoke(figure, keys, rain, line)
            figure.must(line.metric("outlet_log_position") == head, "a bent request moved the head of the log")
            figure.counts["log head before"], figure.counts["log head after"] = head, _settled(line)
            _race(figure, url, water)
            _settled(line)
    _count_effects(figure, data)
    return figure


def _partner(keys: AgencyKeys, agency: str) -> _Partner:
    now = datetime.now(UTC)
    secret = keys.add_signing_secret(agency, now).secret
    return _Partner(agency, keys.add_key(agency, now).secret, base64.b64decode(secret.removeprefix("whsec_")))


def _red(identifier: str) -> bytes:
    """A message that is released at once, so that the log comes to rest."""
    return cap(identifier, level="red", hours=LASTING_HOURS)


@contextmanager
def _server(data: Path, output: Path) -> Iterator[tuple[str, Line]]:
    """A server that is killed at the end."""
    with living(warm(output, limited_server, data, LIMITS)) as url:
        line = Line(url)
        try:
            yield url, line
        finally:
            line.close()


def _settled(line: Line) -> float:
    """The head of the log once it has not moved for half a second."""
    deadline = time.monotonic() + SETTLING_SECONDS
    head = -1.0
    while (now := line.metric("outlet_log_position")) != head:
        assert time.monotonic() < deadline, "the log does not come to rest"
        head = now
        time.sleep(0.5)
    return head


def _replay(figure: Figure, url: str, stolen: Signed, times: int, done: int, of: int, progress: Progress) -> None:
    seen: Counter[tuple[int, str]] = Counter()
    lock = threading.Lock()

    def thief(share: int) -> None:
        line = Line(url)
        for _ in range(share):
            answer = _answer(*line.post(stolen))
            with lock:
                seen[answer] += 1
                if sum(seen.values()) % 100 == 0:
                    progress(done + sum(seen.values()), of, "replays")
        line.close()

    shares = [times // THIEVES + (place < times % THIEVES) for place in range(THIEVES)]
    with ThreadPoolExecutor(THIEVES) as pool:
        for one in [pool.submit(thief, share) for share in shares]:
            one.result()
    figure.count("replays", sum(seen.values()))
    for (status, problem), times_seen in seen.items():
        figure.count(f"replays answered {status} {problem}", times_seen)
        figure.must((status, problem) == (409, "replayed"), f"{times_seen} replays were answered {status} {problem}")


def _bend(figure: Figure, line: Line, loot: Loot) -> None:
    for bent in bends(loot):
        answer = _answer(*line.post(bent.request))
        figure.count("bent requests")
        figure.count(f"bent requests answered {answer[0]} {answer[1]}")
        figure.must(answer == (bent.status, bent.problem), f"{bent.name}: answered {answer[0]} {answer[1]}")


def _revoke(figure: Figure, keys: AgencyKeys, partner: _Partner, line: Line) -> None:
    """A secret that was taken back signs nothing any more; the agency has another, so it must still sign."""
    now = datetime.now(UTC)
    keys.add_signing_secret(partner.agency, now)
    [old] = [one for one in keys.credentials(partner.agency) if one.held == partner.secret]
    keys.disable(old.id, now)
    answer = _answer(*line.post(partner.request("msg_revoked", _red("m-8"))))
    figure.count("bent requests")
    figure.must(answer == (401, "bad-signature"), f"a revoked secret was answered {answer[0]} {answer[1]}")


def _race(figure: Figure, url: str, partner: _Partner) -> None:
    """The same good request many times at the same moment: one is taken."""
    request = partner.request("msg_race", cap("w-1", agency="water", hazard="11A51", level="red", hours=LASTING_HOURS))
    gate = threading.Barrier(AT_ONCE)

    def send() -> int:
        line = Line(url)
        gate.wait(30)
        status, _ = line.post(replace(request))
        line.close()
        return status

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = Counter(one.result() for one in [pool.submit(send) for _ in range(AT_ONCE)])
    figure.counts["sent at once"] = AT_ONCE
    figure.must(statuses == Counter({202: 1, 409: AT_ONCE - 1}), f"sent at once, answered {dict(statuses)}")


def _count_effects(figure: Figure, data: Path) -> None:
    log = SqliteEventLog(data / "events.sqlite")
    try:
        topics = Counter(recorded.event.TOPIC for recorded in log.read())
    finally:
        log.close()
    figure.counts["messages accepted in all"] = topics[MessageAccepted.TOPIC]
    effects = topics[MessageAccepted.TOPIC] - 2 + topics[DuplicateArrived.TOPIC] + topics[MessageRejected.TOPIC]
    figure.counts["effects of stolen requests"] = effects
    figure.must(effects == 0, f"beside the two good requests the log holds {dict(topics)}")


def _answer(status: int, text: str) -> tuple[int, str]:
    try:
        kind = json.loads(text).get("type", "")
    except ValueError:
        kind = ""
    return status, kind.rpartition(":")[2]


def _now() -> int:
    return int(time.time())
