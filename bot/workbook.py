"""Small styled workbooks for people: made in memory, ready to print, what anybody wrote is text and no formula."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any, Self

FONT = "Calibri"
LINE = 17  # points
HIGHEST = 409  # points of one row, as Excel has it
LONGEST = 32_767  # UTF-16 units in a cell; more is no workbook
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML cannot hold

Cell = str | int | None  # None: an empty cell to write in

_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "head": {"bold": True, "bg_color": "#EDEDED", "align": "center"},
    "title": {"bold": True, "font_size": 14, "align": "center", "border": 0},
    "under_title": {"align": "center", "border": 0},
    "note": {"italic": True, "font_size": 10, "border": 0},
    "text": {},
    "centred": {"align": "center"},
    "number": {"align": "center", "num_format": "#,##0"},
    "date": {"align": "center", "num_format": "dd/mm/yyyy"},
    "soon": {"bg_color": "#FFF2CC"},
    "late": {"bg_color": "#F8CBAD"},
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, its width in characters, and how its cells look (text, centred, number, date)."""

    head: str
    width: float
    look: str = "text"


class Book:
    """A workbook in memory; its bytes are there when its block has ended."""

    def __init__(self) -> None:
        from xlsxwriter import Workbook

        self._file = BytesIO()
        self._book = Workbook(self._file, {"in_memory": True})
        self._looks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._book.close()

    @property
    def made(self) -> bytes:
        """The bytes of the file."""
        return self._file.getvalue()

    def sheet(self, name: str, columns: Sequence[Column], foot: str, above: Sequence[str] = ()) -> "Page":
        """A new sheet; `above` are lines over its head: a title, what is under it, a note."""
        return Page(self, self._book.add_worksheet(name), columns, foot, above)

    def look(self, name: str, about: str = "") -> Any:
        """How a cell looks. `about`: a word that a number is shown with."""
        key = f"{name} {about}"
        if key not in self._looks:
            base = {"font_name": FONT, "font_size": 11, "valign": "vcenter", "border": 1, "text_wrap": True}
            more = {"num_format": f'"{about} "#,##0'} if about else {}
            self._looks[key] = self._book.add_format({**base, **_LOOKS[name], **more})
        return self._looks[key]

    def colour(self, name: str) -> Any:
        """How a cell is coloured by a rule."""
        return self._book.add_format(dict(_LOOKS[name]))


class Page:
    """One sheet: a head that stays in sight and comes on each printed page, then row after row."""

    def __init__(
        self, book: Book, sheet: Any, columns: Sequence[Column], foot: str, above: Sequence[str]
    ) -> None:
        self._book = book
        self._sheet = sheet
        self._columns = columns
        self._top = len(above)
        self._next = self._top + 1
        self._put_above(above)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(self._top, place, printable(column.head), book.look("head"))
        self._set_height(self._top, [column.head for column in columns])
        sheet.freeze_panes(self._top + 1, 0)
        self._set_print(foot)

    def row(self, cells: Sequence[Cell], about: Mapping[int, str] | None = None) -> None:
        """One row in the looks of its columns; `about`: words that numbers are shown with, by column."""
        for place, (cell, column) in enumerate(zip(cells, self._columns, strict=True)):
            look = self._book.look(column.look, (about or {}).get(place, ""))
            if cell is None:
                self._sheet.write_blank(self._next, place, None, look)
            elif isinstance(cell, int):
                self._sheet.write_number(self._next, place, cell, look)
            else:
                self._sheet.write_string(self._next, place, fitting(cell), look)
        self._set_height(self._next, cells)
        self._next += 1

    def let_filter(self) -> None:
        """Filters over the head, down to the last row so far."""
        self._sheet.autofilter(self._top, 0, self._next - 1, len(self._columns) - 1)

    def take_dates(self, title: str, how: str) -> None:
        """Warn about what is no date in the columns of dates."""
        rule = {
            "validate": "date",
            "criteria": "between",
            "minimum": date(2000, 1, 1),
            "maximum": date(2099, 12, 31),
            "error_title": title,
            "error_message": how,
            "error_type": "warning",
        }
        for place, column in enumerate(self._columns):
            if column.look == "date":
                self._sheet.data_validation(self._top + 1, place, self._next - 1, place, rule)

    def watch(self, place: int, days: int) -> None:
        """Colour the dates of a column that have passed, and those fewer than `days` ahead."""
        first = self._top + 1
        here = f"${chr(ord('A') + place)}{first + 1}"
        for limit, look in (("TODAY()", "late"), (f"TODAY()+{days}", "soon")):
            rule = {
                "type": "formula",
                "criteria": f"=AND(ISNUMBER({here}),{here}<{limit})",
                "format": self._book.colour(look),
                "stop_if_true": True,
            }
            self._sheet.conditional_format(first, place, self._next - 1, place, rule)

    def _set_height(self, row: int, cells: Sequence[Cell]) -> None:
        """Reckon how high a row must be: not every program finds that out by itself."""
        both = zip(cells, self._columns, strict=True)
        lines = (_lines(cell, column.width) for cell, column in both if isinstance(cell, str))
        self._sheet.set_row(row, min(LINE * max(lines, default=1) + 3, HIGHEST))

    def _put_above(self, lines: Sequence[str]) -> None:
        """Lines over the whole width."""
        width = sum(column.width for column in self._columns)
        for row, (line, name) in enumerate(zip(lines, ("title", "under_title", "note"), strict=False)):
            look = self._book.look(name)
            self._sheet.merge_range(row, 0, row, len(self._columns) - 1, "", look)
            self._sheet.write_string(row, 0, fitting(line), look)
            self._sheet.set_row(row, LINE * _lines(line, width) + 3)

    def _set_print(self, foot: str) -> None:
        """A4 on its side, one page wide, the head on each page."""
        self._sheet.set_paper(9)
        self._sheet.set_landscape()
        self._sheet.set_margins(left=0.6, right=0.6, top=0.8, bottom=0.8)  # inches
        self._sheet.fit_to_pages(1, 0)
        self._sheet.repeat_rows(self._top)
        self._sheet.set_footer(f"&C{foot}")


def _lines(text: str, width: float) -> int:
    """How many lines a text takes in so many characters' width."""
    return sum(max(1, math.ceil(1.1 * len(line) / width)) for line in text.split("\n"))


def printable(text: str) -> str:
    """Text without what an XML document cannot hold."""
    return _UNPRINTABLE.sub("", text)


def fitting(text: str) -> str:
    """Text as a cell holds it; what is longer ends in «…»."""
    units = printable(text).encode("utf-16-le")
    if len(units) <= 2 * LONGEST:
        return units.decode("utf-16-le")
    return units[: 2 * (LONGEST - 1)].decode("utf-16-le", "ignore") + "…"
