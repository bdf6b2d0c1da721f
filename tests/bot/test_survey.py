"""The demand survey as conversations: answered, interrupted, corrected, handed on, refused."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.app import App
from bot.channels.base import render
from bot.channels.telegram.can import TELEGRAM
from tests.world import Clock, Seen, Sqlite, Visitor, new_app

TAX_CODE = "0100109106"

# A small firm without instruments: the shortest way through the survey.
SHORT = (
    "khảo sát", "đồng ý", "Công ty TNHH Gỗ Hoài Nhơn", "công ty tnhh", TAX_CODE, "phường bồng sơn", "3", "2",
    "không dùng loại nào", "8", "4", "bỏ qua",
)  # fmt: skip
OWN = ("Trần Thị Hạnh", "Kế toán", "0905 123 456")
# Up to the question how many instruments of each type there are.
TO_COUNTS = (*SHORT[:8], "1, 3 và 5")


async def talk(visitor: Visitor, *said: str) -> Seen:
    """Say these things one after another; what was seen last."""
    seen = None
    for text in said:
        seen = await visitor.says(text)
        assert not seen.done.failed, text
    assert seen
    return seen


def stored(app: App, statement: str) -> list[tuple[Any, ...]]:
    with app.database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement))]


def answers(app: App, number: int = 1) -> dict[str, list[Any]]:
    """The answers of a response as they are kept."""
    import orjson

    [(text,)] = stored(app, f"SELECT answers FROM responses WHERE id = {number}")
    return orjson.loads(text)


def code_in(seen: Seen) -> str:
    """The code of a response that was told."""
    found = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", seen.text)
    assert found, seen.text
    return found[0]


def link_in(seen: Seen) -> str:
    """The payload of the link that was told."""
    found = re.search(r"\?start=(\S+?)\.?(?:\s|$)", seen.text)
    assert found, seen.text
    return found[1]


# From the notice to the end


async def test_a_survey_from_the_notice_to_the_thanks(visitor: Visitor, app: App) -> None:
    notice = await talk(visitor, "khảo sát")
    assert "Trước khi bắt đầu" in notice.text
    assert notice.labels[:2] == ["Đồng ý", "Không đồng ý"]
    assert stored(app, "SELECT count(*) FROM responses") == [(0,)]

    review = await talk(visitor, *SHORT[1:], *OWN)
    assert "1. Tên đơn vị: Công ty TNHH Gỗ Hoài Nhơn" in review.text
    assert "Họ tên: Trần Thị Hạnh" in review.text
    assert "Đúng cả thì gửi" in review.text

    sent = await talk(visitor, "gửi phiếu")
    assert "Đã nhận" in sent.messages[0].text
    [file] = sent.messages[0].attachments
    assert re.fullmatch(r"phieu-khao-sat-2026-[0-9A-Z]{12}\.docx", file.name)
    assert "Trả lời thêm 2 phút" in sent.labels
    assert stored(app, "SELECT status, year, tax_code FROM responses") == [("submitted", 2026, TAX_CODE)]


async def test_what_is_asked_later_is_offered_and_may_be_left(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi")
    first = await talk(visitor, "Trả lời thêm 2 phút")
    assert first.messages[-1].progress == (1, 5)

    left = await talk(visitor, "bỏ qua", "để sau")
    assert "đã gửi" in left.text
    assert stored(app, "SELECT status FROM responses") == [("submitted",)]
    assert "Trả lời thêm 2 phút" in (await talk(visitor, "khảo sát")).labels


async def test_no_instruments_is_not_applicable_and_not_zero(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT)
    kept = answers(app)

    assert kept["due_12_months"] == ["", "n"]
    assert kept["suggestions"] == ["", "-"]
    assert kept["instrument_types"] == [["none"]]


async def test_refusing_stores_nothing_and_blocks_nothing(visitor: Visitor, app: App) -> None:
    refused = await talk(visitor, "khảo sát", "không đồng ý")

    assert "không lưu câu trả lời nào" in refused.text
    for table in ("responses", "answer_log", "personal_values", "consents", "participants"):
        assert stored(app, f"SELECT count(*) FROM {table}") == [(0,)], table
    assert "Cơ quan chủ trì" in (await talk(visitor, "ai chủ trì nhiệm vụ 2.2")).text


async def test_consent_is_kept_word_for_word_with_a_keyed_hash_of_the_address(
    visitor: Visitor, app: App
) -> None:
    notice = await talk(visitor, "khảo sát")
    await talk(visitor, "có")
    [row] = stored(app, "SELECT purpose, text, answer, notice_version, channel, address_hash FROM consents")

    assert row[:3] == ("survey", notice.messages[-1].text, "yes")
    assert row[3:5] == (app.content.notice.version, "terminal")
    assert len(row[5]) == 64
    assert visitor.name not in row[5]


async def test_each_purpose_is_agreed_to_by_itself(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi", "trả lời thêm 2 phút", *["bỏ qua"] * 4, "1")

    said = stored(app, "SELECT purpose, answer FROM consents ORDER BY id")
    assert said == [("survey", "yes"), ("course_news", "yes"), ("measurement_day", "no")]


async def test_whoever_passes_a_consent_over_said_neither_yes_nor_no(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi", "trả lời thêm 2 phút", *["bỏ qua"] * 5)

    assert stored(app, "SELECT purpose FROM consents") == [("survey",)]


async def test_without_contact_and_retention_the_survey_does_not_open(sqlite: Sqlite, clock: Clock) -> None:
    """Only demonstration mode opens a form with personal fields before the office has said who answers for it."""
    app = new_app(sqlite.new(), clock, demo=False)
    app.conversation.start()
    seen = await Visitor(app).says("cho tôi làm khảo sát")
    await app.conversation.stop()
    app.database.close()

    assert "chưa mở" in seen.text
    assert "Trả lời khảo sát" not in " ".join(seen.labels)


# One line of numbers


@pytest.mark.parametrize(
    ("said", "read_back"),
    [
        ("12 3 ?", "Cân bàn, cân đĩa 12; Cân khác (treo, băng tải, phân tích…) 3; Nhiệt kế, nhiệt ẩm kế không biết"),
        ("khoảng 12, 3, 0", "Cân bàn, cân đĩa khoảng 12; Cân khác (treo, băng tải, phân tích…) 3; Nhiệt kế, nhiệt ẩm kế 0"),
        ("1.200 3 mười hai", "Cân bàn, cân đĩa 1.200; Cân khác (treo, băng tải, phân tích…) 3; Nhiệt kế, nhiệt ẩm kế 12"),
    ],
)  # fmt: skip
async def test_a_line_is_read_back_before_it_is_stored(
    visitor: Visitor, app: App, said: str, read_back: str
) -> None:
    asked = await talk(visitor, *TO_COUNTS)
    assert asked.messages[-1].control is not None
    back = await talk(visitor, said)

    assert f"Trợ lý ghi: {read_back}. Đúng chưa?" in back.text
    assert "instrument_count.bench_scale" not in answers(app)
    await talk(visitor, "đúng")
    assert len([name for name in answers(app) if name.startswith("instrument_count.")]) == 3


async def test_numbers_may_be_named_one_by_one(visitor: Visitor, app: App) -> None:
    part = await talk(visitor, *TO_COUNTS, "nhiệt kế 3")
    assert "Còn thiếu: Cân bàn, cân đĩa, Cân khác" in part.text
    whole = await talk(visitor, "12 ?")
    assert "Cân bàn, cân đĩa 12" in whole.text

    await talk(visitor, "đúng")
    counts = {name: fill for name, fill in answers(app).items() if name.startswith("instrument_count.")}
    assert sorted(map(str, counts.values())) == ["['', '?']", "[12]", "[3]"]


async def test_a_line_that_is_not_right_is_typed_again(visitor: Visitor, app: App) -> None:
    await talk(visitor, *TO_COUNTS, "12 3 4", "gõ lại", "1 2 3", "đúng")
    counts = [fill for name, fill in answers(app).items() if name.startswith("instrument_count.")]

    assert counts == [[1], [2], [3]]


async def test_steppers_are_not_read_back(visitor: Visitor, app: App) -> None:
    asked = await talk(visitor, *TO_COUNTS)
    control = asked.messages[-1].control
    assert control is not None
    assert control.kind == "numbers"
    await visitor.taps(f"{control.value}12 3 ?")

    assert [fill for name, fill in answers(app).items() if name.startswith("instrument_count.")] == [[12], [3], ["", "?"]]  # fmt: skip


# Bad input: a clear sentence, and nothing changed


@pytest.mark.parametrize(
    ("before", "said", "told"),
    [
        (SHORT[:4], "12345", "10 số"),
        (SHORT[:4], "0100109107", "có chữ số chưa khớp"),
        (SHORT[:4], "100109106", "Có phải 0100109106 không?"),
        (SHORT[:4], "079190001234", "số định danh cá nhân"),
        (SHORT[:5], "xyz", "chưa có trong danh sách"),
        (SHORT[:7], "9", "chọn một mục"),
        (SHORT[:8], "99", "không có số đó"),
        (SHORT[:8], "1, 9", "không đi cùng"),
        (TO_COUNTS, "12,5 3 4", "số nguyên"),
        (TO_COUNTS, "1 2", "3 số"),
        ((*TO_COUNTS, "1 1 1", "đúng"), "12,5", "số nguyên"),
        ((*TO_COUNTS, "1 1 1", "đúng"), "1, 3 và 5", "một số"),
        ((*TO_COUNTS, "1 1 1", "đúng", "?"), "13/2027", "tháng"),
        ((*TO_COUNTS, "1 1 1", "đúng", "?"), "1/2020", "tháng"),
        (SHORT, "Trần Thị Hạnh 0905123456", "số"),
        ((*SHORT, *OWN[:2]), "0905 123 45x", "chữ"),
        ((*SHORT, *OWN[:2]), "0905123456, 0905123457", "một"),
        (SHORT[:9], "không biết", "chọn"),
    ],
)
async def test_bad_input_gets_a_clear_sentence_and_changes_nothing(
    visitor: Visitor, app: App, before: tuple[str, ...], said: str, told: str
) -> None:
    await talk(visitor, *before)
    kept = answers(app)
    seen = await talk(visitor, said)

    assert told in seen.text
    assert answers(app) == kept


async def test_more_than_three_topics_are_refused(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT[:9], "4")
    seen = await talk(visitor, "1, 2, 3, 4")

    assert "3" in seen.text
    assert "topics" not in answers(app)


async def test_a_photo_where_text_is_asked(visitor: Visitor) -> None:
    await talk(visitor, *SHORT[:2])
    seen = await visitor.sends("can.jpg", "image/jpeg")

    assert "trả lời bằng chữ hoặc số" in seen.text
    assert "Tên đơn vị của Anh/Chị là gì" in seen.text


async def test_a_button_of_an_earlier_question_is_answered_kindly(visitor: Visitor, app: App) -> None:
    old = (await talk(visitor, *SHORT[:3])).messages[-1].choices[1].value
    await talk(visitor, SHORT[3])
    seen = await visitor.taps(old)

    assert "thuộc câu đã qua" in seen.text
    assert "Mã số thuế" in seen.text
    assert answers(app)["legal_form"] == ["llc"]


async def test_a_required_question_cannot_be_passed_over(visitor: Visitor, app: App) -> None:
    seen = await talk(visitor, *SHORT[:2], "bỏ qua")

    assert "cần có câu trả lời" in seen.text
    assert "enterprise" not in answers(app)


# At any question


async def test_a_question_about_the_plan_is_answered_and_the_form_goes_on(visitor: Visitor) -> None:
    await talk(visitor, *SHORT[:3])
    seen = await talk(visitor, "ai chủ trì nhiệm vụ 2.2")

    assert "Cơ quan chủ trì" in seen.text
    assert "Đơn vị thuộc loại hình nào?" in seen.messages[-1].text
    assert (await talk(visitor, "1")).messages[-1].progress == (3, 18)


async def test_why_is_answered_with_the_questions_own_reason(visitor: Visitor) -> None:
    seen = await talk(visitor, *SHORT[:4], "sao lại hỏi")

    assert seen.text.count("Mã số thuế của đơn vị") == 1
    assert len(seen.text.splitlines()) > 2


async def test_back_keeps_the_answer_and_a_new_one_replaces_it(visitor: Visitor, app: App) -> None:
    seen = await talk(visitor, *SHORT[:4], "quay lại")
    assert "Đang ghi: Công ty TNHH" in seen.text

    await talk(visitor, "giữ nguyên")
    assert answers(app)["legal_form"] == ["llc"]
    await talk(visitor, "quay lại", "công ty cổ phần")
    assert answers(app)["legal_form"] == ["joint_stock"]
    history = stored(app, "SELECT fill FROM answer_log WHERE place = 'legal_form' ORDER BY id")
    assert history == [('["llc"]',), ('["joint_stock"]',)]


async def test_later_says_how_to_come_back_and_comes_back_to_the_same_question(
    visitor: Visitor, clock: Clock
) -> None:
    left = await talk(visitor, *SHORT[:6], "bận")
    assert "đã lưu ở câu 5/18" in left.text
    code_in(left)
    clock.pass_(days=9)

    card = await talk(visitor, "khảo sát")
    assert "xong 4/18 câu" in card.text
    assert "Ngành chính của đơn vị" in (await talk(visitor, "làm tiếp")).text


async def test_stop_ends_bulk_messages_at_once_and_asks_one_question(visitor: Visitor, app: App) -> None:
    seen = await talk(visitor, *SHORT[:6], "dừng")
    assert "ngừng gửi thông báo" in seen.text
    assert seen.labels == ["Làm tiếp", "Để sau", "Dừng nhận tin"]
    assert stored(app, "SELECT stopped FROM people") == [(1,)]

    assert "Ngành chính" in (await talk(visitor, "làm tiếp")).text
    await talk(visitor, "menu", "nhận tin")
    assert stored(app, "SELECT stopped FROM people") == [(0,)]


async def test_cancel_asks_which_and_can_be_taken_back(visitor: Visitor, app: App) -> None:
    asked = await talk(visitor, *SHORT[:6], "hủy")
    assert "hay chỉ nghỉ một lúc" in asked.text

    gone = await talk(visitor, "hủy phiếu này")
    assert stored(app, "SELECT status FROM responses") == [("cancelled",)]
    assert "Lấy lại phiếu" in gone.labels
    back = await talk(visitor, "lấy lại phiếu")
    assert "Ngành chính" in back.text
    assert stored(app, "SELECT status FROM responses") == [("partial",)]


async def test_english_changes_the_language_and_not_the_question(visitor: Visitor) -> None:
    seen = await talk(visitor, *SHORT[:3], "English")

    assert "What kind of enterprise is it?" in seen.messages[-1].text
    assert "The assistant now speaks English" in seen.text


async def test_an_english_name_is_no_wish_to_speak_english(visitor: Visitor) -> None:
    seen = await talk(visitor, *SHORT[:2], "The Great Wood Company of Quy Nhon")

    assert "Đơn vị thuộc loại hình nào?" in seen.text


# Review and corrections


async def test_an_edit_withdraws_what_no_longer_applies_and_says_so(visitor: Visitor, app: App) -> None:
    await talk(visitor, *TO_COUNTS, "12 3 4", "đúng", "5", "3/2027")
    assert answers(app)["due_12_months"] == [5]

    seen = await talk(visitor, "sửa 7", "không dùng loại nào")
    assert "Câu vừa sửa làm các câu sau không còn đúng" in seen.text
    assert "Hạn kiểm định gần nhất" in seen.text
    kept = answers(app)
    assert kept["due_12_months"] == ["", "n"]
    assert not [name for name in kept if name.startswith("instrument_count.") and kept[name] != ["", "n"]]


async def test_any_answer_is_edited_by_its_number(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT, *OWN)
    asked = await talk(visitor, "1")
    assert "Đang ghi: Công ty TNHH Gỗ Hoài Nhơn" in asked.text

    again = await talk(visitor, "Công ty TNHH Gỗ Bồng Sơn")
    assert "1. Tên đơn vị: Công ty TNHH Gỗ Bồng Sơn" in again.text
    assert "có 13 câu đã trả lời" in (await talk(visitor, "99")).text
    assert answers(app)["enterprise"] == ["Công ty TNHH Gỗ Bồng Sơn"]


async def test_an_answer_is_corrected_next_week(visitor: Visitor, app: App, clock: Clock) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ")
    clock.pass_(days=7)
    await talk(visitor, "khảo sát", "xem lại", "12", "Giám đốc")

    assert stored(app, "SELECT value FROM personal_values WHERE name = 'respondent_role'") == [("Giám đốc",)]
    assert stored(app, "SELECT status FROM responses") == [("submitted",)]


# Whose answers


async def test_a_second_device_resumes_by_the_code(app: App, visitor: Visitor) -> None:
    code = code_in(await talk(visitor, *SHORT[:6], "để sau"))
    other = Visitor(app, "other")

    card = await talk(other, code.lower().replace("-", " "))
    assert "xong 4/18 câu" in card.text
    assert "Ngành chính" in (await talk(other, "làm tiếp")).text
    await talk(other, "3")
    assert answers(app)["sector"] == ["wood"]


async def test_the_code_never_opens_what_is_personal(app: App, visitor: Visitor) -> None:
    code = code_in(await talk(visitor, *SHORT, *OWN, "mã phiếu"))
    other = Visitor(app, "other")
    seen = await talk(other, code, "xem lại")

    assert "Công ty TNHH Gỗ Hoài Nhơn" in seen.text
    for own in ("Trần Thị Hạnh", "905123456", "Kế toán"):
        assert own not in seen.text
    assert "không sửa" in (await talk(other, "sửa 11")).text


async def test_a_colleague_goes_on_by_a_link_that_works_once(app: App, visitor: Visitor) -> None:
    payload = link_in(await talk(visitor, *SHORT[:6], "nhờ đồng nghiệp"))
    colleague, third = Visitor(app, "colleague"), Visitor(app, "third")

    assert "xong 4/18 câu" in (await colleague.starts(payload)).text
    assert "đã có người dùng" in (await third.starts(payload)).text
    assert "xong 4/18 câu" in (await colleague.starts(payload)).text  # whoever used it may come again
    assert "Ngành chính" in (await talk(colleague, "làm tiếp")).text


async def test_a_colleague_is_asked_before_the_first_field_of_their_own(app: App, visitor: Visitor) -> None:
    payload = link_in(await talk(visitor, *SHORT[:6], "nhờ đồng nghiệp"))
    colleague = Visitor(app, "colleague")
    await colleague.starts(payload)
    gate = await talk(colleague, "làm tiếp", *SHORT[6:])
    assert "Trước khi bắt đầu" in gate.text

    review = await talk(colleague, "không đồng ý")
    assert "Phiếu vẫn gửi được" in review.text
    assert stored(app, "SELECT count(*) FROM personal_values") == [(0,)]
    assert "Đã nhận" in (await talk(colleague, "gửi")).text
    assert stored(app, "SELECT answer FROM consents ORDER BY id") == [("yes",), ("no",)]


async def test_a_link_runs_out(app: App, visitor: Visitor, clock: Clock) -> None:
    payload = link_in(await talk(visitor, *SHORT[:6], "nhờ đồng nghiệp"))
    clock.at += timedelta(days=8)

    assert "hết hạn" in (await Visitor(app, "late").starts(payload)).text


async def test_codes_cannot_be_guessed(app: App, clock: Clock) -> None:
    guesser = Visitor(app, "guesser")
    for number in range(5):
        assert "Không tìm thấy" in (await talk(guesser, f"AB3D-0000-000{number}")).text
    assert "sai nhiều lần" in (await talk(guesser, "AB3D-0000-0009")).text

    clock.pass_(hours=2)
    assert "Không tìm thấy" in (await talk(guesser, "AB3D-0000-0009")).text


async def test_a_tax_code_is_a_claim_and_shows_nobody_anything(app: App, visitor: Visitor) -> None:
    await talk(visitor, *SHORT)
    other = Visitor(app, "other")
    told = await talk(other, *SHORT[:2], "Công ty khác", "1", TAX_CODE)
    assert "đã có phiếu cho mã số thuế này" in told.text
    assert "Gỗ Hoài Nhơn" not in told.text

    await talk(other, "gửi phiếu riêng")
    assert stored(app, "SELECT tax_code, rival FROM responses ORDER BY id") == [(TAX_CODE, 0), (TAX_CODE, 1)]
    assert answers(app)["enterprise"] == ["Công ty TNHH Gỗ Hoài Nhơn"]


async def test_a_branch_is_its_own(app: App, visitor: Visitor) -> None:
    await talk(visitor, *SHORT[:5])
    seen = await talk(Visitor(app, "branch"), *SHORT[:4], "0100109106-001")

    assert "xã, phường" in seen.text


async def test_a_lost_zero_is_offered_and_a_doubtful_code_may_be_kept(app: App, visitor: Visitor) -> None:
    await talk(visitor, *SHORT[:4], "100109106", "đúng")
    assert answers(app)["tax_code"] == [TAX_CODE]

    other = Visitor(app, "other")
    await talk(other, *SHORT[:4], "0100109107", "vẫn dùng mã này")
    assert answers(app, 2)["tax_code"] == ["0100109107"]


async def test_what_is_taken_back_is_kept_nowhere(app: App, visitor: Visitor) -> None:
    """A position that is skipped later, a tax code of somebody who turns out to be a household."""
    await talk(visitor, *SHORT, *OWN, "sửa 12", "bỏ qua", "sửa 2", "hộ kinh doanh")

    assert stored(app, "SELECT name FROM personal_values ORDER BY id") == [("respondent_name",), ("contact",)]
    assert stored(app, "SELECT tax_code FROM responses") == [(None,)]


async def test_a_household_has_no_tax_code_and_its_number_is_not_kept(app: App, visitor: Visitor) -> None:
    seen = await talk(visitor, *SHORT[:4], "079190001234", "tôi là hộ kinh doanh")

    assert "xã, phường" in seen.text
    kept = answers(app)
    assert kept["legal_form"] == ["household"]
    assert kept["tax_code"] == ["", "n"]
    assert "079190001234" not in str(kept)


async def test_last_years_answers_are_offered(app: App, visitor: Visitor, clock: Clock) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ")
    clock.pass_(days=365)

    offered = await talk(visitor, "khảo sát", "đồng ý")
    assert "Năm 2026 Anh/Chị đã trả lời" in offered.text
    rest = await talk(visitor, "như cũ", "bỏ qua")
    assert "Họ tên của Anh/Chị" in rest.text  # what is personal is asked anew
    assert answers(app, 2)["enterprise"] == ["Công ty TNHH Gỗ Hoài Nhơn"]
    assert stored(app, "SELECT year FROM responses ORDER BY id") == [(2026,), (2027,)]


async def test_what_changed_is_asked_with_last_years_answer_ready(
    app: App, visitor: Visitor, clock: Clock
) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ")
    clock.pass_(days=365)
    card = await talk(visitor, "khảo sát", "đồng ý", "có thay đổi")
    assert "Trợ lý đã có thông tin này" in card.text
    assert "Tên đơn vị: Công ty TNHH Gỗ Hoài Nhơn" in card.text

    one_by_one = await talk(visitor, "sửa thông tin")
    assert "Lần trước: Công ty TNHH Gỗ Hoài Nhơn" in one_by_one.text
    await talk(visitor, "Công ty TNHH Gỗ Mới", "như lần trước")
    assert answers(app, 2)["enterprise"] == ["Công ty TNHH Gỗ Mới"]
    assert answers(app, 2)["legal_form"] == ["llc"]


async def test_a_card_that_is_right_answers_all_its_questions(
    app: App, visitor: Visitor, clock: Clock
) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ")
    clock.pass_(days=365)
    seen = await talk(visitor, "khảo sát", "đồng ý", "có thay đổi", "đúng")

    assert "lao động" in seen.text
    assert answers(app, 2)["commune"] == answers(app, 1)["commune"]


# A restart, a new version, both databases


async def test_a_draft_goes_on_at_the_same_question_after_a_restart(app: App, clock: Clock) -> None:
    an = Visitor(app, "an")
    await talk(an, *TO_COUNTS)
    await app.conversation.stop()

    again = new_app(app.settings.database_url.get_secret_value(), clock)
    again.conversation.start()
    an.app = again
    seen = await an.says("12 3 ?")
    await again.conversation.stop()
    again.database.close()
    app.conversation.start = lambda: None  # type: ignore[method-assign]

    assert "Đúng chưa" in seen.text


async def test_both_databases_keep_the_same_answers(url: str, clock: Clock) -> None:
    app = new_app(url, clock)
    app.conversation.start()
    an = Visitor(app, "an")
    await talk(an, *TO_COUNTS, "12 3 ?", "đúng", "quay lại", "?")
    await talk(an, "sửa 7", "1")
    with app.database.reader.connect() as connection:
        [(kept,)] = connection.execute(sa.text("SELECT answers FROM responses")).all()
    await app.conversation.stop()
    app.database.close()
    import orjson

    kept = orjson.loads(kept) if isinstance(kept, str) else kept
    assert kept["instrument_types"] == [["bench_scale"]]
    assert [name for name in kept if name.startswith("instrument_count.")] == ["instrument_count.bench_scale"]
    assert kept["instrument_count.bench_scale"] == [12]


# A person's own data


async def test_a_person_sees_what_is_held_and_gets_a_copy(visitor: Visitor) -> None:
    await talk(visitor, *SHORT, *OWN)
    seen = await talk(visitor, "dữ liệu của tôi")

    assert "Họ tên: Trần Thị Hạnh" in seen.text
    assert "0905 123 456" in seen.text
    assert "Đã đồng ý ngày 20/11/2026: trả lời khảo sát" in seen.text
    assert [one.path for one in seen.messages[-1].attachments] == ["my-data.xlsx"]


@pytest.mark.parametrize("wish", ["xóa dữ liệu", "rút đồng ý"])
async def test_erasing_leaves_the_answers_and_nothing_of_the_person(
    app: App, visitor: Visitor, wish: str
) -> None:
    """Nowhere in the database, its log or its journal: looked for byte by byte."""
    await talk(visitor, *SHORT, *OWN, "xem lại", "gửi", "không, vậy là đủ", "dữ liệu của tôi")
    before = _bytes(app)
    assert all(_forms(own) & _found(before) for own in _OWN_VALUES)

    asked = await talk(visitor, wish)
    assert "chắc chứ" in asked.text
    done = await talk(visitor, "có")
    assert "Đã xóa 3 thông tin cá nhân" in done.text
    assert _found(_bytes(app)) == set()
    assert answers(app)["enterprise"] == ["Công ty TNHH Gỗ Hoài Nhơn"]
    assert stored(app, "SELECT count(*) FROM erasures") == [(1,)]
    assert stored(app, "SELECT answer FROM consents ORDER BY id") == [("yes",), ("withdrawn",)]


async def test_erasing_is_asked_once_and_may_be_left(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT, *OWN)
    kept = await talk(visitor, "xóa dữ liệu của tôi", "không, giữ lại")

    assert "không có gì bị xóa" in kept.text
    assert stored(app, "SELECT count(*) FROM personal_values") == [(3,)]


_OWN_VALUES = ("Trần Thị Hạnh", "905123456", "Kế toán")


def _forms(value: str) -> set[str]:
    """How a value may have been written."""
    return {value, "0905 123 456"} if value.isdecimal() else {value}


def _bytes(app: App) -> bytes:
    path = Path(str(app.settings.database_url.get_secret_value()).removeprefix("sqlite:///"))
    return b"".join(one.read_bytes() for one in path.parent.glob(f"{path.stem}*"))


def _found(everything: bytes) -> set[str]:
    forms = {form for own in _OWN_VALUES for form in _forms(own)}
    return {form for form in forms if form.encode() in everything}


# Taps where a channel has buttons and draws no tick boxes


def buttons(seen: Seen) -> list[str]:
    """The labels as a channel with buttons and without tick boxes shows them."""
    return [choice.label for choice in render(seen.messages[-1], TELEGRAM)[-1].choices]


async def test_several_choices_are_ticked_one_by_one_and_done(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT[:8])
    await visitor.taps("form:pick:instrument_types:bench_scale")
    twice = await visitor.taps("form:pick:instrument_types:pressure_gauge")
    assert "✓ Cân bàn, cân đĩa" in buttons(twice)
    assert "Xong (2)" in twice.labels
    assert "instrument_types" not in answers(app)

    alone = await visitor.taps("form:pick:instrument_types:none")
    assert "Xong (1)" in alone.labels
    await visitor.taps("form:pick:instrument_types:none")
    await visitor.taps("form:pick:instrument_types:truck_scale")
    await visitor.says("xong")
    assert answers(app)["instrument_types"] == [["truck_scale"]]


async def test_the_answer_that_stands_is_ticked_when_it_is_asked_again(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT[:8], "1, 4", "xem lại")
    asked = await visitor.says("sửa 7")
    assert "✓ Cân bàn, cân đĩa" in buttons(asked)

    less = await visitor.taps("form:pick:instrument_types:bench_scale")
    assert "Cân bàn, cân đĩa" in buttons(less)
    await visitor.says("xong")
    assert answers(app)["instrument_types"] == [["pressure_gauge"]]


async def test_a_number_typed_after_ticks_goes_with_them(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT[:8])
    await visitor.taps("form:pick:instrument_types:bench_scale")
    await visitor.says("4")
    assert answers(app)["instrument_types"] == [["bench_scale", "pressure_gauge"]]


async def test_what_is_named_last_rules_out_or_is_ruled_in(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT[:8])
    await visitor.taps("form:pick:instrument_types:none")
    await visitor.says("4")
    assert answers(app)["instrument_types"] == [["pressure_gauge"]]


async def test_ticks_outlast_a_question_of_ones_own(visitor: Visitor, app: App) -> None:
    await talk(visitor, *SHORT[:8])
    await visitor.taps("form:pick:instrument_types:bench_scale")
    for text in ("sao lại hỏi", "Ai trả học phí lớp đào tạo đo lường?", "99"):
        assert "✓ Cân bàn, cân đĩa" in buttons(await visitor.says(text))
    await visitor.says("xong")
    assert answers(app)["instrument_types"] == [["bench_scale"]]


async def test_a_place_found_by_a_part_of_its_name_is_told(visitor: Visitor, app: App) -> None:
    seen = await talk(visitor, *SHORT[:5], "bong son")

    assert "Trợ lý ghi: Phường Bồng Sơn." in seen.text
    assert answers(app)["commune"] == ["bong_son"]


async def test_a_place_not_in_the_list_is_kept_as_it_was_said(visitor: Visitor, app: App) -> None:
    asked = await talk(visitor, *SHORT[:5], "xã Ia Grai")
    assert "chưa có trong danh sách" in asked.text

    await talk(visitor, "Ghi là «xã Ia Grai»")
    assert answers(app)["commune"] == ["elsewhere", "", "xã Ia Grai"]


async def test_other_is_said_in_the_same_message_or_asked_for(visitor: Visitor, app: App) -> None:
    asked = await talk(visitor, *SHORT[:3], "loại hình khác")
    assert "ghi rõ" in asked.text
    await talk(visitor, "Hợp danh")
    assert answers(app)["legal_form"] == ["other", "", "Hợp danh"]

    await talk(visitor, "sửa 2", "loại hình khác: Ban quản lý")
    assert answers(app)["legal_form"] == ["other", "", "Ban quản lý"]


# What others may not do, and what is undone


async def test_only_the_owner_gives_a_response_up(app: App, visitor: Visitor) -> None:
    code = code_in(await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ"))
    other = Visitor(app, "other")
    seen = await talk(other, code, "hủy")

    assert "chỉ người đó hủy được" in seen.text
    assert "Hủy phiếu này" not in seen.labels
    await other.taps("form:cancel")
    assert stored(app, "SELECT status FROM responses") == [("submitted",)]


async def test_a_submitted_response_that_was_given_up_comes_back_submitted(
    app: App, visitor: Visitor
) -> None:
    code = code_in(await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ"))
    [before] = stored(app, "SELECT submitted_at FROM responses")
    await talk(visitor, "khảo sát", "xem lại", "hủy", "hủy phiếu này")
    assert stored(app, "SELECT status FROM responses") == [("cancelled",)]
    assert "Không tìm thấy" in (await talk(Visitor(app, "other"), code)).text

    again = await talk(visitor, "menu", code, "lấy lại phiếu", "xem lại")
    assert "Họ tên: Trần Thị Hạnh" in again.text
    assert stored(app, "SELECT status, submitted_at FROM responses") == [("submitted", *before)]


async def test_an_answer_taken_over_from_last_year_is_a_claim_too(
    app: App, visitor: Visitor, clock: Clock
) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ")
    clock.pass_(days=365)
    await talk(visitor, "khảo sát", "đồng ý", "như cũ")

    assert stored(app, "SELECT tax_code FROM responses ORDER BY id") == [(TAX_CODE,), (TAX_CODE,)]


async def test_consent_that_is_taken_back_with_its_answer_is_withdrawn(app: App, visitor: Visitor) -> None:
    await talk(visitor, *TO_COUNTS, "1 1 1", "đúng", "2", "3/2027", "có", "sửa 10", "bỏ qua")

    said = stored(app, "SELECT purpose, answer FROM consents ORDER BY id")
    assert said == [("survey", "yes"), ("expiry_reminder", "yes"), ("expiry_reminder", "withdrawn")]


async def test_a_households_name_goes_with_its_person(app: App, visitor: Visitor) -> None:
    """And so does a name that somebody wrote into a free text."""
    own = ("Lê Văn Tám", "Chủ hộ", "0905 123 456")
    said = (*SHORT[:2], "Hộ kinh doanh Lê Văn Tám", "hộ kinh doanh", *SHORT[5:11])
    await talk(visitor, *said, "Xin gọi Lê Văn Tám trước.", *own, "gửi", "không, vậy là đủ")
    assert "Lê Văn Tám".encode() in _bytes(app)
    await talk(visitor, "xóa dữ liệu", "có")

    assert "Lê Văn Tám".encode() not in _bytes(app)
    assert answers(app)["enterprise"] == ["", "p"]
    assert answers(app)["sector"] == ["wood"]


async def test_counts_of_nothing_are_nothing_and_counts_not_known_are_not_known(
    app: App, visitor: Visitor
) -> None:
    await talk(visitor, *TO_COUNTS, "0 0 0", "đúng")
    assert answers(app)["instruments_total"] == [0]
    assert answers(app)["group2_possible"] == [0]

    await talk(visitor, "sửa 8", "1 2 ?", "đúng")
    assert answers(app)["instruments_total"] == ["", "?"]


async def test_the_words_of_a_form_mean_it_at_the_menu_too(visitor: Visitor) -> None:
    await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ", "menu")

    assert "1. Tên đơn vị" in (await talk(visitor, "xem lại")).text
    await talk(visitor, "menu")
    assert "Đang ghi: Kế toán" in (await talk(visitor, "sửa 12")).text
    await talk(visitor, "menu")
    assert "đã gửi" in (await talk(visitor, "làm tiếp")).text


@pytest.mark.parametrize("said", ["go", "quên rồi", "Nguyễn Văn Đức", "12,5 3 ?"])
async def test_what_is_no_answer_is_no_wish_either(visitor: Visitor, said: str) -> None:
    seen = await talk(visitor, *SHORT[:3], said)

    assert "chọn một mục" in seen.text
    assert "Đơn vị thuộc loại hình nào?" in seen.text


async def test_a_strange_button_does_not_lead_out_of_a_form(visitor: Visitor) -> None:
    await talk(visitor, *SHORT[:3])
    seen = await visitor.taps("Đúng")

    assert "thuộc câu đã qua" in seen.text
    assert "Đơn vị thuộc loại hình nào?" in seen.text
