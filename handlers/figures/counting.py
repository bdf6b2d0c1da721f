"""Adds responses up, one after another, whatever their number: what is kept is as large as the form, not as the survey.

Everything comes from the form's definition: each choice, each number, each date of any XLSForm form. What is not
known, was passed over or does not apply is counted apart, and never as zero.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from content.forms import NUMBERS, ChoiceRow, Form, Question
from handlers.fills import NOT_APPLICABLE, PERSONAL, SKIPPED, UNKNOWN

State = Literal["answered", "unknown", "skipped", "not_applicable", "not_asked"]
STATES: tuple[State, ...] = ("unknown", "skipped", "not_applicable", "not_asked")  # that are no answer

Answers = Mapping[str, list[Any]]  # stored fills, by place

_STATE_OF: Mapping[str, State] = {
    UNKNOWN: "unknown", SKIPPED: "skipped", NOT_APPLICABLE: "not_applicable", PERSONAL: "not_asked",
}  # fmt: skip


@dataclass(slots=True)
class Chosen:
    """A question with choices: how many enterprises chose each, and how many answered or did not."""

    question: Question
    several: bool  # one enterprise may have chosen several
    choices: dict[str, ChoiceRow] = field(default_factory=dict)  # of every version, the newest words first
    states: Counter[State] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, state: State, names: Iterable[str]) -> None:
        """Count one enterprise."""
        self.states[state] += 1
        self.counts.update(names)


@dataclass(slots=True)
class Added:
    """A number: how many enterprises gave one, what these make together, and how many gave a rough one."""

    states: Counter[State] = field(default_factory=Counter)
    total: Decimal = Decimal(0)
    rough: int = 0

    def add(self, state: State, number: Decimal, rough: bool) -> None:
        """Count one enterprise."""
        self.states[state] += 1
        self.total += number
        self.rough += rough


@dataclass(slots=True)
class Numbers:
    """A number, all of it or for each chosen name: how many scales, how many people for a course."""

    question: Question
    of: str = ""  # the question whose chosen names it was asked for
    each: dict[str, Added] = field(default_factory=dict)  # by chosen name; "" where it was asked once

    def added(self, name: str = "") -> Added:
        """What was added up under that name."""
        return self.each.get(name) or self.each.setdefault(name, Added())


@dataclass(slots=True)
class Dated:
    """A date: how many enterprises gave which month; and how much falls due then, where the date was asked for a number."""

    question: Question
    beside: Question | None = None  # the number it was asked for: how many instruments
    states: Counter[State] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)  # 2027-03
    numbers: dict[str, Added] = field(
        default_factory=dict
    )  # of those who gave a month and the number, by month


Adder = Callable[[Answers], None]


class Tally:
    """The sums of one form over its versions."""

    def __init__(self, forms: Sequence[Form], computed: Iterable[str] = ()) -> None:
        """`forms`: every version, newest first; `computed`: calculations that sort enterprises, such as their size."""
        self.forms = {form.version: form for form in forms}
        self.responses = 0
        self.chosen: dict[str, Chosen] = {}
        self.numbers: dict[str, Numbers] = {}
        self.dated: dict[str, Dated] = {}
        self._computed = frozenset(computed)
        self._adders = {form.version: list(self._made(form)) for form in forms}

    def add(self, version: str, answers: Answers) -> None:
        """Count one response."""
        self.responses += 1
        for adder in self._adders[version]:
            adder(answers)

    def not_asked(self, states: Mapping[State, int]) -> int:
        """How many responses have nothing at all there: an older version, or a part nobody opened."""
        return self.responses - sum(states.values()) + states.get("not_asked", 0)

    def looks_at(self, question: Question) -> frozenset[str]:
        """The questions whose answers decide, directly or by a calculation, whether this one applies."""
        found: set[str] = set()
        names = {name for one in question.relevant for name in one.names}
        while new := names - found:
            found |= new
            asked = [
                form.by_name[name] for form in self.forms.values() for name in new if name in form.by_name
            ]
            names = {name for one in asked for name in _looked_at(one)}
        return frozenset(found)

    def _made(self, form: Form) -> Iterable[Adder]:
        for question in form.questions:
            if question.row.personal or question is form.gate:
                continue
            if question.choices or question.name in self._computed:
                yield self._choice_adder(question)
            elif question.kind in NUMBERS:
                yield self._number_adder(question)
            elif question.kind == "date":
                yield self._date_adder(form, question)

    def _choice_adder(self, question: Question) -> Adder:
        several = question.kind == "select_multiple" or question.repeat is not None
        chosen = self.chosen.setdefault(question.name, Chosen(question, several))
        chosen.several |= several
        for choice in question.choices:
            chosen.choices.setdefault(choice.name, choice)
        if question.repeat is None:
            return _at_once(question.name, chosen)
        return _in_turns(question, lambda state, fills: chosen.add(state, _names_in(fills)))

    def _number_adder(self, question: Question) -> Adder:
        each = question.repeat.each if question.repeat else None
        numbers = self.numbers.setdefault(question.name, Numbers(question, each or ""))
        if each and numbers.of == each:
            return _for_each(question.name, each, numbers)
        if question.repeat is None:
            return _one_number(question.name, numbers.added())
        total = numbers.added()
        return _in_turns(question, lambda state, fills: total.add(state, *_sum(fills)))

    def _date_adder(self, form: Form, question: Question) -> Adder:
        beside = _number_beside(form, question)
        dated = self.dated.setdefault(question.name, Dated(question, beside))
        if question.repeat:
            return _in_turns(question, lambda state, fills: _add_months(dated, state, fills))
        name, number = question.name, beside.name if beside else ""

        def adder(answers: Answers) -> None:
            stored = answers.get(name)
            if stored is None:
                return
            state = _state(stored)
            _add_months(dated, state, (stored,) if state == "answered" else ())
            fill = answers.get(number)
            if state == "answered" and fill is not None and _state(fill) == "answered":
                dated.numbers.setdefault(_month(stored), Added()).add("answered", *_sum([fill]))

        return adder


def _add_months(dated: Dated, state: State, fills: Sequence[list[Any]]) -> None:
    dated.states[state] += 1
    dated.months.update({_month(fill) for fill in fills})


def _month(fill: list[Any]) -> str:
    return str(fill[0])[:7]


def _number_beside(form: Form, question: Question) -> Question | None:
    """The number a date is asked for: «when» is asked where «how many» is not 0."""
    looked_at = (form.by_name.get(name) for one in question.relevant for name in sorted(one.names))
    return next((one for one in looked_at if one and one.kind in NUMBERS and not one.repeat), None)


def _looked_at(question: Question) -> Iterable[str]:
    conditions = (*question.relevant, question.calculation)
    return (name for one in conditions if one for name in one.names)


def _state(stored: list[Any]) -> State:
    return _STATE_OF.get(stored[1], "answered") if len(stored) > 1 else "answered"


def _at_once(name: str, chosen: Chosen) -> Adder:
    """Counts the choice at one place: nearly all of the work, so it calls nothing."""
    states, counts = chosen.states, chosen.counts

    def adder(answers: Answers) -> None:
        stored = answers.get(name)
        if stored is None:
            return
        state = _STATE_OF.get(stored[1], "answered") if len(stored) > 1 else "answered"
        states[state] += 1
        if state == "answered":
            value = stored[0]
            for one in (value,) if isinstance(value, str) else value:
                counts[one] += 1

    return adder


def _once(name: str, add: Callable[[State, Sequence[list[Any]]], None]) -> Adder:
    def adder(answers: Answers) -> None:
        stored = answers.get(name)
        if stored is not None:
            state = _state(stored)
            add(state, (stored,) if state == "answered" else ())

    return adder


def _one_number(name: str, added: Added) -> Adder:
    return _once(name, lambda state, fills: added.add(state, *_sum(fills)))


def _in_turns(question: Question, add: Callable[[State, Sequence[list[Any]]], None]) -> Adder:
    """Counts an enterprise once, whatever it answered in how many turns of a repeat."""
    begins = f"{question.name}."

    def adder(answers: Answers) -> None:
        found = [stored for place, stored in answers.items() if place.startswith(begins)]
        if not found:
            return
        answered = [stored for stored in found if _state(stored) == "answered"]
        states = {_state(stored) for stored in found}
        add("answered" if answered else next(state for state in STATES if state in states), answered)

    return adder


def _for_each(name: str, each: str, numbers: Numbers) -> Adder:
    """Counts the number given for each chosen name."""

    def adder(answers: Answers) -> None:
        chosen = answers.get(each)
        if chosen is None or _state(chosen) != "answered":
            return
        for one in sorted(_names_in([chosen])):
            stored = answers.get(f"{name}.{one}")
            state = "not_asked" if stored is None else _state(stored)
            fills = [stored] if stored is not None and state == "answered" else []
            numbers.added(one).add(state, *_sum(fills))

    return adder


def _names_in(fills: Sequence[list[Any]]) -> set[str]:
    values = (fill[0] for fill in fills)
    return {name for value in values for name in ((value,) if isinstance(value, str) else value)}


def _sum(fills: Sequence[list[Any]]) -> tuple[Decimal, bool]:
    rough = any(len(fill) > 1 and fill[1] for fill in fills)
    return sum((Decimal(fill[0]) for fill in fills), Decimal(0)), rough
