"""Every number and every name in an answer of the plan stands in the item it cites."""

import re
from collections.abc import Iterator

import pytest

from content.catalogue import LANGUAGES
from content.everything import load_content
from content.model import Language
from handlers.answers import Answer, answer, item_text
from handlers.hearing import Hearing
from handlers.understand import Understood
from tests.questions import questions

CONTENT = load_content()
HEARING = Hearing(CONTENT)
PLAN = CONTENT.plan
CELLS = ("lead", "cooperating", "time", "funding")
NUMBER = re.compile(r"\d+(?:[./]\d+)*")
NAME = re.compile(
    r"(?:Sở|Bộ|Chi cục|Trung tâm|Quỹ|UBND|Ủy ban|Tổng cục) [A-ZĐ][^\s.,;():»]*(?: (?:và |&)?[A-ZĐ][^\s.,;():»]*)*"
)


def _sources() -> dict[str, str]:
    """Whatever is written of each item: its heading, its text, its bullets, its cells."""
    texts = {task.id: " ".join(str(value) for value in task.model_dump().values()) for task in PLAN.tasks}
    for section in PLAN.sections:
        texts[section.id] = f"{section.id} {section.title} {section.text}"
    for name in list(texts):
        below = (text for other, text in texts.items() if other.startswith((f"{name}-", f"{name}.")))
        texts[name] = " ".join((texts[name], *below))
    return texts


SOURCES = _sources()
DOCUMENT = " ".join(str(value) for value in PLAN.document.model_dump().values())
TODAY = " ".join(
    f"{body.name} {' '.join(body.also)} {body.now} {body.note} {body.source.name if body.source else ''}"
    for body in CONTENT.bodies
)


def _allowed(told: Answer) -> str:
    """The text cited, the source's slips put right, with the clauses' own numbers and what bodies are called today."""
    cited = " ".join(f"{name} {name.split('-')[0]} {SOURCES[name]}" for name in told.citations)
    for slip, right in CONTENT.knowledge.corrections.items():
        cited = cited.replace(slip, right)
    targets = " ".join(
        f"{one.by_2025.number} {one.by_2030.number} {one.total.number} 2025 2030"
        for one in CONTENT.knowledge.targets
        if {one.by_2025.item, one.by_2030.item, one.total.item} & set(_with_children(told.citations))
    )
    return f"{cited} {targets} {TODAY} {'' if told.citations else DOCUMENT}"


def _with_children(names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield from (other for other in SOURCES if other == name or other.startswith(f"{name}-"))


def _numbers(text: str) -> set[str]:
    return {number.lstrip("0") for number in NUMBER.findall(text)}


def _invented(told: Answer) -> list[str]:
    allowed = _allowed(told)
    counted = {str(len(PLAN.tasks)), str(len(PLAN.groups)), str(len(told.citations))}
    reported = PLAN.document.reported
    counted |= _numbers(
        f"{reported.number} {reported.date:%d/%m/%Y} {PLAN.document.year} {reported.source.name}"
    )
    numbers = _numbers(told.text) - _numbers(allowed) - counted
    names = {name for name in NAME.findall(told.text) if name not in allowed and name not in DOCUMENT}
    return sorted(numbers | names)


@pytest.mark.parametrize("name", ["tuned", "first_unseen", "second_unseen"])
def test_answers_say_only_what_they_cite(name: str) -> None:
    """Composed answers to every question of the sets, in the language they are given in."""
    wrong = {}
    for question in questions(name):
        for told in HEARING(question.ask).answers.values():
            if told.kind == "plan" and (invented := _invented(told)):
                wrong[question.ask] = invented

    assert wrong == {}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cell", [(), *((one,) for one in CELLS), CELLS])
def test_every_cell_of_every_item(language: Language, cell: tuple[str, ...]) -> None:
    """Each item asked for each cell, one or all of them."""
    for item in CONTENT.knowledge.items:
        understood = Understood("plan", items=((item.id, 1.0),), attributes=frozenset(cell))
        assert _invented(answer(CONTENT, understood, language)) == [], item.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_list_and_every_target(language: Language) -> None:
    """Lists, sums and comparisons put together nothing that is not in the plan."""
    for listing in CONTENT.knowledge.listings:
        told = answer(CONTENT, Understood("plan", listing=listing.id), language)
        assert _invented(told) == [], listing.id
    for target in CONTENT.knowledge.targets:
        for items in (
            (target.by_2025.item,),
            (target.by_2025.item, target.by_2030.item),
            (target.total.item,),
        ):
            scored = tuple((item, 1.0) for item in items)
            told = answer(CONTENT, Understood("plan", items=scored, target=target.id), language)
            assert _invented(told) == [], target.id


@pytest.mark.parametrize("item", [item.id for item in CONTENT.knowledge.items])
def test_an_opened_item(item: str) -> None:
    told = Answer("plan", item_text(CONTENT, item, "vi"), citations=(item,) if item in SOURCES else ())

    assert _invented(told) == []


def test_a_false_number_or_name_is_seen() -> None:
    """The check itself: it must fail where something is invented."""
    assert _invented(Answer("plan", "ít nhất 201 cán bộ", citations=("I.2.a-2",))) == ["201"]
    assert _invented(Answer("plan", "Sở Công Thương chủ trì", citations=("2.1",))) == ["Sở Công Thương"]
