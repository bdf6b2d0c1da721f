"""What reading a typed text gives where it gives no value, and what a number is."""

from dataclasses import dataclass
from decimal import Decimal

_SHOWN = 40  # characters of a person's own text that a refusal repeats


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a text cannot be used: a key of the catalogue, what its sentence is filled with, what was perhaps meant.

    `suggestion` is a corrected value that may be offered, and reads as itself; of a tax code whose check digit does
    not fit, it is that code in its normal form, for a person who insists.
    """

    key: str
    values: tuple[tuple[str, str], ...] = ()
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was given; `value` is None where the person does not know."""

    value: Decimal | None
    approximate: bool = False


def shown(text: str) -> str:
    """A person's own text as a refusal repeats it: on one line, its end left out where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
