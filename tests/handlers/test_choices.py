"""A choice is recognised however it is made."""

import unicodedata

import pytest

from content.everything import load_content
from handlers.choices import Picker
from handlers.messages import Choice

pick = Picker(load_content().menu.picking).pick
SCREEN = (
    Choice("Hỏi về kế hoạch", "ask:examples"),
    Choice("Hướng dẫn", "home:help"),
    Choice("Trang của Sở", "home:page", url="https://example.org"),
    Choice("3 ngày", "home:days"),
)


@pytest.mark.parametrize(
    ("said", "picked"),
    [
        ("1", ("ask:examples",)),
        ("2.", ("home:help",)),
        ("2)", ("home:help",)),
        (" số 2 ", ("home:help",)),
        ("chọn 1", ("ask:examples",)),
        ("Hướng dẫn", ("home:help",)),
        ("huong dan", ("home:help",)),
        ("HUONG  DAN", ("home:help",)),
        (unicodedata.normalize("NFD", "Hướng dẫn"), ("home:help",)),
        ("home:help", ("home:help",)),
        ("3 ngay", ("home:days",)),
        ("0", ()),
        ("5", ()),
        ("99", ()),
        ("1 2", ()),
        ("hướng dẫn sử dụng", ()),
        ("nhiệm vụ 2.2", ()),
        ("2.2", ()),
        ("hai", ("home:help",)),
        ("số một", ("ask:examples",)),
        ("thu 2", ("home:help",)),
        ("một hai ba", ()),
        ("2030", ()),
        ("", ()),
        ("👍", ()),
    ],
)
def test_one_choice(said: str, picked: tuple[str, ...]) -> None:
    assert pick(SCREEN, said) == picked


@pytest.mark.parametrize(
    ("said", "picked"),
    [
        ("1, 2", ("ask:examples", "home:help")),
        ("1 và 2", ("ask:examples", "home:help")),
        ("2 1", ("home:help", "ask:examples")),
        ("1,1,2", ("ask:examples", "home:help")),
        ("1 and 4", ("ask:examples", "home:days")),
        ("1, 9", ()),
    ],
)
def test_several_choices(said: str, picked: tuple[str, ...]) -> None:
    assert pick(SCREEN, said, several=True) == picked


ASIDE = (
    Choice("Khối lượng", "form:mass"),
    Choice("bỏ qua", "form:skip", also=("bo", "thôi"), aside=True),
    Choice("Nhiệt độ", "form:heat"),
    Choice("quay lại", "form:back", aside=True),
)


@pytest.mark.parametrize(
    ("said", "picked"),
    [
        ("1", ("form:mass",)),
        ("2", ("form:heat",)),
        ("3", ()),
        ("4", ()),
        ("1, 2", ("form:mass", "form:heat")),
        ("1, 3", ()),
        ("bỏ qua", ("form:skip",)),
        ("BO QUA", ("form:skip",)),
        ("thôi", ("form:skip",)),
        ("form:back", ("form:back",)),
    ],
)
def test_what_stands_aside_has_words_and_no_number(said: str, picked: tuple[str, ...]) -> None:
    assert pick(ASIDE, said, several=True) == picked


def test_where_all_stands_aside_a_number_is_an_answer() -> None:
    assert pick(ASIDE[1::2], "1") == ()


def test_no_screen_has_no_choices() -> None:
    assert pick((), "1") == ()
