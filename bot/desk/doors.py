"""Invitations: a member written down, a one-time link to hand over, a line in the audit."""

from datetime import datetime

import sqlalchemy as sa

from storage import audit, staff
from storage.audit import Act, By
from storage.staff import Member, NewMember


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
