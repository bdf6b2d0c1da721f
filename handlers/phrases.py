"""How near a question is to the phrasings somebody wrote down, and what concepts decide by standing together."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Scores = dict[str, float]

_ALONE = "-*"
_LEAST = 0.6  # a phrasing that shares less with a question is not compared
_WORTH = (0.0, 0.60, 0.78, 0.87, 0.92, 0.95)  # by how many concepts stand together


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrasing as weighted words; `decisive` are those that must be in the question, or not, as they are here."""

    owner: str
    weights: Mapping[str, float]
    size: float
    decisive: frozenset[str]


class Phrases:
    """Phrasings found by their words: the words of a question are added up once, phrasing by phrasing."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._phrases = phrases
        self._none: Scores = dict.fromkeys((phrase.owner for phrase in phrases), 0.0)
        self._least = [min(_LEAST, phrase.size / 2) for phrase in phrases]
        self._by_word: dict[str, list[tuple[int, float]]] = {}
        for place, phrase in enumerate(phrases):
            for word, weight in phrase.weights.items():
                self._by_word.setdefault(word, []).append((place, weight))

    def scores(self, words: Iterable[str], score: Callable[[Phrase, float], float]) -> Scores:
        """Each owner's best phrasing by `score` of what it shares with the words, 0.0 where it shares none."""
        shared: dict[int, float] = {}
        for word in words:
            for place, weight in self._by_word.get(word, ()):
                shared[place] = shared.get(place, 0.0) + weight
        found = dict(self._none)
        for place, held in shared.items():
            if held < self._least[place]:
                continue  # a few words that carry no subject
            phrase = self._phrases[place]
            found[phrase.owner] = max(found[phrase.owner], score(phrase, held))
        return found


class Together:
    """Concepts that decide by standing together: «a|b» is either of two, «-a» one that must be missing.

    «-*» wants every other concept missing: «tiền lấy đâu ra» asks for the plan's money where nothing else is named.
    """

    def __init__(self, owners: Iterable[tuple[str, Iterable[Sequence[str]]]]) -> None:
        self._by_first: dict[str, list[_Combination]] = {}
        for owner, combinations in owners:
            for one in combinations:
                combination = _combination(owner, one)
                for token in combination.needed[0]:
                    self._by_first.setdefault(token, []).append(combination)

    def scores(self, signs: frozenset[str], subjects: frozenset[str]) -> Scores:
        """Each owner's largest combination that stands among the signs, 0.6..0.95; the others are left out."""
        found: Scores = {}
        for token in signs:
            for one in self._by_first.get(token, ()):
                if one.stands_in(signs, subjects):
                    found[one.owner] = max(found.get(one.owner, 0.0), one.worth)
        return found


@dataclass(frozen=True, slots=True)
class _Combination:
    owner: str
    needed: tuple[frozenset[str], ...]
    missing: frozenset[str]
    worth: float
    alone: bool

    def stands_in(self, signs: frozenset[str], subjects: frozenset[str]) -> bool:
        if not self.missing.isdisjoint(signs) or any(one.isdisjoint(signs) for one in self.needed):
            return False
        return not self.alone or subjects <= frozenset().union(*self.needed)


def _combination(owner: str, names: Sequence[str]) -> _Combination:
    needed = tuple(_tokens(name) for name in names if not name.startswith("-"))
    without = (name[1:] for name in names if name.startswith("-") and name != _ALONE)
    missing = frozenset(token for name in without for token in _tokens(name))
    return _Combination(owner, needed, missing, _WORTH[min(len(needed), 5)], _ALONE in names)


def _tokens(names: str) -> frozenset[str]:
    return frozenset(name if name.isdigit() else f"={name}" for name in names.split("|"))


def likeness(phrase: Phrase, shared: float, size: float) -> float:
    """The cosine of a phrasing and a question of `size` that share words of the weight `shared`, 0..1."""
    return shared / math.sqrt(phrase.size * size) if size and phrase.size else 0.0


def room(phrase: Phrase) -> float:
    """How much a question may hold before what goes beyond the phrasing stops counting against it."""
    return 2.2 * phrase.size + 5.0
