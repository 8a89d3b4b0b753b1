"""What is counted, in Prometheus's text form 0.0.4. Safe to use from many threads.

Written by hand: four kinds of line are all that is needed. Labels are closed sets, never what a sender wrote.
"""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from streams.intake import Receipt

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

Labels = tuple[tuple[str, str], ...]


class Histogram:
    """Counts of values up to each bound."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self, name: str) -> Iterator[str]:
        """Its lines, the bounds cumulated."""
        total = 0
        for bound, count in zip([*self._bounds, None], self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{"+Inf" if bound is None else f"{bound:g}"}"}} {total}'
        yield f"{name}_sum {self._sum:.6f}"
        yield f"{name}_count {total}"


class Metrics:
    """Everything that the intake counts."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._lock = threading.Lock()
        self._counters: dict[str, Counter[Labels]] = {name: Counter() for name in _COUNTERS}
        self._histograms = {
            "outlet_http_request_seconds": Histogram(_SECONDS),
            "outlet_http_submit_seconds": Histogram(_SECONDS),
            "outlet_http_pump_seconds": Histogram(_SECONDS),
            "outlet_http_batch_messages": Histogram(_SIZES),
        }

    def answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        with self._lock:
            labels = (("method", method), ("route", route), ("status", str(status)))
            self._counters["outlet_http_requests_total"][labels] += 1
            self._histograms["outlet_http_request_seconds"].observe(seconds)

    def limited(self, reason: str) -> None:
        """A request was refused for coming too fast: `agency` or `address`."""
        with self._lock:
            self._counters["outlet_http_limited_total"][("by", reason),] += 1

    def turned_away(self, problem: str) -> None:
        """A request to the intake ended in this problem before its messages were taken."""
        with self._lock:
            self._counters["outlet_http_turned_away_total"][("problem", problem),] += 1

    def taken(self, receipt: Receipt) -> None:
        """A message was taken in, or refused with its reasons."""
        labels = (("agency", receipt.agency or ""), ("outcome", receipt.outcome.value))
        with self._lock:
            self._counters["outlet_messages_total"][labels] += 1
            for code in {found.code.value for found in receipt.findings if found.refuses}:
                self._counters["outlet_refusals_total"][("code", code),] += 1

    def batch(self, messages: int) -> None:
        """So many messages went into one transaction."""
        with self._lock:
            self._histograms["outlet_http_batch_messages"].observe(messages)

    def submitted(self, seconds: float) -> None:
        """A batch was stored, or could not be."""
        with self._lock:
            self._histograms["outlet_http_submit_seconds"].observe(seconds)

    def pumped(self, seconds: float) -> None:
        """The stages followed."""
        with self._lock:
            self._histograms["outlet_http_pump_seconds"].observe(seconds)

    def text(self, gauges: Mapping[str, float]) -> str:
        """All lines, with gauges that are read now."""
        lines: list[str] = []
        with self._lock:
            for name, help_text in _COUNTERS.items():
                lines += [f"# HELP {name} {help_text}", f"# TYPE {name} counter"]
                lines += [f"{name}{_labels(labels)} {count}" for labels, count in sorted(self._counters[name].items())]
            for name, histogram in self._histograms.items():
                lines += [f"# TYPE {name} histogram", *histogram.lines(name)]
        for name, value in gauges.items():
            lines += [f"# TYPE {name} gauge", f"{name} {value:g}"]
        return "\n".join([*lines, ""])


_COUNTERS: Final = {
    "outlet_http_requests_total": "Requests answered.",
    "outlet_http_limited_total": "Requests refused with 429, by what was exceeded.",
    "outlet_http_turned_away_total": "Requests to the intake that ended before their messages were taken.",
    "outlet_messages_total": "Messages by agency and outcome.",
    "outlet_refusals_total": "Refused messages by finding code.",
}


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
