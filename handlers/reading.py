"""Turns a question into concepts: abbreviations written out, misspellings met, synonyms made one."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from content.knowledge import Words
from handlers.fold import Word, fold, plain_words, words_of

_LONGEST = 4_000  # characters read; nobody asks a longer question
_MOST_WORDS = 120  # what follows repeats or rambles


@dataclass(frozen=True)
class Read:
    """A question as its words, and as concepts and remaining words, in order; concepts start with «=»."""

    words: tuple[Word, ...]
    tokens: tuple[str, ...]

    def has(self, concepts: Iterable[str]) -> bool:
        """Whether one of the concepts stands in the question."""
        return any(f"={name}" in self.tokens for name in concepts)


class Forms:
    """Names known by one or more words, found in a text longest first."""

    def __init__(self, named: Iterable[tuple[str, Sequence[Word]]]) -> None:
        self._starting: dict[str, list[tuple[Sequence[Word], str]]] = {}
        for name, words in named:
            self._starting.setdefault(words[0].plain, []).append((words, name))
        for forms in self._starting.values():
            forms.sort(key=lambda form: -len(form[0]))

    def at(self, words: Sequence[Word], start: int, *, toned: bool) -> tuple[int, str] | None:
        """How many words from `start` make a name, and which."""
        for form, name in self._starting.get(words[start].plain, ()):
            alone, there = len(form) == 1, words[start : start + len(form)]
            if len(there) == len(form) and all(
                typed.may_be(word, alone=alone, toned=toned) for typed, word in zip(there, form, strict=True)
            ):
                return len(form), name
        return None

    def all(self, words: Sequence[Word]) -> set[str]:
        """Every name that stands anywhere in the text."""
        toned = is_toned(words)
        found = (self.at(words, start, toned=toned) for start in range(len(words)))
        return {name for _, name in filter(None, found)}


class Reader:
    """Reads questions and phrasings alike, so that both meet in the same concepts."""

    def __init__(self, words: Words) -> None:
        short = ((words_of(key)[0], words_of(value)) for key, value in words.short.items())
        self._short: dict[str, list[tuple[Word, list[Word]]]] = {}
        for key, value in short:
            self._short.setdefault(key.plain, []).append((key, value))
        named = [(f"={name}", words_of(form)) for name, forms in words.concepts.items() for form in forms]
        self._concepts = Forms(named)
        self._known = set(self._short) | set(plain_words(words.filler))
        self._known.update(word.plain for _, form in named for word in form)
        self._one_less: dict[str, str] = {}

    def learn(self, texts: Iterable[str]) -> None:
        """Add the words of `texts` to the known ones; call it before the first question."""
        self._known.update(word.plain for text in texts for word in self._written_out(text))
        self._one_less = {less: word for word in sorted(self._known) for less in _one_less(word)}

    def read(self, text: str) -> Read:
        """The question as concepts; bounded in time whatever its length."""
        words = tuple(self._met(word) for word in self._written_out(text[:_LONGEST])[:_MOST_WORDS])
        return Read(words=words, tokens=tuple(self._tokens(words)))

    def _written_out(self, text: str) -> list[Word]:
        return [part for word in words_of(text) for part in self._one_written_out(word)]

    def _one_written_out(self, word: Word) -> list[Word]:
        for key, value in self._short.get(word.plain, ()):
            if word.may_be(key, alone=True, toned=False):
                return value
        return [word]

    def _met(self, word: Word) -> Word:
        """The known word meant by a misspelt one, or the word itself."""
        if word.plain in self._known or not word.plain.isalpha():
            return word
        meant = self._meant(word.plain)
        return Word(meant, "") if meant else word

    def _meant(self, plain: str) -> str | None:
        if plain.endswith("g") and (nasal := f"{plain[:-1]}ng") in self._known:
            return nasal  # chat spelling: «lườg» for «lường»
        for less in (plain, *_one_less(plain)) if len(plain) >= 5 else ():
            if less in self._known:
                return less
            if less in self._one_less:
                return self._one_less[less]
        return None

    def _tokens(self, words: Sequence[Word]) -> Iterator[str]:
        at, toned = 0, is_toned(words)
        while at < len(words):
            length, token = self._concepts.at(words, at, toned=toned) or (1, words[at].plain)
            yield token
            at += length


Called = Literal["task", "heading", "clause"]


@dataclass(frozen=True)
class Numbered:
    """A number in a text that may name a clause, a heading or a task."""

    name: str  # «II.3», «I.2.a», «2.4», «II», «2»
    called: Called | None  # what the word before it calls it
    rest: str  # the text around it, folded
    is_word: bool  # whether alone it could as well be a word: «V» says «vâng», «vi» names a language


class Numbers:
    """Finds the numbers by which people name parts of the plan."""

    def __init__(self, words: Words) -> None:
        self._called: dict[str, Called] = {fold(word): "clause" for word in words.reference}
        self._called.update((fold(word), "heading") for word in words.heading_reference)
        self._called.update((fold(word), "task") for word in words.task_reference)
        leading = "|".join(re.escape(word) for word in sorted(self._called, key=len, reverse=True))
        roman = r"(?:x?(?:ix|iv|vi{0,3}|i{1,3})|x)(?:\.\d{1,2}(?:\.?[a-d])?|\.yc)?(?:-\d(?:\.\d)?)?"
        self._pattern = re.compile(
            rf"(?<![\w.,/-])(?:(?P<word>{leading})(?:\s+|(?=\d)))?"
            rf"(?P<id>[1-9](?:[.,]\d{{1,2}})?|{roman})(?![\w-]|[.,:/]\w|\s?%)"
        )

    def find(self, text: str, *, english: bool) -> Iterator[Numbered]:
        """The numbers of a text in order, without those that are rather a word."""
        line = fold(text).rstrip(" ?.!")
        for found in self._pattern.finditer(line):
            ends = found.end() == len(line)
            if ends or not _is_word(found["id"], text, english=english):
                rest = f"{line[: found.start()]} {line[found.end() :]}".strip()
                called = self._called.get(found["word"])
                yield Numbered(_numbered(found["id"]), called, rest, found["id"] in _ALSO_WORDS)


_ALSO_WORDS = {"i", "v", "x", "vi", "xi"}  # what Vietnamese without marks, or English, writes too


def _is_word(number: str, text: str, *, english: bool) -> bool:
    if number == "i" and english:
        return True
    capitals = re.findall(r"\w+", unicodedata.normalize("NFC", text))
    return number in _ALSO_WORDS and number.upper() not in capitals


def _numbered(typed: str) -> str:
    """A number as the plan writes it: «i.2a» is «I.2.a», «2,4» is «2.4»."""
    if typed[0].isdigit():
        return typed.replace(",", ".")
    first, *rest = re.sub(r"(?<=\d)(?=[a-d])", ".", typed).split(".")
    head, *bullet = first.split("-", maxsplit=1)
    return ".".join(["-".join([head.upper(), *bullet]), *rest])


def is_toned(words: Sequence[Word]) -> bool:
    """Whether a text is written with its tone marks: about three words in four have one."""
    return 2 * sum(bool(word.marks) for word in words) >= len(words)


def _one_less(word: str) -> Iterator[str]:
    if 5 <= len(word) <= 14 and word.isalpha():
        for at in range(len(word)):
            yield word[:at] + word[at + 1 :]
