"""A chart and its table as plain values: what is drawn, written beside it and read aloud are made of the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

Tone = Literal["full", "half", "none", "quiet"]  # how strongly something is coloured


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its first column are words, the others numbers as they are written."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `text` stands at its end; `value` None: it may not be seen, and `text` says so."""

    label: str
    value: float | None
    text: str
    tone: Tone = "full"


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars that lie, from zero, each with its label."""

    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `label` below it, and `group` below that where it begins one, such as a year."""

    label: str
    group: str
    value: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns that stand, from zero, in the order of time."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """What grew from day to day: `days` from the first, the value at the end of each; `target` is the most it can be."""

    first: date
    values: tuple[int, ...]
    last_text: str  # at the end of the line
    deadline: date | None
    deadline_text: str
    target: int
    target_text: str
    day_texts: tuple[str, str]  # of the first day and the last that is drawn


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a whole."""

    label: str
    value: int
    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Stack:
    """Parts of one whole beside each other in one bar."""

    parts: tuple[Part, ...]


Body = Bars | Columns | Line | Stack


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: the one thing it says stands in `title`, whom it is about in `base`, what is to be known in `note`.

    `body` None: nothing may be drawn, and the title says why.
    """

    id: str
    title: str
    base: str
    body: Body | None
    table: Table | None = None
    note: str = ""


def tallest(values: Sequence[float | None]) -> float:
    """The largest value that may be seen, and never 0."""
    return max((value for value in values if value is not None), default=0) or 1
