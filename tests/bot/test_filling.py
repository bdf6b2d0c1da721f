"""What else people say in the middle of a form, and what others change in it meanwhile."""

import pytest

from bot.app import App
from bot.channels.base import render
from bot.channels.terminal import PEOPLE
from tests.bot.test_survey import OWN, SHORT, TAX_CODE, TO_COUNTS, answers, code_in, link_in, stored, talk
from tests.world import Clock, Visitor

COUNTED = (*TO_COUNTS, "1 1 1", "đúng")

# What is asked, and how far somebody has come with it.
PLACES = {
    "a name": SHORT[:2],
    "one of a list": SHORT[:3],
    "what «other» is": (*SHORT[:3], "loại hình khác"),
    "a tax code": SHORT[:4],
    "a tax code in doubt": (*SHORT[:4], "0100109107"),
    "a place": SHORT[:5],
    "several of a list": SHORT[:8],
    "a line of numbers": TO_COUNTS,
    "a line read back": (*TO_COUNTS, "12 3 4"),
    "a line half said": (*TO_COUNTS, "nhiệt kế 3"),
    "a number": COUNTED,
    "a month": (*COUNTED, "5"),
    "a free text": SHORT[:11],
    "the person's name": SHORT,
    "the person's position": (*SHORT, OWN[0]),
    "the person's contact": (*SHORT, *OWN[:2]),
    "the review": (*SHORT, *OWN),
    "what comes after": (*SHORT, *OWN, "gửi"),
    "a sent response": (*SHORT, *OWN, "gửi", "không, vậy là đủ", "khảo sát"),
    "whether to stop": (*SHORT[:6], "dừng"),
    "whether to give up": (*SHORT[:6], "hủy"),
    "the card": (*SHORT[:6], "để sau", "khảo sát"),
}


# One's own data, at any question


@pytest.mark.parametrize("said", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("dữ liệu của tôi", "trợ lý đang giữ"),
        ("xóa dữ liệu", "chắc chứ"),
        ("rút đồng ý", "chắc chứ"),
    ],
)
async def test_ones_own_data_is_asked_for_at_any_question(
    visitor: Visitor, app: App, said: tuple[str, ...], command: str, told: str
) -> None:
    await talk(visitor, *said)
    kept = answers(app)
    seen = await talk(visitor, command)

    assert told in seen.text
    assert answers(app) == kept


async def test_a_name_that_sounds_like_such_a_wish_is_a_name(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT[:2], "Công ty TNHH Dữ Liệu Của Tôi")

    assert answers(app)["enterprise"] == ["Công ty TNHH Dữ Liệu Của Tôi"]


# «Other», as the sentences recommend it

OTHER_OF = {
    "legal_form": SHORT[:3],
    "commune": SHORT[:5],
    "sector": SHORT[:6],
    "instrument_types": SHORT[:8],
}


@pytest.mark.parametrize(("name", "said"), OTHER_OF.items(), ids=OTHER_OF)
@pytest.mark.parametrize("typed", ["khác: máy đo độ ẩm", "Khac: máy đo độ ẩm", "other: máy đo độ ẩm"])
async def test_other_is_said_as_recommended(
    visitor: Visitor, app: App, name: str, said: tuple[str, ...], typed: str
) -> None:
    await talk(visitor, *said, typed)

    assert answers(app)[name][1:] == ["", "máy đo độ ẩm"]


async def test_other_alone_asks_what_it_is(visitor: Visitor, app: App) -> None:
    assert "ghi rõ" in (await talk(visitor, *SHORT[:3], "khác")).text
    await talk(visitor, "hợp danh")
    assert answers(app)["legal_form"] == ["other", "", "hợp danh"]


async def test_a_list_without_another_choice_recommends_none(visitor: Visitor) -> None:
    refused = await talk(visitor, *SHORT[:9], "trồng rừng")

    assert "chọn trong danh sách" in refused.text
    assert "khác:" not in refused.text


# A tax code in doubt is simply typed again


@pytest.mark.parametrize("first", ["0100109107", "079190001234", "100109106"])
async def test_a_doubted_tax_code_is_corrected_by_typing_it(visitor: Visitor, app: App, first: str) -> None:
    await talk(visitor, *SHORT[:4], first)
    seen = await talk(visitor, TAX_CODE)

    assert "xã, phường" in seen.text
    assert answers(app)["tax_code"] == [TAX_CODE]


async def test_a_tax_code_that_is_taken_is_corrected_by_typing_another(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT)
    other = Visitor(app, "other")
    assert "đã có phiếu" in (await talk(other, *SHORT[:5])).text

    assert "chưa khớp" in (await talk(other, "0100109107")).text
    assert "xã, phường" in (await talk(other, f"{TAX_CODE}-001")).text


# The code of a response, wherever it is typed


@pytest.mark.parametrize(
    "before", ["mã phiếu {}", "Mã phiếu: {}", "ma phieu {}", "mã {}", "form code {}", "{}"]
)
async def test_a_code_is_found_behind_its_name(app: App, visitor: Visitor, before: str) -> None:
    code = code_in(await talk(visitor, *SHORT[:6], "để sau"))

    assert "xong 4/18 câu" in (await talk(Visitor(app, "other"), before.format(code))).text


@pytest.mark.parametrize("said", PLACES.values(), ids=PLACES)
async def test_a_code_opens_its_response_from_any_question(
    app: App, visitor: Visitor, said: tuple[str, ...]
) -> None:
    code = code_in(await talk(visitor, *SHORT[:2], "để sau"))
    other = Visitor(app, "other")
    await talk(other, *said)
    kept = answers(app, 2)

    assert "xong 0/18 câu" in (await talk(other, f"mã phiếu {code}")).text
    assert answers(app, 2) == kept


async def test_a_name_in_capitals_is_no_code(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT[:2], "MH370 TRADING")

    assert answers(app)["enterprise"] == ["MH370 TRADING"]


# Words that say yes where nothing was asked so, wishes to be reminded, marks nobody sees


@pytest.mark.parametrize("said", ["đồng ý", "có", "vâng", "ok"])
async def test_a_yes_that_is_no_answer_gets_the_sentence_and_no_small_talk(
    visitor: Visitor, said: str
) -> None:
    seen = await talk(visitor, *SHORT[:3], said)

    assert seen.text.startswith("Anh/Chị chọn một mục")
    assert "cảm ơn" not in seen.text


@pytest.mark.parametrize("said", ["nhắc tôi", "nhắc tôi sau", "mai nhắc tôi nhé", "remind me later"])
async def test_a_wish_to_be_reminded_is_no_wish_for_announcements(
    visitor: Visitor, app: App, said: str
) -> None:
    await talk(visitor, "dừng nhận tin")
    seen = await talk(visitor, said)

    assert stored(app, "SELECT stopped FROM people") == [(1,)]
    assert "khảo sát" in seen.text or "survey" in seen.text


async def test_a_wish_to_be_reminded_leaves_a_form_for_later(visitor: Visitor, app: App) -> None:
    seen = await talk(visitor, *SHORT[:6], "nhắc tôi sau")

    assert "chưa tự nhắc" in seen.text
    assert "đã lưu ở câu 5/18" in seen.text


async def test_marks_that_turn_the_direction_of_writing_are_not_kept(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT[:2], "Công ty\u202e Gỗ\u2066 Hoài\u200f Nhơn\u2069\u200e")

    assert answers(app)["enterprise"] == ["Công ty Gỗ Hoài Nhơn"]


# A response that was sent


async def test_sending_again_keeps_the_day_it_was_first_sent(
    app: App, visitor: Visitor, clock: Clock
) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ")
    first = stored(app, "SELECT submitted_at FROM responses")
    clock.pass_(days=7)
    await talk(visitor, "khảo sát", "xem lại", "gửi")

    assert stored(app, "SELECT submitted_at FROM responses") == first


async def test_a_sent_response_that_an_edit_opens_again_says_what_is_missing(
    app: App, visitor: Visitor
) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ")
    assert stored(app, "SELECT last_question FROM responses") == [("",)]
    await talk(visitor, "sửa 7", "cân ô tô")
    assert stored(app, "SELECT status, last_question FROM responses") == [("submitted", "instrument_counts")]

    assert "còn 6 câu chưa trả lời" in (await talk(visitor, "để sau")).text
    card = await talk(visitor, "khảo sát")
    assert "còn 6 câu chưa trả lời" in card.text
    assert card.labels[0] == "Làm tiếp"
    assert "Trả lời thêm 2 phút" not in card.labels
    assert "bao nhiêu cái" in (await talk(visitor, "làm tiếp")).text

    done = await talk(visitor, "3", "đúng", "0", "1", "1", "2 1", "đúng")
    assert "chưa trả lời" not in done.text
    assert stored(app, "SELECT last_question FROM responses") == [("",)]


async def test_a_household_that_becomes_a_firm_misses_its_tax_code(app: App, visitor: Visitor) -> None:
    await talk(visitor, *SHORT[:3], "hộ kinh doanh", *SHORT[5:], *OWN, "gửi", "không, vậy là đủ")
    await talk(visitor, "sửa 2", "công ty tnhh", "để sau")

    assert "còn 1 câu chưa trả lời" in (await talk(visitor, "khảo sát")).text
    assert "Mã số thuế" in (await talk(visitor, "có")).text


async def test_giving_up_a_sent_response_is_asked_as_such(app: App, visitor: Visitor) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ")
    asked = await talk(visitor, "khảo sát", "hủy")

    assert "hủy phiếu đã gửi" in asked.text
    assert asked.labels == ["Giữ phiếu", "Hủy phiếu này"]
    assert "đã gửi" in (await talk(visitor, "giữ phiếu")).text
    assert stored(app, "SELECT status FROM responses") == [("submitted",)]


# Last year's answer


@pytest.mark.parametrize("kept", ["giữ nguyên", "như cũ", "keep"])
async def test_last_years_answer_is_kept_in_the_words_of_keeping(
    app: App, visitor: Visitor, clock: Clock, kept: str
) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ")
    clock.pass_(days=365)
    await talk(visitor, "khảo sát", "đồng ý", "có thay đổi", "sửa thông tin", kept)

    assert answers(app, 2)["enterprise"] == answers(app, 1)["enterprise"]


async def test_last_years_answers_are_offered_to_their_owner_alone(
    app: App, visitor: Visitor, clock: Clock
) -> None:
    await talk(visitor, *SHORT, *OWN)
    colleague = await colleague_of(app, visitor)
    await talk(visitor, "gửi", "không, vậy là đủ")
    clock.pass_(days=365)

    assert "Năm 2026" not in (await talk(colleague, "menu", "khảo sát", "đồng ý")).text
    assert "Năm 2026" in (await talk(visitor, "khảo sát", "đồng ý")).text


# Two people in one response


async def colleague_of(app: App, owner: Visitor) -> Visitor:
    """Somebody who goes on with the response by a link."""
    colleague = Visitor(app, "colleague")
    await colleague.starts(link_in(await talk(owner, "nhờ đồng nghiệp")))
    return colleague


async def test_who_refuses_refuses_for_nobody_else(app: App, visitor: Visitor) -> None:
    """The owner agreed, and is asked for what the colleague would not give."""
    await talk(visitor, *SHORT[:6])
    colleague = await colleague_of(app, visitor)
    review = await talk(colleague, "làm tiếp", *SHORT[6:], "không đồng ý")
    assert "Phiếu vẫn gửi được" in review.text
    assert "respondent_name" not in answers(app)
    assert stored(app, "SELECT purpose, answer FROM consents ORDER BY id") == [("survey", "yes"), ("survey", "no")]  # fmt: skip

    back = await talk(colleague, "để sau", "khảo sát", "xem lại")
    assert "Đúng cả thì gửi" in back.text
    assert "Đã nhận" in (await talk(colleague, "gửi")).text
    assert stored(app, "SELECT status, last_question FROM responses") == [("submitted", "respondent_name")]

    assert "còn 3 câu chưa trả lời" in (await talk(visitor, "menu", "khảo sát")).text
    assert "Họ tên của Anh/Chị" in (await talk(visitor, "làm tiếp")).text
    await talk(visitor, *OWN)
    assert stored(app, "SELECT count(*) FROM personal_values") == [(3,)]
    assert "không hiện ở đây" in (await talk(colleague, "menu", "xem lại")).text


async def test_who_refused_may_think_better_of_it(app: App, visitor: Visitor) -> None:
    await talk(visitor, *SHORT[:6])
    colleague = await colleague_of(app, visitor)
    await talk(colleague, "làm tiếp", *SHORT[6:], "không đồng ý")
    assert "Trước khi bắt đầu" in (await talk(colleague, "sửa 11")).text
    asked = await talk(colleague, "đồng ý")

    assert "Họ tên của Anh/Chị" in asked.text
    await talk(colleague, *OWN)
    assert answers(app)["contact"] == ["", "p"]


async def test_where_nobody_agreed_what_is_personal_is_passed_over(app: App, visitor: Visitor) -> None:
    await talk(visitor, *SHORT[:6])
    colleague = await colleague_of(app, visitor)
    await talk(visitor, "xóa dữ liệu", "có")
    await talk(colleague, "làm tiếp", *SHORT[6:], "không đồng ý", "gửi")

    assert answers(app)["respondent_name"] == ["", "-"]
    assert stored(app, "SELECT status, last_question FROM responses") == [("submitted", "")]


@pytest.mark.parametrize("confirmed", ["đúng", "3"])
async def test_a_line_that_was_read_back_is_never_kept_for_other_instruments(
    app: App, visitor: Visitor, confirmed: str
) -> None:
    await talk(visitor, *SHORT[:8], "1")
    colleague = await colleague_of(app, visitor)
    assert "Cân bàn, cân đĩa 3. Đúng chưa?" in (await talk(colleague, "làm tiếp", "3")).text
    await talk(visitor, "sửa 7", "cân ô tô")

    again = await talk(colleague, confirmed)
    assert "nay hỏi: Cân ô tô" in again.text
    assert "instrument_count.truck_scale" not in answers(app)
    await talk(colleague, "4", "đúng")
    assert answers(app)["instrument_count.truck_scale"] == [4]


async def test_steppers_are_never_kept_for_other_instruments(app: App, visitor: Visitor) -> None:
    await talk(visitor, *SHORT[:8], "1")
    colleague = await colleague_of(app, visitor)
    control = (await talk(colleague, "làm tiếp")).messages[-1].control
    assert control
    await talk(visitor, "sửa 7", "cân ô tô")

    assert "nay hỏi: Cân ô tô" in (await colleague.taps(f"{control.value}3")).text
    assert "instrument_count.truck_scale" not in answers(app)


@pytest.mark.parametrize("said", ["5", "không biết", "?"])
async def test_an_answer_to_a_question_that_is_gone_is_told_so(app: App, visitor: Visitor, said: str) -> None:
    await talk(visitor, *COUNTED)
    colleague = await colleague_of(app, visitor)
    await talk(colleague, "làm tiếp")
    await talk(visitor, "sửa 7", "không dùng loại nào")

    seen = await talk(colleague, said)
    assert "không còn trong phiếu" in seen.text
    assert answers(app)["due_12_months"] == ["", "n"]


async def test_a_response_that_was_given_up_lets_nobody_in(app: App, visitor: Visitor) -> None:
    """And the link works once it is taken up again."""
    code = code_in(await talk(visitor, *SHORT[:6], "mã phiếu"))
    payload = link_in(await talk(visitor, "nhờ đồng nghiệp"))
    await talk(visitor, "hủy", "hủy phiếu này")
    other, colleague = Visitor(app, "other"), Visitor(app, "colleague")

    assert "Không tìm thấy" in (await talk(other, code)).text
    assert "Không tìm thấy" in (await colleague.starts(payload)).text
    assert stored(app, "SELECT count(*) FROM participants") == [(1,)]

    await talk(visitor, "lấy lại phiếu")
    assert "xong 4/18 câu" in (await colleague.starts(payload)).text


async def test_the_same_instruments_in_another_order_keep_their_numbers(app: App, visitor: Visitor) -> None:
    await talk(visitor, *SHORT[:8], "1, 3")
    colleague = await colleague_of(app, visitor)
    await talk(colleague, "làm tiếp", "12 3")
    await talk(visitor, "sửa 7", "3, 1")
    await talk(colleague, "đúng")

    kept = answers(app)
    assert kept["instrument_types"] == [["other_scale", "bench_scale"]]
    assert (kept["instrument_count.bench_scale"], kept["instrument_count.other_scale"]) == ([12], [3])


# Ways around a question that is no longer the last one


@pytest.mark.parametrize(
    ("value", "told", "asks_again"),
    [
        pytest.param("form:later:legal_form", "phiếu đã lưu ở câu", False, id="later"),
        pytest.param("form:review", "Sửa câu nào thì gõ số", False, id="review"),
        pytest.param("form:colleague", "Đường dẫn dùng một lần", True, id="a colleague"),
        pytest.param("form:why:tax_code", "Mã số thuế: ", True, id="why, of the earlier question"),
        pytest.param(
            "form:skip:legal_form", "thuộc câu đã qua", True, id="but nothing that would change an answer"
        ),
    ],
)
async def test_an_earlier_questions_ways_around_mean_what_they_say(
    visitor: Visitor, app: App, value: str, told: str, asks_again: bool
) -> None:
    await talk(visitor, *SHORT[:8])
    kept, asked = answers(app), visitor.seen[-1].messages[-1].text

    seen = await visitor.taps(value)

    assert told in seen.text
    assert seen.text.endswith(asked) == asks_again
    assert answers(app) == kept


async def test_going_back_from_an_earlier_question_twice_is_going_back_once(visitor: Visitor) -> None:
    await talk(visitor, *SHORT[:4])

    first = await visitor.taps("form:back:tax_code")
    second = await visitor.taps("form:back:tax_code")

    assert "Loại hình" in first.text or "loại hình" in first.text
    assert second.text == first.text


@pytest.mark.parametrize(
    "said", [(*SHORT[:5], "quy nhơn"), (*SHORT[:3], "loại hình khác")], ids=["found", "specify"]
)
async def test_what_is_asked_back_has_its_ways_around(visitor: Visitor, said: tuple[str, ...]) -> None:
    asked = await talk(visitor, *said)
    assert asked.labels[-2:] == ["Quay lại", "Để sau"]

    left = await visitor.taps("Để sau")

    assert "phiếu đã lưu" in left.text


@pytest.mark.parametrize(
    ("ticked", "typed"),
    [
        ("1", "Cân bàn, cân đĩa: gõ một số, ví dụ 12. Gõ ? là không biết."),
        ("1, 2", "{0}, {1}: gõ 2 số theo thứ tự, ví dụ 12 3. Gõ ? là không biết."),
        (
            "1, 2 và 3",
            "1. {0}\n2. {1}\n3. {2}\nGõ 3 số theo thứ tự trên, ví dụ 12 3 ?. Gõ ? là không biết.",
        ),
    ],
)
async def test_what_several_numbers_count_is_listed(visitor: Visitor, ticked: str, typed: str) -> None:
    asked = await talk(visitor, *SHORT[:8], ticked)

    [message] = asked.messages
    assert message.control is not None
    assert message.control.typed == typed.format(*message.control.labels)
    assert render(message, PEOPLE)[-1].text.count(message.control.typed) == 1


@pytest.mark.parametrize("name", ["0100109106", "0905 123 456", "123/45", "---"])
async def test_a_name_has_letters(visitor: Visitor, app: App, name: str) -> None:
    await talk(visitor, *SHORT[:2])

    refused = await talk(visitor, name)

    assert "Tên đơn vị cần có chữ" in refused.text
    assert "enterprise" not in answers(app)
    await talk(visitor, "Công ty 30-4")
    assert answers(app)["enterprise"][0] == "Công ty 30-4"
