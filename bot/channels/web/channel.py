"""What the web chat can do and how its visitors are known."""

import hashlib
import re
import secrets

from bot.channels.base import Capabilities

WEB = Capabilities(
    "web",
    text_length=100_000,
    buttons=100,
    label_length=1_000,
    controls=frozenset({"several", "numbers"}),
    progress=True,
    files=True,
    greets=True,
)

COOKIE = "doluong"
IDLE_DAYS = 30
_TOKEN_BYTES = 24
_FORM = re.compile(r"[A-Za-z0-9_-]{32}")


def new_visitor() -> str:
    """A cookie value nobody can guess (192 bits)."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def is_visitor(cookie: str) -> bool:
    """Whether a cookie value has the form that `new_visitor` gives."""
    return _FORM.fullmatch(cookie) is not None


def address_of(cookie: str) -> str:
    """The address of a visitor: a hash, so that the database does not hold what opens a conversation."""
    return hashlib.sha256(cookie.encode()).hexdigest()
