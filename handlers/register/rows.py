"""Reads a sheet as a list of enterprises: its texts mended, its headings found, each row a candidate."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from content.register import HeadingOf
from handlers.register.cells import composed, one_line, text_of
from handlers.register.found import Candidate, Cell, Fault, Note, Remark, Repair, Row, Table
from handlers.register.headings import Headings, find_headings
from handlers.register.places import Places
from handlers.register.spelling import Judged, Reading, Score, prevailing, settle
from handlers.register.values import Read, read_emails, read_employees, read_phones, read_tax_code
from handlers.register.words import Lexis, plain

MOST_ROWS = 50_000
LONGEST = {"name": 200, "address": 300, "person": 120, "sector": 300, "note": 1000}
_PERSONAL_DIGITS = 12
_ASIDE = frozenset[HeadingOf](["number", "reason", "contacts", "district"])

Tick = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ListRead:
    """A sheet as it was read; `skipped` are rows that are no enterprise: sums, sections, signatures."""

    table: Table
    headings: Headings
    candidates: tuple[Candidate, ...]
    skipped: tuple[int, ...]
    texts: Sequence[Sequence[str]]  # every cell as text, mended


@dataclass(frozen=True, slots=True)
class _Text:
    """A cell as text, and how it was mended."""

    text: str
    reading: Reading | None = None
    before: str = ""
    fault: str = ""  # why nobody can read it


class ListReader:
    """Reads lists."""

    def __init__(self, lexis: Lexis) -> None:
        self._lexis = lexis
        self._places = Places(lexis)

    def headings(self, table: Table) -> Headings | None:
        """The headings of a sheet, None where it is no list of enterprises."""
        top = replace(table, rows=table.rows[:60])
        return find_headings(top, _plain_texts(self._mended(top)), self._lexis)

    def read(self, table: Table, tick: Tick = lambda _row: None) -> ListRead | None:
        """Every row of a sheet, None where it is no list of enterprises."""
        texts = self._mended(table)
        plain_texts = _plain_texts(texts)
        headings = find_headings(table, plain_texts, self._lexis)
        if headings is None:
            return None
        candidates, skipped = [], []
        for number in range(headings.first, len(table.rows)):
            row = _Row(number + 1, table.rows[number], texts[number], headings)
            if row.is_empty:
                continue
            if self._is_aside(row, headings):
                skipped.append(row.number)
            else:
                candidates.append(self._candidate(row))
            tick(number)
        return ListRead(table, headings, tuple(candidates), tuple(skipped), plain_texts)

    # Texts

    def _mended(self, table: Table) -> list[list[_Text]]:
        """Every cell as text; what does not read by itself is read as its row, then as its column is."""
        judge = self._lexis.speller.judge
        judged = [[judge(text_of(cell)) for cell in row] for row in table.rows]
        width = max(map(len, judged), default=0)
        columns = [prevailing(row[place] for row in judged if place < len(row)) for place in range(width)]
        return [
            [self._text(cell, way, columns[place], table.way) for place, cell in enumerate(row)]
            for row in judged
            for way in [prevailing(row)]
        ]

    def _text(self, judged: Judged, row: str | None, column: str | None, table: str | None) -> _Text:
        found = settle(judged, row, column)
        if found is None and table and judged.score != Score():
            found = self._lexis.speller.read(judged, table)
        return _mended(judged, found)

    # Rows

    def _is_aside(self, row: "_Row", headings: Headings) -> bool:
        """Whether a row is no enterprise: a sum, a section, a signature, the headings again."""
        texts = row.said
        folded = [plain(text) for text in texts]
        if (
            folded == [plain(one.text) for one in headings.columns if one.text][: len(folded)]
            and len(folded) > 2
        ):
            return True
        kept = row.text("tax_code") or row.text("phone") or row.text("email")
        if kept:
            return False
        distinct = list(dict.fromkeys(folded))  # a merged cell may stand in several columns
        starts = any(f"{distinct[0]} ".startswith(f"{footer} ") for footer in self._lexis.footers)
        if starts and (len(distinct) <= 3 or not row.text("name")):
            return True
        if len(distinct) == 1:
            is_counted = row.text("number").rstrip(".").isdecimal()
            return row.text("name") != texts[0] or not (is_counted or self._lexis.kind(texts[0]))
        return not row.text("name") and len(distinct) == 2 and not row.text("address")

    def _candidate(self, row: "_Row") -> Candidate:
        remarks: list[Remark] = list(row.mended())
        name = one_line(row.text("name"))
        phones, emails = self._contacts(row, remarks)
        code = self._first(row, "tax_code", remarks)
        employees, said = read_employees(row.cell("employees"), self._lexis)
        place = self._places.find(row.text("commune"), row.text("district"), row.text("address"))
        remarks += [*said, *place.remarks, *_missing(name)]
        kind_text = one_line(row.text("kind"))
        kind = self._lexis.kind(kind_text) or self._lexis.kind(name)
        other = [*self._other(row, remarks), *_kept_kind(kind_text, kind, row)]
        candidate = Candidate(
            row=row.number,
            name=name,
            tax_code=code or None,
            kind=kind,
            address=one_line(row.text("address")),
            commune=place.commune,
            commune_text=place.text,
            offers=place.offers,
            phones=phones,
            emails=emails,
            person=self._unless_nothing(row.text("person")),
            sector=self._unless_nothing(row.text("sector")),
            employees=employees,
            note="\n".join(filter(None, row.all("note"))),
            other=tuple(other),
            confirm=self._confirmed(row.text("confirm")),
        )
        remarks += _too_long(candidate)
        return replace(
            candidate,
            repairs=tuple(one for one in remarks if isinstance(one, Repair)),
            faults=tuple(one for one in remarks if isinstance(one, Fault)),
            notes=tuple(one for one in remarks if isinstance(one, Note)),
        )

    def _first(self, row: "_Row", field: HeadingOf, remarks: list[Remark]) -> str:
        found = read_tax_code(row.cell(field), self._lexis)
        remarks += found.remarks
        return found.value

    def _contacts(self, row: "_Row", remarks: list[Remark]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        found = Read()
        for cell in row.cells("phone"):
            found.add(read_phones(cell, self._lexis))
        for cell in row.cells("email"):
            found.add(read_emails(cell, self._lexis))
        for cell in row.cells("contacts"):
            if any(map(str.isdigit, text_of(cell))) or "@" in text_of(cell):
                found.add(read_phones(cell, self._lexis))
        remarks += found.remarks
        mails = tuple(one for one in found.values if "@" in one)
        return tuple(one for one in found.values if "@" not in one), mails

    def _other(self, row: "_Row", remarks: list[Remark]) -> Iterator[tuple[str, str]]:
        """What has no field, kept as text; what is personal by its heading or its digits is left out."""
        for place, heading in enumerate(row.headings.columns):
            text = row.texts[place].text if place < len(row.texts) else ""
            if not text or (heading.field and heading.field != "personal"):
                continue
            digits = sum(map(str.isdigit, text))
            if heading.field == "personal" or digits == _PERSONAL_DIGITS:
                remarks.append(Note("other", "", "personal_left_out", (("heading", heading.text),)))
            elif heading.text:
                yield heading.text, text[: LONGEST["note"]]

    def _unless_nothing(self, text: str) -> str:
        return "" if self._lexis.says_nothing(text) else one_line(text)

    def _confirmed(self, text: str) -> str:
        folded = plain(text)
        if folded in self._lexis.confirm_new:
            return "new"
        return "same" if folded in self._lexis.confirm_same else ""


class _Row:
    """One row by its fields."""

    def __init__(self, number: int, cells: Row, texts: Sequence[_Text], headings: Headings) -> None:
        self.number, self._cells, self.texts, self.headings = number, cells, texts, headings

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in it but its number."""
        return not self.said

    @property
    def said(self) -> list[str]:
        """Every text of the row but its number."""
        counted = self.headings.of("number")
        return [one.text for place, one in enumerate(self.texts) if one.text and place not in counted]

    def all(self, field: HeadingOf) -> list[str]:
        """The texts of every column that holds a field."""
        return [self.texts[place].text for place in self.headings.of(field) if place < len(self.texts)]

    def text(self, field: HeadingOf) -> str:
        """The first text of a field."""
        return next(filter(None, self.all(field)), "")

    def cells(self, field: HeadingOf) -> list[Cell]:
        """The cells of a field; a text as it was mended."""
        return [self._at(place) for place in self.headings.of(field) if place < len(self._cells)]

    def cell(self, field: HeadingOf) -> Cell:
        """The first cell of a field."""
        return next((cell for cell in self.cells(field) if cell not in (None, "")), None)

    def mended(self) -> Iterator[Remark]:
        """What was mended in texts of the row, and what cannot be."""
        for place, heading in enumerate(self.headings.columns):
            if place >= len(self.texts) or not heading.field or heading.field in _ASIDE:
                continue
            yield from _said_of(heading.field, self.texts[place])

    def _at(self, place: int) -> Cell:
        cell = self._cells[place]
        return self.texts[place].text if isinstance(cell, str) else cell


def _said_of(field: str, text: _Text) -> Iterator[Remark]:
    if text.fault and field in ("name", "address", "person"):
        yield Fault(field, text.text, text.fault, (("input", text.text),))
    elif text.reading:
        score = text.reading.score
        values = (("good", str(score.good)), ("all", str(score.good + score.bad)))
        yield Repair(field, text.before, text.text, text.reading.way, values)
    elif text.before:
        yield Repair(field, text.before, text.text, "nfc")


def _mended(judged: Judged, found: Reading | None) -> _Text:
    if found:
        return _Text(composed(found.text), found, judged.text)
    text = composed(judged.text)
    unread = "text_unread" if judged.spoilt and (judged.readings or _has_signs(judged.text)) else ""
    return _Text(
        text, None, judged.text if text != judged.text else "", "text_lost" if judged.lost else unread
    )


def _has_signs(text: str) -> bool:
    """Whether signs that are no letters stand inside words, as old fonts put them."""
    inside = zip(text, text[1:], text[2:], strict=False)
    return any(
        a.isalpha() and c.isalpha() and not b.isalnum() and b > "\u00a0" and b not in "·’‘–—…"
        for a, b, c in inside
    )


def _plain_texts(texts: Sequence[Sequence[_Text]]) -> list[list[str]]:
    return [[one.text for one in row] for row in texts]


def _missing(name: str) -> Iterator[Fault]:
    if not name:
        yield Fault("name", "", "name_missing")
    elif sum(map(str.isalpha, name)) < 3:
        yield Fault("name", name, "name_short", (("input", name),))


def _kept_kind(text: str, read: str | None, row: _Row) -> Iterator[tuple[str, str]]:
    """A text that no code was read from, under its own heading."""
    if text and read is None:
        [place, *_] = row.headings.of("kind")
        yield row.headings.columns[place].text, text


def _too_long(candidate: Candidate) -> Iterator[Fault]:
    for field, most in LONGEST.items():
        if len(getattr(candidate, field)) > most:
            yield Fault(field, getattr(candidate, field)[:60], "too_long", (("most", str(most)),))


def counted(candidates: Sequence[Candidate]) -> Counter[str]:
    """How often each repair was made."""
    return Counter(one.why for candidate in candidates for one in candidate.repairs)
