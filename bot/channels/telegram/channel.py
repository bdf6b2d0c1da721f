"""The Telegram channel of one process."""

import asyncio
import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from telegram import Bot, InputFile
from telegram.error import BadRequest, InvalidToken, TelegramError

from bot.channels.base import Capabilities, Failure, NotSent, Trouble
from bot.channels.telegram.can import TELEGRAM
from bot.channels.telegram.failures import failure, is_not_changed, is_not_editable
from bot.channels.telegram.intake import Intake
from bot.channels.telegram.newest import Newest
from bot.channels.telegram.polling import Polling
from bot.channels.telegram.receive import ALLOWED, Reader
from bot.channels.telegram.render import text_parameters
from bot.channels.telegram.request import AiohttpRequest
from bot.conversation import Conversation
from bot.files import Files
from bot.logs import log
from bot.settings import Settings
from content.everything import Content
from content.model import Language
from handlers.messages import Attachment, Message
from storage.errors import StoreUnavailable, is_unavailable

PATH = "/telegram"
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105  the header's name
LARGEST_UPDATE = 1024 * 1024  # bytes; an update is a few thousand
CONNECTIONS = 64
FILE_CONNECTIONS = 4  # of their own, so that files people send hold up no answer
OPEN_AGAIN = 5.0  # seconds after Telegram could not be reached at the start, doubled up to
LONGEST = 60.0
INTRODUCED = 5.0  # seconds a message waits until we know who we are
UPLOAD = 120.0  # seconds for a file


class Telegram:
    """Receives by polling or webhook, and sends."""

    can: Capabilities = TELEGRAM

    def __init__(
        self,
        settings: Settings,
        content: Content,
        conversation: Conversation,
        files: Files,
        now: Callable[[], datetime],
    ) -> None:
        assert settings.telegram_token is not None
        token = settings.telegram_token.get_secret_value()
        base = settings.telegram_base_url.rstrip("/")
        proxy = settings.egress_proxy.get_secret_value() if settings.egress_proxy else None
        self._settings = settings
        self._content = content
        self._conversation = conversation
        self._files = files
        self._now = now
        self._requests = tuple(AiohttpRequest(most, proxy) for most in (CONNECTIONS, 1, FILE_CONNECTIONS))
        self._bot = Bot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=self._requests[0],
            get_updates_request=self._requests[1],
        )
        assert TELEGRAM.rates is not None
        rates = replace(
            TELEGRAM.rates, per_second=settings.telegram_per_second, per_chat=settings.telegram_per_chat
        )
        self.can = replace(TELEGRAM, rates=rates)
        self._webhook_secret = _secret(settings.key(), token)
        self._newest = Newest()
        self._health = "opening"
        self._name = ""
        self._known = asyncio.Event()  # who we are, which some buttons say
        self._intake: Intake | None = None
        self._polling: Polling | None = None
        self._tasks: list[asyncio.Task[None]] = []

    # Life

    async def start(self) -> None:
        """Begin to receive as soon as Telegram answers."""
        for request in self._requests:
            await request.initialize()
        self._tasks.append(asyncio.create_task(self._open(), name="telegram"))

    async def stop(self) -> None:
        """Receive no more; what was taken is finished."""
        if self._polling:
            await self._polling.stop()
        for task in self._tasks:
            if self._polling is None:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._intake:
            await self._intake.stop()

    async def close(self) -> None:
        """Close the connections, after the last message."""
        for request in self._requests:
            await request.shutdown()

    def health(self) -> str:
        """«open», or what is wrong."""
        return self._health

    def deep_link(self, payload: str) -> str | None:
        """The address that leads to the bot with this payload; None as long as we do not know who we are."""
        return f"https://t.me/{self._name}?start={payload}" if self._name else None

    def _tell(self, health: str) -> None:
        self._health = health

    async def _open(self) -> None:
        """Introduce ourselves until it succeeds, then receive."""
        wait = OPEN_AGAIN
        while True:
            try:
                await self._introduce()
                break
            except TelegramError as error:
                self._tell(failure(error).reason)
                log.warning("telegram cannot be opened", why=failure(error).reason)
                await asyncio.sleep(LONGEST if isinstance(error, InvalidToken) else wait)
            except Exception as error:  # noqa: BLE001  an answer nobody expected is asked for again
                self._tell(f"cannot be opened: {type(error).__name__}")
                log.error("telegram cannot be opened", exc_info=error)
                await asyncio.sleep(wait)
            wait = min(LONGEST, wait * 2)
        if self._settings.telegram_mode == "polling":
            assert self._intake is not None
            self._polling = Polling(
                self._bot, self._intake, self._conversation, self._settings.process, self._tell
            )
            self._tell("open")
            await self._polling.run()
        self._tell("open")

    async def _introduce(self) -> None:
        """Who we are, what may be asked of us, and how updates come."""
        me = await self._bot.do_api_request("GetMe")
        self._name = me["username"]
        self._known.set()
        slash = {one.command: one.says for one in self._content.menu.slash}
        reader = Reader(me["id"], self._name, slash)
        self._intake = Intake(
            self._bot,
            reader,
            self._conversation,
            self._content.say,
            self._now,
            self._newest,
            self._requests[2],
        )
        await self._set_commands()
        if self._settings.telegram_mode == "webhook":
            await self._bot.do_api_request(
                "SetWebhook",
                {
                    "url": f"{self._settings.public_url}{PATH}",
                    "secret_token": self._webhook_secret,
                    "allowed_updates": list(ALLOWED),
                    "max_connections": 100,
                },
            )
        else:
            await self._bot.do_api_request("DeleteWebhook")

    async def _set_commands(self) -> None:
        languages: tuple[tuple[Language, dict[str, str]], ...] = (
            ("vi", {}),
            ("en", {"language_code": "en"}),
        )
        for language, which in languages:
            commands = [
                {"command": one.command, "description": one.label[language]}
                for one in self._content.menu.slash
            ]
            await self._bot.do_api_request("SetMyCommands", {"commands": commands, **which})

    # In

    def routes(self) -> list[BaseRoute]:
        """None: no browser comes here."""
        return []

    def hooks(self) -> dict[str, ASGIApp]:
        """Where Telegram brings updates."""
        return {PATH: self._hook} if self._settings.telegram_mode == "webhook" else {}

    async def _hook(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = await self._brought(Request(scope, receive))
        await Response(status_code=status)(scope, receive, send)

    async def _brought(self, request: Request) -> int:
        """200 once the update is kept; Telegram brings it again after anything else."""
        if request.method != "POST":
            return 405
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._webhook_secret.encode()):
            return 403
        body = await _body(request)
        if body is None:
            return 413
        try:
            raw = orjson.loads(body)
        except ValueError:
            return 400
        if not isinstance(raw, dict) or not isinstance(raw.get("update_id"), int):
            return 400
        if self._intake is None:
            return 503
        try:
            await self._intake.take(raw)
        except StoreUnavailable as error:
            log.warning("update not taken, it comes again", error=str(error))
            return 503
        return 200

    # Out

    def is_group(self, address: str) -> bool:
        """Groups have negative ids."""
        return address.startswith("-")

    async def send(self, address: str, part: Message, replaces: str | None) -> None:
        """Send a text, or a file; raises NotSent."""
        try:
            if not self._known.is_set():
                await asyncio.wait_for(self._known.wait(), INTRODUCED)
        except TimeoutError:
            raise NotSent(Failure(Trouble.NOT_TAKEN, "not introduced yet")) from None
        try:
            if part.attachments and not part.text:
                await self._send_file(address, part.attachments[0])
            elif (
                not replaces
                or self._newest.is_past(address, replaces)
                or not await self._edited(address, part, replaces)
            ):
                parameters = text_parameters(part, self._name)
                sent = await self._bot.do_api_request("SendMessage", {"chat_id": address, **parameters})
                self._newest.saw(address, sent["message_id"])
        except TelegramError as error:
            raise NotSent(failure(error)) from None

    async def _edited(self, address: str, part: Message, replaces: str) -> bool:
        """Whether the message could take the other's place."""
        parameters = text_parameters(part, self._name)
        if "inline_keyboard" not in parameters.get("reply_markup", {"inline_keyboard": ()}):
            return False  # another keyboard than its own cannot be edited in
        where = {"chat_id": address, "message_id": int(replaces)}
        try:
            await self._bot.do_api_request("EditMessageText", {**where, **parameters})
        except BadRequest as error:
            if is_not_editable(error):
                return False
            if not is_not_changed(error):
                raise
        return True

    async def _send_file(self, address: str, attachment: Attachment) -> None:
        try:
            made = await asyncio.to_thread(self._files.make, TELEGRAM.name, address, attachment.path)
        except Exception as error:
            if not is_unavailable(error):
                raise
            raise NotSent(Failure(Trouble.NOT_TAKEN, "the file could not be made")) from None
        if made is None:  # what it was made of is gone
            raise NotSent(Failure(Trouble.REFUSED, "no such file"))
        if self._intake:
            action = {"chat_id": address, "action": "upload_document"}
            self._intake.quietly(self._bot.do_api_request("SendChatAction", action))
        document = InputFile(made.data, filename=attachment.name or made.name)
        await self._bot.do_api_request(
            "SendDocument",
            {"chat_id": address, "document": document},
            write_timeout=UPLOAD,
            read_timeout=UPLOAD,
        )


def _secret(key: bytes, token: str) -> str:
    """What Telegram shows us with each update: the same in every process of the installation, and never stored."""
    return hmac.new(key, f"telegram webhook {token}".encode(), "sha256").hexdigest()


async def _body(request: Request) -> bytes | None:
    """The body, None as soon as it is larger than any update."""
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > LARGEST_UPDATE:
                return None
            chunks.append(chunk)
    except ClientDisconnect:
        return b""
    return b"".join(chunks)
