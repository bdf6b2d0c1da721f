"""«xóa dữ liệu» after all that can happen to a response: nothing of the person is left in any table."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from bot.app import App
from handlers.fold import fold
from storage.tables import metadata
from tests.bot.test_survey import SHORT, code_in, stored, talk
from tests.world import Clock, Visitor, new_app

HOUSEHOLD = "Hộ kinh doanh Lê Văn Tám"
OWN = ("Lê Văn Tám", "Chủ hộ", "0905 333 444")
TO_SUGGESTIONS = (*SHORT[:2], HOUSEHOLD, "hộ kinh doanh", *SHORT[5:11])
SUGGESTION = "Xin gọi 0905 333 444 nhé, gặp Tám."


@pytest.fixture
async def app(url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[App]:
    """A running assistant on each database."""
    running = new_app(url, clock, files_folder=tmp_path)
    running.conversation.start()
    yield running
    await running.conversation.stop()
    running.database.close()


def answers(app: App) -> dict[str, list[Any]]:
    """The answers of the first response."""
    [(text,)] = stored(app, "SELECT CAST(answers AS TEXT) FROM responses WHERE id = 1")
    found: dict[str, list[Any]] = orjson.loads(text)
    return found


def held(app: App) -> str:
    """Everything that stands in any table but the forms and the evidence, folded, digits joined."""
    lines = []
    with app.database.reader.connect() as connection:
        for table in metadata.sorted_tables:
            if table.name not in ("forms", "consents"):
                lines += [str(tuple(row)) for row in connection.execute(sa.select(table))]
    return fold("\n".join(lines)).replace(" ", "")


def left(app: App) -> set[str]:
    """What is left of the person."""
    everything = held(app)
    found = {one: everything.find(one) for one in ("levantam", "905333444", "chuho", "gaptam")}
    return {everything[max(0, at - 300) : at + 40] for one, at in found.items() if at >= 0}


async def test_what_was_edited_goes_too(app: App, visitor: Visitor) -> None:
    await talk(visitor, *TO_SUGGESTIONS, SUGGESTION, *OWN, "sửa 9", "Mở lớp gần hơn.")
    assert left(app)
    await talk(visitor, "xóa dữ liệu", "có")

    assert left(app) == set()
    assert answers(app)["suggestions"] == ["Mở lớp gần hơn."]


async def test_a_telephone_in_a_free_text_goes_however_it_is_written(app: App, visitor: Visitor) -> None:
    await talk(visitor, *SHORT[:11], "gọi 0905.333.444, gặp anh Tam", *OWN, "gửi")
    await talk(visitor, "xóa dữ liệu", "có")

    assert left(app) == set()
    assert answers(app)["suggestions"] == ["", "p"]
    assert answers(app)["enterprise"] == ["Công ty TNHH Gỗ Hoài Nhơn"]


async def test_the_name_of_a_household_that_became_a_company_goes(app: App, visitor: Visitor) -> None:
    await talk(visitor, *TO_SUGGESTIONS, "bỏ qua", *OWN, "sửa 2", "công ty tnhh", SHORT[4])
    await talk(visitor, "sửa 1", "Công ty TNHH Bồng Sơn")
    await talk(visitor, "xóa dữ liệu", "có")

    assert left(app) == set()
    assert answers(app)["enterprise"] == ["Công ty TNHH Bồng Sơn"]


async def test_last_years_copy_goes(app: App, visitor: Visitor, clock: Clock) -> None:
    await talk(visitor, *TO_SUGGESTIONS, SUGGESTION, *OWN, "gửi", "không, vậy là đủ")
    clock.pass_(days=365)
    await talk(visitor, "khảo sát", "đồng ý")
    assert stored(app, "SELECT count(*) FROM responses WHERE known IS NOT NULL") != [(0,)]
    await talk(visitor, "xóa dữ liệu", "có")

    assert left(app) == set()
    assert '"wood"' in str(stored(app, "SELECT CAST(known AS TEXT) FROM responses WHERE id = 2"))


async def test_what_another_reader_was_told_goes(app: App, visitor: Visitor) -> None:
    code = code_in(await talk(visitor, *TO_SUGGESTIONS, SUGGESTION, *OWN, "gửi", "không, vậy là đủ"))
    reader = Visitor(app, "reader")
    seen = await talk(reader, code, "xem lại", "Hộ kinh doanh Lê Văn Tám là ai?")
    assert reader.seen
    assert HOUSEHOLD in "".join(one.text for one in reader.seen), seen.text
    await talk(visitor, "xóa dữ liệu", "có")

    assert left(app) == set()
    assert "Ngành: " in str(stored(app, "SELECT message FROM outbox"))
    assert not (await talk(reader, "xem lại")).done.failed


async def test_a_colleague_who_goes_takes_no_household_along(app: App, visitor: Visitor) -> None:
    code = code_in(await talk(visitor, *TO_SUGGESTIONS, "bỏ qua", *OWN, "gửi", "không, vậy là đủ"))
    await talk(Visitor(app, "reader"), code, "xóa dữ liệu", "có")

    assert answers(app)["enterprise"] == [HOUSEHOLD]


async def test_files_of_a_cancelled_response_go(app: App, visitor: Visitor) -> None:
    code = code_in(await talk(visitor, *SHORT, *OWN, "gửi", "không, vậy là đủ")).replace("-", "")
    await talk(visitor, "khảo sát", "xem lại", "hủy", "hủy phiếu này")
    folder = app.settings.files_folder / code
    folder.mkdir(parents=True)
    assert code[:4] in (await talk(visitor, "dữ liệu của tôi")).text
    await talk(visitor, "xóa dữ liệu", "có")

    assert not folder.exists()


async def test_wrong_codes_stay_counted(app: App, visitor: Visitor) -> None:
    wrong = [f"KQ{number}M-XW29-RTB4" for number in range(5)]
    await talk(visitor, *wrong, "xóa dữ liệu", "có")

    assert "nhiều" in (await talk(visitor, "KQ7M-XW29-RTB5")).text
    assert stored(app, "SELECT count(*) FROM guesses") == [(5,)]
