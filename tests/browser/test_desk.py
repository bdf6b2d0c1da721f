"""The desk in a real browser: from the printed link on, by keyboard alone, without barriers, by day and by night."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.register.files import Opened
from bot.register.importing import Lists
from content.everything import Content
from handlers.register.found import Candidate, Table
from handlers.register.rows import ListRead
from storage import enterprises
from storage.database import open_database
from tests.browser.reader import DESKTOP, PHONE, SCREENSHOTS, Reader
from tests.browser.test_access import barriers
from tests.service import Running, running
from tests.world import START, Sqlite, settings_for

LINK = re.compile(r"(http://\S+/desk/in/[\w-]+)")
LONG = (
    "Công ty Trách nhiệm hữu hạn Một thành viên Sản xuất, Chế biến và Xuất nhập khẩu Lâm sản Hoài Nhơn"
    " – Chi nhánh khu công nghiệp Phú Tài"
)
TOWNS = (
    "Bồng Sơn", "Tam Quan", "Phù Cát", "Ngô Mây", "Diêu Trì", "Đập Đá", "Phú Phong", "Vân Canh", "Vĩnh Thạnh",
    "An Lão", "Tăng Bạt Hổ", "Gò Găng", "Nhơn Hội", "Cát Tiến", "Đề Gi", "Mỹ Chánh",
)  # fmt: skip
TRADES = ("Xăng dầu", "Gạch men", "Thủy sản", "Cơ khí", "Nước mắm", "Giày da")
ROWS = (
    Candidate(
        1, LONG, "0100109106", kind="llc",
        address="Lô A12, đường số 3, khu công nghiệp Phú Tài, phường Bùi Thị Xuân", commune="quy_nhon_tay",
        phones=("+84912345678", "+842563847001"), emails=("lienhe@lamsanhoainhon.vn",), person="Nguyễn Thị Hường",
        sector="Chế biến gỗ và sản xuất sản phẩm từ gỗ, tre, nứa", employees=1250,
    ),
    Candidate(2, "Doanh nghiệp tư nhân Vàng bạc Kim Ngữ", "0100047516", phones=("+84905123456",)),
    Candidate(3, "Hộ kinh doanh Bún Cá Ngọc Liên", commune_text="Xã Cát Hanh", phones=("+84977000111",)),
    Candidate(4, "Hộ kinh doanh Bún cá Ngọc Liên (cũ)", commune="quy_nhon"),
    *(
        Candidate(5 + number, f"Công ty TNHH {trade} {town}", commune="an_nhon", kind="llc")
        for number, (trade, town) in enumerate((trade, town) for trade in TRADES for town in TOWNS)
    ),
)  # fmt: skip
_WIDE = """() => {
  const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth ? ["page"] : [];
  const out = [...document.querySelectorAll("body *")].filter((it) => {
    const box = it.getBoundingClientRect();
    return box.width > 1 && box.right > innerWidth + 0.5 && it.checkVisibility() && !it.closest(".rail");
  });
  return [...wide, ...out.map((it) => it.tagName + "." + it.className)];
}"""


@dataclass
class Office:
    """A service, and the link it printed at its first start."""

    service: Running
    link: str
    refs: list[str]


@pytest.fixture(scope="module")
def office(sqlite: Sqlite, content: Content) -> Iterator[Office]:
    """An office that has taken a list in."""
    url = sqlite.new()
    refs = fill(url, content)
    with running(url) as service:
        assert service.process.stdout is not None
        found = LINK.search(service.process.stdout.readline())
        assert found is not None
        yield Office(service, found[1], refs)


def fill(url: str, content: Content) -> list[str]:
    database = open_database(url)
    lists = Lists(content, settings_for(url).key)
    with database.writer.begin() as connection:
        read = ListRead(Table("s", ()), None, ROWS, (), ())  # type: ignore[arg-type]
        plan = lists.compare(connection, read)
        opened = Opened("ds.xlsx", "0" * 64, Table("s", ()), ())
        lists.take(connection, opened, plan, lists.new(plan), who="Lan", at=START)
        refs = [one.ref for one in enterprises.every(connection)]
    database.close()
    return refs


class Officer:
    """Somebody at the desk in a browser."""

    def __init__(self, browser: Browser, address: str, storage: Any = None, **device: Any) -> None:
        context = browser.new_context(locale="vi-VN", storage_state=storage, **device)
        self.reader = Reader(context, address)
        self.page: Page = self.reader.page
        self.address = address.partition("/desk")[0]

    def opens(self, path: str) -> None:
        """Open a page of the desk."""
        self.page.goto(self.address + path)

    def keeps_picture(self, name: str, *, whole: bool = False) -> None:
        """A screenshot for the eye."""
        self.page.screenshot(path=SCREENSHOTS / f"desk-{name}.png", animations="disabled", full_page=whole)

    def sees_everything(self) -> None:
        """Nothing is wider than the screen."""
        assert self.page.evaluate(_WIDE) == []

    def types(self, text: str) -> None:
        """Type where the focus stands."""
        self.page.keyboard.type(text)

    def tabs_to(self, name: str) -> None:
        """Press Tab until this has the focus; every stop on the way must be seen."""
        stops: list[str] = []
        for _ in range(60):
            self.page.keyboard.press("Tab")
            try:
                self.reader.sees_the_focus()
            except AssertionError as error:
                raise AssertionError(f"{error} after {stops}") from None
            stops.append(self.reader.focus())
            if stops[-1].startswith(name):
                return
        raise AssertionError(f"{name} not reached: {stops}")


Meet = Callable[..., Officer]


@pytest.fixture(scope="module")
def storage(office: Office, browser: Browser) -> Any:
    """The cookie of the first administrator, who came in by keyboard alone from the printed link."""
    chu = Officer(browser, office.link, **DESKTOP)
    chu.page.goto(office.link)  # a second look uses nothing up
    expect(chu.page.get_by_role("heading", level=1)).to_have_text("Chào Quản trị, bấm để vào bàn làm việc")
    chu.keeps_picture("enter")
    expect(chu.page.get_by_role("button", name="Vào bàn làm việc")).to_be_focused()
    chu.page.keyboard.press("Enter")
    expect(chu.page.get_by_role("heading", level=1)).to_have_text("Hôm nay")
    state = chu.reader.context.storage_state()
    assert chu.reader.complaints == []
    chu.reader.goes()
    return state


@pytest.fixture
def meet(office: Office, storage: Any, browser: Browser) -> Iterator[Meet]:
    """Opens the desk for the administrator; in the end nobody may have complained."""
    met: list[Officer] = []

    def meet(**device: Any) -> Officer:
        state = None if device.pop("out", False) else storage
        officer = Officer(browser, f"{office.service.address}/desk", state, **(device or DESKTOP))
        met.append(officer)
        return officer

    yield meet
    for officer in met:
        officer.reader.goes()
    assert [complaint for officer in met for complaint in officer.reader.complaints] == []


def paths(office: Office) -> dict[str, str]:
    """Every page, by a name for its picture."""
    first, *_ = office.refs
    return {
        "today": "/desk",
        "enterprises": "/desk/enterprises",
        "filtered": "/desk/enterprises?kind=household",
        "found": "/desk/search?q=bún",
        "not-found": "/desk/search?q=máy bay",
        "enterprise": f"/desk/enterprises/{first}",
        "edit": f"/desk/enterprises/{first}/edit",
        "merge": f"/desk/enterprises/{office.refs[2]}/merge",
        "settings": "/desk/settings",
        "staff": "/desk/staff",
        "me": "/desk/me",
        "audit": "/desk/audit",
        "nothing": "/desk/nothing",
    }


@pytest.mark.parametrize(
    ("device", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone-dark", "desktop-light"]
)
def test_no_page_has_a_barrier(
    office: Office, meet: Meet, device: dict[str, Any], scheme: str, request: pytest.FixtureRequest
) -> None:
    chu = meet(**device, color_scheme=scheme)
    chu.reader.may_see("404 (Not Found)")
    name = request.node.callspec.id
    for page, path in paths(office).items():
        chu.opens(path)
        assert barriers(chu.reader) == [], page
        chu.sees_everything()
        chu.keeps_picture(f"{page}-{name}", whole=page not in ("enterprises", "audit"))
    chu.opens(paths(office)["enterprise"])
    chu.page.get_by_role("button", name="Hiện").click()
    chu.page.get_by_text("Thêm liên hệ").click()
    expect(chu.page.get_by_role("link", name="0912 345 678")).to_be_visible()
    assert barriers(chu.reader) == []
    chu.sees_everything()
    chu.keeps_picture(f"contacts-{name}", whole=True)


def test_the_way_in_has_no_barrier(meet: Meet) -> None:
    for device in (PHONE, DESKTOP):
        nobody = meet(out=True, **device)
        nobody.reader.may_see("410 (Gone)", "422 (Unprocessable")
        nobody.opens("/desk/in/unknown")
        assert barriers(nobody.reader) == []
        nobody.opens("/desk")
        expect(nobody.page).to_have_url(re.compile("/desk/login$"))
        assert barriers(nobody.reader) == []
        nobody.keeps_picture(f"login-{'phone' if device is PHONE else 'desktop'}")


def test_an_officer_works_by_keyboard_alone(office: Office, meet: Meet) -> None:
    chu = meet(**DESKTOP)
    chu.page.keyboard.press("Tab")
    assert chu.reader.focus() == "Đến nội dung"
    chu.page.keyboard.press("/")
    chu.types("kim ngữ")
    chu.page.keyboard.press("Enter")
    expect(chu.page.get_by_role("heading", level=1)).to_have_text("Tìm «kim ngữ»")
    chu.tabs_to("Hiện")
    chu.page.keyboard.press("Enter")
    expect(chu.page.get_by_role("link", name="0905 123 456")).to_be_visible()
    chu.tabs_to("Doanh nghiệp tư nhân")
    chu.page.keyboard.press("Enter")
    expect(chu.page.get_by_role("heading", level=1)).to_have_text("Doanh nghiệp tư nhân Vàng bạc Kim Ngữ")
    chu.tabs_to("Sửa")
    chu.page.keyboard.press("Enter")
    expect(chu.page.get_by_role("heading", level=1)).to_contain_text("Sửa: Doanh nghiệp")
    chu.tabs_to("Số lao động")
    chu.types("nhiều")
    chu.reader.may_see("422 (Unprocessable")
    chu.page.keyboard.press("Enter")
    expect(chu.page.get_by_role("alert")).to_have_text("Số lao động là một số nguyên, ví dụ 120.")
    chu.keeps_picture("fault", whole=True)
    assert barriers(chu.reader) == []
    chu.tabs_to("Số lao động là")
    chu.page.keyboard.press("Enter")
    expect(chu.page.get_by_label("Số lao động")).to_be_focused()
    chu.page.keyboard.press("Control+A")
    chu.types("12")
    chu.page.keyboard.press("Enter")
    expect(chu.page.get_by_role("status")).to_have_text("Đã lưu.")
    chu.keeps_picture("saved")


def test_two_officers_at_once(office: Office, meet: Meet) -> None:
    """The second is told what the first wrote, and what was typed stays."""
    chu = meet(**PHONE)
    path = f"/desk/enterprises/{office.refs[3]}/edit"
    chu.opens(path)
    other = chu.reader.context.new_page()
    other.goto(chu.address + path)
    other.get_by_label("Ghi chú").fill("Đã gọi, hẹn thứ Hai")
    other.get_by_role("button", name="Lưu").click()
    expect(other.get_by_role("status")).to_have_text("Đã lưu.")
    chu.reader.may_see("409 (Conflict)")
    chu.page.get_by_label("Ghi chú").fill("Chuyển địa chỉ")
    chu.page.get_by_role("button", name="Lưu").tap()
    expect(chu.page.get_by_text("Hiện trong danh sách: Đã gọi, hẹn thứ Hai")).to_be_visible()
    expect(chu.page.get_by_label("Ghi chú")).to_have_value("Chuyển địa chỉ")
    assert barriers(chu.reader) == []
    chu.keeps_picture("conflict", whole=True)


def test_a_colleague_is_invited_comes_in_and_is_revoked(office: Office, meet: Meet) -> None:
    chu = meet(**DESKTOP)
    chu.opens("/desk/staff")
    chu.page.get_by_label("Họ tên").fill("Nguyễn Thị Lan")
    chu.page.get_by_label("Đơn vị").fill("Phòng Quản lý Tiêu chuẩn Đo lường Chất lượng")
    chu.page.get_by_role("button", name="Tạo đường dẫn mời").click()
    link = chu.page.locator("#the-link").inner_text()
    expect(chu.page.get_by_role("button", name="Chép")).to_be_visible()
    assert barriers(chu.reader) == []
    chu.keeps_picture("invited", whole=True)

    lan = meet(out=True, **PHONE)
    lan.page.goto(link)
    lan.keeps_picture("enter-phone")
    lan.page.get_by_role("button", name="Vào bàn làm việc").tap()
    expect(lan.page.get_by_role("heading", level=1)).to_have_text("Hôm nay")
    lan.reader.may_see("410 (Gone)", "401 (Unauthorized)")
    lan.page.goto(link)
    expect(lan.page.get_by_role("heading", level=1)).to_contain_text("không dùng được nữa")
    lan.opens(f"/desk/enterprises/{office.refs[1]}/edit")
    lan.page.get_by_label("Ghi chú").fill("đã gõ")

    chu.page.get_by_role("link", name="Nguyễn Thị Lan").click()
    chu.keeps_picture("member", whole=True)
    assert barriers(chu.reader) == []
    chu.page.get_by_role("button", name="Thu hồi quyền", exact=True).click()
    expect(chu.page.get_by_role("status")).to_have_text("Đã thu hồi quyền.")

    lan.page.get_by_role("button", name="Lưu").tap()
    expect(lan.page.get_by_role("heading", level=1)).to_have_text("Phiên làm việc đã hết")
    lan.keeps_picture("signed-out")


def test_a_chat_is_linked_by_its_code(office: Office, meet: Meet) -> None:
    chu = meet(**DESKTOP)
    chu.opens("/desk/me")
    chu.page.get_by_role("button", name="Nối một khung chat").click()
    expect(chu.page.get_by_role("img", name="Mã QR của đường dẫn")).to_be_visible()
    chu.keeps_picture("chat-link", whole=True)
    assert barriers(chu.reader) == []
    chat = Reader(chu.reader.context, chu.page.locator(".shown-once a").inner_text())
    chat.answer(0)
    assert "Đã nối khung chat này với Quản trị" in chat.heard()[-1]
    assert re.search(r"/desk/in/[0-9a-f]{32}", chat.asks("bàn làm việc"))
    chat.page.close()


def test_a_list_prints_whole_and_plain(office: Office, meet: Meet) -> None:
    chu = meet(**DESKTOP)
    chu.opens("/desk/enterprises")
    chu.page.emulate_media(media="print")
    expect(chu.page.get_by_role("navigation")).to_have_count(0)
    expect(chu.page.get_by_role("search")).to_be_hidden()
    chu.keeps_picture("print", whole=True)


@pytest.mark.parametrize(("width", "height"), [(320, 640), (320, 256), (640, 400)])
def test_an_enlarged_page_loses_nothing(office: Office, meet: Meet, width: int, height: int) -> None:
    chu = meet(viewport={"width": width, "height": height})
    for path in paths(office).values():
        chu.reader.may_see("404 (Not Found)")
        chu.opens(path)
        chu.sees_everything()
    chu.keeps_picture(f"zoom-{width}x{height}")
