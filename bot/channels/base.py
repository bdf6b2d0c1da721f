"""What a channel can do, as a record; the one renderer reads it, so that a channel never needs a branch of its own."""

from dataclasses import dataclass, replace

from handlers.messages import Choice, Message


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The limits of one channel.

    `text_length` counts characters of one message; `buttons` is how many choices it can show as buttons (0: choices
    become a numbered list in the text); `label_length` how long such a button's words may be. `controls`: it draws tick
    boxes and steppers. `progress`: it draws a bar. `push`: the assistant may speak first. `greets`: the channel shows
    the greeting itself, before the person's first word.
    """

    name: str
    text_length: int
    buttons: int
    label_length: int
    controls: bool = False
    progress: bool = False
    edits: bool = False
    files: bool = False
    push: bool = False
    greets: bool = False


def render(message: Message, channel: Capabilities) -> list[Message]:
    """The message as this channel can show it: in pieces that fit, choices as buttons or as a numbered list.

    Where choices are in the text, the number before each is what the person types; those that stand aside follow
    without one. A control the channel cannot draw becomes the sentence that says how to type instead. Choices, control
    and progress go with the last piece.
    """
    listed = _needs_numbers(message.choices, channel)
    shown = replace(
        message,
        choices=() if listed else message.choices,
        control=message.control if channel.controls and not listed else None,
        progress=message.progress if channel.progress else None,
        counted="",
    )
    *first, last = pieces(_text(message, shown), channel.text_length)
    return [*(Message(piece) for piece in first), replace(shown, text=last)]


def pieces(text: str, limit: int) -> list[str]:
    """The text cut at paragraph, line, sentence or word ends into pieces of at most `limit` characters."""
    found = []
    while len(text) > limit:
        cut = _cut(text, limit)
        found.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*found, text]


def _needs_numbers(choices: tuple[Choice, ...], channel: Capabilities) -> bool:
    return len(choices) > channel.buttons or any(
        len(choice.label) > channel.label_length for choice in choices
    )


def _text(message: Message, shown: Message) -> str:
    """The words, and in words whatever of the message is not `shown` otherwise."""
    lines = [message.text]
    if message.counted and not shown.progress:
        lines.insert(0, message.counted)
    if message.control and message.control.typed and not shown.control:
        lines.append(message.control.typed)
    if message.choices and not shown.choices:
        lines += _list(message.choices)
    return "\n".join(lines)


def _list(choices: tuple[Choice, ...]) -> list[str]:
    numbered = [_linked(choice) for choice in choices if not choice.aside]
    asides = " · ".join(_linked(choice) for choice in choices if choice.aside)
    return [
        *(f"{number}. {label}" for number, label in enumerate(numbered, 1)),
        *([f"({asides})"] if asides else []),
    ]


def _linked(choice: Choice) -> str:
    return f"{choice.label}: {choice.url}" if choice.url else choice.label


def _cut(text: str, limit: int) -> int:
    for end in ("\n\n", "\n", ". ", " "):
        cut = text.rfind(end, 0, limit)
        if cut > limit // 2:
            return cut + len(end)
    return limit
