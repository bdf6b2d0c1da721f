"""What a channel can do, as a record; the one renderer reads it, so that a channel never needs a branch of its own."""

from dataclasses import dataclass, replace

from handlers.messages import Choice, Message


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The limits of one channel.

    `text_length` counts characters of one message; `buttons` is how many choices it can show as buttons (0: choices
    become a numbered list in the text); `label_length` how long such a button's words may be. `push`: the assistant
    may speak first. `greets`: the channel shows the greeting itself, before the person's first word.
    """

    name: str
    text_length: int
    buttons: int
    label_length: int
    edits: bool = False
    files: bool = False
    push: bool = False
    greets: bool = False


def render(message: Message, channel: Capabilities) -> list[Message]:
    """The message as this channel can show it: in pieces that fit, choices as buttons or as a numbered list.

    Where choices are in the text, the number before each is what the person types. The choices stay with the last
    piece in either case, for channels that show both.
    """
    numbered = _needs_numbers(message.choices, channel)
    text = "\n".join([message.text, *_numbered(message.choices)]) if numbered else message.text
    *first, last = pieces(text, channel.text_length)
    choices = () if numbered else message.choices
    return [*(Message(piece) for piece in first), replace(message, text=last, choices=choices)]


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


def _numbered(choices: tuple[Choice, ...]) -> list[str]:
    return [
        f"{number}. {choice.label}" + (f": {choice.url}" if choice.url else "")
        for number, choice in enumerate(choices, 1)
    ]


def _cut(text: str, limit: int) -> int:
    for end in ("\n\n", "\n", ". ", " "):
        cut = text.rfind(end, 0, limit)
        if cut > limit // 2:
            return cut + len(end)
    return limit
