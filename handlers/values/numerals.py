"""Puts words and digits together to one number: «1.234,5», «hai mươi lăm», «2 triệu rưỡi», «1tr5»."""

import re
from collections.abc import Sequence
from decimal import Decimal

from handlers.values.words import Sense, Token

MOST_DIGITS = 15  # what a spreadsheet keeps

Read = tuple[Decimal, int]  # the number, and where it ends

_PLAIN = re.compile(r"[0-9]+")
_GROUPED_BY_DOTS = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+")
_GROUPED_BY_COMMAS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+")
_WITH_FRACTION = re.compile(r"(?P<whole>[0-9]+(?:[.,][0-9]+)*?)(?P<point>[.,])(?P<fraction>[0-9]+)")
_NOTHING_LARGER = Decimal("Infinity")


def from_digits(typed: str) -> Decimal | None:
    """What digits with dots and commas mean, or None where they mean no number, as «1.2.3».

    A dot before exactly three digits groups them, any other is a decimal point; a comma is one too, unless several
    commas, or a dot after it, show that it groups.
    """
    if _PLAIN.fullmatch(typed) or _GROUPED_BY_DOTS.fullmatch(typed):
        return Decimal(typed.replace(".", ""))
    if typed.count(",") > 1 and _GROUPED_BY_COMMAS.fullmatch(typed):
        return Decimal(typed.replace(",", ""))
    found = _WITH_FRACTION.fullmatch(typed)
    if found is None:
        return None
    return _with_fraction(found["whole"], found["point"], found["fraction"])


def may_group(typed: str) -> bool:
    """Whether the comma may be meant as in English, grouping: «1,234»."""
    return typed.count(",") == 1 and _GROUPED_BY_COMMAS.fullmatch(typed) is not None


def is_too_long(typed: str) -> bool:
    """Whether digits are more than any count or measure has."""
    return sum(sign.isdigit() for sign in typed) > MOST_DIGITS


def read_numeral(tokens: Sequence[Token], at: int) -> Read | None:
    """The number that begins at a word, read as far as it goes; None where none begins.

    A word beside digits is no part of a number if it can be something else: «tầm 12», «12 năm».
    """
    if at >= len(tokens) or not tokens[at].may_begin_number:
        return None
    read = _scaled(tokens, at, _NOTHING_LARGER)
    if read is None:
        return None
    value, end = read
    if _has(tokens, end, Sense.POINT) and (fraction := _below_thousand(tokens, end + 1)):
        return _put_after_point(value, fraction) or read
    if end == at + 1 and _has(tokens, end, Sense.HALF):
        return value + Decimal("0.5"), end + 1
    return read


def _with_fraction(whole: str, point: str, fraction: str) -> Decimal | None:
    grouped = _GROUPED_BY_DOTS if point == "," else _GROUPED_BY_COMMAS
    if not (_PLAIN.fullmatch(whole) or grouped.fullmatch(whole)):
        return None
    return Decimal(f"{whole.replace('.', '').replace(',', '')}.{fraction}")


def _put_after_point(value: Decimal, fraction: Read) -> Read | None:
    """«hai» and «hai mươi lăm» as 2.25; None where one of them has a fraction already."""
    digits, end = fraction
    whole, after = f"{value:f}", f"{digits:f}"
    return (Decimal(f"{whole}.{after}"), end) if (whole + after).isdigit() else None


def _scaled(tokens: Sequence[Token], at: int, ceiling: Decimal) -> Read | None:
    read = _below_thousand(tokens, at) or _one_left_out(tokens, at)
    if read is None:
        return None
    amount, here = read
    scale = _scale(tokens, here)
    if scale is None or not 100 < scale < ceiling:
        return read
    return _with_rest(tokens, here, amount * scale, scale)


def _below_thousand(tokens: Sequence[Token], at: int) -> Read | None:
    read = _below_hundred(tokens, at) or _one_left_out(tokens, at, only=100)
    if read is None:
        return None
    amount, here = read
    if _scale(tokens, here) != 100:
        return read
    return _with_rest(tokens, here, amount * 100, Decimal(100))


def _with_rest(tokens: Sequence[Token], at: int, value: Decimal, scale: Decimal) -> Read:
    """The number with what follows its scale word, which stands at `at`."""
    shortening = _has(tokens, at, Sense.SHORTENING)
    here = at + 1
    if _has(tokens, here, Sense.HALF):
        return value + scale / 2, here + 1
    joined = _has(tokens, here, Sense.JOIN)
    rest = _rest(tokens, here + joined, scale)
    if rest is None:
        return value, here
    amount, end = rest
    is_alone = end == here + joined + 1
    if not is_alone or joined:
        return value + amount, end
    return _with_one_word(tokens, here, value, amount, scale if shortening else None)


def _rest(tokens: Sequence[Token], at: int, scale: Decimal) -> Read | None:
    return _below_hundred(tokens, at) if scale == 100 else _scaled(tokens, at, scale)


def _with_one_word(
    tokens: Sequence[Token], at: int, value: Decimal, amount: Decimal, shortened: Decimal | None
) -> Read:
    """The number with one more word: «nghìn hai», «1tr5», «một trăm mười»; or without it, as in «trăm năm»."""
    is_digit = 0 < amount < 10
    if _has(tokens, at, Sense.DIGITS):
        fits = shortened is not None and is_digit and tokens[at].glued
    else:
        fits = amount >= 10 or (is_digit and not _has(tokens, at, Sense.FIRST_ONE))
    if not fits:
        return value, at
    return value + (amount * shortened / 10 if shortened and is_digit else amount), at + 1


def _below_hundred(tokens: Sequence[Token], at: int) -> Read | None:
    if at >= len(tokens):
        return None
    senses = tokens[at].senses
    if Sense.DIGITS in senses:
        return _times_ten(tokens, at, from_digits(tokens[at].typed))
    if _beside_digits(tokens, at):
        return None
    if Sense.TEEN in senses:
        return Decimal(senses[Sense.TEEN]), at + 1
    if Sense.TENS in senses:
        return _with_one(tokens, at + 1, Decimal(senses[Sense.TENS]))
    if Sense.TIMES_TEN in senses:
        return Decimal(10), at + 1
    one = senses.get(Sense.ONE, senses.get(Sense.FIRST_ONE))
    return None if one is None else _after_one(tokens, at + 1, Decimal(one))


def _times_ten(tokens: Sequence[Token], at: int, value: Decimal | None) -> Read | None:
    if value is None:
        return None
    return (value * 10, at + 2) if _has(tokens, at + 1, Sense.TIMES_TEN) else (value, at + 1)


def _after_one(tokens: Sequence[Token], at: int, one: Decimal) -> Read:
    if _has(tokens, at, Sense.TIMES_TEN):
        return _with_one(tokens, at + 1, one * 10)
    if one and _has(tokens, at, Sense.LAST_ONE) and not _has(tokens, at, Sense.ONE):
        return one * 10 + tokens[at].senses[Sense.LAST_ONE], at + 1
    return one, at


def _with_one(tokens: Sequence[Token], at: int, tens: Decimal) -> Read:
    if at >= len(tokens) or _has(tokens, at + 1, Sense.TIMES_TEN) or _scale(tokens, at + 1) == 100:
        return tens, at
    senses = tokens[at].senses
    one = senses.get(Sense.ONE) or senses.get(Sense.LAST_ONE)
    return (tens + one, at + 1) if one else (tens, at)


def _one_left_out(tokens: Sequence[Token], at: int, only: int | None = None) -> Read | None:
    """The one that nobody says in «trăm rưỡi» and «nghìn hai»."""
    scale = _scale(tokens, at)
    if scale is None or (only is not None and scale != only):
        return None
    return Decimal(1), at


def _scale(tokens: Sequence[Token], at: int) -> Decimal | None:
    if _has(tokens, at, Sense.SCALE):
        return Decimal(tokens[at].senses[Sense.SCALE])
    touches = _has(tokens, at, Sense.SUFFIX) and tokens[at].glued and _has(tokens, at - 1, Sense.DIGITS)
    return Decimal(tokens[at].senses[Sense.SUFFIX]) if touches else None


def _beside_digits(tokens: Sequence[Token], at: int) -> bool:
    other = tokens[at].has(Sense.ABOUT, Sense.UNIT, Sense.RANGE, Sense.FILLER)
    return other and (_has(tokens, at - 1, Sense.DIGITS) or _has(tokens, at + 1, Sense.DIGITS))


def _has(tokens: Sequence[Token], at: int, sense: Sense) -> bool:
    return 0 <= at < len(tokens) and sense in tokens[at].senses
