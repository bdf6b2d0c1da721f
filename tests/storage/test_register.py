"""The register on both databases: taken whole or not at all, undone, merged, parted, found, erased."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.register.files import Opened
from bot.register.importing import Lists
from content.everything import Content
from handlers.register.found import Candidate, Table
from handlers.register.planning import Known, Plan
from handlers.register.rows import ListRead
from storage import enterprises, imports
from storage.database import Database, open_database
from storage.imports import AlreadyTaken, NoSuchImport, RegisterChanged
from tests.world import START

KEY = b"k" * 32
GO = Candidate(
    4, "Công ty TNHH Gỗ Hoài Nhơn", "0100109106", commune="hoai_nhon", phones=("+84912345678",),
    emails=("lienhe@vidu.vn",), person="Nguyễn Văn Bình", employees=120, other=(("Vốn", "5"),),
)  # fmt: skip
DA = Candidate(5, "CTCP Đá Quy Nhơn", "0100047516", commune="quy_nhon", phones=("+84905123456",))
HOUSE = Candidate(6, "HKD Bún Cá Ngọc Liên", commune_text="Xã Cát Hanh")


class Register:
    """A register to take lists into."""

    def __init__(self, url: str, content: Content) -> None:
        self.database: Database = open_database(url)
        self.lists = Lists(content, lambda: KEY)
        self.at = START

    def plan(self, *rows: Candidate) -> Plan:
        """What these rows mean for the register as it is."""
        with self.database.reader.connect() as connection:
            return self.lists.compare(connection, ListRead(Table("s", ()), None, rows, (), ()))  # type: ignore[arg-type]

    def take(self, *rows: Candidate, plan: Plan | None = None, tick: Any = lambda _rows: None) -> int:
        """Take these rows as a list of their own."""
        plan = plan or self.plan(*rows)
        sha256 = hashlib.sha256(repr(rows).encode()).hexdigest()
        opened, new = Opened("ds.xlsx", sha256, Table("s", ()), ()), self.lists.new(plan)
        self.at += timedelta(minutes=1)
        with self.database.writer.begin() as connection:
            return self.lists.take(connection, opened, plan, new, who="Lan", at=self.at, tick=tick)

    def undo(self, number: int) -> tuple[int, int, int]:
        """Undo an import."""
        self.at += timedelta(minutes=1)
        with self.database.writer.begin() as connection:
            return self.lists.undo(connection, number, self.at)

    def find(self, text: str) -> list[str]:
        """Names found."""
        with self.database.reader.connect() as connection:
            return [one.name for one in enterprises.find(connection, text, 20, key=KEY)]

    def every(self) -> list[Known]:
        """All enterprises."""
        with self.database.reader.connect() as connection:
            return list(enterprises.every(connection))

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        named = ("enterprises", "enterprise_words", "enterprise_contacts", "imports", "import_rows")
        with self.database.reader.connect() as connection:
            return {
                name: connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one()
                for name in named
            }


@pytest.fixture
def register(url: str, content: Content) -> Iterator[Register]:
    made = Register(url, content)
    yield made
    made.database.close()


def test_a_list_is_taken_whole(register: Register) -> None:
    register.take(GO, DA, HOUSE)

    one, two, three = register.every()
    assert (one.name, one.tax_code, one.commune, one.employees, one.size_band) == (
        GO.name, "0100109106", "hoai_nhon", 120, "to_200",
    )  # fmt: skip
    assert (one.phones, one.emails, one.persons) == (GO.phones, GO.emails, (GO.person,))
    assert (one.more, one.source, len(one.ref)) == ({"Vốn": "5"}, "import 1", 12)
    assert (two.tax_code, three.tax_code, three.commune_text) == ("0100047516", None, "Xã Cát Hanh")


def test_the_same_list_again_changes_nothing(register: Register) -> None:
    register.take(GO, DA)
    before = register.rows()

    with pytest.raises(AlreadyTaken) as raised:
        register.take(GO, DA)

    assert (raised.value.import_id, register.rows()) == (1, before)


def test_another_list_updates_what_it_says_and_adds_contacts(register: Register) -> None:
    register.take(GO, DA)
    plan = register.plan(
        replace(
            GO, name="Công ty TNHH Gỗ Hoài Nhơn Mới", phones=("+84988888888",), emails=(), employees=None
        ),
        DA,
    )

    assert [(one.field, one.after) for one in plan.updates[0].changes] == [
        ("name", "Công ty TNHH Gỗ Hoài Nhơn Mới"),
        ("phone", "+84988888888"),
    ]
    assert len(plan.same) == 1
    register.take(plan=plan)
    one, _ = register.every()
    assert (one.name, one.phones, one.emails, one.employees) == (
        "Công ty TNHH Gỗ Hoài Nhơn Mới", ("+84912345678", "+84988888888"), ("lienhe@vidu.vn",), 120,
    )  # fmt: skip
    assert register.find("hoai nhon moi") == [one.name]


def test_an_import_undone_leaves_what_was_before(register: Register) -> None:
    register.take(GO)
    before, rows = register.every(), register.rows()
    number = register.take(
        replace(GO, name="Công ty TNHH Gỗ Tam Quan", address="1 Lê Lợi", confirm="same"), DA, HOUSE
    )

    assert register.undo(number) == (2, 1, 0)

    assert [replace(one, updated_at=None) for one in register.every()] == [
        replace(one, updated_at=None) for one in before
    ]
    after = register.rows()
    assert {name: after[name] - rows[name] for name in rows} == {
        "enterprises": 0, "enterprise_words": 0, "enterprise_contacts": 0, "imports": 1, "import_rows": 3,
    }  # fmt: skip
    assert (register.find("tam quan"), register.find("hoai nhon")) == ([], [GO.name])
    with pytest.raises(NoSuchImport):
        register.undo(number)
    register.take(DA)  # and may be taken again


def test_what_was_changed_since_stays_when_an_import_is_undone(register: Register) -> None:
    number = register.take(GO, DA)
    register.take(replace(GO, address="1 Lê Lợi"))

    assert register.undo(number) == (1, 0, 1)
    assert [one.name for one in register.every()] == [GO.name]


def test_a_list_compared_before_another_was_taken_is_refused(register: Register) -> None:
    stale = register.plan(GO)
    register.take(GO, DA)
    before = register.rows()

    with pytest.raises(RegisterChanged):
        register.take(HOUSE, plan=stale)

    changed = register.plan(replace(GO, address="1 Lê Lợi"))
    register.take(replace(GO, address="2 Lê Lợi"))
    with pytest.raises(RegisterChanged):
        register.take(DA, plan=changed)
    assert register.rows()["enterprises"] == before["enterprises"]


def test_a_failure_between_chunks_leaves_nothing(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.imports.AT_ONCE", 2)
    rows = [Candidate(row, f"Công ty TNHH Số {row}", None, commune_text=str(row)) for row in range(10)]

    def stop(done: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        register.take(*rows, tick=stop)

    assert set(register.rows().values()) == {0}
    register.take(*rows)
    assert register.rows()["enterprises"] == 10


def test_a_preview_is_kept_and_takes_nothing(register: Register) -> None:
    opened = Opened("ds.xlsx", "0" * 64, Table("s", ()), ())
    with register.database.writer.begin() as connection:
        register.lists.preview(connection, opened, register.plan(GO), who="Lan", at=START)

    with register.database.reader.connect() as connection:
        assert imports.taken(connection, "0" * 64, "s") is None
    assert register.rows()["enterprises"] == 0


# Merging


def _merge(register: Register, kept: int, gone: int) -> int:
    with register.database.writer.begin() as connection:
        return enterprises.merge(connection, kept, gone, who="Lan", at=register.at)


def _part(register: Register, number: int) -> None:
    with register.database.writer.begin() as connection:
        enterprises.part(connection, number, at=register.at)


def test_two_become_one_and_two_again(register: Register) -> None:
    register.take(
        replace(GO, tax_code=None, employees=None), replace(DA, phones=GO.phones, address="1 Lê Lợi")
    )
    before = register.every()

    number = _merge(register, 1, 2)

    [one] = register.every()
    assert (one.name, one.tax_code, one.address, one.phones) == (GO.name, "0100047516", "1 Lê Lợi", GO.phones)
    assert register.find("da quy nhon") == [GO.name]
    assert register.plan(replace(DA, name=GO.name)).updates == [] or register.plan(DA).new == []

    _part(register, number)

    stamps = {"updated_at": None}
    assert [replace(each, **stamps) for each in register.every()] == [
        replace(each, **stamps) for each in before
    ]
    with pytest.raises(enterprises.NoSuchMerge):
        _part(register, number)


def test_what_was_merged_follows_into_the_next(register: Register) -> None:
    register.take(GO, DA, HOUSE)
    first = _merge(register, 2, 3)
    second = _merge(register, 1, 2)

    assert register.find("bun ca") == [GO.name]
    with pytest.raises(enterprises.NoSuchMerge):
        _part(register, first)
    _part(register, second)
    assert register.find("bun ca") == [DA.name]
    _part(register, first)
    assert register.find("bun ca") == [HOUSE.name]


@pytest.mark.parametrize(("kept", "gone"), [(1, 1), (1, 99), (99, 1)])
def test_what_is_not_there_cannot_be_merged(register: Register, kept: int, gone: int) -> None:
    register.take(GO)

    with pytest.raises(enterprises.NoSuchEnterprise):
        _merge(register, kept, gone)


# Finding


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("gỗ hoài", [GO.name]),
        ("HOAI NHON", [GO.name]),
        ("nh ho", [GO.name]),
        ("cong ty co phan da", [DA.name]),
        ("ctcp", [DA.name]),
        ("ho kinh doanh bun", [HOUSE.name]),
        ("0100109", [GO.name]),
        ("0100 109 106", [GO.name]),
        ("0912345678", [GO.name]),
        ("+84 905 123 456", [DA.name]),
        ("LienHe@vidu.vn", [GO.name]),
        ("0912345679", []),
        ("xăng dầu", []),
        ("", []),
        ("%", []),
        ("'; DROP TABLE enterprises", []),
    ],
)
def test_enterprises_are_found_by_a_few_letters(register: Register, text: str, names: list[str]) -> None:
    register.take(GO, DA, HOUSE)

    assert register.find(text) == names


def test_the_nearest_comes_first(register: Register) -> None:
    rows = ["Công ty TNHH Gốm Sứ Hoài Nhơn Bắc", "Công ty TNHH Gỗ", "Công ty TNHH Gỗ Hoài Nhơn"]
    register.take(*(Candidate(row, name) for row, name in enumerate(rows)))

    assert register.find("go") == [rows[1], rows[2], rows[0]]


def test_searches_use_the_indexes(register: Register) -> None:
    """The plan of each search, over a register large enough that a scan would be chosen were it possible."""
    rows = [
        Candidate(row, f"Công ty TNHH {row % 997} Gỗ {row}", f"41{row:08d}", phones=(f"+8491{row:07d}",))
        for row in range(3000)
    ]
    register.take(*rows)
    with register.database.writer.begin() as connection:
        connection.execute(sa.text("ANALYZE"))
    between = {"a0": "go", "b0": "go\U0010ffff", "a1": "12", "b1": "12\U0010ffff"}
    searches = [
        (enterprises.by_words(2), between, "ix_enterprise_words_word_enterprise_id"),
        (
            enterprises.BY_NAME,
            {"a0": "cong ty tnhh 12 go", "b0": "cong ty tnhh 12 go\U0010ffff"},
            "ix_enterprises_search",
        ),
        (enterprises.BY_TAX_CODE, {"a0": "4100001", "b0": "4100001\U0010ffff"}, "tax_code"),
        (enterprises.BY_LOOKUP, {"lookup": "0" * 64}, "ix_enterprise_contacts_lookup"),
    ]

    for statement, values, index in searches:
        plan = _plan(register.database, statement, values)
        assert index in plan or (index == "tax_code" and "autoindex_enterprises" in plan), plan
        assert "Seq Scan on enterprise_words" not in plan
        assert "SCAN enterprise" not in plan


def _plan(database: Database, statement: sa.Select[Any], values: dict[str, str]) -> str:
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.reader.connect() as connection:
        compiled = statement.compile(dialect=connection.dialect)
        given = {**compiled.params, **values}
        bound = tuple(given[name] for name in compiled.positiontup) if compiled.positiontup else given
        return "\n".join(
            str(tuple(row)) for row in connection.exec_driver_sql(explain + str(compiled), bound)
        )


# Erasing


def test_contacts_are_erased_and_the_enterprise_stays(register: Register) -> None:
    register.take(GO, replace(DA, phones=GO.phones))

    with register.database.writer.begin() as connection:
        assert enterprises.erase_value(connection, KEY, "+84912345678") == 2
        assert enterprises.erase_contacts(connection, 1) == 2

    assert [(one.phones, one.emails, one.persons) for one in register.every()] == [((), (), ())] * 2
    assert register.find("0912345678") == []
    if register.database.is_sqlite:
        path = Path(register.database.url.database or "")
        files = [file.read_bytes() for file in path.parent.glob(f"{path.name}*")]
        assert not any(b"+84912345678" in data or "Nguyễn Văn Bình".encode() in data for data in files)
