"""What `export survey` does: every response to a form in one file, whole or not at all."""

import errno
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
from pydantic import ValidationError

from bot.sheets import Heading, Sheet, write_csv, write_xlsx
from content.catalogue import Catalogue
from content.forms import Form, stored_form
from content.load import ContentError
from handlers.columns import Answered, Column, Layout, Options, as_object, needs_largest
from storage.database import Database
from storage.exports import Counts, Snapshot, Status, Wanted, snapshot
from storage.migrate import Shape, ready, shape

Tick = Callable[[int], None]

_TICK = 250  # rows between two movements of the bar
_OS_ERROR = re.compile(r"\(os error (\d+)\)")  # as the writer of workbooks, which is no Python, names it


class Format(StrEnum):
    """What kind of file."""

    XLSX = "xlsx"
    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be exported, and where to; `since` and `until` are days, both of them included."""

    form_id: str
    format: Format
    file: Path
    since: date | None = None
    until: date | None = None
    options: Options = field(default_factory=Options)


class ExportError(Exception):
    """There is no file, and this is why, in a sentence for people."""


def export_survey(database: Database, say: Catalogue, zone: ZoneInfo, order: Order) -> str:
    """Write the file and say what is in it; raises ExportError and StoreError, and then there is no file."""
    _check_days(order, say)
    check_database(database, say)
    with snapshot(database) as found:
        export = _Export(found, say, zone, order)
        with (
            file_beside(order.file, say) as path,
            progress(export.counts.total, say("vi", "export_begins", total=export.counts.total)) as tick,
        ):
            written = export.write(path, tick)
            if written != export.counts.total:
                values = {"total": export.counts.total, "written": written, "file": order.file}
                raise ExportError(say("vi", "export_miscounted", **values))
    return _summary(export.counts, say, order.file)


class _Export:
    """One export: the versions of its form, how many responses there are, and the writing of them."""

    def __init__(self, found: Snapshot, say: Catalogue, zone: ZoneInfo, order: Order) -> None:
        self._found, self._say, self._zone, self._order = found, say, zone, order
        self._wanted = Wanted(order.form_id, *_moments(order, zone))
        self._forms = _versions(found, say, order.form_id)
        self.counts = found.counts(self._wanted)
        self._written = 0

    def write(self, path: Path, tick: Tick) -> int:
        """Write every response; gives back how many were written."""
        match self._order.format:
            case Format.XLSX:
                write_xlsx(path, self._sheets(tick), cut=self._say("vi", "export_cut"))
            case Format.CSV:
                layout = self._layout()
                headings = [column.heading for column in layout.columns]
                write_csv(path, headings, map(layout.cells, self._responses(tick)))
            case Format.JSONL:
                _write_lines(path, self._objects(tick))
        return self._written

    def _sheets(self, tick: Tick) -> list[Sheet]:
        layout, say, counts = self._layout(), self._say, self.counts
        headings = [_heading(column) for column in layout.columns]
        submitted = map(layout.cells, self._responses(tick, "submitted"))
        partial = map(layout.cells, self._responses(tick, "partial"))
        codebook = list(layout.codebook())
        return [
            Sheet(say("vi", "export_sheet_submitted"), headings, submitted, counts.submitted),
            Sheet(say("vi", "export_sheet_partial"), headings, partial, counts.partial),
            Sheet(say("vi", "export_sheet_codebook"), _codebook_headings(say), codebook, len(codebook)),
        ]

    def _layout(self) -> Layout:
        largest = self._found.largest(self._wanted, needs_largest(self._forms))
        return Layout(self._forms, self._say, self._order.options, self._zone, largest)

    def _objects(self, tick: Tick) -> Iterator[dict[str, object]]:
        versions = {form.version: form for form in self._forms}
        anonymous = self._order.options.anonymous
        for response in self._responses(tick):
            yield as_object(response, versions[response.version], anonymous=anonymous)

    def _responses(self, tick: Tick, *status: Status) -> Iterator[Answered]:
        """The responses, each counted once it was written."""
        personal = not self._order.options.anonymous
        for response in self._found.responses(self._wanted, *status, personal=personal):
            yield response
            self._written += 1
            if self._written % _TICK == 0:
                tick(self._written)


def _summary(counts: Counts, say: Catalogue, file: Path) -> str:
    values = {"total": counts.total, "submitted": counts.submitted, "partial": counts.partial}
    return say("vi", "export_done", **values, file=file)


# What is asked


def _check_days(order: Order, say: Catalogue) -> None:
    if order.since and order.until and order.since > order.until:
        raise ExportError(say("vi", "export_wrong_days", since=order.since, until=order.until))


def check_database(database: Database, say: Catalogue) -> None:
    """A new database has nothing to export, and an export does not make one."""
    missing = database.is_sqlite and not Path(database.url.database or "").exists()
    if missing or shape(database) is Shape.NEW:
        raise ExportError(say("vi", "export_no_database"))
    ready(database)


def _moments(order: Order, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """The first moment of the first day and the first after the last."""
    since = datetime.combine(order.since, time.min, zone) if order.since else None
    until = datetime.combine(order.until + timedelta(days=1), time.min, zone) if order.until else None
    return since, until


def _versions(found: Snapshot, say: Catalogue, form_id: str) -> list[Form]:
    """Every version of the form, newest first."""
    forms = []
    for version, definition in found.definitions(form_id):
        try:
            forms.append(stored_form(definition))
        except (ContentError, ValidationError) as error:
            values = {"form": form_id, "version": version, "problem": str(error).splitlines()[0]}
            raise ExportError(say("vi", "export_form_unreadable", **values)) from None
    if not forms:
        known = ", ".join(found.form_ids())
        key = "export_no_form" if known else "export_no_forms"
        raise ExportError(say("vi", key, form=form_id, known=known))
    return forms


# What is written


def _heading(column: Column) -> Heading:
    longest = max((len(label) for label, _ in column.choices.values()), default=0)
    width = 26 if column.is_text else min(max(12, longest), 40)
    note = "" if column.question == column.heading else column.question
    return Heading(column.heading, note, max(width, min(len(column.heading) + 3, 40)), column.is_text)


def _codebook_headings(say: Catalogue) -> list[Heading]:
    widths = {
        "export_column": 24,
        "export_question": 60,
        "export_type": 14,
        "export_choice": 20,
        "export_choice_label": 40,
        "export_versions": 26,
    }
    return [Heading(say("vi", key), width=width, is_text=True) for key, width in widths.items()]


def _write_lines(path: Path, objects: Iterable[dict[str, object]]) -> None:
    with path.open("wb") as file:
        for one in objects:
            file.write(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE))


@contextmanager
def file_beside(file: Path, say: Catalogue) -> Iterator[Path]:
    """A new file in the same folder, readable by its owner only, which takes the name once it is whole."""
    target = file.resolve()
    made: Path | None = None
    try:
        if target.exists() and not target.is_file():
            raise ExportError(say("vi", "export_not_a_file", file=file))
        if not target.parent.is_dir():
            raise ExportError(say("vi", "export_no_folder", folder=file.parent, file=file.name))
        made = _new_file(target)
        yield made
        _keep(made)
        made.replace(target)
    except OSError as error:
        raise ExportError(_failure(error, file, say)) from error
    finally:
        if made:
            made.unlink(missing_ok=True)


def _new_file(target: Path) -> Path:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:80]}.", suffix=".part")
    os.close(handle)
    return Path(name)


def _keep(path: Path) -> None:
    """Have the disk keep it before it takes the name of an older one."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _failure(error: OSError, file: Path, say: Catalogue) -> str:
    found = _OS_ERROR.search(str(error))
    number = error.errno or (int(found[1]) if found else 0)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return say("vi", "export_disk_full", file=file)
    if number in (errno.EACCES, errno.EPERM, errno.EBUSY, errno.ETXTBSY):
        return say("vi", "export_not_allowed", file=file)
    problem = error.strerror or (os.strerror(number) if number else str(error))
    return say("vi", "export_not_written", file=file, problem=problem)


@contextmanager
def progress(total: int, begins: str) -> Iterator[Tick]:
    """A bar on a terminal's stderr; one plain line on any other."""
    if not sys.stderr.isatty():
        print(begins, file=sys.stderr, flush=True)
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(begins, total=total)
        yield lambda done: bar.update(task, completed=done)
