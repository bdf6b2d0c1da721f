"""The one writer of tables, XLSX and CSV, in which no text of anybody's is ever a formula.

Rows are taken one by one and memory stays flat in them. A text cell that begins like a formula is a text in XLSX; in
CSV an apostrophe stands before it. Control characters are dropped from both.
Source: OWASP, «CSV Injection».
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from handlers.columns import Cell

MOST_ROWS = 1_048_576  # of a sheet, its heading among them
MOST_TEXT = 32_767  # UTF-16 units in a cell
_MOST_NAME = 31  # letters in a sheet's name
_AT_ONCE = 200  # rows of CSV in memory

# Every letter below "A" with which a cell could begin a formula, and those that are dropped and so uncover one.
_RISKY = frozenset("=+-@\t\r\n") | {chr(code) for code in range(32)}
_DROPPED = bytes(set(range(32)) - set(b"\t\n\r"))
_DROP = dict.fromkeys(_DROPPED)

_HEADING_COLOUR = "#DCE6F1"
_PAPER = {  # A4; every page says which sheet it is of, which columns and which rows
    "landscape": True, "paper_size": 9, "repeat_rows": 0, "repeat_columns": 0, "header": "&L&A", "footer": "&R&P/&N",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above a column: `note` explains it, `width` is in letters, `is_text`: its cells are never numbers."""

    text: str
    note: str = ""
    width: float = 14
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table; `count` is how many rows it will have, and when they are too many there is a further sheet."""

    name: str
    headings: Sequence[Heading]
    rows: Iterable[Sequence[Cell]]
    count: int


def write_xlsx(path: Path, sheets: Iterable[Sheet], *, cut: str) -> None:
    """Write a workbook; a text too long for a cell ends in `cut`. Raises OSError."""
    from rustpy_xlsxwriter import FastExcel, Format

    heading = Format().set_bold().set_background_color(_HEADING_COLOUR).set_text_wrap().set_align("top")
    # "@" keeps a text a text even when somebody edits its cell.
    text, plain = Format().set_num_format("@"), Format()
    book = FastExcel(str(path), output_format="xlsx").freeze(row=1, col=1)
    for sheet in sheets:
        shared = _look(sheet.headings, heading, text, plain)
        for name, rows in _parts(sheet):
            book.sheet(name, _records(sheet.headings, rows, cut), **shared)
    book.save()


def write_csv(path: Path, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write UTF-8 with a byte order mark, commas and CRLF, as Excel opens it. Raises OSError."""
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf")
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer)
        guarded = _guarded(chain([headings], rows))
        while True:
            writer.writerows(islice(guarded, _AT_ONCE))
            if not buffer.tell():
                break
            file.write(buffer.getvalue().encode("utf-8", "replace").translate(None, _DROPPED))
            buffer.seek(0)
            buffer.truncate()


# XLSX


def _look(headings: Sequence[Heading], heading: Any, text: Any, plain: Any) -> dict[str, Any]:
    """What the columns of a sheet look like."""
    return {
        "header_format": heading,
        "autofilter": True,
        "column_widths": [one.width for one in headings],
        "column_formats": [text if one.is_text else plain for one in headings],
        "ignore_errors": [one.text for one in headings if one.is_text],
        "notes": {one.text: _note(one) for one in headings if one.note},
        "page_setup": _PAPER,
    }


def _note(heading: Heading) -> dict[str, Any]:
    """The note on a heading; the library begins it with the name of an author, and the column's says more."""
    return {"text": heading.note, "author": heading.text, "width": 320, "height": 90}


def _parts(sheet: Sheet) -> Iterator[tuple[str, Iterator[Sequence[Cell]]]]:
    """The sheet, and further ones for what it cannot hold."""
    rows = iter(sheet.rows)
    room = MOST_ROWS - 1
    number = max(1, math.ceil(sheet.count / room))
    yield sheet.name, rows if number == 1 else islice(rows, room)
    for part in range(2, number + 1):
        end = f" ({part})"
        yield sheet.name[: _MOST_NAME - len(end)] + end, islice(rows, room)


def _records(
    headings: Sequence[Heading], rows: Iterable[Sequence[Cell]], cut: str
) -> Iterator[dict[str, Cell]]:
    """Rows as the library takes them; it makes the headings of the first, so an empty sheet has an empty row."""
    names = [one.text for one in headings]
    is_empty = True
    for row in rows:
        is_empty = False
        yield dict(zip(names, (_shown(cell, cut) for cell in row), strict=True))
    if is_empty:
        yield dict.fromkeys(names)


def _shown(cell: Cell, cut: str) -> Cell:
    """A cell as XLSX may hold it."""
    if type(cell) is not str or (cell.isprintable() and len(cell) <= MOST_TEXT // 2):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n").translate(_DROP)
    units = text.encode("utf-16-le", "replace")
    if len(units) <= 2 * MOST_TEXT:
        return units.decode("utf-16-le")
    return units[: 2 * (MOST_TEXT - len(cut))].decode("utf-16-le", "ignore") + cut


# CSV


def _guarded(rows: Iterable[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    """The rows; one in which a text begins like a formula as a row in which it does not."""
    text, risky = str, _RISKY
    for row in rows:
        for (
            cell
        ) in row:  # the comparisons are quick, and spare nearly all cells the look at their first letter
            if cell.__class__ is text and cell < "A" and not "0" <= cell < ":" and cell[:1] in risky:
                yield [_guarded_cell(one) for one in row]
                break
        else:
            yield row


def _guarded_cell(cell: Cell) -> Cell:
    if type(cell) is not str:
        return cell
    text = cell.translate(_DROP)
    return f"'{text}" if text[:1] in _RISKY else text
