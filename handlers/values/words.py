"""Cuts a typed text into words and says what each may mean."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, auto
from functools import lru_cache

from content.model import ValueWords
from handlers.fold import Word, words_of

DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")  # each as people type it
_PIECE = re.compile(
    r"(?P<digits>[0-9]+(?:[.,][0-9]+)*)|(?P<letters>[^\W\d_]+(?:['’][^\W\d_]+)*)|(?P<line>\s*\n\s*)|(?P<sign>[<>]=|\?+|\S)"
)
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")  # «twenty-five»
_QUESTIONS = re.compile(r"\?+")
_MARK = "Mn"  # a combining mark that belongs to no letter
_UNSEEN = "Cf"  # zero-width characters, which copied texts are full of


class Sense(IntEnum):  # an int hashes faster than a name
    """What a word may mean where a number is expected."""

    DIGITS = auto()
    ONE = auto()
    FIRST_ONE = auto()
    LAST_ONE = auto()
    TEEN = auto()
    TENS = auto()
    TIMES_TEN = auto()
    SCALE = auto()
    SUFFIX = auto()
    SHORTENING = auto()
    JOIN = auto()
    HALF = auto()
    POINT = auto()
    MINUS = auto()
    ABOUT = auto()
    UNKNOWN = auto()
    NOTHING = auto()
    RANGE = auto()
    VAGUE = auto()
    FILLER = auto()
    UNIT = auto()
    SEPARATOR = auto()
    LABEL = auto()


_NUMERAL = frozenset({
    Sense.DIGITS, Sense.ONE, Sense.FIRST_ONE, Sense.LAST_ONE, Sense.TEEN, Sense.TENS, Sense.TIMES_TEN, Sense.SCALE
})  # fmt: skip
Phrase = tuple[str, Sense, int]


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number in digits or a sign, with all it may mean.

    A sense's number is its amount or, of a label, its place. `glued`: no space stands before it.
    """

    typed: str
    glued: bool
    senses: Mapping[Sense, int] = field(default_factory=dict)

    @property
    def may_begin_number(self) -> bool:
        """Whether a number may begin with it."""
        return not self.senses.keys().isdisjoint(_NUMERAL)

    def has(self, *senses: Sense) -> bool:
        """Whether it may mean one of these."""
        return not self.senses.keys().isdisjoint(senses)


@dataclass(frozen=True, slots=True)
class _Piece:
    typed: str
    glued: bool
    word: Word
    own: Sense | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    words: tuple[Word, ...]
    sense: Sense
    amount: int


class Lexicon:
    """Phrases by their first word; the longest that stands in a text is read."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_first: dict[str, list[_Entry]] = {}
        for text, sense, amount in phrases:
            if not (words := _words(text)):
                continue
            self._by_first.setdefault(words[0].plain, []).append(_Entry(words, sense, amount))

    def longest(self, pieces: Sequence[_Piece], at: int) -> tuple[int, dict[Sense, int]]:
        """How many words the longest phrase at `at` has, and what it may mean; (0, {}) where none stands."""
        fitting = [
            entry for entry in self._by_first.get(pieces[at].word.plain, ()) if _fits(entry, pieces, at)
        ]
        length = max((len(entry.words) for entry in fitting), default=0)
        longest = [entry for entry in fitting if len(entry.words) == length]
        exact = [entry for entry in longest if _exact(entry, pieces, at)]
        return length, {entry.sense: entry.amount for entry in exact or longest}


def lexicon_of(words: ValueWords) -> Lexicon:
    """The lexicon of numbers."""
    return Lexicon(_phrases(words))


def read_tokens(text: str, lexicon: Lexicon, labels: Lexicon | None = None) -> list[Token]:
    """The words of a text; where a label and another word are equally long, the label is read."""
    pieces = list(_pieces(text))
    tokens: list[Token] = []
    at = 0
    while at < len(pieces):
        length, senses = lexicon.longest(pieces, at)
        named, label = labels.longest(pieces, at) if labels else (0, {})
        if named and named >= length:
            length, senses = named, label
        tokens.append(_token(pieces, at, length, senses))
        at += length or 1
    return tokens


def is_longer(text: str, most: int) -> bool:
    """Whether a text has more characters, compatibility forms written out, than anything worth reading here."""
    return len(text) > most or len(unicodedata.normalize("NFKC", text)) > most


def clean(text: str) -> str:
    """`text` in Unicode NFC without zero-width characters, each run of white space one space."""
    seen = "".join(
        sign for sign in unicodedata.normalize("NFC", text) if unicodedata.category(sign) != _UNSEEN
    )
    return " ".join(seen.split())


@lru_cache(maxsize=4096)  # the labels of a form are the same few
def _words(text: str) -> tuple[Word, ...]:
    return tuple(piece.word for piece in _pieces(text))


def _pieces(text: str) -> Iterator[_Piece]:
    plain = unicodedata.normalize("NFKC", text).casefold().translate(DASHES)
    plain = _HYPHEN.sub(" ", unicodedata.normalize("NFC", plain))
    plain = "".join(sign for sign in plain if unicodedata.category(sign) not in (_MARK, _UNSEEN))
    end = 0
    for found in _PIECE.finditer(plain):
        yield _piece(found, glued=end == found.start() and end > 0)
        end = found.end()


def _piece(found: re.Match[str], *, glued: bool) -> _Piece:
    typed = _QUESTIONS.sub("?", found.group())
    if found.lastgroup == "digits":
        return _Piece(typed, glued, Word(typed, ""), Sense.DIGITS)
    if found.lastgroup == "line" or typed in ",;/|":
        return _Piece(typed, glued, Word(typed, ""), Sense.SEPARATOR)
    if found.lastgroup == "sign" and typed in ".:()[]{}\"'«»“”‘’*•…":
        return _Piece(typed, glued, Word(typed, ""), Sense.FILLER)
    words = words_of(typed)
    return _Piece(typed, glued, words[0] if len(words) == 1 else Word(typed, ""))


def _token(pieces: Sequence[_Piece], at: int, length: int, senses: dict[Sense, int]) -> Token:
    first = pieces[at]
    if length:
        typed = " ".join(piece.typed for piece in pieces[at : at + length])
        return Token(typed, first.glued, senses)
    return Token(first.typed, first.glued, {first.own: 0} if first.own else {})


def _fits(entry: _Entry, pieces: Sequence[_Piece], at: int) -> bool:
    typed = pieces[at : at + len(entry.words)]
    return len(typed) == len(entry.words) and all(
        piece.word.may_be(word, alone=False, toned=False)
        for piece, word in zip(typed, entry.words, strict=True)
    )


def _exact(entry: _Entry, pieces: Sequence[_Piece], at: int) -> bool:
    typed = pieces[at : at + len(entry.words)]
    return all(piece.word.marks == word.marks for piece, word in zip(typed, entry.words, strict=True))


def _phrases(words: ValueWords) -> Iterator[Phrase]:
    numbers = words.numbers
    for amounts, sense in (
        (numbers.ones, Sense.ONE),
        (numbers.first_ones, Sense.FIRST_ONE),
        (numbers.last_ones, Sense.LAST_ONE),
        (numbers.teens, Sense.TEEN),
        (numbers.tens, Sense.TENS),
        (numbers.scales, Sense.SCALE),
        (numbers.suffixes, Sense.SUFFIX),
    ):
        yield from ((text, sense, amount) for text, amount in amounts.items())
    for texts, sense in (
        (numbers.times_ten, Sense.TIMES_TEN),
        (numbers.shortening, Sense.SHORTENING),
        (numbers.joins, Sense.JOIN),
        (numbers.halves, Sense.HALF),
        (numbers.points, Sense.POINT),
        (words.minus, Sense.MINUS),
        (words.about, Sense.ABOUT),
        (words.unknown, Sense.UNKNOWN),
        (words.nothing, Sense.NOTHING),
        (words.between, Sense.SEPARATOR),
        (words.ranges, Sense.RANGE),
        (words.vague, Sense.VAGUE),
        (words.fillers, Sense.FILLER),
        (words.units, Sense.UNIT),
    ):
        yield from ((text, sense, 0) for text in texts)
