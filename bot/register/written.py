"""Writes tables of enterprises: the rows that go back to the office, and the register itself."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path

import orjson
import sqlalchemy as sa

from bot.exports import ExportError, Format, check_database, file_beside, progress
from bot.register.importing import FORM
from bot.register.preview import reasons
from bot.sheets import Heading, Sheet, write_csv, write_xlsx
from content.catalogue import Catalogue
from content.everything import Content
from content.forms import Form
from handlers.columns import Cell
from handlers.register.planning import Known, Plan
from handlers.register.rows import ListRead
from storage import enterprises
from storage.database import Database

RETURNED = "-chua-nhap"
_TICK = 500  # rows between two movements of the bar


def returned_path(file: Path) -> Path:
    """Where the rows that were not taken go: beside the list, over no file that is there."""
    path = file.with_name(f"{file.stem}{RETURNED}.xlsx")
    number = 2
    while path.exists():
        path = file.with_name(f"{file.stem}{RETURNED}-{number}.xlsx")
        number += 1
    return path


def write_returned(path: Path, read: ListRead, plan: Plan, say: Catalogue) -> None:
    """The rows that were not taken as they were, their letters mended, each with its reason. Raises OSError."""
    named = _unique([one.text for one in read.headings.columns])
    columns = [place for place, one in enumerate(read.headings.columns) if one.field not in _OWN]
    headings = [
        Heading(say("vi", "register_reason"), width=60, is_text=True),
        Heading(say("vi", "register_confirm"), width=14, is_text=True),
        *(Heading(named[place], width=24, is_text=True) for place in columns),
    ]
    rows = (
        [reasons(say, held.faults), None, *_texts(read, held.candidate.row - 1, columns)]
        for held in plan.held
    )
    sheet = Sheet(say("vi", "register_returned_sheet"), headings, rows, len(plan.held))
    write_xlsx(path, [sheet], cut=say("vi", "export_cut"))


_OWN = frozenset(["reason", "confirm"])  # columns that are written anew


def _texts(read: ListRead, row: int, columns: Iterable[int]) -> list[Cell]:
    texts = read.texts[row]
    return [texts[place] or None if place < len(texts) else None for place in columns]


def _unique(texts: Iterable[str]) -> list[str]:
    """Headings, none of them twice and none empty."""
    found: dict[str, None] = {}
    for place, text in enumerate(texts):
        name = text or f"({place + 1})"
        while name in found:
            name += " "
        found[name] = None
    return list(found)


# The register

_COLUMNS: tuple[tuple[str, float, Callable[["_Shown", Known], Cell]], ...] = (
    ("ref", 16, lambda _, one: one.ref),
    ("name", 44, lambda _, one: one.name),
    ("tax_code", 16, lambda _, one: one.tax_code),
    ("kind", 24, lambda shown, one: shown.label("legal_form", one.kind)),
    ("commune", 24, lambda shown, one: shown.label("commune", one.commune)),
    ("commune_text", 24, lambda _, one: one.commune_text or None),
    ("address", 44, lambda _, one: one.address or None),
    ("phone", 26, lambda _, one: ", ".join(map(national, one.phones)) or None),
    ("email", 26, lambda _, one: ", ".join(one.emails) or None),
    ("person", 24, lambda _, one: ", ".join(one.persons) or None),
    ("sector", 30, lambda _, one: one.sector or None),
    ("employees", 12, lambda _, one: one.employees),
    ("size_band", 18, lambda shown, one: shown.label("labour", one.size_band)),
    ("note", 30, lambda _, one: one.note or None),
    ("source", 14, lambda _, one: one.source),
    ("created", 14, lambda shown, one: shown.day(one.created_at)),
    ("updated", 14, lambda shown, one: shown.day(one.updated_at)),
)
_NUMBERS = frozenset(["employees"])


class _Shown:
    """How codes and moments are shown."""

    def __init__(self, form: Form, zone: tzinfo) -> None:
        self._form, self._zone = form, zone

    def label(self, question: str, code: str | None) -> str | None:
        choice = self._form.by_name[question].choice(code) if code else None
        return choice.label["vi"] if choice else code

    def day(self, moment: datetime | None) -> str | None:
        return moment.astimezone(self._zone).strftime("%d/%m/%Y") if moment else None


def national(number: str) -> str:
    """A telephone as people here write it; a foreign one with its country."""
    return f"0{number[3:]}" if number.startswith("+84") else number


def export_enterprises(database: Database, content: Content, zone: tzinfo, file: Path, format: Format) -> str:
    """Write the register into a file and say so; raises ExportError, and then there is no file."""
    say = content.say
    check_database(database, say)
    with _moment(database) as connection:
        total = enterprises.total(connection)
        begins = say("vi", "register_export_begins", total=total)
        with file_beside(file, say) as path, progress(total, begins) as tick:
            counted = _Counted(enterprises.every(connection), tick)
            _write(path, counted, total, content, zone, format)
            if counted.number != total:
                values = {"total": total, "written": counted.number, "file": file}
                raise ExportError(say("vi", "export_miscounted", **values))
    return say("vi", "register_export_done", total=total, file=file)


@contextmanager
def _moment(database: Database) -> Iterator[sa.Connection]:
    """One moment of the database, on a connection that cannot write."""
    options = {} if database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
    with database.reader.connect() as connection:
        yield connection.execution_options(**options)


class _Counted:
    """Enterprises, each counted once it was written."""

    def __init__(self, every: Iterable[Known], tick: Callable[[int], None]) -> None:
        self._every, self._tick, self.number = every, tick, 0

    def __iter__(self) -> Iterator[Known]:
        for one in self._every:
            yield one
            self.number += 1
            if self.number % _TICK == 0:
                self._tick(self.number)


def _write(
    path: Path, every: Iterable[Known], total: int, content: Content, zone: tzinfo, format: Format
) -> None:
    if format is Format.JSONL:
        with path.open("wb") as lines:
            lines.writelines(orjson.dumps(_object(one), option=orjson.OPT_APPEND_NEWLINE) for one in every)
        return
    shown = _Shown(content.forms[FORM], zone)
    named = [(name, content.say("vi", f"register_field_{name}"), width) for name, width, _ in _COLUMNS]
    rows = ([cell(shown, one) for _, _, cell in _COLUMNS] for one in every)
    if format is Format.CSV:
        write_csv(path, [text for _, text, _ in named], rows)
        return
    headings = [Heading(text, width=width, is_text=name not in _NUMBERS) for name, text, width in named]
    sheet = Sheet(content.say("vi", "register_export_sheet"), headings, rows, total)
    write_xlsx(path, [sheet], cut=content.say("vi", "export_cut"))


def _object(one: Known) -> dict[str, object]:
    """An enterprise for programs: codes and moments as they are stored."""
    values = {name: getattr(one, name) for name in Known.__dataclass_fields__ if name != "id"}
    return {key: value for key, value in values.items() if value not in (None, "", (), {})}
