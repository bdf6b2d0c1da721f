"""Who may fetch which file, and how it reaches them on the web and at a terminal."""

import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import docx
import httpx
import openpyxl
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from bot.app import App
from bot.channels.terminal import PROGRAM, Terminal
from bot.channels.web.channel import address_of, new_visitor
from bot.channels.web.receive import Web
from bot.files import DOCX, XLSX, Files, safe_name
from handlers.fills import KEPT_APART, Fill
from handlers.messages import Attachment, Message
from handlers.people import Person
from handlers.responses import HandOver, KeepPersonal, OpenByCode, OpenResponse, SaveFills, TakeOver
from storage import outbox, people, responses
from storage.consents import subject
from storage.responses import Door, DraftReader, PersonalWriter
from tests.world import START, Clock, new_app

CODE, OTHER_CODE = "KQ7MXW29RTB4", "KQ8MXW29RTB4"
FORM, INSTRUMENTS, MY_DATA = (
    f"responses/{CODE}/form.docx",
    f"responses/{CODE}/instruments.xlsx",
    "my-data.xlsx",
)
KEY = b"k" * 32
OWNER_PHONE, HELPER_PHONE = "0905 123 456", "0905 654 321"


@dataclass
class House:
    """A response, who takes part in it, and somebody who does not."""

    app: App
    files: Files
    folder: Path

    def person(self, name: str, channel: str = "web") -> Person:
        """Somebody met on the web."""
        with self.app.database.writer.begin() as connection:
            place = people.lock(connection, [(channel, name)], START)[channel, name]
        return place.standing.person

    def make(self, name: str, reference: str, channel: str = "web") -> bytes | None:
        made = self.files.make(channel, name, reference)
        return made.data if made else None

    def open(self, owner: Person, code: str) -> None:
        """A response with a name and a telephone number in it."""
        form = self.app.content.forms["demand_survey"]
        fills = (
            ("enterprise", Fill("Gỗ Hoài Nhơn")),
            ("respondent_name", KEPT_APART),
            ("contact", KEPT_APART),
        )
        opened = OpenResponse(code, form.id, form.version, 2026, {})
        with self.app.database.writer.begin() as connection:
            responses.open_responses(connection, [(owner, START, opened)])
            responses.save_fills(connection, [(owner, START, SaveFills(code, fills, "contact"))])
        self.keep(owner, code, "contact", OWNER_PHONE)

    def keep(self, person: Person, code: str, name: str, value: str) -> None:
        """Something personal."""
        with self.app.database.writer.begin() as connection:
            PersonalWriter(KEY)(connection, [(person, START, KeepPersonal(code, name, value))])


def house(url: str, folder: Path) -> Iterator[House]:
    app = new_app(url)
    files = Files(
        app.database, app.shelf, app.content, KEY, app.settings.zone, Clock(), folder / "data" / "files"
    )
    made = House(app, files, folder / "data" / "files")
    owner = made.person("owner")
    made.person("stranger")
    made.open(owner, CODE)
    yield made
    app.database.close()


@pytest.fixture
def here(url: str, tmp_path: Path) -> Iterator[House]:
    """On each database."""
    yield from house(url, tmp_path)


def text(data: bytes | None) -> str:
    """Every cell of a document."""
    assert data
    read = docx.Document(io.BytesIO(data))
    return "\n".join(cell.text for table in read.tables for row in table.rows for cell in row.cells)


def values(data: bytes | None) -> list[object]:
    """Every cell of a workbook."""
    assert data
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [
        cell.value for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value
    ]


def test_whoever_takes_part_has_the_files_and_nobody_else(here: House) -> None:
    for reference in (FORM, INSTRUMENTS):
        assert here.make("owner", reference)
        assert here.make("stranger", reference) is None
        assert here.make("nobody", reference) is None
        assert here.make("owner", reference, channel="terminal") is None
        assert here.make("owner", reference.replace(CODE, OTHER_CODE)) is None

    assert "Gỗ Hoài Nhơn" in text(here.make("owner", FORM))


def test_by_code_and_by_link_one_gets_the_answers_and_nobody_elses_own(here: House) -> None:
    door = Door(DraftReader(here.app.shelf))
    by_code, by_link = here.person("colleague"), here.person("chief")
    with here.app.database.writer.begin() as connection:
        owner = Person(1)
        door.open_by_code(connection, by_code, START, OpenByCode(CODE))
        later = START.replace(year=2027)
        responses.hand_over(connection, [(owner, START, HandOver(CODE, "token", later))])
        door.take_over(connection, by_link, START, TakeOver("token"))
    here.keep(by_code, CODE, "respondent_name", "Nguyễn Đức")

    owner_sees, colleague_sees, chief_sees = (
        text(here.make(name, FORM)) for name in ("owner", "colleague", "chief")
    )

    assert OWNER_PHONE in owner_sees
    assert "Nguyễn Đức" not in owner_sees
    assert "Nguyễn Đức" in colleague_sees
    assert OWNER_PHONE not in colleague_sees + chief_sees
    assert "Nguyễn Đức" not in chief_sees
    assert owner_sees.count("(do người khác ghi)") == 1
    assert chief_sees.count("(do người khác ghi)") == 2


def test_a_closed_address_gets_nothing(here: House) -> None:
    with here.app.database.writer.begin() as connection:
        people.close(connection, "web", "owner", START)

    assert [here.make("owner", reference) for reference in (FORM, INSTRUMENTS, MY_DATA)] == [None] * 3


def test_my_data_is_ones_own(here: House) -> None:
    owner, stranger = values(here.make("owner", MY_DATA)), values(here.make("stranger", MY_DATA))

    assert OWNER_PHONE in owner
    assert "KQ7M-XW29-RTB4" in owner
    assert OWNER_PHONE not in stranger
    assert stranger.count("Không có gì.") == 3
    assert here.make("nobody", MY_DATA) is None


NO_REFERENCES = [
    "",
    "x",
    "/my-data.xlsx",
    "my-data.xlsx/",
    "MY-DATA.XLSX",
    "../secret.key",
    f"responses/{CODE}",
    f"responses/{CODE.lower()}/form.docx",
    f"responses/{CODE}/form.docx\n",
    f"responses/{CODE}/form.pdf",
    f"responses/{CODE}/../{CODE}/form.docx",
    "responses/KQ7M-XW29-RTB4/form.docx",
    "https://example.vn/form.docx",
]


def test_what_is_no_reference_is_no_file(here: House) -> None:
    assert [one for one in NO_REFERENCES if here.make("owner", one) is not None] == []


def test_files_carry_the_day_of_the_office(here: House) -> None:
    """At 23:30 in London on the 20th it is the 21st in Vietnam."""
    files = Files(
        here.app.database,
        here.app.shelf,
        here.app.content,
        KEY,
        here.app.settings.zone,
        Clock(START.replace(hour=23)),
        here.folder,
    )
    made = files.make("web", "owner", FORM)

    assert made
    foot = docx.Document(io.BytesIO(made.data)).sections[0].footer.paragraphs[0].text
    assert foot.endswith("21/11/2026")


# On disk


def test_an_attachment_is_written_whole_and_for_its_owner_only(here: House) -> None:
    written = here.files.write("web", "owner", Attachment("phiếu.docx", DOCX, FORM))

    assert written == here.folder / CODE / "phiếu.docx"
    assert written.is_absolute()
    assert written.stat().st_mode & 0o777 == 0o600
    assert written.parent.stat().st_mode & 0o777 == 0o700
    assert "Gỗ Hoài Nhơn" in text(written.read_bytes())
    assert [path.name for path in written.parent.iterdir()] == ["phiếu.docx"]
    assert here.files.write("web", "stranger", Attachment("phiếu.docx", DOCX, FORM)) is None


def test_what_is_written_is_forgotten_with_its_person(here: House) -> None:
    owner = here.person("owner")
    form = here.files.write("web", "owner", Attachment("a.docx", DOCX, FORM))
    mine = here.files.write("web", "owner", Attachment("b.xlsx", XLSX, MY_DATA))
    others = here.files.write("web", "stranger", Attachment("b.xlsx", XLSX, MY_DATA))
    assert form
    assert mine
    assert others
    assert mine.parent.name == subject(KEY, owner.id)

    here.files.forget([CODE, OTHER_CODE, "..", ""], owner.id)

    assert [path.parent.exists() for path in (form, mine, others)] == [False, False, True]
    assert here.folder.exists()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("phiếu khảo sát.docx", "phiếu khảo sát.docx"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("C:\\x\ny.xlsx", "C-x-y.xlsx"),
        ("..", ""),
        ("", ""),
        ("a" * 300 + ".docx", "a" * 75 + ".docx"),
    ],
)
def test_a_name_stays_in_its_folder(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@asynccontextmanager
async def talking(house: House, name: str) -> AsyncIterator[Terminal]:
    terminal = Terminal(house.app, name, None, PROGRAM, house.files)
    await terminal.start()
    yield terminal
    await terminal.stop()


async def test_at_a_terminal_the_file_is_there_when_the_line_is_printed(here: House) -> None:
    async with talking(here, "an") as terminal:
        await terminal.turn("menu")
        _say(here, "terminal", "an", Attachment("của tôi.xlsx", XLSX, MY_DATA), Attachment("x", DOCX, FORM))
        told = [one for message in await terminal.turn("menu") for one in message.attachments]

    assert Path(told[0].path).is_absolute()
    assert "Không có gì." in values(_read(told[0].path))
    assert told[1].path == FORM  # not theirs: nothing is written


async def test_a_full_disk_does_not_end_the_talk(here: House) -> None:
    here.folder.parent.mkdir(parents=True)
    here.folder.write_text("no folder can be made here")
    async with talking(here, "an") as terminal:
        await terminal.turn("menu")
        _say(here, "terminal", "an", Attachment("a.xlsx", XLSX, MY_DATA))
        told = [one for message in await terminal.turn("menu") for one in message.attachments]

    assert [one.path for one in told] == [MY_DATA]


# On the web


@asynccontextmanager
async def browsing(house: House, cookie: str | None) -> AsyncIterator[httpx.AsyncClient]:
    app = house.app
    web = Web(
        app.settings, app.content.say, app.router.home, app.database, app.conversation, files=house.files
    )
    transport = httpx.ASGITransport(Starlette(routes=web.routes()))
    cookies = {"doluong": cookie} if cookie else None
    async with httpx.AsyncClient(transport=transport, base_url="http://test", cookies=cookies) as client:
        yield client


async def test_a_visitor_fetches_what_is_theirs(here: House) -> None:
    cookie = new_visitor()
    here.open(here.person(address_of(cookie)), OTHER_CODE)
    async with browsing(here, cookie) as client:
        form = await client.get(f"/chat/files/responses/{OTHER_CODE}/form.docx")
        mine = await client.get("/chat/files/my-data.xlsx")

    assert form.status_code == 200
    assert form.headers["content-type"] == DOCX
    assert form.headers["cache-control"] == "no-store"
    assert form.headers["x-content-type-options"] == "nosniff"
    assert form.headers["content-disposition"] == (
        'attachment; filename="phieu-khao-sat-2026-KQ8MXW29RTB4.docx"'
    )
    assert OWNER_PHONE in text(form.content)
    assert mine.headers["content-type"] == XLSX


async def test_unknown_and_forbidden_are_told_apart_by_nobody(here: House) -> None:
    cookie = new_visitor()
    here.person(address_of(cookie))
    told = set()
    for visitor in (cookie, new_visitor(), None):
        async with browsing(here, visitor) as client:
            for reference in (FORM, FORM.replace(CODE, OTHER_CODE), "responses/x", "%2e%2e/secret.key", "x"):
                found = await client.get(f"/chat/files/{reference}")
                told.add((found.status_code, found.text, found.headers["cache-control"]))

    assert told == {
        (404, "Không có tệp này, hoặc tệp không thuộc phiếu của Anh/Chị.", "no-store"),
    }


async def test_a_message_links_to_its_file_in_html_and_json(here: House) -> None:
    cookie = new_visitor()
    here.person(address_of(cookie))
    _say(here, "web", address_of(cookie), Attachment("phiếu.docx", DOCX, FORM))
    async with browsing(here, cookie) as client:
        page = (await client.get("/")).text
        told = (await client.get("/chat/events?after=0&wait=0")).json()["messages"]

    assert f'href="/chat/files/{FORM}"' in page
    assert told[0]["attachments"] == [
        {"name": "phiếu.docx", "media_type": DOCX, "path": f"/chat/files/{FORM}"}
    ]


async def test_fetching_without_end_is_slowed_down(here: House) -> None:
    cookie = new_visitor()
    here.person(address_of(cookie))
    async with browsing(here, cookie) as client:
        statuses = {(await client.get("/chat/files/x")).status_code for _ in range(60)}

    assert statuses == {404, 429}


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)  # a server's database cannot be taken away
async def test_a_database_that_is_gone_is_said_so(here: House, tmp_path: Path) -> None:
    cookie = new_visitor()
    _take_away(here, tmp_path)
    async with browsing(here, cookie) as client:
        told = await client.get(f"/chat/files/{FORM}")

    assert told.status_code == 503
    assert told.json()["error"].startswith("Hệ thống đang bận")


def _say(house: House, channel: str, address: str, *attachments: Attachment) -> None:
    """Put a message with files into somebody's outbox."""
    with house.app.database.writer.begin() as connection:
        place = people.lock(connection, [(channel, address)], START)[channel, address]
        connection.execute(
            sa.insert(outbox.outbox).values(
                address_id=place.address_id,
                position=0,
                status="waiting",
                at=START,
                message=outbox.dump(Message("Tệp đây.", attachments=attachments)),
            )
        )


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _take_away(house: House, folder: Path) -> None:
    Path(house.app.database.url.database or "").rename(folder / "away.db")
