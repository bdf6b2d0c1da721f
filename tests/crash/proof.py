"""The crash proof: `kill -9` at every fault point and at random instants under load; what was acknowledged is there.

A random kill alone cannot be trusted: a service that answers before it commits survives most of them. So it is also
killed at its fault points, each after a pause in which a wrong answer gets out, and a mutant that answers early must
be caught by the very same look.
"""

import asyncio
import random
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp

from tests.crash.ledger import Found, look, said
from tests.crash.load import Refused, Visitor, connected
from tests.crash.service import Broken, Instant, Kill, Point, Service, every_point, told
from tests.crash.victim import MOMENTS, WAYS

VISITORS = 24
LATEST = 0.4  # seconds after a life's first answer within which a random kill falls

Tell = Callable[[str], None]


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


class Trial:
    """One database and its visitors, through any number of deaths of the service."""

    def __init__(
        self, url: str, chance: random.Random, *, writer: str = "real", visitors: int = VISITORS
    ) -> None:
        self._url = url
        self._service = Service(url, writer)
        self._visitors = [Visitor(f"{n}", random.Random(chance.random())) for n in range(visitors)]
        self._kills = self._kept = self._gone = 0
        self._now = "at the start"

    async def run(self, kills: Sequence[Kill], tell: Tell = _silent) -> Outcome:
        """Go through these deaths, looking into the database after each; then through a quiet life and a clean end."""
        async with self._service:
            try:
                faults = await self._lives(kills, tell)
            except (Broken, Refused, TimeoutError, aiohttp.ClientError, ExceptionGroup) as trouble:
                faults = (f"{told(trouble)} {self._service.last_words()}",)
        return Outcome(self._counts(), faults, self._now)

    async def _lives(self, kills: Sequence[Kill], tell: Tell) -> tuple[str, ...]:
        """One life after the other, the next process getting ready while one serves; ends at the first fault."""
        spare = await self._service.spawn(kills[0])
        for number, (kill, following) in enumerate(zip(kills, [*kills[1:], None], strict=True), 1):
            process, spare = spare, await self._service.spawn(following)
            self._now = f"kill {number}, {kill}"
            found = await self._die(process, kill)
            if found.faults:
                return found.faults
            if number % 10 == 0 or number == len(kills):
                tell(f"kill {number}/{len(kills)}, {self._acknowledged():,} acknowledged")
        self._now = "at the end"
        return (await self._end(spare)).faults

    async def _die(self, process: Process, kill: Kill) -> Found:
        """One life under load up to its death, then the look before anybody can repair anything."""
        address = await self._service.wake(process)
        answered = asyncio.Event()
        async with connected(address) as session, asyncio.TaskGroup() as group:
            group.create_task(self._service.end(process, kill, answered))
            for visitor in self._visitors:
                group.create_task(visitor.talk(session, answered))
        await self._service.gone(process)
        self._kills += 1
        found = look(self._url, self._visitors)
        self._kept += found.open_kept
        self._gone += found.open_gone
        return found

    async def _end(self, process: Process) -> Found:
        """A quiet life: everything open is settled, everything said is fetched; then a clean end."""
        address = await self._service.wake(process)
        async with connected(address) as session:
            await asyncio.gather(*(visitor.finish(session) for visitor in self._visitors))
            unheard = [await self._unheard(visitor, session) for visitor in self._visitors]
        process.terminate()
        await self._service.gone(process, 0)
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
