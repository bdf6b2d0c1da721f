"""The service: the web server around the channels, started and stopped cleanly."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.app import App
from bot.channels.web.receive import Web
from bot.logs import log
from bot.schedule import Schedule
from storage.errors import StoreError
from storage.unit_of_work import COUNT_FAILED

DRAIN = 10  # seconds that open requests are given at the end


class Health:
    """Tells an operator's watchdog how the service is."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def alive(self, _request: Request) -> Response:
        """/healthz: the process answers."""
        return PlainTextResponse("ok")

    async def ready(self, _request: Request) -> Response:
        """/readyz: the database takes writes and the channels are open; 503 otherwise."""
        try:
            failed = await self._app.conversation.run(lambda connection: connection.scalar(COUNT_FAILED))
        except (StoreError, sa.exc.SQLAlchemyError) as error:
            return JSONResponse({"database": f"unavailable: {type(error).__name__}"}, 503)
        return JSONResponse({"database": "ok", "channels": {"web": "open"}, "failed_turns": failed})


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that is already bound, so that a taken port is told at once; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    bound.listen(2048)
    return bound


class Service:
    """One running process."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._web = Web(
            app.settings, app.content.say, app.router.home, app.database, app.conversation, files=app.files
        )
        health = Health(app)
        self._asgi = Starlette(
            routes=[
                Route("/healthz", health.alive),
                Route("/readyz", health.ready),
                *self._web.routes(),
            ],
            middleware=[Middleware(GZipMiddleware, minimum_size=1_000)],  # events are left as they are
        )
        self._schedule = Schedule(app)

    async def serve(self, bound: socket.socket) -> None:
        """Serve until SIGTERM or SIGINT, then drain: open requests end, queued turns commit, pages are closed."""
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stopping.set)
        self._app.conversation.start()
        self._web.pages.start()
        self._schedule.start()
        server = _Server(self._config())
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        until = asyncio.create_task(stopping.wait())
        await asyncio.wait({serving, until}, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping")
        self._schedule.stop()
        await self._web.pages.stop()
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
        until.cancel()
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


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: the service decides when to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
