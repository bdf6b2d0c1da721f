"""One renderer over a record of what a channel can do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Capabilities, pieces, render
from handlers.messages import Choice, Message

BUTTONS = Capabilities("rich", text_length=100, buttons=3, label_length=20)
NONE = Capabilities("plain", text_length=60, buttons=0, label_length=0)
ASKED = Message(
    "Anh/Chị chọn:", (Choice("Một", "x:1"), Choice("Hai", "x:2"), Choice("Trang", "x:3", "https://a.example"))
)


def test_choices_are_buttons_where_there_are_buttons() -> None:
    assert render(ASKED, BUTTONS) == [ASKED]


def test_choices_are_a_numbered_list_where_there_are_none() -> None:
    assert render(ASKED, NONE) == [Message("Anh/Chị chọn:\n1. Một\n2. Hai\n3. Trang: https://a.example")]


@pytest.mark.parametrize(
    "choices",
    [
        tuple(Choice(str(number), f"x:{number}") for number in range(4)),
        (Choice("một nhãn dài hơn hai mươi chữ", "x:1"),),
    ],
    ids=["too many", "too long"],
)
def test_choices_that_do_not_fit_become_a_list(choices: tuple[Choice, ...]) -> None:
    [said] = render(Message("?", choices), BUTTONS)

    assert said.choices == ()
    assert f"1. {choices[0].label}" in said.text


def test_long_text_is_cut_at_its_seams_and_choices_stay_last() -> None:
    text = "Đoạn một nói về một việc khá dài dòng.\n\nĐoạn hai nói về việc khác. Câu nữa cũng dài như thế."
    *first, last = render(Message(text, ASKED.choices), Capabilities("small", 60, 3, 20))

    assert [piece.text for piece in first] == ["Đoạn một nói về một việc khá dài dòng."]
    assert last == Message("Đoạn hai nói về việc khác. Câu nữa cũng dài như thế.", ASKED.choices)


@given(st.text(min_size=0, max_size=400), st.integers(10, 80))
def test_pieces_fit_and_lose_no_word(text: str, limit: int) -> None:
    found = pieces(text, limit)

    assert all(len(piece) <= limit for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())
