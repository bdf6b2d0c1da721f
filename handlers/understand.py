"""Finds what a question asks for: an item of the plan, a service, small talk, or nothing the plan answers."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from content.everything import Content
from content.knowledge import DOCUMENT, DOCUMENT_ITEMS, Phrased, Target
from content.model import Chapter, Language, Plan
from handlers.faq import NOTHING, Entry, Faq, Scored
from handlers.fold import Word, plain_words, words_of
from handlers.phrases import Phrases, Scores
from handlers.reading import Forms, Numbered, Numbers, Read
from handlers.weighing import Asked, Weigher, together

Kind = Literal["plan", "faq", "service", "did_you_mean", "handoff", "smalltalk", "ignored"]

# Measured on questions that were written for it; between the two bars the person is asked what was meant.
_SURE, _UNSURE = 0.50, 0.42
_LEADS = 1.3  # so far ahead of every other item, a likeness above _FAINT is enough
_FAINT = 0.34
_NAMED = 0.80  # below it a silent topic is not named: the plan may well say something of it
_WANTED = 0.78  # a service this clear outweighs a deciding word
_SERVICE, _SMALLTALK = 0.58, 0.60
_FAQ = 0.68
_DECIDED = 0.85  # a fact whose concepts stand together needs no more beside an item
_MARKED = 0.85
_SAID = 0.98  # a wish said as it is written down is that wish
_EXACT = 0.93  # a deciding word outweighs all but a near-exact phrasing
_CLOSE = 0.93  # a second item this near the first is told too
_COMPARED = 0.70  # nearer is not asked of it when two things are compared
_RIVAL = 0.85  # below the upper bar, a second item this near makes it a question back
_STRANGE = 0.3  # how much words foreign to an item speak against it
_PIECE, _POOR_PIECE, _WISH_PIECE = 0.94, 0.75, 0.80  # what a piece of a rambling question is worth
_ALSO = 0.04  # what a likeness adds to concepts that decide: of two entries they decide for, the nearer one
_AGREED = 0.03  # what it adds that concepts decide for an entry, too
_FOREIGN = (
    0.75  # what is left of a wish that says more than anybody asked for it with, or shares no concept with it
)
_LISTED = 0.20  # so much better is a list for who asks which tasks than a clause that has the same words
_LAST_YEAR, _FIRST_YEAR = 2030, 2018
_CELLS = frozenset({"lead", "cooperating", "time", "funding"})


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
    faq: str | None = None
    listing: str | None = None
    named: bool = False  # asked for by its number
    follows: bool = False  # asks only what of it: the subject is what was talked about before
    goes_on: bool = False  # «còn …», «thế …»: the same is asked of another subject
    years: frozenset[int] = frozenset()
    heading: Chapter | None = None  # what the items stand under, when a heading was asked for
    score: float = 0.0
    runner_up: tuple[str, float] | None = None


class Understanding:
    """Built once from the content and the questions answered before; `understand` is then pure and never raises."""

    def __init__(self, content: Content, entries: Iterable[Entry] = ()) -> None:
        knowledge = content.knowledge
        self._knowledge = knowledge
        self._texts = _texts_of(content.plan)
        self._tasks = frozenset(task.id for task in content.plan.tasks)
        self._weigher = weigher = Weigher(knowledge, self._texts)
        self.faq = Faq(weigher, knowledge.facts, entries)
        self._reader = weigher.reader
        self._english = set(plain_words(knowledge.words.english))
        self._vietnamese = {word for text in self._texts.values() for word in plain_words(text)}
        self._items = weigher.phrases(knowledge.items)
        self._targets = weigher.phrases(knowledge.targets)
        self._services = weigher.phrases(knowledge.services)
        self._smalltalk = weigher.phrases(knowledge.smalltalk)
        self._topics = weigher.phrases(knowledge.topics)
        self._listings = weigher.phrases(knowledge.listings)
        self._together = {
            name: together(entries)
            for name, entries in (
                ("items", (*knowledge.items, *knowledge.targets)),
                ("services", knowledge.services),
                ("topics", knowledge.topics),
                ("listings", knowledge.listings),
            )
        }
        self._item_words = {name: set(weigher.tokens(text)) for name, text in self._texts.items()}
        marking: tuple[Phrased, ...] = (*knowledge.smalltalk, *knowledge.topics)
        self._rank = {entry.id: place for place, entry in enumerate(marking)}
        self._marks = Forms((entry.id, words_of(mark)) for entry in marking for mark in entry.marks)
        self._offered = {f"={name}": one.offer for one in knowledge.subjects for name in one.concepts}
        self._final = {topic.id for topic in knowledge.topics if topic.final}
        self._talks = {entry.id for entry in knowledge.smalltalk}
        self._item_known = {
            item.id: self._item_words[item.id].union(*(weigher.tokens(ask) for ask in item.ask))
            for item in knowledge.items
        }
        self._wish_known = {
            one.id: frozenset().union(*(weigher.tokens(ask) for ask in one.ask)) for one in knowledge.services
        }
        self._items_with = _inverted(self._item_words)
        self._items_knowing = _inverted(self._item_known)
        self._by_item = {f.item: t for t in knowledge.targets for f in (t.by_2025, t.by_2030, t.total)}
        self._by_task = {target.task: target for target in knowledge.targets}
        self._target = {target.id: target for target in knowledge.targets}
        self._numbers = Numbers(knowledge.words)
        self._quiet = weigher.filler | weigher.asking | set(self._reader.read(knowledge.words.beside).tokens)
        self._around_year = set(self._reader.read(knowledge.words.beside_year).tokens)
        self._pointing = set(plain_words(knowledge.words.this))
        self._going_on = tuple(words_of(word)[0].plain for word in knowledge.words.going_on.split())
        self._chapters = {chapter.id: chapter for chapter in content.plan.chapters}
        self._groups = {group.id: group for group in content.plan.groups}
        self._year_items = _year_items(knowledge.targets)
        weigher.forget()
        self._task_of = {item.id: item.task for item in knowledge.items if item.task}

    def understand(self, text: str) -> Understood:
        """What `text` asks for."""
        if not text.strip():
            return Understood("ignored")
        asked = self._weigher.prepare(text)
        read = asked.read
        language, clear = self._language(text, read)
        if not read.words:
            return Understood("smalltalk", language, False, topic="emptyish", score=1.0)
        numbered = self._by_number(text[:2_000], asked, english=language == "en")
        if numbered and numbered.heading and self.faq.decided(asked)[1] >= _FAQ:
            numbered = None  # «nhóm 2 là gì» asks of instruments
        found = numbered or self._by_year(asked) or self._subject_alone(asked) or self._nearest(asked)
        follows = not numbered and self._follows(asked)
        found = replace(found, follows=follows, goes_on=self._goes_on(read), years=asked.years)
        return _spoken(found, language, clear)

    def _follows(self, asked: Asked) -> bool:
        """Whether nothing but an attribute, a year or a total is asked for."""
        known = self._weigher.filler | self._weigher.asking | self._pointing | self._around_year
        left = asked.tokens - known - {str(year) for year in asked.years}
        asks = asked.attributes or asked.years or asked.read.has(("total", "how_many"))
        return bool(asks) and not left and _PLAN not in asked.read.cues

    def _goes_on(self, read: Read) -> bool:
        return bool(read.words) and read.words[0].plain in self._going_on

    def _subject_alone(self, asked: Asked) -> Understood | None:
        """A question back to somebody who names a subject and asks nothing of it."""
        named = asked.read.tokens
        offered = self._offered.get(named[0]) if len(named) == 1 else None
        if offered is None or asked.attributes or asked.read.cues:
            return None
        return Understood("did_you_mean", items=tuple((name, _UNSURE) for name in offered), score=_UNSURE)

    # What the question is nearest to

    def _nearest(self, asked: Asked) -> Understood:
        marked = self._marked(asked.read.words)
        compared = self._compared_in_pieces(asked)
        items = self._lifted("items", asked, dict(compared))
        best = _top(items)
        service = _top(self._lifted("services", asked, self._wishes(asked, self._services)))
        if marked and marked in self._talks and not (marked == _ABUSE and service[1] >= _WANTED):
            return _said("smalltalk", marked, 1.0, best)
        faq, decided = self.faq.best(asked), self.faq.decided(asked)
        if faq[1] >= max(_FAQ, best[1]) or decided[1] >= max(_FAQ, _DECIDED * best[1]):
            faq = max(decided, faq, key=lambda pair: pair[1])
            return Understood("faq", faq=faq[0], score=faq[1], runner_up=best)
        topic = _top(self._lifted("topics", asked, self._weigher.covering(asked, self._topics)))
        listing = self._listing(asked)
        if listing[1] and listing[1] + _LISTED >= max(best[1], service[1]):
            return Understood("plan", listing=listing[0], score=listing[1], runner_up=best)
        if silent := self._silent_on(asked):
            return _said("handoff", silent, _MARKED, best)
        wanted = service[1] >= (_SAID if marked in self._final else _WANTED)
        if marked and not wanted and self._outweighs(marked, asked, _top(compared)[1]):
            return _said("handoff", topic[0] if topic[1] >= _NAMED else marked, _MARKED, best)
        talk = _top(self._weigher.symmetric(asked, self._smalltalk))
        held = best[1] if best[0] in self._decided(asked) else best[1] * 0.95
        if service[1] >= _SERVICE and service[1] >= max(min(held, _SAID), talk[1], topic[1]):
            return Understood("service", service=service[0], score=service[1], runner_up=best)
        least = _EXACT if talk[0] in _ACCUSING else _SMALLTALK
        if talk[1] >= least and talk[1] > max(best[1], topic[1]):
            return _said("smalltalk", talk[0], talk[1], best)
        if topic[1] > best[1] or not self._is_near(asked, items, best):
            named = topic[0] if topic[1] >= _NAMED else marked
            return _said("handoff", named, topic[1], best)
        return self._plan(asked, items)

    def _outweighs(self, topic: str, asked: Asked, nearest: float) -> bool:
        """Whether a deciding word outweighs the nearest item; «khách sạn» does not where it asks who is concerned."""
        if topic in self._final:
            return max(self._decided(asked).values(), default=0.0) < _MARKED
        return nearest < _EXACT

    def _silent_on(self, asked: Asked) -> str | None:
        """The topic the plan is silent on whose concepts stand together, more of them than any item's."""
        found = self._together["topics"].scores(asked.signs, asked.subjects)
        if not found:
            return None
        topic, worth = _top(found)
        return topic if worth > max(self._decided(asked).values(), default=_SERVICE) else None

    def _decided(self, asked: Asked) -> Scores:
        """The items whose concepts stand together in the question."""
        return self._together["items"].scores(asked.signs, asked.subjects)

    def _is_near(self, asked: Asked, items: Scores, best: Scored) -> bool:
        """Whether the nearest item is near enough to be told, or at least offered."""
        if (
            best[1] < _MARKED
            and best[0] not in self._decided(asked)
            and not self._shares_a_concept(asked, best[0])
        ):
            return False  # single syllables without their marks meet by chance; a concept does not
        return best[1] >= _UNSURE or (best[1] >= _FAINT and self._leads(items, best))

    def _leads(self, items: Scores, best: Scored) -> bool:
        """Whether every item that says something else is far behind."""
        about = self._about(best[0])
        return all(best[1] >= _LEADS * score for name, score in items.items() if self._about(name) != about)

    def _about(self, name: str) -> str:
        """What items have in common that say the same: the task they are about."""
        target = self._target.get(name) or self._by_item.get(name)
        return target.task if target else self._task_of.get(name, name)

    def _listing(self, asked: Asked) -> Scored:
        """The list that is asked for, where one of its combinations of concepts stands in the question."""
        found = self._together["listings"].scores(asked.signs, asked.subjects)
        if not found:
            return NOTHING
        near = self._weigher.covering(asked, self._listings)
        return _top({name: score + 0.02 * near[name] for name, score in found.items()})

    def _wishes(self, asked: Asked, phrases: Phrases) -> Scores:
        """How near each service is to the whole or its best piece; concepts nobody used to ask for it count against it."""
        scores = self._weigher.symmetric(asked, phrases)
        for piece in asked.pieces:
            for name, score in self._weigher.symmetric(piece, phrases).items():
                scores[name] = max(scores[name], _WISH_PIECE * score)
        named = {token for token in asked.tokens if token.startswith("=")}
        for name, known in self._wish_known.items():
            by_chance = scores[name] < _EXACT and not named & known
            if by_chance or asked.subjects - known:
                scores[name] *= _FOREIGN
        return scores

    def _lifted(self, kind: str, asked: Asked, scores: Scores) -> Scores:
        """Scores where what stands together counts as much as it is worth."""
        for name, worth in self._together[kind].scores(asked.signs, asked.subjects).items():
            leaning = self._leaning(asked, name) if kind == "items" else 1.0
            scores[name] = max(scores[name], worth * leaning + _ALSO * scores[name]) + _AGREED
        return scores

    def _shares_a_concept(self, asked: Asked, name: str) -> bool:
        known = self._item_known.get(name)
        return known is None or any(token in known for token in asked.read.tokens if token.startswith("="))

    def _plan(self, asked: Asked, items: Scores) -> Understood:
        ranked = sorted(items.items(), key=lambda pair: -pair[1])
        name, score = ranked[0]
        close = _COMPARED if asked.read.has(("compare",)) else _CLOSE
        target = self._target.get(name) or self._target_of(name, asked)
        runner_up = _other(ranked, name)
        rival = next((pair for pair in ranked if self._about(pair[0]) != self._about(name)), None)
        if score < _SURE and rival and rival[1] >= _RIVAL * score:
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

    def _target_of(self, name: str, asked: Asked) -> Target | None:
        if "target" not in asked.attributes:
            return None
        only = not asked.attributes & _CELLS
        return self._by_item.get(name) or (self._by_task.get(name) if only else None)

    def _steps(self, target: Target, asked: Asked) -> tuple[str, ...]:
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

    def _compared_in_pieces(self, asked: Asked) -> Scores:
        """How near each item and target is to the whole question or, a little less, to its best piece."""
        scores = self._compared(asked)
        for piece in asked.pieces:
            if piece.tokens <= self._quiet:
                continue  # «ai chủ trì» alone is asked of what another piece names
            worth = _PIECE if sum(token.startswith("=") for token in piece.tokens) > 1 else _POOR_PIECE
            for name, score in self._compared(piece).items():
                scores[name] = max(scores[name], worth * score)
        return scores

    def _compared(self, asked: Asked) -> Scores:
        """How near each item and target is by its phrasings and its own words."""
        scores = self._weigher.covering(asked, self._items, self._tasks)
        own, strange = self._own_words(asked), self._strange(asked)
        for name, score in scores.items():
            if score or name in own:
                near = 1 - (1 - score) * (1 - 0.35 * own.get(name, 0.0))
                near *= (1 - _STRANGE * strange[name]) * self._leaning(asked, name)
                scores[name] = min(near, 1.0)
        for name, score in self._weigher.covering(asked, self._targets).items():
            scores[name] = score * (1.05 if "target" in asked.attributes else 0.6)
        return scores

    def _own_words(self, asked: Asked) -> Scores:
        """The share of the question that stands in each item's own text, of those that have any of it."""
        held: Scores = {}
        for token, weight in asked.weights.items():
            for name in self._items_with.get(token, ()):
                held[name] = held.get(name, 0.0) + weight / asked.size
        return held

    def _strange(self, asked: Asked) -> Scores:
        """The share of the question that neither an item nor any phrasing of it knows."""
        foreign = asked.tokens - self._weigher.filler - self._weigher.asking
        weights = {token: self._weigher.weight(token) * (1 + token.startswith("=")) for token in foreign}
        whole = sum(weights.values())
        strange = dict.fromkeys(self._item_known, whole)
        for token, weight in weights.items():
            for name in self._items_knowing.get(token, ()):
                strange[name] -= weight
        return (
            {name: min(left / asked.size, 1.0) for name, left in strange.items()} if asked.size else strange
        )

    def _leaning(self, asked: Asked, name: str) -> float:
        """Who asks for a cell of the appendix means a task; who asks for a number or nothing, either."""
        if name in DOCUMENT_ITEMS or not asked.attributes & _CELLS:
            return 1.0
        if name in self._tasks:
            return 1.1
        return 1.0 if _part(name) in self._knowledge.telling_parts else 0.85

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

    def _by_number(self, text: str, asked: Asked, *, english: bool) -> Understood | None:
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

    def _by_year(self, asked: Asked) -> Understood | None:
        """A year alone asks for its targets."""
        items = tuple((item, 1.0) for year, item in self._year_items.items() if year in asked.years)
        years = {str(year) for year in asked.years}
        allowed = self._weigher.filler | self._around_year | years
        if not items or len(items) < len(years) or any(token not in allowed for token in asked.read.tokens):
            return None
        return Understood("plan", items=items, score=1.0)


NO_SUCH_ITEM = "no_such_item"
_PLAN = "=plan_word"  # the cue of the plan as a whole
_BEYOND = "other_plan"
_ACCUSING = frozenset({"abuse", "injection"})  # said of nobody on a mere likeness
_ABUSE = "abuse"  # whoever is angry may still want something
_ROMAN = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")


def _inverted(words: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """By each word the names that have it."""
    found: dict[str, list[str]] = {}
    for name, held in words.items():
        for word in held:
            found.setdefault(word, []).append(name)
    return found


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
