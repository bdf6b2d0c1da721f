"""A form as an XLSForm workbook: written for officers and for other tools, and read back.

The three sheets and their columns are XLSForm's; a text in two languages has a column for each, such as
`label::English (en)`. The columns that XLSForm lacks (`content.forms` names them) stand beside the others under
their own names: what knows only XLSForm passes over them. So does the English title, `form_title_en`, because
XLSForm's title has one language. Any other column of the choices sheet is a filter column; a choice_filter calls it
`sectors` there, as XLSForm does, and `${sectors}` in our own files.

What a workbook holds and this program does not know is refused by sheet, row and column, never passed over.

Source: the XLSForm reference (xlsform.org).
"""

import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import xlsxwriter
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import TypeAdapter, ValidationError

from content.forms import ChoiceRow, FormFile, Name, Row, Settings, Words, compile_form
from content.load import HERE, ContentError, read, short
from content.model import Frozen

_LANGUAGES = ("vi", "en")
_SHEETS = ("survey", "choices", "settings")
_FOREIGN_SHEETS = ("external_choices", "entities", "osm")  # XLSForm's own, and nothing here knows them
_HEADING_WITH = {"survey": "type", "choices": "list_name", "settings": "form_id"}  # in every row of headings
_SETTINGS = {
    "form_id": "form_id",
    "version": "version",
    "title.vi": "form_title",
    "title.en": "form_title_en",
}
_SPACED = re.compile(r"^(begin|end|select) (group|repeat|one|multiple)\b")  # XLSForm's older spelling
_OLD_TYPES = {"int": "integer", "string": "text"}
_OLD_NAMES = {"list name": "list_name", "id_string": "form_id", "relevance": "relevant"}
_FLAGS = {"yes": True, "true": True, "true()": True, "1": True, "no": False, "false": False, "false()": False, "0": False}  # fmt: skip
_FILTER = re.compile(r"[A-Za-z_][\w.-]*")  # what an expression can call a column
# Columns of XLSForm's choices sheet that mean something else.
_NO_FILTER = frozenset(
    {"label", "caption", "value", "media", "image", "big-image", "audio", "video", "geometry"}
)
_OPERATORS = frozenset({"and", "or", "div", "mod"})
_QUOTED = r"'[^']*'|\"[^\"]*\""
_REFERENCE = re.compile(rf"{_QUOTED}|\$\{{\s*([\w.-]+)\s*\}}(?=([\w.-])?)")
_WORD = re.compile(rf"{_QUOTED}|\$\{{\s*([\w.-]+)\s*\}}|({_FILTER.pattern})(\s*[(:])?")
_CODE = re.compile(r"\((vi|en)\)$")
_OTHER = "other"  # what XLSForm calls the choice that or_other adds
_WIDEST = 60  # characters; longer texts wrap
_LONGEST = 32_767  # characters in a cell

Model = TypeVar("Model", bound=Frozen)
_Grid = Mapping[int, tuple[Any, ...]]  # openpyxl's cells by row, as Excel counts; what is blank is left out


class WorkbookError(ContentError):
    """A workbook cannot be used; `line` is the row as Excel counts, or 0."""

    def __init__(self, file: str, sheet: str, row: int, column: str, problem: str) -> None:
        super().__init__(file, (sheet, column), row, problem)
        named = [file, sheet, f"row {row}" if row else "", column, problem]
        self.args = (": ".join(part for part in named if part),)


class Layout(Frozen):
    """What languages are called in headings, and how the choice «other» is labelled."""

    languages: Words
    other: Words


@lru_cache(maxsize=1)
def layout() -> Layout:
    """The words of workbooks; raises ContentError."""
    return read(HERE / "xlsform.yaml", Layout)


# Columns


def _heading(column: str, language: str) -> str:
    return f"{column}::{layout().languages[language]}"


def _bilingual(model: type[Frozen], column: str) -> bool:
    return model.model_fields[column].annotation in (Words, Words | None)


def _headings(model: type[Frozen]) -> tuple[str, ...]:
    """The headings for the fields of `model`, in their order."""
    headings: list[str] = []
    for column in model.model_fields:
        if _bilingual(model, column):
            headings += [_heading(column, language) for language in _LANGUAGES]
        elif column != "filter":
            headings.append(column)
    return tuple(headings)


@lru_cache(maxsize=3)
def _known(sheet: str) -> tuple[str, ...]:
    """The headings that are known on a sheet; filter columns stand beside them."""
    match sheet:
        case "survey":
            return _headings(Row)
        case "choices":
            return ("list_name", *_headings(ChoiceRow))
        case _:
            return (*_SETTINGS.values(), "default_language")


def _filters(choices: Mapping[str, tuple[ChoiceRow, ...]], row: Row) -> frozenset[str]:
    """The filter columns of a row's list."""
    return frozenset(column for choice in choices.get(row.list_name or "", ()) for column in choice.filter)


def _bare(expression: str, columns: frozenset[str]) -> str:
    """A choice_filter as XLSForm has it: `${sectors}` is `sectors` where that is a column."""

    def bare(found: re.Match[str]) -> str:
        if found[1] not in columns:
            return found[0]
        return f"{found[1]} " if found[2] else found[1]  # else `${a}-1` would become the name `a-1`

    return _REFERENCE.sub(bare, expression)


def _braced(expression: str, columns: frozenset[str]) -> str:
    """A choice_filter as our own files have it: `sectors` is `${sectors}` where that is a column."""

    def braced(found: re.Match[str]) -> str:
        return f"${{{found[2]}}}" if found[2] in columns and not found[3] else found[0]

    return _WORD.sub(braced, expression)


# Writing


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet before it is written: its headings, and what its rows hold by heading."""

    headings: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]


def write_workbook(form: FormFile, path: Path) -> None:
    """Write a form as an .xlsx file.

    Raises ValueError for what no cell or heading can hold: a text of more than 32,767 characters, a filter column
    that has another column's name or none that an expression can say, a list without choices.
    """
    tables = {
        "survey": _survey_table(form),
        "choices": _choices_table(form),
        "settings": _settings_table(form),
    }
    for name, table in tables.items():
        _check_lengths(name, table)
    with xlsxwriter.Workbook(path, {"in_memory": True}) as book:
        for name, table in tables.items():
            _write_sheet(book, name, table)


def _survey_table(form: FormFile) -> _Table:
    rows = []
    for row in form.survey:
        cells = _cells(row)
        if row.choice_filter:
            cells["choice_filter"] = _bare(row.choice_filter, _filters(form.choices, row))
        rows.append(cells)
    return _Table(_known("survey"), tuple(rows))


def _choices_table(form: FormFile) -> _Table:
    """One row a choice; each filter column stands once, whichever lists use it."""
    filters: dict[str, None] = {}
    rows: list[Mapping[str, str]] = []
    for name, listed in form.choices.items():
        if not listed:
            raise ValueError(f"choices: the list {name!r} has no choices")
        for choice in listed:
            rows.append({"list_name": name, **_cells(choice), **choice.filter})
            filters |= dict.fromkeys(choice.filter)
    for column in filters:
        if not _may_filter(column):
            raise ValueError(f"choices: {column!r} cannot be the name of a filter column")
    return _Table((*_known("choices"), *filters), tuple(rows))


def _settings_table(form: FormFile) -> _Table:
    settings = form.settings
    row = {
        "form_id": settings.form_id,
        "version": settings.version,
        "form_title": settings.title.vi,
        "form_title_en": settings.title.en,
        "default_language": layout().languages.vi,
    }
    return _Table(_known("settings"), (row,))


def _cells(row: Row | ChoiceRow) -> dict[str, str]:
    """What a row holds, by heading."""
    cells: dict[str, str] = {}
    for column, value in row:
        match value:
            case Words():
                cells |= {_heading(column, language): value[language] for language in _LANGUAGES}
            case True:
                cells[column] = "yes"
            case str():
                cells[column] = value
    return cells


def _check_lengths(name: str, table: _Table) -> None:
    for number, row in enumerate(table.rows, 2):
        for heading, text in row.items():
            if len(text) > _LONGEST:
                raise ValueError(f"{name}: row {number}: {heading}: longer than {_LONGEST} characters")


def _write_sheet(book: Any, name: str, table: _Table) -> None:
    """A sheet of texts: no cell is ever a formula, a number or a link, whatever it holds."""
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True, "valign": "top", "bottom": 1})
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    for column, heading in enumerate(table.headings):
        held = [row.get(heading, "") for row in table.rows]
        sheet.set_column(column, column, _width([heading, *held]), text)
        sheet.write_string(0, column, heading, bold)
        for row, value in enumerate(held, 1):
            if value:
                sheet.write_string(row, column, value, text)
    sheet.freeze_panes(1, 2 if name == "survey" else 0)  # type and name stay in sight


def _width(texts: Iterable[str]) -> int:
    """In characters."""
    return min(_WIDEST, 2 + max(len(line) for text in texts for line in text.split("\n")))


# Reading


@dataclass(frozen=True, slots=True)
class _Line:
    """A row that holds something: its number as Excel counts, and its texts by heading."""

    row: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet below its headings; `written` are the headings as they stand there, by the name known here."""

    name: str
    lines: tuple[_Line, ...] = ()
    written: Mapping[str, str] = field(default_factory=dict)

    def fault(self, row: int, heading: str, problem: str) -> "_Fault":
        return _Fault(self.name, row, self.written.get(heading, heading), problem)


class _Fault(Exception):
    """Something in a sheet cannot be used."""

    def __init__(self, sheet: str, row: int, column: str, problem: str) -> None:
        self.where, self.problem = (sheet, row, column), problem


def read_workbook(path: Path) -> FormFile:
    """Read and check a form; raises ContentError naming file, sheet, Excel's row and column."""
    try:
        sheets = _sheets(path)
        return _form(path, sheets)
    except _Fault as fault:
        raise WorkbookError(short(path), *fault.where, fault.problem) from None


def _form(path: Path, sheets: Mapping[str, _Sheet]) -> FormFile:
    survey = sheets["survey"]
    choices = _choices(sheets["choices"], survey)
    rows = tuple(_row(survey, line, choices) for line in survey.lines)
    form = FormFile(settings=_settings(sheets["settings"]), survey=rows, choices=choices)

    def complain(number: int, column: str, problem: str) -> ContentError:
        written = survey.written.get(column, column)
        return WorkbookError(short(path), survey.name, survey.lines[number].row, written, problem)

    compile_form(form, complain)
    return form


def _row(sheet: _Sheet, line: _Line, choices: dict[str, tuple[ChoiceRow, ...]]) -> Row:
    """A row of the survey; its list is added to `choices` where it says or_other."""
    _refuse_unknown(sheet, line, _known("survey"))
    if "type" not in line.cells:
        raise sheet.fault(line.row, "type", "is missing")
    kind = _SPACED.sub(r"\1_\2", " ".join(line.cells["type"].split()))
    row = _read_row(sheet, line, Row, type=_OLD_TYPES.get(kind, kind))
    listed, _, rest = (row.list_name or "").partition(" ")
    if rest == "or_other" and listed in choices:
        return _asking_other(sheet, line, row, choices)
    if row.choice_filter and listed in choices:
        return row.model_copy(update={"choice_filter": _read_filter(sheet, line, _filters(choices, row))})
    return row


def _read_filter(sheet: _Sheet, line: _Line, columns: frozenset[str]) -> str:
    expression = line.cells["choice_filter"]
    words = list(_WORD.finditer(expression))
    both = [found[1] for found in words if found[1] in columns]
    if both:
        problem = f"${{{both[0]}}} has the name of a filter column of its list"
        raise sheet.fault(line.row, "choice_filter", problem)
    bare = {found[2] for found in words if found[2] and not found[3]}
    if missing := sorted(bare - columns - _OPERATORS):
        raise sheet.fault(line.row, "choice_filter", f"its list has no column {missing[0]!r}")
    return _braced(expression, columns)


def _asking_other(sheet: _Sheet, line: _Line, row: Row, choices: dict[str, tuple[ChoiceRow, ...]]) -> Row:
    """A select with or_other as one over a longer list."""
    if row.choice_filter:
        raise sheet.fault(line.row, "type", "or_other and a choice_filter do not go together")
    listed = row.type.split(" ")[1]
    longer = _name(sheet, line, "type", f"{listed}_or_other")
    choices[longer] = _with_other(choices[listed])
    return row.model_copy(update={"type": f"{row.kind} {longer}"})


def _with_other(listed: tuple[ChoiceRow, ...]) -> tuple[ChoiceRow, ...]:
    """The choices and one more, which asks what exactly."""
    own = next((choice for choice in listed if choice.name == _OTHER), None)
    other = own or ChoiceRow(name=_OTHER, label=layout().other)
    asking = other.model_copy(update={"specify": True})
    return tuple(asking if choice is own else choice for choice in listed) + (() if own else (asking,))


def _choices(sheet: _Sheet, survey: _Sheet) -> dict[str, tuple[ChoiceRow, ...]]:
    """The lists by name; the survey's expressions look at their filter columns."""
    words = {
        found[2] for line in survey.lines for found in _WORD.finditer(line.cells.get("choice_filter", ""))
    }
    filters = tuple(column for column in sheet.written if _may_filter(column))
    meant = [column for column in filters if column in words or not _near(column, "choices")]
    known = (*_known("choices"), *meant)
    lists: dict[str, tuple[ChoiceRow, ...]] = {}
    for line in sheet.lines:
        _refuse_unknown(sheet, line, known)
        name = _name(sheet, line, "list_name", line.cells.get("list_name", ""))
        values = {column: line.cells[column] for column in filters if column in line.cells}
        choice = _read_row(sheet, line, ChoiceRow, filter=values)
        if any(other.name == choice.name for other in lists.get(name, ())):
            raise sheet.fault(line.row, "name", f"{choice.name!r} stands twice in the list {name!r}")
        lists[name] = (*lists.get(name, ()), choice)
    return lists


def _name(sheet: _Sheet, line: _Line, heading: str, text: str) -> str:
    """A list's name, which must be one."""
    try:
        return str(TypeAdapter(Name).validate_python(text))
    except ValidationError as error:
        problem = error.errors()[0]["msg"] if text else "is missing"
        raise sheet.fault(line.row, heading, problem) from None


def _may_filter(column: str) -> bool:
    taken = {*_known("choices"), *_NO_FILTER, *_OPERATORS}
    return _FILTER.fullmatch(column) is not None and column not in taken


def _near(heading: str, sheet: str) -> list[str]:
    """The known heading that this one may be with a slip, if there is one."""
    return get_close_matches(heading.lower(), _known(sheet), 1, cutoff=0.8)


def _settings(sheet: _Sheet) -> Settings:
    if not sheet.lines:
        raise _Fault(sheet.name, 0, "", "holds nothing")
    line, *more = sheet.lines
    if more:
        raise _Fault(sheet.name, more[0].row, "", "a form has one row of settings")
    _refuse_unknown(sheet, line, _known("settings"))
    language = line.cells.get("default_language")
    if language is not None and _language(language) != "vi":
        raise sheet.fault(line.row, "default_language", f"must be {layout().languages.vi!r}")
    title = {
        code: line.cells[heading]
        for code in _LANGUAGES
        if (heading := _SETTINGS[f"title.{code}"]) in line.cells
    }
    cells = {column: line.cells[column] for column in ("form_id", "version") if column in line.cells}
    return _validated(sheet, line, Settings, {**cells, "title": title})


def _read_row(sheet: _Sheet, line: _Line, model: type[Model], **given: Any) -> Model:
    """A row as `model`; what is `given` was read already."""
    values: dict[str, Any] = {}
    for column in model.model_fields:
        if _bilingual(model, column):
            headings = {language: _heading(column, language) for language in _LANGUAGES}
            words = {code: line.cells[heading] for code, heading in headings.items() if heading in line.cells}
            values |= {column: words} if words else {}
        elif model.model_fields[column].annotation is bool:
            values[column] = _flag(sheet, line, column)
        elif column in line.cells:
            values[column] = line.cells[column]
    return _validated(sheet, line, model, values | given)


def _flag(sheet: _Sheet, line: _Line, column: str) -> bool:
    value = line.cells.get(column, "no")
    if value.casefold() not in _FLAGS:
        raise sheet.fault(line.row, column, f"{value!r} is neither yes nor no")
    return _FLAGS[value.casefold()]


def _validated(sheet: _Sheet, line: _Line, model: type[Model], values: dict[str, Any]) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        problem = "is missing" if first["type"] == "missing" else first["msg"]
        raise sheet.fault(line.row, _heading_of(model, *map(str, first["loc"])), problem) from None


def _heading_of(model: type[Frozen], column: str, language: str = "vi") -> str:
    """The heading under which a field of `model` stands."""
    if model is Settings:
        return _SETTINGS[f"title.{language}" if column == "title" else column]
    return _heading(column, language) if _bilingual(model, column) else column


def _refuse_unknown(sheet: _Sheet, line: _Line, known: Iterable[str]) -> None:
    for heading in line.cells:
        if heading not in known:
            raise sheet.fault(line.row, heading, _unknown(sheet, heading))


def _unknown(sheet: _Sheet, heading: str) -> str:
    if (wanted := _heading(heading, "vi")) in _known(sheet.name):
        return f"its language is missing: {wanted!r}"
    near = _near(heading, sheet.name)
    return f"this column is not known here: is it {near[0]!r}?" if near else "this column is not known here"


# From cells to sheets


def _sheets(path: Path) -> dict[str, _Sheet]:
    """The three sheets; that of choices may be missing."""
    grids = _grids(path)
    for name in _FOREIGN_SHEETS:
        if grids.get(name):
            raise _Fault(name, 0, "", "this sheet is not known here")
    for name in ("survey", "settings"):
        if name not in grids:
            raise _Fault(name, 0, "", "there is no such sheet")
    return {name: _sheet(name, grids.get(name, {})) for name in _SHEETS}


def _sheet(name: str, grid: _Grid) -> _Sheet:
    """The lines below the headings; titles may stand above them."""
    start = _start(name, grid)
    headings: dict[int, str] = {}
    written: dict[str, str] = {}
    for cell in grid.get(start, ()):
        text = _text(name, _letter(cell), cell)
        if (heading := _plain(text)) in written:
            raise _Fault(name, start, text, "this heading stands twice")
        headings[cell.column], written[heading] = heading, text
    lines = []
    for row, cells in grid.items():
        if row > start:
            named = {headings.get(cell.column, _letter(cell)): cell for cell in cells}
            texts = {
                heading: _text(name, written.get(heading, heading), cell) for heading, cell in named.items()
            }
            lines.append(_Line(row, texts))
    return _Sheet(name, tuple(lines), written)


def _start(name: str, grid: _Grid) -> int:
    """The row of the headings: the first that has the one that every such sheet has; 0 in an empty sheet."""
    for row, cells in grid.items():
        if _HEADING_WITH[name] in (_plain(str(cell.value)) for cell in cells):
            return row
    if grid or name != "choices":
        raise _Fault(name, 0, _HEADING_WITH[name], "no row has this heading")
    return 0


def _letter(cell: Any) -> str:
    return f"column {get_column_letter(cell.column)}"


def _plain(text: str) -> str:
    """A heading as it is known here: `Label :: English` is `label::English (en)`."""
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    column, marks, language = (part.strip() for part in text.partition("::"))
    known = _OLD_NAMES.get(column.lower(), column.lower())
    if marks and (code := _language(language)):
        known = _heading(known, code)
    elif marks:
        return text
    return known if any(known in _known(sheet) for sheet in _SHEETS) else text


def _language(text: str) -> str | None:
    """The code of the language that a heading names: «English (en)», «English», «en»."""
    if found := _CODE.search(text.lower()):
        return found[1]
    for code in _LANGUAGES:
        if text.casefold() in (code, _CODE.sub("", layout().languages[code]).strip().casefold()):
            return code
    return None


def _grids(path: Path) -> dict[str, _Grid]:
    """The sheets that mean something, by name in lower case."""
    try:
        with warnings.catch_warnings():
            # openpyxl warns of what it leaves out, such as lists to pick from.
            warnings.simplefilter("ignore")
            book = load_workbook(path, read_only=True, data_only=True)
            try:
                named = {sheet.title.strip().lower(): sheet for sheet in book.worksheets}
                return {
                    name: dict(_grid(named[name])) for name in (*_SHEETS, *_FOREIGN_SHEETS) if name in named
                }
            finally:
                book.close()
    except OSError as error:
        raise _Fault("", 0, "", error.strerror or "cannot be read") from None
    except (BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError):
        raise _Fault("", 0, "", "is no workbook (.xlsx)") from None


def _grid(sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    sheet.reset_dimensions()  # some programs write them wrong
    for row, cells in enumerate(sheet.iter_rows(), 1):
        if held := tuple(cell for cell in cells if not _blank(cell.value)):
            yield row, held


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(sheet: str, column: str, cell: Any) -> str:
    """A cell as text; numbers and truths as they were typed before Excel read them so."""
    match cell.value:
        case bool():
            return "true" if cell.value else "false"
        case float() if cell.value.is_integer():
            return str(int(cell.value))
        case int() | float():
            return str(cell.value)
        case str() if cell.data_type != "e":
            return unicodedata.normalize("NFC", cell.value.replace("_x000D_", "")).strip()
        case str():
            raise _Fault(sheet, cell.row, column, f"{cell.value} is an error")
    raise _Fault(sheet, cell.row, column, "Excel made a date of it: format the cell as text")
