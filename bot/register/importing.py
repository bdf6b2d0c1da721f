"""One list on its way into the register: opened, read, compared, taken. The desk's pages stand on this, too.

opened = lists.open(path)                  one sentence (ListError) for a file that is no list
read = lists.read(opened)                  candidates with repairs, faults, notes
plan = lists.compare(connection, read)     what is new, changes, stays, goes back; twins side by side
lists.take(connection, opened, plan, …)    inside the caller's transaction
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.register.files import ListError, Opened, open_list
from content.everything import Content
from handlers.register.planning import Plan, Planner
from handlers.register.rows import ListRead, ListReader, Tick
from handlers.register.words import Lexis
from handlers.responses import ALPHABET, CODE_LENGTH
from storage import enterprises
from storage.imports import Importer, Listed, New, note_preview

FORM = "demand_survey"  # whose lists of communes and legal forms the register shares


class Lists:
    """Reads lists and takes them; built once, used from any thread."""

    def __init__(self, content: Content, key: Callable[[], bytes]) -> None:
        """`key` gives the installation's key; asked only when something is written."""
        self._say = content.say
        self.lexis = Lexis(content.register, content.forms[FORM])
        self._reader = ListReader(self.lexis)
        self._key = key

    @property
    def _importer(self) -> Importer:
        return Importer(self._key(), self.lexis.search_words, self.lexis.written_out)

    def open(self, path: Path, sheet: str | None = None) -> Opened:
        """The sheet of a file that holds a list; raises ListError."""
        return open_list(path, self._reader, self._say, sheet)

    def read(self, opened: Opened, tick: Tick = lambda _row: None) -> ListRead:
        """Every row of an opened list; raises ListError for one without a single enterprise."""
        found = self._reader.read(opened.table, tick)
        if found is None or not found.candidates:
            raise ListError(self._say("vi", "register_no_rows", sheet=opened.table.name))
        return found

    def compare(
        self, connection: sa.Connection | None, read: ListRead, decided: Mapping[int, str] | None = None
    ) -> Plan:
        """What a list means for the register, None being an empty one; `decided`: new or same by row."""
        if connection is None:
            return Planner(self.lexis, (), lambda _ids: {}).plan(read.candidates, decided)
        known = enterprises.names(connection)
        planner = Planner(self.lexis, known, lambda ids: enterprises.read(connection, ids))
        return planner.plan(read.candidates, decided)

    def new(self, plan: Plan) -> list[New]:
        """The enterprises that a plan adds, each with the random name its links will have."""
        return [New(_ref(), one, self.lexis.written_out(one.name)) for one in plan.new]

    def preview(
        self, connection: sa.Connection, opened: Opened, plan: Plan, *, who: str, at: datetime
    ) -> int:
        """Keep that somebody looked at a list; gives back the number of it."""
        return note_preview(connection, _listed(opened, who), plan.counts(), at)

    def take(
        self,
        connection: sa.Connection,
        opened: Opened,
        plan: Plan,
        new: list[New],
        *,
        who: str,
        at: datetime,
        tick: Tick = lambda _row: None,
    ) -> int:
        """Take the right rows, inside the caller's transaction; gives back the import's number.

        `new` is what `new` drew, so that the transaction may run again. Raises AlreadyTaken and RegisterChanged.
        """
        listed = _listed(opened, who)
        return self._importer.take(connection, listed, new, plan.updates, plan.counts(), at, tick)

    def change(
        self,
        connection: sa.Connection,
        enterprise_id: int,
        seen: datetime,
        fields: Mapping[str, Any],
        at: datetime,
    ) -> list[str]:
        """Change one enterprise; the fields that are other now. Raises as storage.imports.Importer.change does."""
        return self._importer.change(connection, enterprise_id, seen, fields, at)

    def undo(self, connection: sa.Connection, import_id: int, at: datetime) -> tuple[int, int, int]:
        """Undo an import; how many enterprises went, were put back, and stayed because they were changed since."""
        done = self._importer.undo(connection, import_id, at)
        return done.removed, done.restored, done.stayed


def _listed(opened: Opened, who: str) -> Listed:
    return Listed(who, opened.file_name, opened.table.name, opened.sha256)


def _ref() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
