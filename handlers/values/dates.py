"""Reads months and days: «3/2027», «tháng 3 năm 2027», «5-3-27», «ngày 5 tháng 3 năm 2027», «March 2027»."""

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from content.model import DateWords
from handlers.fold import fold
from handlers.values.refusal import Refusal
from handlers.values.words import DASHES, clean

_EARLIEST, _LATEST = 1900, 2100
_LEAP_YEAR = 2000
_NUMBER = r"[0-9]{1,2}"
_YEAR = r"[0-9]{4}|[0-9]{2}"
_MAY_BE_DAY = re.compile(r"[0-9]{1,2}[-/. ]+(?:0[0-9]|1[0-2])")  # «12/11»: of 2011, or 12 November
_CUT = r"\s*[-/.]\s*"


@dataclass(frozen=True, slots=True)
class _Said:
    """What a text says of a date, in numbers; None where it does not say."""

    day: int | None
    month: int
    year: int | None


class DateReader:
    """Reads months and days with the words of one set of content."""

    def __init__(self, words: DateWords) -> None:
        self._months = {
            fold(name): n
            for months in (words.months, words.month_names)
            for n, names in enumerate(months, 1)
            for name in names
        }
        self._days = {fold(name): days for name, days in words.days.items()}
        self._relative_months = {**_all(words.this_month, 0), **_all(words.next_month, 1)}
        self._relative_years = {
            **_all(words.this_year, 0),
            **_all(words.next_year, 1),
            **_all(words.last_year, -1),
        }
        self._around = re.compile(rf"(?:{_any(words.around)})(?![^\W_])\s*")
        self._after = frozenset(fold(word) for word in words.around)
        self._only_year = re.compile(rf"(?:(?:{_any(words.year)})\s*)?[12][0-9]{{3}}")
        self._forms = _forms(words)

    def month(self, text: str, today: date) -> str | Refusal:
        """A month as «2027-03», or why the text is none."""
        typed = self._plain(text)
        if typed in self._relative_months:
            return _month_after(today, self._relative_months[typed])
        if self._only_year.fullmatch(typed):
            return Refusal("value_month_only_year")
        said = self._said(typed, today, whole_day=False)
        if said is None:
            return Refusal("value_month")
        if refusal := _wrong(said):
            return refusal
        if said.day is None and _MAY_BE_DAY.fullmatch(typed):
            return Refusal("value_month_full_year")
        year = said.year if said.year is not None else _next_year_with(said.month, today)
        return f"{year:04}-{said.month:02}"

    def day(self, text: str, today: date) -> str | Refusal:
        """A day in ISO 8601, or why the text is none."""
        typed = self._plain(text)
        if typed in self._days:
            return (today + timedelta(days=self._days[typed])).isoformat()
        said = self._said(typed, today, whole_day=True)
        if said is None or said.day is None:
            return Refusal("value_day")
        if refusal := _wrong(said):
            return refusal
        if said.year is None:
            return Refusal("value_day_year", (("day", str(said.day)), ("month", str(said.month))))
        return date(said.year, said.month, said.day).isoformat()

    def _plain(self, text: str) -> str:
        """The text folded, without what only stands around a date."""
        typed = fold(clean(text)).translate(DASHES).strip(" .,;:?()«»\"'")
        while found := self._around.match(typed):
            typed = typed[found.end() :]
        words = typed.split(" ")
        while len(words) > 1 and words[-1] in self._after:
            words.pop()
        return " ".join(words)

    def _said(self, typed: str, today: date, *, whole_day: bool) -> _Said | None:
        for form in self._forms[whole_day]:
            if found := form.fullmatch(typed):
                return self._numbers(found.groupdict(), today)
        return None

    def _numbers(self, found: dict[str, str | None], today: date) -> _Said:
        day, month, year = found.get("day"), found["month"] or "", found.get("year")
        return _Said(
            int(day) if day else None,
            int(month) if month.isdigit() else self._months[month],
            self._year(year, today) if year else None,
        )

    def _year(self, year: str, today: date) -> int:
        if year in self._relative_years:
            return today.year + self._relative_years[year]
        return int(year) if len(year) == 4 else _full_year(int(year), today)


def _all(names: Iterable[str], value: int) -> dict[str, int]:
    return {fold(name): value for name in names}


def _any(names: Iterable[str]) -> str:
    return "|".join(re.escape(fold(name)) for name in sorted(names, key=len, reverse=True))


def _forms(words: DateWords) -> dict[bool, tuple[re.Pattern[str], ...]]:
    """How a month (False) and a day (True) is written; a month may be read from a whole day."""
    said, named = (
        _any(name for month in months for name in month) for months in (words.months, words.month_names)
    )
    years = _any([*words.this_year, *words.next_year, *words.last_year])
    full, digits, day = r"(?P<year>[0-9]{4})", rf"(?P<month>{_NUMBER})", rf"(?P<day>{_NUMBER})"
    year_word, month_word, day_word = (_any(names) for names in (words.year, words.month, words.day))
    year = rf"(?:(?:{_CUT}|\s*,\s*|\s+|\s*,?\s*(?:{year_word})\s*)(?P<year>{years}|{_YEAR}))?"
    a_day = rf"(?:(?:{day_word})\s*)?{day}"
    a_month = rf"(?:{month_word})\s*(?P<month>{_NUMBER}|{said})"
    a_name = rf"(?P<month>{named})"
    days = (
        rf"{full}{_CUT}{digits}{_CUT}{day}",
        rf"{a_day}{_CUT}{digits}{year}",
        rf"{a_day}\s*{a_month}{year}",
        rf"{a_day}(?:st|nd|rd|th)?\s+(?:of\s+)?{a_name}{year}",
        rf"{a_name}\s+{day}(?:st|nd|rd|th)?{year}",
    )
    months = (rf"{full}{_CUT}{digits}", rf"{digits}{year}", rf"{a_month}{year}", rf"{a_name}{year}")
    return {True: _compiled(*days), False: _compiled(*months, *days)}


def _compiled(*forms: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(form) for form in forms)


def _full_year(year: int, today: date) -> int:
    """The year of two digits that lies nearest to today."""
    century = today.year - today.year % 100
    return min(
        (century + year - 100, century + year, century + year + 100), key=lambda y: abs(y - today.year)
    )


def _month_after(today: date, months: int) -> str:
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    return f"{year:04}-{month + 1:02}"


def _next_year_with(month: int, today: date) -> int:
    return today.year if month >= today.month else today.year + 1


def _wrong(said: _Said) -> Refusal | None:
    if not 1 <= said.month <= 12:
        return Refusal("value_no_such_month", (("n", str(said.month)),))
    if said.year is not None and not _EARLIEST <= said.year <= _LATEST:
        return Refusal("value_no_such_year", (("n", str(said.year)),))
    if said.day is not None and not 1 <= said.day <= monthrange(said.year or _LEAP_YEAR, said.month)[1]:
        month = str(said.month) if said.year is None else f"{said.month}/{said.year}"
        return Refusal("value_no_such_day", (("day", str(said.day)), ("month", month)))
    return None
