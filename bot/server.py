"""The service: the web server around the channels, started and stopped cleanly."""

import asyncio
import gc
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.app import App
from bot.channels.base import Channel, Sender
from bot.channels.web.receive import Web
from bot.delivery import Delivery
from bot.desk.desk import Desk
from bot.desk.frame import Leads
from bot.logs import log
from bot.schedule import Schedule
from storage import posts
from storage.errors import StoreError
from storage.unit_of_work import COUNT_FAILED

DRAIN = 10  # seconds that open requests are given at the end


class Health:
    """Tells an operator's watchdog how the service is."""

    def __init__(self, app: App, channels: Sequence[Channel], delivery: Delivery, silent: str | None) -> None:
        self._app = app
        self._channels = channels
        self._delivery = delivery
        self._silent = silent

    async def alive(self, _request: Request) -> Response:
        """/healthz: the process answers."""
        return PlainTextResponse("ok")

    async def ready(self, _request: Request) -> Response:
        """/readyz: the database takes writes, and how each channel is; 503 when it does not."""
        try:
            failed, waiting = await self._app.conversation.run(self._counted)
        except (StoreError, sa.exc.SQLAlchemyError) as error:
            return JSONResponse({"database": f"unavailable: {type(error).__name__}"}, 503)
        told = {channel.can.name: self._health(channel) for channel in self._channels}
        if self._silent:
            told["outside"] = f"closed: {self._silent}"
        return JSONResponse({"database": "ok", "channels": told, "waiting": waiting, "failed_turns": failed})

    def _counted(self, connection: sa.Connection) -> tuple[int, dict[str, dict[str, int]]]:
        waiting = {name: posts.waiting(connection, name) for name in self._delivery.lanes}
        return connection.scalar(COUNT_FAILED) or 0, waiting

    def _health(self, channel: Channel) -> str:
        lane = self._delivery.lanes.get(channel.can.name)
        return (lane.trouble if lane else None) or channel.health()


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that is already bound, so that a taken port is told at once; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    bound.listen(2048)
    return bound


class Front:
    """Leads other machines to their hooks, and everybody else to the pages."""

    def __init__(self, hooks: Mapping[str, ASGIApp], pages: ASGIApp) -> None:
        self._hooks = hooks
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._hooks.get(scope.get("path", ""), self._pages)(scope, receive, send)


class Service:
    """One running process; made inside its event loop. Raises StoreError."""

    def __init__(self, app: App) -> None:
        self._app = app
        web = Web(
            app.settings, app.content.say, app.router.home, app.database, app.conversation, files=app.files
        )
        senders, silent = self._senders()
        self._senders_open = senders
        self._channels: list[Channel] = [web, *senders]
        self._delivery = Delivery(senders, app.conversation, app.settings.process, app.now)
        health = Health(app, self._channels, self._delivery, silent)
        desk = Desk(app, leads=[one for one in senders if isinstance(one, Leads)])
        pages = Starlette(
            routes=[
                Route("/healthz", health.alive),
                Route("/readyz", health.ready),
                *(route for channel in self._channels for route in channel.routes()),
                *desk.routes(),
            ],
            middleware=[Middleware(GZipMiddleware, minimum_size=1_000)],  # events are left as they are
        )
        hooks = {path: hook for channel in self._channels for path, hook in channel.hooks().items()}
        self._asgi = Front(hooks, pages)
        self._schedule = Schedule(app)

    def _senders(self) -> tuple[list[Sender], str | None]:
        """The channels to people outside, and why there are none where there should be."""
        senders = self._app.senders()
        silent = self._app.may_speak() if senders else None
        if silent:
            log.error("channels to people outside stay closed", why=silent)
            return [], silent
        return senders, None

    async def serve(self, bound: socket.socket, stopping: asyncio.Event | None = None) -> None:
        """Serve until SIGTERM or SIGINT, or until `stopping` is set where it is given, then drain.

        Open requests end, queued turns commit, messages leave.
        """
        stopping = stopping or _on_signals()
        await self._start()
        gc.collect()
        gc.freeze()  # content, forms and libraries stay for ever: nobody need look at them again
        try:
            await self._serve(bound, stopping)
        finally:
            await self._end()

    async def _serve(self, bound: socket.socket, stopping: asyncio.Event) -> None:
        server = _Server(self._config())
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        until = asyncio.create_task(stopping.wait())
        await asyncio.wait({serving, until}, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping")
        self._schedule.stop()
        await self._close_doors()
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
        until.cancel()

    async def _close_doors(self) -> None:
        """Nothing more comes in; one channel that fails at it keeps no other from ending well."""
        for channel in self._channels:
            try:
                await channel.stop()
            except Exception as error:  # noqa: BLE001  whatever it is, the rest must be ended, too
                log.error("a channel did not stop", channel=channel.can.name, exc_info=error)

    async def _start(self) -> None:
        """What was left over is sent before anything new comes in."""
        self._app.conversation.start()
        await self._delivery.start()
        for channel in self._channels:
            await channel.start()
        self._schedule.start()

    async def _end(self) -> None:
        """The last turns commit, the last messages leave."""
        await self._delivery.stop()
        for sender in self._senders_open:
            await sender.close()
        await self._app.conversation.stop()
        self._app.database.close()

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._asgi,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=self._app.settings.trusted_proxies,
            timeout_graceful_shutdown=DRAIN,
            h11_max_incomplete_event_size=16 * 1024,
        )


def _on_signals() -> asyncio.Event:
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    return stopping


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: the service decides when to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
