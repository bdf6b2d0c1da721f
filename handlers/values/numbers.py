"""Reads one number: how much it is, whether it is only about so much, whether the person does not know."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum, auto

from handlers.values.numerals import is_too_long, may_group, read_numeral
from handlers.values.refusal import Number, Refusal, shown
from handlers.values.words import Sense, Token

_HEAD = re.compile(r"[1-9][0-9]{0,2}")
_GROUP = re.compile(r"[0-9]{3}(?:,[0-9]+)?")
_LIMIT = Decimal(10) ** 15


class Kind(Enum):
    """What a part of a text is once it is read."""

    AMOUNT = auto()
    UNKNOWN = auto()
    UNREADABLE = auto()  # digits that mean no number
    TOO_LONG = auto()
    ABOUT = auto()
    VAGUE = auto()
    RANGE = auto()
    LABEL = auto()
    SEPARATOR = auto()
    STRANGE = auto()  # a word that means nothing here


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text that matters; `typed` is how it stands there, `place` the place of a label."""

    kind: Kind
    typed: str = ""
    value: Decimal = Decimal(0)
    approximate: bool = False
    place: int = 0


_SAID = {  # what a word that is no number is: the first that it may be
    Sense.LABEL: Kind.LABEL,
    Sense.UNKNOWN: Kind.UNKNOWN,
    Sense.NOTHING: Kind.AMOUNT,
    Sense.VAGUE: Kind.VAGUE,
    Sense.FILLER: None,
    Sense.UNIT: None,
    Sense.ABOUT: Kind.ABOUT,
    Sense.SEPARATOR: Kind.SEPARATOR,
    Sense.RANGE: Kind.RANGE,
}


def one_number(tokens: Sequence[Token], *, whole: bool, unknown: bool) -> Number | Refusal:
    """The one number of a text."""
    parts = parts_of(join_thousands(tokens))
    amounts = [part for part in parts if part.kind is Kind.AMOUNT]
    doubts = any(part.kind is Kind.UNKNOWN for part in parts)
    if refusal := no_number(parts):
        return refusal
    if len(amounts) > 1:
        return Refusal("value_number_one")
    strange = any(part.kind is Kind.STRANGE for part in parts)
    if len(amounts) == 1:
        number = settle(replace(amounts[0], approximate=amounts[0].approximate or doubts), whole=whole)
        return _beside_words(number) if strange else number
    if doubts and not strange:
        return not_known(unknown=unknown)
    return Refusal("value_number")


def not_known(*, unknown: bool) -> Number | Refusal:
    """What «I do not know» is, where that is an answer and where it is none."""
    return Number(None) if unknown else Refusal("value_number_required")


def no_number(parts: Sequence[Part]) -> Refusal | None:
    """Why these parts are no numbers, whatever else they are."""
    for part in parts:
        if part.kind is Kind.UNREADABLE:
            return Refusal("value_number_unclear", (("input", shown(part.typed)),))
        if part.kind is Kind.TOO_LONG:
            return Refusal("value_number_large")
    kinds = {part.kind for part in parts}
    if Kind.VAGUE in kinds:
        return Refusal("value_number_vague")
    return Refusal("value_number_one") if _has_range(parts) else None


def settle(part: Part, *, whole: bool) -> Number | Refusal:
    """The number an amount is, where such a number may stand."""
    input_shown = (("input", shown(part.typed)),)
    if whole and may_group(part.typed):
        return Refusal("value_number_thousands", input_shown, part.typed.replace(",", ""))
    if abs(part.value) >= _LIMIT:
        return Refusal("value_number_large")
    is_whole = part.value == part.value.to_integral_value()
    if whole and not is_whole:
        return Refusal("value_number_whole", input_shown)
    if whole and part.value < 0:
        return Refusal("value_number_negative")
    return Number(part.value.quantize(Decimal(1)) if is_whole else part.value.normalize(), part.approximate)


def parts_of(tokens: Sequence[Token]) -> list[Part]:
    """The parts of a text; words that only accompany a number are left out, «about» is kept with its number.

    It belongs to the number after it or, where none follows, to the one before: «12 gì đó».
    """
    parts: list[Part] = []
    about = False
    for part in _parts(tokens):
        if part.kind is Kind.ABOUT:
            about = True
            continue
        parts.append(replace(part, approximate=about) if part.kind is Kind.AMOUNT else part)
        if part.kind is Kind.SEPARATOR and about:
            _make_approximate(parts, -2)
        about = about and part.kind is Kind.LABEL
    if about:
        _make_approximate(parts, -1)
    return parts


def join_thousands(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with digits that spaces group, as in «1 234», put together."""
    joined: list[Token] = []
    may_go_on = False
    for token in tokens:
        digits = token.typed if token.has(Sense.DIGITS) else ""
        if may_go_on and not token.glued and _GROUP.fullmatch(digits):
            joined[-1] = replace(joined[-1], typed=joined[-1].typed + digits)
            may_go_on = digits.isdigit()
        else:
            joined.append(token)
            may_go_on = _HEAD.fullmatch(digits) is not None
    return joined


def as_typed(value: Decimal) -> str:
    """A number as a person would type it, so that reading it gives the same: «1234», «12,5»."""
    return f"{value:f}".replace(".", ",")


def _parts(tokens: Sequence[Token]) -> Iterator[Part]:
    at = 0
    while at < len(tokens):
        token = tokens[at]
        minus = _is_minus(tokens, at)
        if read := _amount(tokens, at + minus):
            value, end = read
            yield Part(Kind.AMOUNT, _typed(tokens[at:end]), -value if minus else value)
            at = end
            continue
        if part := _other(tokens, at, token):
            yield part
        at += 1


def _typed(tokens: Sequence[Token]) -> str:
    return "".join(token.typed if token.glued else f" {token.typed}" for token in tokens).strip()


def _amount(tokens: Sequence[Token], at: int) -> tuple[Decimal, int] | None:
    """The number that begins at `at` and where it ends; None also where digits are too many to be one."""
    if tokens[at].has(Sense.DIGITS) and is_too_long(tokens[at].typed):
        return None
    return read_numeral(tokens, at)


def _other(tokens: Sequence[Token], at: int, token: Token) -> Part | None:
    """What a word is that begins no number; None for one that only accompanies numbers."""
    if token.has(Sense.DIGITS):
        return Part(Kind.TOO_LONG if is_too_long(token.typed) else Kind.UNREADABLE, token.typed)
    if token.has(Sense.ABOUT) and _begins_number(tokens, at + 1) and not token.has(Sense.FILLER):
        return Part(Kind.ABOUT)
    sense = next((sense for sense in _SAID if sense in token.senses), None)
    if sense is None:
        return Part(Kind.STRANGE, token.typed)
    kind = _SAID[sense]
    return Part(kind, token.typed, place=token.senses[sense]) if kind else None


def _is_minus(tokens: Sequence[Token], at: int) -> bool:
    """Whether a minus stands at `at`: the word, or a dash that touches the number after it and nothing before."""
    if at + 1 >= len(tokens):
        return False
    token, after = tokens[at], tokens[at + 1]
    dash = token.typed == "-" and not token.glued and after.glued and after.has(Sense.DIGITS)
    return dash or (token.has(Sense.MINUS) and _begins_number(tokens, at + 1))


def _begins_number(tokens: Sequence[Token], at: int) -> bool:
    return at < len(tokens) and tokens[at].may_begin_number


def _make_approximate(parts: list[Part], at: int) -> None:
    if len(parts) >= -at and parts[at].kind is Kind.AMOUNT:
        parts[at] = replace(parts[at], approximate=True)


def _has_range(parts: Sequence[Part]) -> bool:
    kinds = [part.kind for part in parts]
    return any(kinds[at : at + 3] == [Kind.AMOUNT, Kind.RANGE, Kind.AMOUNT] for at in range(len(kinds)))


def _beside_words(number: Number | Refusal) -> Refusal:
    """A number among words that mean nothing here: it may be offered, not taken."""
    if isinstance(number, Refusal):
        return number
    return Refusal("value_number", suggestion=None if number.value is None else as_typed(number.value))
