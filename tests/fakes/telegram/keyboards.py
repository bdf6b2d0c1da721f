"""What may stand under a message.

Sources: `Client::get_reply_markup`, `get_inline_keyboard_button`, `get_keyboard_button`; TDLib's `ReplyMarkup.cpp` and
`LinkManager::check_link`; BUTTON_DATA_INVALID and «reply markup is too long» come from Telegram's own servers. That
more than 100 buttons, or more than 8 in a row, are refused is python-telegram-bot's `InlineKeyboardMarkupLimit`
(found by trying); not sure that it is with this sentence.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.telegram.calls import Call, Suspect
from tests.fakes.telegram.refusals import Refusal, bad

MOST_BUTTONS = 100
MOST_IN_ROW = 8
MOST_DATA = 64  # bytes
KINDS = (
    "url",
    "callback_data",
    "callback_game",
    "pay",
    "switch_inline_query",
    "switch_inline_query_chosen_chat",
    "switch_inline_query_current_chat",
    "login_url",
    "web_app",
    "copy_text",
)
LABELLED = {"text", "style", "icon_custom_emoji_id"}
PRIVATE_ONLY = {
    "request_contact": "Phone number",
    "request_phone_number": "Phone number",
    "request_location": "Location",
    "request_poll": "Poll",
}
LOOPBACK = re.compile(r"^(localhost|127\.|0\.0\.0\.0|10\.|192\.168\.)")


@dataclass(frozen=True, slots=True)
class Button:
    """Something to tap: exactly one of data and url on an inline keyboard, neither on one for replies."""

    label: str
    data: str = ""
    url: str = ""
    asks: str = ""  # contact or location

    @property
    def json(self) -> dict[str, str]:
        """As it stands in a message."""
        kind = {"url": self.url} if self.url else {"callback_data": self.data}
        return {"text": self.label, **kind}


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Markup:
    """What came with a message: an inline keyboard, one for replies, the removal of one, or a question."""

    kind: str = ""  # inline | keyboard | remove | force
    rows: Rows = ()
    once: bool = False

    @property
    def inline(self) -> Rows:
        """The buttons under the message."""
        return self.rows if self.kind == "inline" else ()


NOTHING = Markup()


def read_markup(call: Call, *, private: bool, suspect: Suspect) -> Markup:
    """The reply_markup of a request."""
    given = call.json("reply_markup", "Can't parse reply keyboard markup JSON object")
    if given is None:
        return NOTHING
    if not isinstance(given, dict):
        raise bad("Object expected as reply markup")
    if given.get("keyboard"):
        rows = _rows(given, "keyboard", lambda button: _reply_button(button, private=private))
        return Markup("keyboard", rows, bool(given.get("one_time_keyboard")))
    if given.get("inline_keyboard"):
        rows = _rows(given, "inline_keyboard", lambda button: _inline_button(button, suspect))
        return Markup("inline", rows) if rows else NOTHING
    if given.get("remove_keyboard"):
        return Markup("remove")
    if given.get("force_reply"):
        return Markup("force")
    return NOTHING


def _rows(given: dict[str, Any], name: str, read: Callable[[Any], Button]) -> Rows:
    of = " of the InlineKeyboardMarkup" if name == "inline_keyboard" else ""
    kind = "inline keyboard" if name == "inline_keyboard" else "keyboard"
    if not isinstance(given[name], list):
        raise bad(f'Field "{name}" must be of type Array')
    if not all(isinstance(row, list) for row in given[name]):
        raise bad(f'Field "{name}"{of} must be an Array of Arrays')
    rows = tuple(tuple(_parsed(button, kind, read) for button in row) for row in given[name] if row)
    if sum(len(row) for row in rows) > MOST_BUTTONS or any(len(row) > MOST_IN_ROW for row in rows):
        raise bad("reply markup is too long")
    return rows


def _parsed(button: Any, kind: str, read: Callable[[Any], Button]) -> Button:
    try:
        return read(button)
    except Unreadable as complaint:
        raise bad(f"Can't parse {kind} button: {complaint}") from None


class Unreadable(Exception):
    """A button that is none; what TDLib says of a readable one is not put after «Can't parse»."""


def _label(button: dict[str, Any], of: str) -> str:
    if "text" not in button:
        raise Unreadable('Can\'t find field "text"')
    text = button["text"]
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise Unreadable('Field "text" must be of type String')
    if not str(text).strip():
        raise bad(f"{of} text must be non-empty")
    return str(text)


def _inline_button(button: Any, suspect: Suspect) -> Button:
    if not isinstance(button, dict):
        raise Unreadable("InlineKeyboardButton must be an Object")
    label = _label(button, "Inline keyboard button")
    kinds = [kind for kind in KINDS if button.get(kind) not in (None, "")]
    if not kinds:
        raise Unreadable("Text buttons are unallowed in the inline keyboard")
    _look_at(button, label, kinds, suspect)
    if kinds[0] == "url":
        return Button(label, url=_checked_url(button["url"], suspect))
    if kinds[0] == "callback_data":
        return Button(label, data=_checked_data(button["callback_data"]))
    return Button(label, data=kinds[0])


def _look_at(button: dict[str, Any], label: str, kinds: list[str], suspect: Suspect) -> None:
    """What the real server lets pass and hardly anybody means."""
    if len(kinds) > 1:
        suspect(f"the button «{label}» is of several kinds: {', '.join(kinds)}")
    if unknown := button.keys() - set(KINDS) - LABELLED:
        suspect(f"the button «{label}» has unknown fields: {', '.join(sorted(unknown))}")
    for name in ("text", "callback_data", "url"):
        if name in button and not isinstance(button[name], str):
            suspect(f"the button «{label}» has a {name} that is no string")


def _checked_data(data: Any) -> str:
    if not isinstance(data, str | int | float) or isinstance(data, bool):
        raise Unreadable('Field "callback_data" must be of type String')
    if len(str(data).encode()) > MOST_DATA:
        raise bad("BUTTON_DATA_INVALID")
    return str(data)


def _checked_url(url: Any, suspect: Suspect) -> str:
    """A link that leads somewhere; a host without a dot leads nowhere, whatever the browser at home says."""
    if not isinstance(url, str):
        raise Unreadable('Field "url" must be of type String')
    link = url if "://" in url or url.startswith(("tg:", "ton:")) else f"http://{url}"
    parts = _split(link, url)
    if parts.scheme in {"tg", "ton"}:
        return link
    if parts.scheme not in {"http", "https"}:
        raise _wrong_url(url, "Unsupported URL protocol")
    host = parts.hostname or ""
    if not host or ("." not in host and ":" not in host) or re.search(r"[\s<>\"]", link):
        raise _wrong_url(url, "Wrong HTTP URL")
    if LOOPBACK.match(host):
        suspect(f"a button leads to {host}, which nobody else can reach")
    return link


def _split(link: str, url: str) -> Any:
    try:
        parts = urlsplit(link)
        _ = parts.port
    except ValueError:
        raise _wrong_url(url, "Wrong HTTP URL") from None
    return parts


def _wrong_url(url: str, why: str) -> Refusal:
    return bad(f"Inline keyboard button URL '{url}' is invalid: {why}")


def _reply_button(button: Any, *, private: bool) -> Button:
    if isinstance(button, str):
        button = {"text": button}
    if not isinstance(button, dict):
        raise Unreadable("KeyboardButton must be a String or an Object")
    label = _label(button, "Keyboard button")
    for name, what in PRIVATE_ONLY.items():
        if button.get(name):
            if not private:
                raise bad(f"{what} can be requested in private chats only")
            return Button(label, asks=name.removeprefix("request_").replace("phone_number", "contact"))
    return Button(label)
