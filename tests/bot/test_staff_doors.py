"""Ways in from outside the desk: commands, the first start, a link asked for by chat or by letter."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from openpyxl import load_workbook
from pydantic import SecretStr, ValidationError

from bot.app import App
from bot.conversation import Inbound
from bot.delivery import Delivery
from bot.desk.desk import Desk
from bot.mail import Mail
from storage import audit, staff
from storage.database import open_database
from tests.bot.test_delivery import Post as InMemory
from tests.desk import Officer, acts
from tests.service import command, running
from tests.world import Clock, Sqlite, Visitor, new_app, settings_for

LINK = re.compile(r"http://\S+?/desk/in/([\w-]+)")


# Commands


def test_a_command_invites_and_again_makes_a_new_link(sqlite: Sqlite) -> None:
    url = sqlite.new()
    first = command("staff", "invite", "Nguyễn Thị Lan", "--role", "admin", "--unit", "P. Đo lường", url=url)
    taken = command("staff", "invite", "nguyễn thị lan", url=url)
    again = command("staff", "invite", "NGUYỄN THỊ LAN", "--again", url=url)
    listed = command("staff", "list", url=url)

    one, two = LINK.search(first.stdout), LINK.search(again.stdout)
    assert one is not None
    assert two is not None
    assert one[1] != two[1]
    assert (taken.returncode, "--again" in taken.stderr) == (1, True)
    assert "Nguyễn Thị Lan · Quản trị · P. Đo lường · đã mời" in listed.stdout
    database = open_database(url)
    with database.writer.begin() as connection:
        member = staff.by_name(connection, "nguyễn thị lan")
        assert member is not None
        assert staff.link_is_for(connection, one[1], member.created_at) is None
        assert staff.link_is_for(connection, two[1], member.created_at) == member
        assert [(entry.name, entry.act) for entry in audit.every(connection)] == [
            (None, "staff_invited"),
            (None, "staff_invited_again"),
        ]
    database.close()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["revoke", "An"], "không có trong danh sách"),
        (["invite", "An", "--again"], "không có trong danh sách"),
        (["invite", " "], "ghi tên"),
        (["invite", "An", "--email", "an"], "@"),
    ],
)
def test_what_a_command_cannot_do_it_says_in_one_sentence(
    sqlite: Sqlite, arguments: list[str], told: str
) -> None:
    shown = command("staff", *arguments, url=sqlite.new())

    assert (shown.returncode, len(shown.stderr.splitlines())) == (1, 1)
    assert told in shown.stderr


def test_the_audit_is_exported(sqlite: Sqlite, tmp_path: Path) -> None:
    url = sqlite.new()
    for name in ("Lan", "=1+1"):
        command("staff", "invite", name, url=url)
    command("staff", "revoke", "Lan", url=url)
    files = {kind: tmp_path / f"audit.{kind}" for kind in ("xlsx", "csv", "jsonl")}
    for kind, file in files.items():
        done = command("export", "audit", "--format", kind, "--out", str(file), url=url)
        assert (done.returncode, "3 dòng" in done.stdout) == (0, True)

    rows = list(load_workbook(files["xlsx"]).active.iter_rows(values_only=True))
    assert [row[2] for row in rows] == ["Việc", "Mời", "Mời", "Thu hồi quyền"]
    assert len(files["csv"].read_text(encoding="utf-8-sig").splitlines()) == 4
    lines = [json.loads(line) for line in files["jsonl"].read_text(encoding="utf-8").splitlines()]
    assert [line["act"] for line in lines] == ["staff_invited", "staff_invited", "staff_revoked"]


def test_the_first_start_prints_a_link_until_somebody_used_one(sqlite: Sqlite) -> None:
    url, links = sqlite.new(), []
    for _ in range(2):
        with running(url) as service:
            assert service.process.stdout is not None
            found = LINK.search(service.process.stdout.readline())
            assert found is not None
            links.append(found[1])
    with running(url) as service:
        assert service.process.stdout is not None
        found = LINK.search(service.process.stdout.readline())
        assert found is not None
        with httpx.Client(base_url=service.address) as browser:
            old = browser.post(f"/desk/in/{links[0]}", headers={"Origin": service.address})
            assert old.status_code == 410
            entered = browser.post(f"/desk/in/{found[1]}", headers={"Origin": service.address})
            assert entered.status_code == 303
            assert "Quản trị" in browser.get("/desk").text
            assert browser.get("/desk").headers["content-encoding"] == "gzip"
    with running(url) as service:
        service.stop()
        assert service.process.stdout is not None
        assert service.process.stdout.read() == ""
        assert service.process.stderr is not None
        assert found[1] not in service.process.stderr.read()


# A link asked for


async def asked(officer: Officer, who: str) -> str:
    """Ask for a link and see what is said; what follows behind the answer has then happened."""
    answer = await officer.posts("/desk/login", who=who)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/login?done=link_asked")
    await asyncio.gather(*officer.desk._later)
    await officer.opens(answer.headers["location"])
    return officer.text


def outbox(app: App) -> list[tuple[str, str | None, str]]:
    with app.database.reader.connect() as connection:
        found = connection.execute(
            sa.text("SELECT status, channel, message FROM outbox WHERE turn_id IS NULL ORDER BY id")
        )
        return [tuple(row) for row in found]


async def link(app: App, member: staff.Member, channel: str, address: str) -> Visitor:
    visitor = Visitor(app, address, channel)
    await visitor.says("menu")
    with app.database.writer.begin() as connection:
        staff.link_chat(connection, member.id, channel, address, app.now())
    return visitor


async def test_whoever_asks_is_told_the_same_whoever_they_are(app: App) -> None:
    lan = Officer(app)
    lan.invited("Lan", email="lan@x.vn")
    said = {await asked(lan, who) for who in ("Lan", "An")}

    assert len(said) == 1
    assert "Nếu tên hoặc email này có trong danh sách" in said.pop()


async def test_a_link_goes_to_the_linked_chats(app: App) -> None:
    app.conversation.sends("telegram", "here")
    lan = Officer(app)
    lan.invited("Lan")
    await link(app, lan.member, "telegram", "77")
    await link(app, lan.member, "web", "cookie")
    await link(app, lan.member, "zalo", "88")  # a channel that is off now
    await asked(lan, "LAN")

    rows = outbox(app)
    assert [row[:2] for row in rows] == [("queued", "telegram"), ("waiting", None)]
    found = LINK.search(json.loads(rows[0][2])[0])
    assert found is not None
    assert (await lan.posts(f"/desk/in/{found[1]}")).status_code == 303
    assert "staff_link" not in acts(app)


async def test_the_link_is_sent_by_the_channels_own_lane(app: App) -> None:
    post = InMemory()
    delivery = Delivery([post], app.conversation, "here", app.now)
    await delivery.start()
    lan = Officer(app)
    lan.invited("Lan")
    await app.conversation.take(Inbound("post", "77", "k1", text="menu"))
    with app.database.writer.begin() as connection:
        staff.link_chat(connection, lan.member.id, "post", "77", app.now())
    await asked(lan, "Lan")
    async with asyncio.timeout(15):
        while not (sent := [text for _, text, _ in post.sent if LINK.search(text)]):
            post.news.clear()
            await post.news.wait()
    await delivery.stop()

    assert len(sent) == 1


async def test_nobody_can_flood_an_officer_nor_try_many_names(app: App, clock: Clock) -> None:
    lan = Officer(app)
    lan.invited("Lan")
    await link(app, lan.member, "web", "cookie")
    for _ in range(3):
        await asked(lan, "Lan")
    assert (await lan.posts("/desk/login", who=" lan ")).status_code == 429
    assert "chờ" in lan.text
    again = Officer(app)  # another process has a limit of its own; the officer's is in the database
    for _ in range(2):
        await asked(again, "lan")
    assert len(outbox(app)) == 3

    answers = [(await lan.posts("/desk/login", who=f"name {n}")).status_code for n in range(30)]
    assert answers.count(429) >= 10
    guesses = [(await lan.posts(f"/desk/in/guessed{n}")).status_code for n in range(10)]
    assert 429 in guesses


async def test_an_empty_name_is_told_beside_it(app: App) -> None:
    lan = Officer(app)
    assert (await lan.posts("/desk/login", who=" ")).status_code == 422
    assert "ghi họ tên hoặc email" in lan.text


# Letters


class Post:
    """Keeps what a real SMTP server took."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.users: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        """Take one letter."""
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    def __call__(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Let anybody in whose password is right."""
        self.users.append(data.login)
        return AuthResult(success=data.password == b"p@ss")


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    """A server that knows a password."""
    kept = Post()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(kept, hostname="127.0.0.1", port=port, authenticator=kept, auth_require_tls=False)
    controller.start()
    yield kept, port
    controller.stop()


def settings(port: int, password: str = "p%40ss") -> dict[str, Any]:
    return {"smtp_url": SecretStr(f"smtp://doluong:{password}@127.0.0.1:{port}"), "mail_from": "doluong@x.vn"}


@pytest.fixture
async def posting(sqlite: Sqlite, clock: Clock, post: tuple[Post, int]) -> AsyncIterator[App]:
    """An assistant that may send letters."""
    app = new_app(sqlite.new(), clock, **settings(post[1]))
    app.conversation.start()
    yield app
    await app.conversation.stop()
    app.database.close()


async def test_a_letter_arrives_as_it_was_written(post: tuple[Post, int]) -> None:
    kept, port = post
    mail = Mail.of(settings_for("sqlite:///x.db", **settings(port)))
    assert mail is not None
    await mail.send(
        "lan@x.vn", "Đường dẫn vào bàn làm việc", "Kính gửi Nguyễn Thị Lan,\n\nhttp://x.vn/desk/in/a_b-c\n"
    )

    [letter] = kept.letters
    assert (letter["From"], letter["To"], letter["Subject"]) == (
        "doluong@x.vn",
        "lan@x.vn",
        "Đường dẫn vào bàn làm việc",
    )
    assert "Kính gửi Nguyễn Thị Lan" in letter.get_content()
    assert "http://x.vn/desk/in/a_b-c" in letter.get_content()
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"] is not None
    assert letter["Message-ID"].endswith("@x.vn>")
    assert kept.users == [b"doluong"]


async def test_a_link_goes_by_letter_to_whoever_has_no_chat(posting: App, post: tuple[Post, int]) -> None:
    kept, _ = post
    lan = Officer(posting)
    lan.invited("Lan", email="lan@x.vn")
    await asked(lan, "Lan@X.vn")
    [letter] = kept.letters
    found = LINK.search(letter.get_content())
    assert found is not None
    assert (await lan.posts(f"/desk/in/{found[1]}")).status_code == 303

    await link(posting, lan.member, "web", "cookie")
    await asked(Officer(posting), "Lan")
    assert len(kept.letters) == 1


async def test_an_invitation_goes_by_letter_too(posting: App, post: tuple[Post, int]) -> None:
    kept, _ = post
    chu = await Officer(posting).enters("Chủ", "admin")
    await chu.opens("/desk/staff")
    await chu.posts("/desk/staff", name="Lan", role="officer", email="lan@x.vn")
    await asyncio.gather(*chu.desk._later)

    assert "đang được gửi tới email" in chu.text
    shown, sent = LINK.search(chu.text), LINK.search(kept.letters[0].get_content())
    assert shown is not None
    assert sent is not None
    assert shown[1] == sent[1]
    assert kept.recipients == [["lan@x.vn"]]


async def test_a_server_that_refuses_changes_nothing_of_the_answer(
    sqlite: Sqlite, clock: Clock, post: tuple[Post, int]
) -> None:
    app = new_app(sqlite.new(), clock, **settings(post[1], "wrong"))
    app.conversation.start()
    lan = Officer(app, Desk(app))
    lan.invited("Lan", email="lan@x.vn")

    assert "Nếu tên hoặc email này" in await asked(lan, "Lan")
    assert post[0].letters == []
    await app.conversation.stop()
    app.database.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.x.vn", Mail("mail.x.vn", 587, "a@x.vn")),
        ("smtps://u:p@mail.x.vn", Mail("mail.x.vn", 465, "a@x.vn", "u", "p", is_tls=True)),
        ("smtp://u%40x:p%3A@mail.x.vn:25/", Mail("mail.x.vn", 25, "a@x.vn", "u@x", "p:")),
    ],
)
def test_the_address_of_the_server_is_read(url: str, expected: Mail) -> None:
    assert Mail.of(settings_for("sqlite:///x.db", smtp_url=SecretStr(url), mail_from="a@x.vn")) == expected
    assert Mail.of(settings_for("sqlite:///x.db", smtp_url=SecretStr(url))) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"smtp_url": "http://x"},
        {"smtp_url": "smtp://a b"},
        {"mail_from": "x"},
        {"mail_from": "a@x.vn\nBcc: b@x.vn"},
    ],
)
def test_a_mail_setting_that_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        settings_for("sqlite:///x.db", **wrong)
