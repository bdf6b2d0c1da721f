"""What `import enterprises` does: shows what a list would do, asks, takes the right rows, gives the others back."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bot.exports import ExportError, file_beside, progress
from bot.register.files import ListError, Opened
from bot.register.importing import Lists
from bot.register.preview import Preview
from bot.register.written import returned_path, write_returned
from bot.settings import Settings
from content.everything import Content
from handlers.register.planning import Plan
from handlers.register.rows import ListRead
from storage import imports
from storage.database import Database
from storage.imports import AlreadyTaken, RegisterChanged
from storage.migrate import Shape, ready, shape


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: which list, and how far to go."""

    file: Path
    sheet: str | None = None
    dry_run: bool = False
    yes: bool = False
    undo: bool = False


class ListCommand:
    """One run of the command; `run` raises ListError, ExportError and StoreError with nothing changed."""

    def __init__(self, content: Content, settings: Settings, database: Database) -> None:
        self._say = content.say
        self._lists = Lists(content, settings.key)
        self._database, self._zone = database, settings.zone

    def run(self, asked: Asked) -> None:
        """Do what is asked."""
        opened = self._lists.open(asked.file, asked.sheet)
        if asked.undo:
            self._undo(opened)
            return
        if found := self._taken(opened):
            print(self._already(opened, *found))
            return
        read = self._read(opened)
        with self._register() as connection:
            plan = self._lists.compare(connection, read)
        Preview(self._say).show(opened, read, plan)
        if self._is_wanted(asked, plan):
            self._take(asked, opened, read, plan)

    def _read(self, opened: Opened) -> ListRead:
        rows = len(opened.table.rows)
        with progress(rows, self._told("register_reading", rows=rows)) as tick:
            return self._lists.read(opened, tick)

    def _is_wanted(self, asked: Asked, plan: Plan) -> bool:
        if asked.dry_run:
            print(self._told("register_dry"))
            return False
        if not plan.right:
            raise ListError(self._told("register_nothing_right"))
        if asked.yes:
            return True
        if not sys.stdin.isatty():
            raise ListError(self._told("register_needs_yes", right=plan.right))
        answer = input(f"{self._told('register_ask', right=plan.right)}: ").strip().casefold()
        if answer in {self._say(language, "register_yes") for language in ("vi", "en")}:
            return True
        print(self._told("register_not_taken"))
        return False

    def _take(self, asked: Asked, opened: Opened, read: ListRead, plan: Plan) -> None:
        """The right rows into the register and the others into a file: both, or neither."""
        path = returned_path(asked.file)
        if not plan.held:
            number = self._write(opened, plan)
        else:
            with file_beside(path, self._say) as beside:
                write_returned(beside, read, plan, self._say)
                number = self._write(opened, plan)
        print(self._told("register_done", right=plan.right, number=number, **plan.counts()))
        if plan.held:
            print(self._told("register_returned", held=len(plan.held), file=path))

    def _write(self, opened: Opened, plan: Plan) -> int:
        ready(self._database)
        new, rows = self._lists.new(plan), len(plan.new) + len(plan.updates)
        who, at = _user(), datetime.now(UTC)
        try:
            with (
                progress(rows, self._told("register_taking", rows=rows)) as tick,
                self._database.writer.begin() as connection,
            ):
                return self._lists.take(connection, opened, plan, new, who=who, at=at, tick=tick)
        except RegisterChanged:
            raise ListError(self._told("register_changed")) from None
        except AlreadyTaken as error:
            raise ListError(self._already(opened, error.import_id, error.at)) from None

    def _undo(self, opened: Opened) -> None:
        found = self._taken(opened)
        if found is None:
            raise ListError(self._told("register_not_imported", sheet=opened.table.name))
        number, _ = found
        with self._database.writer.begin() as connection:
            removed, restored, stayed = self._lists.undo(connection, number, datetime.now(UTC))
        values = {"removed": removed, "restored": restored, "stayed": stayed}
        print(self._told("register_undone", number=number, **values))

    def _taken(self, opened: Opened) -> tuple[int, datetime] | None:
        with self._register() as connection:
            return imports.taken(connection, opened.sha256, opened.table.name) if connection else None

    def _already(self, opened: Opened, number: int, at: datetime) -> str:
        day = at.astimezone(self._zone).strftime("%d/%m/%Y")
        return self._told("register_already", sheet=opened.table.name, at=day, number=number)

    @contextmanager
    def _register(self) -> Iterator[sa.Connection | None]:
        """The register to look at; None where there is no database yet, which looking does not make."""
        missing = self._database.is_sqlite and not Path(self._database.url.database or "").exists()
        if missing or shape(self._database) is Shape.NEW:
            yield None
            return
        ready(self._database)
        with self._database.reader.connect() as connection:
            yield connection

    def _told(self, key: str, **values: object) -> str:
        return self._say("vi", key, **values)


def _user() -> str:
    """Whose terminal this is."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may know its users by number only
        return "terminal"


__all__ = ["Asked", "ExportError", "ListCommand", "ListError"]
