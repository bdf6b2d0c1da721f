"""How fast one visitor may write: a bucket that fills again, kept in memory because it guards this process only."""

from collections import OrderedDict

_MOST_KEYS = 100_000


class Limit:
    """At most `per_minute` for each key; a full bucket may be spent at once."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._rate = per_minute / 60
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def knows(self, key: str) -> bool:
        """Whether this key spent anything here before."""
        return key in self._buckets

    def wait(self, key: str, now: float) -> float:
        """Spend one, or say how many seconds to wait; `now` is a monotonic time in seconds."""
        left, since = self._buckets.pop(key, (self._most, now))
        left = min(self._most, left + (now - since) * self._rate)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now)
        if len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._rate
