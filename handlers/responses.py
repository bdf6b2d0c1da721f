"""A response: a form somebody fills in, its answers, and who may see them. What a dialogue asks of it and does to it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from content.forms import Form
from handlers.effects import Asking, Effect, Outcome, Query
from handlers.fills import Fill, Fills
from handlers.fold import fold

Status = Literal["partial", "submitted", "cancelled"]
Role = Literal["owner", "code", "link"]

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
MOST_WORDS = 8  # before a code and in it
CODE_LENGTH = 12  # some 57 bits: nobody finds one by trying
MOST_GUESSES = 5  # wrong codes of one person in an hour


@dataclass(frozen=True, slots=True)
class Draft:
    """A response as its form's dialogue sees it.

    `fills` are the answers by place, `known` those offered from before; `consented`: this person has agreed to the
    form's notice, `refused` that they said no to it; `role`: how they came to it; `sent`: it was submitted once, whatever
    became of it since.
    """

    code: str
    form: Form
    year: int
    status: Status
    fills: Fills
    known: Fills = field(default_factory=dict)
    consented: bool = False
    role: Role = "owner"
    sent: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class DraftOf(Query):
    """The response of that code, if this person takes part in it: the answer is a Draft, or None."""

    code: str

    shared = True


@dataclass(frozen=True, slots=True)
class PersonalOf(Query):
    """What this person said of themselves in that response: values by question, or None."""

    code: str


@dataclass(frozen=True, slots=True)
class TaxCodeTaken(Query):
    """Whether another response of that form and year has this tax code: True, or None."""

    form_id: str
    year: int
    tax_code: str
    but: str  # the code of the response that asks


@dataclass(frozen=True, slots=True)
class AgreedBeside(Query):
    """Whether somebody else who takes part in that response has agreed to its notice: True, or None."""

    code: str


@dataclass(frozen=True, slots=True)
class LastResponse(Query):
    """This person's newest submitted response to that form: an Earlier, or None."""

    form_id: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """What somebody answered in a year."""

    year: int
    fills: Fills


@dataclass(frozen=True, slots=True)
class OpenResponse(Effect):
    """Begin a response of the person's own; `known` is offered in it, not answered."""

    code: str
    form_id: str
    version: str
    year: int
    known: Mapping[str, Fill]


@dataclass(frozen=True, slots=True)
class SaveFills(Effect):
    """Keep what was just answered; None takes a place's fill away. `last_question` is what is open, "" when all is answered.

    `tax_code` goes with the response: a new one, "" for none any more, None for no change; `rival`: another response
    has the same.
    """

    code: str
    fills: tuple[tuple[str, Fill | None], ...]
    last_question: str
    tax_code: str | None = None
    rival: bool = False


@dataclass(frozen=True, slots=True)
class KeepPersonal(Effect):
    """Keep what the person said of themselves, apart from the answers; "" takes it away."""

    code: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SetStatus(Effect):
    """The response is submitted, given up, or taken up `again` as it was."""

    code: str
    status: Status
    again: bool = False


@dataclass(frozen=True, slots=True)
class RecordConsent(Effect):
    """Keep the evidence of one yes or no: what was shown, what was answered, where. `code`: said of that response."""

    purpose: str
    notice_version: str
    text: str
    answer: Literal["yes", "no", "withdrawn"]
    channel: str
    address: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class HandOver(Effect):
    """Make a link by which one other person may go on with the response; only its hash is kept."""

    code: str
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TakeOver(Asking):
    """Somebody came by such a link: Joined, or NotJoined."""

    token: str


@dataclass(frozen=True, slots=True)
class OpenByCode(Asking):
    """Somebody typed the code of a response: Joined, or NotJoined."""

    code: str


@dataclass(frozen=True, slots=True)
class Joined(Outcome):
    """The person takes part in the response from now on."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class NotJoined(Outcome):
    """There is no such response, the link was used, or too many codes were tried."""

    reason: Literal["unknown", "used", "expired", "too_many"]


@dataclass(frozen=True, slots=True)
class MyData(Query):
    """Everything that is held about this person: a Held."""


@dataclass(frozen=True, slots=True)
class HeldValue:
    """One value somebody gave of themselves."""

    form_title: str
    year: int
    question: str
    value: str


@dataclass(frozen=True, slots=True)
class HeldConsent:
    """The last word of a person on one purpose."""

    purpose: str
    answer: str
    on: date
    version: str


@dataclass(frozen=True, slots=True)
class Held:
    """What is held about a person; `responses` are the codes they may open."""

    values: tuple[HeldValue, ...] = ()
    consents: tuple[HeldConsent, ...] = ()
    responses: tuple[str, ...] = ()
    messages: int = 0


@dataclass(frozen=True, slots=True)
class EraseMe(Asking):
    """Erase everything of this person but their answers without a name: the outcome is Erased."""


@dataclass(frozen=True, slots=True)
class Erased(Outcome):
    """It is done; `values` of the person's own were erased, and `messages` of the talk."""

    values: int
    messages: int


def code_from(chance: str) -> str:
    """A new code from 128 random bits written in hexadecimal.

    Two letters and a digit go first, so that it passes for no number, no word and no ticket.
    """
    number = int(chance, 16)
    head = (10 + (number >> 100) % 22, 10 + (number >> 108) % 22, (number >> 116) % 10)
    tail = ((number >> (5 * place)) & 31 for place in range(CODE_LENGTH - len(head)))
    return "".join(ALPHABET[one] for one in (*head, *tail))


def shown_code(code: str) -> str:
    """A code as people read it: KQ7M-XW29-RTB4."""
    return "-".join(code[at : at + 4] for at in range(0, CODE_LENGTH, 4))


def typed_code(text: str) -> str | None:
    """The code a text consists of, however it was typed; None when it is none."""
    letters = text.strip().upper().translate(_AS_MEANT)
    return letters if _CODE.fullmatch(letters) else None


def told_code(text: str, names: Collection[str], *, clearly: bool = False) -> str | None:
    """The code that was typed, perhaps behind one of its `names` (folded): «mã phiếu JZ9R-FE44-QPAQ».

    `clearly`: without its name it must stand in its three groups, for where anything is an answer a firm's name may
    pass for a code.
    """
    if not _MAY_HOLD.search(text):
        return None
    words = text.replace(":", " ").split(maxsplit=MOST_WORDS)
    for count in range(1, len(words)):
        behind = typed_code(" ".join(words[count:]))
        if behind and fold(" ".join(words[:count])) in names:
            return behind
    return None if clearly and not _GROUPED.fullmatch(text.strip()) else typed_code(text)


# Twelve signs, the last behind whatever stands between: most of what is said is no code at first sight.
_MAY_HOLD = re.compile(r"(?:[^\W_][ .–\-\t]*){12}\s*$")
_GROUPED = re.compile(r"(?:[^\W_]{4}[ .–-]?){2}[^\W_]{4}")
_CODE = re.compile(rf"[{ALPHABET[10:]}]{{2}}[0-9][{ALPHABET}]{{{CODE_LENGTH - 3}}}")
_AS_MEANT = str.maketrans(
    {"O": "0", "I": "1", "L": "1", **dict.fromkeys(" -–.\t")}
)  # what stands between is gone
