"""Bots as processes that are measured: pinned to one core, with a far end of their own on the other."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from storage.database import Database
from tests.benchmarks.far_end import SECRET, TOKEN, FarEnd, Load, Update
from tests.service import environment

OPENING = 60.0  # seconds until a bot must have set its webhook
MARKED = 10.0  # seconds until everything must be marked as sent
SETTING_DOWN = 0.05  # seconds in which new connections are taken
FAST = "100000"  # messages a second: no limit


@dataclass(frozen=True, slots=True)
class Run:
    """Microseconds of an update: CPU of the bot, and on the wall."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Bot:
    """A bot that waits for updates."""

    process: subprocess.Popen[str]
    address: str
    end: FarEnd

    def cpu(self) -> float:
        """Seconds of CPU it has used, to the nanosecond: its process clock, as clock_getcpuclockid(3) names it."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    async def take(self, updates: Sequence[Update], at_once: int, kept: "Kept | None" = None) -> Run:
        """Bring these, so many at once; with `kept` its database must show that all was done."""
        load = Load(self.end, self.address)
        await load.connect(at_once)
        await asyncio.sleep(SETTING_DOWN)
        before = kept.count() if kept else None
        began = self.cpu()
        took = await load.run(updates)
        if kept and before:
            await kept.wait_for(before, len(updates))
        used = self.cpu() - began
        load.close()
        return Run(used / len(updates) * 1e6, took / len(updates) * 1e6)


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of the database: turns, messages sent, responses in the log of answers, turns that failed."""

    turns: int
    sent: int
    answered: int
    failed: int


_COUNTS = sa.text("""
    SELECT (SELECT count(*) FROM turns WHERE update_key LIKE '42%'),
           (SELECT count(*) FROM outbox WHERE status = 'sent' AND channel = 'telegram'),
           (SELECT count(DISTINCT response_id) FROM answer_log WHERE id > :filled),
           (SELECT count(*) FROM failed_turns)
""")


@dataclass(frozen=True)
class Kept:
    """What a service has kept; `filled` is the last row of the log before it began."""

    database: Database
    filled: int

    def count(self) -> Counts:
        """As it is now."""
        with self.database.reader.connect() as connection:
            return Counts(*connection.execute(_COUNTS, {"filled": self.filled}).one())

    async def wait_for(self, before: Counts, more: int) -> None:
        """Wait until all of so many turns are kept, answered and marked; raises AssertionError when they are not."""
        wanted = Counts(before.turns + more, before.sent + more, before.answered + more, 0)
        until = time.monotonic() + MARKED
        while (found := self.count()) != wanted:
            assert time.monotonic() < until, f"{found} where {wanted} should be"
            await asyncio.sleep(0.05)


@contextmanager
def apart() -> Iterator[int]:
    """This process, and what it starts, on the last core; gives the number of the first, for what is measured."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    try:
        yield cores[0]
    finally:
        os.sched_setaffinity(0, cores)


@asynccontextmanager
async def echo(name: str, core: int, python: str = sys.executable) -> AsyncIterator[Bot]:
    """An echo of tests/benchmarks/echoes.py."""
    async with FarEnd() as end:
        command = [python, "-m", "tests.benchmarks.echoes", name, end.address]
        async with _started(command, dict(os.environ), core, end) as bot:
            yield bot


@asynccontextmanager
async def service(
    url: str, core: int, *, delay: float = 0.0, limited: bool = False, **more: str
) -> AsyncIterator[Bot]:
    """The whole service on a database, met by webhook; `delay`: seconds its far end thinks about a message."""
    async with FarEnd(delay=delay) as end:
        rates = {} if limited else {"PER_SECOND": FAST, "PER_CHAT": FAST}
        given = environment(
            url,
            DOLUONG_PORT="0",
            DOLUONG_DEMO="1",
            DOLUONG_INSTANCE="bench",
            DOLUONG_TELEGRAM_TOKEN=TOKEN,
            DOLUONG_TELEGRAM_MODE="webhook",
            DOLUONG_TELEGRAM_BASE_URL=end.address,
            **{f"DOLUONG_TELEGRAM_{name}": value for name, value in rates.items()},
            **more,
        )
        command = [sys.executable, "-m", "tests.benchmarks.telegram_service"]
        async with _started(command, given, core, end) as bot:
            await _until(lambda: end.secret != SECRET)
            yield bot


@asynccontextmanager
async def _started(
    command: Sequence[str], given: Mapping[str, str], core: int, end: FarEnd
) -> AsyncIterator[Bot]:
    process = subprocess.Popen(  # noqa: ASYNC220  nothing is measured meanwhile
        command,
        env=given,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509  nothing else runs in this process
    )
    try:
        assert process.stdout
        address = await asyncio.to_thread(process.stdout.readline)
        assert address, f"{command[-2:]} did not start"
        yield Bot(process, address.strip(), end)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, OPENING)
        finally:
            process.kill()
            process.stdout and process.stdout.close()


async def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + OPENING
    while not holds():
        assert time.monotonic() < until, "the service did not open"
        await asyncio.sleep(0.01)
