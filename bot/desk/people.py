"""Settings: the officers, their roles and links, what passes to a colleague; and one's own account with its chats."""

import sqlalchemy as sa

from bot.app import base, desk_link
from bot.channels.web.channel import WEB
from bot.desk import doors
from bot.desk.frame import Act, Again, Fault, Job, NoSuch, Page, Pages, Visit, Went, drawn, new_ref, refused
from handlers.staff import BY_LINK
from handlers.values import Refusal, email
from storage import staff
from storage.audit import By
from storage.staff import ROLES, LastAdmin, Member, NameTaken, NewMember, NoSuchStaff, Role

pages = Pages()
pages.entry("desk_nav_settings", "/desk/settings", place=80, role="admin")
pages.setting("desk_staff_title", "/desk/staff", "desk_staff_about", place=10, role="admin")


@pages.get("/desk/settings", role="viewer")
def settings(visit: Visit) -> Page:
    """What can be set by this officer."""
    seen = [one for one in visit.desk.settings if one.role and visit.staff.may(one.role)]
    return Page(
        "settings.html", settings=[(one.path, visit.say(one.label), visit.say(one.note)) for one in seen]
    )


# Officers


@pages.get("/desk/staff", role="admin")
def listing(visit: Visit) -> Page:
    """Everybody who may come in, and a form to invite somebody."""
    every = staff.every(visit.db)
    active = [one for one in every if not one.member.revoked_at]
    left = [one for one in every if one.member.revoked_at]
    return Page("staff.html", active=active, left=left, roles=_roles(visit), now=visit.at)


@pages.post("/desk/staff", role="admin", shows=listing)
def invite(visit: Visit) -> Job:
    """Invite somebody; the one-time link is shown this once, and goes by mail where there is an address."""
    name = " ".join(visit.form.get("name", "").split())
    if not name or len(name) > 80:
        raise Fault("desk_fault_no_name", field="name")
    unit, address = visit.form.get("unit", "")[:120], _email(visit.form.get("email", ""))
    new = NewMember(new_ref(), name, unit, _role(visit), address)
    token = drawn()

    def do(connection: sa.Connection) -> Again:
        try:
            member = doors.invite(connection, new, token, By(visit.staff.id, visit.at, visit.remote))
        except NameTaken:
            raise Fault("desk_fault_name_taken", field="name", status=409) from None
        return _link_shown(visit, member, token)

    return do


@pages.get("/desk/staff/{ref}", role="admin")
def member(visit: Visit) -> Page:
    """One officer: role, link, the end of access."""
    found = _member(visit, visit.db)
    others = [
        one.member for one in staff.every(visit.db) if not one.member.revoked_at and one.member.id != found.id
    ]
    return Page(
        "staff_member.html", member=found, roles=_roles(visit), others=[(one.ref, one.name) for one in others]
    )


@pages.post("/desk/staff/{ref}/again", role="admin", shows=member)
def invite_again(visit: Visit) -> Job:
    """A new link; the one before is void."""
    token = drawn()

    def do(connection: sa.Connection) -> Again:
        found = _active(visit, connection)
        doors.invite_again(connection, found, token, By(visit.staff.id, visit.at, visit.remote))
        return _link_shown(visit, found, token)

    return do


@pages.post("/desk/staff/{ref}/role", role="admin", shows=member)
def set_role(visit: Visit) -> Job:
    """Give an officer another role."""
    role = _role(visit)

    def do(connection: sa.Connection) -> Went:
        found = _active(visit, connection)
        try:
            staff.set_role(connection, found.id, role)
        except LastAdmin:
            raise Fault("desk_fault_last_admin", field="role", status=409) from None
        act = Act("role_changed", "staff", found.ref, {"from": found.role, "to": role})
        return Went(f"/desk/staff/{found.ref}?done=saved", [act] if found.role != role else [])

    return do


@pages.post("/desk/staff/{ref}/revoke", role="admin", shows=member)
def revoke(visit: Visit) -> Job:
    """End an officer's access, at once."""

    def do(connection: sa.Connection) -> Went:
        found = _active(visit, connection)
        try:
            staff.revoke(connection, found.id, visit.at)
        except LastAdmin:
            raise Fault("desk_fault_last_admin", status=409) from None
        return Went("/desk/staff?done=revoked", [Act("staff_revoked", "staff", found.ref)])

    return do


@pages.post("/desk/staff/{ref}/hand-over", role="admin", shows=member)
def hand_over(visit: Visit) -> Job:
    """«Bàn giao»: what is assigned passes to a colleague, and the officer's access ends."""
    to_ref = visit.form.get("to", "")

    def do(connection: sa.Connection) -> Went:
        found, to = _active(visit, connection), staff.by_ref(connection, to_ref)
        if to is None:
            raise Fault("desk_fault_choice", field="to")
        try:
            moved = staff.hand_over(connection, found.id, to.id, visit.at)
        except LastAdmin:
            raise Fault("desk_fault_last_admin", status=409) from None
        except NoSuchStaff:
            raise Fault("desk_fault_choice", field="to", status=409) from None
        act = Act("handed_over", "staff", found.ref, {"to": to.ref, "moved": moved})
        return Went("/desk/staff?done=handed_over", [act])

    return do


def _link_shown(visit: Visit, found: Member, token: str) -> Again:
    link = desk_link(visit.desk.app.settings, token)
    mail = visit.desk.mail
    if not (mail and found.email):
        return Again(shown={"link": link, "name": found.name})
    sender, address = mail, found.email

    async def send() -> None:
        text = visit.say("staff_mail_invite", name=found.name, link=link)
        await sender.send(address, visit.say("staff_mail_subject"), text)

    return Again(shown={"link": link, "name": found.name, "mailed": True}, then=send)


def _member(visit: Visit, connection: sa.Connection) -> Member:
    found = staff.by_ref(connection, visit.path["ref"])
    if found is None:
        raise NoSuch
    return found


def _active(visit: Visit, connection: sa.Connection) -> Member:
    found = _member(visit, connection)
    if found.revoked_at:
        raise Fault("desk_fault_revoked", status=409)
    return found


def _role(visit: Visit) -> Role:
    typed = visit.form.get("role", "officer")
    for role in ROLES:
        if role == typed:
            return role
    raise Fault("desk_fault_choice", field="role")


def _roles(visit: Visit) -> list[tuple[str, str]]:
    return [(role, visit.say(f"desk_role_{role}")) for role in ROLES]


def _email(typed: str) -> str | None:
    if not typed:
        return None
    found = email(typed)
    if isinstance(found, Refusal):
        raise refused(found, "email")
    return found


# One's own account


@pages.get("/desk/me")
def me(visit: Visit) -> Page:
    """Who one is here, and the chats one is known in."""
    return Page("me.html", chats=staff.chats(visit.db, visit.staff.id))


@pages.post("/desk/me/chat", role="viewer", shows=me)
def link_chat(visit: Visit) -> Job:
    """Show a one-time link to a chat, as address and as QR."""
    token = drawn()
    payload = f"{BY_LINK}{token}"
    found = [(one.can.name, one.deep_link(payload)) for one in visit.desk.leads]
    links = [(channel, link) for channel, link in found if link]
    links.append((WEB.name, f"{base(visit.desk.app.settings)}/?start={payload}"))

    def do(connection: sa.Connection) -> Again:
        staff.give_link(connection, visit.staff.id, "chat", token, visit.at)
        shown = [(channel, link, qr(link)) for channel, link in links]
        return Again([Act("chat_link_asked", "staff", visit.staff.ref)], {"chat_links": shown})

    return do


@pages.post("/desk/me/unlink", role="viewer", shows=me)
def unlink_chat(visit: Visit) -> Job:
    """Be known no more in a chat."""
    typed = visit.form.get("chat", "")
    number = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 19 else 0

    def do(connection: sa.Connection) -> Went:
        if not staff.unlink_chat(connection, visit.staff.id, number):
            raise Fault("desk_fault_choice", status=409)
        return Went("/desk/me?done=saved", [Act("chat_unlinked", "staff", visit.staff.ref)])

    return do


def qr(text: str) -> str:
    """A QR code as SVG, dark on light whatever the page's colours are."""
    import segno  # only who links a chat waits for it

    svg: str = segno.make(text, error="m").svg_inline(border=0, dark="#000", omitsize=True)
    return svg
