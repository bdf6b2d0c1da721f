"""Talks on the page, as a person has them."""

from html.parser import HTMLParser

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Meet
from tests.browser.reader import DESKTOP, OFFLINE, PHONE, Reader
from tests.service import Running


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("kinh phí đào tạo lấy từ đâu", "Nguồn kinh phí sự nghiệp khoa học và công nghệ"),
        ("ai chủ trì nhiệm vụ 2.2", "Trung tâm Phân tích và Đo lường"),
        ("muc tieu den nam 2030", "100 doanh nghiệp triển khai"),
        ("phí kiểm định cân ô tô bao nhiêu", "Kế hoạch không nêu"),
    ],
)
def test_a_question_is_answered(reader: Reader, question: str, answer: str) -> None:
    assert answer in reader.asks(question)
    assert reader.said() == [question]


def test_the_talk_in_pictures(reader: Reader) -> None:
    reader.keeps_picture("first")
    reader.asks("ai chủ trì nhiệm vụ 2.2")
    reader.keeps_picture("talk")
    reader.asks("muc tieu den nam 2030")
    reader.keeps_picture("list")
    reader.asks("menu")
    reader.taps("Hỏi về kế hoạch")
    reader.keeps_picture("choices")
    reader.asks("phí kiểm định cân ô tô bao nhiêu")
    reader.taps("Chuyển cho cán bộ")
    reader.keeps_picture("chosen")


@pytest.mark.parametrize(
    ("name", "device", "scheme"),
    [("desktop", DESKTOP, "light"), ("dark", PHONE, "dark"), ("desktop-dark", DESKTOP, "dark")],
)
def test_the_talk_in_pictures_of_other_screens(
    meet: Meet, name: str, device: dict[str, object], scheme: str
) -> None:
    reader = meet(**device, color_scheme=scheme)
    reader.asks("ai chủ trì nhiệm vụ 2.2")
    reader.asks("phí kiểm định cân ô tô bao nhiêu")
    reader.keeps_picture(name)


def test_a_choice_is_tapped_and_stays_as_the_answer(reader: Reader) -> None:
    reader.asks("phí kiểm định cân ô tô bao nhiêu")
    assert reader.choices() == ["Chuyển cho cán bộ", "Hỏi cách khác"]

    assert "mã Q" in reader.taps("Chuyển cho cán bộ")

    assert reader.said()[-1] == "Chuyển cho cán bộ"
    assert reader.choices() == []
    chosen = reader.page.locator(".is-chosen .label")
    assert chosen.all_text_contents() == ["Chuyển cho cán bộ"]


def test_the_number_of_a_choice_is_the_choice(reader: Reader) -> None:
    reader.asks("phí kiểm định cân ô tô bao nhiêu")

    assert "mã Q" in reader.asks("1")
    assert reader.page.locator(".is-chosen .label").all_text_contents() == ["Chuyển cho cán bộ"]


def test_a_row_of_a_choice_is_large_enough_for_a_finger(reader: Reader) -> None:
    height = "(all) => all.filter((one) => one.checkVisibility()).map((one) => one.offsetHeight)"
    for buttons in ("button.face", ".tool", ".send"):
        assert min(reader.page.eval_on_selector_all(buttons, height)) >= 44


# The keyboard and the input method


def test_enter_while_composing_belongs_to_the_input_method(reader: Reader) -> None:
    keys = reader.page.evaluate_handle(
        """() => { const keys = [];
        document.addEventListener("keydown", (e) => keys.push([e.key, e.isComposing || e.keyCode === 229]), true);
        return keys; }"""
    )
    ime = reader.context.new_cdp_session(reader.page)
    reader.page.focus("#box")
    for composed in ("t", "ti", "tie", "tiê", "tiếng"):
        ime.send(
            "Input.imeSetComposition",
            {"text": composed, "selectionStart": len(composed), "selectionEnd": len(composed)},
        )
    for code in (13, 229):
        ime.send(
            "Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": code}
        )

    assert keys.json_value() == [["Enter", True], ["Enter", True]]
    assert reader.said() == []

    ime.send("Input.insertText", {"text": "tiếng Việt"})
    expect(reader.page.locator("#box")).to_have_value("tiếng Việt")
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator(".person .text")).to_have_text(["tiếng Việt"])


def test_shift_enter_breaks_the_line(reader: Reader) -> None:
    reader.page.focus("#box")
    for keys in ("nhiệm vụ 2.1", "nhiệm vụ 2.2"):
        reader.page.keyboard.type(keys)
        reader.page.keyboard.press("Shift+Enter")
    height = reader.page.locator("#box").bounding_box()
    assert reader.said() == []

    reader.page.keyboard.press("Enter")

    expect(reader.page.locator(".person .text")).to_have_text(["nhiệm vụ 2.1\nnhiệm vụ 2.2"])
    again = reader.page.locator("#box").bounding_box()
    assert height is not None
    assert again is not None
    assert height["height"] > again["height"]


def test_a_box_of_blanks_sends_nothing(reader: Reader) -> None:
    reader.writes("  \n ")
    reader.asks("menu")

    assert reader.said() == ["menu"]


def test_everything_is_done_by_keyboard_alone(meet: Meet) -> None:
    """Tab, Enter and letters; wherever the focus stands it is seen."""
    reader = meet(**DESKTOP)
    press = reader.page.keyboard.press

    press("Tab")
    reader.sees_the_focus()
    assert reader.focus() == "Đến ô soạn tin"
    press("Enter")
    reader.sees_the_focus()
    assert reader.focus() == "Tin nhắn"

    reader.reloads()
    reader.tabs_to("Hướng dẫn")
    press("Enter")
    assert "gõ câu hỏi như nói chuyện" in reader.answer(1)
    reader.sees_the_focus()
    assert reader.focus() == "Tin nhắn"

    reader.page.keyboard.type("phí kiểm định cân ô tô bao nhiêu")
    reader.tabs_to("Gửi")
    press("Enter")
    assert "Kế hoạch không nêu" in reader.answer(3)
    reader.sees_the_focus()
    reader.keeps_picture("keyboard")

    reader.reloads()
    reader.tabs_to("English")
    press("Enter")
    expect(reader.page.locator("html")).to_have_attribute("lang", "en")

    reader.tabs_to("Not me")
    press("Enter")
    reader.sees_the_focus()
    assert reader.focus() == "Close this conversation on this device?"
    press("Escape")
    assert reader.focus() == "Not me"
    reader.sees_the_focus()
    press("Enter")
    reader.tabs_to("Close and start anew")
    press("Enter")
    expect(reader.page.locator(".message")).to_have_count(1)
    expect(reader.page.locator("html")).to_have_attribute("lang", "vi")


# Languages


def test_english(meet: Meet) -> None:
    reader = meet(**DESKTOP)
    page = reader.page
    reader.presses("English")

    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_title(
        "Metrology assistant · Department of Science and Technology of Gia Lai province"
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("Metrology assistant")
    expect(page.get_by_role("textbox", name="Message", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Tiếng Việt").first).to_have_attribute("lang", "vi")
    assert "not an officer" in reader.heard()[0]
    answer = reader.asks("who leads task 2.2")
    assert "Lead agency" in answer
    reader.keeps_picture("english")

    reader.presses("Tiếng Việt")
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    assert "Cơ quan chủ trì" in reader.asks("ai chủ trì nhiệm vụ 2.2")


# «Không phải tôi»


def test_not_me_drops_the_talk_and_tells_the_other_tabs(reader: Reader) -> None:
    reader.asks("nhiệm vụ 2.1")
    other = reader.opens_a_second_tab()
    other.may_see("410 (Gone)")
    expect(other.page.locator(".person .text")).to_have_text(["nhiệm vụ 2.1"])
    other.page.fill("#box", "còn đang gõ")
    [before] = reader.context.cookies()

    reader.presses("Không phải tôi")
    reader.keeps_picture("leave")
    reader.presses("Ở lại")
    expect(reader.page.locator("#leaving")).to_be_hidden()
    reader.presses("Không phải tôi")
    reader.presses("Đóng và mở cuộc mới")

    expect(reader.page.locator(".message")).to_have_count(1)
    expect(reader.page.get_by_role("button", name="Không phải tôi")).to_be_hidden()
    [after] = reader.context.cookies()
    assert after["value"] != before["value"]
    assert reader.said() == []

    expect(other.page.get_by_role("alert").filter(has_text="đã đóng")).to_be_visible()
    other.keeps_picture("away")
    assert other.talk() == reader.talk()
    assert other.page.input_value("#box") == ""
    other.writes("viết tiếp")  # goes to nobody, and is kept
    expect(other.page.get_by_role("button", name="Tải lại trang")).to_be_focused()
    assert other.said() == []
    other.presses("Tải lại trang")
    expect(other.page.get_by_role("alert")).to_be_hidden()
    assert len(other.talk()) == 1
    assert other.page.input_value("#box") == "viết tiếp"
    assert other.complaints == []


def test_not_me_without_a_network_changes_nothing(reader: Reader) -> None:
    reader.asks("nhiệm vụ 2.1")
    reader.may_see(OFFLINE)
    reader.presses("Không phải tôi")
    reader.context.set_offline(True)
    reader.presses("Đóng và mở cuộc mới")
    expect(reader.page.get_by_role("alert").filter(has_text="Chưa đóng được")).to_be_visible()
    reader.context.set_offline(False)
    reader.presses("Ở lại")

    assert "2.2" in reader.asks("nhiệm vụ 2.2")
    assert reader.said() == ["nhiệm vụ 2.1", "nhiệm vụ 2.2"]


# What people type


def test_markup_is_shown_as_it_was_typed(reader: Reader) -> None:
    typed = "<img src=x onerror=alert(1)><script>alert(2)</script> &amp; {{ 7 * 7 }}"
    reader.asks(typed)
    assert reader.said() == [typed]

    reader.reloads()
    assert reader.said() == [typed]
    assert reader.page.locator(".message img, .message script").count() == 0


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_long_words_and_long_messages_wrap(meet: Meet, width: int) -> None:
    reader = meet(viewport={"width": width, "height": 800})
    long = ("Cân ô tô 80 tấn của Công ty TNHH Một thành viên Chế biến lâm sản Hoài Nhơn. " * 60)[
        :3900
    ].strip()
    reader.asks(long)
    reader.asks("phươngtiệnđo" * 40)
    reader.asks("https://example.vn/" + "a" * 300)

    reader.sees_everything()
    reader.reloads()
    reader.sees_everything()
    reader.keeps_picture(f"long-{width}")


def test_what_is_too_large_is_refused_beside_it_and_can_be_edited(reader: Reader) -> None:
    reader.asks("menu")
    reader.page.evaluate("document.getElementById('box').value = 'đo lường '.repeat(70000)")
    reader.may_see("413 (Request Entity Too Large)", "413 (Content Too Large)")
    reader.page.press("#box", "Enter")

    expect(reader.page.locator(".is-refused .fault")).to_contain_text("lớn quá")
    reader.presses("Sửa tin")
    expect(reader.page.locator(".is-refused")).to_have_count(0)
    assert reader.page.input_value("#box").startswith("đo lường đo lường")


# The HTML itself


class _Inline(HTMLParser):
    """Collects what the policy forbids: scripts inside the page, and styles but the one whose hash it names."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.styles = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one tag."""
        given = dict(attrs)
        if tag == "script" and "src" not in given:
            self.found.append(tag)
        self.styles += tag == "style"
        self.found += [name for name in given if name == "style" or name.startswith("on")]
        self.found += [value for value in given.values() if value and value.startswith("javascript:")]


def test_nothing_runs_inline_in_the_html(service: Running, reader: Reader) -> None:
    reader.asks("nhiệm vụ 2.1")
    [cookie] = reader.context.cookies()
    for cookies in ({}, {"doluong": cookie["value"]}):
        page = httpx.get(service.address, cookies=cookies)
        inline = _Inline()
        inline.feed(page.text)

        assert (inline.found, inline.styles) == ([], 1)
        assert "unsafe" not in page.headers["content-security-policy"]
