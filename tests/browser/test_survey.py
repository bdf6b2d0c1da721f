"""The demand survey on the page, from the menu to the files: by touch, on two devices, by two people."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect
from stdnum.vn import mst

from storage.database import Database, open_database
from tests.browser.conftest import Meet
from tests.browser.reader import DESKTOP, PHONE, SCREENSHOTS
from tests.browser.respondent import Respondent
from tests.browser.test_access import barriers
from tests.persona import Tap, Write, wood_firm
from tests.service import Running, running
from tests.world import Sqlite

OWN = ("Trần Thị Hạnh", "Kế toán trưởng", "905123456", "0905 123 456")
MOST_PROMPTS = 20  # of a median firm whose identity is known
COUNTS = SCREENSHOTS.parent / "survey.json"


@dataclass
class House:
    """A running service and its database."""

    service: Running
    database: Database

    def stored(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """What a statement finds."""
        with self.database.reader.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement), values)]

    def a_year_passes_since(self, code: str) -> None:
        """What was answered this year was answered last year."""
        with self.database.writer.begin() as connection:
            connection.execute(
                sa.text("UPDATE responses SET year = year - 1 WHERE code = :code"), {"code": code}
            )


@pytest.fixture(scope="module")
def house(sqlite: Sqlite) -> Iterator[House]:
    url = sqlite.new()
    database = open_database(url)
    limits = {"DOLUONG_VISITORS_PER_MINUTE": "6000", "DOLUONG_MESSAGES_PER_MINUTE": "6000"}
    with running(url, DOLUONG_DEMO="1", **limits) as service:
        yield House(service, database)
    database.close()


Come = Callable[..., Respondent]

# Nobody's: no province's codes begin with 99.
_TAX_CODES = (
    f"{head}{mst.calc_check_digit(head)}"
    for number in count(1)
    if mst.calc_check_digit(head := f"99{number:07d}") in "0123456789"
)


@pytest.fixture
def come(meet: Meet, house: House) -> Come:
    """Somebody new who answers as the wood firm would, on a phone unless said; each firm has a tax code of its own."""

    def come(pictures: str = "", start: str = "", **device: Any) -> Respondent:
        address = house.service.address + (f"/?start={start}" if start else "")
        return Respondent(meet(address, **(device or PHONE)), wood_firm(next(_TAX_CODES)), pictures)

    return come


def code_in(text: str) -> str:
    found = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", text)
    assert found, text
    return found[0]


def payload_in(text: str) -> str:
    """The payload of the link in a text."""
    found = re.search(r"\?start=([\w-]+)", text)
    assert found, text
    return found[1]


def record(name: str, somebody: Respondent, *, before: int = 0) -> None:
    """Keep how many prompts were answered and messages sent up to the review, in build/survey.json."""
    kept = json.loads(COUNTS.read_text(encoding="utf-8")) if COUNTS.exists() else {}
    sent = len(somebody.reader.said()) - before
    kept[name] = {"prompts": len(somebody.persona.prompts), "messages": sent}
    COUNTS.write_text(json.dumps(kept, indent=2), encoding="utf-8")


def begins(somebody: Respondent) -> Respondent:
    """From the menu to the notice."""
    somebody.taps("Trả lời khảo sát nhu cầu đo lường")
    return somebody


# From the menu to the files


def test_a_median_firm_completes_the_survey_by_touch(come: Come, house: House) -> None:
    hanh = begins(come("phone"))
    review = hanh.answers()
    record("unknown firm", hanh)
    hanh.looks("review")
    expect(hanh.reader.page.get_by_role("button", name="Xem tiếp")).to_be_visible()
    hanh.reader.presses("Xem tiếp")
    hanh.looks("review-end")
    for reload in (False, True):
        if reload:
            hanh.reader.reloads()
        assert hanh.reader.choices() == ["Gửi phiếu", "Sửa câu trả lời", "Để sau"]
        expect(hanh.reader.page.locator(".is-open :is(.number, .asides)")).to_have_count(0)
        assert barriers(hanh.reader) == []
    assert len(re.findall(r"^\d+\. ", review.text, re.MULTILINE)) == 23
    assert "12. Nơi kiểm định, hiệu chuẩn: Trung tâm Phân tích và Đo lường chất lượng của tỉnh" in review.text

    assert "Đang ghi: 4" in hanh.does(Write("9"))
    hanh.looks("edit")
    assert "9. Cần kiểm định trong 12 tháng: 6" in hanh.does(Write("6"))

    sent = hanh.taps("Gửi phiếu")
    assert "Đã nhận" in sent
    hanh.looks("submitted")
    _files_are_there(hanh)

    hanh.taps("Trả lời thêm 2 phút")
    hanh.looks("more")
    for _ in range(3):
        hanh.does(hanh.persona.answer(hanh.sees()))
    assert "đã gửi" in hanh.taps("Để sau")
    hanh.does(Write("khảo sát"))
    hanh.looks("finished")
    assert "Cần kiểm định trong 12 tháng: 6" in hanh.taps("Nhận bản tóm tắt")
    hanh.looks("summary")
    code = code_in(sent).replace("-", "")
    [(status, answers)] = house.stored("SELECT status, answers FROM responses WHERE code = :code", code=code)
    assert (status, json.loads(answers)["due_12_months"]) == ("submitted", [6])


def _files_are_there(somebody: Respondent) -> None:
    """Each link of the last message but one leads to a file that is not empty; one is saved by tapping."""
    links = somebody.reader.page.locator("a.file")
    kinds = {"docx": "wordprocessingml.document", "xlsx": "spreadsheetml.sheet"}
    expect(links).to_have_count(2)
    for link in links.all():
        name = link.text_content() or ""
        answer = somebody.reader.context.request.get(link.evaluate("(link) => link.href"))
        assert answer.status == 200
        assert kinds[name[-4:]] in answer.headers["content-type"]
        assert answer.body()[:2] == b"PK"
    with somebody.reader.page.expect_download() as saving:
        somebody.reader._touch(links.first)
    assert saving.value.suggested_filename == links.first.text_content()


def test_a_firm_that_is_known_answers_few_prompts(come: Come, house: House) -> None:
    """Last year's answers give the card; everything behind it is answered anew, as by a firm that was invited.

    What is to become of last year's answers is not asked of an invited firm, so it is not counted.
    """
    hanh = begins(come("phone"))
    hanh.pictures = ""
    hanh.answers()
    sent = hanh.taps("Gửi phiếu")
    hanh.taps("Không, vậy là đủ")
    house.a_year_passes_since(code_in(sent).replace("-", ""))

    hanh.reader.reloads()
    hanh.persona = hanh.persona.but({"xem có đúng không": Tap("Đúng")})
    before = len(hanh.reader.said())
    hanh.does(Write("khảo sát"))
    hanh.answers(until="Anh/Chị đã trả lời khảo sát này")
    card = hanh.taps("Có thay đổi")
    assert "Tên đơn vị: Công ty TNHH Chế biến gỗ xuất khẩu Hoài Nhơn" in card
    hanh.pictures = "phone"
    hanh.looks("card")
    hanh.pictures = ""
    hanh.answers()
    record("known firm", hanh, before=before)
    hanh.taps("Gửi phiếu")

    assert len(hanh.persona.prompts) <= MOST_PROMPTS


# Everywhere and for everybody

SCREENS = {
    "dark": {**PHONE, "color_scheme": "dark"},
    "desktop": DESKTOP,
    "narrow": {"viewport": {"width": 320, "height": 640}, "device_scale_factor": 2},
}


@pytest.mark.parametrize("screen", SCREENS)
def test_every_kind_of_screen_is_whole(come: Come, screen: str) -> None:
    hanh = begins(come(screen, **SCREENS[screen]))
    hanh.answers()
    hanh.reader.sees_everything()
    hanh.looks("review")
    hanh.looks_at_the_end("review-end")
    assert barriers(hanh.reader) == []
    hanh.taps("Gửi phiếu")
    hanh.reader.sees_everything()
    hanh.looks("submitted")
    hanh.does(Write("dữ liệu của tôi"))
    hanh.reader.sees_everything()
    hanh.looks("my-data")
    hanh.taps("Xóa dữ liệu")
    hanh.looks("erase")
    assert barriers(hanh.reader) == []
    assert "Đã xóa 3 thông tin" in hanh.taps("Xóa")
    hanh.looks("erased")
    hanh.reader.reloads()
    assert not any(own in hanh.reader.page.content() for own in OWN)


def test_three_kinds_of_questions_are_answered_by_keyboard_alone(come: Come) -> None:
    hanh = come(**DESKTOP)
    reader, keys = hanh.reader, hanh.reader.page.keyboard
    hanh.taps("Trả lời khảo sát nhu cầu đo lường")
    hanh.answers(until="Ngành chính")
    reader.page.focus("#log")
    reader.tabs_to("Chế biến gỗ")
    _presses(hanh, "Enter")
    reader.sees_the_focus()
    hanh.answers(until="chọn những loại đang dùng")

    reader.page.focus("#log")
    reader.tabs_to("Cân bàn")
    keys.press("Space")
    reader.tabs_to("Máy đo độ ẩm gỗ")
    keys.press("Space")
    reader.tabs_to("Xong (2)")
    _presses(hanh, "Enter")
    reader.sees_the_focus()

    reader.page.focus("#log")
    reader.tabs_to("Cân bàn")
    keys.press("Tab")
    keys.type("12")
    keys.press("Enter")
    keys.type("?")
    assert "Trong 12 tháng tới" in _presses(hanh, "Enter")
    assert reader.said()[-1] == "Cân bàn, cân đĩa: 12; Máy đo độ ẩm gỗ: ?"


def _presses(somebody: Respondent, key: str) -> str:
    before = somebody.reader.page.locator(".message").count()
    somebody.reader.page.keyboard.press(key)
    return somebody.reader.answer(before)


# Another device, another person


def test_a_second_device_goes_on_at_the_same_question(come: Come) -> None:
    hanh = begins(come("phone"))
    hanh.pictures = ""
    hanh.answers(until="bao nhiêu lao động")
    saved = hanh.taps("Để sau")
    hanh.pictures = "phone"
    hanh.looks("saved")
    code, payload = code_in(saved), payload_in(saved)
    assert payload == f"p_{code.replace('-', '')}"

    by_code = come(**DESKTOP)
    card = by_code.does(Write(code.lower()))
    assert "xong 5/18 câu" in card
    by_code.looks("resumed")
    assert "bao nhiêu lao động" in by_code.taps("Làm tiếp")
    by_code.does(Tap("11–50 người"))

    by_link = come("phone", start=payload)
    expect(by_link.reader.page.get_by_text("xong 6/18 câu")).to_be_visible()
    by_link.looks("resumed")
    assert "chọn những loại đang dùng" in by_link.taps("Làm tiếp")
    assert "chọn những loại đang dùng" in hanh.does(Write("khảo sát")) + hanh.taps("Làm tiếp")


def test_a_second_device_sees_nothing_personal(come: Come) -> None:
    hanh = begins(come())
    code = code_in(hanh.answers().text)
    other = come("phone")
    other.does(Write(code))
    review = other.sees().text

    assert "Công ty TNHH Chế biến gỗ xuất khẩu Hoài Nhơn" in review
    assert not any(own in other.reader.page.content() for own in OWN)
    assert "không hiện và không sửa" in other.does(Write("21"))
    other.looks_at_the_end("anothers")
    assert not any(own in other.reader.page.content() for own in OWN)


def test_a_colleague_finishes_by_a_link_that_works_once(come: Come, house: House) -> None:
    hanh = begins(come("phone"))
    hanh.pictures = ""
    hanh.answers(until="bao nhiêu lao động")
    payload = payload_in(hanh.does(Write("nhờ đồng nghiệp")))
    hanh.pictures = "phone"
    hanh.looks("handed-over")

    own = {"Họ tên của Anh/Chị": Write("Lê Văn Bình"), "Chức vụ của Anh/Chị": Write("Quản đốc")}
    binh = come(start=payload)
    binh.persona = binh.persona.but(own)
    expect(binh.reader.page.get_by_text("đang làm dở")).to_be_visible()
    binh.taps("Làm tiếp")
    binh.answers(until="có đồng ý cung cấp thông tin")
    assert not house.stored("SELECT 1 FROM personal_values WHERE value LIKE 'Lê%'")
    review = binh.answers()
    assert "Họ tên: Lê Văn Bình" in review.text
    assert "Đã nhận" in binh.taps("Gửi phiếu")

    third = come("phone", start=payload)
    expect(third.reader.page.get_by_text("Đường dẫn này đã có người dùng")).to_be_visible()
    third.looks("link-used")


# In between


def test_ways_around_a_question(come: Come) -> None:
    hanh = begins(come())
    hanh.answers(until="Mã số thuế")
    assert "không bị tính hai lần" in hanh.taps("Sao lại hỏi")
    assert "Đang ghi: Công ty TNHH" in hanh.taps("Quay lại")
    assert "Mã số thuế" in hanh.taps("Giữ nguyên")

    hanh.reader.reloads()
    assert "Mã số thuế" in hanh.sees().text
    expect(hanh.reader.page.get_by_role("progressbar")).to_have_accessible_name("câu 3/18")
    hanh.answers(until="Trong 12 tháng tới")
    assert "Hạn kiểm định gần nhất" in hanh.taps("Bỏ qua")
    assert "đã lưu ở câu" in hanh.taps("Để sau")
    assert "đang làm dở" in hanh.does(Write("khảo sát"))
    assert "Hạn kiểm định gần nhất" in hanh.taps("Làm tiếp")


def test_an_answer_that_cannot_be_right_is_said_beside_it(come: Come) -> None:
    hanh = begins(come("phone"))
    hanh.pictures = ""
    hanh.answers(until="Mã số thuế")
    hanh.pictures = "phone"
    assert "chưa khớp" in hanh.does(Write("0100109107"))
    hanh.looks("error-tax-code")
    hanh.taps("Gõ lại")
    hanh.pictures = ""
    hanh.answers(until="Mỗi loại")
    hanh.pictures = "phone"
    assert "Trợ lý ghi" in hanh.does(Write("4 12 ?"))
    hanh.looks("read-back")
    assert "Trong 12 tháng tới" in hanh.taps("Đúng")
    assert "số nguyên" in hanh.does(Write("12,5"))
    hanh.looks("error")


def test_the_plan_is_asked_about_in_between(come: Come) -> None:
    hanh = begins(come("phone"))
    hanh.pictures = ""
    hanh.answers(until="thuộc loại hình nào")
    said = hanh.does(Write("ai chủ trì nhiệm vụ 2.2"))
    assert "Cơ quan chủ trì" in said
    expect(hanh.reader.page.locator(".assistant").last).to_contain_text("Đơn vị thuộc loại hình nào?")
    hanh.pictures = "phone"
    hanh.looks("plan-in-between")
    assert "Mã số thuế" in hanh.taps("Công ty TNHH")


def test_english_half_way(come: Come) -> None:
    hanh = begins(come("phone"))
    hanh.pictures = ""
    hanh.answers(until="thuộc loại hình nào")
    with hanh.reader.page.expect_navigation():
        hanh.reader.presses("English")
    expect(hanh.reader.page.locator("html")).to_have_attribute("lang", "en")
    expect(hanh.reader.page.get_by_role("progressbar")).to_have_accessible_name("question 2/18")
    assert "What kind of enterprise is it?" in hanh.sees().text
    hanh.pictures = "phone"
    hanh.looks("english")
    assert "tax code" in hanh.taps("Limited liability company")
