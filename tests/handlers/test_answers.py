"""Answers: the fact first, its clause with it, and no guess."""

import pytest

from content.catalogue import LANGUAGES
from content.everything import load_content
from content.knowledge import Target
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
        (
            "nhiệm vụ 6.2 khi nào",
            "6.2",
            "Thời gian thực hiện:\n- Sơ kết Kế hoạch thực hiện Đề án: 5 năm/lần – Năm 2025.",
        ),
        ("bao giờ tổng kết kế hoạch", "6.2", "Thời gian thực hiện:\n- Sơ kết"),
        ("tham quan học tập mấy năm một lần", "2.4", "Định kỳ 3 năm/lần: «Tổ chức tham quan"),
        ("ai chủ trì 2.2", "2.2", "Cơ quan chủ trì: Sở Khoa học và Công nghệ (Trung tâm Phân tích"),
        ("nv2.4 tg", "2.4", "Thời gian thực hiện: Đến năm 2030."),
        ("mục II", "II.1", "Mục II của Kế hoạch: NHIỆM VỤ, GIẢI PHÁP."),
        ("nhóm 6", "6.1", "Nhóm nhiệm vụ VI của Phụ lục: Công tác truyền thông"),
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
    ("question", "first", "words"),
    [
        ("ai ký kế hoạch", "Phần ký của Kế hoạch ghi: ", "Nguyễn Phi Long"),
        ("kế hoạch số mấy", "Bản Kế hoạch mà trợ lý có để trống số", "Theo Báo Bình Định"),
        ("kế hoạch kết thúc năm nào", "Theo tên của Kế hoạch: ", "định hướng đến năm 2030"),
    ],
)
def test_what_is_asked_of_the_whole_plan(question: str, first: str, words: str) -> None:
    """One thing asked about the document is told alone, and what it leaves blank is said to be blank."""
    told = ask(question)

    assert (told.kind, told.citations) == ("plan", ())
    assert told.text.startswith(first)
    assert words in told.text


def _words_of_section(item: str) -> list[str]:
    below = [section for section in CONTENT.plan.sections if section.id.startswith((f"{item}-", f"{item}."))]
    own = next(section for section in CONTENT.plan.sections if section.id == item)
    return [own.title, own.text, *(section.text for section in below)]


@pytest.mark.parametrize("item", [section.id for section in CONTENT.plan.sections])
def test_an_opened_clause_is_word_for_word(item: str) -> None:
    """Opening a clause shows its heading, its text and every bullet under it."""
    told = item_text(CONTENT, item, "vi")

    assert [words for words in _words_of_section(item) if words not in told] == []


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("mục I.2.b", True),
        ("nhiệm vụ 2.4", True),
        ("V.4", True),
        ("mục tiêu 2030", False),
        ("nhiệm vụ 2.4 khi nào", False),
    ],
)
def test_an_answer_that_is_the_whole_item(question: str, *, whole: bool) -> None:
    """Who has read all of an item needs no button that opens it."""
    assert whole == ask(question).whole


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


def test_a_body_that_is_no_more_is_told_so_with_the_source() -> None:
    """Where no present name exists, what a source reports is told."""
    told = ask("UBND huyện làm gì")

    assert told.citations == ("V.4", "V.yc")
    assert "Từ 01/07/2025 không còn cấp huyện" in told.text
    assert "Báo Lao Động" in told.text


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
