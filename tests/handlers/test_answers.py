"""Answers: the fact first, its clause with it, and no guess."""

import pytest

from content.catalogue import LANGUAGES
from content.knowledge import Target
from content.library import load_content
from content.model import Language
from handlers.answers import Answer, answer, item_text
from handlers.understand import Understanding

CONTENT = load_content()
UNDERSTANDING = Understanding(CONTENT)


def ask(question: str) -> Answer:
    understood = UNDERSTANDING.understand(question)
    return answer(CONTENT, understood, understood.language)


@pytest.mark.parametrize(
    ("question", "citation", "first"),
    [
        ("nhiệm vụ 2.2 ai chủ trì", "2.2", "Cơ quan chủ trì: Sở Khoa học và Công nghệ (Trung tâm Phân tích"),
        ("nhiệm vụ 1.6 phối hợp với ai", "1.6", "Cơ quan phối hợp: Sở Tài chính."),
        ("nhiệm vụ 6.2 khi nào", "6.2", "Thời gian thực hiện: Năm 2025; Năm 2030."),
        ("nhiệm vụ 1.1 kinh phí", "1.1", "Kế hoạch không ghi nguồn kinh phí cho nhiệm vụ này."),
        ("đến 2025 đào tạo bao nhiêu cán bộ", "I.2.a-2", "Đến năm 2025: ít nhất 200 cán bộ"),
        ("who leads task 1.5", "1.5", "Lead agency: Trung tâm Phân tích và Đo lường Chất lượng Bình Định."),
    ],
)
def test_the_fact_comes_first(question: str, citation: str, first: str) -> None:
    """What was asked is the first sentence; an empty cell is said to be empty."""
    told = ask(question)

    assert ("plan", citation) == (told.kind, told.citations[0])
    assert told.text.startswith(first)


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("tổng cộng đào tạo bao nhiêu cán bộ", ["500", "200", "300"]),
        ("cả kế hoạch hỗ trợ bao nhiêu doanh nghiệp làm chương trình đảm bảo đo lường", ["150", "50", "100"]),
        ("tổng số chất chuẩn, phương tiện đo là bao nhiêu", ["30", "10", "20"]),
        ("tổng cộng chuẩn hóa bao nhiêu tổ chức kiểm định", ["5", "2", "3"]),
    ],
)
def test_targets_add_up(question: str, numbers: list[str]) -> None:
    """The total is told with the two steps it is made of."""
    words = ask(question).text.replace(".", " ").split()

    assert [number for number in numbers if number not in words] == []


@pytest.mark.parametrize("target", CONTENT.knowledge.targets, ids=lambda target: target.id)
def test_figures_stand_in_the_plan(target: Target) -> None:
    """Every number told as a target is in the clause it is told from."""
    sections = {section.id: section.text for section in CONTENT.plan.sections}
    for figure in (target.by_2025, target.by_2030, target.total):
        words = sections[figure.item].replace(".", " ").split()
        assert f"{figure.number:02}" in words or str(figure.number) in words
    if target.adds_up:
        assert target.by_2025.number + target.by_2030.number == target.total.number


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_item_can_be_shown(language: Language) -> None:
    """Each item has a text with its clause, short enough for a chat, without the source's slip."""
    for item in CONTENT.knowledge.items:
        text = item_text(CONTENT, item.id, language)
        assert 0 < len(text) <= 2_500
        assert "Sở Khoa và" not in text


def test_renamed_bodies_are_noted_once() -> None:
    """A body that has another name today is told so, once; an unconfirmed name is called unconfirmed."""
    assert ask("nhiệm vụ 2.2 ai chủ trì").text.count("nay là") == 1
    assert "chưa được xác minh" in item_text(CONTENT, "V.3", "vi")


@pytest.mark.parametrize(
    "question",
    ["Phí kiểm định bao nhiêu?", "Thời tiết hôm nay?", "số điện thoại của sở", "tổng dự toán bao nhiêu tỷ"],
)
def test_no_guess(question: str) -> None:
    """Beyond the plan there is an offer to pass the question on, and no citation."""
    told = ask(question)

    assert (told.kind, told.citations) == ("handoff", ())
    assert "chuyển câu hỏi cho cán bộ" in told.text


def test_every_kind_of_reply_has_words() -> None:
    """Each service, small talk and silent topic can be answered in both languages."""
    knowledge = CONTENT.knowledge
    for entry in (*knowledge.services, *knowledge.smalltalk, *knowledge.topics):
        understood = UNDERSTANDING.understand(entry.ask[0])
        for language in LANGUAGES:
            told = answer(CONTENT, understood, language)
            assert told.text
            assert "!" not in told.text
