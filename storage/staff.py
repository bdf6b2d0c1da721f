"""Staff: who may use the desk, how they come in, which chats are theirs, and what passes to a colleague.

Whatever opens something is drawn by the caller and stands here as its SHA-256 only.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert  # its ON CONFLICT compiles on SQLite as well

from handlers.people import Person
from handlers.staff import ChatLinked, ChatNotLinked, Colleague, GiveDeskLink, LinkChat, StaffHere
from storage import audit
from storage.audit import Act, By
from storage.errors import StoreError
from storage.keys import hashed
from storage.tables import Instant, addresses, staff, staff_addresses, staff_links, staff_sessions

Role = Literal["viewer", "officer", "admin"]
Purpose = Literal["invite", "login", "chat"]
ROLES: tuple[Role, ...] = ("viewer", "officer", "admin")  # each may do what those before it may

LASTS: dict[Purpose, timedelta] = {
    "invite": timedelta(days=7),
    "login": timedelta(minutes=10),
    "chat": timedelta(minutes=10),
}
IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)  # of a session, however busy

# What is assigned to an officer and passes to a colleague with «bàn giao»: columns that hold a staff id.
# A later table joins by adding its column here.
ASSIGNED: list[sa.Column[Any]] = []


class NameTaken(StoreError):
    """Another active officer has this name or mail address."""


class NoSuchStaff(StoreError):
    """There is no such officer, or their access was ended."""


class LastAdmin(StoreError):
    """The last administrator can be neither revoked nor made something else."""


@dataclass(frozen=True, slots=True)
class Member:
    """An officer; `ref` is what links and the audit name."""

    id: int
    ref: str
    name: str
    unit: str
    role: Role
    email: str | None
    created_at: datetime
    revoked_at: datetime | None = None

    def may(self, role: Role) -> bool:
        """Whether they may do what this role may."""
        return self.revoked_at is None and ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True, slots=True)
class Listed:
    """An officer as the list of them shows: when they were last in, until when an invitation is open, their chats."""

    member: Member
    seen_at: datetime | None
    invited_until: datetime | None
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewMember:
    """Somebody to be invited."""

    ref: str
    name: str
    unit: str = ""
    role: Role = "officer"
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser an officer is in with."""

    id: int
    member: Member
    csrf: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Door:
    """A session about to begin; `token` is what the browser gets."""

    token: str
    csrf: str
    agent: str


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat an officer is known in; `address_id` is where messages to it stand."""

    address_id: int
    channel: str
    linked_at: datetime


def key_of(name: str) -> str:
    """What a name is found by: its letters without case and superfluous spaces."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


# Who

_COLUMNS = (
    staff.c.id,
    staff.c.ref,
    staff.c.name,
    staff.c.unit,
    staff.c.role,
    staff.c.email,
    staff.c.created_at,
    staff.c.revoked_at,
)
_ACTIVE = staff.c.revoked_at.is_(None)
_BY_REF = sa.select(*_COLUMNS).where(staff.c.ref == sa.bindparam("asked"))
_BY_NAME = sa.select(*_COLUMNS).where(
    _ACTIVE, (staff.c.name_key == sa.bindparam("asked")) | (staff.c.email == sa.bindparam("asked"))
)
_ADD = sa.insert(staff).returning(*_COLUMNS)


def invite(connection: sa.Connection, new: NewMember, at: datetime) -> Member:
    """Write down somebody who may come in; raises NameTaken."""
    email = new.email.strip().casefold() if new.email else None
    keys = [key_of(new.name), *([email] if email else [])]
    if any(connection.execute(_BY_NAME, {"asked": one}).first() for one in keys):
        raise NameTaken(new.name)
    values = {
        "ref": new.ref,
        "name": " ".join(new.name.split()),
        "name_key": keys[0],
        "unit": new.unit.strip(),
        "role": new.role,
        "email": email,
        "created_at": at,
    }
    try:
        with connection.begin_nested():  # another process may have been faster
            return _member(connection.execute(_ADD, values).one())
    except sa.exc.IntegrityError:
        raise NameTaken(new.name) from None


def by_ref(connection: sa.Connection, ref: str) -> Member | None:
    """The officer a link names, also one whose access was ended."""
    row = connection.execute(_BY_REF, {"asked": ref}).first()
    return _member(row) if row else None


def by_name(connection: sa.Connection, name_or_email: str) -> Member | None:
    """The active officer of this name or mail address."""
    row = connection.execute(_BY_NAME, {"asked": key_of(name_or_email)}).first()
    return _member(row) if row else None


_SEEN = (
    sa.select(sa.func.max(staff_sessions.c.seen_at))
    .where(staff_sessions.c.staff_id == staff.c.id)
    .correlate(staff)
    .scalar_subquery()
)
_INVITED = (
    sa.select(sa.func.max(staff_links.c.expires_at))
    .where(
        staff_links.c.staff_id == staff.c.id,
        staff_links.c.purpose == sa.literal_column("'invite'"),
        staff_links.c.used_at.is_(None),
    )
    .correlate(staff)
    .scalar_subquery()
)
_EVERY = sa.select(*_COLUMNS, _SEEN, _INVITED).order_by(
    staff.c.revoked_at.is_not(None), staff.c.name_key, staff.c.id
)
_CHANNELS = (
    sa.select(staff_addresses.c.staff_id, addresses.c.channel)
    .join(addresses, addresses.c.id == staff_addresses.c.address_id)
    .order_by(staff_addresses.c.linked_at)
)


def every(connection: sa.Connection) -> list[Listed]:
    """All officers, those who left last."""
    channels: dict[int, list[str]] = {}
    for staff_id, channel in connection.execute(_CHANNELS):
        channels.setdefault(staff_id, []).append(channel)
    return [
        Listed(_member(row[:-2]), row[-2], row[-1], tuple(channels.get(row[0], ())))
        for row in connection.execute(_EVERY)
    ]


def _member(row: Any) -> Member:
    return Member(*row)


# Roles and the end of access

_ADMINS = (
    sa.select(staff.c.id)
    .where(_ACTIVE, staff.c.role == sa.literal_column("'admin'"))
    .order_by(staff.c.id)
    .with_for_update()  # two who revoke each other at once wait for one another
)
_SET_ROLE = (
    sa.update(staff)
    .where(staff.c.id == sa.bindparam("who"), _ACTIVE)
    .values(role=sa.bindparam("becomes"))
    .returning(staff.c.id)
)
_REVOKE = (
    sa.update(staff)
    .where(staff.c.id == sa.bindparam("who"), _ACTIVE)
    .values(revoked_at=sa.bindparam("now", type_=Instant))
    .returning(staff.c.id)
)
_END_SESSIONS = (
    sa.update(staff_sessions)
    .where(staff_sessions.c.staff_id == sa.bindparam("who"), staff_sessions.c.ended_at.is_(None))
    .values(ended_at=sa.bindparam("now", type_=Instant))
)
_VOID_LINKS = (
    sa.update(staff_links)
    .where(staff_links.c.staff_id == sa.bindparam("who"), staff_links.c.used_at.is_(None))
    .values(used_at=sa.bindparam("now", type_=Instant))
)
_UNLINK_CHATS = sa.delete(staff_addresses).where(staff_addresses.c.staff_id == sa.bindparam("who"))


def set_role(connection: sa.Connection, staff_id: int, role: Role) -> None:
    """Give an officer another role; raises LastAdmin and NoSuchStaff."""
    if role != "admin":
        _check_others(connection, staff_id)
    if connection.execute(_SET_ROLE, {"who": staff_id, "becomes": role}).first() is None:
        raise NoSuchStaff(f"officer {staff_id}")


def revoke(connection: sa.Connection, staff_id: int, at: datetime) -> None:
    """End an officer's access at once: sessions, links, chats. Raises LastAdmin and NoSuchStaff."""
    _check_others(connection, staff_id)
    who = {"who": staff_id, "now": at}
    if connection.execute(_REVOKE, who).first() is None:
        raise NoSuchStaff(f"officer {staff_id}")
    for statement in (_END_SESSIONS, _VOID_LINKS):
        connection.execute(statement, who)
    connection.execute(_UNLINK_CHATS, {"who": staff_id})


def hand_over(connection: sa.Connection, from_id: int, to_id: int, at: datetime) -> dict[str, int]:
    """Give a colleague everything that is assigned to an officer, and end that one's access.

    Gives back how many rows of each table moved. Raises LastAdmin and NoSuchStaff.
    """
    to = connection.execute(sa.select(staff.c.id).where(staff.c.id == to_id, _ACTIVE)).first()
    if to is None or from_id == to_id:
        raise NoSuchStaff(f"officer {to_id}")
    moved = {
        column.table.name: connection.execute(
            sa.update(column.table).where(column == from_id).values({column.name: to_id})
        ).rowcount
        for column in ASSIGNED
    }
    revoke(connection, from_id, at)
    return moved


def _check_others(connection: sa.Connection, staff_id: int) -> None:
    admins = set(connection.execute(_ADMINS).scalars())
    if admins == {staff_id}:
        raise LastAdmin("somebody must be able to invite others")


# One-time links

_VOID = _VOID_LINKS.where(staff_links.c.purpose == sa.bindparam("meant"))
_BY_LINK = (
    sa.select(*_COLUMNS)
    .join(staff_links, staff_links.c.staff_id == staff.c.id)
    .where(
        staff_links.c.token_hash == sa.bindparam("digest"),
        staff_links.c.purpose.in_(sa.bindparam("meant", expanding=True)),
        staff_links.c.used_at.is_(None),
        staff_links.c.expires_at > sa.bindparam("now", type_=Instant),
        _ACTIVE,
    )
)
_USE = (
    sa.update(staff_links)
    .where(
        staff_links.c.token_hash == sa.bindparam("digest"),
        staff_links.c.purpose.in_(sa.bindparam("meant", expanding=True)),
        staff_links.c.used_at.is_(None),
        staff_links.c.expires_at > sa.bindparam("now", type_=Instant),
        staff_links.c.staff_id.in_(sa.select(staff.c.id).where(_ACTIVE).scalar_subquery()),
    )
    .values(used_at=sa.bindparam("now", type_=Instant))
    .returning(staff_links.c.staff_id)
)
_RECENT = (
    sa.select(sa.func.count())
    .select_from(staff_links)
    .where(
        staff_links.c.staff_id == sa.bindparam("who"),
        staff_links.c.purpose == sa.bindparam("meant"),
        staff_links.c.created_at > sa.bindparam("since", type_=Instant),
    )
)
_BY_ID = sa.select(*_COLUMNS).where(staff.c.id == sa.bindparam("asked"))
IN: tuple[Purpose, ...] = ("invite", "login")  # links that lead into the desk


def give_link(connection: sa.Connection, staff_id: int, purpose: Purpose, token: str, at: datetime) -> None:
    """Make a one-time link; an invitation, or one to a chat, makes those before it void."""
    if (
        purpose != "login"
    ):  # whoever asks again and again in another's name must not spoil the link on its way
        connection.execute(_VOID, {"who": staff_id, "meant": purpose, "now": at})
    values = {"staff_id": staff_id, "token_hash": hashed(token), "purpose": purpose, "created_at": at}
    connection.execute(sa.insert(staff_links).values(**values, expires_at=at + LASTS[purpose]))


def link_is_for(connection: sa.Connection, token: str, at: datetime) -> Member | None:
    """Whose link into the desk this is, without using it up; None for an unknown, used or expired one."""
    asked = {"digest": hashed(token), "meant": list(IN), "now": at}
    row = connection.execute(_BY_LINK, asked).first()
    return _member(row) if row else None


def use_link(
    connection: sa.Connection, token: str, at: datetime, purposes: Sequence[Purpose] = IN
) -> Member | None:
    """Use a link up, once and for ever; None where it cannot be used."""
    asked = {"digest": hashed(token), "meant": list(purposes), "now": at}
    staff_id = connection.execute(_USE, asked).scalar()
    if staff_id is None:
        return None
    return _member(connection.execute(_BY_ID, {"asked": staff_id}).one())


def links_since(connection: sa.Connection, staff_id: int, purpose: Purpose, since: datetime) -> int:
    """How many links of this kind an officer was given since then."""
    asked = {"who": staff_id, "meant": purpose, "since": since}
    return connection.execute(_RECENT, asked).scalar_one()


# Sessions

_SESSION = (
    sa.select(staff_sessions.c.id, staff_sessions.c.csrf, staff_sessions.c.seen_at, *_COLUMNS)
    .join(staff, staff.c.id == staff_sessions.c.staff_id)
    .where(
        staff_sessions.c.token_hash == sa.bindparam("digest"),
        staff_sessions.c.ended_at.is_(None),
        staff_sessions.c.expires_at > sa.bindparam("now", type_=Instant),
        staff_sessions.c.seen_at > sa.bindparam("idle_since", type_=Instant),
        _ACTIVE,
    )
)
_TOUCH = (
    sa.update(staff_sessions)
    .where(staff_sessions.c.id == sa.bindparam("which"))
    .values(seen_at=sa.bindparam("now", type_=Instant))
)
_END = (
    sa.update(staff_sessions)
    .where(staff_sessions.c.token_hash == sa.bindparam("digest"), staff_sessions.c.ended_at.is_(None))
    .values(ended_at=sa.bindparam("now", type_=Instant))
)


def begin_session(connection: sa.Connection, staff_id: int, door: Door, at: datetime) -> None:
    """Let a browser in, for LONGEST at most."""
    values = {"staff_id": staff_id, "token_hash": hashed(door.token), "csrf": door.csrf}
    moments = {"created_at": at, "seen_at": at, "expires_at": at + LONGEST}
    connection.execute(sa.insert(staff_sessions).values(**values, **moments, agent=door.agent[:200]))


def session(connection: sa.Connection, token: str, at: datetime) -> Session | None:
    """Who is in with this browser; None once the session ended, was idle too long, or the officer was revoked."""
    asked = {"digest": hashed(token), "now": at, "idle_since": at - IDLE}
    row = connection.execute(_SESSION, asked).first()
    return Session(row[0], _member(row[3:]), row[1], row[2]) if row else None


def touch(connection: sa.Connection, session_id: int, at: datetime) -> None:
    """Note that a session is in use."""
    connection.execute(_TOUCH, {"which": session_id, "now": at})


def end_session(connection: sa.Connection, token: str, at: datetime) -> None:
    """Let a browser out."""
    connection.execute(_END, {"digest": hashed(token), "now": at})


def ever_in(connection: sa.Connection) -> bool:
    """Whether an administrator who still is one was ever in."""
    statement = (
        sa.select(staff_sessions.c.id)
        .join(staff, staff.c.id == staff_sessions.c.staff_id)
        .where(_ACTIVE, staff.c.role == "admin")
        .limit(1)
    )
    return connection.execute(statement).first() is not None


def has_admin(connection: sa.Connection) -> bool:
    """Whether anybody may invite others."""
    return (
        connection.execute(sa.select(staff.c.id).where(_ACTIVE, staff.c.role == "admin")).first() is not None
    )


# Chats

_PLACE = sa.select(addresses.c.id).where(
    addresses.c.channel == sa.bindparam("met_channel"), addresses.c.address == sa.bindparam("met_address")
)
_HERE = (
    sa.select(*_COLUMNS)
    .join(staff_addresses, staff_addresses.c.staff_id == staff.c.id)
    .join(addresses, addresses.c.id == staff_addresses.c.address_id)
    .where(
        addresses.c.channel == sa.bindparam("met_channel"),
        addresses.c.address == sa.bindparam("met_address"),
        addresses.c.closed_at.is_(None),
        _ACTIVE,
    )
)
_CHATS = (
    sa.select(addresses.c.id, addresses.c.channel, staff_addresses.c.linked_at)
    .join(staff_addresses, staff_addresses.c.address_id == addresses.c.id)
    .where(
        staff_addresses.c.staff_id == sa.bindparam("who"),
        addresses.c.closed_at.is_(None),
        addresses.c.blocked_at.is_(None),
    )
    .order_by(staff_addresses.c.linked_at)
)


def link_chat(connection: sa.Connection, staff_id: int, channel: str, address: str, at: datetime) -> None:
    """Know an officer in this chat from now on, and nobody else in it."""
    place = connection.execute(_PLACE, {"met_channel": channel, "met_address": address}).scalar_one()
    statement = insert(staff_addresses).values(address_id=place, staff_id=staff_id, linked_at=at)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[staff_addresses.c.address_id],
            set_={"staff_id": statement.excluded.staff_id, "linked_at": statement.excluded.linked_at},
        )
    )


def unlink_chat(connection: sa.Connection, staff_id: int, address_id: int) -> bool:
    """Know an officer in one of their chats no more; whether they were."""
    statement = sa.delete(staff_addresses).where(
        staff_addresses.c.staff_id == staff_id, staff_addresses.c.address_id == address_id
    )
    return connection.execute(statement).rowcount > 0


def staff_at(connection: sa.Connection, channel: str, address: str) -> Member | None:
    """Which officer is known in this chat."""
    row = connection.execute(_HERE, {"met_channel": channel, "met_address": address}).first()
    return _member(row) if row else None


def chats(connection: sa.Connection, staff_id: int) -> list[Chat]:
    """The chats in which an officer can be written to, oldest first."""
    return [Chat(*row) for row in connection.execute(_CHATS, {"who": staff_id})]


# What turns ask and do

_OF_PERSON = (
    sa.select(staff.c.id, addresses.c.channel, addresses.c.address)
    .join(staff_addresses, staff_addresses.c.staff_id == staff.c.id)
    .join(addresses, addresses.c.id == staff_addresses.c.address_id)
    .where(addresses.c.person_id == sa.bindparam("whose"), addresses.c.closed_at.is_(None), _ACTIVE)
)
_REF = sa.select(staff.c.ref).where(staff.c.id == sa.bindparam("asked"))


def read_here(
    connection: sa.Connection, asked: Sequence[tuple[Person, StaffHere]]
) -> dict[tuple[int, StaffHere], Colleague]:
    """Which of these people are officers, and where; asked rarely, so person by person."""
    found = {}
    for person, query in asked:
        rows = connection.execute(_OF_PERSON, {"whose": person.id}).all()
        if rows:
            places = frozenset(
                (channel, address) for number, channel, address in rows if number == rows[0][0]
            )
            found[person.id, query] = Colleague(rows[0][0], places)
    return found


def link_by_turn(
    connection: sa.Connection, _person: Person, at: datetime, effect: LinkChat
) -> ChatLinked | ChatNotLinked:
    """Use a link to a chat up and know its officer there."""
    member = use_link(connection, effect.token, at, ("chat",))
    if member is None:
        return ChatNotLinked(effect.token)
    link_chat(connection, member.id, effect.channel, effect.address, at)
    act = Act("chat_linked", "staff", member.ref, {"channel": effect.channel})
    audit.add(connection, By(member.id, at), [act])
    return ChatLinked(member.name)


def give_desk_links(
    connection: sa.Connection, effects: Sequence[tuple[Person, datetime, GiveDeskLink]]
) -> None:
    """Make the links officers asked for in their chats."""
    for _, at, effect in effects:
        give_link(connection, effect.staff_id, "login", effect.token, at)
        ref = connection.execute(_REF, {"asked": effect.staff_id}).scalar_one()
        audit.add(connection, By(effect.staff_id, at), [Act("link_asked", "staff", ref)])
