"""The service as a process that is about to die: how it is started, woken, ended, and when."""

import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tests.crash.victim import MOMENTS, WAYS

ROOT = Path(__file__).parents[2]
LONGEST_LIFE = 30.0  # seconds in which a fault point must be reached
LONGEST_STOP = 15.0  # seconds for a clean end


class Kill(Protocol):
    """When a process ends; `arguments` are what the victim is told."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The victim's command line."""
        ...


@dataclass(frozen=True)
class Point:
    """The n-th time the writer passes a fault point on one of its ways."""

    way: str
    moment: str
    nth: int

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the victim is told."""
        return ("--way", self.way, "--moment", self.moment, "--nth", str(self.nth))

    def __str__(self) -> str:
        return f"{self.moment}, {self.way}, time {self.nth}"


@dataclass(frozen=True)
class Instant:
    """So many seconds after the first answer of a life, or after the n-th message was sent."""

    seconds: float
    nth: int = 1
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.seconds:.3f} s after number {self.nth}"


def every_point(
    times: Iterable[int], moments: Sequence[str] = MOMENTS, ways: Sequence[str] = WAYS
) -> list[Point]:
    """Every fault point on these ways, each at these times."""
    return [Point(way, moment, nth) for nth in times for way in ways for moment in moments]


class Broken(Exception):
    """The service did something other than serve and die."""


class Service:
    """One database and the processes that serve it, one after another."""

    def __init__(
        self,
        url: str,
        writer: str,
        *,
        victim: str = "tests.crash.victim",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._writer = writer
        self._victim = victim
        self._environment = _environment(url) | dict(settings or {})
        self._alive: set[Process] = set()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the service

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._alive:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._errors.close()

    async def spawn(self, kill: Kill | None) -> Process:
        """A process that is ready to be woken and has this death before it."""
        arguments = kill.arguments if kill else ()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self._victim, "--writer", self._writer, *arguments),
            stdin=PIPE,
            stdout=PIPE,
            stderr=self._errors,
            cwd=ROOT,
            env=self._environment,
        )
        self._alive.add(process)
        return process

    async def wake(self, process: Process) -> str:
        """Let a waiting process serve; its address."""
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"go\n")
        line = await asyncio.wait_for(process.stdout.readline(), LONGEST_LIFE)
        if not line:
            raise Broken("the service did not start")
        return line.decode().strip()

    async def end(self, process: Process, kill: Kill, begun: asyncio.Event) -> None:
        """Kill at an instant after `begun`; at a fault point the service dies by itself, and must do so in time."""
        try:
            async with asyncio.timeout(LONGEST_LIFE):
                if isinstance(kill, Instant):
                    await begun.wait()
                    await asyncio.sleep(kill.seconds)
                    process.kill()
                await process.wait()
        except TimeoutError:
            process.kill()
            raise Broken(f"not reached within {LONGEST_LIFE:.0f} s") from None

    async def gone(self, process: Process, code: int = -signal.SIGKILL) -> None:
        """Wait until it has ended, with that code."""
        ended = await asyncio.wait_for(process.wait(), LONGEST_STOP)
        self._alive.discard(process)
        if ended != code:
            raise Broken(f"the service ended with {ended}, not {code}")

    def last_words(self) -> str:
        """The end of what the processes wrote to standard error."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-1_000:]


def _environment(url: str) -> dict[str, str]:
    own = {
        "DOLUONG_DATABASE_URL": url,
        "DOLUONG_PORT": "0",
        "DOLUONG_DEMO": "1",
        "DOLUONG_MESSAGES_PER_MINUTE": "6000",
        "DOLUONG_LOG_FORMAT": "json",
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("DOLUONG_")} | own


def told(trouble: BaseException) -> str:
    """The first cause, in one line."""
    while isinstance(trouble, BaseExceptionGroup):
        trouble = trouble.exceptions[0]
    return f"{type(trouble).__name__}: {trouble}"
