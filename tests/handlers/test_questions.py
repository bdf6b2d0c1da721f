"""Questions people may ask: how many are answered as they should be, kind by kind."""

import pytest

from content.everything import load_content
from content.knowledge import Phrased
from handlers.hearing import Hearing
from handlers.understand import Understanding
from tests.questions import PLAN_KINDS, questions, score, share

CONTENT = load_content()
HEARING = Hearing(CONTENT)
UNDERSTANDING = Understanding(CONTENT)


@pytest.mark.parametrize(
    ("name", "bar"),
    [
        ("tuned", 0.98),
        ("beyond", 0.96),
        ("first_unseen", 0.92),
        ("second_unseen", 0.95),
        ("third_unseen", 0.95),
        ("fourth_unseen", 0.93),
        ("last_unseen", 0.93),
        ("tried", 0.95),
    ],
)
def test_the_share_that_is_right(name: str, bar: float) -> None:
    """What was learnt stays learnt: below its bar a set names what it lost."""
    figures, missed = score(HEARING, questions(name))

    assert share(figures) >= bar, [f"{one.question.ask} -> {one.told.kind}" for one in missed]


def test_nothing_is_claimed_that_the_plan_does_not_say() -> None:
    """Of what the plan is silent on, at most one in fifty questions is answered from it."""
    asked = [one for name in ("tuned", "beyond", "first_unseen") for one in questions(name)]
    silent = [one for one in asked if one.wants and one.kind not in ("service", "faq")]

    figures, missed = score(HEARING, silent)

    assert share(figures) >= 0.98, [one.question.ask for one in missed]


def test_every_kind_is_asked() -> None:
    """Each kind of question of the plan stands in the sets, and none is without what a right answer says."""
    asked = [one for name in ("tuned", "first_unseen", "second_unseen") for one in questions(name)]

    assert {one.kind for one in asked} >= PLAN_KINDS
    assert [one.ask for one in asked if one.kind in PLAN_KINDS and not (one.cites and one.says)] == []


@pytest.mark.parametrize("group", ["items", "services", "topics", "facts", "listings"])
def test_what_is_written_down_is_found(group: str) -> None:
    """A phrasing finds the entry it is written under, or one that says the same, in ninety-nine of a hundred."""
    entries: tuple[Phrased, ...] = getattr(CONTENT.knowledge, group)
    asked = [(entry.id, ask) for entry in entries for ask in entry.ask]

    lost = [(name, ask) for name, ask in asked if not _is_found(group, name, ask)]

    assert len(lost) <= 0.01 * len(asked) + 2, lost


def _is_found(group: str, name: str, ask: str) -> bool:
    found = UNDERSTANDING.understand(ask)
    match group:
        case "items":
            tasks = {item.id: item.task or item.id for item in CONTENT.knowledge.items}
            about = {tasks.get(item, item) for item, _ in found.items}
            return found.kind == "plan" and (bool(found.listing) or tasks[name] in about or name in about)
        case "services":
            return found.service == name
        case "topics":
            return found.kind in ("handoff", "faq")
        case "facts":
            return found.faq == name
        case _:
            return found.listing == name
