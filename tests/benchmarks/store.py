"""A turn in the store, in process, beside the same statements on the bare driver.

Product: the real writer, driven by hand, with the real router; understanding is done beforehand.
Peer: the SQL texts and values which the product itself sends, recorded on a copy of the database and replayed on
sqlite3 or psycopg with nothing around them: begin, write the rows as the JSON parameter they are, execute, fetch all,
commit. A second line for each shows the turn
with its dialogue decided beforehand: what the store itself adds to its statements.

There are two kinds of turns: a question that the plan answers, and a form step, which answers one question in the
middle of the demand survey. Nobody answers twice, so that every form step is of its own draft.
"""

import itertools
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import orjson
import psycopg
import sqlalchemy as sa

from bot.app import registry
from content.everything import Content, load_content
from handlers.dialogue import Cue, Said, View
from handlers.hearing import Hearing
from handlers.messages import Message
from handlers.people import Person
from handlers.router import SURVEY_FORM, Router
from storage.database import CACHE_KIB, open_database
from storage.forms import FormShelf
from storage.unit_of_work import Router as AnyRouter
from storage.unit_of_work import Turn
from storage.writer import Writer
from tests.benchmarks.drafts import Decided, DecidedRoute, answering, drafts, published, survey_router
from tests.benchmarks.population import Asked, fill, questions, turn
from tests.benchmarks.report import Measure, beside_peer, interleaved
from tests.world import START, Postgres, Sqlite, settings_for

PEOPLE = 10_000
ROUNDS = 9
GROUPS = {1: 200, 16: 50, 64: 20}  # turns in a group: groups in a round
STEPS = {1: 200, 16: 50, 64: 15}  # the same for form steps: fewer than there are people, over all rounds
GOALS = {("SQLite", 16): 2.0, ("SQLite", 64): 1.6}

Statement = tuple[str, Any]


class Beforehand:
    """A router that decided everything before the turn: what is left is the store alone."""

    def __init__(self, router: Router, asked: Sequence[Asked]) -> None:
        person = Person(1, greeted=True)
        view = View(person, START, shows_greeting=True)
        self._routes = {
            one.said.text: DecidedRoute((), router.route(one.said, one.state, person).step(view))
            for one in asked
        }

    def route(self, cue: Cue, stored: str | None, person: Person) -> DecidedRoute:
        """What was decided; a question of the plan needs nothing."""
        assert isinstance(cue, Said)
        return self._routes[cue.text]


class Product:
    """The writer on one database, driven in the benchmark's own thread."""

    def __init__(self, url: str, router: AnyRouter, content: Content | None = None) -> None:
        """`content` has the forms that are ready, as at a start of the service."""
        self.database = open_database(url)
        self._writer = Writer(
            self.database.writer,
            router,
            registry(settings_for(url), FormShelf(content.forms.values() if content else ())),
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

    def __init__(self, url: str, router: AnyRouter, content: Content) -> None:
        self._product = Product(url, router, content)
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
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", f"cache_size=-{CACHE_KIB}",
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


class Work(Protocol):
    """One kind of turns: who takes them, what they need in the database, how they come."""

    name: str
    sizes: dict[int, int]  # turns in a group: groups in a round
    content: Content

    @property
    def router(self) -> AnyRouter:
        """The real one."""
        ...

    @property
    def beforehand(self) -> AnyRouter:
        """One that decided everything beforehand."""
        ...

    def fill(self, url: str) -> None:
        """Make the people who will come."""
        ...

    def rounds(self, size: int) -> Iterator[list[list[Turn]]]:
        """Round after round of groups of that size."""
        ...


class Questions:
    """People who talked before ask something that the plan answers."""

    name, sizes = "turn", GROUPS

    def __init__(self, content: Content, hearing: Hearing) -> None:
        self.content = content
        router = Router(content, hearing)
        self._asked = questions(content, hearing, router)
        self.router, self.beforehand = router, Beforehand(router, self._asked)

    def fill(self, url: str) -> None:
        """People with a question behind them."""
        fill(url, PEOPLE, self._asked)

    def rounds(self, size: int) -> Iterator[list[list[Turn]]]:
        """Questions from people drawn from all."""
        chance, keys = random.Random(size), itertools.count()
        while True:
            yield groups_of(size, self.sizes[size], PEOPLE, chance, keys, self._asked)


class FormSteps:
    """People in the middle of the demand survey answer the question on their screen."""

    name, sizes = "turn with a form step", STEPS

    def __init__(self, content: Content, hearing: Hearing) -> None:
        self.content = content
        router = survey_router(content, hearing)
        self._points = answering(content, hearing, router)
        self.router, self.beforehand = router, Decided(self._points)

    def fill(self, url: str) -> None:
        """People with a draft each."""
        published(url, self.content)
        fill(url, PEOPLE, self._points, partial(drafts, self.content.forms[SURVEY_FORM], self._points))

    def rounds(self, size: int) -> Iterator[list[list[Turn]]]:
        """Answers from everybody once, in random order."""
        everyone = random.Random(size).sample(range(1, PEOPLE + 1), PEOPLE)
        came = (
            turn(number, key, self._points[number % len(self._points)]) for key, number in enumerate(everyone)
        )
        while True:
            yield [list(itertools.islice(came, size)) for _ in range(self.sizes[size])]


def measure() -> Iterator[Measure]:
    """Groups of 1, 16 and 64 people on both databases."""
    content = load_content()
    hearing = Hearing(content)
    works: tuple[Work, ...] = (Questions(content, hearing), FormSteps(content, hearing))
    for work in works:
        with tempfile.TemporaryDirectory() as folder:
            yield from _on("SQLite", _sqlite_copies(Path(folder), work), BareSqlite, work)
        server = Postgres()
        try:
            yield from _on("PostgreSQL", _postgres_copies(server, work), BarePostgres, work)
        finally:
            server.stop()


def _on(
    name: str, copy: Callable[[], str], bare: type[BareSqlite] | type[BarePostgres], work: Work
) -> Iterator[Measure]:
    for size in work.sizes:
        costs = _costs(copy, bare, work, size)
        what, unit, peer = f"{name}, groups of {size}", "µs CPU a turn", f"its statements, bare {bare.name}"
        whole = [(one, theirs) for one, _, theirs in costs]
        store = [(one, theirs) for _, one, theirs in costs]
        yield beside_peer(f"{work.name}, {what}", unit, peer, whole, GOALS.get((name, size)))
        yield beside_peer(f"{work.name} decided beforehand, {what}", unit, peer, store)


def _costs(
    copy: Callable[[], str], bare: type[BareSqlite] | type[BarePostgres], work: Work, size: int
) -> list[tuple[float, ...]]:
    """CPU a turn with its dialogue, without it, and of the peer, round by round on databases that stay equal."""
    recorder, peer = Recorder(copy(), work.router, work.content), bare(copy())
    whole, store = (Product(copy(), router, work.content) for router in (work.router, work.beforehand))
    rounds = work.rounds(size)

    def contenders() -> list[Callable[[], float]]:
        groups = next(rounds)
        recorded, turns = recorder.record(groups), sum(map(len, groups))
        return [
            lambda: cost(whole.take, groups) / turns,
            lambda: cost(store.take, groups) / turns,
            lambda: cost(peer.take, recorded) / turns,
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


def _sqlite_copies(folder: Path, work: Work) -> Callable[[], str]:
    template = Sqlite(folder).new()
    work.fill(template)
    numbers = itertools.count()

    def copy() -> str:
        path = folder / f"copy{next(numbers)}.db"
        shutil.copyfile(template.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"

    return copy


def _postgres_copies(server: Postgres, work: Work) -> Callable[[], str]:
    url = server.new()
    work.fill(url)
    template = url.partition("?")[0].rpartition("/")[2]
    numbers = itertools.count()

    def copy() -> str:
        name = f"copy{next(numbers)}"
        server.psql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return server.url(name)

    return copy
