"""Finds enterprises that may be one: by the same tax code, or by nearly the same name in the same place."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from handlers.register.words import Lexis, plain

LIKELY = 90.0  # of 100: token_sort_ratio of two names without their common words
ALIKE = 80.0  # of 100: token_set_ratio of two names that have one tax code
_MOST_OF_A_WORD = 400  # names with one word: a word of more says little
_WORDS_ASKED = 3


@dataclass(frozen=True, slots=True)
class Named:
    """Something that has a name in a place; `key` is whose it is, `where` a commune's code or its folded text."""

    key: int
    name: str
    tax_code: str | None
    where: str


class Names:
    """Names by their words; asked for those that may be the same."""

    def __init__(self, lexis: Lexis, known: Iterable[Named] = ()) -> None:
        self._lexis = lexis
        self._known: list[tuple[Named, str]] = []
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._without_code: dict[str, list[int]] = defaultdict(list)  # those that one with a tax code may be
        for one in known:
            self.add(one)

    def add(self, one: Named) -> None:
        """Know one more."""
        core = self._lexis.core(one.name)
        place = len(self._known)
        self._known.append((one, core))
        for word in set(core.split()):
            self._by_word[word].append(place)
            if not one.tax_code:
                self._without_code[word].append(place)

    def like(self, one: Named) -> list[tuple[float, Named]]:
        """Those that may be the same, the likeliest first; two with different tax codes are two."""
        core = self._lexis.core(one.name)
        found: dict[int, tuple[float, Named]] = {}
        for place in self._candidates(core, self._without_code if one.tax_code else self._by_word):
            other, its = self._known[place]
            if other.key == one.key or not may_be_one(one, other):
                continue
            likeness = fuzz.token_sort_ratio(core, its, score_cutoff=LIKELY)
            if likeness >= (LIKELY if one.where and one.where == other.where else 100):
                best = found.get(other.key, (0.0, other))
                found[other.key] = max(best, (likeness, other), key=lambda pair: pair[0])
        return sorted(found.values(), key=lambda pair: (-pair[0], pair[1].key))

    @staticmethod
    def _candidates(core: str, by_word: Mapping[str, Sequence[int]]) -> Sequence[int]:
        """Names with one of the rarest words of a name."""
        words = sorted((len(by_word.get(word, ())), word) for word in set(core.split()))
        rare = [word for number, word in words if number <= _MOST_OF_A_WORD] or [
            word for _, word in words[:1]
        ]
        return sorted({place for word in rare[:_WORDS_ASKED] for place in by_word.get(word, ())})


def are_alike(core: str, other: str) -> bool:
    """Whether two names with one tax code can be one enterprise's; words added or left out do not matter."""
    return fuzz.token_set_ratio(core, other) >= ALIKE


def may_be_one(one: Named, other: Named) -> bool:
    """Whether tax codes and places leave it open that two are the same."""
    if one.tax_code and other.tax_code:
        return False
    return not (one.where and other.where) or one.where == other.where


def where(commune: str | None, text: str) -> str:
    """A place to compare."""
    return commune or plain(text)
