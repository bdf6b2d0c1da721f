"""A store one can drive by hand: batches in, results out, no thread between."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from bot.app import registry
from content.everything import Content
from handlers.dialogue import Cue
from handlers.hearing import Hearing
from handlers.messages import Message
from storage.database import Database, open_database
from storage.unit_of_work import Done, Turn
from storage.writer import Job, Writer
from tests.storage.seats import SeatsRouter, create_tables, with_seats
from tests.world import START, settings_for


class Hand:
    """Drives a writer by hand, in the test's own thread."""

    def __init__(self, url: str, router: Any, *, busy_seconds: float = 5.0, probe: Any = None) -> None:
        self.database: Database = open_database(url, busy_seconds=busy_seconds)
        self.released: list[list[tuple[Any, Any]]] = []
        self.failed: list[BaseException] = []
        more = {"probe": probe} if probe else {}
        self.writer = Writer(
            self.database.writer,
            router,
            with_seats(registry(settings_for(url))),
            lambda settled: self.released.append(list(settled)),
            lambda _turn: Message("sorry"),
            failed=lambda _turn, error: self.failed.append(error),
            **more,
        )

    def give(self, *works: Turn | Job) -> list[Any]:
        """Give one batch; the result of each, in order."""
        self.released.clear()
        self.writer.work(works)
        results = {work: result for group in self.released for work, result in group}
        return [results[work] for work in works]

    def say(self, *said: tuple[str, str]) -> list[Any]:
        """Give what these people said, as one batch."""
        return self.give(*(turn(who, text) for who, text in said))

    def all(self, statement: str) -> list[tuple[Any, ...]]:
        """Read straight from the database."""
        with self.database.reader.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    def one(self, statement: str) -> Any:
        """The only value of a question."""
        [(value,)] = self.all(statement)
        return value


def turn(who: str, text: str, *, key: str | None = None, cue: Cue | None = None) -> Turn:
    """Something said, ready to be decided."""
    said = cue or _made[0](text)
    return Turn("terminal", who, key or uuid.uuid4().hex, said, START, "text", text, text)


_made: list[Hearing] = []


@pytest.fixture(scope="session")
def router(content: Content) -> SeatsRouter:
    """The real router, with a dialogue that asks for seats."""
    _made[:] = [Hearing(content)]
    return SeatsRouter(content, _made[0])


@pytest.fixture
def hand(url: str, router: SeatsRouter) -> Iterator[Hand]:
    """A writer on a fresh database."""
    made = Hand(url, router)
    with made.database.writer.begin() as connection:
        create_tables(connection)
    yield made
    made.database.close()


def texts(results: Sequence[Any]) -> list[list[str]]:
    """What was said in each result."""
    return [[message.text for _, message in result.lines] for result in results if isinstance(result, Done)]
