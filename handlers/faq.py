"""Finds the question somebody answered before, among as many as officers write down."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

from content.knowledge import Fact
from handlers.phrases import Phrase, likeness, room
from handlers.weighing import Asked, Weigher, together

_MOST = 1_200  # places in the lists of words that are looked at
_ENOUGH = 40  # phrasings compared in full
_SAME = 0.7  # a deciding concept on one side only speaks against it
_UNDECIDED = 0.8  # and so does what an entry needs and the question lacks
Scored = tuple[str, float]
NOTHING: Scored = ("", 0.0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with its answer, the document it rests on and that document's date; English where there is any."""

    id: str
    ask: tuple[str, ...]
    answer: str
    document: str
    dated: str  # «2011-11-11», «2024-07» or «2013»
    answer_en: str | None = None
    title: str | None = None
    title_en: str | None = None


def entry_of(fact: Fact) -> Entry:
    """A fact of the content as an entry."""
    return Entry(
        id=fact.id,
        ask=fact.ask,
        answer=fact.answer.vi,
        document=fact.source.document,
        dated=fact.source.dated,
        answer_en=fact.answer.en,
        title=fact.offer.vi,
        title_en=fact.offer.en,
    )


class Faq:
    """An index built anew whenever entries change; finding one of ten thousand takes a few milliseconds at most."""

    def __init__(self, weigher: Weigher, facts: Iterable[Fact], entries: Iterable[Entry] = ()) -> None:
        facts, others = tuple(facts), tuple(entries)
        self.entries: Mapping[str, Entry] = {one.id: one for one in (*map(entry_of, facts), *others)}
        self._weigher = weigher
        self._together = together(facts)
        self._deciding = {one.id for one in facts if one.needs}
        self._phrases: Sequence[Phrase] = weigher.learned(
            (one.id, ask) for one in self.entries.values() for ask in one.ask
        )
        self._by_word: dict[str, list[int]] = {}
        for place, phrase in enumerate(self._phrases):
            for word in phrase.weights:
                self._by_word.setdefault(word, []).append(place)

    def decided(self, asked: Asked) -> Scored:
        """The entry whose needs stand in the question."""
        found = self._together.scores(asked.signs, asked.subjects)
        return max(found.items(), key=lambda pair: pair[1], default=NOTHING)

    def best(self, asked: Asked) -> Scored:
        """The entry nearest to the question and how near, 0..1."""
        deciding = self._together.scores(asked.signs, asked.subjects)
        found = dict(deciding)
        for place, shared in self._nearest(asked):
            phrase = self._phrases[place]
            score = likeness(phrase, shared, min(asked.size, room(phrase)))
            if self._weigher.at_odds(asked, phrase):
                score *= _SAME
            if phrase.owner in self._deciding and phrase.owner not in deciding:
                score *= _UNDECIDED
            if score > found.get(phrase.owner, 0.0):
                found[phrase.owner] = score
        return max(found.items(), key=lambda pair: pair[1], default=NOTHING)

    def _nearest(self, asked: Asked) -> Iterator[tuple[int, float]]:
        """The phrasings that share most of the question's rarer words, and the weight of all that each shares."""
        rare = self._by_rare_words(asked)
        for place in nlargest(_ENOUGH, rare, key=lambda place: rare[place] / self._phrases[place].size):
            weights = self._phrases[place].weights
            yield place, sum(weight for word, weight in weights.items() if word in asked.weights)

    def _by_rare_words(self, asked: Asked) -> dict[int, float]:
        """What phrasings share with the question, its rarest words first; common ones alone would bring all of them."""
        lists = sorted(
            (
                (self._by_word[word], weight)
                for word, weight in asked.weights.items()
                if word in self._by_word
            ),
            key=lambda pair: len(pair[0]),
        )
        shared: dict[int, float] = {}
        looked_at = 0
        for places, weight in lists:
            if looked_at and looked_at + len(places) > _MOST:
                break
            looked_at += len(places)
            for place in places[:_MOST]:
                shared[place] = shared.get(place, 0.0) + weight
        return shared
