"""`python -m tests.browser.picture` writes docs/screenshot.png: a question of the survey, for the README."""

import tempfile
from pathlib import Path
from typing import Any

from tests.browser.reader import Reader, chromium
from tests.browser.respondent import Respondent
from tests.persona import Tick, wood_firm
from tests.service import ROOT, running
from tests.world import Sqlite

PICTURE = ROOT / "docs" / "screenshot.png"
LARGEST = 200_000  # bytes
WINDOW: dict[str, Any] = {
    "viewport": {"width": 920, "height": 884},
    "device_scale_factor": 1.25,
}  # the talk and no more


def take(path: Path = PICTURE) -> int:
    """Answer the survey up to its tick boxes and keep what is on the screen; gives the file's size."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Sqlite(Path(folder)).new(), DOLUONG_DEMO="1") as service,
        chromium() as browser,
    ):
        reader = Reader(browser.new_context(**WINDOW, locale="vi-VN"), service.address)
        hanh = Respondent(reader, wood_firm())
        hanh.taps("Trả lời khảo sát nhu cầu đo lường")
        ticks = hanh.persona.answer(hanh.answers(until="chọn những loại đang dùng"))
        assert isinstance(ticks, Tick)
        hanh.ticks(ticks)
        reader.page.screenshot(path=path, animations="disabled")
        reader.goes()
    size = path.stat().st_size
    assert size < LARGEST, f"{path.name} has {size} bytes"
    return size


if __name__ == "__main__":
    print(f"{PICTURE.relative_to(ROOT)}: {take()} bytes")
