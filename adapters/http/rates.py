"""Token buckets, in memory: how much one agency or one address may send. Used by the event loop's thread alone."""

import math
from collections import OrderedDict
from dataclasses import dataclass

from adapters.http.settings import Rate


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimiter:
    """A bucket for each name. The least recently used names are forgotten beyond `most_names`: forgetting refills."""

    def __init__(self, rate: Rate, most_names: int) -> None:
        """Begin with every bucket full."""
        self._rate = rate
        self._most_names = most_names
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str, cost: float, now_seconds: float) -> float:
        """Take tokens; return 0, or the seconds to wait when there are not enough (nothing is taken then).

        What costs more than a full bucket holds is let through by a full one, which then owes the rest: a limit on
        the size of one request is not this one's business. `now_seconds` is a monotonic clock's.
        """
        bucket = self._filled(name, now_seconds)
        due = min(cost, self._rate.burst)
        if bucket.tokens < due:
            return (due - bucket.tokens) / self._rate.per_second
        bucket.tokens -= cost
        return 0.0

    def wait_seconds(self, name: str, cost: float, now_seconds: float) -> float:
        """How long until so many tokens could be taken; nothing is taken. A name never seen has a full bucket."""
        if name not in self._buckets:
            return 0.0
        return max(0.0, (min(cost, self._rate.burst) - self._filled(name, now_seconds).tokens) / self._rate.per_second)

    def charge(self, name: str, cost: float, now_seconds: float) -> None:
        """Take tokens without asking; at most a bucket's worth is owed."""
        bucket = self._filled(name, now_seconds)
        bucket.tokens = max(bucket.tokens - cost, -self._rate.burst)

    def _filled(self, name: str, now_seconds: float) -> _Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = _Bucket(self._rate.burst, now_seconds)
            if len(self._buckets) > self._most_names:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end(name)
        passed = max(0.0, now_seconds - bucket.filled_at)
        bucket.tokens = min(self._rate.burst, bucket.tokens + passed * self._rate.per_second)
        bucket.filled_at = now_seconds
        return bucket


def whole_seconds(seconds: float) -> str:
    """For `Retry-After`: whole seconds, at least one."""
    return str(max(1, math.ceil(seconds)))
