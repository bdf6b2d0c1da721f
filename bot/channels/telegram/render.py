"""What the assistant says as the parameters of a Bot API method.

Limits: https://core.telegram.org/bots/api#inlinekeyboardbutton and #sendmessage.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from bot.channels.telegram.can import TELEGRAM
from handlers.choices import short
from handlers.home import PRIVATE
from handlers.messages import Choice, Message

_START = re.compile(r"https?://[^/\s]+/\?start=([A-Za-z0-9_-]{1,64})")
_SHORT = 12  # characters of a label that leave room for another beside it
_NUMBERS_A_ROW = 5
_ASIDES_A_ROW = 3

Keyboard = dict[str, Any]


def text_parameters(message: Message, bot_name: str) -> dict[str, Any]:
    """`text` and `reply_markup` of a message that has been cut to fit."""
    choices = [_reachable(choice, bot_name) for choice in message.choices]
    linked = [choice for choice in choices if choice.url and not _is_public(choice.url)]
    buttons = [choice for choice in choices if choice not in linked]
    said = _START.sub(lambda found: start_link(found[0], bot_name), message.text)
    text = "\n".join([said, *(f"{choice.label}: {choice.url}" for choice in linked)])
    parameters: dict[str, Any] = {"text": text, "link_preview_options": {"is_disabled": True}}
    if message.withdraws:
        parameters["reply_markup"] = {"remove_keyboard": True}
    elif message.control and message.control.kind == "contact":
        parameters["reply_markup"] = _contact_keyboard(message.control.labels[0], buttons)
    elif buttons:
        done = message.control.done if message.control else ""
        parameters["reply_markup"] = {"inline_keyboard": _inline(buttons, done, bot_name)}
    return parameters


def start_link(url: str, bot_name: str) -> str:
    """A link that carries a payload; where nobody else can reach it, the same on Telegram, which leads to this bot.

    https://core.telegram.org/bots/features#deep-linking
    """
    found = _START.fullmatch(url)
    return f"https://t.me/{bot_name}?start={found[1]}" if found and not _is_public(url) else url


def _reachable(choice: Choice, bot_name: str) -> Choice:
    return replace(choice, url=start_link(choice.url, bot_name)) if choice.url else choice


def _inline(choices: Sequence[Choice], done: str, bot_name: str) -> list[list[Keyboard]]:
    """Rows of buttons: one each, short ones side by side, the ways around a question in rows of their own below.

    What ends ticking, the choice whose value is `done`, stands by itself between the two.
    """
    rows: list[list[Keyboard]] = []
    for kind, some in _grouped(choices, done):
        width = {"number": _NUMBERS_A_ROW, "short": 2, "long": 1, "done": 1, "aside": _ASIDES_A_ROW}[kind]
        buttons = [_button(choice, bot_name) for choice in some]
        rows += [buttons[at : at + width] for at in range(0, len(buttons), width)]
    return rows


def _grouped(choices: Sequence[Choice], done: str) -> list[tuple[str, list[Choice]]]:
    answers = [choice for choice in choices if not choice.aside]
    ends = [choice for choice in choices if choice.aside and choice.value == done]
    asides = [choice for choice in choices if choice.aside and choice.value != done]
    if answers and all(choice.label.isdecimal() for choice in answers):
        kind = "number"
    elif all(len(choice.label) <= _SHORT for choice in answers):
        kind = "short"
    else:
        kind = "long"
    return [(kind, answers), ("done", ends), ("aside", asides)]


def _button(choice: Choice, bot_name: str) -> Keyboard:
    if choice.value.startswith(PRIVATE):
        return {"text": choice.label, "url": f"https://t.me/{bot_name}?start=group"}
    if choice.url:
        return {"text": choice.label, "url": choice.url}
    return {"text": choice.label, "callback_data": short(choice.value, TELEGRAM.callback_length)}


def _contact_keyboard(label: str, choices: Sequence[Choice]) -> Keyboard:
    """A telephone number can only be shared from a keyboard that takes the place of the person's own.

    https://core.telegram.org/bots/api#keyboardbutton
    """
    others = [{"text": choice.label} for choice in choices]
    rows = [others[at : at + _ASIDES_A_ROW] for at in range(0, len(others), _ASIDES_A_ROW)]
    return {
        "keyboard": [[{"text": label, "request_contact": True}], *rows],
        "resize_keyboard": True,
        "one_time_keyboard": True,
    }


def _is_public(url: str) -> bool:
    """Whether Telegram takes it for a button: a host of the public net."""
    host = urlsplit(url).hostname or ""
    return "." in host and not host.replace(".", "").isdecimal()
