"""Telegram by webhook: an echo, a whole turn of the product, and replies while bulk is being sent.

What is measured runs as a process of its own on one core; what plays Telegram runs in this one on the other. An update
is open from its sending until it was answered 200 and its reply arrived. A reply that is not the expected one, another
status, or rows that are missing afterwards end the benchmark: no number counts if the work was not done.

aiogram wants an older pydantic than the service and so cannot stand beside it; it is measured where
BENCH_AIOGRAM names a Python that has it (with uvloop and orjson).
"""

import asyncio
import bisect
import itertools
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvloop

from bot.channels.base import parts
from bot.channels.telegram.can import TELEGRAM
from bot.channels.telegram.render import text_parameters
from content.everything import load_content
from handlers.hearing import Hearing
from handlers.messages import Message
from handlers.router import SURVEY_FORM
from storage.database import Database, open_database
from storage.outbox import dump
from storage.tables import instant
from tests.benchmarks.bots import Bot, Kept, Run, apart, echo, service
from tests.benchmarks.drafts import Answering, answering, drafts, published, survey_router
from tests.benchmarks.far_end import Load, Sent, Update, update
from tests.benchmarks.population import fill, quoted
from tests.benchmarks.report import Measure, alone, beside_peer, interleaved
from tests.world import START, Postgres, Sqlite

ROUNDS = 7
FEW, MANY = 16, 256  # updates open at once
COUNT = 800  # updates in a round
COUNT_SLOW = 300  # for a peer that takes five times as long
PEOPLE = COUNT * 2 * (ROUNDS + 1)  # each answers once, at one of the two loads
FIRST = 1_000_000_000  # chats are numbered from here
AIOGRAM = "BENCH_AIOGRAM"

# Replies while bulk is being sent
DELAY = 0.05  # seconds the far end thinks
ASKED = 320  # replies, with bulk and without
COLD = 20  # of them are not counted
MOST_LATER = 50.0  # milliseconds
GAPS = (0.1, 0.25)  # seconds between one reply and the next update
ALLOWED = 30  # messages a second
BULK = 3_000  # chats
LOOK = 0.01  # seconds between looks whether this process is held up
BULK_TEXT = "Kính gửi Anh/Chị, phiếu khảo sát nhu cầu đo lường đã mở."

Runner = Callable[[Any], Any]


def measure() -> Iterator[Measure]:
    """All three."""
    with apart() as core, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        yield from _echo(runner.run, core)
        yield from _turn(runner.run, core)
        yield from _replies(runner.run, core)


# The echo


def _echo(run: Runner, core: int) -> Iterator[Measure]:
    stack = AsyncExitStack()
    names = ["ours", "raw", "default"]
    bots: dict[str, Bot] = {name: run(stack.enter_async_context(echo(name, core))) for name in names}
    if python := os.environ.get(AIOGRAM):
        bots["aiogram"] = run(stack.enter_async_context(echo("aiogram", core, python)))
    numbers = itertools.count(1)

    def contenders() -> list[Callable[[], Run]]:
        return [
            lambda: run(bots["ours"].take(_spoken(numbers, COUNT), FEW)),
            lambda: run(bots["ours"].take(_spoken(numbers, COUNT), MANY)),
            lambda: run(bots["raw"].take(_spoken(numbers, COUNT), FEW)),
            lambda: run(bots["raw"].take(_spoken(numbers, COUNT), MANY)),
            *(
                partial(lambda name: run(bots[name].take(_spoken(numbers, COUNT_SLOW), FEW)), name)
                for name in ("default", "aiogram")
                if name in bots
            ),
        ]

    try:
        rounds = interleaved(ROUNDS, contenders)
    finally:
        run(stack.aclose())
    few, many, raw_few, raw_many, default, *aiogram = zip(*rounds, strict=True)
    name, unit = "Telegram echo, {} open", "µs CPU an update"
    yield beside_peer(name.format(FEW), unit, "raw aiohttp and orjson", _cpu(few, raw_few), 2.8)
    yield beside_peer(name.format(MANY), unit, "raw aiohttp and orjson", _cpu(many, raw_many), 2.8)
    yield beside_peer(name.format(FEW), unit, "PTB's own transport", _cpu(few, default), 1 / 4.5)
    for one in aiogram:
        yield beside_peer(name.format(FEW), unit, "aiogram's webhook", _cpu(few, one), 0.6)
    yield beside_peer(name.format(MANY), "µs an update", f"{FEW} open", _wall(many, few), 1 / 0.95)


def _spoken(numbers: Iterator[int], count: int) -> list[Update]:
    """People who each say something; it must come back."""
    some = list(itertools.islice(numbers, count))
    return [
        update(number, FIRST + number, f"Xin chào lần {number}", f"Xin chào lần {number}") for number in some
    ]


def _cpu(mine: Sequence[Run], theirs: Sequence[Run]) -> list[tuple[float, ...]]:
    return [(one.cpu, other.cpu) for one, other in zip(mine, theirs, strict=True)]


def _wall(mine: Sequence[Run], theirs: Sequence[Run]) -> list[tuple[float, ...]]:
    return [(one.wall, other.wall) for one, other in zip(mine, theirs, strict=True)]


# A whole turn


class People:
    """People in the middle of the survey, who are met on Telegram; each answers once."""

    def __init__(self, count: int) -> None:
        self._content = load_content()
        hearing = Hearing(self._content)
        self._points = answering(self._content, hearing, survey_router(self._content, hearing))
        self._expected = [_shown(point) for point in self._points]
        self._count = count

    def fill(self, url: str) -> Kept:
        """Make them, each with a draft."""
        form = self._content.forms[SURVEY_FORM]
        published(url, self._content)
        fill(
            url,
            self._count,
            self._points,
            lambda database, people: [
                *drafts(form, self._points, database, people),
                f"UPDATE addresses SET channel = 'telegram', address = CAST({FIRST} + id AS text)",
            ],
        )
        database = open_database(url)
        with database.reader.connect() as connection:
            return Kept(database, connection.scalar(sa.text("SELECT max(id) FROM answer_log")) or 0)

    def answers(self, seed: int) -> Iterator[Update]:
        """What they answer, in random order."""
        for number, person in enumerate(
            random.Random(seed).sample(range(1, self._count + 1), self._count), 1
        ):
            at = person % len(self._points)
            yield update(number, FIRST + person, self._points[at].said.text, self._expected[at])


def _shown(point: Answering) -> str:
    """The next question as Telegram must show it."""
    [reply] = point.step.replies
    [part] = parts(reply, TELEGRAM)
    text: str = text_parameters(part, "bench_bot")["text"]
    return text


def _turn(run: Runner, core: int) -> Iterator[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres()
        try:
            urls = (Sqlite(Path(folder)).new(), Sqlite(Path(folder)).new(), server.new())
            yield from _turn_on(run, core, *urls)
        finally:
            server.stop()


def _turn_on(run: Runner, core: int, full: str, normal: str, postgres: str) -> Iterator[Measure]:
    people = People(PEOPLE)
    kept = [people.fill(url) for url in (full, normal, postgres)]
    stack = AsyncExitStack()
    ways: list[dict[str, Any]] = [{}, {"BENCH_SYNCHRONOUS": "NORMAL"}, {}]
    try:
        products = [
            run(stack.enter_async_context(service(url, core, **way)))
            for url, way in zip((full, normal, postgres), ways, strict=True)
        ]
        peers = [run(stack.enter_async_context(echo(name, core))) for name in ("library", "dicts")]
        rounds = _turns(run, people, list(zip(products, kept, strict=True)), peers)
    finally:
        run(stack.aclose())
        for one in kept:
            one.database.close()
    yield from _compared(rounds)


def _turns(
    run: Runner, people: People, products: Sequence[tuple[Bot, Kept]], peers: Sequence[Bot]
) -> list[tuple[Run, ...]]:
    """Round by round: each product and each peer with few updates open, then with many."""
    numbers = itertools.count(1)
    coming = [people.answers(seed) for seed in range(len(products))]

    def product(at: int, at_once: int) -> Run:
        bot, kept = products[at]
        taken: Run = run(bot.take(list(itertools.islice(coming[at], COUNT)), at_once, kept))
        return taken

    def peer(at: int, at_once: int) -> Run:
        taken: Run = run(peers[at].take(_spoken(numbers, COUNT), at_once))
        return taken

    return interleaved(
        ROUNDS,
        lambda: [
            partial(take, at, at_once)
            for at_once in (FEW, MANY)
            for take, some in ((product, products), (peer, peers))
            for at in range(len(some))
        ],
    )


def _compared(rounds: Sequence[tuple[Run, ...]]) -> Iterator[Measure]:
    goals = {FEW: (1.35, 1.6), MANY: (1.2, 1.35)}
    columns = list(zip(*rounds, strict=True))
    for at_once, some in ((FEW, columns[:5]), (MANY, columns[5:])):
        sqlite, normal, postgres, library, dicts = some
        unit, typed, plain = "µs CPU a turn", "PTB echo, send_message", "PTB echo, do_api_request"
        for name, product, goal in zip(
            ("SQLite", "PostgreSQL"), (sqlite, postgres), goals[at_once], strict=True
        ):
            what = f"Telegram whole turn, {name}, {at_once} open"
            yield beside_peer(what, unit, typed, _cpu(product, library), goal)
            yield beside_peer(what, unit, plain, _cpu(product, dicts))
        what = f"Telegram whole turn, SQLite FULL, {at_once} open"
        yield beside_peer(what, unit, "synchronous=NORMAL", _cpu(sqlite, normal), 1.10)
        yield beside_peer(what, "µs a turn", "synchronous=NORMAL", _wall(sqlite, normal))
        yield beside_peer(
            f"Telegram whole turn, SQLite, {at_once} open", "µs a turn", typed, _wall(sqlite, library)
        )


# Replies while bulk is being sent


@dataclass
class Beside:
    """What replies took, in seconds, in a service that sends bulk and in one that does not, at the same time."""

    busy: Sequence[float]
    idle: Sequence[float]
    arrived: list[float] = field(default_factory=list)  # when each message of the busy one came
    held_up: float = 0.0  # seconds, the longest that this process slept too long

    @property
    def p99(self) -> tuple[float, ...]:
        """Milliseconds, busy and idle."""
        return _p99(self.busy) * 1e3, _p99(self.idle) * 1e3

    @property
    def median(self) -> tuple[float, ...]:
        """Milliseconds, busy and idle."""
        return statistics.median(self.busy) * 1e3, statistics.median(self.idle) * 1e3


def _replies(run: Runner, core: int) -> Iterator[Measure]:
    people = People(ASKED + BULK)
    with tempfile.TemporaryDirectory() as folder:
        urls = [Sqlite(Path(folder)).new() for _ in range(2)]
        kept = [people.fill(url) for url in urls]
        try:
            found: Beside = run(_beside_bulk(urls, core, people, kept[0].database))
        finally:
            for one in kept:
                one.database.close()
    peer, (busy, idle) = "the same, no bulk", found.p99
    yield beside_peer("Telegram reply while bulk is sent, median", "ms", peer, [found.median])
    yield beside_peer("Telegram reply while bulk is sent, p99", "ms", peer, [found.p99])
    # A machine that holds everything up for longer than the goal allows decides nothing.
    calm = max(idle, found.held_up * 1e3) <= MOST_LATER
    later = "Telegram reply while bulk is sent, p99 later than without"
    yield alone(later, "ms", [busy - idle], MOST_LATER if calm else None)
    yield alone("Telegram far end held up, the longest", "ms", [found.held_up * 1e3])
    fullest = "Telegram messages in the fullest second"  # what comes while the far end is held up seems to come at once
    yield alone(fullest, "messages", [_fullest(found.arrived)], float(ALLOWED) if calm else None)
    rate = (len(found.arrived) - 1) / (found.arrived[-1] - found.arrived[0])
    what = "Telegram time of 30 messages, bulk and replies"
    yield beside_peer(what, "s", "allowed", [(ALLOWED / rate, 1.0)], 1 / 0.99 if calm else None)


async def _beside_bulk(urls: Sequence[str], core: int, people: People, database: Database) -> Beside:
    """Two services at once; only the first has bulk to send, for the people of `database`."""
    async with (
        service(urls[0], core, delay=DELAY, limited=True) as busy,
        service(urls[1], core, delay=DELAY, limited=True) as idle,
    ):
        loads = [Load(one.end, one.address) for one in (busy, idle)]
        for load in loads:
            await load.connect(1)
        found = Beside(loads[0].latencies, loads[1].latencies)
        _note(busy, loads[0], found.arrived)
        _queue(database)
        while len(found.arrived) < ALLOWED:  # noqa: ASYNC110  a second of bulk
            await asyncio.sleep(LOOK)
        watching = asyncio.create_task(_watch(found))
        await _ask(loads, people)
        watching.cancel()
        for load in loads:
            load.close()
    return found


def _note(bot: Bot, load: Load, arrived: list[float]) -> None:
    """Note when each message came; only replies are the load's."""
    replied = bot.end.on_sent

    def sent(one: Sent) -> None:
        arrived.append(one.at)
        if one.text != BULK_TEXT:
            replied(one)

    bot.end.on_sent = sent


async def _ask(loads: Sequence[Load], people: People) -> None:
    """Everybody answers in both services, now first in one, now in the other; a cold start is not counted."""
    chance = random.Random(1)
    for number, one in enumerate(itertools.islice(people.answers(0), ASKED)):
        for load in loads if number % 2 else loads[::-1]:
            await load.run([one])
        if number + 1 == COLD:
            for load in loads:
                load.latencies.clear()
        await asyncio.sleep(chance.uniform(*GAPS))


async def _watch(found: Beside) -> None:
    """Note how late this process wakes."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(LOOK)
        found.held_up = max(found.held_up, time.perf_counter() - began - LOOK)


def _queue(database: Database) -> None:
    """Bulk for everybody who answered nothing yet, due now."""
    at, message = quoted(instant(START)), quoted(dump(Message(BULK_TEXT)))
    with database.writer.begin() as connection:
        connection.execute(
            sa.text(f"""
                INSERT INTO outbox (address_id, position, status, at, message, channel, bulk, due_at)
                SELECT id, 0, 'queued', {at}, {message}, 'telegram', 1, {at} FROM addresses ORDER BY id LIMIT {BULK}
            """)
        )


def _p99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98]


def _fullest(arrived: Sequence[float]) -> float:
    """The most messages in any second, wherever it begins."""
    return float(max(bisect.bisect_left(arrived, at + 1.0) - place for place, at in enumerate(arrived)))
