"""The real service with its death built in: what `python -m bot run` serves, until the chosen moment comes.

It puts the service together, waits for a line on standard input, and then serves as usual: so the next one can be ready
before the last one is dead. It ends with SIGKILL at the n-th time its writer passes a moment on one of its two ways:

    together    turns as a group
    alone       turns in a savepoint: those with an outcome, and whatever stands behind them

Each of the two has the moments of MOMENTS. Work that holds no turn does not count.
"""

import argparse
import os
import signal
import socket
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from typing import Any

import uvloop

from bot.app import App, assemble
from bot.logs import set_up
from bot.server import Service, listening_socket
from bot.settings import read_settings
from storage.unit_of_work import Turn, settle
from storage.writer import Work, Writer

MOMENTS = ("before begin", "before commit", "after commit", "after release")
WAYS = ("together", "alone")
PAUSE = 0.15  # seconds before the end, in which a wrong answer would get out


class Doom:
    """Ends the process when the writer passes a moment for the n-th time."""

    def __init__(self, way: str, moment: str, nth: int) -> None:
        self._where = (way, moment)
        self._left = nth

    def passed(self, way: str, moment: str) -> None:
        """Count, and end the process when it is time."""
        if (way, moment) != self._where:
            return
        self._left -= 1
        if self._left == 0:
            time.sleep(PAUSE)
            os.kill(os.getpid(), signal.SIGKILL)


class Watched(Writer):
    """The product's writer, watched."""

    doom: Doom | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named, probe=self._passed)
        self._way = ""

    def _passed(self, moment: str) -> None:
        if self.doom:
            self.doom.passed(self._way, moment)

    def _transact(self, turns: Sequence[Turn]) -> Sequence[Turn]:
        self._way = "together"
        return super()._transact(turns)

    def _apart(self, works: Sequence[Work]) -> None:
        self._way = _alone(works)
        super()._apart(works)


class Early(Watched):
    """A mutant that answers before it commits; the proof must catch it."""

    def _transact(self, turns: Sequence[Turn]) -> Sequence[Turn]:
        self._way = "together"
        self._passed("before begin")
        with self._engine.connect() as connection, connection.begin():
            done = settle(connection, turns, self._router, self._registry)
            self._let_go([(turn, one) for turn, one in zip(turns, done, strict=True) if one is not None])
            self._passed("before commit")
        self._passed("after commit")
        return [turn for turn, one in zip(turns, done, strict=True) if one is None]

    def _apart(self, works: Sequence[Work]) -> None:
        self._way = _alone(works)
        self._passed("before begin")
        with self._engine.connect() as connection, connection.begin():
            self._let_go([(work, self._in_savepoint(connection, work)) for work in works])
            self._passed("before commit")
        self._passed("after commit")


class Forgetful(Watched):
    """A mutant that does not know an update again; the proof must catch it."""

    def submit(self, work: Work) -> None:
        """Take every copy for a new turn."""
        if isinstance(work, Turn):
            object.__setattr__(work, "key", f"{work.key}.{uuid.uuid4().hex}")
        super().submit(work)


WRITERS: dict[str, type[Watched]] = {"real": Watched, "early": Early, "forgetful": Forgetful}


def _alone(works: Sequence[Work]) -> str:
    return "alone" if any(isinstance(work, Turn) for work in works) else ""


def main() -> None:
    """Serve until the end."""
    arguments = _arguments()
    writer = WRITERS[arguments.writer]
    if arguments.nth:
        writer.doom = Doom(arguments.way, arguments.moment, arguments.nth)
    settings = read_settings(env_file=None)
    set_up(settings.log_format)
    app = assemble(settings, make_writer=writer)
    if not sys.stdin.readline():
        return
    threading.Thread(target=_end_with_the_proof, daemon=True).start()
    app.open()
    bound = listening_socket(settings.host, settings.port)
    print(f"http://{settings.host}:{bound.getsockname()[1]}", flush=True)
    uvloop.run(_serve(app, bound))


async def _serve(app: App, bound: socket.socket) -> None:
    await Service(app).serve(bound)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--writer", choices=WRITERS, default="real")
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--moment", choices=MOMENTS)
    parser.add_argument("--nth", type=int, default=0)
    return parser.parse_args()


def _end_with_the_proof() -> None:
    """Leave nothing behind when the proof itself is interrupted and its end of the pipe closes."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(3)


if __name__ == "__main__":
    main()
