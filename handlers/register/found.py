"""What is found in a list: enterprises, what was repaired, what is wrong, what an officer should know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

Cell = str | int | float | bool | date | datetime | time | timedelta | None
Row = Sequence[Cell]
Values = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet as it is: its rows from the first, and the ranges merged in it as (row, column) pairs from 0.

    `way`: how its letters are to be read where they do not tell by themselves; none of them is Unicode then.
    """

    name: str
    rows: Sequence[Row]
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()
    way: str | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """A value that is read otherwise than it was written; `why` is a sentence's key after register_repair_."""

    field: str
    before: str
    after: str
    why: str
    values: Values = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be taken; `reason` is a sentence's key after register_fault_. Personal numbers have no value."""

    field: str
    value: str
    reason: str
    values: Values = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know about a row that can be taken; `why` is a sentence's key after register_note_."""

    field: str
    value: str
    why: str
    values: Values = ()


Remark = Repair | Fault | Note


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row read as an enterprise; `row` is its number in the sheet, from 1."""

    row: int
    name: str = ""
    tax_code: str | None = None
    kind: str | None = None
    address: str = ""
    commune: str | None = None  # a code of the survey's list
    commune_text: str = ""  # as the list has it, where that is no code
    offers: tuple[str, ...] = ()  # codes of which an officer may choose one
    phones: tuple[str, ...] = ()  # E.164
    emails: tuple[str, ...] = ()
    person: str = ""
    sector: str = ""
    employees: int | None = None
    note: str = ""
    other: tuple[tuple[str, str], ...] = ()  # heading and text of what has no field
    confirm: str = ""  # new, same: what an officer says of a likely twin
    repairs: tuple[Repair, ...] = ()
    faults: tuple[Fault, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def more(self) -> dict[str, str]:
        """What has no field, by its heading; of two columns of one heading the last."""
        return dict(self.other)

    @property
    def size_band(self) -> str | None:
        """The survey's band of employees, None where their number is not known."""
        return size_band(self.employees)


_BANDS = ((10, "up_to_10"), (50, "to_50"), (100, "to_100"), (200, "to_200"))


def size_band(employees: int | None) -> str | None:
    """The survey's band of a number of employees."""
    if employees is None:
        return None
    return next((band for most, band in _BANDS if employees <= most), "over_200")
