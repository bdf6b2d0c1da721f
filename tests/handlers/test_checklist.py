"""What is missing before a survey opens is named, with why and where; what is there is not."""

from dataclasses import replace
from typing import Any

import pytest

from content.everything import Content
from handlers.figures.checklist import COMMUNES, Gap, Setup, checklist

READY = Setup(demo=False, public_url=True, instance=True, mail=True, letter=True, deadline=True, invited=800)
FORM = "demand_survey"


def gaps(content: Content, setup: Setup = READY, language: Any = "vi") -> dict[str, Gap]:
    return {gap.id: gap for gap in checklist(content, FORM, setup, content.say, language)}


def office(content: Content, **known: str | None) -> Content:
    return replace(content, office=content.office.model_copy(update=known))


FACTS = {
    "unit": "Phòng Quản lý đo lường",
    "phone": "0256 3 000 000",
    "email": "doluong@example.vn",
    "address": "Quy Nhơn",
    "hours": "7:30–17:00",
    "official_page": "https://example.vn",
    "retention": "hai năm",
    "use_limit": "Không dùng làm căn cứ xử phạt.",
}


@pytest.mark.parametrize(
    ("known", "left"),
    [
        ({}, set()),
        ({"phone": None}, set()),  # one way to be reached is enough
        ({"phone": None, "email": None}, {"contact"}),
        ({"retention": None}, {"retention"}),
        ({"unit": None, "hours": None, "use_limit": None}, {"unit", "hours", "use_limit"}),
    ],
)
def test_what_the_office_has_not_said_is_missing(
    content: Content, known: dict[str, None], left: set[str]
) -> None:
    found = gaps(office(content, **{**FACTS, **known}))

    assert found.keys() - {"bodies", "topics", "communes"} == left


@pytest.mark.parametrize(
    ("setup", "left"),
    [
        ({"demo": True}, "demo"),
        ({"public_url": False}, "public_url"),
        ({"instance": False}, "instance"),
        ({"mail": False}, "mail"),
        ({"letter": False}, "letter"),
        ({"deadline": False}, "deadline"),
        ({"invited": 0}, "invited"),
    ],
)
def test_what_is_not_set_up_is_missing(content: Content, setup: dict[str, Any], left: str) -> None:
    ready = gaps(content)

    assert gaps(content, replace(READY, **setup)).keys() - ready.keys() == {left}


def test_what_must_be_there_comes_first_and_all_is_said_in_both_languages(content: Content) -> None:
    nothing = Setup(
        demo=True, public_url=False, instance=False, mail=False, letter=False, deadline=False, invited=0
    )
    empty = office(content, **dict.fromkeys(FACTS))

    for language in ("vi", "en"):
        found = list(gaps(empty, nothing, language).values())
        musts = [gap.must for gap in found]

        assert musts == sorted(musts, reverse=True)
        assert True in musts
        assert all(gap.what and gap.why and gap.where for gap in found)


def test_a_list_of_communes_that_is_not_whole_is_told(content: Content) -> None:
    listed = len(content.forms[FORM].file.choices["communes"]) - 1  # «elsewhere» is none

    assert gaps(content)["communes"].what == f"Danh sách xã, phường: mới có {listed}/{COMMUNES}"
