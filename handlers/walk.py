"""The way through a form with the answers so far: what applies, what is asked next, what an answer changes.

Everything here is a pure function of a form, the answers and the day. A *place* is where one answer stands: a
question, or a question in one instance of a repeat. A *prompt* is what is asked in one message: one place, several
numbers in one line, or a card of what is already known.
"""

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from typing import Literal

from content.expressions import POSITION, THIS, Answers, Expression, Value
from content.forms import NUMBERS, ChoiceRow, Form, Group, Question
from handlers.fills import NOT_APPLICABLE, NOTHING, Fill, Fills, from_value

MOST_INSTANCES = 50  # of one repeat; nobody answers more in a conversation

Kind = Literal["question", "line", "card"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one answer stands; `instance` says in which turn of a repeat: a chosen name, or a number from 1.

    `name` is the one under which the answer is kept: made once, for it is asked for at every turn.
    """

    question: Question
    instance: str = ""
    name: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", _name(self.question, self.instance))


@lru_cache(maxsize=4096)
def _place(question: Question, instance: str = "") -> Place:
    """The same place again: the instances of a repeat are named by the same few choices and numbers."""
    return Place(question, instance)


def _name(question: Question, instance: str) -> str:
    return f"{question.name}.{instance}" if instance else question.name


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked in one message; `key` names it, and stays the same whatever else is answered."""

    key: str
    kind: Kind
    places: tuple[Place, ...]

    @property
    def place(self) -> Place:
        """The only place of a question."""
        return self.places[0]

    @property
    def group(self) -> Group | None:
        """The line or card it asks."""
        question = self.places[0].question
        return {"question": None, "line": question.line, "card": question.card}[self.kind]

    @property
    def later(self) -> bool:
        """Whether it is asked only after submitting."""
        return self.places[0].question.later


@dataclass(frozen=True, slots=True)
class Change:
    """What an answer changes: fills by place (None: open again), and the places whose answers no longer apply."""

    fills: Mapping[str, Fill | None] = field(default_factory=dict)
    withdrawn: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class _Segment:
    """Questions that stand together: alone, in one line, on a card; in a repeat or not.

    `places` are theirs outside a repeat, and `prompts` ask them one by one: the same for everybody, so made once.
    """

    kind: Kind
    group: Group | None
    repeat: Group | None
    questions: tuple[Question, ...]

    places: tuple[Place, ...] = ()
    prompts: tuple[Prompt, ...] = ()


class Walk:
    """A form, the answers so far, and the day on which it is filled in."""

    def __init__(
        self, form: Form, fills: Fills, today: date, known: Fills | None = None, opened: str = ""
    ) -> None:
        """`known` are answers from before, such as last year's: offered, never taken for given.

        `opened` is a card whose questions are asked one by one all the same.
        """
        self.form = form
        self.fills = fills
        self.today = today
        self.known: Fills = known or {}
        self.opened = opened
        self._computed: dict[str, Value] = {}
        self._held: dict[tuple[Expression, str], bool] = {}
        self._found: dict[bool | None, list[Prompt]] = {}  # by part, as `prompts` names them
        self._next: dict[bool, int | None] = {}  # which of these is the first that is open

    # What applies

    def applies(self, place: Place) -> bool:
        """Whether the question is this person's to answer; where something stands, that was decided already."""
        fill = self.fills.get(place.name)
        return self._is_relevant(place) if fill is None else fill.mark != NOT_APPLICABLE

    def _is_relevant(self, place: Place) -> bool:
        for condition in place.question.relevant:  # noqa: SIM110  asked so often that a generator costs
            if not self._holds(condition, place):
                return False
        return True

    def _holds(self, condition: Expression, place: Place) -> bool:
        """Whether a condition holds at a place; the questions of a group share its condition."""
        key = condition, place.instance
        if key not in self._held:
            self._held[key] = condition.holds(self._seen_from(place), self.today)
        return self._held[key]

    def _seen_from(self, place: Place, beside: Mapping[str, Value] | None = None) -> Answers:
        """The answers as an expression at that place sees them, `beside` before all others."""
        return _From(self, place, beside) if beside or place.question.repeat else self

    def get(self, name: str, default: Value = "") -> Value:
        """The value under a name as an expression sees it from outside every repeat; of a repeated one, every value."""
        question = self.form.by_name.get(name)
        if question is None:
            return default
        if question.repeat is None:
            return self.value(question)
        every = (self.value(question, instance) for instance in self.instances(question.repeat))
        return tuple(str(value) for value in every if value != "")

    def value(self, question: Question, instance: str = "") -> Value:
        """What an expression sees of one place."""
        fill = self.fills.get(_name(question, instance))
        if question.kind == "calculate":
            kept = _kept(question, fill) if fill else None
            return self.computed(question, instance) if kept is None else kept
        if fill is None:
            return ""
        value = fill.as_value()
        return Decimal(value) if value and isinstance(value, str) and question.kind in NUMBERS else value

    def instances(self, repeat: Group) -> tuple[str, ...]:
        """The instances of a repeat: the chosen names, or 1 to its count."""
        if repeat.each:
            fill = self.fills.get(repeat.each)
            value = fill.as_value() if fill else ""
            return value if isinstance(value, tuple) else ()
        count = repeat.count(self, self.today) if repeat.count else ""
        number = int(count) if isinstance(count, Decimal) and count > 0 else 0
        return tuple(str(one) for one in range(1, min(number, MOST_INSTANCES) + 1))

    def choices(self, place: Place) -> tuple[ChoiceRow, ...]:
        """The choices that are offered here."""
        question = place.question
        if question.choice_filter is None:
            return question.choices
        return tuple(
            choice
            for choice in question.choices
            if question.choice_filter.holds(self._seen_from(place, choice.filter), self.today)
        )

    def offered(self, place: Place) -> Mapping[str, ChoiceRow]:
        """The same by name."""
        question = place.question
        if question.choice_filter is None:
            return question.by_name
        return {choice.name: choice for choice in self.choices(place)}

    def fits(self, place: Place, fill: Fill) -> bool:
        """Whether an answer keeps to the constraint and the choices of its question."""
        question = place.question
        if question.choices and fill.mark == "":
            chosen = fill.value if isinstance(fill.value, tuple) else (fill.value,)
            offered = self.offered(place)
            if any(str(name) not in offered for name in chosen):
                return False
        value = fill.as_value()
        if question.constraint is None or value in ("", ()):
            return True
        return question.constraint.holds(self._seen_from(place, {THIS: value}), self.today)

    def computed(self, question: Question, instance: str = "") -> Value:
        """The value of a calculation; '' where it does not apply."""
        name = _name(question, instance)
        if name not in self._computed:
            assert question.calculation is not None
            place = Place(question, instance)
            applies, answers = self._is_relevant(place), self._seen_from(place)
            self._computed[name] = question.calculation(answers, self.today) if applies else ""
        return self._computed[name]

    # What is asked

    def prompts(self, *, later: bool | None = None) -> Sequence[Prompt]:
        """Every prompt that applies, in order; `later`: only the main part (False) or only what comes after (True)."""
        if later not in self._found:  # once found they stay, as the answers do
            self._found[later] = [
                prompt for segment in _part(self.form, later) for prompt in self._of(segment)
            ]
        return self._found[later]

    def _is_passed(self, segment: _Segment) -> bool:
        """Whether it is the gate, through which one goes once: agreed, and withdrawn rather than edited."""
        first = segment.questions[0]
        return first is self.form.gate and first.name in self.fills

    def prompt(self, key: str) -> Prompt | None:
        """The prompt of that key, if it applies now."""
        return next((prompt for prompt in self._around(key) if prompt.key == key), None)

    def prompt_of(self, place: str) -> Prompt | None:
        """The prompt that asks for a place, if it applies now."""
        found = (prompt for prompt in self._around(place) if any(one.name == place for one in prompt.places))
        return next(found, None)

    def _around(self, name: str) -> Iterator[Prompt]:
        """The prompts that apply among those that stand together with a prompt or place of that name."""
        for segment in _segments_by_name(self.form).get(name.partition(".")[0], ()):
            yield from self._of(segment)

    def is_open(self, prompt: Prompt) -> bool:
        """Whether something in it was not answered, nor skipped."""
        for place in prompt.places:  # noqa: SIM110  asked so often that a generator costs
            if place.name not in self.fills:
                return True
        return False

    def next(self, *, later: bool = False) -> Prompt | None:
        """The first prompt that is open; None when everything is answered."""
        prompts = self.prompts(later=later)
        if later not in self._next:
            self._next[later] = self._first_open(prompts, 0)
        number = self._next[later]
        return None if number is None else prompts[number]

    def next_but(self, key: str) -> Prompt | None:
        """The first prompt that would be open if that one were answered."""
        first, number = self.next(), self._next[False]
        if first is None or number is None or first.key != key:
            return first
        prompts = self.prompts(later=False)
        further = self._first_open(prompts, number + 1)
        return None if further is None else prompts[further]

    def _first_open(self, prompts: Sequence[Prompt], number: int) -> int | None:
        """The first from that one on that is open."""
        for at in range(number, len(prompts)):
            if self.is_open(prompts[at]):
                return at
        return None

    def beside(self, fills: Fills) -> "Walk":
        """The same way with other answers."""
        return Walk(self.form, fills, self.today, self.known, self.opened)

    def with_opened(self, card: str) -> "Walk":
        """The same way with that card taken apart."""
        return Walk(self.form, self.fills, self.today, self.known, card)

    def before(self, prompt: Prompt) -> Prompt | None:
        """The prompt asked before that one, in its own part of the form."""
        found = None
        for one in self.prompts(later=prompt.later):
            if one.key == prompt.key:
                break
            found = one
        return found

    def position(self, prompt: Prompt) -> tuple[int, int]:
        """Which prompt of its part this is, from 1, and how many there are as far as one can tell now."""
        prompts = self.prompts(later=prompt.later)
        for number, one in enumerate(prompts, 1):
            if one.key == prompt.key:
                return number, len(prompts)
        return len(prompts), len(prompts)

    def notes_before(self, prompt: Prompt) -> list[Place]:
        """The notes that stand between the prompt and the one before it."""
        notes: list[Place] = []
        for place in self._backwards(prompt.places[0]) if _has_notes(self.form) else ():
            question = place.question
            if question.later != prompt.later or question.kind == "calculate" or not self.applies(place):
                continue
            if question.kind != "note":
                break
            notes.append(place)
        return notes[::-1]

    def _backwards(self, place: Place) -> Iterator[Place]:
        """Every place before that one, the nearest first: a repeat instance by instance, notes and calculations too."""
        groups = _together(self.form)
        at = next(number for number, questions in enumerate(groups) if place.question in questions)
        questions = groups[at]
        yield from (
            Place(one, place.instance) for one in reversed(questions[: questions.index(place.question)])
        )
        instances = self._instances_of(questions)
        for instance in reversed(instances[: instances.index(place.instance)]):
            yield from (Place(one, instance) for one in reversed(questions))
        for questions in reversed(groups[:at]):
            for instance in reversed(self._instances_of(questions)):
                yield from (Place(one, instance) for one in reversed(questions))

    def _instances_of(self, questions: tuple[Question, ...]) -> tuple[str, ...]:
        repeat = questions[0].repeat
        return self.instances(repeat) if repeat else ("",)

    def progress(self, *, later: bool = False) -> tuple[int, int]:
        """How many prompts of a part are done, and how many there are as far as one can tell now."""
        prompts = self.prompts(later=later)
        return sum(not self.is_open(prompt) for prompt in prompts), len(prompts)

    def _of(self, segment: _Segment) -> list[Prompt]:
        """What it asks that applies."""
        if self._is_passed(segment):
            return []
        if segment.kind == "line":
            return self._line(segment)
        if segment.kind == "card" and self._is_known(segment) and segment.group:
            places = tuple(place for place in segment.places if self._is_offered(place))
            return [Prompt(segment.group.name, "card", places)]
        if segment.repeat:
            return [_asking(place) for place in self._places(segment) if self.applies(place)]
        fills, found = self.fills, []
        for prompt in segment.prompts:  # `applies`, written out: most of a form is asked about at every turn
            fill = fills.get(prompt.key)
            place = prompt.places[0]
            if (
                not place.question.relevant or self._is_relevant(place)
                if fill is None
                else fill.mark != NOT_APPLICABLE
            ):
                found.append(prompt)
        return found

    def _places(self, segment: _Segment) -> tuple[Place, ...]:
        """The places of its questions, one instance of its repeat after another."""
        if not segment.repeat:
            return segment.places
        instances = self.instances(segment.repeat)
        return tuple(_place(question, instance) for instance in instances for question in segment.questions)

    def _line(self, segment: _Segment) -> list[Prompt]:
        """All its numbers at once, those of every instance of a repeat."""
        assert segment.group
        places = tuple(place for place in self._places(segment) if self.applies(place))
        return [Prompt(segment.group.name, "line", places)] if places else []

    def _is_known(self, segment: _Segment) -> bool:
        """Whether a card may stand for its questions: none was answered yet, and every one that must be is known."""
        if segment.group and segment.group.name == self.opened:
            return False
        if any(question.name in self.fills for question in segment.questions):
            return False
        known = Walk(self.form, {**self.fills, **self._known_of(segment)}, self.today)
        must = [Place(question) for question in segment.questions if question.row.required]
        return bool(self._known_of(segment)) and all(
            place.name in self.known for place in must if known.applies(place)
        )

    def _known_of(self, segment: _Segment) -> dict[str, Fill]:
        return {q.name: self.known[q.name] for q in segment.questions if q.name in self.known}

    def _is_offered(self, place: Place) -> bool:
        return place.name in self.known

    # What an answer changes

    def after(self, given: Mapping[str, Fill | None]) -> tuple["Walk", Change]:
        """The walk with these answers in place, and everything that they change."""
        changed: dict[str, Fill | None] = dict(given)
        withdrawn: list[Place] = []
        walk = Walk(self.form, _merged(self.fills, changed), self.today, self.known, self.opened)
        waiting = sorted({n for name in given for n in self._readers(name)})
        while waiting:
            number = heapq.heappop(waiting)
            while waiting and waiting[0] == number:
                heapq.heappop(waiting)
            question = self.form.questions[number]
            found = walk._reconsidered(question)
            if not found:
                continue
            withdrawn += [place for place, _ in found if walk._was_given(place)]
            changed.update((place.name, fill) for place, fill in found)
            walk = Walk(self.form, _merged(self.fills, changed), self.today, self.known, self.opened)
            for reader in self._readers(question.name):
                heapq.heappush(waiting, reader)
        behind = {place.name: fill for place, fill in walk._behind()}
        return walk._with(behind), Change({**changed, **behind}, tuple(withdrawn))

    def _with(self, behind: Mapping[str, Fill]) -> "Walk":
        """The same way with what lies behind written down: no expression gives anything else for it."""
        if not behind:
            return self
        walk = Walk(self.form, {**self.fills, **behind}, self.today, self.known, self.opened)
        walk._computed, walk._held = self._computed, self._held
        walk._found, walk._next = self._found, self._next
        return walk

    def _was_given(self, place: Place) -> bool:
        """Whether a person gave an answer there."""
        fill = self.fills.get(place.name)
        return place.question.kind != "calculate" and fill is not None and fill.is_answer

    def _readers(self, name: str) -> tuple[int, ...]:
        return self.form.readers.get(name.partition(".")[0], ())

    def _reconsidered(self, question: Question) -> list[tuple[Place, Fill | None]]:
        """What has to change at the places of a question that looks at something that changed."""
        if question.kind == "note":
            return []
        instances = self.instances(question.repeat) if question.repeat else ("",)
        if question.kind == "calculate":
            return self._recomputed(question, instances)
        judged = ((place, self._judged(place, instances)) for place in self._filled(question))
        return [(place, fill) for place, fill in judged if fill != self.fills[place.name]]

    def _judged(self, place: Place, instances: tuple[str, ...]) -> Fill | None:
        """What should stand at a place where something stands: that, nothing, or the question anew (None)."""
        fill = self.fills[place.name]
        if place.instance not in instances:
            return None
        if not self._is_relevant(place):
            return NOTHING
        return fill if fill.mark != NOT_APPLICABLE and self.fits(place, fill) else None

    def _recomputed(self, question: Question, instances: Iterable[str]) -> list[tuple[Place, Fill | None]]:
        found: list[tuple[Place, Fill | None]] = []
        for instance in instances:
            place = Place(question, instance)
            fill = self._calculation(place)
            if self.fills.get(place.name) != fill:
                found.append((place, fill))
        gone = (place for place in self._filled(question) if place.instance not in instances)
        return [*found, *((place, None) for place in gone)]

    def _calculation(self, place: Place) -> Fill:
        """What stands at the place of a calculation."""
        applies = self._is_relevant(place)
        return from_value(self.computed(place.question, place.instance)) if applies else NOTHING

    def _filled(self, question: Question) -> list[Place]:
        """The places of a question where something stands."""
        if not question.repeat:
            return [Place(question)] if question.name in self.fills else []
        head = f"{question.name}."
        return [Place(question, name[len(head) :]) for name in self.fills if name.startswith(head)]

    def _behind(self) -> Iterator[tuple[Place, Fill]]:
        """What lies before the next prompt and is not written down yet: what does not apply, what can be computed."""
        upto = self.next() or self.next(later=True)
        last = upto.places[0].question.number if upto else len(self.form.file.survey)
        for question in self.form.questions:
            if question.number >= last:
                return
            if question.kind == "note" or (not question.repeat and question.name in self.fills):
                continue
            for instance in self.instances(question.repeat) if question.repeat else ("",):
                place = _place(question, instance)
                if place.name in self.fills:
                    continue
                if question.kind == "calculate":
                    yield place, self._calculation(place)
                elif not self.applies(place):
                    yield place, NOTHING


class _From:
    """The answers as an expression sees them from inside one instance of a repeat, or with other values before them."""

    __slots__ = ("_beside", "_place", "_walk")

    def __init__(self, walk: Walk, place: Place, beside: Mapping[str, Value] | None) -> None:
        self._walk = walk
        self._place = place
        self._beside = beside

    def get(self, name: str, default: Value = "") -> Value:
        """The value under a name, `default` for an unanswered one."""
        if self._beside and name in self._beside:
            return self._beside[name]
        repeat, instance = self._place.question.repeat, self._place.instance
        question = self._walk.form.by_name.get(name)
        if repeat and question and question.repeat is repeat:
            return self._walk.value(question, instance)
        if repeat and name == POSITION:
            instances = self._walk.instances(repeat)
            return Decimal(instances.index(instance) + 1) if instance in instances else ""
        return self._walk.get(name, default)


@lru_cache(maxsize=64)
def _segments(form: Form) -> tuple[_Segment, ...]:
    """The questions of a form, those that stand together in one segment."""
    segments: list[_Segment] = []
    for question in form.questions:
        if question.kind in ("note", "calculate"):
            continue
        kind: Kind = "line" if question.line else "card" if question.card else "question"
        group = question.line or question.card
        last = segments[-1] if segments else None
        together = last and (last.kind, last.group, last.repeat) == (kind, group, question.repeat)
        if last and together and (group or question.repeat):
            segments[-1] = _Segment(kind, group, question.repeat, (*last.questions, question))
        else:
            segments.append(_Segment(kind, group, question.repeat, (question,)))
    return tuple(map(_with_prompts, segments))


@lru_cache(maxsize=64)
def _part(form: Form, later: bool | None) -> tuple[_Segment, ...]:
    """The segments of one part of the form: the main one, what comes after submitting, or (None) both.

    Questions that stand alone are looked through together, one list for a whole run of them.
    """
    found: list[_Segment] = []
    for segment in _segments(form):
        if later is not None and segment.questions[0].later != later:
            continue
        if found and _stands_alone(form, segment) and _stands_alone(form, found[-1]):
            found[-1] = _joined(found[-1], segment)
        else:
            found.append(segment)
    return tuple(found)


def _joined(one: _Segment, other: _Segment) -> _Segment:
    return replace(
        one,
        questions=one.questions + other.questions,
        places=one.places + other.places,
        prompts=one.prompts + other.prompts,
    )


def _stands_alone(form: Form, segment: _Segment) -> bool:
    return segment.kind == "question" and not segment.repeat and segment.questions[0] is not form.gate


@lru_cache(maxsize=64)
def _together(form: Form) -> tuple[tuple[Question, ...], ...]:
    """The questions in a row that one repeat, or none, goes around."""
    return tuple(tuple(group) for _, group in groupby(form.questions, lambda question: question.repeat))


@lru_cache(maxsize=64)
def _has_notes(form: Form) -> bool:
    return any(question.kind == "note" for question in form.questions)


def _with_prompts(segment: _Segment) -> _Segment:
    if segment.repeat:
        return segment
    places = tuple(map(Place, segment.questions))
    return replace(segment, places=places, prompts=tuple(map(_asking, places)))


def _asking(place: Place) -> Prompt:
    return Prompt(place.name, "question", (place,))


@lru_cache(maxsize=64)
def _segments_by_name(form: Form) -> Mapping[str, tuple[_Segment, ...]]:
    """Where a question, a line or a card stands."""
    found: dict[str, list[_Segment]] = {}
    for segment in _segments(form):
        group = [segment.group.name] if segment.group else []
        for name in (*group, *(question.name for question in segment.questions)):
            found.setdefault(name, []).append(segment)
    return {name: tuple(segments) for name, segments in found.items()}


def _kept(question: Question, fill: Fill) -> Value | None:
    """The value of a calculation that stands in the answers already, where its text says all about it; else None.

    What looks like a number or a truth may have been either, and what looks at the day has changed since.
    """
    if question.calculation is None or question.calculation.looks_at_today:
        return None
    value = fill.as_value()
    is_plain = isinstance(value, Decimal) or (isinstance(value, str) and not _AMBIGUOUS.fullmatch(value))
    return value if is_plain else None


_AMBIGUOUS = re.compile(r"true|false|-?[0-9.]+")


def _merged(fills: Fills, changed: Mapping[str, Fill | None]) -> dict[str, Fill]:
    merged = dict(fills)
    for name, fill in changed.items():
        if fill is None:
            merged.pop(name, None)
        else:
            merged[name] = fill
    return merged
