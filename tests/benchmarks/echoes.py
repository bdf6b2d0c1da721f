"""Bots that say what they hear, each in a process of its own: `python -m tests.benchmarks.echoes NAME TELEGRAM`.

They take updates by webhook and print where. «ours» is the Telegram channel of the service with an echo in place of the
conversation; the others are what is there without it, as their documentation has them.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from tests.benchmarks.far_end import PATH, SECRET, TOKEN

Echo = Callable[[str, socket.socket], Awaitable[None]]
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
CONNECTIONS = 64


async def raw(telegram: str, bound: socket.socket) -> None:
    """No library for bots: aiohttp both ways, and orjson."""
    import aiohttp
    import orjson
    from aiohttp import web

    url, headers = f"{telegram}/bot{TOKEN}/sendMessage", {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:

        async def hook(request: web.Request) -> web.Response:
            if request.headers.get(SECRET_HEADER) != SECRET:
                return web.Response(status=403)
            message = orjson.loads(await request.read())["message"]
            said = orjson.dumps({"chat_id": message["chat"]["id"], "text": message["text"]})
            async with session.post(url, data=said, headers=headers) as answer:
                orjson.loads(await answer.read())
            return web.Response()

        app = web.Application()
        app.router.add_post(PATH, hook)
        await _aiohttp(app, bound)


async def ours(telegram: str, bound: socket.socket) -> None:
    """The channel of the service: its route, its reading, its transport."""
    from pydantic import SecretStr
    from starlette.applications import Starlette

    from bot.channels.telegram.channel import Telegram
    from bot.server import Front
    from content.everything import load_content
    from handlers.messages import Message
    from storage.unit_of_work import Done
    from tests.world import settings_for

    class Parrot:
        """In place of the conversation: says it again, beside the answer to the hook."""

        def __init__(self) -> None:
            self.under_way: set[asyncio.Task[None]] = set()

        async def take(self, inbound: Any) -> Done:
            """Take one message."""
            said = channel.send(inbound.address, Message(inbound.text), None)
            task = asyncio.create_task(said)
            self.under_way.add(task)
            task.add_done_callback(self.under_way.discard)
            return Done()

    settings = settings_for(
        "sqlite:///none.db",
        telegram_token=SecretStr(TOKEN),
        telegram_mode="webhook",
        telegram_base_url=telegram,
        public_url=_address(bound),
    )
    channel: Any = Telegram(settings, load_content(), Parrot(), None, lambda: datetime.now(UTC))  # type: ignore[arg-type]
    await channel.start()
    while channel.health() != "open":  # noqa: ASYNC110  the channel tells nobody
        await asyncio.sleep(0.01)
    await _uvicorn(Front(channel.hooks(), Starlette(routes=channel.routes())), bound)


async def library(telegram: str, bound: socket.socket, *, dicts: bool = False, default: bool = False) -> None:
    """python-telegram-bot behind Starlette: with our transport, or the one it comes with."""
    import orjson
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from telegram import Update
    from telegram.ext import Application, MessageHandler, filters

    from bot.channels.telegram.request import AiohttpRequest

    async def say(heard: Update, context: Any) -> None:
        assert heard.message
        if dicts:
            said = {"chat_id": heard.message.chat.id, "text": heard.message.text}
            await context.bot.do_api_request("SendMessage", said)
        else:
            await context.bot.send_message(heard.message.chat.id, heard.message.text)

    builder: Any = Application.builder().token(TOKEN).base_url(f"{telegram}/bot").updater(None)
    if not default:
        builder = builder.request(AiohttpRequest(CONNECTIONS)).get_updates_request(AiohttpRequest(1))
    application = builder.build()
    application.add_handler(MessageHandler(filters.TEXT, say))
    await application.initialize()
    await application.start()
    tasks: set[asyncio.Task[None]] = set()

    async def hook(request: Request) -> Response:
        if request.headers.get(SECRET_HEADER) != SECRET:
            return Response(status_code=403)
        heard = Update.de_json(orjson.loads(await request.body()), application.bot)
        task = asyncio.create_task(application.process_update(heard))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return Response()

    await _uvicorn(Starlette(routes=[Route(PATH, hook, methods=["POST"])]), bound)


async def dicts(telegram: str, bound: socket.socket) -> None:
    """The library on our transport, its answers left as they come."""
    await library(telegram, bound, dicts=True)


async def default(telegram: str, bound: socket.socket) -> None:
    """The library as it comes."""
    await library(telegram, bound, default=True)


async def aiogram(telegram: str, bound: socket.socket) -> None:
    """Aiogram's own webhook."""
    from aiogram import Bot, Dispatcher  # type: ignore[import-not-found,unused-ignore]
    from aiogram.client.session.aiohttp import AiohttpSession  # type: ignore[import-not-found,unused-ignore]
    from aiogram.client.telegram import TelegramAPIServer  # type: ignore[import-not-found,unused-ignore]
    from aiogram.types import Message  # type: ignore[import-not-found,unused-ignore]
    from aiogram.webhook.aiohttp_server import (  # type: ignore[import-not-found,unused-ignore]
        SimpleRequestHandler,
        setup_application,
    )
    from aiohttp import web

    bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(telegram)))
    dispatcher = Dispatcher()

    async def say(heard: Message) -> None:
        await heard.answer(heard.text)

    dispatcher.message.register(say)
    app = web.Application()
    SimpleRequestHandler(dispatcher, bot, secret_token=SECRET).register(app, PATH)
    setup_application(app, dispatcher, bot=bot)
    await _aiohttp(app, bound)


async def _aiohttp(app: Any, bound: socket.socket) -> None:
    from aiohttp import web

    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, bound).start()
    _told(bound)
    await _stopped().wait()
    await runner.cleanup()


async def _uvicorn(app: Any, bound: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    _told(bound)
    await uvicorn.Server(config).serve(sockets=[bound])


def _stopped() -> asyncio.Event:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    return stopping


def _address(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}"


def _told(bound: socket.socket) -> None:
    print(_address(bound), flush=True)


ECHOES: dict[str, Echo] = {
    "raw": raw,
    "ours": ours,
    "library": library,
    "dicts": dicts,
    "default": default,
    "aiogram": aiogram,
}
ON_ASYNCIO = ("default", "aiogram")  # as they come; uvloop makes neither cheaper


def main(name: str, telegram: str) -> None:
    """Echo until SIGTERM."""
    bound = socket.create_server(("127.0.0.1", 0), backlog=1_000)
    work: Any = ECHOES[name](telegram, bound)
    if name in ON_ASYNCIO:
        asyncio.run(work)
    else:
        import uvloop

        uvloop.run(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
