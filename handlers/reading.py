"""Turns a question into concepts: abbreviations written out, misspellings met, synonyms made one."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Literal

from rapidfuzz.distance import OSA

from content.knowledge import Words
from handlers.fold import Word, fold, plain_words, words_of

_LONGEST = 4_000  # characters read; nobody asks a longer question
_MOST_WORDS = 120  # what follows repeats or rambles
_SHORTEST_SLIP = 3  # letters; shorter words are too near to all others
_REPEATED = re.compile(r"(.)\1+")


@dataclass(frozen=True)
class Read:
    """A question as its words, and as concepts and remaining words, in order; concepts start with «=»."""

    words: tuple[Word, ...]
    tokens: tuple[str, ...]
    cues: frozenset[str] = frozenset()  # what is asked, rather than of what; they start with «=», too

    def has(self, concepts: Iterable[str]) -> bool:
        """Whether one of the concepts stands in the question."""
        return any(f"={name}" in self.tokens for name in concepts)


class Forms:
    """Names known by one or more words, found in a text longest first."""

    def __init__(self, named: Iterable[tuple[str, Sequence[Word]]]) -> None:
        self._forms: dict[tuple[str, ...], list[tuple[Sequence[Word], str]]] = {}
        lengths: dict[str, set[int]] = {}
        for name, words in named:
            self._forms.setdefault(tuple(word.plain for word in words), []).append((words, name))
            lengths.setdefault(words[0].plain, set()).add(len(words))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}

    def found(self, words: Sequence[Word]) -> Iterator[tuple[int, int, str]]:
        """From every word where a name starts: its place, how many words make the longest name, and which."""
        plain, toned = tuple(word.plain for word in words), is_toned(words)
        for start, first in enumerate(plain):
            for length in self._lengths.get(first, ()):
                forms = self._forms.get(plain[start : start + length])
                if forms and (name := _meant(forms, words[start : start + length], toned=toned)):
                    yield start, length, name
                    break

    def all(self, words: Sequence[Word]) -> set[str]:
        """Every name that stands anywhere in the text."""
        return {name for _, _, name in self.found(words)}


def _meant(forms: Sequence[tuple[Sequence[Word], str]], there: Sequence[Word], *, toned: bool) -> str | None:
    """The name that typed words can be; one with the same marks before one whose marks were left out."""
    alone, possible = len(there) == 1, None
    for form, name in forms:
        pairs = list(zip(there, form, strict=True))
        if all(typed.marks == word.marks for typed, word in pairs):
            return name  # «khoa học» is no «khóa học» whose mark was left out
        if possible is None and all(typed.may_be(word, alone=alone, toned=toned) for typed, word in pairs):
            possible = name
    return possible


class Reader:
    """Reads questions and phrasings alike, so that both meet in the same concepts."""

    def __init__(self, words: Words) -> None:
        short = [(words_of(key), words_of(value)) for key, value in words.short.items()]
        self._short: dict[str, list[tuple[Word, list[Word]]]] = {}
        for key, value in short:
            if len(key) == 1:
                self._short.setdefault(key[0].plain, []).append((key[0], value))
        self._short_pairs: dict[str, dict[str, list[Word]]] = {}
        for key, value in short:
            if len(key) == 2:
                self._short_pairs.setdefault(key[0].plain, {})[key[1].plain] = value
        named = [(f"={name}", words_of(form)) for name, forms in words.concepts.items() for form in forms]
        self._concepts = Forms(named)
        self._cues = Forms(
            (f"={name}", words_of(form)) for name, forms in words.cues.items() for form in forms
        )
        cued = (word.plain for forms in words.cues.values() for form in forms for word in words_of(form))
        self._known = {*self._short, *plain_words(f"{words.filler} {words.telling} {words.this}"), *cued}
        self._known.update(word.plain for _, form in named for word in form)
        self._one_less: dict[str, str] = {}
        self._spelling = [_spelt(typed, meant) for typed, meant in words.spelling]
        self._joined = {
            "".join(word.plain for word in form): [Word(word.plain, "") for word in form]
            for _, form in named
            if len(form) > 1
        }
        self._after: dict[str, set[str]] = {}
        self._before: dict[str, set[str]] = {}
        self._remember_neighbours(form for _, form in named)

    def learn(self, texts: Iterable[str]) -> None:
        """Add the words of `texts` to the known ones; call it before the first question."""
        self.know(map(self.written, texts))

    def know(self, written: Iterable[Sequence[Word]]) -> None:
        """Add written words to the known ones."""
        before = len(self._known)
        self._known.update(word.plain for words in written for word in words)
        if len(self._known) > before:
            self._one_less = {less: word for word in sorted(self._known) for less in _one_less(word)}

    def read(self, text: str) -> Read:
        """The question as concepts; bounded in time whatever its length."""
        words = self._words(text)
        return Read(words, tuple(self._tokens(words)), frozenset(self._cues.all(words)))

    def tokens(self, written: Sequence[Word]) -> tuple[str, ...]:
        """Only the concepts and remaining words, as a phrasing of known words needs them."""
        return tuple(self._tokens(written[:_MOST_WORDS]))

    def _words(self, text: str) -> tuple[Word, ...]:
        written = self.written(text)[:_MOST_WORDS]
        return tuple(part for place in range(len(written)) for part in self._met(written, place))

    def _remember_neighbours(self, forms: Iterable[Sequence[Word]]) -> None:
        for form in forms:
            for one, two in pairwise(form):
                self._after.setdefault(one.plain, set()).add(two.plain)
                self._before.setdefault(two.plain, set()).add(one.plain)

    def written(self, text: str) -> list[Word]:
        """The words of a text with its abbreviations written out."""
        words, found = words_of(text[:_LONGEST]), list[Word]()
        second = False  # of a pair that is written out already
        for word, following in zip_longest(words, words[1:]):
            if second:
                second = False
            elif (pairs := self._short_pairs.get(word.plain)) and following and following.plain in pairs:
                found += pairs[following.plain]
                second = True
            else:
                found += self._one_written_out(word)
        return found

    def _one_written_out(self, word: Word) -> list[Word]:
        for key, value in self._short.get(word.plain, ()):
            if word.may_be(key, alone=True, toned=False):
                return value
        return [word]

    def _met(self, words: Sequence[Word], place: int) -> list[Word]:
        """The known word, or words, meant by a misspelt one, or the word itself."""
        word = words[place]
        if word.plain in self._known or not word.plain.isalpha():
            return [word]
        if joined := self._joined.get(word.plain):
            return joined  # «kinhphi»
        meant = self._chat_spelt(word.plain) or self._beside(words, place) or self._meant(word.plain)
        return [Word(meant, "") if meant else word]

    def _chat_spelt(self, plain: str) -> str | None:
        """What is meant by chat spelling: «lườg» for «lường», «nămm» for «năm»."""
        once = _REPEATED.sub(r"\1", plain)
        found = (meant for spell in self._spelling for meant in (spell(plain), spell(once)))
        return next((meant for meant in (once, *found) if meant in self._known), None)

    def _beside(self, words: Sequence[Word], place: int) -> str | None:
        """The word one slip away that makes a known name with the word before or after it: «kih phí»."""
        plain = words[place].plain
        if len(plain) < _SHORTEST_SLIP:
            return None
        followers = self._after.get(words[place - 1].plain, ()) if place else ()
        leaders = self._before.get(words[place + 1].plain, ()) if place + 1 < len(words) else ()
        near = (
            name for name in sorted({*followers, *leaders}) if OSA.distance(plain, name, score_cutoff=1) < 2
        )
        return next(near, None)

    def _meant(self, plain: str) -> str | None:
        for less in (plain, *_one_less(plain)) if len(plain) >= 5 else ():
            if less in self._known:
                return less
            if less in self._one_less:
                return self._one_less[less]
        return None

    def _tokens(self, words: Sequence[Word]) -> Iterator[str]:
        at = 0
        for start, length, name in self._concepts.found(words):
            if start >= at:
                yield from (word.plain for word in words[at:start])
                yield name
                at = start + length
        yield from (word.plain for word in words[at:])


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


def _spelt(typed: str, meant: str) -> Callable[[str], str]:
    """The word with an ending, or a beginning marked «^», as it is meant; itself where it has no such."""
    if typed.startswith("^"):
        first = typed[1:]
        return lambda word: f"{meant}{word[len(first) :]}" if word.startswith(first) else word
    return lambda word: f"{word[: -len(typed)]}{meant}" if word.endswith(typed) else word


def is_toned(words: Sequence[Word]) -> bool:
    """Whether a text is written with its tone marks: about three words in four have one."""
    return 2 * sum(bool(word.marks) for word in words) >= len(words)


def _one_less(word: str) -> Iterator[str]:
    if 5 <= len(word) <= 14 and word.isalpha():
        for at in range(len(word)):
            yield word[:at] + word[at + 1 :]
