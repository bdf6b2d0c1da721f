"""Forms in XLSForm's vocabulary, read from YAML and checked before anybody is asked anything.

A form file has XLSForm's three sheets as three keys: `settings`, `survey` and `choices`; a row's keys are XLSForm's
columns, with `label`, `hint` and messages in both languages. What XLSForm lacks is named here:

    personal    the value is somebody's own: kept apart, shown to nobody else, erased on request
    why         what is answered to «why do you ask»
    short       a few words for lists and column headings
    unknown     «I do not know» is an answer here
    format      what a text must be: tax_code, phone_or_email, person_name
    consent     the purpose that a yes agrees to; `each`: every chosen name is a purpose
    later       a group that is offered after submitting
    number      the question's number in the catalogue of the survey
    exclusive   (a choice) rules out all others
    specify     (a choice) asks what exactly: «khác: ghi rõ»

Source: the XLSForm reference (xlsform.org).
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Literal

import orjson
from pydantic import Field, StringConstraints

from content.expressions import POSITION, THIS, Expression, ExpressionError
from content.load import ContentError, Key, line_of, read, short
from content.model import Frozen, Text

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

ASKED = ("text", "integer", "decimal", "date", "select_one", "select_multiple")
NUMBERS = ("integer", "decimal")
_BEGINS = ("begin_group", "begin_repeat")
_ENDS = {"end_group": "begin_group", "end_repeat": "begin_repeat"}
_TYPES = (*ASKED, "note", "calculate", *_BEGINS, *_ENDS)
_EXPRESSIONS = ("relevant", "constraint", "calculation", "choice_filter", "repeat_count")
_PLACEHOLDER = re.compile(r"\$\{\s*([a-z][a-z0-9_]*)\s*\}")
_EACH = re.compile(r"\s*count-selected\(\s*\$\{\s*([a-z][a-z0-9_]*)\s*\}\s*\)\s*")
_SHOWN = re.compile(r"jr:choice-name\(.*,\s*'\$\{\s*([a-z][a-z0-9_]*)\s*\}'\s*\)\s*", re.DOTALL)

# The appearances that mean something here, by type.
_APPEARANCES: Mapping[str, tuple[str, ...]] = {
    "text": ("multiline",),
    "date": ("month-year",),
    "select_one": ("autocomplete",),
    "begin_group": ("one-line", "confirm"),
    "begin_repeat": ("one-line",),
}

# The columns that mean something for these types only.
_ONLY_FOR: Mapping[str, tuple[str, ...]] = {
    "calculation": ("calculate",),
    "choice_filter": ("select_one", "select_multiple"),
    "format": ("text",),
    "repeat_count": ("begin_repeat",),
}


class Words(Frozen):
    """One text in both languages."""

    vi: Text
    en: Text

    def __getitem__(self, language: str) -> str:
        return self.en if language == "en" else self.vi


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
    short: Words | None = None
    required: bool = False
    relevant: Text | None = None
    constraint: Text | None = None
    constraint_message: Words | None = None
    calculation: Text | None = None
    choice_filter: Text | None = None
    repeat_count: Text | None = None
    default: Text | None = None
    appearance: Literal["one-line", "confirm", "month-year", "autocomplete", "multiline"] | None = None
    personal: bool = False
    unknown: bool = False
    format: Literal["tax_code", "phone_or_email", "person_name"] | None = None
    consent: Name | None = None
    later: bool = False
    number: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]+$")] | None = None

    @property
    def kind(self) -> str:
        """The type without the name of its list."""
        return self.type.split(" ")[0]

    @property
    def list_name(self) -> str | None:
        """The list of choices, for a select."""
        return self.type.partition(" ")[2] or None


class Settings(Frozen):
    """The settings sheet: a form is known by its id, version and the hash of its content."""

    form_id: Name
    version: Annotated[str, StringConstraints(pattern=r"^\d{10}$")]  # yyyymmddrr, as XLSForm advises
    title: Words


class FormFile(Frozen):
    """A form as it stands in its file."""

    settings: Settings
    survey: tuple[Row, ...]
    choices: dict[Name, tuple[ChoiceRow, ...]] = Field(default_factory=dict)

    def dump(self) -> str:
        """The form as JSON text for storage: what is not said is left out, so that a new column changes no hash."""
        return orjson.dumps(
            self.model_dump(mode="json", exclude_defaults=True), option=orjson.OPT_SORT_KEYS
        ).decode()


@dataclass(frozen=True, eq=False)
class Group:
    """A group or a repeat, made ready."""

    row: Row
    name: str
    parent: "Group | None"
    count: Expression | None = None  # of a repeat
    each: str | None = None  # the question whose chosen names are the instances of this repeat

    @property
    def repeats(self) -> bool:
        """Whether this is a repeat."""
        return self.row.kind == "begin_repeat"


@dataclass(frozen=True, eq=False)
class Question:
    """A row that is asked, shown or computed, made ready.

    `relevant` are its own condition and those of the groups around it; `repeat`, `line` and `card` are the groups
    that repeat it, ask it in one line with others, or offer it on a card; `choice_of` is the question whose choices
    its value names, for a select itself and for a calculation by `jr:choice-name`.
    """

    number: int  # of its row, counted from 0
    row: Row
    kind: str
    name: str
    choices: tuple[ChoiceRow, ...]
    relevant: tuple[Expression, ...]
    constraint: Expression | None
    calculation: Expression | None
    choice_filter: Expression | None
    repeat: Group | None
    line: Group | None
    card: Group | None
    later: bool
    choice_of: str | None
    by_name: Mapping[str, ChoiceRow] = field(repr=False, default_factory=dict)

    def choice(self, name: str) -> ChoiceRow | None:
        """The choice of that name."""
        return self.by_name.get(name)


@dataclass(frozen=True, eq=False)
class Form:
    """A checked form, ready to be asked: its questions in order, and who looks at whom.

    `readers` are the questions, by number, whose expressions look at a name; `shapes` the repeats that do.
    """

    file: FormFile
    sha256: str
    questions: tuple[Question, ...]
    groups: Mapping[str, Group]
    readers: Mapping[str, tuple[int, ...]]

    by_name: Mapping[str, Question] = field(repr=False, default_factory=dict)

    @property
    def id(self) -> str:
        """What the form is called."""
        return self.file.settings.form_id

    @property
    def version(self) -> str:
        """Which of its versions this is."""
        return self.file.settings.version

    @cached_property
    def gate(self) -> Question | None:
        """The question whether the person agrees to be asked at all, where the form begins with one."""
        first = self.questions[0] if self.questions else None
        return first if first and first.row.consent and first.row.consent != "each" else None

    @cached_property
    def personal(self) -> tuple[Question, ...]:
        """The questions that ask for somebody's own."""
        return tuple(question for question in self.questions if question.row.personal)

    @cached_property
    def agreeing(self) -> tuple[Question, ...]:
        """The questions by whose answer somebody agrees to something."""
        return tuple(question for question in self.questions if question.row.consent)

    @cached_property
    def tax_codes(self) -> tuple[Question, ...]:
        """The questions that ask for a tax code."""
        return tuple(question for question in self.questions if question.row.format == "tax_code")


Complain = Callable[[int, str, str], ContentError]  # row, column, problem


def load_form(path: Path) -> Form:
    """Read and check one form; raises ContentError naming file, row and column."""
    file = read(path, FormFile)

    def complain(row: int, column: str, problem: str) -> ContentError:
        key: Key = ("survey", row, column)
        return ContentError(short(path), key, line_of(path, key), problem)

    return compile_form(file, complain)


def stored_form(definition: str) -> Form:
    """Read what `FormFile.dump` wrote; raises ContentError when this program cannot use it."""
    file = FormFile.model_validate_json(definition)
    return compile_form(file, lambda row, column, problem: ContentError("forms", (row, column), 0, problem))


def compile_form(file: FormFile, complain: Complain) -> Form:
    """Check a form and make it ready; raises what `complain` makes of the first thing that is wrong."""
    try:
        _check_nesting(file)
        _check_names(file)
        expressions = {
            (number, column): _compiled(file, number, column, source)
            for number, column, source in _sources(file)
        }
        _check_placeholders(file)
        _check_lines(file)
    except _Fault as fault:
        raise complain(*fault.key, fault.problem) from None
    return _assembled(file, expressions)


class _Fault(Exception):
    """Something is wrong with a row, in a column."""

    def __init__(self, number: int, column: str, problem: str) -> None:
        self.key, self.problem = (number, column), problem


# Checking


def _check_nesting(file: FormFile) -> None:
    """Groups and repeats end in the order in which they began; a repeat in a repeat is not known."""
    opened: list[tuple[int, str]] = []
    for number, row in enumerate(file.survey):
        if row.kind not in _TYPES:
            raise _Fault(number, "type", f"{row.type!r} is not known")
        if row.kind == "begin_repeat" and any(kind == "begin_repeat" for _, kind in opened):
            raise _Fault(number, "type", "a repeat stands in a repeat")
        if row.appearance in ("one-line", "confirm") and any(kind == "begin_repeat" for _, kind in opened):
            raise _Fault(number, "appearance", f"{row.appearance} in a repeat is not known")
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
        if row.name in seen or row.name in (THIS, POSITION):
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
    for column, kinds in _ONLY_FOR.items():
        if getattr(row, column) and row.kind not in kinds:
            raise _Fault(number, column, f"means nothing for {row.kind}")
    if row.constraint and row.constraint_message is None:
        raise _Fault(number, "constraint_message", "is missing: a refusal is explained")
    if row.kind == "begin_repeat" and not row.repeat_count:
        raise _Fault(number, "repeat_count", "is missing: a conversation must know when a repeat ends")
    if row.appearance and row.appearance not in _APPEARANCES.get(row.kind, ()):
        raise _Fault(number, "appearance", f"{row.appearance!r} means nothing for {row.kind}")
    if row.default is not None:
        _check_default(file, number, row)


def _check_default(file: FormFile, number: int, row: Row) -> None:
    """A default is a plain value of its question's type, and nothing personal."""
    value = row.default or ""
    if row.personal or row.kind not in ("text", "integer", "select_one"):
        raise _Fault(number, "default", f"means nothing for a {'personal ' * row.personal}{row.kind}")
    if row.kind == "integer" and not value.isdecimal():
        raise _Fault(number, "default", "is no whole number")
    if row.kind == "select_one" and all(choice.name != value for choice in file.choices[row.list_name or ""]):
        raise _Fault(number, "default", f"{value!r} is not in the list {row.list_name!r}")


def _check_placeholders(file: FormFile) -> None:
    """A label speaks only of what was asked before it, and of nothing personal."""
    for number, row in enumerate(file.survey):
        earlier = {one.name: one for one in file.survey[:number] if one.kind not in _BEGINS}
        for column in ("label", "hint", "short", "constraint_message"):
            words: Words | None = getattr(row, column)
            for name in _PLACEHOLDER.findall(f"{words.vi} {words.en}") if words else ():
                if name not in earlier or earlier[name].personal:
                    raise _Fault(number, column, f"${{{name}}} is not asked before it, or is personal")


def _check_lines(file: FormFile) -> None:
    """What is asked in one line are numbers; a repeat in one line asks one number."""
    opened: list[tuple[int, Row, int]] = []
    for number, row in enumerate(file.survey):
        if row.kind in _BEGINS:
            opened.append((number, row, 0))
        elif row.kind in _ENDS:
            begin, group, asked = opened.pop()
            if group.appearance == "one-line" and (not asked or (group.kind == "begin_repeat" and asked > 1)):
                raise _Fault(begin, "appearance", "one-line needs numbers, and a repeat in one line just one")
        elif row.kind in ASKED and opened:
            begin, group, asked = opened[-1]
            if group.appearance == "one-line" and (row.kind not in NUMBERS or row.personal):
                raise _Fault(number, "type", "only numbers are asked in one line")
            opened[-1] = (begin, group, asked + 1)


def _sources(file: FormFile) -> Iterator[tuple[int, str, str]]:
    for number, row in enumerate(file.survey):
        for column in _EXPRESSIONS:
            if source := getattr(row, column):
                yield number, column, source


def _compiled(file: FormFile, number: int, column: str, source: str) -> Expression:
    """An expression that looks only at what was asked before it."""
    try:
        expression = _expression(source)
    except ExpressionError as error:
        raise _Fault(number, column, str(error)) from None
    earlier = {row.name for row in file.survey[:number]}
    allowed = {THIS} if column == "constraint" else set()
    if column == "choice_filter":
        listed = file.choices[file.survey[number].list_name or ""]
        allowed |= {name for choice in listed for name in choice.filter}
    if _stands_in_repeat(file, number):
        allowed.add(POSITION)
    for name in sorted(expression.names - allowed - earlier):
        later = any(row.name == name for row in file.survey)
        problem = "is asked later or here" if later else "is not in the form"
        raise _Fault(number, column, f"${{{name}}} {problem}")
    personal = {row.name for row in file.survey if row.personal}
    for name in sorted(expression.names & personal):
        raise _Fault(number, column, f"${{{name}}} is personal: nothing may depend on it")
    return expression


@lru_cache(maxsize=1024)
def _expression(source: str) -> Expression:
    """One expression however often it is written, so that a walk decides it once."""
    return Expression(source)


def _stands_in_repeat(file: FormFile, number: int) -> bool:
    begun = sum(row.kind == "begin_repeat" for row in file.survey[:number])
    return begun > sum(row.kind == "end_repeat" for row in file.survey[:number])


# Making ready


def _assembled(file: FormFile, expressions: Mapping[tuple[int, str], Expression]) -> Form:
    questions: list[Question] = []
    groups: dict[str, Group] = {}
    around: list[tuple[Group, Expression | None]] = []
    for number, row in enumerate(file.survey):
        if row.kind in _BEGINS:
            group = _group(row, around[-1][0] if around else None, expressions.get((number, "repeat_count")))
            groups[group.name] = group
            around.append((group, expressions.get((number, "relevant"))))
        elif row.kind in _ENDS:
            around.pop()
        else:
            questions.append(_question(file, number, row, around, expressions))
    by_name = {question.name: question for question in questions}
    sha256 = hashlib.sha256(file.dump().encode()).hexdigest()
    return Form(file, sha256, tuple(questions), groups, _readers(questions), by_name)


def _group(row: Row, parent: Group | None, count: Expression | None) -> Group:
    each = _EACH.fullmatch(row.repeat_count or "")
    return Group(row, row.name or "", parent, count, each[1] if each else None)


def _question(
    file: FormFile,
    number: int,
    row: Row,
    around: list[tuple[Group, Expression | None]],
    expressions: Mapping[tuple[int, str], Expression],
) -> Question:
    own = expressions.get((number, "relevant"))
    groups = [group for group, _ in around]
    choices = file.choices.get(row.list_name or "", ())
    shown = _SHOWN.fullmatch(row.calculation or "")
    name = row.name or ""
    return Question(
        number=number,
        row=row,
        kind=row.kind,
        name=name,
        choices=choices,
        relevant=tuple(one for one in (*(condition for _, condition in around), own) if one),
        constraint=expressions.get((number, "constraint")),
        calculation=expressions.get((number, "calculation")),
        choice_filter=expressions.get((number, "choice_filter")),
        repeat=next((group for group in groups if group.repeats), None),
        line=next((group for group in groups if group.row.appearance == "one-line"), None),
        card=next((group for group in groups if group.row.appearance == "confirm"), None),
        later=any(group.row.later for group in groups),
        choice_of=name if choices else shown[1] if shown else None,
        by_name={choice.name: choice for choice in choices},
    )


def _readers(questions: list[Question]) -> dict[str, tuple[int, ...]]:
    """By name, the places in `questions` of those whose expressions look at it."""
    readers: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        looked = [*question.relevant, question.constraint, question.calculation, question.choice_filter]
        if question.repeat:
            looked.append(question.repeat.count)
        for name in sorted({name for one in looked if one for name in one.names}):
            readers.setdefault(name, []).append(place)
    return {name: tuple(places) for name, places in readers.items()}
