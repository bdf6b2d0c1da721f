"""Turns a question into concepts: abbreviations written out, misspellings met, synonyms made one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from content.knowledge import Words
from handlers.fold import Word, plain_words, words_of

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

    def first(self, words: Sequence[Word]) -> str | None:
        """The first name that stands anywhere in the text."""
        toned = is_toned(words)
        found = (self.at(words, start, toned=toned) for start in range(len(words)))
        return next((name for _, name in filter(None, found)), None)


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


def is_toned(words: Sequence[Word]) -> bool:
    """Whether a text is written with its tone marks: about three words in four have one."""
    return 2 * sum(bool(word.marks) for word in words) >= len(words)


def _one_less(word: str) -> Iterator[str]:
    if 5 <= len(word) <= 14 and word.isalpha():
        for at in range(len(word)):
            yield word[:at] + word[at + 1 :]
