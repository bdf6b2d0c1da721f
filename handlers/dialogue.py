"""The contract of a dialogue: cues in, one step out, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

from content.model import Language
from handlers.answers import Answer
from handlers.effects import Effect, Outcome, Query
from handlers.messages import Message
from handlers.people import NOWHERE, Person, State
from handlers.understand import Understood


@dataclass(frozen=True, slots=True)
class Said:
    """The person wrote something; what it means, and what the plan answers, was found before the transaction.

    `answers` has the language of a clear sentence; of any other, each language. `beside` is what the words came with.
    """

    text: str
    understood: Understood
    answers: Mapping[Language, Answer]
    beside: "SentFile | None" = None


@dataclass(frozen=True, slots=True)
class SaidTooMuch:
    """The person wrote more than is read, `limit` characters."""

    limit: int


@dataclass(frozen=True, slots=True)
class Tapped:
    """A button was pressed, on the screen or on an old message."""

    value: str


@dataclass(frozen=True, slots=True)
class Chose:
    """The person picked from the choices on the screen, by tap, number or words."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """The person came by a link that carries a payload, which may be empty."""

    payload: str


@dataclass(frozen=True, slots=True)
class SentFile:
    """The person sent a picture or a document; `media_type` is what it holds, whatever its name says.

    `fault`: it is larger than can be fetched, or not what its name says.
    """

    name: str
    media_type: str
    fault: Literal["", "too_large", "disguised"] = ""


# What is said of a file, by its fault.
FILE_FAULTS = {"": "file_unread", "too_large": "file_too_large", "disguised": "file_disguised"}


# What is neither words nor a file one could open; for each there is a sentence `sent_…`.
Kind = Literal[
    "voice",
    "audio",
    "video",
    "sticker",
    "location",
    "poll",
    "dice",
    "checklist",
    "paid_media",
    "story",
    "contact",
    "other",
]


@dataclass(frozen=True, slots=True)
class SentOther:
    """The person sent something of that kind; `words` are what stands in it, such as a poll's question.

    A «contact» is somebody else's: one's own is a telephone number like any that is typed.
    """

    kind: Kind
    words: str = ""


@dataclass(frozen=True, slots=True)
class Edited:
    """The person changed a message that was answered already."""


@dataclass(frozen=True, slots=True)
class InGroup:
    """Somebody spoke to the assistant where others listen, or brought it there."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something came that the channel could not read; `from_nobody`: it does not even say who waits for an answer."""

    reason: str
    from_nobody: bool = False


class NotUnderstood(Exception):
    """There is nothing to decide: what came could not be read."""


Cue = (
    Said
    | SaidTooMuch
    | Tapped
    | Chose
    | Started
    | SentFile
    | SentOther
    | Edited
    | InGroup
    | Unreadable
    | Outcome
)


@dataclass(frozen=True, slots=True)
class View:
    """All a step may know: the person, where they stand, the rows asked for, and the time (aware, UTC).

    `language` is the one to answer in; `shows_greeting`: the channel itself shows the greeting before the first word,
    as the web page does. `channel` and `address` say where the person is met; `chance` are 128 random bits in
    hexadecimal, drawn before the step, for codes and links.
    """

    person: Person
    now: datetime
    state: State = NOWHERE
    language: Language = "vi"
    answers: Mapping[Query, object] = field(default_factory=dict)
    shows_greeting: bool = False
    channel: str = ""
    address: str = ""
    chance: str = ""

    def at(self, person: Person, state: State, language: Language) -> "View":
        """The same for this person, in this state and language; spelled out, for every turn needs it."""
        return View(
            person,
            self.now,
            state,
            language,
            self.answers,
            self.shows_greeting,
            self.channel,
            self.address,
            self.chance,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What a dialogue makes of a cue: who the person is now, where they stand, what to do, what to say."""

    person: Person
    state: State
    replies: tuple[Message, ...] = ()
    effects: tuple[Effect, ...] = ()

    def after(self, *replies: Message) -> "Step":
        """The same step with these messages said first."""
        return replace(self, replies=replies + self.replies)


class Dialogue(Protocol):
    """One kind of conversation; it holds content and nothing that changes."""

    name: str
    version: int

    def needs(self, cue: Cue, state: State, person: Person) -> tuple[Query, ...]:
        """What must be read before `step` can decide."""
        ...

    def step(self, cue: Cue, view: View) -> Step:
        """Decide; no clock, no randomness, no I/O, and at most a millisecond of thought."""
        ...

    def anytime(self, value: str) -> bool:
        """Whether this choice still means the same when its message is no longer the last one."""
        ...
