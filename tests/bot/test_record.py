"""What the page shows of questions that were asked before: whether one is open, and what was answered."""

from typing import Any

import pytest

from bot.channels.web.record import recorded

BOXES = {
    "who": "assistant",
    "choices": [
        {"label": "Khối lượng", "value": "form:pick:q:mass"},
        {"label": "Dung tích, lưu lượng", "value": "form:pick:q:volume"},
        {"label": "Nhiệt độ", "value": "form:pick:q:heat"},
        {"label": "Bỏ qua", "value": "form:skip", "aside": True},
        {"label": "Khác", "value": "form:pick:q:other"},
    ],
    "control": {"kind": "several"},
}
ROWS = {**BOXES, "control": None}
STEPPERS = {
    "who": "assistant",
    "choices": [],
    "control": {"kind": "numbers", "labels": ["Cân (bàn)", "Ẩm kế"]},
}
NOTE = {"who": "assistant", "choices": []}


def said(text: str) -> dict[str, Any]:
    """The person's words."""
    return {"who": "person", "text": text, "choices": []}


@pytest.mark.parametrize(
    ("question", "answer", "chosen"),
    [
        (ROWS, "Nhiệt độ", [2]),
        (ROWS, " nhiệt ĐỘ ", [2]),
        (ROWS, "2", [1]),
        (ROWS, "4", [4]),
        (ROWS, "5", []),
        (ROWS, "1, 2", []),
        (ROWS, "Khối lượng; Nhiệt độ", []),
        (ROWS, "bỏ qua", [3]),
        (ROWS, "sao lại hỏi", []),
        (BOXES, "1, 3", [0, 2]),
        (BOXES, "1 4", [0, 4]),
        (BOXES, "1, 9", []),
        (BOXES, "0", []),
        (BOXES, "Khối lượng", [0]),
        (BOXES, "Khối lượng; Dung tích, lưu lượng; Khác", [0, 1, 4]),
        (BOXES, "Khối lượng; và gì nữa", []),
        (BOXES, "Bỏ qua", [3]),
        (BOXES, "", []),
    ],
)
def test_what_was_chosen(question: dict[str, Any], answer: str, chosen: list[int]) -> None:
    [asked, _] = recorded([question, said(answer)])

    assert (asked["open"], asked["chosen"]) == (False, chosen)


@pytest.mark.parametrize(
    ("answer", "values"),
    [
        ("Cân (bàn): 12; Ẩm kế: ?", ["12", "?"]),
        ("cân (bàn): 12,5; ẩm kế: ~3", ["12,5", "~3"]),
        ("Cân (bàn): khoảng 20; Ẩm kế: 1.200", ["khoảng 20", "1.200"]),
        ("12 ?", ["12", "?"]),
        (" 12   3 ", ["12", "3"]),
        ("12", []),
        ("12 3 4", []),
        ("mười hai, ba", []),
        ("", []),
    ],
)
def test_what_was_counted(answer: str, values: list[str]) -> None:
    [asked, _] = recorded([STEPPERS, said(answer)])

    assert asked["values"] == values


@pytest.mark.parametrize(
    ("talk", "opened"),
    [
        ([], []),
        ([NOTE], []),
        ([ROWS], [0]),
        ([STEPPERS], [0]),
        ([ROWS, NOTE], [0]),
        ([ROWS, BOXES], [1]),
        ([BOXES, STEPPERS, NOTE], [1]),
        ([ROWS, said("1")], []),
        ([ROWS, said("1"), NOTE], []),
        ([ROWS, said("1"), BOXES], [2]),
    ],
)
def test_only_the_newest_question_is_open(talk: list[dict[str, Any]], opened: list[int]) -> None:
    assert [place for place, one in enumerate(recorded(talk)) if one.get("open")] == opened


def test_an_answer_belongs_to_the_question_before_it() -> None:
    first, second, _ = recorded([ROWS, BOXES, said("1")])

    assert (first["chosen"], second["chosen"]) == ([], [0])
