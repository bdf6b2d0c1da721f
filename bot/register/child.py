"""Reads one workbook in a process of its own: what reads it is no Python, and a hostile file may end the process.

    python child.py FILE MOST_ROWS MOST_BYTES

Writes one JSON object to standard output: {"sheets": [{"name", "is_hidden", "height", "rows", "merged"}]}, or
{"error": "password" | "broken"}. It imports nothing of the project, so that it starts at once.
"""

import sys
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

MOST_COLUMNS = 200
_OLE = b"\xd0\xcf\x11\xe0"


def main() -> None:
    """Read the workbook that the arguments name."""
    path, most_rows, most_bytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    _limit_memory(most_bytes)
    try:
        answer: dict[str, Any] = {"sheets": _sheets(path, most_rows)}
    except PasswordError:
        answer = {"error": "password"}
    except (CalamineError, OSError, ValueError):
        answer = {"error": "broken"}
    sys.stdout.buffer.write(orjson.dumps(answer))


def _limit_memory(most: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _sheets(path: str, most_rows: int) -> list[dict[str, Any]]:
    """The sheets of a workbook, whatever it is called."""
    data = Path(path).read_bytes()
    try:
        return _read(CalamineWorkbook.from_filelike(BytesIO(data)), most_rows)
    except CalamineError:
        if not data.startswith(_OLE):
            raise
    with TemporaryDirectory() as folder:  # only by its name is it told why an old workbook cannot be read
        named = Path(folder) / "book.xls"
        named.write_bytes(data)
        return _read(CalamineWorkbook.from_path(named), most_rows)


def _read(opened: CalamineWorkbook, most_rows: int) -> list[dict[str, Any]]:
    with opened as book:
        found = [about for about in book.sheets_metadata if about.typ is SheetTypeEnum.WorkSheet]
        return [_sheet(book, about, most_rows) for about in found]


def _sheet(book: CalamineWorkbook, about: Any, most_rows: int) -> dict[str, Any]:
    sheet = book.get_sheet_by_name(about.name)
    height = sheet.end[0] + 1 if sheet.end else 0
    rows = sheet.to_python(skip_empty_area=False, nrows=min(height, most_rows)) if height else []
    return {
        "name": about.name,
        "is_hidden": about.visible is not SheetVisibleEnum.Visible,
        "height": height,
        "rows": [[_cell(cell) for cell in row[:MOST_COLUMNS]] for row in rows],
        "merged": sheet.merged_cell_ranges or [],
    }


def _cell(cell: Any) -> str | int | float | None:
    """A cell as JSON has it; days as they are written here."""
    if isinstance(cell, datetime):
        return cell.strftime("%d/%m/%Y %H:%M").removesuffix(" 00:00")
    if isinstance(cell, date):
        return cell.strftime("%d/%m/%Y")
    if isinstance(cell, time | timedelta | bool):
        return str(cell)
    if isinstance(cell, float) and (cell != cell or cell in (float("inf"), float("-inf"))):  # noqa: PLR0124
        return None
    return cell or None if isinstance(cell, str) else cell


if __name__ == "__main__":
    main()
