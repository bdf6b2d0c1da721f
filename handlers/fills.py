"""What stands at one place of a form: an answer, or the plain fact that there is none and why."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from content.expressions import Value

Mark = Literal["", "~", "?", "-", "n", "p"]

ANSWERED: Mark = ""
APPROXIMATE: Mark = "~"  # «about 12»
UNKNOWN: Mark = "?"  # «I do not know», which is not 0
SKIPPED: Mark = "-"  # the person passed it over
NOT_APPLICABLE: Mark = "n"  # it was never theirs to answer
PERSONAL: Mark = "p"  # answered; the value is kept apart


class Fill(NamedTuple):
    """What stands at a place; a tuple, since every turn reads all that were given so far, and it is made fastest.

    `value` is a text, a whole number, a decimal as text, a date or month in ISO 8601, the name of a choice, or the
    names of several; "" where there is none. `other` is what «other: say what» says.
    """

    value: str | int | tuple[str, ...] = ""
    mark: Mark = ANSWERED
    other: str = ""

    @property
    def is_answer(self) -> bool:
        """Whether somebody gave an answer here, be it «I do not know»."""
        return self.mark in (ANSWERED, APPROXIMATE, UNKNOWN, PERSONAL)

    def dump(self) -> list[Any]:
        """The fill as a JSON list, its empty tail left out."""
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        if self.other:
            return [value, self.mark, self.other]
        return [value, self.mark] if self.mark else [value]

    def as_value(self) -> Value:
        """The fill as an expression sees it: what is no answer, or is not known, is unanswered."""
        if self.mark not in (ANSWERED, APPROXIMATE):
            return ""
        return Decimal(self.value) if isinstance(self.value, int) else self.value


NOTHING = Fill("", NOT_APPLICABLE)
PASSED = Fill("", SKIPPED)
NOT_KNOWN = Fill("", UNKNOWN)
KEPT_APART = Fill("", PERSONAL)

Fills = Mapping[str, Fill]  # by place


_WITHOUT_VALUE = {fill.mark: fill for fill in (NOTHING, PASSED, NOT_KNOWN, KEPT_APART)}


def load_fill(stored: list[Any]) -> Fill:
    """Read what `Fill.dump` wrote; what has no value is one and the same everywhere."""
    value = stored[0]
    if isinstance(value, list):
        return Fill(tuple(value), *stored[1:])
    if value == "" and len(stored) == 2 and stored[1] in _WITHOUT_VALUE:
        return _WITHOUT_VALUE[stored[1]]
    return Fill(*stored)


def from_value(value: Value) -> Fill:
    """What an expression computed, as it stands at its place; nothing came of it where something is not known."""
    match value:
        case bool():
            return Fill("true" if value else "false")
        case Decimal():
            whole = value == value.to_integral_value()
            return Fill(int(value)) if whole else Fill(format(value.normalize(), "f"))
        case "" | ():
            return NOT_KNOWN
        case _:
            return Fill(value)


def month_of(day: date) -> str:
    """The month of a day, as it is kept: 2027-03."""
    return day.strftime("%Y-%m")
