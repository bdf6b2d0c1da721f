"""How much may be sent now: limits obeyed before they are hit. Times are monotonic seconds."""

from collections import OrderedDict, deque

from bot.channels.base import Rates

_MARGIN = 0.005  # seconds by which a window is longer than the channel's: two clocks, one wire
_MOST_CHATS = 100_000


class Window:
    """At most `most` in any `seconds`."""

    def __init__(self, most: float, seconds: float) -> None:
        self._seconds = seconds + _MARGIN
        self._last: deque[float] = deque(maxlen=max(1, int(most)))
        self._most = self._last.maxlen or 1

    def wait(self, now: float) -> float:
        """How long until one more may go, 0.0 for now."""
        if len(self._last) < self._most:
            return 0.0
        return max(0.0, self._last[-self._most] + self._seconds - now)

    def share(self, among: int) -> None:
        """From now on only an equal part of the room is ours."""
        self._most = max(1, (self._last.maxlen or 1) // among)

    def spend(self, now: float) -> None:
        """One went."""
        self._last.append(now)


class Pace:
    """One every so often, and up to `burst` at once after a rest."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._every = self._alone = 1 / per_second
        self._burst = burst
        self._slack = (burst - 1) * self._every
        self._next = float("-inf")  # when the next one would go if there were no burst

    def wait(self, now: float) -> float:
        """How long until one more may go, 0.0 for now."""
        return max(0.0, self._next - self._slack - now)

    def spend(self, now: float) -> None:
        """One went."""
        self._next = max(now, self._next) + self._every

    def share(self, among: int) -> None:
        """From now on only an equal part of the room is ours."""
        self._every = self._alone * among
        self._slack = (max(1, self._burst // among) - 1) * self._every


class Budget:
    """What one channel lets through: over all, to each chat, to each group.

    Bulk is spread evenly over each second, so that a reply finds room at once.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._overall = Window(rates.per_second, 1.0)
        self._bulk = Pace(rates.per_second, 1)
        self._chats: OrderedDict[str, Window | Pace] = OrderedDict()
        self._among = 1

    def wait(self, now: float, *, bulk: bool) -> float:
        """How long until anything may be sent to anybody."""
        return max(self._overall.wait(now), self._bulk.wait(now) if bulk else 0.0)

    def wait_for(self, chat: str, now: float) -> float:
        """How long until something may be sent to this chat, 0.0 for now."""
        found = self._chats.get(chat)
        return found.wait(now) if found else 0.0

    def spend(self, chat: str, now: float, *, group: bool, bulk: bool) -> None:
        """Something is sent to this chat."""
        self._overall.spend(now)
        self._bulk.spend(now)  # what replies took is not there for bulk
        found = self._chats.pop(chat, None) or self._new(group=group)
        found.spend(now)
        self._chats[chat] = found
        if len(self._chats) > _MOST_CHATS:
            self._chats.popitem(last=False)

    def share(self, among: int) -> None:
        """Other processes send through the same channel: each keeps to its part of what it lets through in all."""
        if among == self._among:
            return
        self._among = among
        for one in (self._overall, self._bulk, *self._chats.values()):
            one.share(among)

    def _new(self, *, group: bool) -> Window | Pace:
        made: Window | Pace
        if group:
            made = Window(self._rates.group_per_minute, 60.0)
        else:
            made = Pace(self._rates.per_chat, self._rates.chat_burst)
        made.share(self._among)
        return made
