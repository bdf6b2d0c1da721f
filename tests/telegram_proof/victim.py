"""The real service on Telegram as a process that is about to die, or a mutant of it.

It is what tests/crash/victim.py is, and dies on Telegram's way out as well: around a request to the Bot API, and
around what is written of it. Its death stands before it from a line «arm» on, so that it comes under load.
"""

import argparse
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import uvloop

import bot.delivery
import storage.outbox
from bot.app import assemble
from bot.channels.telegram.channel import Telegram
from bot.logs import set_up
from bot.retry import decide
from bot.server import listening_socket
from bot.settings import read_settings
from handlers.messages import Message
from tests.crash import victim
from tests.crash.victim import MOMENTS, Doom, Watched

JOBS = "jobs"  # what is written of messages that left, and all other desk work
OUT = "out"  # a request that carries a message
WAYS = ("together", "alone", JOBS)
OUT_MOMENTS = ("before request", "after request")


class Armed(Doom):
    """Counts from the moment it is armed."""

    def __init__(self, way: str, moment: str, nth: int) -> None:
        super().__init__(way, moment, nth)
        self._is_armed = False

    def arm(self) -> None:
        """From now on."""
        self._is_armed = True

    def passed(self, way: str, moment: str) -> None:
        """Count, and end the process when it is time."""
        if self._is_armed:
            super().passed(way, moment)


class Thorough(Watched):
    """The product's writer, watched in its desk work, too."""

    def _passed(self, moment: str) -> None:
        if not self._way:
            self._way = JOBS
        super()._passed(moment)


class Early(Thorough, victim.Early):
    """A mutant that acknowledges an update before its commit."""


def hasty() -> None:
    """Make the mutant that marks a reply as sent before it was sent."""
    row: Callable[[Any], dict[str, Any]] = storage.outbox._row

    def sent(line: Any) -> dict[str, Any]:
        written = row(line)
        return written | {"status": "sent"} if line.lease else written

    storage.outbox._row = sent


def deaf() -> None:
    """Make the mutant that does not hear «retry after»."""

    def at_once(failure: Any, *arguments: Any, **named: Any) -> Any:
        return replace(decide(failure, *arguments, **named), wait=0.0, park=0.0)

    bot.delivery.decide = at_once  # type: ignore[attr-defined]


MUTANTS: dict[str, Callable[[], None]] = {"hasty": hasty, "deaf": deaf}


def watch_out(doom: Doom) -> None:
    """Let the process also die around its requests."""
    send = Telegram.send

    async def watched(self: Telegram, address: str, part: Message, replaces: str | None) -> None:
        doom.passed(OUT, "before request")
        await send(self, address, part, replaces)
        doom.passed(OUT, "after request")

    Telegram.send = watched  # type: ignore[method-assign]


def main() -> None:
    """Serve until the end."""
    arguments = _arguments()
    writer = Early if arguments.writer == "early" else Thorough
    if mutate := MUTANTS.get(arguments.writer):
        mutate()
    doom = Armed(arguments.way, arguments.moment, arguments.nth)
    writer.doom = doom
    watch_out(doom)
    settings = read_settings(env_file=None)
    set_up(settings.log_format)
    app = assemble(settings, make_writer=writer)
    if not sys.stdin.readline():
        return
    threading.Thread(target=_listen, args=(doom,), daemon=True).start()
    app.open()
    bound = listening_socket(settings.host, settings.port)
    print(f"http://{settings.host}:{bound.getsockname()[1]}", flush=True)
    uvloop.run(victim._serve(app, bound))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--writer", choices=("real", "early", *MUTANTS), default="real")
    parser.add_argument("--way", choices=(*WAYS, OUT), default="")
    parser.add_argument("--moment", choices=(*MOMENTS, *OUT_MOMENTS), default="")
    parser.add_argument("--nth", type=int, default=0)
    return parser.parse_args()


def _listen(doom: Armed) -> None:
    """Be armed by a line; leave nothing behind when the proof itself is interrupted and its end of the pipe closes."""
    while os.read(sys.stdin.fileno(), 4096):
        doom.arm()
    os._exit(3)


if __name__ == "__main__":
    main()
