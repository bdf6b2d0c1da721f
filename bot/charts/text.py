"""How wide a text is, and where it is broken; estimated, for the reader's own font is not known here.

Widths are those of DejaVu Sans, the widest of the usual fonts: what fits by them fits in all.
"""

import re
import unicodedata
from html import escape

_OF_A_LETTER = {
    **dict.fromkeys("ijl|'.,:;!", 0.33),
    **dict.fromkeys("ft()[]-r/ I", 0.42),
    **dict.fromkeys("sckxyvz«»J", 0.6),
    **dict.fromkeys("wABCEFKLPRSTVXYZ", 0.72),
    **dict.fromkeys("DGHNOQUw&%", 0.82),
    **dict.fromkeys("mMW@", 1.0),
}
_USUAL = 0.645
_BOLD = 1.1
_UNSAID = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # no XML may hold it


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Pixels of a text set in so many pixels, rather too many than too few; marks above a letter have no width."""
    letters = (letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    ems = sum(1.0 if ord(letter) > 0x2E80 else _OF_A_LETTER.get(letter, _USUAL) for letter in letters)
    return ems * size * (_BOLD if bold else 1)


def wrapped(text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """The lines of a text that has so many pixels; a word that is wider than that is broken."""
    lines: list[str] = []
    line = ""
    for word in _words(text, size, room, bold=bold):
        longer = f"{line} {word}" if line else word
        if line and width(longer, size, bold=bold) > room:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def _words(text: str, size: float, room: float, *, bold: bool) -> list[str]:
    found = []
    for word in text.split(" "):
        part = ""
        for letter in word:
            if part and width(part + letter, size, bold=bold) > room:
                found.append(part)
                part = ""
            part += letter
        found.append(part)
    return found


def xml(text: str) -> str:
    """A text as it stands in markup, without what no markup can hold."""
    return escape(_UNSAID.sub("\N{REPLACEMENT CHARACTER}", text))
