"""What people take away as files: the completed form to sign, the list of instruments to keep, their own data.

Makers are pure: what is known goes in, the bytes of a file come out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from bot.paper import WIDTH, Paper
from bot.workbook import Book, Cell, Column, Page
from content.everything import Content
from content.forms import NUMBERS, Form, Group, Question, Words
from content.model import Language
from handlers.fills import APPROXIMATE, NOTHING, PERSONAL, Fill
from handlers.responses import Draft, Held, shown_code
from handlers.showing import Showing, shown_date
from handlers.walk import Place, Walk

GROUP_2 = "group2"  # the column of a list of instruments that says «possible»
ENTERPRISE = "enterprise"  # the question that asks for the firm's name
SPARE_ROWS = 20  # of the list of instruments, for what the survey did not ask
WARNING_DAYS = 60  # before an expiry
_NUMBER_WIDTH, _ASKED_WIDTH = 12, 82  # millimetres
_COUNT_WIDTH, _COUNTS_WIDTH = 35, 110  # of a column beside the instances of a repeat, of all of them at most


def form_docx(
    draft: Draft, personal: Mapping[str, str], content: Content, today: date, language: Language = "vi"
) -> bytes:
    """The completed form on paper, to sign and stamp. `personal`: the asker's own values by question."""
    reading = _Reading(draft, content, today, language, personal)
    title = reading.say("doc_title", title=draft.form.file.settings.title[language], year=draft.year)
    paper = Paper(title, content.office.name, reading.say("doc_printed", **reading.which), today)
    paper.centred(title.upper(), bold=True, size=14)
    paper.centred(reading.say("doc_code", **reading.which))
    if draft.status != "submitted":
        paper.centred(reading.say("doc_not_submitted"), italic=True)
    office = content.office.name_en if language == "en" else content.office.name
    paper.centred(reading.say("doc_addressee", office=office))
    number = 0
    for section in _sections(draft.form):
        number = _put_section(paper, reading, section, number)
    signed = (reading.say(key) for key in ("doc_place_date", "doc_signature", "doc_signature_how"))
    paper.signature(*signed)
    return paper.made


def instruments_xlsx(draft: Draft, content: Content, today: date, language: Language = "vi") -> bytes:
    """The firm's own list of instruments, to be kept from now on; raises LookupError for a form that counts none."""
    counted = _counted(draft.form)
    if counted is None:
        raise LookupError(f"the form {draft.form.id} {draft.form.version} counts no instruments")
    reading = _Reading(draft, content, today, language)
    columns = _instrument_columns(reading)
    with Book() as book:
        name, above = reading.say("doc_instruments_sheet"), _above_instruments(reading)
        page = book.sheet(name, columns, _foot(content, language), above)
        for number, place in enumerate(reading.places(counted), 1):
            _put_instrument(page, reading, number, place)
        for _ in range(SPARE_ROWS):
            page.row([None] * len(columns))
        page.let_filter()
        page.take_dates(reading.say("doc_date_wanted"), reading.say("doc_date_how"))
        page.watch(7, WARNING_DAYS)
    return book.made


def counts_instruments(form: Form) -> bool:
    """Whether a list of instruments can be made from a response to that form."""
    return _counted(form) is not None


def my_data_xlsx(held: Held, drafts: Sequence[Draft], content: Content, language: Language = "vi") -> bytes:
    """What is held about a person: values, consents, responses; `drafts` are those responses."""
    with Book() as book:
        _put_values(book, held, content, language)
        _put_consents(book, held, drafts, content, language)
        _put_responses(book, held, drafts, content, language)
    return book.made


# Reading a response


@dataclass(frozen=True, slots=True)
class _Line:
    """A question and what was answered."""

    asked: str
    answered: str


@dataclass(frozen=True, slots=True)
class _Grid:
    """A repeat: what its columns are, and a row for each instance."""

    asked: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class _Reading:
    """Reads a response as it is put on paper."""

    def __init__(
        self,
        draft: Draft,
        content: Content,
        today: date,
        language: Language,
        personal: Mapping[str, str] | None = None,
    ) -> None:
        self.draft = draft
        self.language: Language = language
        self.walk = Walk(draft.form, draft.fills, today)
        self.which = {"code": shown_code(draft.code), "date": shown_date(today.isoformat())}
        self._catalogue = content.say
        self._showing = Showing(content.say, language)
        self._personal = personal or {}

    def say(self, key: str, **values: object) -> str:
        """A sentence of the catalogue."""
        return self._catalogue(self.language, key, **values)

    def answer(self, place: Place) -> str:
        """What stands at a place, in words; that nothing stands there too."""
        fill = self.walk.fills.get(place.name) if self.walk.applies(place) else NOTHING
        if fill is None:
            return self.say("doc_unanswered")
        if fill.mark == PERSONAL:
            return self._personal.get(place.question.name) or self.say("doc_kept_apart")
        return self._showing.fill(place.question, fill)

    def instance(self, place: Place) -> str:
        """What an instance of a repeat is called."""
        return self._showing.instance(place, self.walk)

    def words(self, place: Place, *candidates: Words | None) -> str:
        """The first of these words that is there, with what it refers to."""
        return self._showing.words(self.walk, place, next((one for one in candidates if one), None))

    def places(self, question: Question) -> list[Place]:
        """Where a question is asked: once, or in each instance of its repeat that applies."""
        if not question.repeat:
            return [Place(question)]
        every = (Place(question, instance) for instance in self.walk.instances(question.repeat))
        return [place for place in every if self.walk.applies(place)]

    def concerns(self, questions: Sequence[Question]) -> bool:
        """Whether any of the questions is this person's to answer."""
        places = (place for question in questions for place in self.places(question) or [Place(question)])
        return any(self.walk.applies(place) for place in places)

    def blocks(self, questions: Sequence[Question]) -> Iterator[_Line | _Grid]:
        """The questions in order, those of a repeat together."""
        for repeat, together in groupby(questions, key=lambda question: question.repeat):
            if repeat:
                yield self._repeat(repeat, tuple(together))
            else:
                for place in map(Place, together):
                    yield _Line(self.words(place, place.question.row.label), self.answer(place))

    def _repeat(self, repeat: Group, questions: tuple[Question, ...]) -> _Line | _Grid:
        instances = dict.fromkeys(place.instance for one in questions for place in self.places(one))
        first = next(iter(instances), "")
        row = questions[0].row
        asked = self.words(Place(questions[0], first), repeat.row.label, row.short, row.label)
        if not instances:
            return _Line(asked, self._why_empty(repeat, questions[0]))
        heads = (self.words(Place(one, first), one.row.short, one.row.label) for one in questions)
        rows = (self._row(instance, questions) for instance in instances)
        return _Grid(asked, (self._head(repeat), *heads), tuple(rows))

    def _why_empty(self, repeat: Group, question: Question) -> str:
        """Why a repeat has no instances: what it counts was not answered yet, or there is none of it."""
        asked = self.walk.form.by_name[repeat.each] if repeat.each else None
        waits = asked and asked.name not in self.walk.fills and self.walk.applies(Place(question))
        return self.say("doc_unanswered") if waits else self._showing.fill(question, NOTHING)

    def _head(self, repeat: Group) -> str:
        if not repeat.each:
            return self.say("doc_number")
        asked = self.walk.form.by_name[repeat.each]
        return self.words(Place(asked), asked.row.short, asked.row.label)

    def _row(self, instance: str, questions: tuple[Question, ...]) -> tuple[str, ...]:
        places = [Place(question, instance) for question in questions]
        return (self.instance(places[0]), *(self.answer(place) for place in places))


# The form on paper


@dataclass(frozen=True, slots=True)
class _Section:
    """Questions under one heading; those under none that follow a heading are headed by what says so."""

    title: Words | None
    follows: bool
    questions: tuple[Question, ...]


def _sections(form: Form) -> list[_Section]:
    """What is asked, under the outermost heading that stands around it."""
    asked = {one.number: one for one in form.questions if one.kind not in ("note", "calculate")}
    around: list[Words | None] = []
    found: list[tuple[Words | None, Question]] = []
    for number, row in enumerate(form.file.survey):
        if row.kind.startswith("begin_"):
            heads = row.kind == "begin_group" and row.appearance != "one-line"
            around.append(row.short or row.label if heads else None)
        elif row.kind.startswith("end_"):
            around.pop()
        elif number in asked:
            found.append((next((label for label in around if label), None), asked[number]))
    sections: list[_Section] = []
    for title, pairs in groupby(found, key=lambda pair: pair[0]):
        sections.append(_Section(title, bool(sections), tuple(question for _, question in pairs)))
    return sections


def _put_section(paper: Paper, reading: _Reading, section: _Section, number: int) -> int:
    """One heading and its tables; gives the number of the last question."""
    if section.title:
        paper.heading(reading.words(Place(section.questions[0]), section.title))
    elif section.follows:
        paper.heading(reading.say("doc_more"))
    if section.title and not reading.concerns(section.questions):
        paper.line(reading.say("doc_section_not_applicable"))
        return number
    lines: list[_Line] = []
    for block in reading.blocks(section.questions):
        if isinstance(block, _Line):
            lines.append(block)
            continue
        number = _put_lines(paper, reading, lines, number)
        lines.clear()
        number = _put_grid(paper, block, number)
    return _put_lines(paper, reading, lines, number)


def _put_lines(paper: Paper, reading: _Reading, lines: Sequence[_Line], before: int) -> int:
    if not lines:
        return before
    heads = [reading.say(key) for key in ("doc_number", "doc_question", "doc_answer")]
    rows = ((str(number), line.asked, line.answered) for number, line in enumerate(lines, before + 1))
    paper.table(heads, rows, (_NUMBER_WIDTH, _ASKED_WIDTH, WIDTH - _NUMBER_WIDTH - _ASKED_WIDTH))
    return before + len(lines)


def _put_grid(paper: Paper, grid: _Grid, before: int) -> int:
    number, beside = before + 1, len(grid.heads) - 1
    each = min(_COUNT_WIDTH, _COUNTS_WIDTH / beside)
    paper.line(f"{number}. {grid.asked}", before_table=True)
    paper.table(grid.heads, grid.rows, (WIDTH - each * beside, *[each] * beside))
    return number


# The list of instruments


def _counted(form: Form) -> Question | None:
    """The question that counts instruments: in a repeat over what was chosen from a list that knows of group 2."""
    for question in form.questions:
        each = question.repeat.each if question.repeat else None
        chosen = form.by_name[each].choices if each else ()
        if question.kind in NUMBERS and any(GROUP_2 in choice.filter for choice in chosen):
            return question
    return None


def _instrument_columns(reading: _Reading) -> list[Column]:
    return [
        Column(reading.say("doc_number"), 5, "number"),
        Column(reading.say("doc_instrument"), 36),
        Column(reading.say("doc_count"), 12, "number"),
        Column(reading.say("doc_group2"), 13, "centred"),
        Column(reading.say("doc_serial"), 18),
        Column(reading.say("doc_place"), 20),
        Column(reading.say("doc_last_verified"), 17, "date"),
        Column(reading.say("doc_next_expiry"), 17, "date"),
        Column(reading.say("doc_verified_by"), 28),
    ]


def _above_instruments(reading: _Reading) -> tuple[str, str, str]:
    """What it is, whose, and how it is kept."""
    fill = reading.walk.fills.get(ENTERPRISE, Fill())
    whose = (
        reading.say("doc_instruments_of", enterprise=fill.value, **reading.which)
        if fill.value
        else reading.say("doc_instruments_of_form", **reading.which)
    )
    return reading.say("doc_instruments_title"), whose, reading.say("doc_instruments_note", days=WARNING_DAYS)


def _put_instrument(page: Page, reading: _Reading, number: int, place: Place) -> None:
    """One type; its number can be summed, also where it is «about», and is a word where it is not known."""
    fill = reading.walk.fills.get(place.name, Fill())
    about = {2: reading.say("doc_count_about")} if fill.mark == APPROXIMATE else None
    count: Cell = fill.value if isinstance(fill.value, int) else reading.answer(place)
    possible = reading.say("doc_group2_possible") if _may_be_group_2(reading.walk.form, place) else None
    page.row([number, reading.instance(place), count, possible, *[None] * 5], about)


def _may_be_group_2(form: Form, place: Place) -> bool:
    each = place.question.repeat.each if place.question.repeat else None
    chosen = form.by_name[each].choice(place.instance) if each else None
    return chosen is not None and chosen.filter.get(GROUP_2) == "possible"


# What is held

_SAID = {"yes": "doc_said_yes", "no": "doc_said_no", "withdrawn": "doc_said_withdrawn"}
_STATUS = {
    "partial": "doc_status_partial",
    "submitted": "doc_status_submitted",
    "cancelled": "doc_status_cancelled",
}


def _put_values(book: Book, held: Held, content: Content, language: Language) -> None:
    heads = (("doc_form", 40), ("doc_year", 8), ("doc_question", 32), ("doc_value", 50))
    rows = [(one.form_title, str(one.year), one.question, one.value) for one in held.values]
    _put_table(book, "doc_my_values", heads, rows, content, language)


def _put_consents(
    book: Book, held: Held, drafts: Sequence[Draft], content: Content, language: Language
) -> None:
    purposes = {name: words for draft in drafts for name, words in _purposes(draft.form, language)}
    heads = (("doc_purpose", 50), ("doc_said", 22), ("doc_date", 14), ("doc_notice", 16))
    rows = [
        (
            purposes.get(one.purpose, one.purpose),
            content.say(language, _SAID[one.answer]) if one.answer in _SAID else one.answer,
            shown_date(one.on.isoformat()),
            one.version,
        )
        for one in held.consents
    ]
    _put_table(book, "doc_my_consents", heads, rows, content, language)


def _purposes(form: Form, language: Language) -> Iterator[tuple[str, str]]:
    """The purposes a form asks about, and what it calls them."""
    for question in form.questions:
        words = question.row.short or question.row.label
        if question.row.consent == "each":
            yield from ((choice.name, choice.label[language]) for choice in question.choices)
        elif question.row.consent and words:
            yield question.row.consent, words[language]


def _put_responses(
    book: Book, held: Held, drafts: Sequence[Draft], content: Content, language: Language
) -> None:
    heads = (("doc_code_head", 20), ("doc_form", 40), ("doc_year", 8), ("doc_status", 18), ("doc_given", 14))
    known = {draft.code: _about(draft, content, language) for draft in drafts}
    rows = [(shown_code(code), *known.get(code, (None,) * 4)) for code in held.responses]
    _put_table(book, "doc_my_responses", heads, rows, content, language)


def _about(draft: Draft, content: Content, language: Language) -> tuple[str, ...]:
    """The form's title, its year, how far it is, and how many answers there are."""
    asked = {one.name for one in draft.form.questions if one.kind != "calculate"}
    given = sum(place.partition(".")[0] in asked and fill.is_answer for place, fill in draft.fills.items())
    title = draft.form.file.settings.title[language]
    return title, str(draft.year), content.say(language, _STATUS[draft.status]), str(given)


def _put_table(
    book: Book,
    name: str,
    heads: Sequence[tuple[str, float]],
    rows: Sequence[Sequence[Cell]],
    content: Content,
    language: Language,
) -> None:
    """A sheet of its own; where there is nothing, it says so."""
    columns = [Column(content.say(language, head), width) for head, width in heads]
    page = book.sheet(content.say(language, name), columns, _foot(content, language))
    nothing = [content.say(language, "doc_nothing_held"), *[None] * (len(columns) - 1)]
    for row in rows or [nothing]:
        page.row(row)


def _foot(content: Content, language: Language) -> str:
    return content.say(language, "doc_page", page="&P", pages="&N")
