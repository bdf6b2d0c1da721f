"""An officer at the desk over HTTP, without a browser: what is asked, what is typed, what is shown."""

import html
import re
from typing import Any

import httpx
import sqlalchemy as sa
from starlette.applications import Starlette

from bot.app import App
from bot.desk.desk import Desk
from bot.desk.frame import drawn, new_ref
from storage import staff
from storage.staff import Member, NewMember, Role

HOST = "http://desk.test"
_HIDDEN = re.compile(r'name="csrf" value="([^"]*)"')
_TAGS = re.compile(r"<(script|style|head).*?</\1>|<[^>]+>", re.DOTALL)


class Officer:
    """A browser at the desk, which keeps its cookie and sends its own Origin."""

    def __init__(self, app: App, desk: Desk | None = None) -> None:
        self.app = app
        self.desk = desk or Desk(app)
        transport = httpx.ASGITransport(Starlette(routes=self.desk.routes()), client=("192.0.2.1", 50_000))
        self.client = httpx.AsyncClient(transport=transport, base_url=HOST)
        self.page = ""
        self.member: Member | None = None

    # Before

    def invited(self, name: str = "Lan", role: Role = "officer", email: str | None = None) -> str:
        """The token of an invitation for somebody new."""
        token = drawn()
        with self.app.database.writer.begin() as connection:
            new = NewMember(new_ref(), name, "Phòng Đo lường", role, email)
            self.member = staff.invite(connection, new, self.app.now())
            staff.give_link(connection, self.member.id, "invite", token, self.app.now())
        return token

    async def enters(self, name: str = "Lan", role: Role = "officer", email: str | None = None) -> "Officer":
        """Come in by an invitation."""
        answer = await self.posts(f"/desk/in/{self.invited(name, role, email)}")
        assert answer.status_code == 303, answer.text
        return self

    # What an officer does

    async def opens(self, path: str) -> httpx.Response:
        """Open a page."""
        answer = await self.client.get(path)
        self.page = answer.text
        return answer

    async def posts(
        self, path: str, *, csrf: str | None = None, headers: dict[str, str] | None = None, **typed: Any
    ) -> httpx.Response:
        """Send a form, with the token of the last page that had one."""
        found = _HIDDEN.search(self.page)
        given = csrf if csrf is not None else found[1] if found else ""
        answer = await self.client.post(
            path, data={"csrf": given, **typed}, headers={"Origin": HOST, **(headers or {})}
        )
        if answer.status_code != 303:
            self.page = answer.text
        return answer

    async def does(self, path: str, **typed: Any) -> str:
        """Send a form and follow where it leads; what is then shown."""
        answer = await self.posts(path, **typed)
        assert answer.status_code == 303, self.text
        await self.opens(answer.headers["location"])
        return self.text

    # What an officer sees

    @property
    def text(self) -> str:
        """The words of the page."""
        return " ".join(html.unescape(_TAGS.sub(" ", self.page)).split())


def acts(app: App) -> list[str]:
    """What the audit has, in order."""
    with app.database.reader.connect() as connection:
        return list(connection.execute(sa.text("SELECT act FROM audit ORDER BY id")).scalars())
