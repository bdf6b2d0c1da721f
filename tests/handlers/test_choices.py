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


def test_no_screen_has_no_choices() -> None:
    assert pick((), "1") == ()
