"""What a cell says as text, whatever a spreadsheet made of it."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta

from handlers.register.found import Cell

_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u202a\u202b\u202c\u202d\u202e"))
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
MOST_TEXT = 2000  # characters of a cell that are looked at


def text_of(cell: Cell) -> str:
    """A cell's text in one line or several, white space tidied; whole numbers without a point."""
    match cell:
        case None | bool():
            return "" if cell is None else str(cell)
        case str():
            return tidy(cell)
        case float() if cell.is_integer() and abs(cell) < 1e18:
            return str(int(cell))
        case datetime():
            return cell.strftime("%d/%m/%Y %H:%M").removesuffix(" 00:00")
        case date():
            return cell.strftime("%d/%m/%Y")
        case int() | float() | time() | timedelta():
            return str(cell)


def tidy(text: str) -> str:
    """A text without what is not seen; lines stay lines."""
    seen = _CONTROLS.sub(" ", text[:MOST_TEXT].translate(_UNSEEN).replace("\r", "\n"))
    return _LINES.sub("\n", _SPACES.sub(" ", seen)).strip()


def composed(text: str) -> str:
    """A text in NFC."""
    return unicodedata.normalize("NFC", text)


def one_line(text: str) -> str:
    """A text in one line."""
    return " ".join(text.split())


def is_number(cell: Cell) -> bool:
    """Whether a spreadsheet holds a number there."""
    return isinstance(cell, int | float) and not isinstance(cell, bool)
