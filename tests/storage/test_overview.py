"""What the desk shows at a glance and changes by hand, on both databases."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.register.importing import Lists
from content.everything import Content
from handlers.messages import Message
from handlers.register.found import Candidate
from storage import enterprises, outbox, overview, people, posts, staff
from storage.database import open_database
from storage.enterprises import NoSuchEnterprise
from storage.forms import publish
from storage.imports import CodeTaken, RegisterChanged
from storage.overview import Wanted
from storage.staff import LastAdmin, NewMember
from storage.tables import questions, responses
from tests.storage.test_register import DA, GO, HOUSE, KEY, Register
from tests.world import START


@pytest.fixture
def register(url: str, content: Content) -> Iterator[Register]:
    made = Register(url, content)
    yield made
    made.database.close()


def listed(register: Register, wanted: Wanted, most: int = 3) -> list[int]:
    """Every id, page by page."""
    found: list[int] = []
    while True:
        with register.database.reader.connect() as connection:
            page = overview.listed(connection, wanted, most)
        found += [number for number, _ in page]
        if len(page) < most:
            return found
        wanted = replace(wanted, after=(page[-1][1], page[-1][0]))


def test_a_list_is_turned_page_by_page_and_misses_nobody(register: Register) -> None:
    """Names that are alike, and moments that are the same, too."""
    register.take(*(Candidate(n, f"Cơ sở {n:02}") for n in range(1, 21)))
    with register.database.writer.begin() as connection:
        connection.execute(sa.text("UPDATE enterprises SET search = 'co so ' || (id / 3)"))
        connection.execute(sa.text("UPDATE enterprises SET commune = 'quy_nhon' WHERE id % 3 = 0"))
    everybody = list(range(1, 21))

    assert sorted(listed(register, Wanted())) == everybody
    assert listed(register, Wanted(is_newest=True)) == everybody[::-1]
    assert listed(register, Wanted(commune="quy_nhon")) == sorted(
        listed(register, Wanted(commune="quy_nhon")), key=lambda number: (f"co so {number // 3}", number)
    )
    assert len(listed(register, Wanted(commune="quy_nhon"))) == 6
    assert listed(register, Wanted(kind="llc")) == []


def test_a_list_by_name_is_read_from_its_index(register: Register) -> None:
    """A page deep in a long list costs what the first one costs."""
    rows = [
        {
            "ref": f"r{n}", "name": f"n{n}", "search": f"co so {n:06}", "commune_text": "", "address": "",
            "sector": "", "note": "", "more": "{}", "source": "t", "created_at": START, "updated_at": START,
        }
        for n in range(5_000)
    ]  # fmt: skip
    with register.database.writer.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO enterprises (ref, name, search, commune_text, address, sector, note, more, source,"
                " created_at, updated_at) VALUES (:ref, :name, :search, :commune_text, :address, :sector, :note,"
                " :more, :source, :created_at, :updated_at)"
            ),
            [{**one, "created_at": START.isoformat(), "updated_at": START.isoformat()} for one in rows],
        )
        connection.execute(sa.text("ANALYZE"))
    plans: list[str] = []
    statements: list[tuple[str, Any]] = []

    with register.database.reader.connect() as connection:

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
            statements.append((statement, parameters))

        sa.event.listen(connection, "before_cursor_execute", note)
        overview.listed(connection, Wanted(after=("co so 004000", 4_000)), 50)
        sa.event.remove(connection, "before_cursor_execute", note)
        statement, parameters = statements[-1]
        explain = "EXPLAIN QUERY PLAN" if register.database.is_sqlite else "EXPLAIN"
        plans += map(str, connection.exec_driver_sql(f"{explain} {statement}", parameters).all())

    assert "ix_enterprises_search" in " ".join(plans)
    assert "SCAN enterprises USING INDEX" not in " ".join(plans)


# Changing by hand


def change(register: Register, number: int, seen: Any, **fields: Any) -> list[str]:
    lists: Lists = register.lists
    with register.database.writer.begin() as connection:
        return lists.change(connection, number, seen, fields, register.at + timedelta(hours=1))


def read(register: Register, number: int) -> Any:
    with register.database.reader.connect() as connection:
        return enterprises.read(connection, [number])[number]


def test_an_enterprise_is_changed_and_found_by_its_new_name(register: Register) -> None:
    register.take(GO, DA)
    before = read(register, 1)
    changed = change(
        register, 1, before.updated_at, name="Cty TNHH Gỗ Bồng Sơn", employees=5, note=before.note
    )

    after = read(register, 1)
    assert changed == ["employees", "name"]
    assert (after.size_band, after.phones, after.more) == ("up_to_10", before.phones, before.more)
    with register.database.reader.connect() as connection:
        found = enterprises.find(connection, "công ty gỗ bồng sơn", key=KEY)
        assert [one.id for one in found] == [1]
        assert enterprises.find(connection, "hoài nhơn") == []


def test_a_change_is_refused_where_it_would_undo_anothers_or_take_a_code(register: Register) -> None:
    register.take(GO, DA, HOUSE)
    go = read(register, 1)
    with pytest.raises(CodeTaken):
        change(register, 1, go.updated_at, tax_code=DA.tax_code)
    change(register, 1, go.updated_at, note="một")
    with pytest.raises(RegisterChanged):
        change(register, 1, go.updated_at, note="hai")
    with pytest.raises(NoSuchEnterprise):
        change(register, 99, go.updated_at, note="ba")
    with register.database.writer.begin() as connection:
        merge = enterprises.merge(connection, 2, 3, who="Lan", at=register.at)
        [merged] = overview.merged_into(connection, 2)
    with pytest.raises(NoSuchEnterprise):
        change(register, 3, go.updated_at, note="bốn")

    assert (merged.merge_id, merged.name, merged.who) == (merge, HOUSE.name, "Lan")
    assert read(register, 1).note == "một"
    assert change(register, 2, read(register, 2).updated_at, tax_code=DA.tax_code) == []


def test_contacts_come_and_go_one_by_one(register: Register) -> None:
    register.take(GO, DA)
    with register.database.writer.begin() as connection:

        def add(value: str) -> bool:
            return enterprises.add_contact(connection, KEY, 2, "phone", value, START)

        assert [add(value) for value in ("+84905000111", "+84905000111", DA.phones[0])] == [
            True,
            False,
            False,
        ]
        assert enterprises.remove_contact(connection, KEY, 2, "phone", DA.phones[0])
        assert not enterprises.remove_contact(connection, KEY, 2, "phone", GO.phones[0])
        assert not enterprises.remove_contact(connection, KEY, 2, "email", "+84905000111")

    assert read(register, 2).phones == ("+84905000111",)
    assert read(register, 1).phones == GO.phones
    with register.database.reader.connect() as connection:
        assert [one.id for one in enterprises.find(connection, "0905 000 111", key=KEY)] == [2]


# Counts


def test_answers_are_counted_and_found_by_their_tax_code(url: str, content: Content) -> None:
    database = open_database(url)
    form = content.forms["demand_survey"]
    rows = [
        ("A", 2026, "submitted", "0100109106", START),
        ("B", 2026, "submitted", None, START - timedelta(days=2)),
        ("C", 2026, "partial", "0100109106", None),
        ("D", 2026, "cancelled", "0100109106", None),
        ("E", 2025, "submitted", "0100109106", START - timedelta(days=400)),
    ]
    with database.writer.begin() as connection:
        publish(connection, [form], START)
        for code, year, status, tax_code, at in rows:
            values = {"code": code, "year": year, "status": status, "tax_code": tax_code, "submitted_at": at}
            fixed = {"form_id": form.id, "version": form.version, "last_question": "", "rival": False}
            moments = {"started_at": START, "updated_at": START}
            empty: Any = "{}" if database.is_sqlite else {}
            connection.execute(sa.insert(responses).values(**values, **fixed, **moments, answers=empty))
    with database.reader.connect() as connection:
        counted = overview.answers(connection, form.id, 2026, START - timedelta(days=1))
        given = overview.given_by(connection, "0100109106", [form.id], 2026)
        assert overview.answers(connection, "other", 2026, START) == overview.Answers(0, 0, 0)
    database.close()

    assert counted == overview.Answers(submitted=2, partial=1, new=1)
    assert [(one.year, one.status) for one in given] == [
        (2026, "partial"), (2026, "submitted"), (2025, "submitted"),
    ]  # fmt: skip


def test_handed_questions_are_counted(url: str) -> None:
    database = open_database(url)
    with database.writer.begin() as connection:
        met = people.lock(connection, [("web", "an")], START)["web", "an"]
        for status in ("handed", "handed", "unanswered"):
            values = {"person_id": met.standing.person.id, "at": START, "language": "vi", "text": "?"}
            connection.execute(sa.insert(questions).values(**values, status=status))
        assert overview.handed(connection) == 2
    database.close()


# What is said first


def test_what_answers_nobody_waits_for_its_reader_or_its_sender(url: str) -> None:
    database = open_database(url)
    with database.writer.begin() as connection:
        met = people.lock(connection, [("web", "an"), ("post", "77")], START)
        outbox.begin(connection, met["web", "an"].address_id, None, Message("một"), START)
        outbox.begin(connection, met["post", "77"].address_id, "post", Message("hai"), START)
        [line] = outbox.after(connection, "web", [("an", 0)])["an"]
        until = START + timedelta(minutes=1)
        [taken] = posts.take_up(connection, "post", "me", START, until, bulk=False, most=10)
    database.close()

    assert (line.message.text, line.said) == ("một", None)
    assert (taken.address, taken.message.text) == ("77", "hai")


def test_two_admins_who_revoke_each_other_at_once_leave_one(url: str) -> None:
    database = open_database(url)
    with database.writer.begin() as connection:
        pair = [
            staff.invite(connection, NewMember(name, name, role="admin"), START).id for name in ("A", "B")
        ]
    others = [open_database(url) for _ in pair]
    start, results = threading.Barrier(2), []

    def revoke(place: int) -> None:
        start.wait()
        try:
            with others[place].writer.begin() as connection:
                staff.revoke(connection, pair[place], START)
            results.append("revoked")
        except LastAdmin:
            results.append("last")

    threads = [threading.Thread(target=revoke, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in (*others, database):
        one.close()

    assert sorted(results) == ["last", "revoked"]
