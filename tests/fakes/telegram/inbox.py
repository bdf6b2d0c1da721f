"""Updates that wait for the bot, and who fetches them.

Source: Bot API, «Getting updates», and `Client::do_get_updates`, `process_get_updates_query`, `abort_long_poll`:
an offset forgets everything before it; a negative one keeps the last few; one too far ahead (more than ten) counts
as none; a second poll ends the first with 409 only once it has to wait itself; an answer holds at most 4 MB; the same
offset asked for twice within half a second gets one update.
"""

import asyncio
from bisect import bisect_left, insort
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.fakes.telegram.chats import Signal, World
from tests.fakes.telegram.faults import Faults, Kind
from tests.fakes.telegram.refusals import OTHER_POLL, OTHER_WEBHOOK, Refusal, conflict

KINDS = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "managed_bot",
    "guest_message",
)
UNASKED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
LONGEST_POLL = 50
LARGEST_ANSWER = 1 << 22


@dataclass(slots=True, eq=False)
class Update:
    """One update; `queue` is what a webhook keeps in order, `moment` when it came about."""

    update_id: int
    kind: str
    chat_id: int
    queue: tuple[str, int]
    json: bytes
    moment: int
    fault: Kind | None = None
    tries: int = 0


@dataclass(slots=True)
class Timing:
    """Seconds; those of the real server stand behind. Tests want short ones.

    `conflict`: between two 409 (3). `webhook_wait`: before the second and later tries, doubled each time (1 → 2, 4 …).
    `webhook_longest`: the longest such wait (60 to 120). `webhook_answer`: until an answer is given up (not told).
    `repeated_poll`: the shortest poll that asks for the same offset again within 3 s (3).
    """

    conflict: float = 0.05
    webhook_wait: float = 0.02
    webhook_longest: float = 0.5
    webhook_answer: float = 60
    repeated_poll: float = 0


@dataclass
class Inbox:
    """The queue. `given` counts how often each update was handed over; `forgotten` were dropped unread."""

    world: World
    faults: Faults
    timing: Timing
    first: int
    acknowledged: deque[int]
    given: Counter[int] = field(default_factory=Counter)
    forgotten: list[int] = field(default_factory=list)
    allowed: frozenset[str] = frozenset(KINDS) - UNASKED
    changed: Signal = field(default_factory=Signal)
    offer: Callable[[Update], None] | None = None  # the webhook, while one is set

    def __post_init__(self) -> None:
        self._next = self.first
        self._pending: dict[int, Update] = {}
        self._order: list[int] = []
        self._again: list[Update] = []
        self._gap: tuple[int, Update] | None = None
        self._poll: asyncio.Future[None] | None = None
        self._next_conflict = self._last_poll_at = 0.0
        self._last_offset: int | None = None
        self.moments: dict[int, int] = {}

    @property
    def waiting(self) -> int:
        """How many updates are not acknowledged."""
        return len(self._pending)

    @property
    def polled(self) -> bool:
        """Whether a poll waits."""
        return self._poll is not None

    @property
    def idle(self) -> bool:
        """Whether everything was acknowledged and nothing is to be given again."""
        return not self._pending and not self._again

    def has(self, update: Update) -> bool:
        """Whether it still waits."""
        return update.update_id in self._pending

    def pending(self) -> list[Update]:
        """What is not acknowledged, in order."""
        return [self._pending[number] for number in self._order]

    def add(self, kind: str, body: Any, chat_id: int, queue: tuple[str, int] | None = None) -> int:
        """A new update; its id, 0 if the bot did not ask for this kind."""
        if kind in KINDS and kind not in self.allowed:
            return 0
        fault = self.faults.of_event(kind, chat_id)
        number = self._number(chat_id, fault.kind if fault else None)
        json = b'{"update_id":%d,"%s":%s}' % (number, kind.encode(), orjson.dumps(body))
        update = Update(number, kind, chat_id, queue or (kind, chat_id), json, self.world.tick())
        if fault is not None:
            update.fault = fault.kind
        if self._gap is not None and self._gap[1] is _RESERVED:
            self._gap = (self._gap[0], update)
        self._keep(update)
        return number

    def _number(self, chat_id: int, fault: Kind | None) -> int:
        """The next id; one that is swapped leaves its own to the next update, if that comes before it is fetched."""
        gap, self._gap = self._gap, None
        if gap is not None and self._fits(gap[1], chat_id):
            self.faults.applied(gap[1].fault or Kind.SWAP)
            return gap[0]
        self._next += 1
        if fault in {Kind.SWAP, Kind.SWAP_WITHIN}:
            self._gap = (self._next - 1, _RESERVED)
            self._next += 1
        return self._next - 1

    def _fits(self, other: Update, chat_id: int) -> bool:
        unread = other.update_id in self._pending and not self.given[other.update_id]
        return unread and (other.chat_id == chat_id) == (other.fault is Kind.SWAP_WITHIN)

    def _keep(self, update: Update) -> None:
        self._pending[update.update_id] = update
        insort(self._order, update.update_id)
        self.moments[update.update_id] = update.moment
        if self.offer is not None:
            self.offer(update)
        elif self._poll is not None:
            asyncio.get_running_loop().call_soon(self._wake)

    def _wake(self) -> None:
        if self._poll is not None:
            _finish(self._poll)

    def done(self, update_ids: Iterable[int]) -> None:
        """These were taken."""
        for number in update_ids:
            update = self._pending.pop(number)
            del self._order[bisect_left(self._order, number)]
            self.acknowledged.append(number)
            if update.fault is Kind.DUPLICATE and self.offer is None:
                update.fault = None
                self.faults.applied(Kind.DUPLICATE)
                self._again.append(update)
        self.changed.ring()

    def drop(self, keep: int = 0) -> None:
        """Forget what waits, but for the last `keep`."""
        gone = self._order[: len(self._order) - keep]
        self.forgotten.extend(gone)
        for number in gone:
            del self._pending[number]
        self._order = self._order[len(gone) :]
        if not keep:
            self._again.clear()
        self.changed.ring()

    async def poll(self, offset: int, limit: int, timeout: float, stands: Callable[[], bool]) -> bytes:  # noqa: ASYNC109
        """Answer getUpdates: the updates as a JSON array. `stands` says whether the client is still there."""
        loop = asyncio.get_running_loop()
        since = loop.time() - self._last_poll_at
        repeated = offset == self._last_offset
        self._last_offset, self._last_poll_at = offset, loop.time()
        if repeated and since < 3:
            timeout = max(timeout, self.timing.repeated_poll)
        if repeated and since < 0.5:
            limit = 1
        offset = self._forget(offset)
        if not self._ready(offset) and timeout:
            await self._wait(timeout)
        return self._take(offset, limit) if stands() else b"[]"

    async def _wait(self, timeout: float) -> None:  # noqa: ASYNC109
        """Wait for an update; whoever waited before is told off."""
        self.end_poll(conflict(OTHER_POLL))
        loop = asyncio.get_running_loop()
        mine = self._poll = loop.create_future()
        self.changed.ring()
        end = loop.call_later(min(timeout, LONGEST_POLL), _finish, mine)
        try:
            await mine
        except Refusal as told:
            if told.code == 409:
                await self._pause()
            raise
        finally:
            end.cancel()
            if self._poll is mine:
                self._poll = None

    async def _pause(self) -> None:
        """Conflicts after the first are told slowly. Source: `fail_query_conflict`."""
        now = asyncio.get_running_loop().time()
        if now >= self._next_conflict:
            self._next_conflict = now + self.timing.conflict
        else:
            await asyncio.sleep(self.timing.conflict)

    def end_poll(self, refusal: Refusal | None = None) -> None:
        """End the poll that waits: with nothing, or with a refusal."""
        if self._poll is not None and not self._poll.done():
            if refusal is None:
                _finish(self._poll)
            else:
                self._poll.set_exception(refusal)
        self._poll = None

    def give_way(self) -> None:
        """A webhook takes over."""
        self.end_poll(conflict(OTHER_WEBHOOK))

    def _forget(self, offset: int) -> int:
        if offset < 0:
            self.drop(keep=min(-offset, len(self._order)))
        if offset <= 0 or offset > self._next + 10:
            return 0
        self.done(self._order[: bisect_left(self._order, offset)])
        return offset

    def _ready(self, offset: int) -> bool:
        return bool(self._again) or (bool(self._order) and self._order[-1] >= offset)

    def _take(self, offset: int, limit: int) -> bytes:
        again, self._again = self._again[:limit], self._again[limit:]
        start = bisect_left(self._order, offset)
        fresh = [self._pending[number] for number in self._order[start : start + limit]]
        taken: list[bytes] = []
        left = LARGEST_ANSWER
        for update in (again + fresh)[:limit]:
            left -= 50 + len(update.json)
            if left <= 0:
                break
            self.given[update.update_id] += 1
            taken.append(update.json)
        if again:
            self.changed.ring()
        return b"[" + b",".join(taken) + b"]"


def _finish(poll: asyncio.Future[None]) -> None:
    if not poll.done():
        poll.set_result(None)


_RESERVED = Update(0, "", 0, ("", 0), b"", 0)
