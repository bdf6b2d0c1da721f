"""Writes the audit into a file."""

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from pathlib import Path

import orjson

from bot.desk.shown import minute
from bot.exports import ExportError, Format, check_database, file_beside, progress
from bot.sheets import Heading, Sheet, write_csv, write_xlsx
from content.everything import Content
from handlers.columns import Cell
from storage import audit
from storage.audit import Entry
from storage.database import Database

_WIDTHS = {
    "desk_audit_at": 20,
    "desk_audit_who": 26,
    "desk_audit_act": 26,
    "desk_audit_kind": 14,
    "desk_audit_what": 18,
    "desk_audit_details": 50,
    "desk_audit_remote": 36,
}


def export_audit(database: Database, content: Content, zone: tzinfo, file: Path, format: Format) -> str:
    """Write every line of the audit and say so; raises ExportError, and then there is no file."""
    say = content.say
    check_database(database, say)
    options = {} if database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
    with database.reader.connect() as reading:
        connection = reading.execution_options(**options)
        total = audit.total(connection)
        begins = say("vi", "desk_audit_export_begins", total=total)
        with file_beside(file, say) as path, progress(total, begins):
            written = _Written(content, zone)
            written.write(path, audit.every(connection), total, format)
            if written.number != total:
                values = {"total": total, "written": written.number, "file": file}
                raise ExportError(say("vi", "export_miscounted", **values))
    return say("vi", "desk_audit_export_done", total=total, file=file)


class _Written:
    """Lines on their way into a file, counted."""

    def __init__(self, content: Content, zone: tzinfo) -> None:
        self._say, self._zone, self.number = content.say, zone, 0

    def write(self, path: Path, entries: Iterable[Entry], total: int, format: Format) -> None:
        """Write them."""
        if format is Format.JSONL:
            with path.open("wb") as file:
                for one in self._counted(entries):
                    file.write(orjson.dumps(_object(one), option=orjson.OPT_APPEND_NEWLINE))
            return
        headings = [
            Heading(self._say("vi", key), width=width, is_text=True) for key, width in _WIDTHS.items()
        ]
        cells = map(self._cells, self._counted(entries))
        if format is Format.CSV:
            write_csv(path, [one.text for one in headings], cells)
            return
        sheet = Sheet(self._say("vi", "desk_audit_title"), headings, cells, total)
        write_xlsx(path, [sheet], cut=self._say("vi", "export_cut"))

    def _counted(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for one in entries:
            yield one
            self.number += 1

    def _cells(self, one: Entry) -> list[Cell]:
        who = one.name or self._say("vi", "desk_audit_command")
        key = f"desk_act_{one.act}"
        act = self._say("vi", key) if key in self._say.keys() else one.act  # noqa: SIM118  a catalogue is no dict
        details = orjson.dumps(dict(one.details)).decode() if one.details else None
        return [minute(one.at, self._zone), who, act, one.kind, one.ref or None, details, one.remote]


def _object(one: Entry) -> dict[str, object]:
    return {
        "at": one.at,
        "staff": one.name,
        "act": one.act,
        "kind": one.kind,
        "ref": one.ref,
        "details": dict(one.details),
        "remote": one.remote,
    }
