"""Answers taken out of typed words: «other» in every list that has it."""

from datetime import date

import pytest

from content.everything import load_content
from content.model import Language
from handlers.choices import Picker
from handlers.fills import Fill
from handlers.taking import NotTaken, Specify, Taken, Taker
from handlers.values import Values
from handlers.walk import Place, Prompt, Walk

CONTENT = load_content()
TAKER = Taker(CONTENT.say, CONTENT.menu, Values(CONTENT.values), Picker(CONTENT.menu.picking))
FORM = CONTENT.forms["demand_survey"]
WALK = Walk(FORM, {"sector": Fill("manufacturing")}, date(2026, 11, 20))
WITH_OTHER = [one for one in FORM.questions if any(choice.specify for choice in one.choices)]
WITHOUT = [
    one
    for one in FORM.questions
    if one.kind == "select_multiple" and not any(choice.specify for choice in one.choices)
]


def prompt_of(name: str) -> Prompt:
    return Prompt(name, "question", (Place(FORM.by_name[name]),))


@pytest.mark.parametrize("name", [one.name for one in WITH_OTHER])
@pytest.mark.parametrize(
    ("language", "typed"),
    [("vi", "khác: nấu rượu"), ("vi", "KHAC : nấu rượu"), ("vi", "mục khác: nấu rượu"), ("en", "Other: nấu rượu")],
)  # fmt: skip
def test_other_with_what_exactly(name: str, language: Language, typed: str) -> None:
    taken = TAKER.words(WALK, prompt_of(name), typed, language)

    assert isinstance(taken, Taken)
    [(place, fill)] = taken.fills
    assert (place, fill.other) == (name, "nấu rượu")


@pytest.mark.parametrize("name", [one.name for one in WITH_OTHER])
@pytest.mark.parametrize("typed", ["khác", "khac", "other"])
def test_other_alone(name: str, typed: str) -> None:
    assert isinstance(TAKER.words(WALK, prompt_of(name), typed, "vi"), Specify)


@pytest.mark.parametrize("name", [one.name for one in WITHOUT])
def test_other_is_not_recommended_where_there_is_none(name: str) -> None:
    assert TAKER.words(WALK, prompt_of(name), "khác: nấu rượu", "vi") == NotTaken("form_pick_several")
