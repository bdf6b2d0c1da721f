"""One renderer over a record of what a channel can do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Capabilities, pieces, render
from handlers.messages import Attachment, Choice, Control, Message

BUTTONS = Capabilities("rich", text_length=100, buttons=3, label_length=20)
DRAWS = Capabilities(
    "drawing",
    text_length=100,
    buttons=5,
    label_length=20,
    controls=frozenset({"several", "numbers"}),
    progress=True,
)
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


SEVERAL = Message(
    "Phép đo nào?",
    (
        Choice("Khối lượng", "form:pick:q:mass"),
        Choice("Nhiệt độ", "form:pick:q:heat"),
        Choice("bỏ qua", "form:skip", aside=True),
        Choice("quay lại", "form:back", aside=True),
    ),
    control=Control("several", "form:pick:q:", typed="Gõ các số, ví dụ «1, 2»."),
    progress=(7, 18),
    counted="Câu 7/18",
)
NUMBERS = Message(
    "Mỗi loại mấy chiếc?", control=Control("numbers", "form:line:k:", ("Cân", "Ẩm kế"), typed="Gõ «12 ?».")
)


@pytest.mark.parametrize(
    ("message", "channel", "text", "kept"),
    [
        pytest.param(SEVERAL, DRAWS, "Phép đo nào?", ("choices", "control", "progress"), id="drawn"),
        pytest.param(
            SEVERAL,
            Capabilities("buttons", 500, 5, 20),
            "Câu 7/18\nPhép đo nào?",
            ("choices",),
            id="buttons only",
        ),
        pytest.param(
            SEVERAL,
            Capabilities("plain", 500, 0, 0),
            "Câu 7/18\nPhép đo nào?\nGõ các số, ví dụ «1, 2».\n1. Khối lượng\n2. Nhiệt độ\n(bỏ qua · quay lại)",
            (),
            id="words only",
        ),
        pytest.param(
            SEVERAL,
            Capabilities("few", 500, 3, 20, controls=frozenset({"several", "numbers"}), progress=True),
            "Phép đo nào?\nGõ các số, ví dụ «1, 2».\n1. Khối lượng\n2. Nhiệt độ\n(bỏ qua · quay lại)",
            ("progress",),
            id="more choices than boxes",
        ),
        pytest.param(NUMBERS, DRAWS, "Mỗi loại mấy chiếc?", ("control",), id="steppers"),
        pytest.param(NUMBERS, NONE, "Mỗi loại mấy chiếc?\nGõ «12 ?».", (), id="numbers typed"),
    ],
)
def test_a_control_is_drawn_or_told(
    message: Message, channel: Capabilities, text: str, kept: tuple[str, ...]
) -> None:
    [said] = render(message, channel)

    assert said.text == text
    for part in ("choices", "control", "progress"):
        assert getattr(said, part) == (getattr(message, part) if part in kept else getattr(Message(""), part))


def test_what_stands_aside_stays_without_number_among_links() -> None:
    choices = (
        Choice("bỏ qua", "x:0", aside=True),
        Choice("Một", "x:1"),
        Choice("Trang", "x:2", "https://a.example"),
    )

    [said] = render(Message("?", choices), NONE)

    assert said.text == "?\n1. Một\n2. Trang: https://a.example\n(bỏ qua)"


def test_controls_and_progress_go_with_the_last_piece() -> None:
    message = Message(
        "Đoạn một nói về một việc khá dài dòng.\n\nĐoạn hai nói về việc khác.",
        attachments=(Attachment("a.txt", "text/plain", "/a"),),
        control=NUMBERS.control,
        progress=(1, 2),
    )

    first, last = render(
        message, Capabilities("small", 60, 0, 0, controls=frozenset({"several", "numbers"}), progress=True)
    )

    assert first == Message("Đoạn một nói về một việc khá dài dòng.")
    assert (last.control, last.progress, last.attachments) == (message.control, (1, 2), message.attachments)


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


def test_a_question_that_says_only_how_to_type_says_it_once() -> None:
    asked = Message("Cân: gõ một số.", control=Control("numbers", typed="Cân: gõ một số."))

    assert [one.text for one in render(asked, NONE)] == ["Cân: gõ một số."]
