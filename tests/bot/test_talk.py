"""Conversations, as people have them."""

import json

import pytest

from bot.app import App
from tests.world import Clock, Visitor

MENU = ["Trả lời khảo sát nhu cầu đo lường", "Hỏi về kế hoạch", "Hướng dẫn", "English"]


async def test_a_newcomer_who_greets_is_greeted_with_the_menu(visitor: Visitor) -> None:
    seen = await visitor.says("xin chào")

    assert len(seen.messages) == 1
    assert "máy trả lời, không phải cán bộ" in seen.text
    assert "mật khẩu" in seen.text
    assert seen.labels == MENU


async def test_a_newcomer_who_asks_is_told_once_that_a_machine_answers(visitor: Visitor) -> None:
    first = await visitor.says("ai chủ trì nhiệm vụ 2.2")
    second = await visitor.says("nhiệm vụ 2.1 thì sao")

    assert "máy trả lời, không phải cán bộ" in first.messages[0].text
    assert "Trung tâm Phân tích và Đo lường Chất lượng" in first.messages[1].text
    assert "máy trả lời" not in second.text


async def test_on_the_web_the_page_has_greeted_already(app: App) -> None:
    from bot.conversation import Inbound

    done = await app.conversation.take(
        Inbound("web", "x", "k", text="ai chủ trì nhiệm vụ 2.2", shows_greeting=True)
    )

    assert "máy trả lời" not in done.lines[0][1].text


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("kinh phí đào tạo lấy từ đâu", "sự nghiệp khoa học và công nghệ"),
        ("ai chủ trì nhiệm vụ 2.2", "Trung tâm Phân tích và Đo lường Chất lượng"),
        ("muc tieu den nam 2030", "300"),
        ("phí kiểm định cân ô tô bao nhiêu", "Kế hoạch không nêu"),
    ],
)
async def test_the_four_questions_everybody_tries(visitor: Visitor, question: str, said: str) -> None:
    assert said in (await visitor.says(question)).text


async def test_a_choice_is_made_by_number_by_words_or_by_tap(visitor: Visitor) -> None:
    await visitor.says("xin chào")
    assert "gõ câu hỏi như nói chuyện" in (await visitor.says("3")).text
    assert "gõ câu hỏi như nói chuyện" in (await visitor.says("huong dan")).text
    assert "gõ câu hỏi như nói chuyện" in (await visitor.taps("Hướng dẫn")).text


async def test_a_number_means_the_choice_on_the_screen_and_nothing_else(visitor: Visitor) -> None:
    await visitor.says("xin chào")
    await visitor.says("2")  # the example questions
    seen = await visitor.says("2")

    assert "ngân sách nhà nước" in seen.text


async def test_a_clause_opens_from_an_answer_long_gone(visitor: Visitor) -> None:
    await visitor.says("ai chủ trì nhiệm vụ 2.2")
    await visitor.says("menu")
    seen = await visitor.taps("ask:item:2.2")

    assert "Đến năm 2030" in seen.text


async def test_a_button_of_a_question_that_has_passed_is_answered_kindly(visitor: Visitor) -> None:
    await visitor.says("phí kiểm định cân ô tô bao nhiêu")
    await visitor.says("menu")
    seen = await visitor.taps("ask:hand")

    assert "thuộc câu đã qua" in seen.text
    assert seen.labels == MENU


@pytest.mark.parametrize(
    "value", ["nonsense", "ask:item:99.9", "ask:example:x", "ask:example:99", ":", "home:"]
)
async def test_a_button_that_never_was_harms_nothing(visitor: Visitor, value: str) -> None:
    seen = await visitor.taps(value)

    assert seen.text
    assert not seen.done.failed


async def test_what_the_plan_does_not_say_is_kept_and_can_be_handed_to_staff(
    visitor: Visitor, app: App
) -> None:
    await visitor.says("phí kiểm định cân ô tô bao nhiêu")
    handed = await visitor.says("chuyển cho cán bộ")
    again = await visitor.says("q 1")

    assert "mã Q1" in handed.text
    assert "«phí kiểm định cân ô tô bao nhiêu»" in again.text
    assert "20/11/2026" in again.text


@pytest.mark.parametrize(
    "yes", ["có", "vâng", "ok", "đồng ý", "chuyển câu hỏi cho cán bộ", "gửi cán bộ", "1"]
)
async def test_yes_hands_the_question_on(visitor: Visitor, yes: str) -> None:
    """«Có muốn chuyển câu hỏi cho cán bộ không» is a question, and people answer it."""
    await visitor.says("phí kiểm định cân ô tô bao nhiêu")
    await visitor.says(yes)

    assert "«phí kiểm định cân ô tô bao nhiêu»" in (await visitor.says("Q1")).text


async def test_small_talk_does_not_lose_the_question(visitor: Visitor) -> None:
    await visitor.says("phí kiểm định cân ô tô bao nhiêu")
    await visitor.says("cảm ơn")
    await visitor.says("1")

    assert "«phí kiểm định cân ô tô bao nhiêu»" in (await visitor.says("Q1")).text


@pytest.mark.parametrize("number", ["9", "0", "mười", "số 7", "1 và 2"])
async def test_a_number_that_is_not_on_the_screen_shows_the_screen_again(
    visitor: Visitor, number: str
) -> None:
    await visitor.says("xin chào")
    seen = await visitor.says(number)

    assert "không có lựa chọn số đó" in seen.text
    assert seen.labels == MENU


@pytest.mark.parametrize("said", ["2.2", "I.2.b", "section II.3"])
async def test_what_is_in_no_language_is_answered_in_the_chosen_one(visitor: Visitor, said: str) -> None:
    await visitor.says("English")
    seen = await visitor.says(said)

    assert (
        any(label.startswith("Read") or label == "Back to the menu" for label in seen.labels)
        or "The " in seen.text
    )


async def test_nobody_sees_another_persons_question_by_its_code(app: App) -> None:
    an, binh = Visitor(app, "an"), Visitor(app, "binh")
    await an.says("phí kiểm định cân ô tô bao nhiêu")
    await an.taps("ask:hand")

    assert "Không thấy" in (await binh.says("Q1")).text
    assert "Không thấy" in (await binh.says("Q99999999999")).text


async def test_the_language_of_the_question_is_the_language_of_the_answer(visitor: Visitor) -> None:
    assert "Lead agency" in (await visitor.says("Who leads task 2.2?")).text
    assert "Cơ quan chủ trì" in (await visitor.says("ai chủ trì nhiệm vụ 2.2")).text


async def test_a_chosen_language_is_remembered(visitor: Visitor) -> None:
    await visitor.says("English")
    await visitor.says("ai chủ trì nhiệm vụ 2.2")  # answered in Vietnamese, and not remembered
    seen = await visitor.says("menu")

    assert "Pick an item" in seen.text
    assert "Từ giờ" in (await visitor.says("tieng viet")).text
    assert "chọn một mục" in (await visitor.says("menu")).text


@pytest.mark.parametrize(
    "request_",
    [
        "đăng ký lớp tập huấn",
        "cho gap can bo",
        "lịch sự kiện sắp tới",
    ],
)
async def test_a_service_not_yet_open_says_so_in_one_sentence(visitor: Visitor, request_: str) -> None:
    await visitor.says("xin chào")
    seen = await visitor.says(request_)

    assert "chưa mở" in seen.messages[0].text


async def test_a_command_that_is_not_there_is_told_kindly(visitor: Visitor) -> None:
    seen = await visitor.says("/thongke")

    assert "không có lệnh này" in seen.text
    assert seen.labels[-4:] == MENU
    assert "gõ câu hỏi như nói chuyện" in (await visitor.says("/help")).text


async def test_white_space_is_ignored(visitor: Visitor) -> None:
    assert (await visitor.says("  \n\t ")).messages == []


@pytest.mark.parametrize(
    "said",
    [
        "👍👍👍",
        "?",
        "\x00\x01\x02",
        "a\x00b",
        "\ud800 lone",
        "Kế hoạch",  # decomposed
        "/unknown",
        "<script>alert(1)</script>",
        "'; DROP TABLE people; --",
        "{office} {0} %s",
        "x" * 3_999,
        "\u200b\u202e",
    ],
)
async def test_whatever_is_typed_gets_an_answer_and_harms_nothing(visitor: Visitor, said: str) -> None:
    await visitor.says("xin chào")
    seen = await visitor.says(said)

    assert not seen.done.failed
    assert seen.text or not said.strip("\x00\x01\x02\u200b\u202e ")


async def test_a_text_too_long_is_told_in_one_sentence(visitor: Visitor, app: App) -> None:
    seen = await visitor.says("dài " * 25_000)

    assert "4.000 ký tự" in seen.text
    assert _stored(app, "SELECT max(length(text)) FROM turns") == [(4_000,)]


async def test_text_is_stored_as_typed_in_nfc(visitor: Visitor, app: App) -> None:
    import unicodedata

    await visitor.says(unicodedata.normalize("NFD", "Kế  Hoạch ĐO lường\x00"))

    assert _stored(app, "SELECT text FROM turns") == [("Kế  Hoạch ĐO lường",)]


async def test_a_photo_is_answered_in_one_sentence(visitor: Visitor) -> None:
    seen = await visitor.sends("can.jpg", "image/jpeg")

    assert "chưa đọc được ảnh" in seen.messages[-1].text


async def test_the_same_update_twice_is_answered_once(visitor: Visitor) -> None:
    first = await visitor.says("ai chủ trì nhiệm vụ 2.2", key="same")
    again = await visitor.says("ai chủ trì nhiệm vụ 2.2", key="same")

    assert first.messages
    assert again.done.repeated
    assert not again.messages


async def test_two_updates_of_one_person_at_once_are_both_answered_in_order(app: App) -> None:
    import asyncio

    an = Visitor(app, "an")
    seen = await asyncio.gather(*(an.says(f"nhiệm vụ 2.{number}") for number in (1, 2, 3)))

    cursors = [cursor for one in seen for cursor, _ in one.done.lines]
    assert cursors == sorted(cursors)
    assert [f"2.{number}" in one.text for number, one in zip((1, 2, 3), seen, strict=True)] == [True] * 3


async def test_a_conversation_goes_on_after_a_restart(app: App, clock: Clock) -> None:
    from tests.world import new_app

    an = Visitor(app, "an")
    await an.says("phí kiểm định cân ô tô bao nhiêu")
    await app.conversation.stop()

    again = new_app(app.settings.database_url.get_secret_value(), clock)
    again.conversation.start()
    an.app = again
    handed = await an.says("1")
    await again.conversation.stop()
    again.database.close()

    assert "mã Q1" in handed.text
    app.conversation.start = lambda: None  # type: ignore[method-assign]


def _stored(app: App, statement: str) -> list[tuple[object, ...]]:
    import sqlalchemy as sa

    with app.database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement))]


def test_state_round_trips() -> None:
    from handlers.messages import Choice
    from handlers.people import State, load_state

    state = State(
        "ask", 1, (("question", "«q»"),), (Choice("Một", "ask:1"), Choice("Hai", "ask:2", "https://a"))
    )

    assert load_state(state.dump()) == state
    assert json.loads(state.dump())
