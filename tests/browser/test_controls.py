"""A form's questions on the page: tick boxes, steppers, ways aside, how far it is.

The messages are put into the outbox as a dialogue would put them there; what comes of the answers is not this page's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Request, expect

from handlers.messages import Attachment, Choice, Control, Message
from storage import outbox
from storage.database import Database, open_database
from storage.tables import turns
from tests.browser.conftest import Meet
from tests.browser.reader import DESKTOP, OFFLINE, PHONE, Reader
from tests.browser.test_access import barriers
from tests.service import Running, running
from tests.world import Sqlite

LONG = "Phương tiện đo dung tích, lưu lượng khí dầu mỏ hóa lỏng"
ASIDES = (
    Choice("Không biết", "form:unknown", aside=True),
    Choice("Bỏ qua", "form:skip", aside=True),
    Choice("Quay lại", "form:back", aside=True),
    Choice("Sao lại hỏi", "form:why", aside=True),
)
NAMES = {
    "mass": "Khối lượng",
    "heat": "Nhiệt độ",
    "lpg": LONG,
    "volume": "Dung tích, lưu lượng",
    "other": "Phương tiện đo khác (ghi rõ)",
    "none": "Không có phương tiện đo nào",
}
BOXES = tuple(Choice(label, f"form:pick:kinds:{name}") for name, label in NAMES.items())
SEVERAL = Message(
    "13. Đơn vị đang dùng những loại phương tiện đo nào?\nChọn hết các loại đang dùng.",
    (*BOXES, *ASIDES),
    control=Control(
        "several", "form:pick:kinds:", typed="Gõ các số.", alone=("none",), sends="form:set:kinds:"
    ),
    progress=(7, 18),
    counted="Câu 7/18",
)
COUNTED = ("Khối lượng", "Nhiệt độ", LONG, "Áp suất")
NUMBERS = Message(
    "14. Mỗi loại có bao nhiêu chiếc?",
    ASIDES,
    control=Control("numbers", "form:line:count:", COUNTED, typed="Gõ «12 3 ? 4»."),
    progress=(8, 18),
    counted="Câu 8/18",
)
ONE = Message(
    "15. Đơn vị có phòng thử nghiệm không?", (Choice("Có", "form:a"), Choice("Không", "form:b"), *ASIDES)
)


@dataclass
class House:
    """A running service and its database."""

    service: Running
    database: Database
    at: int = 0

    def last_turn(self) -> Any:
        """The address, and the last turn that anybody gave."""
        with self.database.reader.connect() as connection:
            return connection.execute(turns.select().order_by(turns.c.id.desc()).limit(1)).one()

    def says(self, *messages: Message) -> None:
        """Put messages into the outbox of whoever wrote last, as if their turn went on."""
        turn = self.last_turn()
        self.at += 1
        lines = [
            outbox.NewLine(turn.address_id, turn.id, 100 * self.at + place, datetime.now(UTC), message)
            for place, message in enumerate(messages)
        ]
        with self.database.writer.begin() as connection:
            outbox.add(connection, lines)


@dataclass
class Asked:
    """Somebody at the page who is asked something, and what the page posts for them."""

    reader: Reader
    house: House
    posted: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader.page.on("request", self._note)
        self.reader.asks("nhiệm vụ 2.1")

    def _note(self, request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/chat"):
            self.posted.append(request.post_data_json or {})

    def sees(self, *messages: Message) -> Reader:
        """These messages come."""
        heard = self.reader.page.locator(".assistant")
        before = heard.count()
        self.house.says(*messages)
        expect(heard).to_have_count(before + len(messages))
        return self.reader

    def answered(self) -> tuple[str, str]:
        """The tap that was posted last and the words the service keeps for it, once it has them."""
        expect(self.reader.page.locator(".is-sending")).to_have_count(0)
        turn = self.house.last_turn()
        assert turn.kind == "tap"
        assert turn.text == self.reader.said()[-1]
        return self.posted[-1]["tap"], turn.text


@pytest.fixture(scope="module")
def house(sqlite: Sqlite) -> Iterator[House]:
    url = sqlite.new()
    database = open_database(url)
    with running(url, DOLUONG_DEMO="1", DOLUONG_VISITORS_PER_MINUTE="6000") as service:
        yield House(service, database)
    database.close()


Ask = Callable[..., Asked]


@pytest.fixture
def ask(meet: Meet, house: House) -> Ask:
    """Somebody new who has written once, on a phone unless said."""
    return lambda **device: Asked(meet(house.service.address, **(device or PHONE)), house)


def tick(reader: Reader, *labels: str) -> None:
    """Tap these rows."""
    for label in labels:
        words = reader.page.get_by_text(label, exact=True)
        reader._touch(reader.page.locator(".is-open label.face").filter(has=words))


def ticked(reader: Reader) -> list[str]:
    """What is ticked now."""
    return reader.page.locator(".is-open .choice:has(.tick:checked) .label").all_text_contents()


def counts(reader: Reader) -> list[str]:
    """What stands in the steppers."""
    found: list[str] = reader.page.eval_on_selector_all(
        ".is-open .count", "(all) => all.map((one) => one.value)"
    )
    return found


def chosen(reader: Reader) -> list[str]:
    return reader.page.locator(".is-chosen .label").all_text_contents()


def goes_to_the_question(reader: Reader) -> None:
    """Scroll as one does on a small screen, and look."""
    reader.page.evaluate("document.querySelector('.ask.is-open').closest('.message').scrollIntoView()")
    reader.sees_everything()


# Tick boxes


def test_several_are_ticked_and_sent_together(ask: Ask) -> None:
    asked = ask()
    reader = asked.sees(SEVERAL)
    expect(reader.page.get_by_role("button", name="Xong", exact=True)).to_be_visible()

    tick(reader, "Khối lượng", LONG, "Dung tích, lưu lượng")
    tick(reader, "Nhiệt độ", "Nhiệt độ")
    reader.keeps_picture("control-ticks")
    reader.presses("Xong (3)")

    words = f"Khối lượng; {LONG}; Dung tích, lưu lượng"
    assert asked.answered() == ("form:set:kinds:mass+lpg+volume", words)
    assert chosen(reader) == ["Khối lượng", LONG, "Dung tích, lưu lượng"]
    expect(reader.page.locator(".tick:visible, .done:visible")).to_have_count(0)
    reader.keeps_picture("control-ticked")
    reader.reloads()
    assert chosen(reader) == ["Khối lượng", LONG, "Dung tích, lưu lượng"]
    reader.keeps_picture("control-ticked-reloaded")


@pytest.mark.parametrize("reload", [False, True], ids=["arrived", "reloaded"])
def test_what_stands_is_ticked_and_what_stands_alone_rules_out_the_others(ask: Ask, reload: bool) -> None:
    asked = ask()
    reader = asked.sees(SEVERAL, _picked(SEVERAL, "mass", "heat"))
    if reload:
        reader.reloads()
    assert ticked(reader) == ["Khối lượng", "Nhiệt độ"]
    expect(reader.page.get_by_role("button", name="Xong (2)")).to_be_visible()

    tick(reader, NAMES["none"])
    assert ticked(reader) == [NAMES["none"]]
    tick(reader, "Nhiệt độ")
    assert ticked(reader) == ["Nhiệt độ"]


def test_nothing_ticked_is_said_beside_the_button(ask: Ask) -> None:
    asked = ask()
    reader = asked.sees(SEVERAL)
    reader.presses("Xong")

    expect(reader.page.get_by_role("alert").filter(has_text="chọn ít nhất một mục")).to_be_visible()
    assert len(asked.posted) == 1
    tick(reader, "Nhiệt độ")
    expect(reader.page.locator(".is-open .fault")).to_be_empty()


def test_ticks_begun_outlive_a_reload_and_a_question_in_between(ask: Ask) -> None:
    asked = ask()
    reader = asked.sees(SEVERAL)
    tick(reader, "Khối lượng", "Nhiệt độ")
    reader.reloads()
    assert ticked(reader) == ["Khối lượng", "Nhiệt độ"]

    reader.asks("ai chủ trì nhiệm vụ 2.2")
    assert ticked(reader) == []
    asked.sees(SEVERAL)
    assert ticked(reader) == ["Khối lượng", "Nhiệt độ"]


def test_a_typed_number_answers_too(ask: Ask) -> None:
    asked = ask()
    reader = asked.sees(SEVERAL)
    reader.asks("1, 3")

    assert chosen(reader) == ["Khối lượng", LONG]
    reader.reloads()
    assert chosen(reader) == ["Khối lượng", LONG]


# Steppers


def press(reader: Reader, name: str, times: int = 1) -> None:
    for _ in range(times):
        reader.presses(name)


def test_numbers_are_stepped_typed_and_left_unknown(ask: Ask) -> None:
    asked = ask()
    reader = asked.sees(NUMBERS)
    press(reader, "Thêm một: Khối lượng", 3)
    press(reader, "Bớt một: Khối lượng")
    reader.page.get_by_role("textbox", name="Nhiệt độ").fill("12")
    press(reader, f"Bớt một: {LONG}")
    press(reader, "Không biết: Áp suất")

    assert counts(reader) == ["2", "12", "0", "?"]
    expect(reader.page.get_by_role("button", name="Không biết: Áp suất")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(reader.page.locator("#spoken")).to_have_text("Áp suất: Không biết")
    reader.keeps_picture("control-steppers")
    reader.presses("Xong")

    words = f"Khối lượng: 2; Nhiệt độ: 12; {LONG}: 0; Áp suất: ?"
    assert asked.answered() == ("form:line:count:2 12 0 ?", words)
    values = reader.page.locator(".stepper .value")
    assert values.all_text_contents() == ["2", "12", "0", "?"]
    expect(reader.page.locator(".set:visible")).to_have_count(0)
    reader.keeps_picture("control-stepped")
    reader.reloads()
    assert values.all_text_contents() == ["2", "12", "0", "?"]


def test_what_is_missing_is_marked_and_nothing_is_sent(ask: Ask) -> None:
    asked = ask()
    reader = asked.sees(NUMBERS)
    press(reader, "Không biết: Khối lượng")
    reader.page.get_by_role("textbox", name="Áp suất").fill("nhiều")
    reader.presses("Xong")

    missing = reader.page.locator(".is-missing")
    assert missing.locator(".label").all_text_contents() == ["Nhiệt độ", LONG, "Áp suất"]
    assert missing.locator(".lack").all_text_contents() == ["chưa có số", "chưa có số", "không phải là số"]
    expect(reader.page.get_by_role("alert").filter(has_text="Còn thiếu 3 số")).to_be_visible()
    expect(reader.page.get_by_role("textbox", name="Nhiệt độ")).to_be_focused()
    expect(reader.page.get_by_role("textbox", name="Nhiệt độ")).to_have_attribute("aria-invalid", "true")
    reader.keeps_picture("control-missing")
    assert len(asked.posted) == 1
    assert barriers(reader) == []

    for label in COUNTED[1:]:
        press(reader, f"Thêm một: {label}")
    reader.page.get_by_role("textbox", name="Áp suất").fill("4")
    expect(reader.page.locator(".is-missing")).to_have_count(0)
    expect(reader.page.locator(".is-open .fault")).to_be_empty()


@pytest.mark.parametrize("reload", [False, True], ids=["arrived", "reloaded"])
def test_numbers_that_stand_are_shown(ask: Ask, reload: bool) -> None:
    asked = ask()
    reader = asked.sees(_picked(NUMBERS, "12", "", "?", "3"))
    if reload:
        reader.reloads()

    assert counts(reader) == ["12", "", "?", "3"]
    press(reader, "Không biết: " + LONG)
    assert counts(reader) == ["12", "", "", "3"]


def test_a_number_may_be_typed_as_people_write_it(ask: Ask) -> None:
    asked = ask()
    reader = asked.sees(NUMBERS)
    for label, typed in zip(COUNTED, ("khoảng 20", "1 200", "2,5", " 3 cái "), strict=True):
        reader.page.get_by_role("textbox", name=label).fill(typed)
    press(reader, "Thêm một: Nhiệt độ")
    reader.presses("Xong")

    assert asked.answered()[0] == "form:line:count:khoảng 20 1201 2,5 3 cái"
    values = reader.page.locator(".stepper .value")
    assert values.all_text_contents() == ["khoảng 20", "1201", "2,5", "3 cái"]
    reader.reloads()
    assert values.all_text_contents() == ["khoảng 20", "1201", "2,5", "3 cái"]


def test_numbers_typed_in_the_box_are_recorded(ask: Ask) -> None:
    asked = ask()
    reader = asked.sees(NUMBERS)
    reader.asks("12 3 ? 4")

    assert reader.page.locator(".stepper .value").all_text_contents() == ["12", "3", "?", "4"]
    reader.reloads()
    assert reader.page.locator(".stepper .value").all_text_contents() == ["12", "3", "?", "4"]


# Ways aside, past questions, progress, files


def test_ways_aside_stand_quietly_below_and_have_no_number(ask: Ask) -> None:
    asked = ask()
    reader = asked.sees(ONE)
    assert reader.choices() == ["Có", "Không", "Không biết", "Bỏ qua", "Quay lại", "Sao lại hỏi"]
    assert reader.page.locator(".is-open .number").all_text_contents() == ["1", "2"]
    heights = reader.page.eval_on_selector_all(
        ".is-open button", "(all) => all.map((one) => one.offsetHeight)"
    )
    assert min(heights) >= 44
    reader.keeps_picture("control-asides")

    reader.taps("Bỏ qua")

    assert asked.answered() == ("form:skip", "Bỏ qua")
    assert chosen(reader) == ["Bỏ qua"]
    expect(reader.page.locator(".asides .label:visible")).to_have_text(["Bỏ qua"])
    reader.reloads()
    assert chosen(reader) == ["Bỏ qua"]


def test_only_the_newest_question_is_open(ask: Ask) -> None:
    asked = ask()
    reader = asked.sees(SEVERAL, NUMBERS)
    expect(reader.page.locator(".is-open")).to_have_count(1)
    expect(reader.page.locator(".tick:visible")).to_have_count(0)
    assert len(counts(reader)) == 4
    reader.reloads()
    expect(reader.page.locator(".is-open")).to_have_count(1)
    expect(reader.page.locator(".tick:visible")).to_have_count(0)


def test_how_far_it_is_stands_under_the_header(ask: Ask) -> None:
    asked = ask()
    progress = asked.reader.page.get_by_role("progressbar")
    expect(progress).to_be_hidden()

    reader = asked.sees(SEVERAL)
    expect(progress).to_have_accessible_name("câu 7/18")
    expect(progress).to_have_js_property("value", 7)
    reader.reloads()
    expect(progress).to_have_accessible_name("câu 7/18")
    asked.sees(NUMBERS)
    expect(progress).to_have_accessible_name("câu 8/18")
    reader.asks("menu")
    expect(progress).to_be_hidden()
    reader.reloads()
    expect(progress).to_be_hidden()


def test_a_file_of_the_service_is_a_link(ask: Ask) -> None:
    asked = ask()
    sheet = Attachment("phieu-khao-sat.xlsx", "application/xlsx", "/chat/files/abc")
    reader = asked.sees(Message("Phiếu của Anh/Chị đây.", attachments=(sheet,)))

    link = reader.page.get_by_role("link", name="phieu-khao-sat.xlsx")
    expect(link).to_have_attribute("href", "/chat/files/abc")


def test_an_answer_the_network_refuses_is_kept_and_sent_later(ask: Ask) -> None:
    asked = ask()
    reader = asked.sees(SEVERAL)
    tick(reader, "Nhiệt độ")
    reader.may_see(OFFLINE)
    reader.context.set_offline(True)
    reader.presses("Xong (1)")
    expect(reader.page.locator(".is-sending .text")).to_have_text("Nhiệt độ")
    reader.context.set_offline(False)

    assert asked.answered() == ("form:set:kinds:heat", "Nhiệt độ")


# Everybody


def test_ticks_by_keyboard_alone(ask: Ask) -> None:
    asked = ask(**DESKTOP)
    reader = asked.sees(SEVERAL)
    reader.page.focus("#log")
    reader.tabs_to("Khối lượng")
    reader.page.keyboard.press("Space")
    reader.tabs_to("Nhiệt độ")
    reader.page.keyboard.press("Space")
    reader.tabs_to("Xong (2)")
    reader.page.keyboard.press("Enter")

    assert asked.answered() == ("form:set:kinds:mass+heat", "Khối lượng; Nhiệt độ")
    reader.sees_the_focus()
    assert reader.focus() == "Tin nhắn"


def test_steppers_by_keyboard_alone(ask: Ask) -> None:
    asked = ask(**DESKTOP)
    reader = asked.sees(NUMBERS)
    keys = reader.page.keyboard
    reader.page.focus("#log")
    reader.tabs_to("Khối lượng")  # the button that takes one off
    keys.press("Tab")
    keys.type("12")
    keys.press("Enter")
    assert reader.focus() == "Nhiệt độ"
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "Enter"):
        keys.press(key)
    reader.sees_the_focus()
    keys.type("?")
    keys.press("Enter")
    keys.type("0")
    keys.press("Enter")

    assert asked.answered()[0] == "form:line:count:12 2 ? 0"
    reader.sees_the_focus()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_no_barrier_in_controls(ask: Ask, device: dict[str, Any], scheme: str) -> None:
    asked = ask(**device, color_scheme=scheme)
    name = f"control-{'phone' if device is PHONE else 'desktop'}-{scheme}"
    reader = asked.sees(SEVERAL)
    tick(reader, "Khối lượng")
    reader.keeps_picture(f"{name}-ticks")
    assert barriers(reader) == []

    asked.sees(NUMBERS)
    press(reader, "Không biết: Nhiệt độ")
    reader.keeps_picture(f"{name}-steppers")
    assert barriers(reader) == []
    reader.reloads()
    assert barriers(reader) == []


@pytest.mark.parametrize(
    ("width", "height"), [(320, 640), (320, 256), (640, 400)], ids=["narrow", "400 %", "200 %"]
)
def test_enlarged_controls_lose_nothing(ask: Ask, width: int, height: int) -> None:
    asked = ask(viewport={"width": width, "height": height})
    reader = asked.sees(SEVERAL)
    goes_to_the_question(reader)
    reader.keeps_picture(f"control-zoom-{width}x{height}-ticks")
    reader.page.focus("#log")
    reader.tabs_to("Xong")
    asked.sees(NUMBERS)
    goes_to_the_question(reader)
    reader.keeps_picture(f"control-zoom-{width}x{height}-steppers")
    reader.reloads()
    goes_to_the_question(reader)
    press(reader, "Thêm một: " + LONG)
    reader.tabs_to("Xong")


def test_controls_in_letters_twice_as_large_lose_nothing(ask: Ask) -> None:
    asked = ask()
    asked.reader.page.evaluate("document.documentElement.style.fontSize = '200%'")
    reader = asked.sees(SEVERAL)
    goes_to_the_question(reader)
    reader.keeps_picture("control-letters-ticks")
    asked.sees(NUMBERS)
    goes_to_the_question(reader)
    reader.keeps_picture("control-letters-steppers")


def test_controls_in_forced_colours_and_on_paper(ask: Ask) -> None:
    asked = ask(**DESKTOP, forced_colors="active")
    reader = asked.sees(SEVERAL)
    tick(reader, "Khối lượng", LONG)
    reader.keeps_picture("control-forced-ticks")
    asked.sees(NUMBERS)
    press(reader, "Không biết: Nhiệt độ")
    reader.presses("Xong")
    reader.keeps_picture("control-forced-steppers")
    reader.page.emulate_media(media="print", forced_colors="none")
    reader.keeps_picture("control-print", whole=True)


def test_controls_can_be_read_without_a_script(ask: Ask, meet: Meet) -> None:
    asked = ask()
    asked.sees(SEVERAL, NUMBERS)
    plain = meet(
        asked.house.service.address,
        **PHONE,
        java_script_enabled=False,
        storage_state=asked.reader.context.storage_state(),
    )

    expect(plain.page.get_by_text("14. Mỗi loại có bao nhiêu chiếc?")).to_be_visible()
    expect(plain.page.locator(".stepper .label")).to_have_text(list(COUNTED))
    expect(plain.page.locator("#counted")).to_have_text("câu 8/18")


def _picked(message: Message, *values: str) -> Message:
    assert message.control
    return replace(message, control=replace(message.control, picked=values))
