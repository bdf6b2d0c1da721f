"""What the assistant says, before any channel gives it a look."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing the person may pick: `label` is read, `value` comes back.

    A value begins with the name of the dialogue that understands it: `home:help`, `ask:item:2.4`.
    A choice with a `url` is a link and is never sent back. `also` are other words that pick it while it is on the
    screen, such as «có» for an offer. One that stands `aside` («bỏ qua») has no number: a number typed next is an
    answer, never a way around it.
    """

    label: str
    value: str
    url: str | None = None
    also: tuple[str, ...] = ()
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message; `path` is where the reader fetches it."""

    name: str
    media_type: str
    path: str


@dataclass(frozen=True, slots=True)
class Control:
    """A way to answer that a channel may draw instead of letting the person type.

    `several`: tick boxes over those choices whose value begins with `value`; what follows it is the choice's name, and
    the answer comes back as `sends` and the picked names joined with «+». A name that stands `alone` («không có») rules
    out the others. `numbers`: a stepper for each of `labels`, sent back as `sends` and the numbers joined with a space,
    «?» for what is not known. `contact`: a button of the words `labels` that shares the person's own telephone number.
    Without `sends` the answer begins with `value`. `picked` is what stands already: names,
    or a number for each label in order, "" where there is none. `typed` says how to answer by typing, for channels that
    draw nothing; `done` is the value of the choice that ends ticking there.
    """

    kind: Literal["several", "numbers", "contact"]
    value: str = ""
    labels: tuple[str, ...] = ()
    picked: tuple[str, ...] = ()
    typed: str = ""
    alone: tuple[str, ...] = ()
    sends: str = ""
    done: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the person: plain text (newlines kept), then the choices in order.

    `progress` is which question of a form this is, and how many there are; `counted` says the same in words for
    channels that draw no bar: «Câu 7/18». `withdraws`: the «contact» control of an earlier message is over; where one
    was drawn that stays until it is taken away, these words are said to take it away.
    """

    text: str
    choices: tuple[Choice, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    control: Control | None = None
    progress: tuple[int, int] | None = None
    counted: str = ""
    withdraws: str = ""
