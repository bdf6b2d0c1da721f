"""The table that a form's responses make: a column is known by its question's name, whatever version asked it.

Columns stand in the order of the newest version; what only older versions have comes after them. A question inside a
repeat has one column for each instance, named as its place is: `devices.scale`, `branch.1`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from content.catalogue import Catalogue
from content.forms import ChoiceRow, Form, Question
from handlers.fills import APPROXIMATE, NOT_APPLICABLE, PERSONAL, SKIPPED, UNKNOWN
from handlers.naming import ENTERPRISE, is_free_text, names_household
from handlers.walk import MOST_INSTANCES

Cell = str | int | float | None

EXACT = 10**15  # spreadsheets keep fifteen digits of a number; longer ones are written as text

_DECIMAL = re.compile(r"-?(0|[1-9]\d*)\.\d*[1-9]")  # as a calculation is kept

_HEAD = (
    "code", "year", "version", "status", "started", "updated", "submitted", "last_question", "rival",
)  # fmt: skip
_HEAD_WORDS = {
    "code": "export_code",
    "year": "export_year",
    "version": "export_version",
    "status": "export_status",
    "started": "export_started",
    "updated": "export_updated",
    "submitted": "export_submitted",
    "last_question": "export_last_question",
    "rival": "export_rival",
    "approximate": "export_approximate",
}
_TYPES = {
    "text": "export_type_text",
    "integer": "export_type_integer",
    "decimal": "export_type_decimal",
    "date": "export_type_date",
    "select_one": "export_type_select_one",
    "select_multiple": "export_type_select_multiple",
    "calculate": "export_type_calculate",
}
_STATES = {
    UNKNOWN: ("unknown", "export_unknown"),
    SKIPPED: ("skipped", "export_skipped"),
    NOT_APPLICABLE: ("not_applicable", "export_not_applicable"),
}
_ERASED = ("erased", "export_erased")  # it was answered, and its value is no longer there
_WITHHELD = ("withheld", "export_withheld")  # it names a person, or did, and names are not wanted
_COMPUTED = "export_computed_"  # with the name of a calculation and one of its values: what that means
_YES_OR_NO = {"yes": "export_yes", "true": "export_yes", "no": "export_no", "false": "export_no"}
_OF_THIS_COUNTRY = re.compile(r"\+84(?=[0-9]{8,10}$)")


@dataclass(frozen=True, slots=True)
class Answered:
    """A response as it is exported; `answers` are stored fills by place, `personal` the values kept apart."""

    code: str
    form_id: str
    version: str
    year: int
    status: Literal["partial", "submitted"]
    last_question: str
    rival: bool
    started_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    answers: Mapping[str, list[Any]]
    personal: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `heading` stands above it, `question` is what was asked, `versions` are those that ask it.

    `choices` are those of every version, each with its versions; `listed`: the codebook shows them here.
    """

    code: str
    heading: str
    question: str
    kind: str
    versions: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    listed: bool = True
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """How answers are shown: `codes` gives names for labels, `split` a column for each of several choices.

    `anonymous` leaves out what people said of themselves, what they wrote freely, and a household's name.
    """

    codes: bool = False
    split: bool = False
    anonymous: bool = False


class Layout:
    """The columns of one form over its versions, and the cells of a response in them."""

    def __init__(
        self,
        forms: Sequence[Form],
        say: Catalogue,
        options: Options,
        zone: ZoneInfo,
        largest: Mapping[str, int] | None = None,
    ) -> None:
        """`forms`: every version, newest first; `largest`: the last instance of a counted question, by its name."""
        self._say = say
        self._options = options
        self._zone = zone
        self._largest = largest or {}
        self._forms = {form.version: form for form in forms}
        asked = self._merged(forms)
        head = [self._head(name, taken=asked) for name in _HEAD]
        self.columns = (*head, *asked.values(), self._head("approximate", taken=asked))
        self._at = {column.code: at for at, column in enumerate(self.columns)}
        self._spots: dict[str, dict[str, _Spot]] = {}
        self._states = {mark: self._word(*names) for mark, names in _STATES.items()}
        self._erased = self._word(*(_WITHHELD if options.anonymous else _ERASED))

    def cells(self, response: Answered) -> list[Cell]:
        """One row: its cells in the order of the columns."""
        cells: list[Cell] = [None] * len(self.columns)
        cells[: len(_HEAD)] = self._about(response)
        spots = self._spots_of(response.version)
        approximate: list[str] = []
        for place, stored in response.answers.items():
            spot = spots.get(place)
            if spot is None:
                continue
            if len(stored) == 1:
                at, read, _, each = spot
                if each is None:  # as nearly always
                    cells[at] = read(stored[0]) if read else stored[0]
                else:
                    spot.put(cells, stored[0])
            else:
                self._put_marked(cells, spot, place, stored, response.personal, approximate)
        if self._options.anonymous and names_household(self._forms[response.version], response.answers):
            spots[ENTERPRISE].tell(cells, self._erased)
        cells[-1] = ", ".join(approximate) or None
        return cells

    def codebook(self) -> Iterator[tuple[Cell, ...]]:
        """A row for each column, then one for each of its choices: column, question, type, choice, its label, versions."""
        for column in self.columns[len(_HEAD) : -1]:
            kind = self._say("vi", _TYPES[column.kind])
            yield column.heading, column.question, kind, None, None, ", ".join(column.versions)
            for name, (label, versions) in column.choices.items() if column.listed else ():
                yield column.heading, None, None, name, label, ", ".join(versions)

    # The columns

    def _head(self, name: str, *, taken: Mapping[str, Column]) -> Column:
        words = self._say("vi", _HEAD_WORDS[name])
        code = f"_{name}" if name in taken else name
        is_text = name not in ("year", "rival")
        return Column(code, code if self._options.codes else words, words, "text", is_text=is_text)

    def _merged(self, forms: Sequence[Form]) -> dict[str, Column]:
        merged: dict[str, Column] = {}
        for form in forms:
            for column in self._columns_of(form):
                known = merged.get(column.code)
                merged[column.code] = _joined(known, column) if known else column
        return merged

    def _columns_of(self, form: Form) -> Iterator[Column]:
        for question in form.questions:
            if question.kind == "note" or (self._options.anonymous and _may_name(question)):
                continue
            first = True
            for instance, shown in self._instances(form, question):
                yield from self._columns_at(form, question, instance, shown, listed=first)
                first = False

    def _columns_at(
        self, form: Form, question: Question, instance: str, shown: str, *, listed: bool
    ) -> Iterator[Column]:
        code = _place(question, instance)
        text = _asked(question) + (f" [{shown}]" if shown else "")
        versions = (form.version,)
        known = _choices(form, question)
        choices = {choice.name: (choice.label.vi, versions) for choice in known}
        choices |= {name: (label, versions) for name, label in self._said_of(question)}
        if self._options.split and question.kind == "select_multiple":
            for choice in known:
                own = {choice.name: choices[choice.name]}
                name = f"{code}/{choice.name}"
                yield Column(name, name, f"{text}: {choice.label.vi}", question.kind, versions, own, listed)
        else:
            is_text = question.kind in ("text", "date")
            yield Column(code, code, text, question.kind, versions, choices, listed, is_text)
        if any(choice.specify for choice in question.choices):
            asks = self._say("vi", "export_other", question=text)
            yield Column(f"{code}.other", f"{code}.other", asks, "text", versions, is_text=True)

    def _instances(self, form: Form, question: Question) -> Iterable[tuple[str, str]]:
        """The instances a question has columns for, and how each is called."""
        if not question.repeat:
            return [("", "")]
        if question.repeat.each:
            chosen = form.by_name[question.repeat.each]
            return [(choice.name, choice.label.vi) for choice in chosen.choices]
        most = counted(question) or self._largest.get(question.name, 0)
        return [(str(number), str(number)) for number in range(1, min(most, MOST_INSTANCES) + 1)]

    # The cells

    def _about(self, response: Answered) -> list[Cell]:
        codes, say = self._options.codes, self._say
        status = say("vi", "export_is_submitted" if response.status == "submitted" else "export_is_partial")
        rival = say("vi", "export_yes" if response.rival else "export_no")
        return [
            "" if self._options.anonymous else response.code,  # it opens the answers
            response.year,
            response.version,
            response.status if codes else status,
            self._moment(response.started_at),
            self._moment(response.updated_at),
            self._moment(response.submitted_at) if response.submitted_at else None,
            response.last_question if codes else self._reached(response),
            int(response.rival) if codes else rival,
        ]

    def _moment(self, moment: datetime) -> str:
        at = moment.astimezone(self._zone)
        return f"{at.day:02}/{at.month:02}/{at.year} {at.hour:02}:{at.minute:02}"

    def _reached(self, response: Answered) -> str:
        """The question that is open, in words; a name that is not in its form stays as it is."""
        form = self._forms[response.version]
        name = response.last_question.partition(".")[0]
        found = form.by_name.get(name) or form.groups.get(name)
        words = found and (found.row.short or found.row.label)
        return words.vi if words else response.last_question

    def _spots_of(self, version: str) -> Mapping[str, "_Spot"]:
        if version not in self._spots:
            self._spots[version] = dict(self._made_spots(self._forms[version]))
        return self._spots[version]

    def _made_spots(self, form: Form) -> Iterator[tuple[str, "_Spot"]]:
        for question in form.questions:
            if question.kind == "note" or (self._options.anonymous and _may_name(question)):
                continue
            for instance, _ in self._instances(form, question):
                place = _place(question, instance)
                yield place, self._spot(form, question, place)

    def _spot(self, form: Form, question: Question, place: str) -> "_Spot":
        labels = self._labels(form, question)
        other = self._at.get(f"{place}.other")
        if question.kind == "select_multiple" and self._options.split:
            return _Spot(0, None, other, {name: self._at[f"{place}/{name}"] for name in labels})
        return _Spot(self._at[place], self._reader(question.kind, labels), other)

    def _labels(self, form: Form, question: Question) -> "_Labels":
        """What values mean; those of a calculation are choices it looks at, or the catalogue has words for them."""
        labels = _Labels()
        if question.calculation:
            labels.update((value, self._say("vi", key)) for value, key in _YES_OR_NO.items())
            looked_at = (one for one in form.questions if one.name in question.calculation.names)
            labels.update((choice.name, choice.label.vi) for one in looked_at for choice in one.choices)
            labels.update(self._said_of(question))
        labels.update((choice.name, choice.label.vi) for choice in _choices(form, question))
        return labels

    def _said_of(self, question: Question) -> list[tuple[str, str]]:
        """What the catalogue says of the values of a calculation."""
        begins = f"{_COMPUTED}{question.name}_"
        keys = sorted(key for key in self._say.keys() if key.startswith(begins))  # noqa: SIM118  a catalogue is no dict
        return [(key.removeprefix(begins), self._say("vi", key)) for key in keys]

    def _reader(self, kind: str, labels: "_Labels") -> Callable[[Any], Cell] | None:
        """What makes a cell of an answer of that kind; None: it is one already."""
        codes = self._options.codes
        if kind == "select_multiple":
            return _codes_joined if codes else _joiner(labels)
        if kind == "calculate" and not codes:
            return _worded(labels)
        if labels and not codes:
            return labels.__getitem__
        if kind == "date" and not codes:
            return _day
        return _READ.get(kind)

    def _put_marked(
        self,
        cells: list[Cell],
        spot: "_Spot",
        place: str,
        stored: list[Any],
        personal: Mapping[str, str],
        approximate: list[str],
    ) -> None:
        """Put what has a mark, or a word of its own, into its cells."""
        value, mark = stored[0], stored[1]
        if mark in self._states:
            spot.tell(cells, self._states[mark])
            return
        if mark == PERSONAL:
            if place not in personal:
                spot.tell(cells, self._erased)
                return
            value = _OF_THIS_COUNTRY.sub("0", personal[place])
        if mark == APPROXIMATE:
            approximate.append(place)
        if len(stored) > 2 and spot.other is not None:
            cells[spot.other] = stored[2]
        spot.put(cells, value)

    def _word(self, code: str, key: str) -> str:
        return code if self._options.codes else self._say("vi", key)


class _Spot(NamedTuple):
    """Where the answer of one place goes, and how it reads there.

    `each`: one cell for each choice that was offered: 1, 0, or the word that says why nothing was answered.
    """

    at: int
    read: Callable[[Any], Cell] | None
    other: int | None
    each: Mapping[str, int] | None = None

    def put(self, cells: list[Cell], value: Any) -> None:
        """Put an answer into its cell, or mark what was chosen."""
        if self.each is None:
            cells[self.at] = self.read(value) if self.read else value
            return
        chosen = _names(value)
        for name, at in self.each.items():
            cells[at] = int(name in chosen)

    def tell(self, cells: list[Cell], word: str) -> None:
        """Put a word there that says why there is no answer."""
        for at in (self.at,) if self.each is None else self.each.values():
            cells[at] = word


class _Labels(dict[str, str]):
    """Labels by name; a name without one stands for itself."""

    def __missing__(self, name: str) -> str:
        return name


def counted(question: Question) -> int:
    """How many instances a question has by a plain number in its form; 0 where the answers decide."""
    count = question.repeat.row.repeat_count or "" if question.repeat else ""
    return int(count) if count.strip().isdecimal() else 0


def needs_largest(forms: Iterable[Form]) -> set[str]:
    """The questions of which only the answers know how many instances there are."""
    return {
        question.name
        for form in forms
        for question in form.questions
        if question.repeat and not question.repeat.each and not counted(question)
    }


def _may_name(question: Question) -> bool:
    """Whether an answer may hold somebody's name or telephone."""
    return question.row.personal or is_free_text(question)


def _place(question: Question, instance: str) -> str:
    return f"{question.name}.{instance}" if instance else question.name


def _asked(question: Question) -> str:
    words = question.row.label or question.row.short
    number = f"{question.row.number}. " if question.row.number else ""
    return f"{number}{words.vi if words else question.name}"


def _choices(form: Form, question: Question) -> tuple[ChoiceRow, ...]:
    """The choices a value names: a select's own, or those of the question a calculation repeats."""
    return form.by_name[question.choice_of].choices if question.choice_of else ()


def _joined(newer: Column, older: Column) -> Column:
    """One column of two versions: the words of the newer, the choices and versions of both."""
    choices = dict(newer.choices)
    for name, (label, versions) in older.choices.items():
        known = choices.get(name, (label, ()))
        choices[name] = (known[0], (*known[1], *versions))
    return replace(newer, choices=choices, versions=(*newer.versions, *older.versions))


def _names(value: Any) -> list[str]:
    """The names of several choices; as text they stand with spaces between."""
    return value.split() if isinstance(value, str) else list(value)


def _codes_joined(value: Any) -> str:
    return " ".join(_names(value))


def _joiner(labels: _Labels) -> Callable[[Any], Cell]:
    return lambda value: "; ".join(map(labels.__getitem__, _names(value)))


def _worded(labels: _Labels) -> Callable[[Any], Cell]:
    """Reads what was computed: names that are all known by their labels, anything else as it is."""

    def read(value: Any) -> Cell:
        names = () if isinstance(value, int) else _names(value)
        if names and all(name in labels for name in names):
            return "; ".join(labels[name] for name in names)
        return _calculated(value)

    return read


def _day(value: str) -> str:
    """2027-03-31 as 31/03/2027, and 2027-03 as 03/2027."""
    return "/".join(reversed(value.split("-")))


def _whole(value: int | str) -> Cell:
    if type(value) is int and -EXACT < value < EXACT:
        return value
    number = int(value) if isinstance(value, int) or value.lstrip("-").isdecimal() else None
    return number if number is not None and abs(number) < EXACT else str(value)


def _decimal(value: str | int) -> Cell:
    if isinstance(value, int):
        return _whole(value)
    is_short = len(value) <= 15 or sum(map(str.isdecimal, value)) <= 15
    return _float(value) if is_short else value


def _calculated(value: Any) -> Cell:
    if isinstance(value, str):
        return _decimal(value) if _DECIMAL.fullmatch(value) else value
    return _whole(value) if isinstance(value, int) else _codes_joined(value)


_READ: Mapping[str, Callable[[Any], Cell]] = {
    "integer": _whole, "decimal": _decimal, "calculate": _calculated,
}  # fmt: skip


# JSON

_WITHHELD_STATE = {"state": _WITHHELD[0]}


def as_object(response: Answered, form: Form, *, anonymous: bool) -> dict[str, Any]:
    """A response as one object for programs: answers by question, a repeated question's by instance."""
    found: dict[str, Any] = {}
    household = ENTERPRISE if names_household(form, response.answers) else ""
    for place, stored in response.answers.items():
        name, _, instance = place.partition(".")
        question = form.by_name.get(name)
        if anonymous and question and _may_name(question):
            continue
        is_withheld = anonymous and (place == household or stored[1:2] == [PERSONAL])
        value = (
            _WITHHELD_STATE if is_withheld else _json_value(question, stored, response.personal.get(place))
        )
        if instance:
            found.setdefault(name, {})[instance] = value
        else:
            found[name] = value
    return {
        "code": None if anonymous else response.code,  # it opens the answers
        "form": response.form_id,
        "version": response.version,
        "year": response.year,
        "status": response.status,
        "last_question": response.last_question,
        "answers": _in_order(found, form),
    }


def _in_order(found: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """The answers as their form asks for them: a database need not keep the order of keys."""
    ordered = {}
    for question in form.questions:
        if question.name in found:
            value = found[question.name]
            ordered[question.name] = _instances_in_order(value, form, question) if question.repeat else value
    return {**ordered, **found} if len(ordered) < len(found) else ordered


def _instances_in_order(value: Mapping[str, Any], form: Form, question: Question) -> dict[str, Any]:
    if question.repeat and question.repeat.each:
        names = [choice.name for choice in form.by_name[question.repeat.each].choices]
        return {name: value[name] for name in (*names, *value) if name in value}
    return {key: value[key] for key in sorted(value, key=lambda key: (len(key), key))}


def _json_value(question: Question | None, stored: list[Any], personal: str | None) -> Any:
    kind = question.kind if question else ""
    if len(stored) == 1:
        return _json_plain(kind, stored[0])
    value, mark, other = [*stored, "", ""][:3]
    if mark in _STATES:
        return {"state": _STATES[mark][0]}
    if mark == PERSONAL:
        if personal is None:
            return {"state": _ERASED[0]}
        value = personal
    plain = _json_plain(kind, value)
    if other:
        return {"value": plain, "other": other}
    return {"value": plain, "approximate": True} if mark == APPROXIMATE else plain


def _json_plain(kind: str, value: Any) -> Any:
    if kind == "select_multiple":
        return _names(value)
    if kind == "integer" and isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value)
    if isinstance(value, str) and (kind == "decimal" or (kind == "calculate" and _DECIMAL.fullmatch(value))):
        return _float(value)
    return value


def _float(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value
