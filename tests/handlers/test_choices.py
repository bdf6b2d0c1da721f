"""A choice is recognised however it is made."""

import unicodedata

import pytest

from handlers.choices import pick
from handlers.messages import Choice

SCREEN = (
    Choice("Hỏi về kế hoạch", "home:plan"),
    Choice("Hướng dẫn", "home:help"),
    Choice("Trang của Sở", "home:page", url="https://example.org"),
    Choice("3 ngày", "home:days"),
)


@pytest.mark.parametrize(
    ("said", "picked"),
    [
        ("1", ("home:plan",)),
        ("2.", ("home:help",)),
        ("2)", ("home:help",)),
        (" số 2 ", ("home:help",)),
        ("chọn 1", ("home:plan",)),
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
        ("", ()),
        ("👍", ()),
    ],
)
def test_one_choice(said: str, picked: tuple[str, ...]) -> None:
    assert pick(SCREEN, said) == picked


@pytest.mark.parametrize(
    ("said", "picked"),
    [
        ("1, 2", ("home:plan", "home:help")),
        ("1 và 2", ("home:plan", "home:help")),
        ("2 1", ("home:help", "home:plan")),
        ("1,1,2", ("home:plan", "home:help")),
        ("1 and 4", ("home:plan", "home:days")),
        ("1, 9", ()),
    ],
)
def test_several_choices(said: str, picked: tuple[str, ...]) -> None:
    assert pick(SCREEN, said, several=True) == picked


def test_no_screen_has_no_choices() -> None:
    assert pick((), "1") == ()
