"""A turn in the store, in process, beside the same statements on the bare driver.

Product: the real writer, driven by hand, with the real router; understanding is done beforehand.
Peer: the SQL texts and values which the product itself sends, recorded on a copy of the database and replayed on
sqlite3 or psycopg with nothing around them: begin, write the rows as the JSON parameter they are, execute, fetch all,
commit. A second line for each shows the turn
with its dialogue decided beforehand: what the store itself adds to its statements.
"""

import itertools
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa

from bot.app import registry
from content.everything import load_content
from handlers.dialogue import Cue, Said, Step, View
from handlers.effects import Query
from handlers.hearing import Hearing
from handlers.messages import Message
from handlers.people import Person
from handlers.router import Router
from storage.database import CACHE_KIB, open_database
from storage.unit_of_work import Turn
from storage.writer import Writer
from tests.benchmarks.population import Asked, fill, questions, turn
from tests.benchmarks.report import Measure, beside_peer, interleaved
from tests.world import START, Postgres, Sqlite, settings_for

PEOPLE = 10_000
ROUNDS = 9
GROUPS = {1: 200, 16: 50, 64: 20}  # turns in a group: groups in a round
GOALS = {("SQLite", 16): 2.0, ("SQLite", 64): 1.6}

Statement = tuple[str, Any]


class Beforehand:
    """A router that decided everything before the turn: what is left is the store alone."""

    def __init__(self, router: Router, asked: Sequence[Asked]) -> None:
        view = View(Person(1, greeted=True), START, shows_greeting=True)
        self._steps = {one.said.text: router.step(one.said, one.state, view) for one in asked}

    def needs(self, cue: Cue, stored: str | None, person: Person) -> tuple[Query, ...]:
        """Nothing, as a question of the plan needs nothing."""
        return ()

    def step(self, cue: Cue, stored: str | None, view: View) -> Step:
        """The step decided beforehand, for this person."""
        assert isinstance(cue, Said)
        step = self._steps[cue.text]
        return Step(view.person, step.state, step.replies)


class Product:
    """The writer on one database, driven in the benchmark's own thread."""

    def __init__(self, url: str, router: Router | Beforehand) -> None:
        self.database = open_database(url)
        self._writer = Writer(
            self.database.writer,
            router,
            registry(settings_for(url)),
            self._release,
            lambda _turn: Message("sorry"),
        )
        self._answered = 0

    def _release(self, settled: Sequence[tuple[Any, Any]]) -> None:
        self._answered += sum(len(done.lines) for _, done in settled)

    def take(self, groups: Sequence[Sequence[Turn]]) -> None:
        """Settle every group; each turn must have been answered with one message."""
        self._answered = 0
        for group in groups:
            self._writer.work(group)
        assert self._answered == sum(len(group) for group in groups)


class Recorder:
    """Takes the same groups on a copy of the database and keeps the statements that were sent."""

    def __init__(self, url: str, router: Router) -> None:
        self._product = Product(url, router)
        self._sent: list[Statement] = []
        sa.event.listen(self._product.database.writer, "before_cursor_execute", self._keep)

    def _keep(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if not statement.startswith("BEGIN"):
            self._sent.append((statement, _values(parameters)))

    def record(self, groups: Sequence[Sequence[Turn]]) -> list[list[Statement]]:
        """The statements of each group."""
        recorded = []
        for group in groups:
            self._sent = []
            self._product.take([group])
            recorded.append(self._sent)
        return recorded


def _values(parameters: Any) -> Any:
    """The rows behind the one JSON parameter."""
    if isinstance(parameters, dict):
        [(name, text)] = parameters.items()
        return {name: orjson.loads(text)}
    [text] = parameters
    return [orjson.loads(text)]


def _bound(values: Any) -> Any:
    """The parameter again: a program on the bare driver writes it too."""
    if isinstance(values, dict):
        [(name, rows)] = values.items()
        return {name: orjson.dumps(rows).decode()}
    return [orjson.dumps(rows).decode() for rows in values]


class BareSqlite:
    """sqlite3 with the settings of the service."""

    name = "sqlite3"

    def __init__(self, url: str) -> None:
        path = url.removeprefix("sqlite:///")
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"cache_size=-{CACHE_KIB}",
        ):  # fmt: skip
            self._connection.execute(f"PRAGMA {pragma}")

    def take(self, groups: Sequence[Sequence[Statement]]) -> None:
        """Run the statements of each group in a transaction of its own."""
        execute = self._connection.execute
        for statements in groups:
            execute("BEGIN IMMEDIATE")
            for statement, values in statements:
                execute(statement, _bound(values)).fetchall()
            execute("COMMIT")


class BarePostgres:
    """psycopg with the settings of the service."""

    name = "psycopg"

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, options="-c lock_timeout=5000 -c timezone=UTC")

    def take(self, groups: Sequence[Sequence[Statement]]) -> None:
        """Run the statements of each group in a transaction of its own."""
        cursor = self._connection.cursor()
        for statements in groups:
            for statement, values in statements:
                cursor.execute(statement, _bound(values))
                if cursor.description:
                    cursor.fetchall()
            self._connection.commit()


def measure() -> Iterator[Measure]:
    """Groups of 1, 16 and 64 people on both databases."""
    content = load_content()
    hearing = Hearing(content)
    router = Router(content, hearing)
    asked = questions(content, hearing, router)
    with tempfile.TemporaryDirectory() as folder:
        sqlite = _sqlite_copies(Path(folder), asked)
        yield from _on("SQLite", sqlite, BareSqlite, router, asked)
    server = Postgres()
    try:
        yield from _on("PostgreSQL", _postgres_copies(server, asked), BarePostgres, router, asked)
    finally:
        server.stop()


def _on(
    name: str,
    copy: Callable[[], str],
    bare: type[BareSqlite] | type[BarePostgres],
    router: Router,
    asked: Sequence[Asked],
) -> Iterator[Measure]:
    for size, count in GROUPS.items():
        costs = _costs(copy, bare, router, asked, size, count)
        what, unit, peer = f"{name}, groups of {size}", "µs CPU a turn", f"its statements, bare {bare.name}"
        whole = [(one, theirs) for one, _, theirs in costs]
        store = [(one, theirs) for _, one, theirs in costs]
        yield beside_peer(f"turn, {what}", unit, peer, whole, GOALS.get((name, size)))
        yield beside_peer(f"turn decided beforehand, {what}", unit, peer, store)


def _costs(
    copy: Callable[[], str],
    bare: type[BareSqlite] | type[BarePostgres],
    router: Router,
    asked: Sequence[Asked],
    size: int,
    count: int,
) -> list[tuple[float, ...]]:
    """CPU a turn with its dialogue, without it, and of the peer, round by round on databases that stay equal."""
    recorder, peer = Recorder(copy(), router), bare(copy())
    whole, store = Product(copy(), router), Product(copy(), Beforehand(router, asked))
    chance, keys = random.Random(size), itertools.count()

    def contenders() -> list[Callable[[], float]]:
        groups = groups_of(size, count, PEOPLE, chance, keys, asked)
        recorded = recorder.record(groups)
        return [
            lambda: cost(whole.take, groups) / (size * count),
            lambda: cost(store.take, groups) / (size * count),
            lambda: cost(peer.take, recorded) / (size * count),
        ]

    return interleaved(ROUNDS, contenders)


def groups_of(
    size: int, count: int, people: int, chance: random.Random, keys: Iterator[int], asked: Sequence[Asked]
) -> list[list[Turn]]:
    """Groups of questions from existing people, drawn from all of them."""
    everyone = range(1, people + 1)
    return [
        [turn(number, next(keys), chance.choice(asked)) for number in chance.sample(everyone, size)]
        for _ in range(count)
    ]


def cost(take: Callable[[Any], None], groups: Any) -> float:
    """Microseconds of this thread's CPU."""
    before = time.thread_time()
    take(groups)
    return (time.thread_time() - before) * 1e6


def _sqlite_copies(folder: Path, asked: Sequence[Asked]) -> Callable[[], str]:
    template = Sqlite(folder).new()
    fill(template, PEOPLE, asked)
    numbers = itertools.count()

    def copy() -> str:
        path = folder / f"copy{next(numbers)}.db"
        shutil.copyfile(template.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"

    return copy


def _postgres_copies(server: Postgres, asked: Sequence[Asked]) -> Callable[[], str]:
    url = server.new()
    fill(url, PEOPLE, asked)
    template = url.partition("?")[0].rpartition("/")[2]
    numbers = itertools.count()

    def copy() -> str:
        name = f"copy{next(numbers)}"
        server.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return server.url(name)

    return copy
