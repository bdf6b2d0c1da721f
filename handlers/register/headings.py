"""Finds the headings of a list: below its title, over two rows, in merged cells, by other names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from content.register import HeadingOf
from handlers.register.cells import one_line
from handlers.register.found import Table
from handlers.register.words import Lexis, plain

LOOKED_AT = 40  # rows in which headings may begin
MOST_HEADING = 60  # letters: more is a sentence
_TOLD_BY = frozenset[HeadingOf](["name", "tax_code"])


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's heading as it stands, and what the column holds; None: something that has no field."""

    text: str
    field: HeadingOf | None


@dataclass(frozen=True, slots=True)
class Headings:
    """The headings of a list in its rows `row` to `last`; `first` is the first row below them, all from 0."""

    columns: tuple[Heading, ...]
    row: int
    last: int
    first: int

    def of(self, field: HeadingOf) -> list[int]:
        """The columns that hold a field."""
        return [place for place, one in enumerate(self.columns) if one.field == field]

    @property
    def fields(self) -> int:
        """How many different fields there are."""
        return len({one.field for one in self.columns if one.field})


def find_headings(table: Table, texts: Sequence[Sequence[str]], lexis: Lexis) -> Headings | None:
    """The headings of a list, None where no row has a name or a tax code and another field.

    `texts` are the table's cells as text.
    """
    spread = _spread(table, texts[: LOOKED_AT + 2])
    found = [
        (headings.fields, headings.row - headings.last, -row, headings)  # one row rather than two
        for row in range(min(LOOKED_AT, len(spread)))
        for headings in _beginning_at(spread, row, lexis)
    ]
    best = max(found, key=lambda one: one[:3], default=None)
    return best[3] if best else None


def _beginning_at(spread: list[list[str]], row: int, lexis: Lexis) -> Iterable[Headings]:
    """The headings that begin in a row: of one row, and of two where the second is no enterprise."""
    one = _columns([spread[row]], lexis)
    below = spread[row + 1] if row + 1 < len(spread) else []
    lower = _columns([below], lexis)
    two = _columns([spread[row], below], lexis)
    known = {heading.field for heading in lower if heading.field}
    if known and _is_more(two, one) and not any(map(_is_data, below)):
        one, last = two, row + 1
    else:
        last = row
    fields = {heading.field for heading in one if heading.field}
    if fields & _TOLD_BY and len(fields) > 1:
        yield Headings(tuple(one), row, last, _after_numbers(spread, last + 1))


def _is_more(two: list[Heading], one: list[Heading]) -> bool:
    told = [{heading.field for heading in some} - {None, "contacts"} for some in (two, one)]
    return len(told[0]) > len(told[1])


def _is_data(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= 5 or "@" in text


def _after_numbers(spread: list[list[str]], row: int) -> int:
    """Past a row that numbers the columns: (1) (2) (3), or A B C."""
    if row >= len(spread):
        return row
    filled = [text.strip("() ") for text in spread[row] if text]
    numbers = [text for text in filled if len(text) < 3]
    counted = [int(text) for text in numbers if text.isdecimal()]
    in_order = len(counted) > 1 and counted == list(range(counted[0], counted[0] + len(counted)))
    return row + 1 if len(filled) > 1 and len(numbers) == len(filled) and in_order else row


def _columns(rows: Sequence[Sequence[str]], lexis: Lexis) -> list[Heading]:
    """What each column is called and holds; a field that takes one value is given to the best heading of it."""
    width = max(map(len, rows), default=0)
    cells = [[row[place] if place < len(row) else "" for row in rows] for place in range(width)]
    texts = [one_line(" ".join(dict.fromkeys(filter(None, column)))) for column in cells]
    lowest = [next((text for text in reversed(column) if text), "") for column in cells]
    read = [
        max(_field(text, lexis), _field(low, lexis)) if text else (0, "")
        for text, low in zip(texts, lowest, strict=True)
    ]
    best = _best_by_field(read)
    return [
        Heading(text, field if field and (field in _MANY or best[field] == place) else None)  # type: ignore[arg-type]
        for place, (text, (_, field)) in enumerate(zip(texts, read, strict=True))
    ]


_MANY = frozenset(["phone", "email", "personal", "note"])


def _best_by_field(read: Sequence[tuple[int, str]]) -> Mapping[str, int]:
    best: dict[str, int] = {}
    for place, (score, field) in enumerate(read):
        if field and (field not in best or score > read[best[field]][0]):
            best[field] = place
    return best


def _field(text: str, lexis: Lexis) -> tuple[int, str]:
    """How well a heading names a field, and which; (0, "") where it names none."""
    if not text or len(text) > MOST_HEADING:
        return 0, ""
    padded = f" {plain(text)} "
    best = (0, "")
    for field, named in lexis.headings.items():
        for one in named:
            if f" {one} " in padded:
                whole = 1000 if one == padded.strip() else 0
                score = 1 if field == "contacts" else whole + len(one)  # anything more telling wins
                best = max(best, (score, str(field)))
    return best


def _spread(table: Table, texts: Sequence[Sequence[str]]) -> list[list[str]]:
    """The first rows, with the text of a merged range in each cell of it."""
    width = max((len(row) for row in texts), default=0)
    spread = [[*row, *[""] * (width - len(row))] for row in texts]
    for (top, left), (bottom, right) in table.merged:
        if top >= len(spread) or left >= width:
            continue
        for row in range(top, min(bottom, len(spread) - 1) + 1):
            for column in range(left, min(right, width - 1) + 1):
                spread[row][column] = spread[top][left]
    return spread
