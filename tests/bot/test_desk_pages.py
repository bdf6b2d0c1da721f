"""What officers do at the desk: find, correct, merge, invite, hand over, look at what was done."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.app import App
from bot.register.files import Opened
from bot.register.importing import Lists
from content.everything import Content
from handlers.register.found import Candidate, Table
from handlers.register.planning import Known
from handlers.register.rows import ListRead
from storage import enterprises, staff
from tests.desk import Officer, acts
from tests.storage.test_register import DA, GO, HOUSE
from tests.world import Clock, Visitor

SCRIPT = "<script>alert('x')</script>"
LINK = re.compile(r"http://\S+?/desk/in/([\w-]+)")
START = re.compile(r"\?start=(staff-[\w-]+)")


@pytest.fixture
def register(app: App, content: Content) -> Callable[..., list[Known]]:
    """Takes rows into the register."""

    def take(*rows: Candidate) -> list[Known]:
        lists = Lists(content, app.settings.key)
        with app.database.writer.begin() as connection:
            read = ListRead(Table("s", ()), None, rows, (), ())  # type: ignore[arg-type]
            plan = lists.compare(connection, read)
            opened = Opened("ds.xlsx", "0" * 64, Table("s", ()), ())
            lists.take(connection, opened, plan, lists.new(plan), who="Lan", at=app.now())
            return list(enterprises.every(connection))

    return take


def now(app: App, ref: str) -> Known:
    with app.database.reader.connect() as connection:
        found = enterprises.read_by_ref(connection, ref)
    assert found is not None
    return found


# Today


async def test_today_says_what_there_is(app: App, register: Callable[..., list[Known]]) -> None:
    lan = await Officer(app).enters()
    await lan.opens("/desk")
    assert "Danh sách còn trống" in lan.text
    register(GO, DA)
    await Visitor(app, "an").says("phí kiểm định cân ô tô bao nhiêu")
    await Visitor(app, "an").taps("ask:hand")

    await lan.opens("/desk")

    assert "Doanh nghiệp trong danh sách: 2" in lan.text
    assert "Phiếu đã nộp 0" in lan.text


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ("viewer", ["Hôm nay", "Doanh nghiệp", "Kết quả"]),
        ("officer", ["Hôm nay", "Doanh nghiệp", "Kết quả"]),
        ("admin", ["Hôm nay", "Doanh nghiệp", "Kết quả", "Cài đặt"]),
    ],
)
async def test_the_rail_has_what_one_may_open(app: App, role: staff.Role, seen: list[str]) -> None:
    lan = await Officer(app).enters("Lan", role)
    await lan.opens("/desk/enterprises")
    rail = re.search(r"<nav class=\"rail\".*?</nav>", lan.page, re.DOTALL)
    assert rail is not None

    assert [label for label in re.findall(r">([^<>]+)</a>", rail[0]) if label.strip()] == seen
    assert re.findall(r'aria-current="page">([^<]+)', rail[0]) == ["Doanh nghiệp"]
    for path in ("/desk/staff", "/desk/audit"):
        assert (await lan.opens(path)).status_code == (200 if role == "admin" else 403)


# Finding


@pytest.mark.parametrize("asked", ["gỗ hoài", "0100109106", "0912345678", "+84 912 345 678"])
async def test_an_enterprise_is_found_and_its_telephone_hidden(
    app: App, register: Callable[..., list[Known]], asked: str
) -> None:
    register(GO, DA)
    lan = await Officer(app).enters()
    await lan.opens(f"/desk/search?q={asked.replace('+', '%2B')}")

    assert (GO.name in lan.text, DA.name in lan.text) == (True, False)
    assert "091 ••• 678" in lan.text
    for hidden in ("912345678", "lienhe@vidu.vn", "Nguyễn Văn Bình"):
        assert hidden not in lan.page.replace(asked, "")


async def test_a_search_without_an_answer_says_what_to_try(app: App) -> None:
    lan = await Officer(app).enters()
    await lan.opens("/desk/search?q=xăng")
    assert "Anh/Chị thử" in lan.text
    assert (await lan.opens("/desk/search?q=")).headers["location"] == "/desk/enterprises"
    assert (await lan.opens("/desk/search?q=" + "a" * 5_000)).status_code == 200


async def test_a_telephone_is_shown_when_asked_for_and_that_is_noted(
    app: App, register: Callable[..., list[Known]]
) -> None:
    [go, da] = register(GO, DA)
    lan = await Officer(app).enters()
    await lan.opens("/desk/search?q=c")
    answer = await lan.posts(f"/desk/search/{go.ref}/contacts?q=nh")

    assert answer.status_code == 200
    assert "0912345678" in lan.text.replace(" ", "")
    assert acts(app) == ["signed_in", "contacts_shown"]

    await lan.opens(f"/desk/enterprises/{da.ref}")
    assert "905123456" not in lan.page
    await lan.posts(f"/desk/enterprises/{da.ref}/contacts")
    assert "0905123456" in lan.text.replace(" ", "")
    await lan.opens(f"/desk/enterprises/{da.ref}")
    assert "905123456" not in lan.page


async def test_a_wrong_number_goes_and_the_right_one_comes(
    app: App, register: Callable[..., list[Known]]
) -> None:
    [go] = register(GO)
    lan = await Officer(app).enters()
    await lan.opens(f"/desk/enterprises/{go.ref}")
    path = f"/desk/enterprises/{go.ref}/contacts"
    for typed in ("0905 123 456", "0905123456", "Lan@X.vn", "trần văn an"):
        assert (await lan.posts(f"{path}/add", contact=typed)).status_code == 200
    assert "0905123456" in lan.text.replace(" ", "")
    assert (await lan.posts(f"{path}/remove", kind="phone", value="+84912345678")).status_code == 200
    assert (await lan.posts(f"{path}/remove", kind="phone", value="+84912345678")).status_code == 409

    found = now(app, go.ref)
    assert found.phones == ("+84905123456",)
    assert found.emails == (*GO.emails, "Lan@x.vn")
    assert len(found.persons) == 2
    assert acts(app).count("contact_added") == 3
    assert acts(app).count("contact_removed") == 1
    await lan.opens("/desk/search?q=0905123456")
    assert GO.name in lan.text


@pytest.mark.parametrize(
    ("typed", "told"), [("", "Anh/Chị ghi số điện thoại"), ("09051", "số"), ("a@b", "@"), (SCRIPT, "tên")]
)
async def test_what_is_no_contact_is_told_beside_it(
    app: App, register: Callable[..., list[Known]], typed: str, told: str
) -> None:
    [go] = register(GO)
    lan = await Officer(app).enters()
    await lan.opens(f"/desk/enterprises/{go.ref}")
    answer = await lan.posts(f"/desk/enterprises/{go.ref}/contacts/add", contact=typed)

    assert (answer.status_code, told in lan.text, "<details open>" in lan.page) == (422, True, True)
    assert "<script>alert" not in lan.page
    assert now(app, go.ref) == go


async def test_a_viewer_is_shown_no_telephone(app: App, register: Callable[..., list[Known]]) -> None:
    [go] = register(GO)
    lan = await Officer(app).enters("Lan", "viewer")
    await lan.opens(f"/desk/enterprises/{go.ref}")
    assert "Hiện" not in lan.text
    answer = await lan.posts(f"/desk/enterprises/{go.ref}/contacts")

    assert (answer.status_code, "912345678" in lan.page) == (403, False)
    assert acts(app) == ["signed_in"]


async def test_the_list_sorts_filters_and_turns_by_its_address(
    app: App, register: Callable[..., list[Known]], clock: Clock
) -> None:
    rows = [Candidate(n, f"Cơ sở {n:03}", commune="quy_nhon" if n % 2 else None) for n in range(1, 121)]
    register(*rows)
    lan = await Officer(app).enters()

    async def every(path: str) -> list[str]:
        names: list[str] = []
        while path:
            await lan.opens(path.replace("&amp;", "&"))
            names += re.findall(r"Cơ sở \d{3}", lan.page)
            found = re.search(r'<a href="([^"]+)" rel="next"', lan.page)
            path = found[1] if found else ""
        return names

    assert await every("/desk/enterprises") == [one.name for one in rows]
    assert await every("/desk/enterprises?commune=quy_nhon") == [one.name for one in rows[::2]]
    assert sorted(await every("/desk/enterprises?sort=-updated")) == [one.name for one in rows]
    assert "bớt điều kiện lọc" in (await lan.opens("/desk/enterprises?kind=llc") and lan.text)
    for odd in ("sort=x", "after=x|y", "after=|", "commune='--", "sort=-updated&after=x|1"):
        assert (await lan.opens(f"/desk/enterprises?{odd}")).status_code in (200, 404)


async def test_a_name_that_is_a_script_stays_a_name(app: App, register: Callable[..., list[Known]]) -> None:
    [odd] = register(Candidate(7, f"Cơ sở {SCRIPT}", phones=("+84977000111",), other=((SCRIPT, SCRIPT),)))
    lan = await Officer(app).enters()
    for path in ("", f"/{odd.ref}", f"/{odd.ref}/edit", f"/{odd.ref}/merge"):
        await lan.opens(f"/desk/enterprises{path}")
        assert "<script>alert" not in lan.page
        assert SCRIPT in lan.text
    await lan.posts(f"/desk/enterprises/{odd.ref}/edit", name=SCRIPT * 50, seen="x")
    assert "<script>alert" not in lan.page


# Correcting


def fields(one: Known, **changed: str) -> dict[str, Any]:
    names = ("name", "tax_code", "kind", "commune", "commune_text", "address", "sector", "employees", "note")
    shown = {name: "" if getattr(one, name) is None else str(getattr(one, name)) for name in names}
    assert one.updated_at is not None
    return {**shown, "seen": one.updated_at.isoformat(), **changed}


async def test_an_officer_corrects_an_enterprise(
    app: App, register: Callable[..., list[Known]], clock: Clock
) -> None:
    [go] = register(GO)
    clock.pass_(hours=1)
    lan = await Officer(app).enters()
    await lan.opens(f"/desk/enterprises/{go.ref}/edit")
    typed = fields(go, name="Công ty TNHH Gỗ Bồng Sơn", employees="1.250", commune="bong_son")
    shown = await lan.does(f"/desk/enterprises/{go.ref}/edit", **typed)

    assert "Đã lưu." in shown
    changed = now(app, go.ref)
    assert (changed.name, changed.employees, changed.size_band) == (
        "Công ty TNHH Gỗ Bồng Sơn",
        1250,
        "over_200",
    )
    assert changed.phones == go.phones
    assert (changed.more, changed.tax_code) == (go.more, go.tax_code)
    with app.database.reader.connect() as connection:
        assert [one.ref for one in enterprises.find(connection, "go bong son")] == [go.ref]
        assert enterprises.find(connection, "go hoai nhon") == []
        details = connection.execute(
            sa.text("SELECT details FROM audit WHERE act = 'enterprise_changed'")
        ).scalar_one()
    assert details == '{"fields":["commune","employees","name"]}'


async def test_the_second_of_two_officers_is_told(
    app: App, register: Callable[..., list[Known]], clock: Clock
) -> None:
    [go] = register(GO)
    lan, binh = await Officer(app).enters("Lan"), await Officer(app).enters("Bình")
    for officer in (lan, binh):
        await officer.opens(f"/desk/enterprises/{go.ref}/edit")
    clock.pass_(minutes=1)
    await lan.does(f"/desk/enterprises/{go.ref}/edit", **fields(go, note="của Lan"))
    answer = await binh.posts(f"/desk/enterprises/{go.ref}/edit", **fields(go, note="của Bình"))

    assert answer.status_code == 409
    assert "Có người khác vừa sửa" in binh.text
    assert "Hiện trong danh sách: của Lan" in binh.text
    assert "của Bình" in binh.page
    assert now(app, go.ref).note == "của Lan"

    seen = re.search(r'name="seen" value="([^"]+)"', binh.page)
    assert seen is not None
    again = fields(go, note="của Bình", seen=seen[1])
    await binh.does(f"/desk/enterprises/{go.ref}/edit", **again)
    assert now(app, go.ref).note == "của Bình"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"name": " "}, "Anh/Chị ghi tên"),
        ({"name": "x" * 301}, "Dài quá 300"),
        ({"tax_code": "0100109107"}, "chữ số chưa khớp"),
        ({"tax_code": "01001"}, "Mã số thuế có 10 số"),
        ({"tax_code": "0100047516"}, "Đơn vị khác đã có"),
        ({"employees": "nhiều"}, "số nguyên"),
        ({"employees": "-5"}, "số nguyên"),
        ({"employees": "9" * 30}, "số nguyên"),
        ({"kind": "x"}, "chọn một mục"),
        ({"commune": "x"}, "chọn một mục"),
        ({"seen": ""}, "Có người khác vừa sửa"),
        ({"seen": "2026-01-01"}, "Có người khác vừa sửa"),
    ],
)
async def test_what_cannot_be_is_told_beside_it_and_what_was_typed_stays(
    app: App, register: Callable[..., list[Known]], typed: dict[str, str], told: str
) -> None:
    [go, _] = register(GO, DA)
    lan = await Officer(app).enters()
    await lan.opens(f"/desk/enterprises/{go.ref}/edit")
    answer = await lan.posts(f"/desk/enterprises/{go.ref}/edit", **fields(go, **{"note": "đã gõ", **typed}))

    assert answer.status_code in (409, 422)
    assert told in lan.text
    assert "đã gõ" in lan.page
    assert now(app, go.ref) == go


# Merging


async def test_two_entries_become_one_and_two_again(app: App, register: Callable[..., list[Known]]) -> None:
    [go, house] = register(GO, HOUSE)
    lan = await Officer(app).enters()
    await lan.opens(f"/desk/enterprises/{go.ref}/merge?find=bún")
    assert HOUSE.name in lan.text
    shown = await lan.does(f"/desk/enterprises/{go.ref}/merge", other=house.ref)
    assert "Đã gộp" in shown
    assert (await lan.opens(f"/desk/enterprises/{house.ref}")).headers["location"].endswith(go.ref)

    await lan.opens(f"/desk/enterprises/{go.ref}")
    found = re.search(r'action="(/desk/enterprises/\w+/part/\d+)"', lan.page)
    assert found is not None
    assert "Đã tách ra" in await lan.does(found[1])
    assert (await lan.opens(f"/desk/enterprises/{house.ref}")).status_code == 200
    assert acts(app) == ["signed_in", "enterprises_merged", "enterprises_parted"]

    answer = await lan.posts(found[1])
    assert (answer.status_code, "không hoàn tác được nữa" in lan.text) == (409, True)


async def test_what_is_not_there_is_not_merged(app: App, register: Callable[..., list[Known]]) -> None:
    [go, house] = register(GO, HOUSE)
    lan = await Officer(app).enters()
    await lan.opens(f"/desk/enterprises/{go.ref}/merge")
    for other in ("", "x", go.ref, str(house.id)):
        assert (await lan.posts(f"/desk/enterprises/{go.ref}/merge", other=other)).status_code == 409
    assert (await lan.posts("/desk/enterprises/AAAAAAAAAAAA/merge", other=go.ref)).status_code == 404
    assert acts(app) == ["signed_in"]


# Staff


async def test_an_admin_invites_and_the_link_works_once(app: App) -> None:
    chu = await Officer(app).enters("Chủ", "admin")
    await chu.opens("/desk/staff")
    answer = await chu.posts("/desk/staff", name="Nguyễn Thị Lan", role="viewer", unit="Phòng Đo lường")
    assert answer.status_code == 200
    token = LINK.search(chu.text)
    assert token is not None
    assert token[1] not in str(answer.url)

    lan = Officer(app, chu.desk)
    assert (await lan.posts(f"/desk/in/{token[1]}")).status_code == 303
    await chu.opens("/desk/staff")
    assert LINK.search(chu.text) is None
    assert "Nguyễn Thị Lan" in chu.text
    assert acts(app) == ["signed_in", "staff_invited", "signed_in"]


async def test_a_name_that_is_taken_is_told_beside_it(app: App) -> None:
    chu = await Officer(app).enters("Chủ", "admin")
    await chu.opens("/desk/staff")
    for typed, told in (
        ({"name": "chủ"}, "đã có người dùng"),
        ({"name": ""}, "Anh/Chị ghi tên"),
        ({"name": "Lan", "email": "lan"}, "@"),
        ({"name": "Lan", "role": "god"}, "chọn một mục"),
    ):
        assert (await chu.posts("/desk/staff", unit="P. Đo lường", **typed)).status_code in (409, 422)
        assert told in chu.text
        assert "P. Đo lường" in chu.page


async def test_a_new_link_makes_the_old_one_void(app: App) -> None:
    chu = await Officer(app).enters("Chủ", "admin")
    lan = Officer(app, chu.desk)
    old = lan.invited("Lan")
    await chu.opens(f"/desk/staff/{lan.member.ref}")
    await chu.posts(f"/desk/staff/{lan.member.ref}/again")
    new = LINK.search(chu.text)
    assert new is not None

    assert (await lan.posts(f"/desk/in/{old}")).status_code == 410
    assert (await lan.posts(f"/desk/in/{new[1]}")).status_code == 303


async def test_a_role_counts_from_the_next_request_on(app: App) -> None:
    chu = await Officer(app).enters("Chủ", "admin")
    lan = await Officer(app, chu.desk).enters("Lan", "admin")
    await chu.opens(f"/desk/staff/{lan.member.ref}")
    assert "Đã lưu." in await chu.does(f"/desk/staff/{lan.member.ref}/role", role="viewer")

    assert (await lan.opens("/desk/staff")).status_code == 403


async def test_revoking_ends_every_browser_at_once(app: App) -> None:
    chu = await Officer(app).enters("Chủ", "admin")
    lan = await Officer(app, chu.desk).enters("Lan")
    await chu.opens(f"/desk/staff/{lan.member.ref}")
    assert "Đã thu hồi quyền." in await chu.does(f"/desk/staff/{lan.member.ref}/revoke")

    assert (await lan.opens("/desk")).status_code == 303
    await chu.opens(f"/desk/staff/{lan.member.ref}")
    assert "Tạo đường dẫn mới" not in chu.text
    assert (await chu.posts(f"/desk/staff/{lan.member.ref}/again")).status_code == 409


async def test_a_colleague_takes_over(app: App) -> None:
    chu = await Officer(app).enters("Chủ", "admin")
    lan = await Officer(app, chu.desk).enters("Lan")
    path = f"/desk/staff/{lan.member.ref}/hand-over"
    await chu.opens(f"/desk/staff/{lan.member.ref}")
    for to in ("", "x", lan.member.ref):
        assert (await chu.posts(path, to=to)).status_code in (409, 422)
    assert "Đã bàn giao" in await chu.does(path, to=chu.member.ref)

    assert (await lan.opens("/desk")).status_code == 303
    assert acts(app)[-1] == "handed_over"


async def test_the_last_admin_stays(app: App) -> None:
    chu = await Officer(app).enters("Chủ", "admin")
    lan = Officer(app, chu.desk)
    lan.invited("Lan")
    ref = chu.member.ref
    await chu.opens(f"/desk/staff/{ref}")
    for path, typed in (("revoke", {}), ("role", {"role": "officer"}), ("hand-over", {"to": lan.member.ref})):
        assert (await chu.posts(f"/desk/staff/{ref}/{path}", **typed)).status_code == 409
        assert "người quản trị cuối cùng" in chu.text
    assert (await chu.opens("/desk/staff")).status_code == 200


async def test_nobody_but_an_admin_touches_staff(app: App) -> None:
    lan = await Officer(app).enters("Lan", "officer")
    await lan.opens("/desk")
    for path in ("", f"/{lan.member.ref}/role", f"/{lan.member.ref}/again", f"/{lan.member.ref}/revoke"):
        assert (await lan.posts(f"/desk/staff{path}", name="Bình", role="admin")).status_code == 403
    assert acts(app) == ["signed_in"]


# One's own chats


async def test_an_officer_links_a_chat_and_comes_in_by_it(app: App) -> None:
    lan = await Officer(app).enters()
    await lan.opens("/desk/me")
    await lan.posts("/desk/me/chat")
    payload = START.search(lan.text)
    assert payload is not None
    assert lan.page.count("<svg") == 1
    chat = Visitor(app, "lan", "telegram")
    await chat.starts(payload[1])
    await lan.opens("/desk/me")
    assert "Telegram, nối ngày" in lan.text

    number = re.search(r'name="chat" value="(\d+)"', lan.page)
    assert number is not None
    binh = await Officer(app, lan.desk).enters("Bình")
    await binh.opens("/desk/me")
    assert (await binh.posts("/desk/me/unlink", chat=number[1])).status_code == 409
    assert "Đã lưu." in await lan.does("/desk/me/unlink", chat=number[1])
    assert "/desk" not in (await chat.says("bàn làm việc")).text


# The audit


async def test_the_audit_is_filtered_by_its_address(app: App, clock: Clock) -> None:
    chu = await Officer(app).enters("Chủ", "admin")
    lan = await Officer(app, chu.desk).enters("Lan")
    await chu.opens(f"/desk/audit?who={lan.member.ref}")
    rows = re.findall(r"<tr>.*?</tr>", chu.page, re.DOTALL)[1:]
    assert len(rows) == 1
    for odd in ("since=2026-13-40", "before=x", "until=9999-12-31", f"act={SCRIPT}", "who=1'--"):
        assert (await chu.opens(f"/desk/audit?{odd}")).status_code == 200
    await chu.opens("/desk/audit?since=2026-11-21")
    assert "Chưa có việc nào" in chu.text
