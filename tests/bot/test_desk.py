"""The frame of the desk: who comes in, what is refused, what is kept of it."""

import re
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from bot.app import App
from bot.desk.desk import Desk
from bot.desk.frame import Act, Again, Fault, Job, Page, Pages, Visit, Went
from storage import staff
from storage.audit import Asked, Entry, read
from tests.desk import HOST, Officer, acts
from tests.world import Clock, Sqlite, new_app

SCRIPT = "<script>alert('x')</script>"


def lines(app: App, **asked: Any) -> list[Entry]:
    with app.database.reader.connect() as connection:
        return read(connection, Asked(**asked))


# Coming in


async def test_an_invitation_leads_in_by_its_button(app: App) -> None:
    lan = Officer(app)
    token = lan.invited("Lan", "officer")
    page = await lan.opens(f"/desk/in/{token}")
    assert (page.status_code, "Chào Lan, bấm để vào bàn làm việc" in lan.text) == (200, True)

    answer = await lan.posts(f"/desk/in/{token}")

    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert (await lan.opens("/desk")).status_code == 200
    assert "Lan" in lan.text
    [line] = lines(app)
    assert (line.name, line.act, line.kind, line.ref) == ("Lan", "signed_in", "staff", lan.member.ref)
    assert "192.0.2.1" not in str(line)


async def test_looking_at_a_link_uses_nothing_up(app: App) -> None:
    """Previews and mail scanners ask with GET and HEAD, again and again."""
    lan = Officer(app)
    token = lan.invited()
    for _ in range(5):
        assert (await lan.client.head(f"/desk/in/{token}")).status_code == 200
        assert (await lan.opens(f"/desk/in/{token}")).status_code == 200

    assert (await lan.posts(f"/desk/in/{token}")).status_code == 303


async def test_a_link_works_once_and_not_for_ever(app: App, clock: Clock) -> None:
    lan = Officer(app)
    token = lan.invited()
    await lan.posts(f"/desk/in/{token}")
    thief = Officer(app, lan.desk)
    assert (await thief.posts(f"/desk/in/{token}")).status_code == 410
    assert (await thief.opens(f"/desk/in/{token}")).status_code == 410
    assert "xin một đường dẫn mới" in thief.text

    late = thief.invited("Bình")
    clock.pass_(days=7)
    assert (await thief.posts(f"/desk/in/{late}")).status_code == 410
    assert (await thief.opens("/desk")).headers["location"] == "/desk/login"


async def test_the_session_is_a_new_one_at_each_login_and_the_old_one_ends(app: App) -> None:
    lan = await Officer(app).enters()
    before = lan.client.cookies["desk"]
    with app.database.writer.begin() as connection:
        staff.give_link(connection, lan.member.id, "login", "second", app.now())
    await lan.posts("/desk/in/second")

    assert lan.client.cookies["desk"] != before
    lan.client.cookies = httpx.Cookies()
    thief = await lan.client.get("/desk", headers={"Cookie": f"desk={before}"})
    assert thief.status_code == 303


async def test_nobody_is_let_in_by_a_link_on_another_site(app: App) -> None:
    lan = Officer(app)
    token = lan.invited()
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert (await lan.posts(f"/desk/in/{token}", headers=headers)).status_code == 403

    assert (await lan.posts(f"/desk/in/{token}")).status_code == 303


async def test_over_https_the_cookie_is_bound_to_the_host(sqlite: Sqlite) -> None:
    app = new_app(sqlite.new(), public_url="https://desk.example.vn")
    app.conversation.start()
    answer = await (lan := Officer(app)).posts(f"/desk/in/{lan.invited()}")
    await app.conversation.stop()

    assert answer.headers["set-cookie"].startswith("__Host-desk=")
    assert "Secure" in answer.headers["set-cookie"]
    app.database.close()


async def test_nothing_of_a_session_stands_in_the_database_or_the_log(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    lan = await Officer(app).enters()
    await lan.opens("/desk")
    cookie = lan.client.cookies["desk"]

    with app.database.reader.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        rows = [repr(connection.execute(sa.text(f"SELECT * FROM {table}")).all()) for table in tables]
    assert cookie not in "".join(rows)
    shown = capsys.readouterr()
    assert cookie not in shown.out + shown.err


async def test_a_session_ends_by_itself(app: App, clock: Clock) -> None:
    lan = await Officer(app).enters()
    for _ in range(3):
        clock.pass_(hours=11)
        assert (await lan.opens("/desk")).status_code == 200  # being used keeps it
    clock.pass_(hours=13)

    assert (await lan.opens("/desk")).status_code == 303


async def test_leaving_ends_the_session_not_only_the_cookie(app: App) -> None:
    lan = await Officer(app).enters()
    cookie = lan.client.cookies["desk"]
    await lan.opens("/desk")
    answer = await lan.posts("/desk/out")
    assert answer.headers["location"] == "/desk/login?done=left"

    again = await lan.client.get("/desk", headers={"Cookie": f"desk={cookie}"})
    assert again.status_code == 303


async def test_somebody_revoked_is_out_at_once(app: App) -> None:
    lan = await Officer(app).enters()
    await lan.opens("/desk")
    with app.database.writer.begin() as connection:
        staff.revoke(connection, lan.member.id, app.now())

    assert (await lan.opens("/desk")).status_code == 303
    assert (await lan.opens("/desk/enterprises")).status_code == 303


# What is refused


pages = Pages()
done: list[str] = []


@pages.get("/desk/things/{ref}")
def thing(visit: Visit) -> Page:
    """A thing with a name."""
    return Page(
        "error.html",
        sentence=f"{visit.path['ref']} {visit.form.get('name', '')} {visit.shown.get('secret', '')}",
    )


@pages.post("/desk/things/{ref}/rename", role="officer", shows=thing)
def rename(visit: Visit) -> Job:
    """Give a thing a name."""
    name = visit.form.get("name", "")
    if name == "early":
        raise Fault("desk_fault_who", field="name")

    def do(_connection: sa.Connection) -> Went | Again:
        if name == "late":
            raise Fault("desk_fault_who", status=409)
        if name == "secret":
            return Again([Act("thing_shown", "thing", "r")], {"secret": "0912345678"})
        done.append(name)
        return Went("/desk/things/r?done=saved", [Act("thing_renamed", "thing", "r", {"fields": ["name"]})])

    return do


@pages.post("/desk/things/{ref}/list", role="officer", shows=thing, largest=100_000)
def take(visit: Visit) -> Job:
    """Take a file."""
    read = visit.files["list"].file.read()

    def do(_connection: sa.Connection) -> Went:
        done.append(f"{visit.files['list'].filename} {len(read)}")
        return Went("/desk/things/r")

    return do


@pytest.fixture
def desk(app: App) -> Desk:
    from bot.desk.desk import MODULES

    done.clear()
    return Desk(app, [*MODULES, pages])


async def test_an_act_is_done_with_its_line_of_the_audit(app: App, desk: Desk) -> None:
    lan = await Officer(app, desk).enters()
    await lan.opens("/desk")
    assert "Đã lưu." in await lan.does("/desk/things/r/rename", name="  tên   mới ")

    assert done == ["tên   mới"]
    assert acts(app) == ["signed_in", "thing_renamed"]
    assert lines(app, act="thing_renamed")[0].details == {"fields": ["name"]}


@pytest.mark.parametrize("csrf", ["", "wrong", "ô"])
async def test_without_its_token_nothing_is_done_and_what_was_typed_stays(
    app: App, desk: Desk, csrf: str
) -> None:
    lan = await Officer(app, desk).enters()
    await lan.opens("/desk")
    answer = await lan.posts("/desk/things/r/rename", csrf=csrf, name="đã gõ")

    assert (answer.status_code, done) == (403, [])
    assert "bấm một lần nữa" in lan.text
    assert "đã gõ" in lan.text
    assert acts(app) == ["signed_in"]


async def test_one_officers_token_is_of_no_use_to_another(app: App, desk: Desk) -> None:
    binh = await Officer(app, desk).enters("Bình")
    await binh.opens("/desk")
    lan = await Officer(app, desk).enters()
    lan.page = binh.page

    assert (await lan.posts("/desk/things/r/rename", name="x")).status_code == 403
    assert done == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
async def test_another_sites_form_does_nothing(app: App, desk: Desk, headers: dict[str, str]) -> None:
    lan = await Officer(app, desk).enters()
    await lan.opens("/desk")

    assert (await lan.posts("/desk/things/r/rename", headers=headers, name="x")).status_code == 403
    assert done == []


async def test_a_viewer_may_look_and_not_touch(app: App, desk: Desk) -> None:
    lan = await Officer(app, desk).enters("Lan", "viewer")
    assert (await lan.opens("/desk/things/r")).status_code == 200
    await lan.opens("/desk")

    assert (await lan.posts("/desk/things/r/rename", name="x")).status_code == 403
    assert "quyền cao hơn" in lan.text
    assert done == []


async def test_a_session_that_ended_keeps_what_was_typed(app: App, desk: Desk, clock: Clock) -> None:
    lan = await Officer(app, desk).enters()
    await lan.opens("/desk")
    clock.pass_(days=1)
    answer = await lan.posts("/desk/things/r/rename", name=f"đã gõ {SCRIPT}")

    assert (answer.status_code, done) == (401, [])
    assert 'value="đã gõ &lt;script&gt;' in lan.page
    await lan.posts("/desk/things/r/rename", name="x")
    assert done == []


@pytest.mark.parametrize(("name", "status"), [("early", 422), ("late", 409)])
async def test_a_fault_leaves_nothing_and_shows_what_was_typed(
    app: App, desk: Desk, name: str, status: int
) -> None:
    lan = await Officer(app, desk).enters()
    await lan.opens("/desk")
    answer = await lan.posts("/desk/things/r/rename", name=name)

    assert (answer.status_code, done, acts(app)) == (status, [], ["signed_in"])
    assert f"r {name}" in lan.text
    assert "Anh/Chị ghi họ tên" in lan.text


async def test_what_must_stand_in_no_address_is_shown_at_once(app: App, desk: Desk) -> None:
    lan = await Officer(app, desk).enters()
    await lan.opens("/desk")
    answer = await lan.posts("/desk/things/r/rename", name="secret")

    assert (answer.status_code, "0912345678" in lan.text) == (200, True)
    assert acts(app)[-1] == "thing_shown"


async def test_a_form_that_is_too_large_is_refused(app: App, desk: Desk) -> None:
    lan = await Officer(app, desk).enters()
    await lan.opens("/desk")

    assert (await lan.posts("/desk/things/r/rename", name="x" * 300_000)).status_code == 413
    assert done == []


@pytest.mark.parametrize(("size", "status"), [(90_000, 303), (100_000, 413)])
async def test_a_file_is_taken_as_far_as_the_page_takes_it(
    app: App, desk: Desk, size: int, status: int
) -> None:
    lan = await Officer(app, desk).enters()
    await lan.opens("/desk")
    csrf = re.search(r'name="csrf" value="([^"]+)"', lan.page)
    assert csrf is not None
    answer = await lan.client.post(
        "/desk/things/r/list",
        data={"csrf": csrf[1]},
        files={"list": ("ds.xlsx", b"x" * size)},
        headers={"Origin": HOST},
    )

    assert (answer.status_code, done) == (status, ["ds.xlsx 90000"] if status == 303 else [])


async def test_what_is_no_form_is_refused_in_one_sentence(app: App, desk: Desk) -> None:
    lan = await Officer(app, desk).enters()
    answer = await lan.client.post(
        "/desk/things/r/list", content=b"x", headers={"Content-Type": "multipart/form-data", "Origin": HOST}
    )

    assert (answer.status_code, "bị hỏng" in answer.text) == (400, True)


@pytest.mark.parametrize(
    "path", ["/desk/nothing", "/desk/enterprises/AAAAAAAAAAAA", "/desk/enterprises/1", "/desk/staff/1"]
)
async def test_what_is_guessed_is_not_there(app: App, path: str) -> None:
    lan = await Officer(app).enters("Lan", "admin")

    assert (await lan.opens(path)).status_code == 404
    assert "Không có gì ở địa chỉ này" in lan.text


async def test_whoever_is_out_learns_nothing_of_what_is_there(app: App) -> None:
    nobody = Officer(app)
    for path in ("/desk", "/desk/nothing", "/desk/enterprises", "/desk/enterprises/AAAAAAAAAAAA"):
        assert (await nobody.opens(path)).headers.get("location") == "/desk/login"
    assert (await nobody.posts("/desk/nothing")).status_code == 401


async def test_a_name_that_is_a_script_is_a_name(app: App) -> None:
    lan = Officer(app)
    token = lan.invited(SCRIPT, "admin")
    await lan.opens(f"/desk/in/{token}")
    assert SCRIPT not in lan.page
    await lan.posts(f"/desk/in/{token}")
    for path in ("/desk", "/desk/staff", f"/desk/search?q={SCRIPT}", f"/desk?done={SCRIPT}", "/desk/audit"):
        await lan.opens(path)
        assert "<script>alert" not in lan.page
    assert SCRIPT in lan.text


async def test_every_page_forbids_what_is_not_ours(app: App) -> None:
    lan = await Officer(app).enters()
    for path in ("/desk", "/desk/nothing", "/desk/in/unknown"):
        headers = (await lan.opens(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["content-security-policy"]
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
        assert not re.search(r"<[^>]+ (style|on\w+)=", lan.page)


async def test_styles_and_scripts_carry_their_version(app: App) -> None:
    nobody = Officer(app)
    await nobody.opens("/desk/login")
    for path in re.findall(r'(?:href|src)="(/desk/static/[^"]+)"', nobody.page):
        answer = await nobody.client.get(path)
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True)
    assert (await nobody.client.get("/desk/static/..%2fdesk.py")).status_code != 200


async def test_a_page_weighs_little(app: App) -> None:
    import gzip

    lan = await Officer(app).enters("Lan", "admin")
    total = 0
    for path in ("/desk", "/desk/static/desk.css", "/desk/static/desk.js"):
        total += len(gzip.compress((await lan.client.get(path)).content))

    assert total < 30_000


async def test_where_the_store_is_busy_what_was_typed_stays(app: App, desk: Desk) -> None:
    from storage.errors import StoreUnavailable

    async def run(_function: object) -> None:
        raise StoreUnavailable("locked")

    lan = await Officer(app, desk).enters()
    await lan.opens("/desk")
    app.conversation.run = run  # type: ignore[method-assign]
    answer = await lan.posts("/desk/things/r/rename", name="đã gõ")

    assert (answer.status_code, "đã gõ" in lan.text, "thử lại" in lan.text) == (503, True, True)
