"""The whole service as a process, on a clock that begins at the day its people are from.

`python -m tests.benchmarks.telegram_service`; everything is set by DOLUONG_* variables, and two of its own: BENCH_SYNCHRONOUS
is SQLite's, BENCH_PROFILE a file for cProfile's statistics of the event loop and of the writer.
"""

import cProfile
import os
import time
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import uvloop

from bot.app import assemble
from bot.logs import set_up
from bot.server import Service, listening_socket
from bot.settings import read_settings
from storage.writer import Writer
from tests.world import START

_BEGAN = time.monotonic()


def now() -> datetime:
    """As the frozen clock of the tests, but going."""
    return START + timedelta(seconds=time.monotonic() - _BEGAN)


class Profiled(Writer):
    """A writer whose thread is watched."""

    def _run(self) -> None:
        profile = cProfile.Profile()
        profile.runcall(super()._run)
        profile.dump_stats(f"{os.environ['BENCH_PROFILE']}.writer")


def main() -> None:
    """Serve until SIGTERM."""
    set_up("json")
    settings = read_settings(None)
    bound = listening_socket(settings.host, settings.port)
    address = f"http://{settings.host}:{bound.getsockname()[1]}"
    profile = os.environ.get("BENCH_PROFILE")
    app = assemble(
        settings.model_copy(update={"public_url": address}),
        now=now,
        make_writer=Profiled if profile else Writer,
    )
    if mode := os.environ.get("BENCH_SYNCHRONOUS"):
        _synchronous(app.database.writer, mode)
    app.open()
    print(address, flush=True)

    async def serve() -> None:
        await Service(app).serve(bound)

    if profile:
        watch = cProfile.Profile()
        watch.runcall(uvloop.run, serve())
        watch.dump_stats(profile)
    else:
        uvloop.run(serve())


def _synchronous(engine: sa.Engine, mode: str) -> None:
    @sa.event.listens_for(engine, "connect")
    def _set(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA synchronous={mode}")


if __name__ == "__main__":
    main()
