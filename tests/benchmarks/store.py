"""A turn in the store, in process, beside the same statements on the bare driver.

Product: the real writer, driven by hand, with the real router; understanding is done beforehand.
Peer: the SQL texts and parameters which the product itself sends, recorded on a copy of the database and replayed on
sqlite3 or psycopg with nothing around them: begin, execute, fetch all, commit.
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

import psycopg
import sqlalchemy as sa

from bot.app import registry
from content.library import load_content
from handlers.messages import Message
from handlers.router import Router
from handlers.understand import Understanding
from storage.database import CACHE_KIB, open_database
from storage.unit_of_work import Turn
from storage.writer import Writer
from tests.benchmarks.population import Asked, fill, questions, turn
from tests.benchmarks.report import Measure, beside_peer, interleaved
from tests.world import Postgres, Sqlite, settings_for

PEOPLE = 10_000
ROUNDS = 9
GROUPS = {1: 400, 16: 60, 64: 20}  # turns in a group: groups in a round
GOALS = {("SQLite", 16): 2.0, ("SQLite", 64): 1.6}

Statement = tuple[str, Any]


class Product:
    """The writer on one database, driven in the benchmark's own thread."""

    def __init__(self, url: str, router: Router) -> None:
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
            self._sent.append((statement, parameters))

    def record(self, groups: Sequence[Sequence[Turn]]) -> list[list[Statement]]:
        """The statements of each group."""
        recorded = []
        for group in groups:
            self._sent = []
            self._product.take([group])
            recorded.append(self._sent)
        return recorded


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
            for statement, parameters in statements:
                execute(statement, parameters).fetchall()
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
            for statement, parameters in statements:
                cursor.execute(statement, parameters)  # type: ignore[call-overload]
                if cursor.description:
                    cursor.fetchall()
            self._connection.commit()


def measure() -> Iterator[Measure]:
    """Groups of 1, 16 and 64 people on both databases."""
    content = load_content()
    understanding = Understanding(content)
    router = Router(content, understanding)
    asked = questions(content, understanding, router)
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
        pairs = _pairs(copy, bare, router, asked, size, count)
        yield beside_peer(
            f"store turn, {name}, groups of {size}",
            "µs CPU a turn",
            f"same statements, bare {bare.name}",
            pairs,
            GOALS.get((name, size)),
        )


def _pairs(
    copy: Callable[[], str],
    bare: type[BareSqlite] | type[BarePostgres],
    router: Router,
    asked: Sequence[Asked],
    size: int,
    count: int,
) -> list[tuple[float, float]]:
    """Microseconds of CPU a turn, product and peer, round by round on databases that stay equal."""
    recorder, product, peer = Recorder(copy(), router), Product(copy(), router), bare(copy())
    chance, keys = random.Random(size), itertools.count()
    rounds = [_groups(chance, keys, asked, size, count) for _ in range(ROUNDS + 1)]
    recorded = iter([recorder.record(groups) for groups in rounds])
    given = iter(rounds)
    return interleaved(
        ROUNDS,
        lambda: _cost(product.take, next(given)) / (size * count),
        lambda: _cost(peer.take, next(recorded)) / (size * count),
    )


def _groups(
    chance: random.Random, keys: Iterator[int], asked: Sequence[Asked], size: int, count: int
) -> list[list[Turn]]:
    return [
        [
            turn(number, next(keys), chance.choice(asked))
            for number in chance.sample(range(1, PEOPLE + 1), size)
        ]
        for _ in range(count)
    ]


def _cost(take: Callable[[Any], None], groups: Any) -> float:
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
