"""Charts in a real browser: every word in its place, in the dark, on a phone, on paper; and their tables beside them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.reader import DESKTOP, PHONE, SCREENSHOTS
from tests.gallery import page as gallery

# Whatever is drawn outside its own picture, and words that stand on other words.
_ASTRAY = """() => {
  const found = [];
  for (const svg of document.querySelectorAll("svg")) {
    if (!svg.checkVisibility()) continue;
    const id = svg.closest("figure").id, { width, height } = svg.viewBox.baseVal;
    const texts = [...svg.querySelectorAll("text")].map((it) => [it.textContent, it.getBBox()]);
    for (const [words, box] of texts)
      if (box.x < -1.5 || box.x + box.width > width + 1.5 || box.y < -2 || box.y + box.height > height + 4)
        found.push(`${id}: out: ${words} ${box.x} ${box.width} of ${width}`);
    for (const [at, [words, box]] of texts.entries())
      for (const [other, beside] of texts.slice(at + 1))
        if (Math.min(box.x + box.width, beside.x + beside.width) - Math.max(box.x, beside.x) > 1 &&
            Math.min(box.y + box.height, beside.y + beside.height) - Math.max(box.y, beside.y) > 4)
          found.push(`${id}: over: ${words} / ${other}`);
  }
  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) found.push(`the page is ${page.scrollWidth} wide`);
  return found;
}"""


@pytest.fixture
def shown(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """The gallery on the device that the test names."""
    device: dict[str, Any] = request.param
    context = browser.new_context(**device)
    page = context.new_page()
    file = tmp_path / "charts.html"
    file.write_text(gallery(), encoding="utf-8")
    page.goto(file.as_uri())
    yield page
    context.close()


DEVICES = {
    "desktop": DESKTOP,
    "phone": PHONE,
    "desktop-dark": {**DESKTOP, "color_scheme": "dark"},
    "phone-dark": {**PHONE, "color_scheme": "dark"},
}


@pytest.mark.parametrize("shown", DEVICES.values(), ids=DEVICES, indirect=True)
def test_every_word_stands_in_its_place(shown: Page, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    shown.screenshot(path=SCREENSHOTS / f"charts-{name}.png", full_page=True, scale="css")

    assert shown.evaluate(_ASTRAY) == []


@pytest.mark.parametrize("shown", DEVICES.values(), ids=DEVICES, indirect=True)
def test_charts_are_read_aloud_and_have_their_tables(shown: Page) -> None:
    assert shown.get_by_role("img").count() == shown.locator("figure svg:visible").count() > 20
    assert {one.get_attribute("aria-labelledby") for one in shown.locator("svg").all()}
    assert shown.evaluate("document.querySelectorAll('[id]').length") == shown.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map((it) => it.id)).size"
    )
    shown.locator("#chart-sector summary").click()
    rows = shown.locator("#chart-sector tbody tr").all_inner_texts()
    assert len(rows) == shown.locator("#chart-sector svg:visible rect").count()
    shown.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")
    assert shown.evaluate(_ASTRAY) == []

    report = Axe().run(shown)

    assert report.response["violations"] == []


@pytest.mark.parametrize("shown", [DESKTOP], ids=["desktop"], indirect=True)
def test_on_paper_the_tables_stand_open(shown: Page) -> None:
    shown.emulate_media(media="print")

    assert shown.locator("#chart-sector tbody").is_visible()
    assert shown.locator("#chart-sector summary").is_hidden()
