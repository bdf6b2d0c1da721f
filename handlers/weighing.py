"""Weighs the words of a question: rare ones and concepts count, those that carry no subject hardly do."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from content.knowledge import Knowledge, Phrased
from handlers.fold import plain_words
from handlers.phrases import Phrase, Phrases, Scores, Together, likeness, room
from handlers.reading import Read, Reader

_FILLER = 0.15  # what a word that carries no subject weighs
_AT_ODDS = 0.7  # what is left of a likeness when a deciding concept stands on one side only
_COURTESY = "=courtesy"  # the concept of being asked nicely says nothing of what is asked
_YEARS = re.compile(r"(?<!\d)(?:(?:19|20)\d\d-)?((?:19|20)\d\d)(?!\d)")  # of «2026-2030» the last
_PIECE = re.compile(r"[,;:.?!\n…]+(?=\s|$)|\s[-–]\s")
_RAMBLES = 12  # words; a longer question is looked at piece by piece, too
_SHORTEST_PIECE = 3  # words
_PIECES = 8  # looked at


@dataclass(frozen=True)
class Asked:
    """A question ready for comparing."""

    read: Read
    tokens: frozenset[str]
    signs: frozenset[str]  # the tokens and what is asked of them
    subjects: frozenset[str]  # the concepts it is about
    weights: Mapping[str, float]
    size: float
    bare: Mapping[str, float]  # without the words that ask for lead, time, …
    bare_size: float
    attributes: frozenset[str]
    years: frozenset[int]
    pieces: tuple["Asked", ...] = ()


class Weigher:
    """Built once from the knowledge and the texts of the plan by id."""

    def __init__(self, knowledge: Knowledge, texts: Mapping[str, str]) -> None:
        words = knowledge.words
        self.reader = Reader(words)
        self.reader.learn(_everything(knowledge, texts))
        self._read: dict[str, tuple[str, ...]] = {}
        self.filler = {*plain_words(words.filler), *plain_words(words.telling), _COURTESY}
        self.asking = {f"={name}" for names in knowledge.attributes.values() for name in names}
        self._attributes = knowledge.attributes
        self._decisive = {f"={name}" for name in words.decisive}
        self._weights, self._unknown = self._weigh(knowledge, texts)

    def prepare(self, text: str) -> Asked:
        """A text as weighted words, whole and, where it rambles, in pieces."""
        asked = self._prepared(text)
        if len(asked.read.words) <= _RAMBLES:
            return asked
        pieces = (self._prepared(piece) for piece in _PIECE.split(text[:4_000])[:_PIECES])
        told = tuple(piece for piece in pieces if len(piece.read.words) >= _SHORTEST_PIECE)
        return replace(asked, pieces=told) if len(told) > 1 else asked

    def weight(self, token: str) -> float:
        """How much one word or concept counts."""
        found = self._weights.get(token)
        return self._unknown if found is None else found

    def tokens(self, text: str) -> tuple[str, ...]:
        """The concepts and words of a phrasing; each is read once."""
        found = self._read.get(text)
        if found is None:
            found = self._read[text] = self.reader.tokens(self.reader.written(text))
        return found

    def forget(self) -> None:
        """Give back the memory of the phrasings that were read; call it when all are weighed."""
        self._read.clear()

    def phrases(self, entries: Iterable[Phrased]) -> Phrases:
        """The phrasings of entries, ready for comparing."""
        return Phrases([self._phrase(entry.id, self.tokens(ask)) for entry in entries for ask in entry.ask])

    def learned(self, asked: Iterable[tuple[str, str]]) -> list[Phrase]:
        """Phrasings, each with its owner, whose words become known words."""
        written = [(owner, self.reader.written(ask)) for owner, ask in asked]
        self.reader.know(words for _, words in written)
        return [self._phrase(owner, self.reader.tokens(words)) for owner, words in written]

    def _phrase(self, owner: str, tokens: tuple[str, ...]) -> Phrase:
        weights = self._features(tokens)
        return Phrase(owner, weights, sum(weights.values()), frozenset(self._decisive & weights.keys()))

    def covering(self, asked: Asked, phrases: Phrases, bare_for: frozenset[str] = frozenset()) -> Scores:
        """Each owner's best phrasing; a rambling question is not held against a phrasing it contains.

        Owners in `bare_for` are also compared without the words that ask for one of their cells.
        """

        def score(phrase: Phrase, shared: float) -> float:
            return likeness(phrase, shared, min(asked.size, room(phrase)))

        found = phrases.scores(asked.weights, score)
        if not bare_for or not asked.attributes or asked.bare_size <= 1.0:
            return found

        def score_bare(phrase: Phrase, shared: float) -> float:
            if phrase.owner not in bare_for:
                return 0.0
            return likeness(phrase, shared, min(asked.bare_size, room(phrase)))

        for name, value in phrases.scores(asked.bare, score_bare).items():
            found[name] = max(found[name], value)
        return found

    def symmetric(self, asked: Asked, phrases: Phrases) -> Scores:
        """Each owner's best phrasing where every further word counts against it."""
        deciding = self._decisive & asked.weights.keys()

        def score(phrase: Phrase, shared: float) -> float:
            at_odds = _AT_ODDS if deciding != phrase.decisive else 1.0
            return likeness(phrase, shared, asked.size) * at_odds

        return phrases.scores(asked.weights, score)

    def at_odds(self, asked: Asked, phrase: Phrase) -> bool:
        """Whether a deciding concept stands on one side only."""
        return self._decisive & asked.weights.keys() != phrase.decisive

    def _prepared(self, text: str) -> Asked:
        read = self.reader.read(text)
        weights = self._features(read.tokens)
        bare = self._features(tuple(token for token in read.tokens if token not in self.asking))
        found = (name for name, concepts in self._attributes.items() if read.has(concepts))
        years = frozenset(int(year) for word in read.words for year in _YEARS.findall(word.plain))
        sizes = sum(weights.values()), sum(bare.values())
        tokens = frozenset(read.tokens)
        return Asked(
            read,
            tokens,
            tokens | read.cues,
            self._subjects(tokens),
            weights,
            sizes[0],
            bare,
            sizes[1],
            frozenset(found),
            years,
        )

    def _subjects(self, tokens: frozenset[str]) -> frozenset[str]:
        return frozenset(token for token in tokens - self.asking if token.startswith("=")) - {_COURTESY}

    def _features(self, tokens: tuple[str, ...]) -> dict[str, float]:
        weights = {token: self.weight(token) for token in tokens}
        meant = [token for token in tokens if token not in self.filler]
        for one, two in pairwise(meant):
            if not (one.startswith("=") and two.startswith("=")):
                weights[f"{one} {two}"] = 0.4 * min(self.weight(one), self.weight(two))
        return weights

    def _weigh(self, knowledge: Knowledge, texts: Mapping[str, str]) -> tuple[dict[str, float], float]:
        owners = [entry for group in knowledge.groups for entry in group]
        counts: Counter[str] = Counter()
        for owner in owners:
            told = (*owner.ask, *owner.marks, texts.get(owner.id, ""))
            counts.update({token for text in told for token in self.tokens(text)})
        total = len(owners)
        weights = {
            token: math.log(1 + total / count) * (1.25 if token.startswith("=") else 0.9)
            for token, count in counts.items()
        }
        weights.update(dict.fromkeys(self.filler, _FILLER))
        return weights, 0.5 * math.log(1 + total)  # a word nobody wrote down may matter or not


def together(entries: Iterable[Phrased]) -> Together:
    """The concepts that decide for entries by standing together."""
    return Together((entry.id, entry.needs) for entry in entries)


def _everything(knowledge: Knowledge, texts: Mapping[str, str]) -> Iterator[str]:
    yield from texts.values()
    for group in knowledge.groups:
        for entry in group:
            yield from entry.ask
            yield from entry.marks
