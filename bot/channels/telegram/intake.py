"""From an update to what became of it: read, kept in order for each chat, taken, acknowledged to the one who tapped."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from telegram import Bot
from telegram.error import TelegramError

from bot.channels.telegram.can import TELEGRAM
from bot.channels.telegram.newest import Newest
from bot.channels.telegram.receive import Membership, Moved, Nothing, Reader, Said, TappedInGroup
from bot.channels.telegram.request import AiohttpRequest
from bot.conversation import Conversation, Inbound
from bot.logs import log
from bot.received import LARGEST, LOOKED_AT, received, too_large
from content.catalogue import Catalogue
from handlers.dialogue import SentFile, Unreadable
from storage import posts
from storage.errors import StoreUnavailable

TYPING_AFTER = 0.7  # seconds of thought before «typing…» is shown
FETCHING = 2.0  # seconds to look into a file: whoever came in the same batch waits for it
NOBODY = "unknown"  # where an update that names no chat is kept
NOT_FETCHED = 60.0  # seconds for which files are taken by their names after one was too slow
TRIES = 3  # an update that fails so often is kept as failed


class Intake:
    """Takes updates as plain values; returns when each is kept, or was found to be nobody's."""

    def __init__(
        self,
        bot: Bot,
        reader: Reader,
        conversation: Conversation,
        say: Catalogue,
        now: Callable[[], datetime],
        newest: Newest,
        files: AiohttpRequest,
    ) -> None:
        self._bot = bot
        self._files = files
        self._reader = reader
        self._conversation = conversation
        self._say = say
        self._now = now
        self._newest = newest
        self._slow_until = 0.0
        self._last: dict[str, asyncio.Future[bool]] = {}
        self._aside: set[asyncio.Task[None]] = set()

    async def take(self, raw: dict[str, Any]) -> None:
        """Take one update; raises StoreUnavailable when nothing was kept and it must come again."""
        try:
            came = self._reader.read(raw)
            if message := raw.get("message"):
                self._newest.saw(str(message["chat"]["id"]), message["message_id"])
        except Exception as error:  # noqa: BLE001  whatever it is, it must not stop those behind it
            log.error(
                "update cannot be read", channel=TELEGRAM.name, update=raw.get("update_id"), exc_info=error
            )
            came = self._unreadable(raw, error)
        match came:
            case Said():
                await self._in_order(came.inbound.address, lambda: self._said(came))
            case Membership():
                await self._in_order(came.address, lambda: self._membership(came))
            case Moved():
                await _tried(lambda: self._moved(came))
            case TappedInGroup(query, language):
                self.quietly(self._tell_presser(query, language))
            case Nothing():
                pass

    def _unreadable(self, raw: dict[str, Any], error: Exception) -> Said | Nothing:
        """What could not be read, kept as it came under whoever may have sent it."""
        number, chat = raw.get("update_id"), _chat_of(raw)
        if not isinstance(number, int):
            return Nothing()
        return Said(
            Inbound(
                TELEGRAM.name,
                chat or NOBODY,
                self._reader.key(number),
                cue=Unreadable(type(error).__name__, from_nobody=chat is None),
                raw=str(raw),
            )
        )

    async def _in_order(self, address: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do it after whatever came from this address before, even if that takes longer; not at all if that must come again."""
        before = self._last.get(address)
        mine: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._last[address] = mine
        kept = False
        try:
            if before is not None and not await before:
                raise StoreUnavailable("what came before from there was not kept")
            await work()
            kept = True
        finally:
            mine.set_result(kept)
            if self._last.get(address) is mine:
                del self._last[address]

    async def _said(self, came: Said) -> None:
        """Keep it: as it is, or as failed where that fails again and again, so that it stops nobody behind it."""
        error = await _tried(lambda: self._taken(came))
        if error:
            inbound, cue = came.inbound, Unreadable(type(error).__name__)
            await self._conversation.take(
                Inbound(inbound.channel, inbound.address, inbound.key, cue=cue, raw=str(inbound))
            )

    async def _taken(self, came: Said) -> None:
        inbound = came.inbound
        if came.fetch and inbound.file:
            inbound = await self._looked_into(inbound, inbound.file, came.fetch)
        typing = asyncio.get_running_loop().call_later(TYPING_AFTER, self._typing, inbound.address)
        try:
            await self._conversation.take(inbound)
        finally:
            typing.cancel()
        if came.query:
            self.quietly(self._acknowledge(came.query))

    def _typing(self, address: str) -> None:
        self.quietly(self._bot.do_api_request("SendChatAction", {"chat_id": address, "action": "typing"}))

    async def _looked_into(self, inbound: Inbound, file: SentFile, file_id: str) -> Inbound:
        """The same with the file's kind told by its content; what cannot be fetched in time is taken by its name."""
        time = asyncio.get_running_loop().time
        try:
            told = (
                file
                if time() < self._slow_until
                else await asyncio.wait_for(self._kind(file, file_id), FETCHING)
            )
        except TimeoutError:
            told, self._slow_until = file, time() + NOT_FETCHED  # or ten files would cost ten times as much
        except TelegramError as error:
            told = too_large(file.name, file.media_type) if "too big" in str(error) else file
        return replace(inbound, file=told)

    async def _kind(self, file: SentFile, file_id: str) -> SentFile:
        found = await self._bot.do_api_request("GetFile", {"file_id": file_id})
        if found.get("file_size", 0) > LARGEST or not found.get("file_path"):
            return too_large(file.name, file.media_type)
        data = await self._files.head_of(f"{self._bot.base_file_url}/{found['file_path']}", LOOKED_AT)
        return received(file.name, data, file.media_type)

    async def _membership(self, came: Membership) -> None:
        """Webhooks keep only each kind of update in order: that somebody left may come after what they said since."""
        name, address, now = TELEGRAM.name, came.address, self._now()

        def keep(connection: sa.Connection) -> None:
            last = posts.last_key(connection, name, address)
            if came.inside:
                posts.unblock(connection, name, address)
            elif last is None or self._reader.number(last) < came.number:
                posts.block(connection, name, address, "blocked", now)

        await _tried(lambda: self._conversation.run(keep))

    async def _moved(self, came: Moved) -> None:
        name = TELEGRAM.name
        await self._conversation.run(lambda connection: posts.move(connection, name, came.address, came.to))

    async def _tell_presser(self, query: str, language: str | None) -> None:
        text = self._say("en" if (language or "").startswith("en") else "vi", "in_group_button")
        await self._acknowledge(query, text=text, show_alert=True)

    async def _acknowledge(self, query: str, **more: Any) -> None:
        await self._bot.do_api_request("AnswerCallbackQuery", {"callback_query_id": query, **more})

    def quietly(self, work: Awaitable[Any]) -> None:
        """Do it beside everything else; nobody waits for it and nothing is lost when it fails."""
        task = asyncio.create_task(_without_fuss(work))
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def stop(self) -> None:
        """Wait a moment for what is done beside."""
        if self._aside:
            await asyncio.wait(self._aside, timeout=1.0)


async def _tried(work: Callable[[], Awaitable[None]]) -> Exception | None:
    """Do it, some times over where it fails; gives back why it always did. Raises StoreUnavailable at once."""
    failed = None
    for _ in range(TRIES):
        try:
            await work()
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, those behind it must get through
            log.error("update not taken", channel=TELEGRAM.name, exc_info=error)
            failed = error
        else:
            return None
    return failed


async def _without_fuss(work: Awaitable[Any]) -> None:
    try:
        await work
    except TelegramError as error:
        log.debug("not acknowledged", channel=TELEGRAM.name, why=type(error).__name__)


def _chat_of(raw: dict[str, Any]) -> str | None:
    """The chat of an update that could not be read, if it says one."""
    for value in raw.values():
        if isinstance(value, dict):
            message = value.get("message") if isinstance(value.get("message"), dict) else value
            chat = message.get("chat") if isinstance(message, dict) else None
            if isinstance(chat, dict) and isinstance(chat.get("id"), int):
                return str(chat["id"])
    return None
