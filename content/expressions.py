"""The expressions of forms: XLSForm's XPath, checked when the form is loaded, run as plain Python functions.

elementpath parses and checks them; what it gives is then built once into nested functions, because evaluating XPath
anew for every answer costs more than the whole of the rest of a turn.

The dialect is XLSForm's: an unanswered question equals '' and no comparison of it with a number holds.
Source: the XLSForm reference (xlsform.org, «Relevant», «Constraints», «Calculation») and the ODK form logic guide.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Protocol

from elementpath import ElementPathError, XPath2Parser
from elementpath.xpath_tokens import XPathToken

# A value is text, a number, a truth, the names of several choices, or '' for an unanswered question.
Value = str | Decimal | bool | tuple[str, ...]


class Answers(Protocol):
    """Where an expression looks up the values of names: a dictionary, or the way through a form."""

    def get(self, name: str, default: Value, /) -> Value:
        """The value under a name, `default` for an unanswered one."""
        ...


Run = Callable[[Answers, date], Value]

THIS = "this"  # the variable that `.` becomes: the answer under test
POSITION = "position"  # the variable that `position(..)` becomes: which instance of a repeat, from 1
_REFERENCE = re.compile(r"\$\{\s*([A-Za-z_][\w.-]*)\s*\}")
_THIS = re.compile(r"(?<![\w.$/)])\.(?![\w./])")
_RENAMED = re.compile(r"\b(if|round|sum)\s*\(")  # XPath knows these words otherwise
_POSITION = re.compile(r"\bposition\s*\(\s*\.\.\s*\)")
_CHOICE_NAME = re.compile(r"\bjr:choice-name\s*\(")
_STRINGS = re.compile(r"'[^']*'|\"[^\"]*\"")
_LONGEST = 2_000  # characters
_MOST_PLACES = 9  # behind the decimal mark


class ExpressionError(Exception):
    """An expression cannot be used."""


class Expression:
    """One expression of a form: `names` are the questions it looks at, `this` included where it looks at `.`."""

    def __init__(self, source: str) -> None:
        """Parse and build; raises ExpressionError saying what is wrong with it."""
        self.source = source
        try:
            token = _parser().parse(_translated(source))
        except ElementPathError as error:
            raise ExpressionError(f"{source!r}: {str(error).partition(': ')[2] or error}") from None
        except RecursionError:
            raise ExpressionError("is nested too deeply") from None
        names: set[str] = set()
        self._run = _built(token, names)
        self.names = frozenset(names)
        self.looks_at_today = "today" in source

    def __call__(self, answers: Answers, today: date) -> Value:
        """The value for these answers; a name that is missing is unanswered."""
        return self._run(answers, today)

    def holds(self, answers: Answers, today: date) -> bool:
        """Whether it is true for these answers."""
        value = self._run(answers, today)
        return value if value.__class__ is bool else _truth(value)

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"


@lru_cache(maxsize=1)
def _parser() -> XPath2Parser:
    parser = XPath2Parser()
    for name in _FUNCTIONS:
        if name not in parser.symbol_table:
            parser.external_function(_named if _FUNCTIONS[name][1] else _named_without_values, name=name)
    return parser


def _named(*_arguments: Any) -> bool:
    """Parsing needs a function by each name, and tries it on constants; what it gives is never used."""
    return False


def _named_without_values() -> bool:
    return False


def _translated(source: str) -> str:
    """XLSForm's own marks as XPath: `${name}`, `.`, `if(…)` and `round(…)`; what stands in quotes is left alone."""
    if len(source) > _LONGEST:
        raise ExpressionError(f"longer than {_LONGEST} characters")
    parts, end = [], 0
    for quoted in _STRINGS.finditer(source):
        parts += [_marks(source[end : quoted.start()]), quoted[0]]
        end = quoted.end()
    return "".join([*parts, _marks(source[end:])])


def _marks(text: str) -> str:
    text = _POSITION.sub(f" ${POSITION} ", text)
    text = _CHOICE_NAME.sub("xlsform-choice-name(", text)
    text = _REFERENCE.sub(r" $\1 ", text)
    text = _THIS.sub(f" ${THIS} ", text)
    return _RENAMED.sub(r"xlsform-\1(", text)


# Building


def _built(token: XPathToken, names: set[str]) -> Run:
    symbol = token.symbol
    if symbol == "$":
        return _variable(str(token[0].value), names)
    if symbol in ("(string)", "(integer)", "(decimal)", "(float)"):
        return _constant(_literal(token))
    if symbol == "(" and len(token) == 1:
        return _built(token[0], names)
    if symbol in ("=", "!=") and len(token) == 2 and (asked := _asks_for_an_answer(token)) is not None:
        return _answered(_built(asked, names), equal=symbol == "=")
    if symbol in ("=", "!=") and len(token) == 2 and token[1].symbol == "(string)":
        return _same_as(_built(token[0], names), str(token[1].value), equal=symbol == "=")
    if symbol in _OPERATORS and len(token) == 2:
        return _operation(_OPERATORS[symbol], *(_built(part, names) for part in token))
    if symbol == "-" and len(token) == 1:
        return _operation(_OPERATORS["-"], _constant(Decimal(0)), _built(token[0], names))
    if symbol in _FUNCTIONS:
        return _call(symbol, [_built(part, names) for part in token])
    raise ExpressionError(f"{symbol!r} is not known in form expressions")


def _asks_for_an_answer(token: XPathToken) -> XPathToken | None:
    """What is compared with '': whether it was answered is asked, be it a number or a text."""
    for one, other in ((token[0], token[1]), (token[1], token[0])):
        if other.symbol == "(string)" and not other.value:
            return one
    return None


def _answered(run: Run, *, equal: bool) -> Run:
    return lambda answers, today: (run(answers, today) in ("", ())) == equal


def _variable(name: str, names: set[str]) -> Run:
    names.add(name)
    return lambda answers, _today: answers.get(name, "")


def _constant(value: Value) -> Run:
    return lambda _answers, _today: value


def _literal(token: XPathToken) -> Value:
    return str(token.value) if token.symbol == "(string)" else Decimal(str(token.value))


def _same_as(run: Run, text: str, *, equal: bool) -> Run:
    """Compared with a text that is written out: what nearly every condition does, so a text is compared at once."""
    compare = _equal if equal else _unequal

    def same(answers: Answers, today: date) -> bool:
        value = run(answers, today)
        return (value == text) is equal if value.__class__ is str else compare(value, text)

    return same


def _operation(operate: Callable[[Value, Value], Value], left: Run, right: Run) -> Run:
    if operate is _OPERATORS["and"]:  # what decides nothing any more is not looked at
        return lambda answers, today: _truth(left(answers, today)) and _truth(right(answers, today))
    if operate is _OPERATORS["or"]:
        return lambda answers, today: _truth(left(answers, today)) or _truth(right(answers, today))
    return lambda answers, today: operate(left(answers, today), right(answers, today))


def _call(name: str, arguments: list[Run]) -> Run:
    least, most, function = _FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        raise ExpressionError(f"{name}() takes {least} to {most} values, not {len(arguments)}")
    if name == "regex":
        _check_pattern(arguments[1])
    if name == "today":
        return lambda _answers, today: today.isoformat()
    if name in ("xlsform-if", "coalesce"):  # what is not chosen is not looked at
        return _lazily(name, arguments)
    if len(arguments) == 1:
        [only] = arguments
        return lambda answers, today: function(only(answers, today))
    if len(arguments) == 2:
        one, other = arguments
        return lambda answers, today: function(one(answers, today), other(answers, today))
    return lambda answers, today: function(*(argument(answers, today) for argument in arguments))


def _check_pattern(pattern: Run) -> None:
    """A pattern that is written out must be one; raises ExpressionError."""
    try:
        re.compile(_text(pattern({}, date.min)))
    except re.error as error:
        raise ExpressionError(f"regex(): {error}") from None


def _lazily(name: str, arguments: list[Run]) -> Run:
    if name == "xlsform-if":
        test, then, otherwise = arguments
        return lambda answers, today: (then if _truth(test(answers, today)) else otherwise)(answers, today)
    first, second = arguments

    def coalesce(answers: Answers, today: date) -> Value:
        value = first(answers, today)
        return value if value not in ("", ()) else second(answers, today)

    return coalesce


# Values


def _truth(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, Decimal):
        return value != 0
    return bool(value)


def _number(value: Value) -> Decimal | None:
    """A value as a number, or None where it is none."""
    if isinstance(value, bool):
        return Decimal(int(value))
    if isinstance(value, Decimal):
        return value
    if isinstance(value, tuple) or not value:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(value)
    return format(value.normalize(), "f") if value else "0"


def _equal(left: Value, right: Value) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return _truth(left) == _truth(right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        one, other = _number(left), _number(right)
        return one is not None and other is not None and one == other
    return _text(left) == _text(right)


def _unequal(left: Value, right: Value) -> bool:
    if isinstance(left, Decimal) != isinstance(right, Decimal):
        one, other = _number(left), _number(right)
        return one is not None and other is not None and one != other
    return not _equal(left, right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Value, Value], bool]:
    """Numbers by size, dates and other texts by their letters; nothing unanswered is more or less than anything."""

    def ordered(left: Value, right: Value) -> bool:
        one, other = _number(left), _number(right)
        if one is not None and other is not None:
            return compare(one, other)
        if isinstance(left, str) and isinstance(right, str) and left and right:
            return compare(left, right)
        return False

    return ordered


def _computed(compute: Callable[[Decimal, Decimal], Decimal]) -> Callable[[Value, Value], Value]:
    """Arithmetic; with something unanswered or divided by zero there is no result."""

    def computed(left: Value, right: Value) -> Value:
        one, other = _number(left), _number(right)
        if one is None or other is None:
            return ""
        try:
            return compute(one, other)
        except (InvalidOperation, ArithmeticError):
            return ""

    return computed


def _chosen(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else tuple(_text(value).split())


def _regex(value: Value, pattern: Value) -> bool:
    text = _text(value)
    try:
        return bool(text) and re.fullmatch(_text(pattern), text) is not None
    except re.error:  # a pattern made of an answer
        return False


def _round(value: Value, places: Value = Decimal(0)) -> Value:
    number, digits = _number(value), _number(places)
    if number is None or digits is None:
        return ""
    return number.quantize(Decimal(1).scaleb(-min(max(int(digits), 0), _MOST_PLACES)), ROUND_HALF_UP)


def _sum(values: Value) -> Value:
    """Of a repeat's answers; what is unanswered or unknown is left out."""
    return sum(filter(None, map(_number, _chosen(values))), Decimal(0))


def _selected_at(value: Value, place: Value) -> Value:
    """The chosen name at a place counted from 0."""
    chosen, number = _chosen(value), _number(place)
    return chosen[int(number)] if number is not None and 0 <= number < len(chosen) else ""


_OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "and": lambda left, right: _truth(left) and _truth(right),
    "or": lambda left, right: _truth(left) or _truth(right),
    "=": _equal,
    "!=": _unequal,
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "+": _computed(lambda left, right: left + right),
    "-": _computed(lambda left, right: left - right),
    "*": _computed(lambda left, right: left * right),
    "div": _computed(lambda left, right: left / right),
    "mod": _computed(lambda left, right: left % right),
}

# name: fewest and most values, what it does
_FUNCTIONS: dict[str, tuple[int, int, Callable[..., Value]]] = {
    "selected": (2, 2, lambda value, name: _text(name) in _chosen(value)),
    "count-selected": (1, 1, lambda value: Decimal(len(_chosen(value)))),
    "coalesce": (2, 2, _named),
    "xlsform-if": (3, 3, _named),
    "regex": (2, 2, _regex),
    "today": (0, 0, _named),
    "not": (1, 1, lambda value: not _truth(value)),
    "true": (0, 0, lambda: True),
    "false": (0, 0, lambda: False),
    "string-length": (1, 1, lambda value: Decimal(len(_text(value)))),
    "number": (1, 1, lambda value: _computed(lambda number, _zero: number)(value, Decimal(0))),
    "string": (1, 1, _text),
    "concat": (1, 20, lambda *values: "".join(_text(value) for value in values)),
    "xlsform-round": (1, 2, _round),
    "xlsform-sum": (1, 1, _sum),
    "count-non-empty": (1, 1, lambda values: Decimal(len(_chosen(values)))),
    "selected-at": (2, 2, _selected_at),
    "xlsform-choice-name": (2, 2, lambda value, _question: value),  # the engine shows a name by its label
}
