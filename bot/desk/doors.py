"""Invitations: a member written down, a one-time link to hand over, a line in the audit."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.app import desk_link
from bot.desk.frame import drawn, new_ref
from bot.desk.shown import day, minute
from bot.settings import Settings
from content.catalogue import Catalogue
from handlers.values import Refusal
from handlers.values import email as read_email
from storage import audit, staff
from storage.audit import Act, By
from storage.staff import LastAdmin, Listed, Member, NameTaken, NewMember, Role


def invite(connection: sa.Connection, new: NewMember, token: str, by: By) -> Member:
    """Invite somebody; raises NameTaken."""
    member = staff.invite(connection, new, by.at)
    staff.give_link(connection, member.id, "invite", token, by.at)
    audit.add(connection, by, [Act("staff_invited", "staff", member.ref, {"role": member.role})])
    return member


def invite_again(connection: sa.Connection, member: Member, token: str, by: By) -> None:
    """Another link for somebody who was invited before; the one before is void."""
    staff.give_link(connection, member.id, "invite", token, by.at)
    audit.add(connection, by, [Act("staff_invited_again", "staff", member.ref)])


def invite_first(connection: sa.Connection, name: str, ref: str, token: str, at: datetime) -> Member | None:
    """Invite an administrator where there is none, or the one invited so who was never in; None where all is well."""
    if not staff.has_admin(connection):
        # somebody who is no administrator may have this name
        taken = staff.by_name(connection, name) is not None
        new = NewMember(ref, f"{name} {ref[:4]}" if taken else name, role="admin")
        return invite(connection, new, token, By(None, at))
    member = staff.by_name(connection, name)
    if member is None or member.role != "admin" or staff.ever_in(connection):
        return None
    invite_again(connection, member, token, By(None, at))
    return member


class RefusedStaff(Exception):
    """A command cannot be done, and this is why, in a sentence for people."""


@dataclass(frozen=True)
class StaffCommand:
    """One run of a `staff` command inside a transaction; each gives back what is to be printed."""

    connection: sa.Connection
    say: Catalogue
    settings: Settings
    at: datetime

    def invite(self, name: str, role: Role, unit: str, email: str | None, *, again: bool) -> str:
        """Invite somebody, or with `again` make a new link for whoever has this name; raises RefusedStaff."""
        token, by = drawn(), By(None, self.at)
        if again:
            member = self._named(name)
            invite_again(self.connection, member, token, by)
        else:
            key = staff.key_of(name)
            if not key or len(key) > 80:
                raise RefusedStaff(self._told("desk_fault_no_name"))
            try:
                new = NewMember(new_ref(), name, unit, role, self._email(email))
                member = invite(self.connection, new, token, by)
            except NameTaken:
                raise RefusedStaff(self._told("staff_name_taken", name=name)) from None
        link = desk_link(self.settings, token)
        return self._told("staff_invited", name=member.name, link=link)

    def every(self) -> str:
        """Who may come in, a line each."""
        lines = [self._line(one) for one in staff.every(self.connection) if not one.member.revoked_at]
        return "\n".join(lines) or self._told("staff_nobody")

    def revoke(self, name: str) -> str:
        """End somebody's access; raises RefusedStaff."""
        member = self._named(name)
        try:
            staff.revoke(self.connection, member.id, self.at)
        except LastAdmin:
            raise RefusedStaff(self._told("desk_fault_last_admin")) from None
        audit.add(self.connection, By(None, self.at), [Act("staff_revoked", "staff", member.ref)])
        return self._told("staff_revoked", name=member.name)

    def _named(self, name: str) -> Member:
        member = staff.by_name(self.connection, name)
        if member is None:
            raise RefusedStaff(self._told("staff_unknown", name=name))
        return member

    def _email(self, typed: str | None) -> str | None:
        if not typed:
            return None
        found = read_email(typed)
        if isinstance(found, Refusal):
            raise RefusedStaff(self._told(found.key, **dict(found.values)))
        return found

    def _line(self, one: Listed) -> str:
        zone, member = self.settings.zone, one.member
        if one.seen_at:
            state = self._told("staff_seen", at=minute(one.seen_at, zone))
        elif one.invited_until and one.invited_until > self.at:
            state = self._told("desk_staff_invited", until=day(one.invited_until, zone))
        else:
            state = self._told("desk_staff_no_link")
        role = self._told(f"desk_role_{member.role}")
        return " · ".join(filter(None, (member.name, role, member.unit, state, *one.channels)))

    def _told(self, key: str, /, **values: object) -> str:
        return self.say("vi", key, **values)
