"""Staff on both databases: who comes in, who goes, what is written down of it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from storage import audit, people, staff
from storage.audit import Act, Asked, By
from storage.database import Database, open_database
from storage.staff import Door, LastAdmin, Member, NameTaken, NewMember, NoSuchStaff, Role
from storage.tables import metadata, staff_links, staff_sessions
from tests.world import START

Given = TypeVar("Given")


class Office:
    """An office's staff, and a clock."""

    def __init__(self, url: str) -> None:
        self.database: Database = open_database(url)
        self.at = START

    def pass_(self, **time: float) -> None:
        self.at += timedelta(**time)

    def do(self, function: Callable[[sa.Connection], Given]) -> Given:
        """One transaction."""
        with self.database.writer.begin() as connection:
            return function(connection)

    def invite(self, name: str, role: Role = "officer", email: str | None = None) -> Member:
        new = NewMember(f"REF{name.upper()[:10]}", name, "Phòng Đo lường", role, email)
        return self.do(lambda connection: staff.invite(connection, new, self.at))

    def enter(self, member: Member, token: str = "cookie") -> None:
        door = Door(token, "csrf", "Firefox " * 100)
        self.do(lambda connection: staff.begin_session(connection, member.id, door, self.at))

    def session(self, token: str = "cookie") -> staff.Session | None:
        return self.do(lambda connection: staff.session(connection, token, self.at))

    def link(self, member: Member, token: str, purpose: staff.Purpose = "invite") -> None:
        self.do(lambda connection: staff.give_link(connection, member.id, purpose, token, self.at))

    def use(self, token: str, *purposes: staff.Purpose) -> Member | None:
        meant = purposes or staff.IN
        return self.do(lambda connection: staff.use_link(connection, token, self.at, meant))

    def revoke(self, member: Member) -> None:
        self.do(lambda connection: staff.revoke(connection, member.id, self.at))


@pytest.fixture
def office(url: str) -> Iterator[Office]:
    made = Office(url)
    yield made
    made.database.close()


def test_a_member_is_found_by_name_and_mail_address_whatever_the_case(office: Office) -> None:
    lan = office.invite("Nguyễn Thị Lan", "admin", "Lan@Sokhcn.vn")

    for asked in ("nguyễn thị  LAN", "NGUYỄN THỊ LAN", " lan@sokhcn.vn "):
        assert office.do(lambda connection, asked=asked: staff.by_name(connection, asked)) == lan
    assert office.do(lambda connection: staff.by_name(connection, "Lan")) is None
    assert office.do(lambda connection: staff.by_ref(connection, lan.ref)) == lan


@pytest.mark.parametrize(("name", "email"), [("lan", None), ("Bình", "LAN@x.vn"), ("lan@x.vn", None)])
def test_no_two_members_have_one_name_or_mail_address(office: Office, name: str, email: str | None) -> None:
    office.invite("Lan", email="lan@x.vn")

    with pytest.raises(NameTaken):
        office.invite(name, email=email)


def test_the_name_of_somebody_who_left_is_free(office: Office) -> None:
    office.invite("Chủ", "admin")
    office.revoke(office.invite("Lan"))
    new = NewMember("REF2", "Lan")

    assert office.do(lambda connection: staff.invite(connection, new, office.at)).ref == "REF2"


@pytest.mark.parametrize(
    ("role", "may"),
    [("viewer", [True, False, False]), ("officer", [True, True, False]), ("admin", [True, True, True])],
)
def test_a_role_may_what_those_below_it_may(office: Office, role: Role, may: list[bool]) -> None:
    lan = office.invite("Lan", role)

    assert [lan.may(one) for one in staff.ROLES] == may


# Links


def test_a_link_opens_once(office: Office) -> None:
    lan = office.invite("Lan")
    office.link(lan, "t1")

    assert office.do(lambda connection: staff.link_is_for(connection, "t1", office.at)) == lan
    assert office.do(lambda connection: staff.link_is_for(connection, "t1", office.at)) == lan
    assert office.use("t1") == lan
    assert office.use("t1") is None
    assert office.do(lambda connection: staff.link_is_for(connection, "t1", office.at)) is None


@pytest.mark.parametrize(
    ("purpose", "lasts"),
    [("invite", {"days": 7}), ("login", {"minutes": 10}), ("chat", {"minutes": 10})],
)
def test_a_link_expires(office: Office, purpose: staff.Purpose, lasts: dict[str, float]) -> None:
    lan = office.invite("Lan")
    office.link(lan, "t1", purpose)
    office.pass_(**lasts)

    assert office.use("t1", purpose) is None


def test_a_new_invitation_voids_the_old_and_a_login_link_does_not(office: Office) -> None:
    lan = office.invite("Lan")
    office.link(lan, "i1")
    office.link(lan, "l1", "login")
    office.link(lan, "l2", "login")
    office.link(lan, "i2")

    assert office.use("i1") is None
    assert [office.use(one) for one in ("i2", "l1", "l2")] == [lan] * 3


def test_a_link_to_a_chat_does_not_lead_into_the_desk(office: Office) -> None:
    lan = office.invite("Lan")
    office.link(lan, "c1", "chat")

    assert office.use("c1") is None
    assert office.use("c1", "chat") == lan


def test_how_many_links_were_asked_for_is_known(office: Office) -> None:
    lan = office.invite("Lan")
    since = office.at - timedelta(minutes=1)
    for token in ("a", "b"):
        office.link(lan, token, "login")

    assert office.do(lambda connection: staff.links_since(connection, lan.id, "login", since)) == 2
    assert office.do(lambda connection: staff.links_since(connection, lan.id, "login", office.at)) == 0


# Sessions


def test_a_session_is_known_by_what_the_browser_has(office: Office) -> None:
    lan = office.invite("Lan")
    office.enter(lan)
    found = office.session()

    assert found is not None
    assert (found.member, found.csrf) == (lan, "csrf")
    assert office.session("other") is None


def test_a_session_ends_when_it_is_idle_too_long_and_not_before(office: Office) -> None:
    office.enter(office.invite("Lan"))
    for _ in range(10):
        office.pass_(hours=11)
        found = office.session()
        assert found is not None
        office.do(lambda connection, found=found: staff.touch(connection, found.id, office.at))
    office.pass_(hours=12)

    assert office.session() is None


def test_a_session_ends_after_seven_days_however_busy(office: Office) -> None:
    office.enter(office.invite("Lan"))
    seen = 0
    while (found := office.session()) is not None:
        seen += 1
        office.do(lambda connection, found=found: staff.touch(connection, found.id, office.at))
        office.pass_(hours=1)

    assert seen == 7 * 24


def test_leaving_ends_one_session_and_revoking_all(office: Office) -> None:
    office.invite("Chủ", "admin")
    lan = office.invite("Lan")
    for token in ("a", "b", "c"):
        office.enter(lan, token)
    office.link(lan, "i1")
    office.do(lambda connection: staff.end_session(connection, "a", office.at))
    assert [office.session(token) is None for token in "abc"] == [True, False, False]

    office.revoke(lan)

    assert [office.session(token) for token in "abc"] == [None] * 3
    assert office.use("i1") is None
    with pytest.raises(NoSuchStaff):
        office.revoke(lan)


def test_nothing_that_opens_anything_stands_in_the_database(office: Office) -> None:
    lan = office.invite("Lan")
    office.enter(lan, "the-cookie-itself")
    office.link(lan, "the-link-itself")
    for table in (staff_links, staff_sessions):
        rows = office.do(lambda connection, table=table: connection.execute(sa.select(table)).all())
        assert "itself" not in repr(rows)


# Roles


def test_the_last_admin_stays(office: Office) -> None:
    chu = office.invite("Chủ", "admin")
    lan = office.invite("Lan")
    for attempt in (
        lambda connection: staff.revoke(connection, chu.id, office.at),
        lambda connection: staff.set_role(connection, chu.id, "officer"),
        lambda connection: staff.hand_over(connection, chu.id, lan.id, office.at),
    ):
        with pytest.raises(LastAdmin):
            office.do(attempt)

    office.do(lambda connection: staff.set_role(connection, lan.id, "admin"))
    office.do(lambda connection: staff.set_role(connection, chu.id, "viewer"))

    assert [(one.member.name, one.member.role) for one in office.do(staff.every)] == [
        ("Chủ", "viewer"),
        ("Lan", "admin"),
    ]


def test_what_is_assigned_passes_to_a_colleague(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = sa.Table(
        "test_calls", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("officer", sa.Integer)
    )
    office.do(calls.create)
    monkeypatch.setattr(staff, "ASSIGNED", [calls.c.officer])
    office.invite("Chủ", "admin")
    lan, binh = office.invite("Lan"), office.invite("Bình")
    office.enter(lan)
    rows = [{"id": number, "officer": who.id} for number, who in enumerate([lan, binh, lan])]
    office.do(lambda connection: connection.execute(sa.insert(calls), rows))

    moved = office.do(lambda connection: staff.hand_over(connection, lan.id, binh.id, office.at))

    assert moved == {"test_calls": 2}
    officers = office.do(lambda connection: connection.execute(sa.select(calls.c.officer)).scalars().all())
    assert set(officers) == {binh.id}
    assert office.session() is None


def test_nothing_passes_to_somebody_who_left_or_to_oneself(office: Office) -> None:
    office.invite("Chủ", "admin")
    lan, binh = office.invite("Lan"), office.invite("Bình")
    office.revoke(binh)
    for to in (binh, lan):
        with pytest.raises(NoSuchStaff):
            office.do(lambda connection, to=to: staff.hand_over(connection, lan.id, to.id, office.at))


def test_what_is_assigned_is_a_column_of_a_table() -> None:
    for column in staff.ASSIGNED:
        assert column.table.name in metadata.tables


# Chats


def test_a_chat_belongs_to_one_member(office: Office) -> None:
    office.invite("Chủ", "admin")
    lan, binh = office.invite("Lan"), office.invite("Bình")
    met = ("telegram", "77")

    def link(who: Member) -> None:
        office.do(lambda connection: people.lock(connection, [met], office.at))
        office.do(lambda connection: staff.link_chat(connection, who.id, *met, office.at))

    link(lan)
    assert office.do(lambda connection: staff.staff_at(connection, *met)) == lan
    link(binh)
    assert office.do(lambda connection: staff.staff_at(connection, *met)) == binh
    assert office.do(lambda connection: staff.chats(connection, lan.id)) == []
    [chat] = office.do(lambda connection: staff.chats(connection, binh.id))
    assert (chat.channel, office.do(staff.every)[0].channels) == ("telegram", ("telegram",))

    office.revoke(binh)
    assert office.do(lambda connection: staff.staff_at(connection, *met)) is None


# The audit


def test_the_audit_is_read_by_what_is_asked(office: Office) -> None:
    lan, binh = office.invite("Lan"), office.invite("Bình")
    acts = [(lan.id, "signed_in", "staff"), (binh.id, "signed_in", "staff"), (None, "invited", "staff")]
    for who, act, kind in acts:
        entry = Act(act, kind, lan.ref, {"role": "admin", "fields": ["name"]})
        office.do(
            lambda connection, who=who, entry=entry: audit.add(connection, By(who, office.at, "h"), [entry])
        )
        office.pass_(hours=1)

    def asked(**what: Any) -> list[tuple[str | None, str]]:
        found = office.do(lambda connection: audit.read(connection, Asked(**what)))
        return [(one.name, one.act) for one in found]

    assert asked() == [(None, "invited"), ("Bình", "signed_in"), ("Lan", "signed_in")]
    assert asked(staff_ref=binh.ref) == [("Bình", "signed_in")]
    assert asked(staff_ref="command") == [(None, "invited")]
    assert asked(act="signed_in", until=START + timedelta(minutes=1)) == [("Lan", "signed_in")]
    assert asked(kind="staff", ref="none") == []
    assert [one.name for one in office.do(lambda connection: list(audit.every(connection)))] == [
        "Lan",
        "Bình",
        None,
    ]
    [first] = office.do(lambda connection: audit.read(connection, Asked(), before=2))
    assert dict(first.details) == {"role": "admin", "fields": ["name"]}
    assert office.do(audit.acts) == ["invited", "signed_in"]


@pytest.mark.parametrize("statement", ["UPDATE audit SET act = 'x'", "DELETE FROM audit"])
def test_the_audit_is_only_added_to(office: Office, statement: str) -> None:
    lan = office.invite("Lan")
    office.do(lambda connection: audit.add(connection, By(lan.id, office.at), [Act("a", "b")]))

    with pytest.raises(sa.exc.DBAPIError):
        office.do(lambda connection: connection.execute(sa.text(statement)))
    assert office.do(audit.total) == 1
