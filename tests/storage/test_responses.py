"""Responses in the store: what two people do at once, what a changed form may not, what every question costs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from bot.app import App
from bot.conversation import Inbound
from content.everything import Content
from content.forms import stored_form
from handlers.responses import code_from, shown_code, typed_code
from storage.errors import FormChanged
from storage.forms import FormShelf, publish
from tests.bot.test_survey import OWN, SHORT, code_in, talk
from tests.world import START, Clock, Sqlite, Visitor, new_app


@pytest.fixture
async def app(url: str, clock: Clock) -> AsyncIterator[App]:
    """A running assistant on either database."""
    running = new_app(url, clock)
    running.conversation.start()
    yield running
    await running.conversation.stop()
    running.database.close()


def answers(app: App) -> dict[str, Any]:
    with app.database.reader.connect() as connection:
        kept = connection.execute(sa.text("SELECT answers FROM responses")).scalar_one()
    return orjson.loads(kept) if isinstance(kept, str) else kept


async def test_what_two_people_answer_at_once_in_one_response_is_all_kept(app: App) -> None:
    an, binh = Visitor(app, "an"), Visitor(app, "binh")
    code = code_in(await talk(an, *SHORT, "mã phiếu"))
    await talk(binh, code, "xem lại", "1")  # the name of the enterprise
    await talk(an, "sửa 6")  # how many people work there
    await asyncio.gather(an.says("4"), binh.says("Công ty TNHH Gỗ Mới"))

    kept = answers(app)
    assert kept["enterprise"] == ["Công ty TNHH Gỗ Mới"]
    assert kept["labour"] == ["to_200"]


async def test_two_people_at_once_never_leave_what_contradicts_itself(app: App) -> None:
    """One says there are no instruments while the other says how many there are."""
    an, binh = Visitor(app, "an"), Visitor(app, "binh")
    await talk(an, *SHORT[:8], "1, 3")
    code = code_in(await talk(an, "mã phiếu"))
    await talk(binh, code, "làm tiếp", "5 6")
    await talk(an, "sửa 7")
    await asyncio.gather(an.says("không dùng loại nào"), binh.says("đúng"))

    kept = answers(app)
    assert kept["instrument_types"] == [["none"]]
    assert not [
        name for name in kept if name.startswith("instrument_count.") and name != "instrument_count.none"
    ]
    assert kept["instruments_total"] == ["", "n"]


async def test_many_people_begin_at_once_and_each_has_a_response_of_their_own(app: App) -> None:
    people = [Visitor(app, f"person {number}") for number in range(24)]
    for said in SHORT[:6]:
        await asyncio.gather(*(one.says(said) for one in people))

    with app.database.reader.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT r.code, p.person_id FROM responses r JOIN participants p ON p.response_id = r.id")
        ).all()
    assert len({code for code, _ in rows}) == len({person for _, person in rows}) == len(people)


async def test_who_begins_while_another_answers_keeps_their_first_answer(app: App) -> None:
    """In one group: an answer to a response that stands, then a response that is opened with its first answer."""
    an, binh = Visitor(app, "an"), Visitor(app, "binh")
    await talk(an, *SHORT, "sửa 1")
    await talk(binh, "khảo sát")

    both = (says("an", "Công ty Gỗ Mới"), says("binh", "đồng ý"))
    app.conversation._writer.work([app.conversation._understood(one) for one in both])

    with app.database.reader.connect() as connection:
        kept = [
            orjson.loads(one) if isinstance(one, str) else one
            for one in connection.execute(sa.text("SELECT answers FROM responses ORDER BY id")).scalars()
        ]
    assert kept[0]["enterprise"] == ["Công ty Gỗ Mới"]
    assert kept[1] == {"consent": ["yes"]}


def says(name: str, text: str) -> Inbound:
    return Inbound("terminal", name, f"{name} {text}", text=text)


async def test_the_same_answer_twice_is_one_answer(app: App) -> None:
    an = Visitor(app, "an")
    await talk(an, *SHORT[:2])
    await an.says("Công ty A", key="once")
    await an.says("Công ty A", key="once")

    with app.database.reader.connect() as connection:
        logged = connection.execute(
            sa.text("SELECT count(*) FROM answer_log WHERE place = 'enterprise'")
        ).scalar_one()
    assert logged == 1


async def test_what_is_personal_stands_in_its_own_table_and_nowhere_among_the_answers(app: App) -> None:
    await talk(Visitor(app, "an"), *SHORT, *OWN)
    with app.database.reader.connect() as connection:
        logged = connection.execute(sa.text("SELECT fill FROM answer_log")).scalars().all()
        held = connection.execute(sa.text("SELECT name, value FROM personal_values ORDER BY id")).all()

    assert [tuple(row) for row in held] == [
        ("respondent_name", "Trần Thị Hạnh"),
        ("respondent_role", "Kế toán"),
        ("contact", "+84905123456"),
    ]
    assert answers(app)["contact"] == ["", "p"]
    assert not [fill for fill in logged if fill and "905" in fill]


def test_a_changed_form_is_not_stored_under_its_old_version(url: str, content: Content) -> None:
    app = new_app(url)
    form = content.forms["demand_survey"]
    changed = replace(form, sha256="0" * 64)
    with app.database.writer.connect() as connection:
        with pytest.raises(FormChanged, match="give it a new version"):
            publish(connection, [changed], START)
        publish(connection, [form], START + timedelta(days=1))
    app.database.close()


async def test_a_draft_runs_on_the_version_it_was_begun_on(app: App, content: Content) -> None:
    """A program that knows only a newer version reads the old one from the database."""
    an = Visitor(app, "an")
    await talk(an, *SHORT[:4])
    shelf = FormShelf()
    with app.database.reader.connect() as connection:
        form = shelf.form(connection, "demand_survey", content.forms["demand_survey"].version)

    assert form.sha256 == content.forms["demand_survey"].sha256
    assert stored_form(form.file.dump()).file == content.forms["demand_survey"].file
    with app.database.reader.connect() as connection, pytest.raises(LookupError):
        shelf.form(connection, "demand_survey", "2020010101")


async def test_no_question_about_a_response_reads_a_whole_table(sqlite: Sqlite, clock: Clock) -> None:
    app = new_app(sqlite.new(), clock)
    sent: list[tuple[str, Any]] = []
    for engine in (app.database.writer, app.database.reader):
        sa.event.listen(
            engine, "before_cursor_execute", lambda _c, _k, text, given, *_: sent.append((text, given))
        )
    app.conversation.start()
    an, binh = Visitor(app, "an"), Visitor(app, "binh")
    code = code_in(await talk(an, *SHORT, *OWN, "mã phiếu"))
    await talk(binh, code, "xem lại")
    await talk(
        an,
        "gửi",
        "không, vậy là đủ",
        "khảo sát",
        "Phiếu cho đơn vị khác",
        "đồng ý",
        "có thay đổi",
        "dữ liệu của tôi",
    )
    await app.conversation.stop()

    scans = set()
    with app.database.reader.connect() as connection:
        for text, given in dict(sent).items():
            if text.startswith(("SELECT", "UPDATE", "INSERT", "WITH")):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)
                scans |= {
                    (row[3], text[:80])
                    for row in plan
                    if row[3].startswith("SCAN") and "json_each" not in row[3]
                }
    app.database.close()
    assert {scan for scan in scans if "SCAN forms" not in scan[0]} == set()


# Codes


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("AB3D-1234-WXYZ", "AB3D1234WXYZ"),
        (" ab3d 1234 wxyz ", "AB3D1234WXYZ"),
        ("ab3d1234wxyz", "AB3D1234WXYZ"),
        ("AB3D-I234-WXYO", "AB3D1234WXY0"),  # what is misread is put right
        ("079190001234", None),  # a person's number
        ("Q99999999999", None),  # a ticket
        ("AB3D-1234-WXY", None),
        ("khảo sát đi", None),
        ("mã phiếu của tôi", None),
        ("CÔNG TY GỖ A1", None),
    ],
)
def test_a_code_is_known_however_it_is_typed(typed: str, meant: str | None) -> None:
    assert typed_code(typed) == meant


def test_every_code_is_read_as_it_is_shown() -> None:
    import random

    chance = random.Random(996)
    codes = [code_from(f"{chance.getrandbits(128):032x}") for _ in range(2_000)]

    assert len(set(codes)) == len(codes)
    assert [typed_code(shown_code(code)) for code in codes] == codes
