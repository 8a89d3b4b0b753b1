"""R10: one agency sends at 100 times its rate; the others' answers take at most twice as long at the 95th percentile.

Rounds with and without the flood alternate. In the calm rounds the same agency sends at its rate, and a process burns
as much of the processor as the flooder used in the flooded round before, so that what is let in and the flooding
client's own work are on both sides. The p95 of a round is over all answers to the two agencies that keep to their
rate; the figure is the median of the ratios of a flooded round to the calm one before it.
"""

import http.client
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.http.settings import HttpSettings, Rate
from tests.figures.figure import Figure, Progress
from tests.figures.lives import CONTEXT, limited_server, living, warm
from tests.figures.r10_flood import LASTING_HOURS, Flood, burn, flood
from tests.streams.messages import cap

PROMISE = "one agency at 100 times its rate: the others' p95 at most doubles; what is refused gets 429 and is counted"
RATE = Rate(per_second=10, burst=20)
FLOODED = 100
LIMITS = HttpSettings(agency_rate=RATE, address_rate=Rate(per_second=1_000_000, burst=1_000_000))
"""All come from one address here, so that only the agencies' limit may part them."""

CALM_AGENCIES = {"water": "11A51", "natural-resources": "11D01"}
CALM_PER_SECOND = 8.0
WARM_UP_SECONDS = 3.0
PATIENCE_SECONDS = 60.0
MOST_TIMES = 2.0
ENOUGH_OF_FLOOD = 0.9


@dataclass(frozen=True)
class Size:
    """How many pairs of rounds, and how long one is."""

    pairs: int
    seconds: float


def measure(folder: Path, size: Size, progress: Progress) -> Figure:
    """Alternate calm and flooded rounds against one server."""
    figure = Figure("R10", PROMISE)
    data = folder / "data"
    with AgencyKeys(data / FILE_NAME) as store:
        now = datetime.now(UTC)
        keys = {agency: store.add_key(agency, now).secret for agency in (*CALM_AGENCIES, "meteorology")}
    with living(warm(folder / "life.txt", limited_server, data, LIMITS)) as url:
        rounds = _Rounds(url, keys, figure)
        share = rounds.flooded("warm-up", min(WARM_UP_SECONDS, size.seconds))[1]
        calm: list[float] = []
        flooded: list[float] = []
        for pair in range(size.pairs):
            progress(2 * pair, 2 * size.pairs, "rounds")
            calm.append(rounds.calm(f"c{pair}", size.seconds, share))
            progress(2 * pair + 1, 2 * size.pairs, "rounds")
            p95, share = rounds.flooded(f"f{pair}", size.seconds)
            flooded.append(p95)
        rounds.judge_counts()
    ratios = [one / other for one, other in zip(flooded, calm, strict=True)]
    ratio = statistics.median(ratios)
    figure.counts |= {
        "pairs of rounds": size.pairs,
        "median ratio of p95": round(ratio, 2),
        "ratios by pair": [round(one, 2) for one in ratios],
        "processor share of the flooder": round(share, 2),
    }
    figure.must(ratio <= MOST_TIMES, f"the others' p95 was {ratio:.2f} times the calm one")
    return figure


@contextmanager
def _beside(work: Callable[..., None], *arguments: object) -> Iterator[Callable[[], Any]]:
    """Work in a process of its own; calling what is given waits for its end and returns what it said."""
    hear, say = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=work, args=(say, *arguments), daemon=True)
    process.start()
    say.close()

    def said() -> Any:
        assert hear.poll(PATIENCE_SECONDS), "the process beside did not end"
        return hear.recv()

    try:
        yield said
    finally:
        process.join(PATIENCE_SECONDS)
        process.kill()
        hear.close()


class _Rounds:
    """Rounds against one server, and what all of them add up to."""

    def __init__(self, url: str, keys: dict[str, str], figure: Figure) -> None:
        self._url = url
        self._keys = keys
        self._figure = figure
        self._flood = Flood()

    def calm(self, name: str, seconds: float, share: float) -> float:
        """The others' p95 in seconds while the one agency keeps to its rate; the processor is as busy as in a flood."""
        key = self._keys["meteorology"]
        with _beside(burn, share, seconds), _beside(flood, self._url, key, RATE.per_second, seconds, name) as polite:
            p95 = self._p95_of_the_others(name, seconds)
            self._flood.statuses += polite().statuses
        return p95

    def flooded(self, name: str, seconds: float) -> tuple[float, float]:
        """The others' p95 in seconds during a flood, and the share of a processor that the flooder used."""
        rate, key = FLOODED * RATE.per_second, self._keys["meteorology"]
        with _beside(flood, self._url, key, rate, seconds, name) as told:
            p95 = self._p95_of_the_others(name, seconds)
            found: Flood = told()
        reached = found.sent / found.seconds / RATE.per_second
        self._figure.must(reached >= ENOUGH_OF_FLOOD * FLOODED, f"round {name}: the flood was {reached:.0f} times")
        self._flood.statuses += found.statuses
        return p95, found.used_seconds / found.seconds

    def _p95_of_the_others(self, name: str, seconds: float) -> float:
        """They send for so long."""
        taken: list[float] = []
        threads = [
            threading.Thread(target=self._send, args=(agency, name, seconds, taken), daemon=True)
            for agency in CALM_AGENCIES
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds + PATIENCE_SECONDS)
        assert len(taken) > 1, "nothing was answered"
        return statistics.quantiles(taken, n=20, method="inclusive")[-1]

    def _send(self, agency: str, name: str, seconds: float, taken: list[float]) -> None:
        """An agency that keeps to its rate: alerts and their cancels in turn."""
        where = urlsplit(self._url)
        line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
        headers = {"X-Api-Key": self._keys[agency]}
        hazard = CALM_AGENCIES[agency]
        began = time.monotonic()
        for number in range(int(seconds * CALM_PER_SECOND)):
            time.sleep(max(0.0, began + number / CALM_PER_SECOND - time.monotonic()))
            chain = f"{name}-{agency}-{number // 2}"
            if number % 2:
                body = cap(f"{chain}-end", agency=agency, minutes=1, kind="Cancel", references=((chain, 0),))
            else:
                body = cap(chain, agency=agency, hazard=hazard, hours=LASTING_HOURS)
            sent = time.perf_counter()
            line.request("POST", f"/v1/agencies/{agency}/messages", body, headers)
            answer = line.getresponse()
            answer.read()
            taken.append(time.perf_counter() - sent)
            self._figure.must(answer.status == 202, f"{agency} was answered {answer.status}")
            self._figure.count("messages of the others answered")
        line.close()

    def judge_counts(self) -> None:
        """Every refused message was answered 429, and the server counted as many."""
        statuses = self._flood.statuses
        self._figure.counts["flood answered by status"] = {str(status): n for status, n in sorted(statuses.items())}
        strange = Counter({status: n for status, n in statuses.items() if status not in {202, 429}})
        self._figure.must(not strange, f"the flood was also answered {dict(strange)}")
        where = urlsplit(self._url)
        line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
        line.request("GET", "/metrics")
        text = line.getresponse().read().decode()
        line.close()
        name = 'outlet_http_limited_total{by="agency"} '
        counted = next((float(one.removeprefix(name)) for one in text.splitlines() if one.startswith(name)), 0.0)
        self._figure.counts["counted by the server as limited"] = int(counted)
        self._figure.must(counted == statuses[429], f"{statuses[429]} were answered 429 and {counted:.0f} counted")
        self._figure.must(statuses[429] > 0, "nothing was refused")
