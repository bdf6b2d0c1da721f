"""Forms in XLSForm's vocabulary, read from YAML and checked before anybody is asked anything.

A form file has XLSForm's three sheets as three keys: `settings`, `survey` and `choices`; a row's keys are XLSForm's
columns, with `label`, `hint` and messages in both languages. What XLSForm lacks is named here: `personal` (the value
is somebody's own and is kept apart), `why` (what is answered to «why do you ask»), and for choices `exclusive` (rules
out all others) and `specify` («khác: ghi rõ»).
Source: the XLSForm reference (xlsform.org).
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from content.expressions import THIS, Expression, ExpressionError
from content.load import ContentError, Key, line_of, read, short
from content.model import Frozen, Text

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

ASKED = ("text", "integer", "decimal", "date", "select_one", "select_multiple")
_BEGINS = ("begin_group", "begin_repeat")
_ENDS = {"end_group": "begin_group", "end_repeat": "begin_repeat"}
_TYPES = (*ASKED, "note", "calculate", *_BEGINS, *_ENDS)
_EXPRESSIONS = ("relevant", "constraint", "calculation", "choice_filter", "repeat_count")


class Words(Frozen):
    """One text in both languages."""

    vi: Text
    en: Text


class ChoiceRow(Frozen):
    """A row of the choices sheet; `filter` holds the columns a choice_filter looks at."""

    name: Name
    label: Words
    exclusive: bool = False
    specify: bool = False
    filter: dict[str, str] = Field(default_factory=dict)


class Row(Frozen):
    """A row of the survey sheet."""

    type: Text
    name: Name | None = None
    label: Words | None = None
    hint: Words | None = None
    why: Words | None = None
    required: bool = False
    relevant: str | None = None
    constraint: str | None = None
    constraint_message: Words | None = None
    calculation: str | None = None
    choice_filter: str | None = None
    repeat_count: str | None = None
    default: str | None = None
    appearance: Literal["one-line"] | None = None
    personal: bool = False

    @property
    def kind(self) -> str:
        """The type without the name of its list."""
        return self.type.split(" ")[0]

    @property
    def list_name(self) -> str | None:
        """The list of choices, for a select."""
        return self.type.partition(" ")[2] or None


class Settings(Frozen):
    """The settings sheet: a form is known by its id, version and the hash of its file."""

    form_id: Name
    version: Annotated[str, StringConstraints(pattern=r"^\d{10}$")]  # yyyymmddrr, as XLSForm advises
    title: Words


class FormFile(Frozen):
    """A form as it stands in its file."""

    settings: Settings
    survey: tuple[Row, ...]
    choices: dict[Name, tuple[ChoiceRow, ...]] = Field(default_factory=dict)


@dataclass(frozen=True)
class Form:
    """A checked form: its rows with their expressions ready to run, by row number and column."""

    file: FormFile
    expressions: Mapping[tuple[int, str], Expression]
    sha256: str


def load_form(path: Path) -> Form:
    """Read and check one form; raises ContentError naming file, row and column."""
    file = read(path, FormFile)
    expressions: dict[tuple[int, str], Expression] = {}
    try:
        _check_nesting(file)
        _check_names(file)
        for number, column, source in _sources(file):
            expressions[number, column] = _compiled(file, number, column, source)
    except _Fault as fault:
        key: Key = ("survey", *fault.key)
        raise ContentError(short(path), key, line_of(path, key), fault.problem) from None
    return Form(file, expressions, hashlib.sha256(path.read_bytes()).hexdigest())


class _Fault(Exception):
    """Something is wrong with a row, in a column."""

    def __init__(self, number: int, column: str, problem: str) -> None:
        self.key, self.problem = (number, column), problem


def _check_nesting(file: FormFile) -> None:
    """Groups and repeats end in the order in which they began; a repeat in a repeat is not known."""
    opened: list[tuple[int, str]] = []
    for number, row in enumerate(file.survey):
        if row.kind not in _TYPES:
            raise _Fault(number, "type", f"{row.type!r} is not known")
        if row.kind == "begin_repeat" and any(kind == "begin_repeat" for _, kind in opened):
            raise _Fault(number, "type", "a repeat stands in a repeat")
        if row.kind in _BEGINS:
            opened.append((number, row.kind))
        elif row.kind in _ENDS and (not opened or opened.pop()[1] != _ENDS[row.kind]):
            raise _Fault(number, "type", f"nothing began that {row.kind} ends")
    if opened:
        raise _Fault(opened[-1][0], "type", f"{opened[-1][1]} has no end")


def _check_names(file: FormFile) -> None:
    """Every row has the columns its type needs, and every name stands once."""
    seen: set[str] = set()
    for number, row in enumerate(file.survey):
        if row.kind in _ENDS:
            continue
        if row.name is None:
            raise _Fault(number, "name", "is missing")
        if row.name in seen or row.name == THIS:
            raise _Fault(number, "name", f"{row.name!r} stands twice or is kept for expressions")
        seen.add(row.name)
        _check_columns(file, number, row)


def _check_columns(file: FormFile, number: int, row: Row) -> None:
    if row.kind in (*ASKED, "note") and row.label is None:
        raise _Fault(number, "label", "is missing")
    if row.kind in ("select_one", "select_multiple") and row.list_name not in file.choices:
        raise _Fault(number, "type", f"there is no list {row.list_name!r}")
    if row.kind == "calculate" and row.calculation is None:
        raise _Fault(number, "calculation", "is missing")
    if row.constraint and row.constraint_message is None:
        raise _Fault(number, "constraint_message", "is missing: a refusal is explained")


def _sources(file: FormFile) -> Iterator[tuple[int, str, str]]:
    for number, row in enumerate(file.survey):
        for column in _EXPRESSIONS:
            if source := getattr(row, column):
                yield number, column, source


def _compiled(file: FormFile, number: int, column: str, source: str) -> Expression:
    """An expression that looks only at what was asked before it."""
    try:
        expression = Expression(source)
    except ExpressionError as error:
        raise _Fault(number, column, str(error)) from None
    earlier = {row.name for row in file.survey[:number]}
    allowed = {THIS} if column == "constraint" else set()
    if column == "choice_filter":
        listed = file.choices[file.survey[number].list_name or ""]
        allowed |= {name for choice in listed for name in choice.filter}
    for name in sorted(expression.names - allowed - earlier):
        later = any(row.name == name for row in file.survey)
        problem = "is asked later or here" if later else "is not in the form"
        raise _Fault(number, column, f"${{{name}}} {problem}")
    return expression
