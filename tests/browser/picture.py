"""`python -m tests.browser.picture` writes docs/screenshot.png: a real talk, for the README."""

import tempfile
from pathlib import Path

from tests.browser.reader import Reader, chromium
from tests.service import ROOT, running
from tests.world import Sqlite

PICTURE = ROOT / "docs" / "screenshot.png"
LARGEST = 200_000  # bytes
WINDOW = {"viewport": {"width": 920, "height": 832}, "device_scale_factor": 1.25}  # the talk and no more


def take(path: Path = PICTURE) -> int:
    """Ask the question the README speaks of and keep what is on the screen; gives the file's size."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Sqlite(Path(folder)).new()) as service,
        chromium() as browser,
    ):
        reader = Reader(browser.new_context(**WINDOW, locale="vi-VN"), service.address)
        reader.asks("ai chủ trì nhiệm vụ 2.2")
        reader.page.screenshot(path=path, animations="disabled")
        reader.goes()
    size = path.stat().st_size
    assert size < LARGEST, f"{path.name} has {size} bytes"
    return size


if __name__ == "__main__":
    print(f"{PICTURE.relative_to(ROOT)}: {take()} bytes")
