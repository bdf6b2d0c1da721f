"""The ways in and out: a one-time link opens a page, its button begins a session.

Asking for a page uses nothing up: previews and mail scanners do that, too.
"""

from datetime import timedelta

import sqlalchemy as sa
from starlette.responses import RedirectResponse, Response

from bot.app import desk_link
from bot.channels.web.channel import WEB
from bot.desk.frame import Act, Fault, Job, Page, Pages, Visit, Went, drawn, limited
from handlers.messages import Message
from storage import outbox, staff
from storage.staff import Door, Member

pages = Pages()

MOST_LINKS = 3  # of one officer in the time a link lasts, asked for at the way in


@pages.get("/desk/in/{token}", role=None)
def enter(visit: Visit) -> Page:
    """«Chào …, bấm để vào»; the same sentence for a link that is unknown, used or expired."""
    found = staff.link_is_for(visit.db, visit.path["token"], visit.at)
    return Page("enter.html", member=found, status=200 if found else 410)


@pages.post("/desk/in/{token}", role=None, shows=enter)
def begin(visit: Visit) -> Job:
    """Use the link up and let the browser in with a cookie it never had before."""
    limited(visit.desk.tries, visit.host)
    door = Door(drawn(), drawn(), visit.agent)

    def do(connection: sa.Connection) -> Went:
        member = staff.use_link(connection, visit.path["token"], visit.at)
        if member is None:
            raise Fault("desk_fault_link", status=410)
        if visit.cookie:
            staff.end_session(connection, visit.cookie, visit.at)
        staff.begin_session(connection, member.id, door, visit.at)
        return Went("/desk", [Act("signed_in", "staff", member.ref)], cookie=door.token, by=member.id)

    return do


@pages.get("/desk/login", role=None)
def login(visit: Visit) -> Page | Response:
    """Who are you? Whoever is in goes on."""
    if visit.session and not visit.fault:
        return RedirectResponse("/desk", 303)
    return Page("login.html")


@pages.post("/desk/login", role=None, shows=login)
def ask(visit: Visit) -> Job:
    """Send a link to whoever is known. The answer says nothing of that, nor does the time it takes."""
    limited(visit.desk.tries, visit.host)
    who = visit.form.get("who", "")[:200]
    if not who:
        raise Fault("desk_fault_who", field="who")
    limited(visit.desk.asked, staff.key_of(who))
    token = drawn()

    async def send() -> None:
        member, is_said = await visit.desk.app.conversation.run(
            lambda connection: _say(connection, visit, who, token)
        )
        if member and member.email and not is_said and visit.desk.mail:
            values = {"name": member.name, "link": desk_link(visit.desk.app.settings, token)}
            subject = visit.say("staff_mail_subject")
            await visit.desk.mail.send(member.email, subject, visit.say("staff_mail_login", **values))

    return lambda _connection: Went("/desk/login?done=link_asked", then=send)


def _say(connection: sa.Connection, visit: Visit, who: str, token: str) -> tuple[Member | None, bool]:
    """Make a link and say it in the chats of whoever is known; whether there was such a chat."""
    member = staff.by_name(connection, who)
    since = visit.at - staff.LASTS["login"] - timedelta(seconds=1)
    if member is None or staff.links_since(connection, member.id, "login", since) >= MOST_LINKS:
        return None, False
    staff.give_link(connection, member.id, "login", token, visit.at)
    link = desk_link(visit.desk.app.settings, token)
    message = Message(visit.say("staff_link", link=link))
    is_said = False
    for chat in staff.chats(connection, member.id):
        is_sent = visit.desk.app.conversation.is_sent(chat.channel)
        if is_sent or chat.channel == WEB.name:
            outbox.begin(connection, chat.address_id, chat.channel if is_sent else None, message, visit.at)
            is_said = True
    return member, is_said


@pages.post("/desk/out", role="viewer", shows=login)
def leave(visit: Visit) -> Job:
    """End this browser's session."""

    def do(connection: sa.Connection) -> Went:
        staff.end_session(connection, visit.cookie, visit.at)
        return Went("/desk/login?done=left", [Act("signed_out", "staff", visit.staff.ref)], cookie="")

    return do
