"""The plan as data: nothing lost, nothing added, empty cells empty."""

import hashlib
import unicodedata
from pathlib import Path

import pytest

from content.everything import Content, load_content
from content.model import Frozen

STORED = Path(__file__).with_name("plan.sha256")


@pytest.fixture(scope="module")
def content() -> Content:
    return load_content()


def test_every_clause_and_row_is_there(content: Content) -> None:
    """The plan has 58 clauses and bullets and an appendix of 22 rows in six groups."""
    assert len(content.plan.sections) == 58
    assert [sum(task.id.startswith(f"{group}.") for task in content.plan.tasks) for group in range(1, 7)] == [
        6,
        5,
        3,
        3,
        2,
        3,
    ]


def test_headings_carry_no_text(content: Content) -> None:
    """A clause whose bullets say everything repeats none of them."""
    empty = {section.id for section in content.plan.sections if not section.text}

    assert {"I.1", "I.2.a", "I.2.b", "II.1", "II.2", "II.3", "II.4", "II.5", "II.6", "IV", "V.1"} == empty


@pytest.mark.parametrize("cell", ["lead", "cooperating", "time"])
def test_no_other_cell_is_empty(content: Content, cell: str) -> None:
    """Only the funding column has empty cells."""
    assert [task.id for task in content.plan.tasks if not getattr(task, cell)] == []


def test_rows_without_funding(content: Content) -> None:
    """The funding cells of 1.1 to 1.5 and 2.5 are empty in the source and stay empty."""
    unfunded = [task.id for task in content.plan.tasks if task.funding is None]

    assert unfunded == ["1.1", "1.2", "1.3", "1.4", "1.5", "2.5"]


def test_every_word_is_the_sources(content: Content) -> None:
    """No word of any clause or cell changes unnoticed, slips of the source included.

    `plan.sha256` was taken from the plan as compared with its source; change it only after comparing again.
    """
    stored = [line.split("  ", 1) for line in STORED.read_text(encoding="utf-8").splitlines()]
    found = {name: _digest(entry) for name, entry in _entries(content)}

    assert [name for digest, name in stored if found.get(name) != digest] == []
    assert set(found) == {name for _, name in stored}


def _entries(content: Content) -> list[tuple[str, Frozen]]:
    """Each part of the plan with the name it has in `plan.sha256`."""
    plan = content.plan
    return [
        *((f"chapter {chapter.id}", chapter) for chapter in plan.chapters),
        *((f"section {section.id}", section) for section in plan.sections),
        *((f"group {group.id}", group) for group in plan.groups),
        *((f"task {task.id}", task) for task in plan.tasks),
        ("document", plan.document),
    ]


def _digest(entry: Frozen) -> str:
    cells = "\n".join(f"{cell}={value}" for cell, value in entry)
    return hashlib.sha256(cells.encode()).hexdigest()[:12]


def test_text_is_composed(content: Content) -> None:
    """The plan is stored in Unicode form C, as people search it."""
    texts = [section.text for section in content.plan.sections] + [task.text for task in content.plan.tasks]

    assert texts == [unicodedata.normalize("NFC", text) for text in texts]


def test_what_is_blank_stays_blank(content: Content) -> None:
    """The source has no number and no date; what the press reports is kept apart, with its source."""
    document = content.plan.document

    assert (document.number, document.date) == (None, None)
    assert document.reported.number == "45/KH-UBND"


def test_unconfirmed_names_are_not_guessed(content: Content) -> None:
    """A body has a present name only where a source says so."""
    assert [body.id for body in content.bodies if body.now and not body.source] == []
    assert next(body for body in content.bodies if body.id == "subdepartment").now is None
