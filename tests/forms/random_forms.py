"""Random forms: each as a tree, which the oracle reads, and as a FormFile, which the engine reads.

A form's labels hold their rows' names in «‹q7›», so that a shown message tells what it asks. Every question can be
answered whatever was answered before: constraints that look at another answer hold while that one is missing, and a
choice_filter leaves at least one choice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from typing import Literal

from content.forms import ChoiceRow, FormFile, Row, Settings, Words
from tests.forms import terms as t

MOST_INSTANCES = 3  # of a repeat whose count is an answer
FIRST_VERSION = "2026112001"
NEXT_VERSION = "2026112101"
FRUITS = ("cam", "mít", "bưởi", "măng cụt", "vú sữa", "ổi xá lị")  # answers to questions for text
_PLACES = [f"{kind} {name}" for kind in ("Đèo", "Sông", "Núi", "Hồ") for name in (
    "Cả", "Vân", "Trà", "Lam", "Hương", "Mây", "Ngang", "Krông", "Thị Nải", "Biển Bắc")]  # fmt: skip


@dataclass(frozen=True)
class Option:
    """A choice; `suits` and `least` are what a choice_filter looks at."""

    name: str
    label: str
    exclusive: bool = False
    specify: bool = False
    suits: tuple[str, ...] = ()
    least: int = 0


@dataclass(frozen=True)
class Question:
    """Something asked; `kind` is text, integer, decimal, date, month, one or many."""

    name: str
    kind: str
    options: tuple[Option, ...] = ()
    list_name: str = ""
    filter: t.Condition | None = None
    required: bool = False
    unknown: bool = False
    relevant: t.Condition | None = None
    constraint: t.Condition | None = None
    autocomplete: bool = False
    personal: bool = False
    pipes: str | None = None  # the question whose answer its label shows

    def option(self, name: str) -> Option:
        """The choice of that name."""
        return next(option for option in self.options if option.name == name)


@dataclass(frozen=True)
class Note:
    """Something said."""

    name: str
    relevant: t.Condition | None = None


@dataclass(frozen=True)
class Calculation:
    """Something computed."""

    name: str
    term: t.Term
    relevant: t.Condition | None = None


@dataclass(frozen=True)
class Group:
    """Some nodes under one condition; `line`: asked in one message; `later`: asked after submitting."""

    name: str
    inside: "tuple[Node, ...]"
    relevant: t.Condition | None = None
    line: bool = False
    later: bool = False


@dataclass(frozen=True)
class Repeat:
    """Some nodes several times: `fixed` times, as many as `count` says, or once for `each` chosen name."""

    name: str
    inside: "tuple[Node, ...]"
    fixed: int = 0
    count: str | None = None
    each: str | None = None
    relevant: t.Condition | None = None
    line: bool = False


Node = Question | Note | Calculation | Group | Repeat


@dataclass(frozen=True)
class RandomForm:
    """A form as a tree and as a file."""

    nodes: tuple[Node, ...]
    file: FormFile

    @property
    def version(self) -> str:
        """Which version of the form this is."""
        return self.file.settings.version

    def all(self) -> Iterator[Node]:
        """Every node, in the order of the form."""
        return _flat(self.nodes)

    def question(self, name: str) -> Question:
        """The question of that name."""
        found = next(node for node in self.all() if node.name == name)
        assert isinstance(found, Question)
        return found


def _flat(nodes: tuple[Node, ...]) -> Iterator[Node]:
    for node in nodes:
        yield node
        if isinstance(node, Group | Repeat):
            yield from _flat(node.inside)


def random_form(chance: Random, version: str = FIRST_VERSION) -> RandomForm:
    """A form of some four to sixteen rows, drawn from this chance."""
    return _Maker(chance).form(version)


def as_form(nodes: tuple[Node, ...], version: str = FIRST_VERSION) -> RandomForm:
    """A tree with its file."""
    title = Words(vi="Phiếu thử", en="Trial form")
    settings = Settings(form_id="trial", version=version, title=title)
    rows = tuple(row for node in nodes for row in _rows(node))
    return RandomForm(nodes, FormFile(settings=settings, survey=rows, choices=_lists(nodes)))


# Drawing a tree


@dataclass(frozen=True)
class _Known:
    """A name that what comes after may look at."""

    name: str
    kind: str  # of a Question, or number or words of a Calculation
    options: tuple[Option, ...] = ()
    repeat: str | None = None
    later: bool = False
    required: bool = False


@dataclass(frozen=True)
class _Place:
    """Where in the tree a node is drawn."""

    repeat: str | None = None
    each: str | None = None
    later: bool = False
    depth: int = 0


@dataclass
class _Maker:
    chance: Random
    count: int = 0
    known: list[_Known] = field(default_factory=list)

    def form(self, version: str) -> RandomForm:
        nodes: list[Node] = []
        rows = self.chance.randint(4, 13)
        while self.count < rows:
            nodes.append(self.node(_Place()))
        if not any(isinstance(node, Question) for node in nodes):
            nodes.append(self.question(_Place()))
        if self.chance.random() < 0.3:
            nodes.append(self.later())
            if self.chance.random() < 0.3:
                nodes.append(self.question(_Place()))
        return as_form(tuple(nodes), version)

    def name(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def node(self, place: _Place) -> Node:
        drawn = self.chance.random()
        if drawn < 0.08:
            return Note(self.name("note"), self.relevant(place))
        if drawn < 0.18 and self.seen(place):
            return self.calculation(place)
        if drawn < 0.30 and place.depth < 2:
            return self.group(place)
        if drawn < 0.38 and place.depth < 2 and not place.repeat and not place.later:
            return self.line(place)
        if drawn < 0.60 and not place.repeat and not place.later and place.depth < 2:
            return self.repeat(place)
        return self.question(place)

    # Groups and repeats

    def group(self, place: _Place) -> Group:
        relevant, name = self.relevant(place), self.name("g")
        inside = self.some(replace(place, depth=place.depth + 1), 1, 3)
        return Group(name, inside, relevant)

    def later(self) -> Group:
        relevant, name = self.relevant(_Place(later=True)), self.name("g")
        return Group(name, self.some(_Place(later=True, depth=1), 1, 3), relevant, later=True)

    def line(self, place: _Place) -> Group:
        relevant, name = self.relevant(place), self.name("g")
        inside = [self.number(place, self.chance.random() < 0.3) for _ in range(self.chance.randint(1, 4))]
        return Group(name, tuple(inside), relevant, line=True)

    def some(self, place: _Place, least: int, most: int) -> tuple[Node, ...]:
        nodes = [self.node(place) for _ in range(self.chance.randint(least, most))]
        if not any(isinstance(node, Question) for node in nodes):
            nodes.append(self.question(place))
        return tuple(nodes)

    def repeat(self, place: _Place) -> Repeat:
        relevant = self.relevant(place)
        counted = self.seen(place, "count")
        chosen = self.seen(place, "many")
        way = self.chance.choice(["fixed", *["count"] * 2 * bool(counted), *["each"] * 3 * bool(chosen)])
        shape = Repeat(
            self.name("r"),
            (),
            fixed=self.chance.randint(1, 3) if way == "fixed" else 0,
            count=self.chance.choice(counted).name if way == "count" else None,
            each=self.chance.choice(chosen).name if way == "each" else None,
            relevant=relevant,
            line=self.chance.random() < 0.4,
        )
        there = _Place(repeat=shape.name, each=shape.each, depth=place.depth + 1)
        if shape.line:
            return replace(shape, inside=(self.number(there, relevant=False),))
        named = (self.named(there),) if shape.each and self.chance.random() < 0.5 else ()
        return replace(shape, inside=named + self.some(there, 1, 3))

    def named(self, place: _Place) -> Calculation:
        """The label of the chosen name that an instance is about."""
        name, each = self.name("c"), place.each or ""
        here = t.Maths("-", t.Position(), t.Amount(Decimal(1)))
        self.known.append(_Known(name, "name", repeat=place.repeat))
        return Calculation(name, t.ChoiceName(t.ChosenAt(t.Ref(each), here), each))

    # Rows

    def question(self, place: _Place) -> Question:
        kinds = ("text", "integer", "decimal", "date", "month", "one", "one", "many", "many", "count")
        return self.asked(self.chance.choice(kinds), place, self.relevant(place))

    def number(self, place: _Place, relevant: bool) -> Question:
        kind = self.chance.choice(("integer", "integer", "decimal"))
        return self.asked(kind, place, self.relevant(place) if relevant else None)

    def asked(self, kind: str, place: _Place, relevant: t.Condition | None) -> Question:
        name = self.name("q")
        shown = "integer" if kind == "count" else kind
        options = self.options(name, kind)
        question = Question(
            name,
            shown,
            options,
            f"list_{name}" if options else "",
            required=self.chance.random() < 0.4,
            unknown=self.chance.random() < 0.3,
            relevant=relevant,
            pipes=self.piped(place),
        )
        if kind == "text" and not place.repeat and self.chance.random() < 0.2:
            return replace(question, personal=True, unknown=False)  # nothing may depend on it
        question = self.filtered(question, place)
        question = replace(question, constraint=self.constraint(question, kind, place))
        self.known.append(_Known(name, kind, question.options, place.repeat, place.later, question.required))
        return question

    def options(self, name: str, kind: str) -> tuple[Option, ...]:
        if kind not in ("one", "many"):
            return ()
        count = self.chance.choice((2, 3, 4, 5, 13) if kind == "one" else (2, 3, 4, 5))
        labels = self.chance.sample(_PLACES, count)
        options = [Option(f"{name}_{'abcdefghijklmn'[at]}", label) for at, label in enumerate(labels)]
        if self.chance.random() < 0.3:
            options[-1] = replace(options[-1], specify=True)
        if kind == "many" and count > 2 and self.chance.random() < 0.5:
            options[-2] = replace(options[-2], exclusive=True)
        return tuple(options)

    def filtered(self, question: Question, place: _Place) -> Question:
        """A select, perhaps with choices that depend on an earlier answer; the first is always there."""
        by_name, by_size = self.seen(place, "one", "many"), self.seen(place, "count", "integer")
        autocomplete = question.kind == "one" and len(question.options) > 5 and self.chance.random() < 0.7
        question = replace(question, autocomplete=autocomplete)
        if not question.options or not (by_name or by_size) or self.chance.random() < 0.5:
            return question
        if by_name and (not by_size or self.chance.random() < 0.7):
            other = self.chance.choice(by_name)
            return self.by_name(question, other, place)
        other = self.chance.choice(by_size)
        options = tuple(
            replace(option, least=at and self.chance.randint(0, 3))
            for at, option in enumerate(question.options)
        )
        test = t.Any(
            t.Compare("=", t.Column("least"), t.Amount(Decimal(0))),
            t.Compare("<=", t.Column("least"), t.Ref(other.name)),
        )
        return replace(question, options=options, filter=test)

    def by_name(self, question: Question, other: _Known, place: _Place) -> Question:
        names = [option.name for option in other.options]
        options = tuple(
            replace(option, suits=tuple(self.chance.sample(names, min(2, len(names)))) if at else ("all",))
            for at, option in enumerate(question.options)
        )
        if other.kind == "one":
            looked: t.Term = t.Ref(other.name)
        elif other.name == place.each:
            looked = t.ChosenAt(t.Ref(other.name), t.Maths("-", t.Position(), t.Amount(Decimal(1))))
        else:
            looked = t.ChosenAt(t.Ref(other.name), t.Amount(Decimal(0)))
        test = t.Any(t.Chosen(t.Column("suits"), t.Words("all")), t.Chosen(t.Column("suits"), looked))
        return replace(question, options=options, filter=test)

    def piped(self, place: _Place) -> str | None:
        seen = self.seen(place, "text", "integer", "count", "one", "name")
        return self.chance.choice(seen).name if seen and self.chance.random() < 0.2 else None

    def calculation(self, place: _Place) -> Calculation:
        relevant, name = self.relevant(place), self.name("c")
        kind, term = self.chance.choice(self.calculations(place))
        self.known.append(_Known(name, kind, repeat=place.repeat, later=place.later))
        return Calculation(name, term, relevant)

    def calculations(self, place: _Place) -> list[tuple[str, t.Term]]:
        found: list[tuple[str, t.Term]] = [
            ("words", t.Either(self.condition(place), t.Words("yes"), t.Words("no")))
        ]
        for one in self.seen(place, "integer", "decimal", "count", "number"):
            term: t.Term = t.Maths(self.chance.choice("+-*"), t.Ref(one.name), self.amount())
            found += [("number", term), ("number", t.FirstOf(t.Ref(one.name), self.amount()))]
            found.append(("number", t.Maths("div", t.Ref(one.name), t.Amount(Decimal(4)))))
        for one in self.seen(place, "text", "one"):
            found.append(("words", t.Joined((t.Ref(one.name), t.Words("-"), self.amount()))))
        for one in self.seen(place, "many"):
            found.append(("number", t.Count(t.Ref(one.name))))
        for one in self.known:
            if one.repeat and one.repeat != place.repeat and one.kind in ("integer", "decimal", "count"):
                found += [("number", t.Total(one.name))] * 6
        return found

    def amount(self) -> t.Amount:
        return t.Amount(Decimal(self.chance.randint(0, 9)))

    # Conditions

    def seen(self, place: _Place, *kinds: str) -> list[_Known]:
        """What may be looked at from a place."""
        return [
            one
            for one in self.known
            if (not kinds or one.kind in kinds)
            and one.repeat in (None, place.repeat)
            and (place.later or not one.later)
        ]

    def relevant(self, place: _Place) -> t.Condition | None:
        if not self.seen(place) or self.chance.random() < 0.4:
            return None
        return self.condition(place)

    def condition(self, place: _Place, depth: int = 0) -> t.Condition:
        drawn = self.chance.random()
        if depth < 2 and drawn < 0.3:
            combine = t.Both if drawn < 0.1 else t.Any
            return combine(self.condition(place, depth + 1), self.condition(place, depth + 1))
        if depth < 2 and drawn < 0.4:
            return t.Not(self.condition(place, depth + 1))
        if place.repeat and drawn < 0.45:
            return t.Compare(self.chance.choice(("=", "<=", "!=")), t.Position(), t.Amount(Decimal(2)))
        return self.about(self.chance.choice(self.seen(place)))

    def about(self, one: _Known) -> t.Condition:
        """A condition on one name."""
        ref = t.Ref(one.name)
        if self.chance.random() < 0.15:
            return t.Compare(self.chance.choice(("=", "!=")), ref, t.NOTHING)
        match one.kind:
            case "integer" | "decimal" | "number":
                return t.Compare(self.operator(), ref, t.Amount(Decimal(self.chance.randint(0, 40))))
            case "count":
                return t.Compare(self.operator(), ref, t.Amount(Decimal(self.chance.randint(0, 3))))
            case "one":
                if self.chance.random() < 0.3:
                    return t.Chosen(ref, t.Words(self.chance.choice(one.options).name))
                operator = self.chance.choice(("=", "!="))
                return t.Compare(operator, ref, t.Words(self.chance.choice(one.options).name))
            case "many":
                if self.chance.random() < 0.3:
                    number = t.Amount(Decimal(self.chance.randint(1, 2)))
                    return t.Compare(self.chance.choice((">=", "<=", "=")), t.Count(ref), number)
                return t.Chosen(ref, t.Words(self.chance.choice(one.options).name))
            case "date" | "month":
                other = t.Today() if one.kind == "date" else t.Words("2027-03")
                return t.Compare(self.chance.choice(("<", ">=")), ref, other)
            case _:
                return self.about_text(one, ref)

    def about_text(self, one: _Known, ref: t.Ref) -> t.Condition:
        if one.kind == "words":
            return t.Compare(self.chance.choice(("=", "!=")), ref, t.Words("yes"))
        if one.kind == "name":
            return t.Compare(">", t.Length(ref), t.Amount(Decimal(4)))
        fruit = self.chance.choice(FRUITS)
        if self.chance.random() < 0.3:
            number = t.Amount(Decimal(self.chance.randint(3, 6)))
            return t.Compare(self.chance.choice(("<", ">=")), t.Length(ref), number)
        if self.chance.random() < 0.3:
            return t.Matches(ref, "[a-z]+")
        return t.Compare(self.chance.choice(("=", "!=")), ref, t.Words(fruit))

    def operator(self) -> str:
        return self.chance.choice(("=", "!=", "!=", "<", "<=", ">", ">", ">=", ">="))

    # Constraints: each leaves an answer, whatever was answered before

    def constraint(self, question: Question, kind: str, place: _Place) -> t.Condition | None:
        this = t.This()
        if kind == "count":
            return _between(0, MOST_INSTANCES)
        if self.chance.random() < 0.5:
            return None
        match kind:
            case "integer" | "decimal":
                return self.bounded(place)
            case "date":
                return t.Compare(">=", this, t.Today())
            case "month":
                return t.Compare(">=", this, t.Words("2026-12"))
            case "text":
                return self.chance.choice(
                    (
                        t.Compare("<=", t.Length(this), t.Amount(Decimal(5))),
                        t.Matches(this, "[a-z]+"),
                        t.Compare("!=", this, t.Words("mít")),
                    )
                )
            case "many":
                return t.Compare("<=", t.Count(this), t.Amount(Decimal(2)))
            case _:
                return self.forbidden(question, place)

    def bounded(self, place: _Place) -> t.Condition:
        others = self.seen(place, "integer", "count")
        if not others or self.chance.random() < 0.4:
            return _between(self.chance.randint(0, 3), self.chance.randint(20, 60))
        other = self.chance.choice(others).name
        operator = self.chance.choice(("!=", ">=", "<="))
        free = t.Any(t.unanswered(other), t.Compare(operator, t.This(), t.Ref(other)))
        return t.Both(_between(0, 99), free)

    def forbidden(self, question: Question, place: _Place) -> t.Condition | None:
        """A choice that cannot be taken while something holds; never one that may be the only one."""
        if len(question.options) < 3:
            return None
        never = t.Compare("!=", t.This(), t.Words(question.options[1].name))
        if not self.seen(place):
            return never
        return t.Any(self.condition(place, depth=2), never)


def _between(least: int, most: int) -> t.Condition:
    above = t.Compare(">=", t.This(), t.Amount(Decimal(least)))
    return t.Both(above, t.Compare("<=", t.This(), t.Amount(Decimal(most))))


# Writing a tree as a form file

Look = Literal["one-line", "month-year", "autocomplete"] | None
_TYPES = {"month": "date", "one": "select_one", "many": "select_multiple"}


def _rows(node: Node) -> Iterator[Row]:
    match node:
        case Question():
            yield _asked(node)
        case Note(name, relevant):
            yield Row(type="note", name=name, label=_label(name, None), relevant=_text(relevant))
        case Calculation(name, term, relevant):
            yield Row(type="calculate", name=name, calculation=str(term), relevant=_text(relevant))
        case Group():
            label = _label(node.name, None)
            yield Row(type="begin_group", name=node.name, label=label, relevant=_text(node.relevant), appearance=_line(node), later=node.later)  # fmt: skip
            yield from (row for inner in node.inside for row in _rows(inner))
            yield Row(type="end_group")
        case Repeat():
            label = _label(node.name, None)
            yield Row(type="begin_repeat", name=node.name, label=label, relevant=_text(node.relevant), appearance=_line(node), repeat_count=_count(node))  # fmt: skip
            yield from (row for inner in node.inside for row in _rows(inner))
            yield Row(type="end_repeat")


def _line(node: Group | Repeat) -> Look:
    return "one-line" if node.line else None


def _asked(question: Question) -> Row:
    kind = _TYPES.get(question.kind, question.kind)
    look: Look = (
        "month-year" if question.kind == "month" else "autocomplete" if question.autocomplete else None
    )
    refusal = Words(vi=f"Không hợp lệ ‹!{question.name}›.", en=f"Not valid ‹!{question.name}›.")
    return Row(
        type=f"{kind} {question.list_name}".strip(),
        name=question.name,
        label=_label(question.name, question.pipes),
        required=question.required,
        unknown=question.unknown,
        relevant=_text(question.relevant),
        constraint=_text(question.constraint),
        constraint_message=refusal if question.constraint else None,
        choice_filter=_text(question.filter),
        appearance=look,
        personal=question.personal,
    )


def _label(name: str, pipes: str | None) -> Words:
    shown = f" (${{{pipes}}})" if pipes else ""
    return Words(vi=f"Câu ‹{name}›{shown}", en=f"Item ‹{name}›{shown}")


def _text(condition: t.Condition | None) -> str | None:
    return str(condition) if condition else None


def _count(repeat: Repeat) -> str:
    if repeat.each:
        return f"count-selected(${{{repeat.each}}})"
    return f"${{{repeat.count}}}" if repeat.count else str(repeat.fixed)


def _lists(nodes: tuple[Node, ...]) -> dict[str, tuple[ChoiceRow, ...]]:
    return {
        node.list_name: tuple(_choice(option, node) for option in node.options)
        for node in _flat(nodes)
        if isinstance(node, Question) and node.options
    }


def _choice(option: Option, question: Question) -> ChoiceRow:
    columns = {"suits": " ".join(option.suits), "least": str(option.least)} if question.filter else {}
    label = Words(vi=option.label, en=f"{option.label} (en)")
    return ChoiceRow(
        name=option.name, label=label, exclusive=option.exclusive, specify=option.specify, filter=columns
    )
