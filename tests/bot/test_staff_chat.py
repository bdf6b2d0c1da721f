"""Officers in a chat: linking it, and the way to the desk from it; nobody else learns that either is there."""

import re

import pytest
import sqlalchemy as sa

from bot.app import App
from bot.conversation import Inbound
from storage import staff
from storage.staff import Member, NewMember, Purpose, Role
from tests.desk import Officer, acts
from tests.world import Clock, Visitor

TOKEN = "a" * 32
DESK = re.compile(r"http://\S+/desk/in/([0-9a-f]{32})")


def invite(app: App, name: str = "Lan", role: Role = "officer") -> Member:
    with app.database.writer.begin() as connection:
        return staff.invite(connection, NewMember(f"REF{name}", name, role=role), app.now())


def give(app: App, member: Member, token: str = TOKEN, purpose: Purpose = "chat") -> None:
    with app.database.writer.begin() as connection:
        staff.give_link(connection, member.id, purpose, token, app.now())


def links(app: App) -> int:
    with app.database.reader.connect() as connection:
        return connection.execute(sa.text("SELECT count(*) FROM staff_links")).scalar_one()


@pytest.fixture
async def lan(app: App) -> Visitor:
    """An officer in a linked chat."""
    give(app, invite(app))
    found = Visitor(app, "lan", "telegram")
    await found.starts(f"staff-{TOKEN}")
    return found


async def test_a_chat_is_linked_by_its_start_link(app: App) -> None:
    give(app, invite(app))
    lan = Visitor(app, "lan", "telegram")
    seen = await lan.starts(f"staff-{TOKEN}")

    assert "Đã nối khung chat này với Lan" in seen.text
    assert acts(app) == ["chat_linked"]
    assert "Hỏi về kế hoạch" in seen.labels


@pytest.mark.parametrize("payload", [f"staff-{TOKEN}", "staff-", "staff-unknown"])
@pytest.mark.parametrize("channel", ["telegram", "web"])
async def test_to_anybody_else_such_a_link_is_any_link(app: App, payload: str, channel: str) -> None:
    """Used, expired, unknown: what is said is what an unknown payload is answered with."""
    give(app, invite(app))
    await Visitor(app, "lan", "telegram").starts(f"staff-{TOKEN}")
    usual = await Visitor(app, "an", channel).starts("nothing-at-all")
    seen = await Visitor(app, "binh", channel).starts(payload)

    assert [(one.text, one.choices) for one in seen.messages] == [
        (one.text, one.choices) for one in usual.messages
    ]


async def test_a_link_to_a_chat_expires(app: App, clock: Clock) -> None:
    give(app, invite(app))
    clock.pass_(minutes=10)
    seen = await Visitor(app, "lan", "telegram").starts(f"staff-{TOKEN}")

    assert "Đã nối" not in seen.text
    assert acts(app) == []


async def test_a_link_into_the_desk_links_no_chat(app: App) -> None:
    give(app, invite(app), purpose="invite")
    assert "Đã nối" not in (await Visitor(app, "lan", "telegram").starts(f"staff-{TOKEN}")).text


@pytest.mark.parametrize("said", ["bàn làm việc", "Ban lam viec", " BÀN LÀM VIỆC "])
async def test_an_officer_gets_a_link_to_the_desk_in_a_linked_chat(app: App, lan: Visitor, said: str) -> None:
    seen = await lan.says(said)
    found = DESK.search(seen.text)
    assert found is not None
    assert "10 phút" in seen.text
    assert acts(app) == ["chat_linked", "link_asked"]

    browser = Officer(app)
    assert (await browser.posts(f"/desk/in/{found[1]}")).status_code == 303
    assert (await Officer(app).posts(f"/desk/in/{found[1]}")).status_code == 410


async def test_the_link_to_the_desk_expires(app: App, lan: Visitor, clock: Clock) -> None:
    found = DESK.search((await lan.says("bàn làm việc")).text)
    assert found is not None
    clock.pass_(minutes=10)

    assert (await Officer(app).posts(f"/desk/in/{found[1]}")).status_code == 410


async def test_to_everybody_else_the_words_are_words(app: App, lan: Visitor) -> None:
    """Inert and invisible: the answer is the one that other words of no meaning get."""
    before = links(app)
    for channel, address in (("telegram", "an"), ("web", "lan"), ("terminal", "lan")):
        stranger = Visitor(app, address, channel)
        seen = await stranger.says("bàn làm việc")
        assert "/desk" not in seen.text
        assert seen.done.failed is False
    assert links(app) == before


async def test_an_officer_in_a_form_keeps_their_place_in_it(app: App, lan: Visitor) -> None:
    await lan.taps("survey:start")
    await lan.says("Đồng ý")

    def state() -> str:
        with app.database.reader.connect() as connection:
            return connection.execute(sa.text("SELECT state FROM people")).scalar_one()

    before = state()
    seen = await lan.says("bàn làm việc")

    assert DESK.search(seen.text)
    assert state() == before
    assert '"form' in before


async def test_an_officer_who_left_is_nobody(app: App, lan: Visitor) -> None:
    invite(app, "Chủ", "admin")
    with app.database.writer.begin() as connection:
        found = staff.by_name(connection, "lan")
        assert found is not None
        staff.revoke(connection, found.id, app.now())

    assert "/desk" not in (await lan.says("bàn làm việc")).text


async def test_two_words_at_once_are_two_links(app: App, lan: Visitor) -> None:
    import asyncio

    given = [Inbound("telegram", "lan", f"k{number}", text="bàn làm việc") for number in range(3)]
    done = await asyncio.gather(*(app.conversation.take(one) for one in given))

    tokens = {DESK.search(message.text)[1] for one in done for _, message in one.lines}  # type: ignore[index]
    assert len(tokens) == 3


async def test_whoever_erases_what_is_theirs_is_no_longer_linked(app: App, lan: Visitor) -> None:
    await lan.says("xóa dữ liệu của tôi")
    await lan.taps("privacy:yes")

    assert "/desk" not in (await lan.says("bàn làm việc")).text
