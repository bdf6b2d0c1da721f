"""The shapes of the content files: the plan, who speaks, the bodies it names, the words."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

Language = Literal["vi", "en"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Frozen(BaseModel):
    """A value read from a content file: unknown keys are refused, nothing changes later."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Frozen):
    """Where a fact comes from and when somebody last looked."""

    name: Text
    url: str | None = None
    verified_on: date


class Reported(Frozen):
    """What the press says of the document, apart from what the document says of itself."""

    number: Text
    date: date
    source: Source


class Document(Frozen):
    """The head and foot of the plan; number and date are blank in the source text and stay so."""

    title: Text
    number: str | None
    date: date | None
    year: int
    issuer: Text
    preamble: tuple[Text, ...]
    appendix_note: Text
    recipients: tuple[Text, ...]
    signature: tuple[Text, ...]
    reported: Reported


class Chapter(Frozen):
    """A heading with no text of its own, such as «I. MỤC TIÊU»."""

    id: Text
    title: Text


class Section(Frozen):
    """One clause or bullet of the plan, word for word, slips included.

    `title` is the heading it stands under; `text` is without that heading and without its children's texts.
    """

    id: Text
    title: Text
    text: str
    correction: str | None = None  # the text as people are told it, where the source has a slip


class Task(Frozen):
    """One row of the appendix, each cell word for word; None where the cell is empty."""

    id: Text
    title: Text
    text: Text
    lead: Text
    cooperating: Text | None
    time: Text
    funding: Text | None


class Plan(Frozen):
    """The whole plan as the assistant knows it."""

    document: Document
    chapters: tuple[Chapter, ...]
    sections: tuple[Section, ...]
    groups: tuple[Chapter, ...]  # the headings I–VI of the appendix
    tasks: tuple[Task, ...]


class Body(Frozen):
    """A body the plan names, what it is called today and how sure that is.

    `now` is None where today's name is not confirmed: people are then told so.
    """

    id: Text
    name: Text
    also: tuple[Text, ...] = ()
    now: Text | None
    now_en: Text | None = None  # where today's name is not simply a name
    note: Text | None = None
    source: Source | None = None


class Office(Frozen):
    """Who speaks. What is unknown stays None and its sentence is left out."""

    name: Text
    name_en: Text
    unit: Text | None
    province: Text
    phone: str | None
    email: str | None
    address: str | None
    hours: str | None
    official_page: str | None
    retention: str | None
    use_limit: str | None  # what the office has promised in writing not to do with the answers
    source: Source


class Picking(Frozen):
    """The words with which people pick a choice by its number."""

    before: tuple[Text, ...]
    between: tuple[Text, ...]
    numbers: tuple[tuple[Text, ...], ...]  # the words for 1, for 2, …


# What has words of its own at any question of a form.
FORM_WORDS = frozenset(
    [
        "yes",
        "no",
        "other",
        "go_on",
        "back",
        "skip",
        "unknown",
        "why",
        "later",
        "stop",
        "cancel",
        "colleague",
        "review",
        "submit",
        "help",
        "keep",
        "same",
        "done",
        "edit",
        "code",
        "withdraw",
    ]
)


class Notice(Frozen):
    """The notice about personal data, line by line; a line with an unknown {fact} is left out."""

    version: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    short: dict[Language, tuple[Text, ...]]
    full: dict[Language, tuple[Text, ...]]


class Published(Frozen):
    """A version of a form that people have begun to fill in: its content never changes again."""

    form_id: Text
    version: Text
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Slash(Frozen):
    """A command of a channel that has a menu of them: what it is called, what it stands for, what it says it does.

    Limits: https://core.telegram.org/bots/api#botcommand.
    """

    command: str = Field(pattern=r"^[a-z0-9_]{1,32}$")
    says: Text
    label: dict[Language, Annotated[str, Field(min_length=1, max_length=256)]]


class Menu(Frozen):
    """The words of the menu that are not sentences."""

    examples: dict[Language, tuple[Text, ...]]
    commands: dict[Literal["menu", "vi", "en"], tuple[Text, ...]]
    picking: Picking
    hand_to_staff: tuple[Text, ...]
    ask_again: tuple[Text, ...]
    form: dict[str, tuple[Text, ...]]
    slash: tuple[Slash, ...]

    @field_validator("form")
    @classmethod
    def _complete(cls, form: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if set(form) != FORM_WORDS:
            raise ValueError(f"must have exactly: {', '.join(sorted(FORM_WORDS))}")
        return form


class NumberWords(Frozen):
    """The words numbers are made of, in the order they are put together."""

    ones: dict[Text, int]
    first_ones: dict[Text, int]  # never after tens
    last_ones: dict[Text, int]  # only after tens, said or left out
    teens: dict[Text, int]
    tens: dict[Text, int]
    times_ten: tuple[Text, ...]
    scales: dict[Text, int]
    suffixes: dict[Text, int]  # scales only where they touch the digits
    shortening: tuple[Text, ...]  # scales after which a digit by itself is a tenth
    joins: tuple[Text, ...]
    halves: tuple[Text, ...]
    points: tuple[Text, ...]


Months = Annotated[tuple[tuple[Text, ...], ...], Field(min_length=12, max_length=12)]


class DateWords(Frozen):
    """The words months and days are typed with."""

    months: Months  # as they are said after the word for month
    month_names: Months  # as they stand by themselves
    month: tuple[Text, ...]
    day: tuple[Text, ...]
    year: tuple[Text, ...]
    this_month: tuple[Text, ...]
    next_month: tuple[Text, ...]
    this_year: tuple[Text, ...]
    next_year: tuple[Text, ...]
    last_year: tuple[Text, ...]
    days: dict[Text, int]  # counted from today
    around: tuple[Text, ...]


class ValueWords(Frozen):
    """The words with which people type numbers, months and days."""

    numbers: NumberWords
    minus: tuple[Text, ...]
    about: tuple[Text, ...]
    unknown: tuple[Text, ...]
    nothing: tuple[Text, ...]
    between: tuple[Text, ...]
    ranges: tuple[Text, ...]
    vague: tuple[Text, ...]
    fillers: tuple[Text, ...]
    units: tuple[Text, ...]
    dates: DateWords
