"""Sends what is to be said, in this process: replies at once after their commit, bulk in what room they leave.

One lane a channel. Of one chat one message is under way at a time, so that they arrive in order; of a channel at most
WORKERS. What became of them is written in batches.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from bot.budget import Budget
from bot.channels.base import Failure, NotSent, Sender, Trouble, parts
from bot.conversation import Conversation
from bot.logs import log
from bot.retry import TOO_MANY, Decision, decide
from handlers.messages import Message
from storage import leases, posts
from storage.errors import StoreUnavailable
from storage.posts import Mark, Post
from storage.unit_of_work import LEASE, Done, Turn

WORKERS = 32  # requests of one channel under way at once
MARKS_EVERY = 0.05  # seconds
POLL = 1.0  # seconds between looks for what other processes left
RENEW_EVERY = 20.0  # seconds
SHARE_EVERY = 5.0  # seconds between looks for who else sends
SHARE_LEASE = 15.0  # seconds for which a process that says nothing more counts among them
MOST_IN_HAND = 2_000  # rows; beyond, others' are left to others
MOST_TAKEN = 100  # rows taken up at once
BULK_LEASE = 15.0  # seconds for which one process is the only one to send bulk
RECALLED = 60.0  # seconds, the longest over which a channel counts
_TICK = 0.001  # seconds, the shortest a timer of uvloop can wait
AFTER_A_FAULT = 5.0  # seconds a chat waits after a fault of our own
STOPPING = 5.0  # seconds that what is under way is given at the end


@dataclass(slots=True, eq=False)
class Letter:
    """A row in hand, and how much of it was sent."""

    post: Post
    parts: list[Message] = field(default_factory=list)
    sent: int = 0


@dataclass(slots=True, eq=False)
class Chat:
    """What one address is still to get.

    `resting`: it waits for its time, or a request of its is under way; in the first case `alarm` ends the rest.
    """

    address: str
    letters: deque[Letter] = field(default_factory=deque)
    resting: bool = False
    alarm: asyncio.TimerHandle | None = None


class Lane:
    """One channel's way out of this process. All methods are called in the event loop."""

    def __init__(
        self, channel: Sender, conversation: Conversation, me: str, now: Callable[[], datetime]
    ) -> None:
        assert channel.can.rates is not None
        self._channel = channel
        self._name = channel.can.name
        # Who sends through this channel holds a duty whose name begins so.
        self._sends = f"send {channel.can.name} "
        self._duty = self._sends + sha256(me.encode()).hexdigest()[:16]
        self._conversation = conversation
        self._me = me
        self._now = now
        self._time = asyncio.get_running_loop().time
        self._rates = channel.can.rates
        self._budget = Budget(channel.can.rates)
        self._chats: dict[str, Chat] = {}
        self._ready: tuple[deque[Chat], deque[Chat]] = (deque(), deque())  # replies, bulk
        self._in_hand: set[int] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._stored: deque[Post] = deque()  # bulk that is taken up and not yet said to be sending
        self._marks: list[Mark] = []
        self._chores: list[asyncio.Task[None]] = []
        self._work = asyncio.Event()  # a mark is to be written
        self._room = asyncio.Event()  # more bulk may be taken up
        self._parked_until = 0.0
        self._later: tuple[float, asyncio.TimerHandle] | None = None  # when the next look is due
        self._sending = 0  # bulk rows in the chats
        self._leads_until = 0.0
        self._stopping = False
        self.trouble: str | None = None

    # Life

    async def start(self) -> None:
        """Go on with what a process of this name left, then keep looking; raises StoreUnavailable."""
        name, me, now = self._name, self._me, self._now()
        with suppress(StoreUnavailable):  # somebody writes for long: not this process's own former life
            await self._conversation.run(posts.let_finish)
        doubtful = await self._conversation.run(lambda connection: posts.doubt(connection, name, me, now))
        if doubtful:
            log.warning("messages were being sent when the process ended", channel=name, count=doubtful)
        own = await self._conversation.run(lambda connection: posts.take_up_own(connection, name, me))
        self._in_hand.update(post.id for post in own)
        self._stored.extend(post for post in own if post.bulk)
        await self._share()
        await self._recall(own, now)
        self.take([post for post in own if not post.bulk])
        for chore in (
            self._write_marks,
            self._look_for_replies,
            self._send_bulk,
            self._renew,
            self._keep_to_share,
        ):
            self._chores.append(asyncio.create_task(_again_and_again(chore), name=f"{name} {chore.__name__}"))

    async def _recall(self, own: Sequence[Post], now: datetime) -> None:
        """Count what left before this process began, and what may have: limits do not begin anew with a process."""
        name, since, time = self._name, now - timedelta(seconds=RECALLED), self._time()
        sent = await self._conversation.run(lambda connection: posts.sent_since(connection, name, since))
        for address, sent_at, message in sent:
            for _ in parts(message, self._channel.can):
                self._spend(address, time - (now - sent_at).total_seconds(), bulk=False)
        perhaps: Counter[str] = Counter()
        for post in own:
            perhaps[post.address] += len(parts(post.message, self._channel.can))
        for address, count in perhaps.items():
            for _ in range(min(count, self._rates.chat_burst)):
                self._spend(address, time, bulk=False)

    def _spend(self, address: str, at: float, *, bulk: bool) -> None:
        self._budget.spend(address, at, group=self._channel.is_group(address), bulk=bulk)

    async def stop(self) -> None:
        """Finish what is under way, write what became of it; what is not begun stays in this process's name."""
        self._stopping = True
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=STOPPING)
        for task in [*self._chores, *self._under_way]:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._later:
            self._later[1].cancel()
        duty, me = self._duty, self._me
        with suppress(StoreUnavailable):
            await self._flush()
            await self._conversation.run(lambda connection: leases.give_up(connection, duty, me))

    # What is to be sent

    def take(self, some: Iterable[Post]) -> None:
        """Send these, each chat's in their order."""
        for post in some:
            self._in_hand.add(post.id)
            chat = self._chats.get(post.address)
            if chat is None:
                chat = self._chats[post.address] = Chat(post.address)
            self._queue(chat, post)
        self._pump()

    def _queue(self, chat: Chat, post: Post) -> None:
        if post.replaces and (older := self._replaced(chat, post.replaces)):
            chat.letters.remove(older)
            self._settle(older, "skipped", reason="replaced")
        letter = Letter(post)
        at = len(chat.letters) if post.bulk else self._before_bulk(chat)
        chat.letters.insert(at, letter)
        if at == 0 and chat.alarm:  # bulk waits for its next try; nobody's answer waits for bulk
            chat.alarm.cancel()
            self._rested(chat)
        elif at == 0 and not chat.resting:
            self._ready[post.bulk].append(chat)

    def _before_bulk(self, chat: Chat) -> int:
        """Where a reply goes: behind the replies, before all bulk but what is under way or half sent."""
        is_under_way = chat.resting and chat.alarm is None
        return next(
            (
                place
                for place, one in enumerate(chat.letters)
                if one.post.bulk and not one.sent and (place or not is_under_way)
            ),
            len(chat.letters),
        )

    def _replaced(self, chat: Chat, replaces: str) -> Letter | None:
        """An answer to an earlier tap on the same message that has not left: nobody need see it any more."""
        is_under_way = chat.resting and chat.alarm is None
        waiting = list(chat.letters)[1:] if is_under_way else list(chat.letters)
        last = waiting[-1] if waiting else None
        return last if last and last.post.replaces == replaces and not last.sent else None

    # Out

    def _pump(self) -> None:
        """Start as many requests as there are workers and room in the budget."""
        while any(self._ready) and len(self._under_way) < WORKERS and not self._stopping:
            now = self._time()
            wait = max(self._parked_until - now, self._budget.wait(now, bulk=False))
            if wait > 0:
                self._pump_in(wait)
                return
            chat = self._next(now)
            if chat is None:
                return
            self._begin(chat, now)

    def _pump_in(self, seconds: float) -> None:
        """Look again then, unless a look is due before."""
        loop = asyncio.get_running_loop()
        when = loop.time() + max(seconds, _TICK)
        if self._later:
            due, handle = self._later
            if due <= when:
                return
            handle.cancel()
        self._later = when, loop.call_at(when, self._look)

    def _look(self) -> None:
        self._later = None
        self._pump()

    def _next(self, now: float) -> Chat | None:
        """The chat whose turn it is: replies first."""
        for bulk in (False, True):
            ready = self._ready[bulk]
            while ready:
                if bulk and (wait := self._budget.wait(now, bulk=True)):
                    self._pump_in(wait)
                    return None
                chat = ready.popleft()
                if chat.resting or not chat.letters or chat.letters[0].post.bulk is not bulk:
                    continue
                if wait := self._budget.wait_for(chat.address, now):
                    self._rest(chat, wait)
                    continue
                return chat
        return None

    def _rest(self, chat: Chat, seconds: float) -> None:
        chat.resting = True
        chat.alarm = asyncio.get_running_loop().call_later(max(seconds, _TICK), self._rested, chat)

    def _rested(self, chat: Chat) -> None:
        chat.resting, chat.alarm = False, None
        if chat.letters:
            self._ready[chat.letters[0].post.bulk].append(chat)
        elif self._chats.get(chat.address) is chat:
            del self._chats[chat.address]
        self._pump()

    def _begin(self, chat: Chat, now: float) -> None:
        chat.resting = True
        letter = chat.letters[0]
        self._spend(chat.address, now, bulk=letter.post.bulk)
        task = asyncio.create_task(self._send(chat, letter))
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("delivery failed", channel=self._name, exc_info=error)
        self._pump()

    async def _send(self, chat: Chat, letter: Letter) -> None:
        """Send one part of a letter and decide what comes next in its chat; whatever happens, the chat goes on."""
        wait = AFTER_A_FAULT
        try:
            wait = await self._tried(chat, letter)
        finally:
            if wait:
                self._rest(chat, wait)
            else:
                self._rested(chat)

    async def _tried(self, chat: Chat, letter: Letter) -> float:
        """Send it; gives back how long the chat must wait."""
        began = self._now()
        try:
            letter.parts = letter.parts or parts(letter.post.message, self._channel.can)
            replaces = None if letter.sent else letter.post.replaces
            await self._channel.send(chat.address, letter.parts[letter.sent], replaces)
        except NotSent as not_sent:
            return await self._failed(chat, letter, not_sent.failure, began)
        except Exception as error:  # noqa: BLE001  one message must not stop the others
            log.error("message could not be sent", channel=self._name, post=letter.post.id, exc_info=error)
            return await self._failed(chat, letter, Failure(Trouble.IN_DOUBT, type(error).__name__), began)
        self.trouble = None
        letter.sent += 1
        if letter.sent == len(letter.parts):
            chat.letters.popleft()
            self._settle(letter, "sent")
        return 0.0

    async def _failed(self, chat: Chat, letter: Letter, failure: Failure, began: datetime) -> float:
        """Write what the failure of a try that began then means; gives back how long the chat must wait."""
        post, now = letter.post, self._now()
        decision = decide(failure, post.tries, now - post.at, bulk=post.bulk)
        log.warning(
            "message not sent", channel=self._name, post=post.id, why=failure.reason, then=decision.status
        )
        if failure.to:
            await self._move(chat, failure.to)
        if decision.park:
            self.trouble = failure.reason
            self._parked_until = max(self._parked_until, self._time() + decision.park)
        if decision.status == "retry_at":
            letter.post = _tried(post, decision)
            self._mark(letter, decision, now + timedelta(seconds=decision.wait) + LEASE)
            if decision.park:  # at once: a process that ended now would begin again too early
                await self._written(self._flush)
            return decision.wait
        chat.letters.popleft()
        self._settle(letter, decision.status, decision.tries, decision.reason)
        if decision.blocks:
            await self._block(chat, decision.reason, began)
        return 0.0

    async def _block(self, chat: Chat, reason: str, as_of: datetime) -> None:
        """Leave the address alone, in the database and here, but for what answers somebody who wrote since then."""
        name, address, now = self._name, chat.address, self._now()
        await self._written(
            lambda: self._conversation.run(
                lambda connection: posts.block(connection, name, address, reason, now, as_of)
            )
        )
        waiting, chat.letters = chat.letters, deque()
        for letter in waiting:
            if letter.post.at > as_of:
                chat.letters.append(letter)
            else:
                self._let_go(letter)

    async def _move(self, chat: Chat, to: str) -> None:
        name, address = self._name, chat.address
        await self._written(
            lambda: self._conversation.run(lambda connection: posts.move(connection, name, address, to))
        )
        del self._chats[address]
        chat.address = to
        if there := self._chats.get(to):  # somebody was spoken to under the new name already
            there.letters.extend(chat.letters)
            chat.letters.clear()
        else:
            self._chats[to] = chat

    async def _written(self, write: Callable[[], Awaitable[object]]) -> None:
        """Write; when the store cannot, it is learnt again from the channel's next answer."""
        try:
            await write()
        except StoreUnavailable as error:
            log.warning("the outbox cannot be reached", error=str(error))
        except Exception as error:  # noqa: BLE001  the chat must go on
            log.error("an answer of the channel could not be kept", channel=self._name, exc_info=error)

    # What became of it

    def _settle(
        self, letter: Letter, status: posts.End, tries: int | None = None, reason: str | None = None
    ) -> None:
        post = letter.post
        self._marks.append(Mark(post.id, status, self._now(), post.tries if tries is None else tries, reason))
        self._let_go(letter)
        self._work.set()

    def _mark(self, letter: Letter, decision: Decision, due_at: datetime) -> None:
        self._marks.append(
            Mark(letter.post.id, decision.status, self._now(), decision.tries, decision.reason, due_at)
        )
        self._work.set()

    def _let_go(self, letter: Letter) -> None:
        self._in_hand.discard(letter.post.id)
        if letter.post.bulk:
            self._sending -= 1
            self._room.set()

    async def _write_marks(self) -> None:
        await self._work.wait()
        await asyncio.sleep(MARKS_EVERY)
        await self._flush()

    async def _flush(self) -> None:
        self._work.clear()
        marks, self._marks = self._marks, []
        last = {one.id: one for one in marks}  # of one row the last word counts
        if not last:
            return
        try:
            await self._conversation.run(lambda connection: posts.mark(connection, list(last.values())))
        except Exception:  # whatever it is, no mark is lost by it
            self._marks = marks + self._marks
            self._work.set()
            raise

    # What others left, and what nobody has begun

    async def _look_for_replies(self) -> None:
        await asyncio.sleep(POLL)
        if len(self._in_hand) < MOST_IN_HAND:
            self.take(await self._take_up(bulk=False))

    async def _take_up(self, *, bulk: bool) -> Sequence[Post]:
        name, me, now = self._name, self._me, self._now()
        found: list[Post] = await self._conversation.run(
            lambda connection: posts.take_up(
                connection, name, me, now, now + LEASE, bulk=bulk, most=MOST_TAKEN
            )
        )
        mine = [post for post in found if post.id not in self._in_hand]
        self._in_hand.update(post.id for post in mine)
        return mine

    async def _send_bulk(self) -> None:
        """Keep the workers in bulk: take rows up, say that they are being sent, send them."""
        if len(self._stored) < WORKERS and await self._leads():
            self._stored.extend(await self._take_up(bulk=True))
        if not self._stored:
            await asyncio.sleep(POLL)
            return
        room = WORKERS - self._sending
        if room < WORKERS // 2:
            self._room.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), POLL)
            return
        some = [self._stored.popleft() for _ in range(min(room, len(self._stored)))]
        me = self._me
        begun: set[int] = await self._conversation.run(
            lambda connection: posts.begin_sending(connection, me, [post.id for post in some])
        )
        self._in_hand.difference_update(post.id for post in some if post.id not in begun)
        self._sending += len(begun)
        self.take([post for post in some if post.id in begun])

    async def _leads(self) -> bool:
        """Whether this process is the one to send bulk; its lease is taken again when half of it is over."""
        duty, me = f"bulk {self._name}", self._me
        if self._time() < self._leads_until - BULK_LEASE / 2:
            return True
        asked = self._time()
        found: bool = await self._conversation.run(
            lambda connection: leases.take(connection, duty, me, BULK_LEASE)
        )
        self._leads_until = asked + BULK_LEASE if found else 0.0
        return found

    async def _renew(self) -> None:
        await asyncio.sleep(RENEW_EVERY)
        ids, me, until = list(self._in_hand), self._me, self._now() + LEASE
        if ids:
            await self._conversation.run(lambda connection: posts.renew(connection, me, ids, until))
        name, now = self._name, self._now()
        doubtful = await self._conversation.run(lambda connection: posts.doubt(connection, name, None, now))
        if doubtful:
            log.warning("messages were being sent when a process ended", channel=name, count=doubtful)

    async def _keep_to_share(self) -> None:
        await asyncio.sleep(SHARE_EVERY)
        await self._share()

    async def _share(self) -> None:
        """Count the processes that send, keep to our part of what the channel lets through, and hear what others heard."""
        name, duty, sends, me = self._name, self._duty, self._sends, self._me

        def counted(connection: sa.Connection) -> tuple[int, datetime | None]:
            leases.take(connection, duty, me, SHARE_LEASE)
            return leases.count(connection, sends), posts.told_to_wait(connection, name, TOO_MANY)

        among, until = await self._conversation.run(counted)
        self._budget.share(max(1, among))
        if until:
            left = (until - LEASE - self._now()).total_seconds()
            self._parked_until = max(self._parked_until, self._time() + left)


class Delivery:
    """Every lane of this process."""

    def __init__(
        self, channels: Sequence[Sender], conversation: Conversation, me: str, now: Callable[[], datetime]
    ) -> None:
        self._lanes = {channel.can.name: Lane(channel, conversation, me, now) for channel in channels}
        conversation.on_settled(self._settled)
        for name in self._lanes:
            conversation.sends(name, me)

    @property
    def lanes(self) -> Mapping[str, Lane]:
        """The lane of each channel."""
        return self._lanes

    async def start(self) -> None:
        """Begin to send; raises StoreUnavailable."""
        for lane in self._lanes.values():
            await lane.start()

    async def stop(self) -> None:
        """Finish what is under way."""
        for lane in self._lanes.values():
            await lane.stop()

    def _settled(self, turn: Turn, done: Done) -> None:
        lane = self._lanes.get(turn.channel)
        if lane and done.lines:
            lane.take(
                Post(number, turn.address, message, turn.at, replaces=None if place else done.replaces)
                for place, (number, message) in enumerate(done.lines)
            )


def _tried(post: Post, decision: Decision) -> Post:
    return Post(post.id, post.address, post.message, post.at, post.bulk, decision.tries, post.replaces)


async def _again_and_again(chore: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do it for ever; a store that cannot be reached is tried again."""
    while True:
        try:
            await chore()
        except StoreUnavailable as error:
            log.warning("the outbox cannot be reached", error=str(error))
            await asyncio.sleep(POLL)
        except Exception as error:  # noqa: BLE001  a chore that ends would silence the channel
            log.error("a chore of delivery failed", exc_info=error)
            await asyncio.sleep(POLL)
