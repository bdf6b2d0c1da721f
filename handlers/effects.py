"""What should happen, said as frozen values; storage makes it happen in the turn's own transaction."""

from dataclasses import dataclass
from typing import ClassVar

from content.model import Language


class Effect:
    """Something a step wants done; storage has one writer for each kind."""


class Asking(Effect):
    """An effect whose outcome only the database knows; it comes back to the dialogue as the next cue."""


class Outcome:
    """What came of an Asking effect: a cue like any other."""


class Query:
    """A question to the database that a dialogue names before its step; storage has one reader for each kind.

    `shared`: others may change what it reads, so that two people who ask the same are settled one after the other.
    """

    shared: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class StoreQuestion(Effect):
    """Keep a question the plan does not answer, for staff to see what people ask."""

    text: str
    language: Language
    topic: str | None


@dataclass(frozen=True, slots=True)
class HandToStaff(Asking):
    """Ask staff to answer this question; the outcome is QuestionHanded."""

    text: str
    language: Language


@dataclass(frozen=True, slots=True)
class QuestionHanded(Outcome):
    """The question stands in the staff's list under this ticket, such as «Q17»."""

    ticket: str


@dataclass(frozen=True, slots=True)
class KeepState(Effect):
    """Set aside a conversation state that this version cannot read, so that nothing in it is lost."""

    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class QuestionByTicket(Query):
    """The person's own question with this ticket: the answer is a HandedQuestion, or None."""

    ticket: str


@dataclass(frozen=True, slots=True)
class HandedQuestion:
    """A question somebody handed to staff; `asked_on` is the date in the office's time zone, dd/mm/yyyy."""

    ticket: str
    text: str
    asked_on: str
