"""Expressions of random forms as trees: `str` writes them as XLSForm's XPath for the forms, the oracle looks at the trees."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Ref:
    """What was answered to a question of that name."""

    name: str

    def __str__(self) -> str:
        return f"${{{self.name}}}"


@dataclass(frozen=True)
class Column:
    """A column of the choice under test, in a choice_filter."""

    name: str

    def __str__(self) -> str:
        return f"${{{self.name}}}"


@dataclass(frozen=True)
class This:
    """The answer under test, in a constraint."""

    def __str__(self) -> str:
        return "."


@dataclass(frozen=True)
class Position:
    """Which instance of the repeat, from 1."""

    def __str__(self) -> str:
        return "position(..)"


@dataclass(frozen=True)
class Today:
    """The day on which it is asked."""

    def __str__(self) -> str:
        return "today()"


@dataclass(frozen=True)
class Amount:
    """A number."""

    value: Decimal

    def __str__(self) -> str:
        return format(self.value, "f")


@dataclass(frozen=True)
class Words:
    """A text."""

    value: str

    def __str__(self) -> str:
        return f"'{self.value}'"


@dataclass(frozen=True)
class Count:
    """How many were chosen."""

    of: "Term"

    def __str__(self) -> str:
        return f"count-selected({self.of})"


@dataclass(frozen=True)
class Length:
    """How many characters a text has."""

    of: "Term"

    def __str__(self) -> str:
        return f"string-length({self.of})"


@dataclass(frozen=True)
class Total:
    """The sum over all instances of a repeated question."""

    name: str

    def __str__(self) -> str:
        return f"sum(${{{self.name}}})"


@dataclass(frozen=True)
class Maths:
    """Arithmetic; `op` is + - * div."""

    op: str
    left: "Term"
    right: "Term"

    def __str__(self) -> str:
        return f"({self.left} {self.op} {self.right})"


@dataclass(frozen=True)
class ChosenAt:
    """The chosen name at a place counted from 0."""

    of: "Term"
    place: "Term"

    def __str__(self) -> str:
        return f"selected-at({self.of}, {self.place})"


@dataclass(frozen=True)
class ChoiceName:
    """A name shown by the label it has in a select."""

    of: "Term"
    select: str

    def __str__(self) -> str:
        return f"jr:choice-name({self.of}, '${{{self.select}}}')"


@dataclass(frozen=True)
class Joined:
    """Texts one after the other."""

    parts: "tuple[Term, ...]"

    def __str__(self) -> str:
        return f"concat({', '.join(map(str, self.parts))})"


@dataclass(frozen=True)
class Either:
    """One of two, by a condition."""

    test: "Condition"
    then: "Term"
    otherwise: "Term"

    def __str__(self) -> str:
        return f"if({self.test}, {self.then}, {self.otherwise})"


@dataclass(frozen=True)
class FirstOf:
    """The first, or the second where the first is unanswered."""

    first: "Term"
    second: "Term"

    def __str__(self) -> str:
        return f"coalesce({self.first}, {self.second})"


Term = (
    Ref | Column | This | Position | Today | Amount | Words | Count | Length | Total | Maths | ChosenAt | ChoiceName
    | Joined | Either | FirstOf
)  # fmt: skip


@dataclass(frozen=True)
class Compare:
    """`op` is = != < <= > >=; both sides are of one kind, or one is the text ''."""

    op: str
    left: Term
    right: Term

    def __str__(self) -> str:
        return f"{self.left} {self.op} {self.right}"


@dataclass(frozen=True)
class Chosen:
    """Whether a name is among the chosen ones."""

    of: Term
    name: Term

    def __str__(self) -> str:
        return f"selected({self.of}, {self.name})"


@dataclass(frozen=True)
class Matches:
    """Whether the whole text has a pattern."""

    of: Term
    pattern: str

    def __str__(self) -> str:
        return f"regex({self.of}, '{self.pattern}')"


@dataclass(frozen=True)
class Not:
    """The opposite."""

    of: "Condition"

    def __str__(self) -> str:
        return f"not({self.of})"


@dataclass(frozen=True)
class Both:
    """Both hold."""

    left: "Condition"
    right: "Condition"

    def __str__(self) -> str:
        return f"({self.left} and {self.right})"


@dataclass(frozen=True)
class Any:
    """One of them holds, or both."""

    left: "Condition"
    right: "Condition"

    def __str__(self) -> str:
        return f"({self.left} or {self.right})"


Condition = Compare | Chosen | Matches | Not | Both | Any

NOTHING = Words("")


def unanswered(name: str) -> Condition:
    """A question has no answer."""
    return Compare("=", Ref(name), NOTHING)
