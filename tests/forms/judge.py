"""The judge: holds what is said and what is stored against what the oracle reads in the form."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from handlers.messages import Message
from tests.forms.oracle import Fill, Prompt, Reading, Standing, as_value, mark_of
from tests.forms.random_forms import Note, Question
from tests.forms.stage import Kept

_TOKEN = re.compile(r"‹(\w+)›")
_LINE = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_VALUED = ("", "~")  # marks of fills that hold a value


class Fault(AssertionError):
    """The engine did something else than the oracle says; `kind` is the same for faults of one kind."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


# What is on the screen


@dataclass(frozen=True)
class Asked:
    """This prompt must be asked."""

    prompt: Prompt


Expected = Asked | str  # a prompt, or a kind of screen


@dataclass(frozen=True)
class Screen:
    """What a message asks for, and everything that was said in the turn.

    `kind` is ask, half (more is needed for this answer), review, offer, done, card, stop, cancel, gone or menu.
    """

    kind: str
    message: Message
    said: str


_KINDS = (
    ("review", ("form:editing",)),
    ("done", ("form:summary",)),
    ("offer", ("form:more",)),
    ("stop", ("form:stopped",)),
    ("cancel", ("form:cancel",)),
    ("card", ("form:next",)),
    ("half", ("form:retype:", "form:yes:", "form:no:")),
    ("gone", ("survey:undo:",)),
    ("menu", ("home:help",)),
)


def screen_of(messages: Sequence[Message]) -> Screen:
    """What the last message asks for, told by its choices."""
    if not messages:
        raise Fault("nothing is said", "")
    values = [choice.value for choice in messages[-1].choices]
    kind = next((kind for kind, marks in _KINDS for value in values if value.startswith(marks)), "ask")
    return Screen(kind, messages[-1], "\n".join(message.text for message in messages))


def why_not_asked(reading: Reading, prompt: Prompt, message: Message) -> str | None:
    """Why a message does not ask this prompt; None when it does."""
    first = prompt.standings[0]
    tokens = [token for token in _TOKEN.findall(message.text) if not token.startswith("note")]
    if tokens[-1:] != [first.line or first.node.name]:
        return f"asked is {tokens[-1:]}"
    labels = message.control.labels if first.line and message.control else ()
    if first.line and len(labels) != len(prompt.standings):
        return f"the line has {labels}"
    every = [one.places for one in reading.prompts(later=prompt.later)]
    counted = (every.index(prompt.places) + 1, len(every))
    return None if message.progress == counted else f"it is counted {message.progress}, not {counted}"


def judge_prompt(reading: Reading, prompt: Prompt, text: str) -> None:
    """The notes before it are said with it; answers in its label and the one that stands are shown."""
    for note in _notes_before(reading, prompt):
        if f"‹{note.node.name}›" not in text:
            raise Fault("a note is not said", note.place)
    first = prompt.standings[0]
    assert isinstance(first.node, Question)
    if first.line:
        return
    if first.node.pipes and (source := _piped(reading, first)):
        _must_show(source, text, "a label does not show an answer")
    _must_show(first, text, "an answer is not shown where it is asked again")


def _notes_before(reading: Reading, prompt: Prompt) -> list[Standing]:
    """The notes between a prompt and the one before it."""
    found: list[Standing] = []
    for standing in reading.standings:
        if standing.place in prompt.places:
            break
        if standing.applies and standing.later == prompt.later:
            if isinstance(standing.node, Note):
                found.append(standing)
            elif isinstance(standing.node, Question):
                found.clear()
    return found


def _piped(reading: Reading, standing: Standing) -> Standing | None:
    """The question whose answer a label shows."""
    assert isinstance(standing.node, Question)
    named = (one for one in reading.standings if one.node.name == standing.node.pipes)
    found = next((one for one in named if one.key in (None, standing.key)), None)
    return found if found and isinstance(found.node, Question) else None


def _must_show(standing: Standing, text: str, kind: str) -> None:
    node, fill = standing.node, standing.fill
    assert isinstance(node, Question)
    if fill is None or mark_of(fill) not in _VALUED:
        return
    for ways in _parts(node, fill):
        if not any(way in text for way in ways):
            raise Fault(kind, f"{ways[0]} of {standing.place}")


def _parts(question: Question, fill: Fill) -> list[tuple[str, ...]]:
    """The parts of an answer as people read them, each in one of several ways."""
    text, value = str(fill[0]), as_value(fill)
    match question.kind:
        case "integer" | "decimal":
            return [(text.replace(".", ","), text)]
        case "date" | "month":
            return [("/".join(reversed(text.split("-"))),)]
        case "one" | "many":
            names = value if isinstance(value, tuple) else (text,)
            other = [(str(fill[2]),)] if len(fill) > 2 else []
            return [*((question.option(name).label,) for name in names), *other]
        case _:
            return [(text,)]


def judge_notes(reading: Reading, screen: Screen) -> None:
    """No note is said that does not apply."""
    apply = {one.node.name for one in reading.standings if isinstance(one.node, Note) and one.applies}
    for token in _TOKEN.findall(screen.said):
        if token.startswith("note") and token not in apply:
            raise Fault("a note is said that does not apply", token)


def judge_told(withdrawn: Iterable[str], screen: Screen) -> None:
    """The person is told of every answer that was withdrawn."""
    for place in withdrawn:
        if f"‹{place.partition('.')[0]}›" not in screen.said:
            raise Fault("an answer is withdrawn and nobody is told", place)


# The review


def review_of(reading: Reading) -> list[Prompt]:
    """What a review lists: every prompt with an answer, in the order of the form."""
    order = {standing.place: number for number, standing in enumerate(reading.standings)}
    prompts = (*reading.prompts(), *reading.prompts(later=True))
    answered = (prompt for prompt in prompts if any(one.fill is not None for one in prompt.standings))
    return sorted(answered, key=lambda prompt: order[prompt.places[0]])


def judge_review(reading: Reading, text: str) -> None:
    """A review lists every answer once, with its number and its value."""
    lines, answered = _LINE.findall(text), review_of(reading)
    found = [(int(number), (_TOKEN.findall(line) or [""])[0]) for number, line in lines]
    expected = [(number, _named(prompt)) for number, prompt in enumerate(answered, 1)]
    if found != expected:
        raise Fault("the review lists something else", f"{found}, not {expected}")
    for (_, line), prompt in zip(lines, answered, strict=True):
        for standing in prompt.standings:
            _must_show(standing, line, "the review does not show an answer")


def _named(prompt: Prompt) -> str:
    """A line goes by its own name, unless there is but one number in it."""
    first = prompt.standings[0]
    return first.line if first.line and len(prompt.places) > 1 else first.node.name


# What is stored


def judge_kept(kept: Kept, version: str, status: str, reading: Reading, own: Mapping[str, str]) -> None:
    """What is stored is what was said, less what had to be withdrawn, and what is computed from it."""
    if (kept.version, kept.status) != (version, status):
        raise Fault("the response is another", f"{kept.version} {kept.status}, not {version} {status}")
    if kept.personal != own:
        raise Fault("what is personal is not kept", f"{kept.personal}, not {own}")
    for place, fill in reading.answers.items():
        _must_be_kept(place, fill, kept.answers, "an answer")
    for place, fill in reading.computed.items():
        # What is computed may be stored later than what it looks at, but is never wrong, and there in the end.
        is_due = mark_of(fill) == "" and reading.is_over(reading.by_place[place])
        if place in kept.answers or is_due:
            _must_be_kept(place, fill, kept.answers, "a calculation")
    for place in kept.answers.keys() - reading.answers.keys() - reading.computed.keys():
        _must_be_empty(place, kept.answers[place], reading.by_place.get(place))


def _must_be_kept(place: str, fill: Fill, kept: Mapping[str, Fill], what: str) -> None:
    if place not in kept:
        raise Fault(f"{what} is lost", f"{fill} of {place}")
    if _normal(kept[place]) != _normal(fill):
        raise Fault(f"{what} is wrong", f"{kept[place]} at {place}, not {fill}")


def _must_be_empty(place: str, fill: Fill, standing: Standing | None) -> None:
    if standing is None:
        raise Fault("an answer outlives its instance", f"{fill} at {place}")
    if fill != ["", "n"]:
        raise Fault("an answer stands where none may", f"{fill} at {place}")
    if standing.is_open:
        raise Fault("an open place is said not to apply", place)


def _normal(fill: Fill) -> tuple[object, str, str]:
    """A fill that compares: of several choices the order does not count."""
    value, mark, other = [*fill, "", ""][:3]
    return frozenset(value) if isinstance(value, list) else value, str(mark), str(other)
