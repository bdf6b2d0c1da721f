"""Reads what people type as values, or says why not."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from content.model import ValueWords
from handlers.values.dates import DateReader
from handlers.values.lines import LineReader, Numbers, names_of
from handlers.values.numbers import one_number
from handlers.values.refusal import Number, Refusal
from handlers.values.words import is_longer, lexicon_of, read_tokens

_PLAIN = re.compile(
    r"0|[1-9][0-9]{0,2}"
)  # what nearly everybody types: no mark, no zero before it, no thousands
_LONGEST_NUMBER = 300  # characters; a longer text says something else
_LONGEST_OF_LINE = 100  # characters beside each label
_LINES = 128  # how many lines' labels stay prepared


class Values:
    """Reads numbers, months and days as they are typed in Vietnamese and English; built once from content."""

    def __init__(self, words: ValueWords) -> None:
        self._lexicon = lexicon_of(words)
        self._dates = DateReader(words.dates)
        self._names = lru_cache(_LINES)(lambda labels: names_of(labels, self._lexicon))

    def number(self, text: str, *, whole: bool, unknown: bool) -> Number | Refusal:
        """One number; `whole` allows no fraction and nothing below zero, `unknown` allows «không biết»."""
        if _PLAIN.fullmatch(text):
            return Number(Decimal(text))
        if is_longer(text, _LONGEST_NUMBER):
            return Refusal("value_number")
        return one_number(read_tokens(text, self._lexicon), whole=whole, unknown=unknown)

    def says_unknown(self, text: str) -> bool:
        """Whether a text says «I do not know» and nothing else, whatever was asked."""
        return self.number(text, whole=True, unknown=True) == Number(None)

    def line(self, text: str, labels: Sequence[str], *, whole: bool, unknown: bool) -> Numbers | Refusal:
        """A number for each label, in their order or by name; None where others were named and this was not."""
        if is_longer(text, sum(_LONGEST_OF_LINE + len(label) for label in labels)):
            return Refusal("value_line_long", (("expected", str(len(labels))),))
        names = self._names(tuple(labels))
        return LineReader(self._lexicon, names, labels, whole=whole, unknown=unknown).read(text)

    def month(self, text: str, today: date) -> str | Refusal:
        """A month as «2027-03»; without a year, the next such month, this one included."""
        return self._dates.month(text, today)

    def day(self, text: str, today: date) -> str | Refusal:
        """A day in ISO 8601; the year must be said."""
        return self._dates.day(text, today)
