"""Facts beside the plan, and questions officers answered: found in other words, told with their source."""

import pytest

from content.everything import load_content
from content.knowledge import Fact, Listing
from handlers.answers import tasks_of
from handlers.faq import Entry
from handlers.hearing import Hearing

CONTENT = load_content()
HEARING = Hearing(CONTENT)
ENTRY = Entry(
    id="faq-1",
    ask=("Phòng thí nghiệm của trường có phải đăng ký hoạt động thử nghiệm không?",),
    answer="Có, nếu phòng thí nghiệm làm dịch vụ thử nghiệm cho bên ngoài.",
    document="Công văn 12/SKHCN-TĐC",
    dated="2026-11-20",
)


@pytest.mark.parametrize("fact", CONTENT.knowledge.facts, ids=lambda fact: fact.id)
def test_a_fact_is_told_with_its_document_and_date(fact: Fact) -> None:
    """No fact passes for the plan's: it cites no clause, says so, and names its document and year."""
    told = HEARING(fact.ask[0]).answers["vi"]

    assert (told.kind, told.citations) == ("faq", ())
    assert told.source
    assert fact.source.document in told.source
    assert fact.source.dated[:4] in told.source
    assert told.text.startswith(fact.answer.vi)
    assert "Kế hoạch của tỉnh không quy định nội dung này" in told.text


def test_an_english_question_is_answered_in_english() -> None:
    told = HEARING("what is the difference between verification and calibration").answers["en"]

    assert told.kind == "faq"
    assert told.text.startswith("Verification is a legal check")


@pytest.mark.parametrize(
    "question",
    [
        "phòng thí nghiệm trường học có phải đăng ký hoạt động thử nghiệm không",
        "phong thi nghiem cua truong co can dang ky hoat dong thu nghiem k",
        "PTN của trường tôi phải đăng ký hoạt động thử nghiệm không ạ",
    ],
)
def test_what_an_officer_answered_is_found_in_other_words(question: str) -> None:
    """An entry born from one question answers those who ask the same differently, in Vietnamese and in English."""
    hearing = Hearing(CONTENT, [ENTRY])

    said = hearing(question)

    assert said.understood.faq == ENTRY.id
    assert said.answers["vi"].source == "Công văn 12/SKHCN-TĐC, ngày 20/11/2026"


def test_an_entry_answers_nothing_else() -> None:
    """What was answered from the plan before is answered so beside any entry."""
    hearing = Hearing(CONTENT, [ENTRY])
    for question in (
        "phòng thí nghiệm muốn đạt ISO 17025 có được hỗ trợ không",
        "ai chủ trì khảo sát nhu cầu",
    ):
        assert hearing(question).answers["vi"].text == HEARING(question).answers["vi"].text


@pytest.mark.parametrize("listing", CONTENT.knowledge.listings, ids=lambda listing: listing.id)
def test_a_list_holds_what_the_appendix_holds(listing: Listing) -> None:
    """A computed list names the tasks whose cell has the words, all of them and no other, and cites them."""
    told = HEARING(listing.ask[0]).answers["vi"]
    if listing.cell == "targets":
        assert told.citations == ("I.2.a", "I.2.b")
        return
    expected = tuple(task.id for task in tasks_of(CONTENT, listing))

    assert expected
    assert told.citations == expected
    assert [line.split()[1].rstrip(".") for line in told.text.split("\n") if line.startswith("- ")] == list(
        expected
    )
