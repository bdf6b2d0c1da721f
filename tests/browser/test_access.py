"""The page for everybody: read aloud, enlarged, narrow, dark, without motion."""

import json
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Meet
from tests.browser.reader import DESKTOP, OFFLINE, PHONE, Reader


def barriers(reader: Reader) -> list[str]:
    """What axe-core finds wrong, each with the elements it is about."""
    found = Axe().run(reader.page).response["violations"]
    return [f"{one['id']}: {json.dumps([node['html'] for node in one['nodes']])[:400]}" for one in found]


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    """By day and by night."""
    found: str = request.param
    return found


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_no_barrier(meet: Meet, device: dict[str, object], scheme: str) -> None:
    reader = meet(**device, color_scheme=scheme)
    assert barriers(reader) == []

    reader.asks("ai chủ trì nhiệm vụ 2.2")
    reader.asks("phí kiểm định cân ô tô bao nhiêu")
    reader.taps("Chuyển cho cán bộ")
    reader.asks("menu")
    assert barriers(reader) == []

    reader.presses("Không phải tôi")
    assert barriers(reader) == []


def test_axe_finds_no_barrier_when_the_network_is_gone(meet: Meet, scheme: str) -> None:
    reader = meet(**PHONE, color_scheme=scheme)
    reader.may_see(OFFLINE)
    reader.asks("menu")
    reader.context.set_offline(True)
    reader.writes("nhiệm vụ 2.1")
    reader.writes("nhiệm vụ 2.2")
    expect(reader.page.locator(".is-sending .fault")).to_have_count(2)
    expect(reader.page.locator("#lost")).not_to_be_empty()

    assert barriers(reader) == []


@pytest.mark.parametrize(
    ("width", "height"), [(320, 640), (320, 256), (640, 400)], ids=["narrow", "400 %", "200 %"]
)
def test_an_enlarged_page_loses_nothing(meet: Meet, width: int, height: int) -> None:
    """1280 × 1024 at 400 % has 320 × 256 CSS pixels; 1280 × 800 at 200 % has 640 × 400."""
    reader = meet(viewport={"width": width, "height": height})
    reader.sees_everything()
    reader.asks("ai chủ trì nhiệm vụ 2.2")
    reader.asks("phí kiểm định cân ô tô bao nhiêu")
    reader.keeps_picture(f"zoom-{width}x{height}")
    reader.sees_everything()
    reader.presses("Không phải tôi")
    reader.sees_everything()
    reader.presses("Ở lại")
    assert "mã Q" in reader.taps("Chuyển cho cán bộ")


def test_letters_twice_as_large_lose_nothing(reader: Reader) -> None:
    reader.asks("phí kiểm định cân ô tô bao nhiêu")
    reader.page.evaluate("document.documentElement.style.fontSize = '200%'")
    reader.keeps_picture("letters")

    reader.sees_everything()


@pytest.fixture
def waiting(reader: Reader) -> Iterator[Reader]:
    """Somebody whose answer is on its way and does not come."""
    reader.page.route("**/chat/events?*", lambda route: None)
    reader.reloads()
    reader.writes("nhiệm vụ 2.1")
    expect(reader.page.locator("#typing")).to_be_visible()
    yield reader
    reader.page.unroute_all(behavior="ignoreErrors")


def test_somebody_who_wants_no_motion_sees_none(waiting: Reader) -> None:
    running = "document.getAnimations().filter((one) => one.playState === 'running').length"
    assert waiting.page.evaluate(running) == 3

    waiting.page.emulate_media(reduced_motion="reduce")

    assert waiting.page.evaluate(running) == 0


def test_new_messages_are_read_aloud(reader: Reader) -> None:
    """They come into a live region, each with who says it."""
    log = reader.page.get_by_role("log", name="Cuộc trò chuyện")
    expect(log).to_have_attribute("aria-live", "polite")
    reader.asks("nhiệm vụ 2.1")

    names = log.locator(".message .name").all_text_contents()
    assert [name.strip() for name in names] == ["Trợ lý:", "Anh/Chị:", "Trợ lý:"]


def test_the_page_prints_as_a_record_of_the_talk(reader: Reader) -> None:
    reader.asks("ai chủ trì nhiệm vụ 2.2")
    reader.page.emulate_media(media="print")

    expect(reader.page.locator("#compose")).to_be_hidden()
    expect(reader.page.locator(".message .name").last).to_be_visible()
    reader.keeps_picture("print", whole=True)
