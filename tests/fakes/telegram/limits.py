"""How much is taken in how much time, measured where the messages arrive.

Source: Bots FAQ, «My bot is hitting limits»: about 30 messages a second overall, one a second in a chat with short
bursts, 20 a minute in a group. The sizes of the bursts are our own: the real ones are not told.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

ANY = 0  # the key of the bot as a whole; no chat has it


@dataclass(frozen=True, slots=True)
class Limits:
    """Rates are per second, `burst` is how many may come at once; a rate of 0 is no limit.

    `grace`: seconds after «retry after N» was said in which a request may already have been on its way.
    The last five are not about floods, but likewise bounds of the real server that a test may want to move.
    """

    overall_rate: float = 30
    overall_burst: float = 30
    private_rate: float = 1
    private_burst: float = 5
    group_rate: float = 20 / 60
    group_burst: float = 20
    grace: float = 0.05
    upload: int = 50 * 2**20
    photo: int = 10 * 2**20
    download: int = 20 * 2**20
    callback_lifetime: float = 60  # seconds; not sure: people tell of 15 s to some minutes
    set_webhook_pause: float = 1

    @classmethod
    def lifted(cls) -> "Limits":
        """No limit on floods, for benchmarks."""
        return cls(overall_rate=0, private_rate=0, group_rate=0, set_webhook_pause=0)


@dataclass(slots=True)
class Bucket:
    """Tokens that come back with time."""

    rate: float
    burst: float
    tokens: float
    at: float

    def wait(self, now: float) -> float:
        """Seconds until there is a whole token."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        return max(0.0, (1 - self.tokens - 1e-9) / self.rate)


@dataclass(slots=True)
class Meter:
    """Counts what is sent against the limits, and who was told to wait."""

    limits: Limits
    clock: Callable[[], float] = time.monotonic
    violations: list[str] = field(default_factory=list)
    _buckets: dict[int, Bucket] = field(default_factory=dict)
    _parked: dict[int, tuple[float, float]] = field(default_factory=dict)  # key → from when, until when

    def charge(self, chat_id: int, what: str, *, private: bool) -> int:
        """Take one token for the chat and one for all; otherwise the whole seconds to wait."""
        now = self.clock()
        if told := self._told(chat_id, what, now):
            return told
        buckets = [bucket for bucket in (self._overall(now), self._of(chat_id, now, private)) if bucket]
        wait = max((bucket.wait(now) for bucket in buckets), default=0.0)
        if wait > 0:
            slow = [bucket for bucket in buckets if bucket.wait(now) > 0]
            key = ANY if buckets[0] in slow and self.limits.overall_rate else chat_id
            self.violations.append(f"{what}: over the limit of {'the bot' if key == ANY else chat_id}")
            return self.park(key, max(1, math.ceil(wait)))
        for bucket in buckets:
            bucket.tokens -= 1
        return 0

    def park(self, key: int, seconds: int) -> int:
        """Tell a chat, or the bot, to wait; gives the seconds back."""
        now = self.clock()
        self._parked[key] = (now, now + seconds)
        return seconds

    def _told(self, chat_id: int, what: str, now: float) -> int:
        for key in (ANY, chat_id):
            if key not in self._parked:
                continue
            since, until = self._parked[key]
            if now >= until:
                del self._parked[key]
                continue
            if now > since + self.limits.grace:
                who = "the bot" if key == ANY else f"{chat_id}"
                self.violations.append(f"{what}: {until - now:.2f} s too early, {who} was told to wait")
            return max(1, math.ceil(until - now))
        return 0

    def _overall(self, now: float) -> Bucket | None:
        return self._bucket(ANY, self.limits.overall_rate, self.limits.overall_burst, now)

    def _of(self, chat_id: int, now: float, private: bool) -> Bucket | None:
        limits = self.limits
        if private:
            return self._bucket(chat_id, limits.private_rate, limits.private_burst, now)
        return self._bucket(chat_id, limits.group_rate, limits.group_burst, now)

    def _bucket(self, key: int, rate: float, burst: float, now: float) -> Bucket | None:
        if not rate:
            return None
        if key not in self._buckets:
            self._buckets[key] = Bucket(rate, burst, burst, now)
        return self._buckets[key]
