"""The contract of a channel, and what it can do as a record: the one renderer reads it, no channel needs a branch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from handlers.messages import Choice, Message

TICK = "✓ "


@dataclass(frozen=True, slots=True)
class Rates:
    """How much a channel lets through: in a second in all, in a second to one chat with a short burst, in a minute to a group."""

    per_second: float
    per_chat: float
    chat_burst: int
    group_per_minute: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The limits of one channel.

    `text_length` counts UTF-16 units of one message; `buttons` is how many choices it can show as buttons (0: choices
    become a numbered list in the text); `label_length` how long such a button's words may be; longer ones stand in the
    text, and with `number_buttons` the buttons carry their numbers. `callback_length`: bytes that come back from a
    button. `controls` are the kinds it draws. `progress`: it draws a bar. `edits`: a message may take another's place.
    `push`: the assistant may speak first. `greets`: the channel shows the greeting itself, before the person's first
    word. `rates`: what it lets through; None where a reader fetches.
    """

    name: str
    text_length: int
    buttons: int
    label_length: int
    callback_length: int = 4_000
    number_buttons: bool = False
    controls: frozenset[str] = frozenset()
    progress: bool = False
    edits: bool = False
    files: bool = False
    push: bool = False
    greets: bool = False
    rates: Rates | None = None


class Trouble(Enum):
    """Why a message did not get through, as far as it decides what happens next."""

    REFUSED = "refused"  # it never will be taken
    GONE = "gone"  # nobody is there who wants it
    MOVED = "moved"  # somebody is, elsewhere
    LIMITED = "limited"  # too much at once
    NOT_TAKEN = "not taken"  # surely not, this time
    IN_DOUBT = "in doubt"  # it may have been taken
    CLOSED = "closed"  # the channel itself does not know us any more


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong; `seconds` is how long the channel wants to be left alone, `to` where the address went."""

    trouble: Trouble
    reason: str
    seconds: float = 0
    to: str | None = None


class NotSent(Exception):
    """A message did not get through, or may not have."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class Channel(Protocol):
    """One way in which people and the assistant meet."""

    can: Capabilities

    def routes(self) -> list[BaseRoute]:
        """What it answers to browsers."""
        ...

    def hooks(self) -> Mapping[str, ASGIApp]:
        """What it answers to other machines, by path: past all that only browsers need."""
        ...

    async def start(self) -> None:
        """Begin to receive; returns at once, also when the other side cannot be reached yet."""
        ...

    async def stop(self) -> None:
        """Receive no more; what was taken is finished."""
        ...

    def health(self) -> str:
        """How it is, for an operator: «open», or what is wrong."""
        ...


class Sender(Channel, Protocol):
    """A channel to which messages are sent; the others are read by their reader."""

    async def send(self, address: str, part: Message, replaces: str | None) -> None:
        """Send one part, in place of an earlier message where it can; raises NotSent."""
        ...

    def is_group(self, address: str) -> bool:
        """Whether many read there."""
        ...

    async def close(self) -> None:
        """Let go of the other side, after the last message."""
        ...


def parts(message: Message, channel: Capabilities) -> list[Message]:
    """What has to be sent one after the other: the pieces of the text, then each file by itself.

    The first takes a keyboard away that shares one's number, before it words that do only that where it has choices.
    """
    texts = render(message, channel)
    if message.withdraws and "contact" in channel.controls:
        first, *others = texts
        if first.choices:
            texts = [Message(message.withdraws, withdraws=message.withdraws), *texts]
        else:
            texts = [replace(first, withdraws=message.withdraws), *others]
    files = [Message("", attachments=(one,)) for one in message.attachments] if channel.files else []
    return [*(replace(text, attachments=()) for text in texts), *files]


def render(message: Message, channel: Capabilities) -> list[Message]:
    """The message as this channel can show it: in pieces that fit, choices as buttons or as a numbered list.

    Where choices are in the text, the number before each is what the person types; those that stand aside follow
    without one. A control the channel cannot draw becomes the sentence that says how to type instead. Choices, control
    and progress go with the last piece.
    """
    listed = _needs_numbers(message.choices, channel)
    drawn = message.control is not None and message.control.kind in channel.controls
    if not drawn:
        message = _with_ticks(message)
    shown = replace(
        message,
        choices=() if listed else message.choices,
        control=message.control if drawn and not listed else None,
        progress=message.progress if channel.progress else None,
        counted="",
        withdraws="",
    )
    *first, last = pieces(_text(message, shown, channel), channel.text_length)
    if listed and channel.number_buttons:
        shown = replace(shown, choices=_numbers(message.choices))
    return [*(Message(piece) for piece in first), replace(shown, text=last)]


def pieces(text: str, limit: int) -> list[str]:
    """The text cut at paragraph, line, sentence or word ends into pieces of at most `limit` UTF-16 units."""
    found = []
    while len(text) > limit // 2 and _units(text) > limit:
        cut = _cut(text, _most(text, limit))
        found.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*found, text]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _most(text: str, limit: int) -> int:
    """How many characters fit; those beyond the first plane, such as emoji, are two units each."""
    return len(text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore"))


def _needs_numbers(choices: tuple[Choice, ...], channel: Capabilities) -> bool:
    return len(choices) > channel.buttons or any(
        len(choice.label) > channel.label_length for choice in choices
    )


def _numbers(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """The choices with their numbers in the list for words; those that stand aside keep theirs."""
    numbered = (choice for choice in choices if not choice.aside)
    return (
        *(replace(choice, label=str(number)) for number, choice in enumerate(numbered, 1)),
        *(choice for choice in choices if choice.aside),
    )


def _with_ticks(message: Message) -> Message:
    """The message with a tick at each choice that is picked already, for channels that draw no boxes."""
    control = message.control
    if control is None or control.kind != "several" or not control.picked:
        return message
    ticked = {control.value + name for name in control.picked}
    return replace(
        message,
        choices=tuple(
            replace(choice, label=TICK + choice.label) if choice.value in ticked else choice
            for choice in message.choices
        ),
    )


def _text(message: Message, shown: Message, channel: Capabilities) -> str:
    """The words, and in words whatever of the message is not `shown` otherwise."""
    lines = [message.text]
    if message.counted and not shown.progress:
        lines.insert(0, message.counted)
    typed = message.control.typed if message.control and not shown.control else ""
    if typed and typed != message.text and not _taps_do(message, shown):
        lines.append(typed)
    if message.choices and not shown.choices:
        lines += _list(message.choices, with_asides=not channel.number_buttons)
    return "\n".join(lines)


def _taps_do(message: Message, shown: Message) -> bool:
    """Whether the buttons themselves are the boxes to tick, so that nothing need be said about typing."""
    return message.control is not None and message.control.kind == "several" and bool(shown.choices)


def _list(choices: tuple[Choice, ...], *, with_asides: bool) -> list[str]:
    numbered = [_linked(choice) for choice in choices if not choice.aside]
    asides = " · ".join(_linked(choice) for choice in choices if choice.aside)
    return [
        *(f"{number}. {label}" for number, label in enumerate(numbered, 1)),
        *([f"({asides})"] if asides and with_asides else []),
    ]


def _linked(choice: Choice) -> str:
    return f"{choice.label}: {choice.url}" if choice.url else choice.label


def _cut(text: str, limit: int) -> int:
    for end in ("\n\n", "\n", ". ", " "):
        cut = text.rfind(end, 0, limit)
        if cut > limit // 2:
            return cut + len(end)
    return limit
