"""Fetches updates itself: a batch is taken at once, and only what is kept is acknowledged by the next call."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from telegram import Bot
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.channels.telegram.can import TELEGRAM
from bot.channels.telegram.failures import failure
from bot.channels.telegram.intake import Intake
from bot.channels.telegram.receive import ALLOWED
from bot.conversation import Conversation
from bot.logs import log
from storage import leases
from storage.errors import StoreUnavailable

WAIT = 10  # seconds one call waits for news
LEASE = 60.0  # seconds; much longer than a call
AGAIN = 1.0  # seconds after a failure, doubled up to
LONGEST = 30.0


class Polling:
    """One poller of a token over all processes: whoever holds the lease."""

    def __init__(
        self,
        bot: Bot,
        intake: Intake,
        conversation: Conversation,
        me: str,
        tell: Callable[[str], None],
    ) -> None:
        self._bot = bot
        self._intake = intake
        self._conversation = conversation
        self._me = me
        self._tell = tell
        self._duty = f"poll {TELEGRAM.name}"
        self._offset: int | None = None
        self._leads_until = 0.0
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Fetch and take until `stop`."""
        wait = AGAIN
        while not self._stopping.is_set():
            try:
                if not await self._leads():
                    self._tell("another process polls")
                    await self._rest(LEASE / 3)
                    continue
                await self._round()
                self._tell("open")
                wait = AGAIN
            except StoreUnavailable as error:
                log.warning("updates not taken, they come again", error=str(error))
                await self._rest(AGAIN)
            except TelegramError as error:
                self._tell(_why(error))
                log.warning("no updates", why=_why(error))
                if _is_webhook(error):
                    await self._remove_webhook()
                await self._rest(_wait(error, wait))
                wait = min(LONGEST, wait * 2)
            except Exception as error:  # noqa: BLE001  a poller that ends would silence everybody
                self._tell(f"polling failed: {type(error).__name__}")
                log.error("polling failed", exc_info=error)
                await self._rest(wait)
                wait = min(LONGEST, wait * 2)

    async def _round(self) -> None:
        updates = await self._fetch()
        if not updates:
            return
        took = await asyncio.gather(*map(self._intake.take, updates), return_exceptions=True)
        for error in took:
            if isinstance(error, BaseException):
                raise error
        self._offset = max(update["update_id"] for update in updates) + 1

    async def _fetch(self) -> list[dict[str, Any]]:
        asked = {"timeout": WAIT, "limit": 100, "allowed_updates": list(ALLOWED)}
        if self._offset is not None:
            asked["offset"] = self._offset
        fetching = asyncio.ensure_future(
            self._bot.do_api_request("GetUpdates", asked, read_timeout=WAIT + 5.0)
        )
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({fetching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not fetching.done():
            fetching.cancel()
            return []
        found: list[dict[str, Any]] = fetching.result()
        return found

    async def _remove_webhook(self) -> None:
        """A webhook that somebody set keeps updates from us."""
        with suppress(TelegramError):
            await self._bot.do_api_request("DeleteWebhook")

    async def _leads(self) -> bool:
        """Whether this process is the one to poll; its lease is taken again when a third of it is over."""
        duty, me, now = self._duty, self._me, asyncio.get_running_loop().time()
        if now < self._leads_until - LEASE * 2 / 3:
            return True
        found: bool = await self._conversation.run(
            lambda connection: leases.take(connection, duty, me, LEASE)
        )
        self._leads_until = now + LEASE if found else 0.0
        return found

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def stop(self) -> None:
        """End the running call and let another process poll."""
        self._stopping.set()
        duty, me = self._duty, self._me
        with suppress(StoreUnavailable):
            await self._conversation.run(lambda connection: leases.give_up(connection, duty, me))


def _wait(error: TelegramError, otherwise: float) -> float:
    if isinstance(error, RetryAfter):
        return failure(error).seconds
    return LONGEST if isinstance(error, InvalidToken) else otherwise


def _is_webhook(error: TelegramError) -> bool:
    return isinstance(error, Conflict) and "webhook" in error.message.lower()


def _why(error: TelegramError) -> str:
    if _is_webhook(error):
        return "somebody set a webhook for this token"
    if isinstance(error, Conflict):
        return "another program polls with this token"
    return failure(error).reason
