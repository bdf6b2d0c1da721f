"""Finds what a question asks for: an item of the plan, a service, small talk, or nothing the plan answers."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from content.everything import Content
from content.knowledge import DOCUMENT, DOCUMENT_ITEMS, Knowledge, Phrased, Target
from content.model import Chapter, Language, Plan
from handlers.fold import Word, plain_words, words_of
from handlers.reading import Forms, Numbered, Numbers, Read, Reader

Kind = Literal["plan", "faq", "service", "did_you_mean", "handoff", "smalltalk", "ignored"]

# Measured on the sample questions; between the two bars the person is asked what was meant.
_SURE, _UNSURE = 0.50, 0.44
_NAMED = 0.80  # below it a silent topic is not named: the plan may well say something of it
_SERVICE, _SMALLTALK = 0.58, 0.60
_MARKED = 0.85  # a deciding word outweighs all but a near-exact phrasing
_CLOSE = 0.93  # a second item this near the first is told too
_COMPARED = 0.70  # nearer is not asked of it when two things are compared
_RIVAL = 0.85  # below the upper bar, a second item this near makes it a question back
_COURTESY = "=courtesy"  # the concept of being asked nicely says nothing of what is asked
_AT_ODDS = 0.7  # what is left of a likeness when a deciding concept stands on one side only
_STRANGE = 0.3  # how much words foreign to an item speak against it
_LAST_YEAR, _FIRST_YEAR = 2030, 2018


@dataclass(frozen=True)
class Understood:
    """What a text was taken to mean; items best first with their scores."""

    kind: Kind
    language: Language = "vi"
    language_is_clear: bool = False
    items: tuple[tuple[str, float], ...] = ()
    attributes: frozenset[str] = frozenset()
    service: str | None = None
    topic: str | None = None
    target: str | None = None
    named: bool = False  # asked for by its number
    heading: Chapter | None = None  # what the items stand under, when a heading was asked for
    score: float = 0.0
    runner_up: tuple[str, float] | None = None


Scores = dict[str, float]


@dataclass(frozen=True)
class _Phrase:
    owner: str
    weights: Mapping[str, float]
    size: float
    decisive: frozenset[str]  # its words that must be in the question, or not, as they are here


class _Phrases:
    """Phrasings and the words they are found by: only those that share one with a question are compared."""

    def __init__(self, phrases: Sequence[_Phrase]) -> None:
        self._phrases = phrases
        self._none: Scores = dict.fromkeys((phrase.owner for phrase in phrases), 0.0)
        self._by_word: dict[str, list[int]] = {}
        for place, phrase in enumerate(phrases):
            for word in phrase.weights:
                self._by_word.setdefault(word, []).append(place)

    def scores(self, words: Iterable[str], score: Callable[[_Phrase], float]) -> Scores:
        """Each owner's best phrasing by `score`, 0.0 for those that share no word."""
        found = dict(self._none)
        for place in sorted({place for word in words for place in self._by_word.get(word, ())}):
            phrase = self._phrases[place]
            found[phrase.owner] = max(found[phrase.owner], score(phrase))
        return found


@dataclass(frozen=True)
class _Asked:
    """A question ready for comparing."""

    read: Read
    weights: Mapping[str, float]
    size: float
    bare: Mapping[str, float]  # without the words that ask for lead, time, …
    bare_size: float
    attributes: frozenset[str]
    years: frozenset[int]


class Understanding:
    """Built once from the content; `understand` is then pure, quick and never raises."""

    def __init__(self, content: Content) -> None:
        knowledge = content.knowledge
        self._knowledge = knowledge
        self._texts = _texts_of(content.plan)
        self._tasks = {task.id for task in content.plan.tasks}
        self._reader = Reader(knowledge.words)
        self._reader.learn(_everything(knowledge, self._texts))
        self._filler = {*plain_words(knowledge.words.filler), _COURTESY}
        self._english = set(plain_words(knowledge.words.english))
        self._vietnamese = {word for text in self._texts.values() for word in plain_words(text)}
        self._decisive = {f"={name}" for name in knowledge.words.decisive}
        self._asking = {f"={name}" for names in knowledge.attributes.values() for name in names}
        self._rarity, self._rarest = self._weigh(knowledge)
        self._items = self._phrases(knowledge.items)
        self._targets = self._phrases(knowledge.targets)
        self._services = self._phrases(knowledge.services)
        self._smalltalk = self._phrases(knowledge.smalltalk)
        self._topics = self._phrases(knowledge.topics)
        self._item_words = {name: set(self._reader.read(text).tokens) for name, text in self._texts.items()}
        marking: tuple[Phrased, ...] = (*knowledge.smalltalk, *knowledge.topics)
        self._rank = {entry.id: place for place, entry in enumerate(marking)}
        self._marks = Forms((entry.id, words_of(mark)) for entry in marking for mark in entry.marks)
        self._talks = {entry.id for entry in knowledge.smalltalk}
        self._item_known = {
            item.id: self._item_words[item.id].union(*(self._reader.read(ask).tokens for ask in item.ask))
            for item in knowledge.items
        }
        self._item_told = {
            name: known | self._filler | self._asking for name, known in self._item_known.items()
        }
        self._items_with: dict[str, list[str]] = {}
        for name, words in self._item_words.items():
            for word in words:
                self._items_with.setdefault(word, []).append(name)
        self._by_item = {f.item: t for t in knowledge.targets for f in (t.by_2025, t.by_2030, t.total)}
        self._by_task = {target.task: target for target in knowledge.targets}
        self._target = {target.id: target for target in knowledge.targets}
        self._numbers = Numbers(knowledge.words)
        self._quiet = self._filler | self._asking | set(self._reader.read(knowledge.words.beside).tokens)
        self._around_year = set(self._reader.read(knowledge.words.beside_year).tokens)
        self._chapters = {chapter.id: chapter for chapter in content.plan.chapters}
        self._groups = {group.id: group for group in content.plan.groups}
        self._year_items = _year_items(knowledge.targets)

    def understand(self, text: str) -> Understood:
        """What `text` asks for."""
        if not text.strip():
            return Understood("ignored")
        read = self._reader.read(text)
        language, clear = self._language(text, read)
        if not read.words:
            return Understood("smalltalk", language, False, topic="emptyish", score=1.0)
        asked = self._prepare(read)
        numbered = self._by_number(text[:2_000], asked, english=language == "en")
        found = numbered or self._by_year(asked) or self._nearest(asked)
        return _spoken(found, language, clear)

    # What the question is nearest to

    def _nearest(self, asked: _Asked) -> Understood:
        marked = self._marked(asked.read.words)
        talk = _top(self._symmetric(asked, self._smalltalk))
        service = _top(self._symmetric(asked, self._services))
        topic = _top(self._covering(asked, self._topics))
        items = self._item_scores(asked)
        best = _top(items)
        if marked and marked in self._talks:
            return _said("smalltalk", marked, 1.0, best)
        if marked and best[1] < _MARKED and service[1] < _MARKED:
            return _said("handoff", marked, _MARKED, best)
        if service[1] >= _SERVICE and service[1] >= max(best[1] * 0.95, talk[1], topic[1]):
            return Understood("service", service=service[0], score=service[1], runner_up=best)
        if talk[1] >= _SMALLTALK and talk[1] > max(best[1], topic[1]):
            return _said("smalltalk", talk[0], talk[1], best)
        by_chance = best[1] < _MARKED and not self._shares_a_concept(asked, best[0])
        if topic[1] >= best[1] or best[1] < _UNSURE or by_chance:
            return _said("handoff", topic[0] if topic[1] >= _NAMED else None, max(topic[1], 0.0), best)
        return self._plan(asked, items)

    def _shares_a_concept(self, asked: _Asked, name: str) -> bool:
        """Single syllables without their marks meet by chance; a concept does not."""
        known = self._item_known.get(name)
        return known is None or any(token in known for token in asked.read.tokens if token.startswith("="))

    def _plan(self, asked: _Asked, items: Scores) -> Understood:
        ranked = sorted(items.items(), key=lambda pair: -pair[1])
        name, score = ranked[0]
        close = _COMPARED if asked.read.has(("compare",)) else _CLOSE
        target = self._target.get(name) or self._target_of(name, asked)
        runner_up = _other(ranked, name)
        if score < _SURE and runner_up and runner_up[1] >= _RIVAL * score:
            offered = tuple((self._answering(each), value) for each, value in ranked[:3])
            return Understood("did_you_mean", items=offered, score=score, runner_up=runner_up)
        if target:
            chosen = tuple((each, score) for each in self._steps(target, asked))
        else:
            near = (pair for pair in ranked[:2] if pair[1] >= close * score)
            chosen = tuple(pair for pair in near if self._alike(name, pair[0]))
        told = target.id if target and chosen[0][0] not in self._tasks else None
        return Understood(
            "plan",
            items=chosen,
            attributes=asked.attributes,
            score=score,
            runner_up=runner_up,
            target=told,
        )

    def _target_of(self, name: str, asked: _Asked) -> Target | None:
        if "target" not in asked.attributes:
            return None
        only = not asked.attributes & {"lead", "cooperating", "time", "funding"}
        return self._by_item.get(name) or (self._by_task.get(name) if only else None)

    def _steps(self, target: Target, asked: _Asked) -> tuple[str, ...]:
        """The items that answer a question about a target: one step, both, the total, or the task."""
        if asked.attributes & {"lead", "cooperating", "funding"}:
            return (target.task,)
        if asked.read.has(("total",)) or not asked.years & {2025, 2030}:
            return (target.total.item, target.task)
        steps = ((2025, target.by_2025.item), (2030, target.by_2030.item))
        return tuple(item for year, item in steps if year in asked.years)

    def _answering(self, name: str) -> str:
        return self._target[name].total.item if name in self._target else name

    def _alike(self, one: str, other: str) -> bool:
        """Whether a second item may be told with the first: no clause together with a bullet of its own."""
        if other != one and other.partition("-")[0] == one.partition("-")[0]:
            return "-" in one and "-" in other
        return (one in self._tasks) == (other in self._tasks) and other not in self._target

    # Scores

    def _item_scores(self, asked: _Asked) -> Scores:
        scores = self._covering(asked, self._items)
        owning = {name for token in asked.weights for name in self._items_with.get(token, ())}
        for name, score in scores.items():
            if not score and name not in owning:
                continue
            own = self._own_words(asked, name)
            known = 1 - _STRANGE * self._strange(asked, name)
            scores[name] = (1 - (1 - score) * (1 - 0.35 * own)) * known * self._leaning(asked, name)
        for name, score in self._covering(asked, self._targets).items():
            scores[name] = score * (1.05 if "target" in asked.attributes else 0.6)
        return scores

    def _own_words(self, asked: _Asked, name: str) -> float:
        words = self._item_words.get(name, set())
        held = sum(weight for token, weight in asked.weights.items() if token in words)
        return held / asked.size if asked.size else 0.0

    def _strange(self, asked: _Asked, name: str) -> float:
        """The share of the question that neither the item nor any phrasing of it knows."""
        foreign = set(asked.read.tokens) - self._item_told[name]
        strange = sum(self._weight(token) * (2 if token.startswith("=") else 1) for token in foreign)
        return min(strange / asked.size, 1.0) if asked.size else 0.0

    def _leaning(self, asked: _Asked, name: str) -> float:
        """Who asks for a cell of the appendix means a task; who asks for a number or nothing, either."""
        if name in DOCUMENT_ITEMS or not asked.attributes & {"lead", "cooperating", "time", "funding"}:
            return 1.0
        if name in self._tasks:
            return 1.1
        return 1.0 if _part(name) in self._knowledge.telling_parts else 0.85

    def _covering(self, asked: _Asked, phrases: _Phrases) -> Scores:
        """Each owner's best phrasing; a rambling question is not held against a phrasing it contains."""
        bare = asked.bare if asked.attributes and asked.bare_size > 1.0 else None

        def score(phrase: _Phrase) -> float:
            found = _likeness(phrase, asked.weights, min(asked.size, _room(phrase)))
            if bare is None or phrase.owner not in self._tasks:
                return found
            return max(found, _likeness(phrase, bare, min(asked.bare_size, _room(phrase))))

        return phrases.scores((*asked.weights, *(bare or ())), score)

    def _symmetric(self, asked: _Asked, phrases: _Phrases) -> Scores:
        """Each owner's best phrasing where every further word counts against it."""
        deciding = self._decisive & asked.weights.keys()

        def score(phrase: _Phrase) -> float:
            at_odds = _AT_ODDS if deciding != phrase.decisive else 1.0
            return _likeness(phrase, asked.weights, asked.size) * at_odds

        return phrases.scores(asked.weights, score)

    # Preparing

    def _prepare(self, read: Read) -> _Asked:
        weights = self._features(read.tokens)
        bare = self._features(tuple(token for token in read.tokens if token not in self._asking))
        found = (name for name, concepts in self._knowledge.attributes.items() if read.has(concepts))
        years = frozenset(int(word.plain) for word in read.words if _is_year(word.plain))
        return _Asked(read, weights, sum(weights.values()), bare, sum(bare.values()), frozenset(found), years)

    def _features(self, tokens: tuple[str, ...]) -> dict[str, float]:
        weights = {token: self._weight(token) for token in tokens}
        meant = [token for token in tokens if token not in self._filler]
        for one, two in pairwise(meant):
            if not (one.startswith("=") and two.startswith("=")):
                weights[f"{one} {two}"] = 0.4 * min(self._weight(one), self._weight(two))
        return weights

    def _weight(self, token: str) -> float:
        if token in self._filler:
            return 0.15
        weight = self._rarity.get(token)
        if weight is None:
            return 0.5 * self._rarest  # a word nobody wrote down may matter or not
        return weight * (1.25 if token.startswith("=") else 0.9)

    def _weigh(self, knowledge: Knowledge) -> tuple[dict[str, float], float]:
        owners = [entry for group in _groups(knowledge) for entry in group]
        counts: Counter[str] = Counter()
        for owner in owners:
            texts = (*owner.ask, *owner.marks, self._texts.get(owner.id, ""))
            counts.update({token for text in texts for token in self._reader.read(text).tokens})
        total = len(owners)
        return {token: math.log(1 + total / count) for token, count in counts.items()}, math.log(1 + total)

    def _phrases(self, entries: Iterable[Phrased]) -> _Phrases:
        found = []
        for entry in entries:
            for ask in entry.ask:
                weights = self._features(self._reader.read(ask).tokens)
                decisive = frozenset(self._decisive & weights.keys())
                found.append(_Phrase(entry.id, weights, sum(weights.values()), decisive))
        return _Phrases(found)

    def _marked(self, words: tuple[Word, ...]) -> str | None:
        """The entry with a deciding word in the question, the first in the files of more than one.

        A year beyond the plan decides too.
        """
        beyond = _BEYOND if any(_is_other_year(word.plain) for word in words) else None
        return min(self._marks.all(words), key=self._rank.__getitem__, default=beyond)

    def _language(self, text: str, read: Read) -> tuple[Language, bool]:
        if _has_vietnamese(text[:2_000]):
            return "vi", True
        plain = plain_words(text[:2_000])
        # A word may be both («can bo», «can you»): it then speaks for neither.
        english = sum(word in self._english and word not in self._vietnamese for word in plain)
        vietnamese = sum(word in self._vietnamese and word not in self._english for word in plain)
        if english > vietnamese and 5 * english >= len(plain):
            return "en", len(plain) > 1
        return "vi", vietnamese > 1 and not english

    # A clause, heading or task named by its number

    def _by_number(self, text: str, asked: _Asked, *, english: bool) -> Understood | None:
        for found in self._numbers.find(text, english=english):
            quiet = self._is_quiet(found.rest, self._quiet)
            under = self._under(found) if quiet or "." in found.name else None
            if found.name in self._texts and (found.called or quiet):
                items = ((found.name, 1.0),)
                return Understood("plan", items=items, attributes=asked.attributes, score=1.0, named=True)
            if under:
                below = tuple((name, 1.0) for name in self._items_under(under))
                return Understood("plan", items=below, score=1.0, heading=under)
            if self._is_missing(found, quiet=quiet):
                return Understood("handoff", topic=NO_SUCH_ITEM, score=1.0)
        return None

    def _under(self, found: Numbered) -> Chapter | None:
        """The heading of that number; the plan and its appendix both count theirs from I."""
        digit = found.name.isdecimal()
        if digit and found.called not in ("task", "heading"):
            return None
        if not found.called and (found.rest or found.is_word):
            return None
        name = _ROMAN[int(found.name)] if digit else found.name
        group = self._groups.get(name)
        return group if found.called == "task" else self._chapters.get(name) or group

    def _items_under(self, heading: Chapter) -> tuple[str, ...]:
        in_appendix = self._groups.get(heading.id) is heading
        head = f"{_ROMAN.index(heading.id)}." if in_appendix else f"{heading.id}."
        return tuple(name for name in self._texts if name.startswith(head) and "-" not in name)

    def _is_missing(self, found: Numbered, *, quiet: bool) -> bool:
        """Whether the number was meant as one of the plan's, which has none such."""
        if found.name in self._texts:
            return False
        if "." in found.name:
            return found.called is not None or not found.rest
        return quiet and found.called in ("task", "heading")

    def _is_quiet(self, rest: str, allowed: set[str]) -> bool:
        """Whether the words around a number ask for nothing but what stands there."""
        return all(token in allowed for token in self._reader.read(rest).tokens)

    def _by_year(self, asked: _Asked) -> Understood | None:
        """A year alone asks for its targets."""
        items = tuple((item, 1.0) for year, item in self._year_items.items() if year in asked.years)
        years = {str(year) for year in asked.years}
        allowed = self._filler | self._around_year | years
        if not items or len(items) < len(years) or any(token not in allowed for token in asked.read.tokens):
            return None
        return Understood("plan", items=items, score=1.0)


NO_SUCH_ITEM = "no_such_item"
_BEYOND = "other_plan"
_ROMAN = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")


def _part(name: str) -> str:
    """The part of the plan an item stands in: «V» of «V.1-2»."""
    return re.split(r"[.-]", name, maxsplit=1)[0]


def _year_items(targets: tuple[Target, ...]) -> dict[int, str]:
    """The clauses that hold the targets of each step."""
    first = targets[0]
    return {2025: first.by_2025.item.split("-")[0], 2030: first.by_2030.item.split("-")[0]}


def _texts_of(plan: Plan) -> dict[str, str]:
    """The words of every item, with the head it stands under."""
    sections = {section.id: f"{section.title} {section.text}" for section in plan.sections}
    tasks = {task.id: f"{task.text} {task.time}" for task in plan.tasks}
    document = plan.document
    whole = " ".join((document.title, *document.preamble))
    return {**sections, **tasks, **dict.fromkeys(sorted(DOCUMENT_ITEMS), ""), DOCUMENT: whole}


def _everything(knowledge: Knowledge, texts: Mapping[str, str]) -> Iterable[str]:
    yield from texts.values()
    for group in _groups(knowledge):
        for entry in group:
            yield from entry.ask
            yield from entry.marks


def _groups(knowledge: Knowledge) -> tuple[tuple[Phrased, ...], ...]:
    return knowledge.items, knowledge.targets, knowledge.services, knowledge.smalltalk, knowledge.topics


def _likeness(phrase: _Phrase, weights: Mapping[str, float], size: float) -> float:
    if not size or not phrase.size:
        return 0.0
    shared = sum(weight for token, weight in phrase.weights.items() if token in weights)
    return shared / math.sqrt(phrase.size * size)


def _room(phrase: _Phrase) -> float:
    """How much a question may hold before what goes beyond the phrasing stops counting against it."""
    return 2.2 * phrase.size + 5.0


def _top(scores: Scores) -> tuple[str, float]:
    return max(scores.items(), key=lambda pair: pair[1])


def _other(ranked: list[tuple[str, float]], name: str) -> tuple[str, float] | None:
    return next((pair for pair in ranked if pair[0] != name), None)


def _said(kind: Kind, topic: str | None, score: float, best: tuple[str, float]) -> Understood:
    return Understood(kind, topic=topic, score=score, runner_up=best)


def _spoken(found: Understood, language: Language, clear: bool) -> Understood:
    return replace(
        found,
        language=language,
        language_is_clear=clear,
        items=tuple(_rounded(pair) for pair in found.items),
        score=_rounded(("", found.score))[1],
        runner_up=_rounded(found.runner_up) if found.runner_up else None,
    )


def _rounded(scored: tuple[str, float]) -> tuple[str, float]:
    return scored[0], round(min(scored[1], 1.0), 3)


def _is_other_year(word: str) -> bool:
    return _is_year(word) and not _FIRST_YEAR <= int(word) <= _LAST_YEAR


def _is_year(word: str) -> bool:
    return len(word) == 4 and word.isdecimal() and 1900 <= int(word) < 2100


def _has_vietnamese(text: str) -> bool:
    """Whether a letter stands that English does not have."""
    bare = unicodedata.normalize("NFD", text.casefold())
    return any(letter == "đ" or "\u0300" <= letter <= "\u0323" or letter == "\u031b" for letter in bare)
