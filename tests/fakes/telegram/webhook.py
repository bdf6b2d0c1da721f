"""Updates that are brought to the bot.

Source: `telegram-bot-api/WebhookActor.cpp`: updates of one queue (a kind and a chat) go one after the other, queues go
side by side over at most `max_connections`; any 2xx is the end of an update, anything else brings it again, at once
the first time and then ever later; an answer may name a method, which is called. The content type is
application/json, the secret stands in X-Telegram-Bot-Api-Secret-Token.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from tests.fakes.telegram.faults import Kind
from tests.fakes.telegram.inbox import Inbox, Timing, Update

Execute = Callable[[str, Mapping[str, Any]], None]
HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"}


@dataclass
class Webhook:
    """One webhook, from setWebhook to its end."""

    url: str
    secret: str
    max_connections: int
    inbox: Inbox
    timing: Timing
    execute: Execute
    last_error: str = ""
    last_error_date: int = 0
    _queues: dict[tuple[str, int], deque[Update]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.max_connections)
        self._session: aiohttp.ClientSession | None = None
        self._headers = {
            **HEADERS,
            **({"X-Telegram-Bot-Api-Secret-Token": self.secret} if self.secret else {}),
        }

    def start(self) -> None:
        """Bring what waits, and all that comes."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.max_connections),
            timeout=aiohttp.ClientTimeout(total=self.timing.webhook_answer),
        )
        self.inbox.offer = self.offer
        for update in self.inbox.pending():
            self.offer(update)

    async def stop(self) -> None:
        """Bring no more; what was not answered is kept for whoever comes next, who may have come already."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def offer(self, update: Update) -> None:
        """One more update."""
        queue = self._queues.get(update.queue)
        if queue is not None:
            _in_order(queue, update)
            return
        self._queues[update.queue] = deque([update])
        task = asyncio.get_running_loop().create_task(self._drain(update.queue))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drain(self, key: tuple[str, int]) -> None:
        """Bring the updates of one queue, each until it is taken."""
        queue = self._queues[key]
        while queue:
            update = queue[0]
            if self.inbox.has(update):
                await self._bring(update)
            queue.remove(update)
        del self._queues[key]

    async def _bring(self, update: Update) -> None:
        wait = self.timing.webhook_wait
        while not await self._post(update):
            update.tries += 1
            if update.tries > 1:
                await asyncio.sleep(wait)
                wait = min(2 * wait, self.timing.webhook_longest)
        if update.fault in {Kind.REPEAT, Kind.DUPLICATE}:
            self.inbox.faults.applied(update.fault)
            await self._post(update)
        if self.inbox.has(update):
            self.inbox.done([update.update_id])

    async def _post(self, update: Update) -> bool:
        """Whether it was answered 2xx."""
        assert self._session is not None
        async with self._places:
            self.inbox.given[update.update_id] += 1
            try:
                async with self._session.post(self.url, data=update.json, headers=self._headers) as answer:
                    body = await answer.read()
            except TimeoutError:
                return self._failed("Read timeout expired")
            except aiohttp.ClientConnectorError:
                return self._failed("Connection refused")
            except aiohttp.ClientError:
                return self._failed("Webhook connection closed")
        if not 200 <= answer.status <= 299:
            return self._failed(f"Wrong response from the webhook: {answer.status} {answer.reason}")
        self._carry_out(body)
        return True

    def _failed(self, why: str) -> bool:
        self.last_error, self.last_error_date = why, int(self.inbox.world.now())
        return False

    def _carry_out(self, body: bytes) -> None:
        """Call the method that an answer names."""
        if not body.startswith(b"{"):
            return
        try:
            given = orjson.loads(body)
        except orjson.JSONDecodeError:
            return
        if isinstance(given, dict) and isinstance(given.get("method"), str):
            self.execute(given.pop("method"), given)

    def same(self, url: str, secret: str, max_connections: int) -> bool:
        """Whether setting this one would change nothing."""
        return (self.url, self.secret, self.max_connections) == (url, secret, max_connections)

    @property
    def info(self) -> dict[str, Any]:
        """The WebhookInfo of the Bot API."""
        error = {"last_error_date": self.last_error_date, "last_error_message": self.last_error}
        return {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": self.inbox.waiting,
            "max_connections": self.max_connections,
            **(error if self.last_error else {}),
        }


def _in_order(queue: deque[Update], update: Update) -> None:
    """Behind those with smaller ids; the first may be on its way already."""
    at = len(queue)
    while at > 1 and queue[at - 1].update_id > update.update_id:
        at -= 1
    queue.insert(at, update)
