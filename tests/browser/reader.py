"""Somebody at the page in a real Chromium, who asks, taps, types on a keyboard and sees."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.service import ROOT

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
OFFLINE = "net::ERR_"  # how the browser notes a request that found no server
SCREENSHOTS = ROOT / "build" / "screenshots"

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A refusal by the policy is told to the page before it is told to the console.
_WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.effectiveDirective} ${event.blockedURI}`));
"""

_FOCUS = """() => {
  const it = document.activeElement;
  const style = getComputedStyle(it);
  const box = it.getBoundingClientRect();
  const [left, right] = [Math.max(0, box.left), Math.min(innerWidth, box.right)];
  const [top, bottom] = [Math.max(0, box.top), Math.min(innerHeight, box.bottom)];
  const over = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const name = it.getAttribute("aria-label") || it.labels?.[0]?.textContent || it.innerText || it.tagName;
  return {
    name: name.replace(/\\s+/g, " ").trim(),
    lost: it === document.body,
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    covered: !over || !(it.contains(over) || over.contains(it)),
  };
}"""

_WIDE = """() => {
  const scroll = document.getElementById("scroll");
  const wide = [document.documentElement, scroll].filter((it) => it.scrollWidth > it.clientWidth);
  const out = [...document.querySelectorAll("body *")].filter((it) => {
    const box = it.getBoundingClientRect();
    return box.width > 1 && box.right > innerWidth + 0.5 && it.checkVisibility();
  });
  const cut = [...document.querySelectorAll(".text, .label, .act, .tool, h1")].filter(
    (it) => it.clientWidth && (it.scrollWidth > it.clientWidth || it.scrollHeight > it.clientHeight + 1));
  return [...wide, ...out, ...cut].map((it) => it.tagName + "." + it.className + "#" + it.id);
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS)
        yield browser
        browser.close()


class Reader:
    """A person who has opened the page."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context = context
        self.address = address
        self.complaints: list[str] = []
        self._expected: list[str] = []
        context.add_init_script(_WATCH)
        self.page: Page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", lambda request: self._check(request.url))
        self.page.goto(address)

    def opens_a_second_tab(self) -> "Reader":
        """The same person, the same browser, another tab."""
        return Reader(self.context, self.address)

    # What a person does

    def writes(self, text: str) -> None:
        """Put words into the box and press Enter, waiting for nothing."""
        self.page.fill("#box", text)
        self.page.press("#box", "Enter")

    def asks(self, text: str) -> str:
        """Write and wait for the answer, which is returned."""
        before = self.page.locator(".message").count()
        self.writes(text)
        return self.answer(before)

    def taps(self, label: str) -> str:
        """Tap one of the newest choices and wait for the answer, which is returned."""
        before = self.page.locator(".message").count()
        self._touch(self.page.locator("button.face").filter(has_text=label))
        return self.answer(before)

    def presses(self, label: str) -> None:
        """Press one of the page's own buttons."""
        self._touch(self.page.get_by_role("button", name=label, exact=True))

    def reloads(self) -> None:
        """Load the page again, as one does when nothing seems to move."""
        self.page.reload()

    def tabs_to(self, name: str) -> None:
        """Press Tab until this has the focus; every stop on the way must be seen."""
        stops = []
        for _ in range(20):
            self.page.keyboard.press("Tab")
            self.sees_the_focus()
            stops.append(self.focus())
            if name in stops[-1]:
                return
        raise AssertionError(f"{name} not reached: {stops}")

    # What a person sees

    def answer(self, before: int) -> str:
        """What the assistant has said since there were `before` messages."""
        messages = self.page.locator(".message")
        expect(messages.nth(before + 1)).to_be_visible()
        expect(messages.last).to_contain_class("assistant")
        expect(self.page.locator(".is-sending")).to_have_count(0)
        return "\n".join(self.talk()[before + 1 :])

    def talk(self) -> list[str]:
        """Every message on the page, in order."""
        texts: list[str] = self.page.locator(".message .text").all_text_contents()
        return texts

    def said(self) -> list[str]:
        """What the person has said, in order."""
        return self.page.locator(".person .text").all_text_contents()

    def heard(self) -> list[str]:
        """What the assistant has said, in order."""
        return self.page.locator(".assistant .text").all_text_contents()

    def choices(self) -> list[str]:
        """What can be tapped now."""
        return self.page.locator("button.face .label").all_text_contents()

    def focus(self) -> str:
        """The name of what has the focus."""
        name: str = self.page.evaluate(_FOCUS)["name"]
        return name

    def sees_the_focus(self) -> None:
        """The focus is somewhere, has an outline, and nothing lies over it."""
        focus = self.page.evaluate(_FOCUS)
        assert not focus["lost"], "the focus is lost"
        assert focus["outlined"], f"no outline on {focus['name']}"
        assert not focus["covered"], f"something covers {focus['name']}"

    def sees_everything(self) -> None:
        """Nothing is wider than the screen and no words are cut off."""
        assert self.page.evaluate(_WIDE) == []

    def keeps_picture(self, name: str, *, whole: bool = False) -> None:
        """A screenshot for the eye of a person, in build/screenshots; the screen, or the whole page."""
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled", full_page=whole)

    # What a person does not see

    def may_see(self, *phrases: str) -> None:
        """The test brings about what the browser then notes in its console; it is no complaint."""
        self._expected += phrases

    def goes(self) -> None:
        """Close the browser's window."""
        self.context.close()

    def _touch(self, button: Any) -> None:
        self.page.bring_to_front()  # a tab in the background draws nothing, so nothing could be aimed at
        if self.page.evaluate("matchMedia('(pointer: coarse)').matches"):
            button.tap()
        else:
            button.click()

    def _hear(self, message: ConsoleMessage) -> None:
        expected = any(phrase in message.text for phrase in self._expected)
        if message.type in ("error", "warning") and not expected:
            self.complaints.append(f"{message.type}: {message.text}")

    def _check(self, url: str) -> None:
        if urlsplit(url).netloc != urlsplit(self.address).netloc:
            self.complaints.append(f"asks somebody else: {url}")
