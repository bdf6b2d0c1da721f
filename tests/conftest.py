"""Fixtures every test may ask for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import pytest
import structlog
import uvloop
from hypothesis import settings

from bot.app import App
from content.everything import Content, load_content
from tests.world import Clock, Postgres, Sqlite, Visitor, new_app

# A fault is told as the service tells it: its place, never the values around it, which are the whole content.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S"),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

# How long an example takes says more of the machine than of the program.
settings.register_profile("doluong", deadline=None)
settings.load_profile("doluong")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop the service runs on: its timers are not those of the standard library."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL for the whole run."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Sqlite:
    """SQLite files."""
    return Sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Sqlite | Postgres:
    """Both databases, one after the other: what holds for one holds for the other."""
    return request.getfixturevalue("sqlite" if request.param == "sqlite" else "postgres")


@pytest.fixture
def url(databases: Sqlite | Postgres) -> str:
    """A fresh, migrated database."""
    return databases.new()


@pytest.fixture(scope="session")
def content() -> Content:
    """The real content."""
    return load_content()


@pytest.fixture
def clock() -> Clock:
    """A frozen clock."""
    return Clock()


@pytest.fixture
async def app(sqlite: Sqlite, clock: Clock) -> AsyncIterator[App]:
    """A running assistant on SQLite."""
    running = new_app(sqlite.new(), clock)
    running.conversation.start()
    yield running
    await running.conversation.stop()
    running.database.close()


@pytest.fixture
def visitor(app: App) -> Visitor:
    """Somebody who never wrote before."""
    return Visitor(app)
