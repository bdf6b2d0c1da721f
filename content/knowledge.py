"""How people ask: the words, the phrasings of every item, service and topic, and the slips put right."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field

from content.load import ContentError, line_of, read, read_list, read_text_map, short
from content.model import Frozen, Plan, Text

DOCUMENT = "document"  # the plan as a whole: asked about like an item, but it is no clause
DOCUMENT_NUMBER, DOCUMENT_SIGNED, DOCUMENT_PERIOD = "document-number", "document-signed", "document-period"
DOCUMENT_ITEMS = frozenset({DOCUMENT, DOCUMENT_NUMBER, DOCUMENT_SIGNED, DOCUMENT_PERIOD})


class Local(Frozen):
    """One text in both languages."""

    vi: Text
    en: Text


class Words(Frozen):
    """The spelling and vocabulary of questions; every form is compared folded."""

    short: dict[str, Text]
    spelling: tuple[tuple[Text, Text], ...]  # how an ending, or a beginning with «^», is typed and meant
    filler: Text
    telling: Text
    this: Text
    going_on: Text
    english: Text
    reference: tuple[Text, ...]
    heading_reference: tuple[Text, ...]
    task_reference: tuple[Text, ...]
    beside: Text
    beside_year: Text
    rhythm: Text
    decisive: tuple[Text, ...]
    concepts: dict[str, tuple[Text, ...]]
    cues: dict[str, tuple[Text, ...]]  # they weigh nothing; only `needs` look at them


class Phrased(Frozen):
    """Something people ask for, and the ways they do."""

    id: Text
    ask: tuple[Text, ...] = Field(min_length=1)
    marks: tuple[Text, ...] = ()  # words that decide by themselves
    needs: tuple[tuple[Text, ...], ...] = ()  # concepts that decide together: «a|b» either, «-a» missing


class Item(Phrased):
    """A clause or task; `offer` is how it stands in a list of choices, `task` the row of the appendix it is about."""

    offer: Local
    task: Text | None = None


class Topic(Phrased):
    """A subject the plan is silent on; without `missing` it has nothing to do with metrology."""

    missing: Local | None = None
    instead: Local | None = None  # where the answer may be found, or what to do
    nearest: Text | None = None
    final: bool = False  # its marks decide, however near an item of the plan is


class Origin(Frozen):
    """The document that a fact beside the plan stands in, of what day, month or year, and when somebody last looked."""

    document: Text
    dated: str = Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")  # as exact as the source is
    url: str | None = None
    verified_on: date


class Fact(Phrased):
    """A fact beside the plan: never told as the plan's, always with its document and date."""

    offer: Local
    answer: Local
    source: Origin


class Listing(Phrased):
    """Tasks that have the same in one cell; without `holds` those whose cell is empty. `targets` lists the targets."""

    title: Local
    cell: Literal["lead", "cooperating", "time", "funding", "targets"]
    holds: tuple[Text, ...] = ()
    lacks: tuple[Text, ...] = ()  # what the cell must not hold beside


class Figure(Frozen):
    """A number the plan fixes and the item that says so."""

    item: Text
    number: int
    at_least: bool = True


class Target(Phrased):
    """A target with its two steps and its total."""

    unit: Local
    by_2025: Figure
    by_2030: Figure
    total: Figure
    task: Text
    adds_up: bool = True


class Subject(Frozen):
    """What is offered to somebody who names one of the concepts and asks nothing of it."""

    concepts: tuple[Text, ...] = Field(min_length=1)
    offer: tuple[Text, ...] = Field(min_length=2, max_length=3)


@dataclass(frozen=True)
class Knowledge:
    """All that understanding and answering read besides the plan."""

    words: Words
    attributes: dict[str, tuple[str, ...]]
    telling_parts: frozenset[str]  # they say, like the appendix, who does what with what money
    items: tuple[Item, ...]
    targets: tuple[Target, ...]
    services: tuple[Phrased, ...]
    smalltalk: tuple[Phrased, ...]
    topics: tuple[Topic, ...]
    facts: tuple[Fact, ...]
    listings: tuple[Listing, ...]
    subjects: tuple[Subject, ...]
    corrections: dict[str, str]

    @property
    def groups(self) -> tuple[tuple[Phrased, ...], ...]:
        """Everything that can be asked for, kind by kind."""
        return (
            self.items,
            self.targets,
            self.services,
            self.smalltalk,
            self.topics,
            self.facts,
            self.listings,
        )


def load_knowledge(folder: Path, plan: Plan) -> Knowledge:
    """Read `knowledge/` and the corrections; raises ContentError where an item is not in the plan."""
    here = folder / "knowledge"
    attributes = read(here / "attributes.yaml", _Attributes)
    knowledge = Knowledge(
        words=read(here / "words.yaml", Words),
        attributes=_concepts_of(attributes),
        telling_parts=frozenset(attributes.told_in),
        items=read_list(here / "items.yaml", Item),
        targets=read_list(here / "targets.yaml", Target),
        services=read_list(here / "services.yaml", Phrased),
        smalltalk=read_list(here / "smalltalk.yaml", Phrased),
        topics=read_list(here / "topics.yaml", Topic),
        facts=read_list(folder / "faq.yaml", Fact),
        listings=read_list(here / "listings.yaml", Listing),
        subjects=read_list(here / "subjects.yaml", Subject),
        corrections=read_text_map(folder / "plan" / "corrections.yaml"),
    )
    _check_items(here / "items.yaml", knowledge, plan)
    _check_references(here, knowledge)
    _check_needs(here / "words.yaml", knowledge)
    return knowledge


class _Attributes(Frozen):
    lead: tuple[Text, ...]
    cooperating: tuple[Text, ...]
    time: tuple[Text, ...]
    funding: tuple[Text, ...]
    target: tuple[Text, ...]
    rhythm: tuple[Text, ...]
    told_in: tuple[Text, ...]


def _concepts_of(attributes: _Attributes) -> dict[str, tuple[str, ...]]:
    return {name: tuple(concepts) for name, concepts in attributes if name != "told_in"}


def _check_items(path: Path, knowledge: Knowledge, plan: Plan) -> None:
    known = {section.id for section in plan.sections} | {task.id for task in plan.tasks} | DOCUMENT_ITEMS
    listed = [item.id for item in knowledge.items]
    for index, name in enumerate(listed):
        if name not in known or name in listed[:index]:
            _complain(path, (index, "id"), f"{name} is not in the plan, or stands twice")
    for name in sorted(known - set(listed)):
        _complain(path, (), f"nobody could ask for {name}")


def _check_references(folder: Path, knowledge: Knowledge) -> None:
    known = {item.id for item in knowledge.items}
    for file, key, name in _referred(knowledge):
        if name not in known:
            _complain(folder / file, key, f"{name} is not in the plan")
    for index, subject in enumerate(knowledge.subjects):
        for name in subject.concepts:
            if name not in knowledge.words.concepts:
                _complain(folder / "subjects.yaml", (index, "concepts"), f"{name} is no concept")


def _referred(knowledge: Knowledge) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    """Every item that another file names: the file, where in it, and the item."""
    for index, target in enumerate(knowledge.targets):
        for name in (target.by_2025.item, target.by_2030.item, target.total.item, target.task):
            yield "targets.yaml", (index,), name
    for index, subject in enumerate(knowledge.subjects):
        for name in subject.offer:
            yield "subjects.yaml", (index, "offer"), name
    for index, item in enumerate(knowledge.items):
        if item.task:
            yield "items.yaml", (index, "task"), item.task
    for index, topic in enumerate(knowledge.topics):
        if topic.nearest:
            yield "topics.yaml", (index, "nearest"), topic.nearest


def _check_needs(path: Path, knowledge: Knowledge) -> None:
    """Whatever stands in `needs` is a concept, or a number."""
    words = knowledge.words
    for name in _needed(entry for group in knowledge.groups for entry in group):
        if name not in words.concepts and name not in words.cues and not name.isdigit():
            _complain(path, ("concepts",), f"{name} is needed somewhere and is no concept")


def _needed(entries: Iterable[Phrased]) -> Iterator[str]:
    for entry in entries:
        for combination in entry.needs:
            for names in combination:
                yield from () if names == "-*" else names.removeprefix("-").split("|")


def _complain(path: Path, key: tuple[str | int, ...], problem: str) -> None:
    raise ContentError(short(path), key, line_of(path, key), problem)
