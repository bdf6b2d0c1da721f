"""The oracle: what a form must do with its answers, found the slow and plain way, from its tree alone.

It reads the whole form from the first row to the last after every answer, remembers nothing, and shares no line with
the engine that it judges. Answers are `{place: [value, mark, other]}` as they are stored, the empty tail left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tests.forms import terms as t
from tests.forms.random_forms import Calculation, Group, Node, Note, Option, Question, RandomForm, Repeat

Fill = list[object]
Answers = Mapping[str, Fill]
Value = str | Decimal | tuple[str, ...] | None  # None: unanswered
Names = Mapping[str, Value]

_GIVEN = ("", "~")  # marks under which a value stands
_SAID = ("", "~", "?", "p")  # marks under which somebody said something


# What an expression means


@dataclass(frozen=True)
class Scene:
    """What an expression is looked at in: the answers by name, the day, and what only some expressions know."""

    names: Names
    today: date
    this: Value = None
    position: int = 0
    columns: Mapping[str, Value] = field(default_factory=dict)


def value_of(term: t.Term, scene: Scene) -> Value:
    """What a term gives; None where something it needs is unanswered."""
    match term:
        case t.Ref(name):
            return scene.names.get(name)
        case t.Column(name):
            return scene.columns[name]
        case t.This():
            return scene.this
        case t.Position():
            return Decimal(scene.position)
        case t.Today():
            return scene.today.isoformat()
        case t.Amount(value) | t.Words(value):
            return value
        case t.Either(test, then, otherwise):
            return value_of(then if holds(test, scene) else otherwise, scene)
        case t.FirstOf(first, second):
            found = value_of(first, scene)
            return value_of(second, scene) if found is None else found
        case _:
            return _worked_out(term, scene)


def _worked_out(term: t.Term, scene: Scene) -> Value:
    match term:
        case t.Count(of):
            return Decimal(len(chosen(value_of(of, scene))))
        case t.Length(of):
            return Decimal(len(_text(value_of(of, scene))))
        case t.Total(name):
            return sum((Decimal(one) for one in chosen(scene.names.get(name))), Decimal(0))
        case t.Maths(op, left, right):
            return _calculated(op, _number(value_of(left, scene)), _number(value_of(right, scene)))
        case t.ChosenAt(of, place):
            names, at = chosen(value_of(of, scene)), _number(value_of(place, scene))
            return names[int(at)] if at is not None and 0 <= at < len(names) else None
        case t.ChoiceName(of, _):
            return value_of(of, scene)
        case t.Joined(parts):
            return "".join(_text(value_of(part, scene)) for part in parts)
    raise AssertionError(term)


def holds(test: t.Condition, scene: Scene) -> bool:
    """Whether a condition is true."""
    match test:
        case t.Not(of):
            return not holds(of, scene)
        case t.Both(left, right):
            return holds(left, scene) and holds(right, scene)
        case t.Any(left, right):
            return holds(left, scene) or holds(right, scene)
        case t.Chosen(of, name):
            return value_of(name, scene) in chosen(value_of(of, scene))
        case t.Matches(of, pattern):
            text = _text(value_of(of, scene))
            return text != "" and re.fullmatch(pattern, text) is not None
        case t.Compare(op, left, t.NOTHING):  # whether it was answered
            return (op == "=") == (value_of(left, scene) in (None, ""))
        case t.Compare(op, left, right):
            return _compared(op, value_of(left, scene), value_of(right, scene))


def _compared(op: str, left: Value, right: Value) -> bool:
    """What is unanswered is equal to nothing, and different from texts only."""
    if left in (None, "") or right in (None, ""):
        numbers = isinstance(left, Decimal) or isinstance(right, Decimal)
        return op == "!=" and not numbers and left != right
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        one, other = _number(left), _number(right)
        return one is not None and other is not None and _ordered(op, (one > other) - (one < other))
    first, second = _text(left), _text(right)
    return _ordered(op, (first > second) - (first < second))


def _ordered(op: str, sign: int) -> bool:
    return {"=": sign == 0, "!=": sign != 0, "<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[
        op
    ]


def _calculated(op: str, left: Decimal | None, right: Decimal | None) -> Decimal | None:
    if left is None or right is None:
        return None
    if op == "div":
        return left / right if right else None
    return {"+": left + right, "-": left - right, "*": left * right}[op]


def _number(value: Value) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    plain = isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value)
    return Decimal(value) if plain else None  # type: ignore[arg-type]


def _text(value: Value) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return " ".join(value) if isinstance(value, tuple) else value or ""


def plain(number: Decimal) -> str:
    """A number without a tail of zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def chosen(value: Value) -> tuple[str, ...]:
    """The names that were chosen."""
    return value if isinstance(value, tuple) else (value,) if isinstance(value, str) and value else ()


# What stands where


@dataclass(frozen=True)
class Standing:
    """One place of the form as it is now: `key` is which instance of its repeat, `line` what it is asked with."""

    node: Question | Note | Calculation
    place: str
    applies: bool
    key: str | None = None
    repeat: str | None = None
    line: str | None = None
    later: bool = False
    fill: Fill | None = None  # what may stay of what stands there, or what must be computed
    offered: tuple[Option, ...] = ()
    scene: Scene | None = None

    @property
    def is_open(self) -> bool:
        """Whether it must still be asked."""
        return self.applies and isinstance(self.node, Question) and self.fill is None


@dataclass(frozen=True)
class Prompt:
    """What is asked in one message: one place, or several in one line."""

    standings: tuple[Standing, ...]

    @property
    def places(self) -> tuple[str, ...]:
        """Where the answers will stand."""
        return tuple(standing.place for standing in self.standings)

    @property
    def names(self) -> frozenset[str]:
        """What is asked."""
        return frozenset(standing.node.name for standing in self.standings)

    @property
    def open(self) -> tuple[Standing, ...]:
        """What must still be answered here."""
        return tuple(standing for standing in self.standings if standing.is_open)

    @property
    def later(self) -> bool:
        """Whether it is asked only after submitting."""
        return self.standings[0].later


@dataclass(frozen=True)
class Reading:
    """A form read with its answers: every place in order, and what had to be withdrawn, by place.

    `withdrawn` says why: «gone» (its instance is no more), «away» (it does not apply any more) or «wrong» (it is not
    offered or not valid any more).
    """

    standings: tuple[Standing, ...]
    withdrawn: Mapping[str, str]

    @property
    def by_place(self) -> Mapping[str, Standing]:
        """Every place."""
        return {standing.place: standing for standing in self.standings}

    @property
    def answers(self) -> dict[str, Fill]:
        """What may stay of the answers, calculations left out."""
        return {
            standing.place: standing.fill
            for standing in self.standings
            if isinstance(standing.node, Question) and standing.fill is not None
        }

    @property
    def computed(self) -> dict[str, Fill]:
        """What must stand at the places of calculations."""
        return {
            standing.place: standing.fill
            for standing in self.standings
            if isinstance(standing.node, Calculation) and standing.fill is not None
        }

    def prompts(self, *, later: bool = False) -> tuple[Prompt, ...]:
        """All prompts that apply, answered or not; before submitting, or those that come after it."""
        found: list[list[Standing]] = []
        for standing in self.standings:
            if not standing.applies or not isinstance(standing.node, Question) or standing.later != later:
                continue
            if standing.line and found and found[-1][0].line == standing.line:
                found[-1].append(standing)
            else:
                found.append([standing])
        return tuple(Prompt(tuple(standings)) for standings in found)

    def is_over(self, standing: Standing) -> bool:
        """Whether nothing is open any more in the part of the form where this stands."""
        return not self.next_prompt() and not (standing.later and self.next_prompt(later=True))

    def next_prompt(self, *, later: bool = False) -> Prompt | None:
        """What must be asked now; None when everything is answered."""
        return next((prompt for prompt in self.prompts(later=later) if prompt.open), None)


def read(form: RandomForm, answers: Answers, today: date) -> Reading:
    """Read a form with these answers: whatever may not stay is withdrawn on the way."""
    reader = _Reader(answers, today)
    reader.nodes(form.nodes, _Here())
    gone = {
        place: "gone"
        for place, fill in answers.items()
        if place not in {one.place for one in reader.standings} and mark_of(fill) in _SAID
    }
    return Reading(tuple(reader.standings), {**reader.withdrawn, **gone})


@dataclass(frozen=True)
class _Here:
    """What surrounds a node."""

    applies: bool = True
    key: str | None = None
    position: int = 0
    repeat: str | None = None
    line: str | None = None
    later: bool = False


class _Reader:
    def __init__(self, answers: Answers, today: date) -> None:
        self.answers, self.today = answers, today
        self.names: dict[str, Value] = {}
        self.standings: list[Standing] = []
        self.withdrawn: dict[str, str] = {}

    def nodes(self, nodes: Sequence[Node], here: _Here) -> None:
        for node in nodes:
            scene = Scene(self.names, self.today, position=here.position)
            applies = here.applies and (node.relevant is None or holds(node.relevant, scene))
            match node:
                case Group():
                    line, later = node.name if node.line else here.line, here.later or node.later
                    self.nodes(node.inside, _Here(applies, here.key, here.position, here.repeat, line, later))
                case Repeat():
                    self.repeat(node, applies, here)
                case _:
                    self.row(node, applies, here)

    def repeat(self, repeat: Repeat, applies: bool, here: _Here) -> None:
        """One instance after the other; outside, a repeated name means all its answers."""
        line = repeat.name if repeat.line else here.line
        found: dict[str, list[str]] = {}
        for position, key in enumerate(self.keys(repeat), 1):
            before = set(self.names)
            self.nodes(repeat.inside, _Here(applies, key, position, repeat.name, line, here.later))
            for name in set(self.names) - before:
                found.setdefault(name, []).extend(chosen_text(self.names.pop(name)))
        self.names.update({name: tuple(values) for name, values in found.items()})

    def keys(self, repeat: Repeat) -> list[str]:
        if repeat.each:
            return list(chosen(self.names.get(repeat.each)))
        count = _number(self.names.get(repeat.count)) if repeat.count else Decimal(repeat.fixed)
        return [str(number) for number in range(1, int(count or 0) + 1)]

    def row(self, node: Question | Note | Calculation, applies: bool, here: _Here) -> None:
        place = f"{node.name}.{here.key}" if here.key else node.name
        scene = Scene(dict(self.names), self.today, position=here.position)
        offered = tuple(option for option in _options(node) if _is_offered(node, option, scene))
        fill = self.fill(node, place, applies, offered, scene)
        if isinstance(node, Calculation):
            self.names[node.name] = value_of(node.term, scene) if applies else None
        else:
            self.names[node.name] = seen(node, fill)
        self.standings.append(
            Standing(node, place, applies, here.key, here.repeat, here.line, here.later, fill, offered, scene)
        )

    def fill(
        self,
        node: Question | Note | Calculation,
        place: str,
        applies: bool,
        offered: tuple[Option, ...],
        scene: Scene,
    ) -> Fill | None:
        """What stands at a place from now on."""
        if isinstance(node, Calculation):
            return as_fill(value_of(node.term, scene)) if applies else None
        given = self.answers.get(place)
        if isinstance(node, Note) or given is None or mark_of(given) == "n":
            return None
        if not applies:
            if mark_of(given) in _SAID:
                self.withdrawn[place] = "away"
            return None
        if mark_of(given) in _GIVEN and not is_valid(node, seen(node, given), offered, scene):
            self.withdrawn[place] = "wrong"
            return None
        return given


def is_valid(question: Question, value: Value, offered: Sequence[Option], scene: Scene) -> bool:
    """Whether an answer is one of those offered, contradicts itself not, and keeps its constraint."""
    if question.options and not set(chosen(value)) <= {option.name for option in offered}:
        return False
    alone = [name for name in chosen(value) if question.options and question.option(name).exclusive]
    if alone and len(chosen(value)) > 1:
        return False
    told = Scene(scene.names, scene.today, value, scene.position)
    return question.constraint is None or holds(question.constraint, told)


def _options(node: Node) -> tuple[Option, ...]:
    return node.options if isinstance(node, Question) else ()


def _is_offered(node: Node, option: Option, scene: Scene) -> bool:
    assert isinstance(node, Question)
    if node.filter is None:
        return True
    columns: dict[str, Value] = {"suits": option.suits, "least": Decimal(option.least)}
    return holds(node.filter, Scene(scene.names, scene.today, None, scene.position, columns))


# Fills


def mark_of(fill: Fill) -> str:
    """Why there is no value, or "" where there is one."""
    return str(fill[1]) if len(fill) > 1 else ""


def as_value(fill: Fill | None) -> Value:
    """What an expression sees of a fill."""
    if fill is None or mark_of(fill) not in _GIVEN:
        return None
    value = fill[0]
    if isinstance(value, int):
        return Decimal(value)
    return tuple(value) if isinstance(value, list | tuple) else str(value) or None


def seen(node: Node, fill: Fill | None) -> Value:
    """What an expression sees of a fill at a node: a number as a number, however it is stored."""
    value = as_value(fill)
    is_number = isinstance(node, Question) and node.kind in ("integer", "decimal")
    return Decimal(str(value)) if is_number and value is not None else value


def as_fill(value: Value) -> Fill:
    """How a computed value is stored; of something unknown nothing can be computed."""
    if isinstance(value, Decimal):
        return [int(value)] if value == value.to_integral_value() else [plain(value)]
    return [value] if value else ["", "?"]


def chosen_text(value: Value) -> list[str]:
    """A repeat's one value among those of all its instances."""
    if isinstance(value, Decimal):
        return [plain(value)]
    return [value] if isinstance(value, str) else []
