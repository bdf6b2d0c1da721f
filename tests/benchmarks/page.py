"""The web chat on a poor connection: how much is fetched, and how soon the first message can be read."""

import gzip
import re
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.benchmarks.report import Measure, alone
from tests.benchmarks.start import serving
from tests.world import Sqlite

ROUNDS = 7
KB = 1000
NETWORK = {
    "offline": False,
    "latency": 562,
    "downloadThroughput": 200_000,
    "uploadThroughput": 200_000,
}  # 1.6 Mbit/s
SLOWER = 4  # times, the CPU
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")

# Notes the first frame in which the greeting has a box; SHOWN is that moment or the first paint, the later one.
WATCH = """
const look = () => {
  const said = document.querySelector("#log .message .text");
  if (said && said.textContent.trim() && said.getBoundingClientRect().height) window.greeted = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
SHOWN = """() => {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return window.greeted && paint ? Math.max(window.greeted, paint.startTime) : null;
}"""


def measure() -> Iterator[Measure]:
    """What the first visit costs a person on a phone far away."""
    with tempfile.TemporaryDirectory() as folder, serving(Sqlite(Path(folder)).new()) as (_, address):
        fetched = _fetched(address)
        gzipped = sum(len(gzip.compress(body, 6)) for body, _ in fetched)
        yield alone("page, script, style and icon: gzip -6", "kB", [gzipped / KB], 60.0)
        yield alone(
            "page, script, style and icon: as served", "kB", [sum(size for _, size in fetched) / KB], 60.0
        )
        yield alone("first message shown, 562 ms, 1.6 Mbit/s, CPU 4× slower", "s", _shown(address), 1.0)


def _fetched(address: str) -> list[tuple[bytes, int]]:
    """Everything a first visit fetches: the plain body and its size on the wire."""
    page = _fetch(address, "/")
    files = sorted(set(re.findall(r'"(/static/[^"]+)"', page[0].decode())))
    return [page, *(_fetch(address, file) for file in files)]


def _fetch(address: str, path: str) -> tuple[bytes, int]:
    request = urllib.request.Request(address + path, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as answer:
        body = answer.read()
        plain = gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body
        return plain, len(body)


def _shown(address: str) -> list[float]:
    """Seconds from the start of a first visit until the greeting can be read."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        seconds = [_visit(browser, address) for _ in range(ROUNDS + 1)]
        browser.close()
    return seconds[1:]


def _visit(browser: Browser, address: str) -> float:
    context = browser.new_context(viewport={"width": 360, "height": 740}, device_scale_factor=2)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", NETWORK)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.add_init_script(WATCH)
    page.goto(address, wait_until="commit")
    milliseconds: float = page.wait_for_function(SHOWN).json_value()
    context.close()
    return milliseconds / 1000
