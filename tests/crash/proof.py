"""The crash proof: `kill -9` at every fault point and at random instants under load; what was acknowledged is there.

A random kill alone cannot be trusted: a service that answers before it commits survives most of them. So it is also
killed at its fault points, each after a pause in which a wrong answer gets out, and a mutant that answers early must
be caught by the very same look.
"""

import asyncio
import os
import random
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.crash.ledger import Found, look, said
from tests.crash.load import Refused, Visitor, connected
from tests.crash.victim import MOMENTS, WAYS

ROOT = Path(__file__).parents[2]
VISITORS = 24
LATEST = 0.4  # seconds after a life's first answer within which a random kill falls
LONGEST_LIFE = 30.0  # seconds in which a fault point must be reached
LONGEST_STOP = 15.0  # seconds for a clean end

Tell = Callable[[str], None]


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
    """So many seconds after the first answer of a life."""

    seconds: float
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"after {self.seconds:.3f} s"


Kill = Point | Instant


def every_point(times: Iterable[int], moments: Sequence[str] = MOMENTS) -> list[Point]:
    """Every fault point on both ways, each at these times."""
    return [Point(way, moment, nth) for nth in times for way in WAYS for moment in moments]


def instants(count: int, chance: random.Random) -> list[Kill]:
    """So many random instants."""
    return [Instant(chance.uniform(0, LATEST)) for _ in range(count)]


@dataclass(frozen=True)
class Outcome:
    """How a trial went: what was counted, what was wrong, and after which kill."""

    counts: dict[str, int]
    faults: tuple[str, ...]
    after: str

    @property
    def sentence(self) -> str:
        """All in one line."""
        counted = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        if not self.faults:
            return f"held: {counted}"
        return f"FAILED ({self.after}): {len(self.faults)} faults, such as: {self.faults[0]}; {counted}"


def _silent(_line: str) -> None:
    """Tell nobody."""


class Broken(Exception):
    """The service did something other than serve and die."""


class Trial:
    """One database and its visitors, through any number of deaths of the service."""

    def __init__(
        self, url: str, chance: random.Random, *, writer: str = "real", visitors: int = VISITORS
    ) -> None:
        self._url = url
        self._writer = writer
        self._visitors = [Visitor(f"{n}", random.Random(chance.random())) for n in range(visitors)]
        self._kills = self._kept = self._gone = 0
        self._now = "at the start"
        self._alive: set[Process] = set()

    async def run(self, kills: Sequence[Kill], tell: Tell = _silent) -> Outcome:
        """Go through these deaths, looking into the database after each; then through a quiet life and a clean end."""
        with tempfile.TemporaryFile() as self._errors:
            try:
                faults = await self._lives(kills, tell)
            except (Broken, Refused, TimeoutError, aiohttp.ClientError, ExceptionGroup) as trouble:
                faults = (f"{_told(trouble)} {self._last_words()}",)
            finally:
                await self._clear()
        return Outcome(self._counts(), faults, self._now)

    async def _lives(self, kills: Sequence[Kill], tell: Tell) -> tuple[str, ...]:
        """One life after the other, the next process getting ready while one serves; ends at the first fault."""
        spare = await self._spawn(kills[0])
        for number, (kill, following) in enumerate(zip(kills, [*kills[1:], None], strict=True), 1):
            process, spare = spare, await self._spawn(following)
            self._now = f"kill {number}, {kill}"
            found = await self._die(process, kill)
            if found.faults:
                return found.faults
            if number % 10 == 0 or number == len(kills):
                tell(f"kill {number}/{len(kills)}, {self._acknowledged():,} acknowledged")
        self._now = "at the end"
        return (await self._end(spare)).faults

    async def _clear(self) -> None:
        for process in self._alive:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _spawn(self, kill: Kill | None) -> Process:
        arguments = kill.arguments if kill else ()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.crash.victim", "--writer", self._writer, *arguments),
            stdin=PIPE,
            stdout=PIPE,
            stderr=self._errors,
            cwd=ROOT,
            env=_environment(self._url),
        )
        self._alive.add(process)
        return process

    async def _wake(self, process: Process) -> str:
        """Let a waiting process serve; its address."""
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"go\n")
        line = await asyncio.wait_for(process.stdout.readline(), LONGEST_LIFE)
        if not line:
            raise Broken("the service did not start")
        return line.decode().strip()

    async def _die(self, process: Process, kill: Kill) -> Found:
        """One life under load up to its death, then the look before anybody can repair anything."""
        address = await self._wake(process)
        answered = asyncio.Event()
        async with connected(address) as session, asyncio.TaskGroup() as group:
            group.create_task(self._end_it(process, kill, answered))
            for visitor in self._visitors:
                group.create_task(visitor.talk(session, answered))
        await self._gone_with(process, -signal.SIGKILL)
        self._kills += 1
        found = look(self._url, self._visitors)
        self._kept += found.open_kept
        self._gone += found.open_gone
        return found

    async def _end_it(self, process: Process, kill: Kill, answered: asyncio.Event) -> None:
        """Kill at a random instant; at a fault point the service dies by itself, and must do so in time."""
        try:
            async with asyncio.timeout(LONGEST_LIFE):
                if isinstance(kill, Instant):
                    await answered.wait()
                    await asyncio.sleep(kill.seconds)
                    process.kill()
                await process.wait()
        except TimeoutError:
            process.kill()
            raise Broken(f"not reached within {LONGEST_LIFE:.0f} s") from None

    async def _end(self, process: Process) -> Found:
        """A quiet life: everything open is settled, everything said is fetched; then a clean end."""
        address = await self._wake(process)
        async with connected(address) as session:
            await asyncio.gather(*(visitor.finish(session) for visitor in self._visitors))
            unheard = [await self._unheard(visitor, session) for visitor in self._visitors]
        process.terminate()
        await self._gone_with(process, 0)
        found = look(self._url, self._visitors)
        return Found((*found.faults, *(sentence for sentence in unheard if sentence)))

    async def _unheard(self, visitor: Visitor, session: aiohttp.ClientSession) -> str:
        expected = said(self._url, visitor)
        heard = await visitor.heard(session, max((cursor for cursor, _ in expected), default=0))
        if visitor.acknowledged.keys() != visitor.sent.keys():
            return f"{visitor.address[:8]}: not everything was acknowledged in the end"
        return (
            ""
            if heard == expected
            else f"{visitor.address[:8]} has {len(expected)} messages, fetched {len(heard)}"
        )

    async def _gone_with(self, process: Process, code: int) -> None:
        ended = await asyncio.wait_for(process.wait(), LONGEST_STOP)
        self._alive.discard(process)
        if ended != code:
            raise Broken(f"the service ended with {ended}, not {code}")

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-1_000:]

    def _acknowledged(self) -> int:
        return sum(len(visitor.acknowledged) for visitor in self._visitors)

    def _counts(self) -> dict[str, int]:
        return {
            "kills": self._kills,
            "acknowledged": self._acknowledged(),
            "repeated on purpose": sum(visitor.repeated for visitor in self._visitors),
            "open at a kill and kept": self._kept,
            "open at a kill and not kept": self._gone,
            "sent again after a kill": sum(visitor.sent_again for visitor in self._visitors),
            "told to wait": sum(visitor.refused for visitor in self._visitors),
        }


def _environment(url: str) -> dict[str, str]:
    own = {
        "DOLUONG_DATABASE_URL": url,
        "DOLUONG_PORT": "0",
        "DOLUONG_MESSAGES_PER_MINUTE": "6000",
        "DOLUONG_LOG_FORMAT": "json",
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("DOLUONG_")} | own


def _told(trouble: BaseException) -> str:
    """The first cause, in one line."""
    while isinstance(trouble, BaseExceptionGroup):
        trouble = trouble.exceptions[0]
    return f"{type(trouble).__name__}: {trouble}"


@dataclass(frozen=True)
class Counts:
    """How much is proved: at which passings of each fault point, and at how many random instants."""

    times: tuple[int, ...]
    instants: int

    def __str__(self) -> str:
        times = " and ".join(str(time) for time in self.times)
        return (
            f"each of {len(every_point((1,)))} fault points at time {times}, {self.instants} random instants"
        )


FULL = Counts(times=(1, 2, 5), instants=200)
SMALL = Counts(times=(2,), instants=3)

LEAKS = (
    "before commit",
    "after release",
)  # where an answer that left too early is out and its turn is not kept


async def survive(url: str, counts: Counts, chance: random.Random, tell: Tell = _silent) -> Outcome:
    """The product through every fault point and then the random instants, all under one load on one database."""
    kills = [*every_point(counts.times), *instants(counts.instants, chance)]
    return await Trial(url, chance).run(kills, tell)


async def catch_early(
    new: Callable[[], str], chance: random.Random, moments: Sequence[str] = MOMENTS
) -> dict[str, Outcome]:
    """The mutant that answers early, by fault point, each on a database of its own.

    A group of nothing but repeats has nothing to lose, so the mutant must get away three times to live.
    """
    return {
        f"{moment}, {way}": await Trial(new(), chance, writer="early").run(
            [Point(way, moment, nth) for nth in (2, 5, 9)]
        )
        for way in WAYS
        for moment in moments
    }


async def catch_forgetful(url: str, chance: random.Random) -> Outcome:
    """The mutant that does not know an update again, after a good number of groups."""
    return await Trial(url, chance, writer="forgetful").run([Point("together", "after commit", 40)])
