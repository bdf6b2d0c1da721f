"""Opening, migrating, losing and filling a database."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from storage.database import open_database
from storage.errors import DatabaseTooNew, DatabaseTooOld, StoreUnavailable
from storage.migrate import Shape, migrate, ready, revisions, shape
from storage.tables import metadata
from storage.unit_of_work import Done
from tests.storage.conftest import Hand, turn
from tests.storage.seats import SeatsRouter, create_tables
from tests.world import Postgres, Sqlite


def test_a_new_database_becomes_ready_by_itself(databases: Sqlite | Postgres) -> None:
    database = open_database(databases.new(migrated=False))

    assert shape(database) is Shape.NEW
    ready(database)

    assert shape(database) is Shape.CURRENT
    database.close()


def test_migrating_twice_changes_nothing(databases: Sqlite | Postgres) -> None:
    database = open_database(databases.new(migrated=False))

    assert migrate(database) == revisions()
    assert migrate(database) == []
    database.close()


def test_the_migrations_make_the_tables_the_code_uses(url: str) -> None:
    database = open_database(url)

    with database.reader.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    assert differences == []
    database.close()


def test_a_database_from_the_future_is_refused(url: str) -> None:
    _stamp(url, "9999")
    database = open_database(url)

    with pytest.raises(DatabaseTooNew, match="later version"):
        ready(database)
    with pytest.raises(DatabaseTooNew):
        migrate(database)
    database.close()


def test_an_older_database_asks_for_its_migration(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = [*revisions(), "9999"]
    monkeypatch.setattr("storage.migrate.revisions", lambda: known)
    database = open_database(url)

    with pytest.raises(DatabaseTooOld, match="python -m bot migrate"):
        ready(database)
    database.close()


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "mysql://localhost/x", "sqlite://", "sqlite:///:memory:", "postgresql+nothing"],
)
def test_a_url_that_is_neither_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match="database"):
        open_database(url)


def test_sqlite_keeps_what_it_acknowledged_over_a_power_cut(sqlite: Sqlite) -> None:
    """Not tested by pulling a plug: synchronous=FULL (2) is what the promise rests on."""
    database = open_database(sqlite.new())
    with database.writer.connect() as connection:
        raw: Any = connection.connection.dbapi_connection

        assert raw.execute("PRAGMA synchronous").fetchone() == (2,)
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert raw.execute("PRAGMA foreign_keys").fetchone() == (1,)
    database.close()


def test_a_reader_cannot_write(url: str) -> None:
    database = open_database(url)
    with database.reader.connect() as connection, pytest.raises(sa.exc.DBAPIError):
        connection.execute(sa.text("DELETE FROM turns"))
    database.close()


def test_a_database_file_that_is_taken_away_takes_no_more_messages(
    sqlite: Sqlite, router: SeatsRouter
) -> None:
    """SQLite would go on writing into the file that has no name any more."""
    url = sqlite.new()
    path = Path(url.removeprefix("sqlite:///"))
    hand = _hand(url, router)
    hand.say(("an", "menu"))
    aside = path.with_suffix(".aside")
    path.rename(aside)

    [refused] = hand.say(("an", "menu"))
    assert isinstance(refused, StoreUnavailable)
    assert not path.exists()

    aside.rename(path)
    [done] = hand.say(("an", "menu"))
    assert isinstance(done, Done)
    hand.database.close()


def test_a_full_disk_refuses_and_harms_nothing(sqlite: Sqlite, router: SeatsRouter) -> None:
    """A page limit stands in for the disk: SQLite gives the same error and ends the whole transaction."""
    hand = _hand(sqlite.new(), router)
    hand.say(("an", "menu"))
    kept = hand.one("SELECT count(*) FROM turns")
    _limit_pages(hand, more=2)

    results = []
    while not any(isinstance(result, StoreUnavailable) for result in results):
        kept += len([result for result in results if isinstance(result, Done)])
        results = hand.give(*(turn("an", "menu " + "x" * 3_000) for _ in range(3)))

    assert all(isinstance(result, StoreUnavailable) for result in results)
    assert hand.one("SELECT count(*) FROM turns") == kept
    _limit_pages(hand, more=10_000)
    [done] = hand.say(("an", "menu"))
    assert isinstance(done, Done)
    hand.database.close()


def test_a_postgresql_connection_that_breaks_is_made_anew(postgres: Postgres, router: SeatsRouter) -> None:
    url = postgres.new()
    hand = _hand(url, router)
    hand.say(("an", "menu"))
    name = sa.make_url(url).database
    postgres.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    results = [hand.say(("an", "menu"))[0] for _ in range(2)]

    assert isinstance(results[-1], Done)
    hand.database.close()


def test_a_database_that_is_not_there_is_unavailable(router: SeatsRouter) -> None:
    hand = Hand("postgresql://nobody@127.0.0.1:1/nothing", router, busy_seconds=1)

    [refused] = hand.say(("an", "menu"))

    assert isinstance(refused, StoreUnavailable)


HOT = {
    "the person behind an address": (
        "SELECT p.id FROM addresses a JOIN people p ON p.id = a.person_id WHERE a.channel = 'web' AND a.address = 'x7'"
    ),
    "an update key": "SELECT id FROM turns WHERE channel = 'web' AND update_key = 'k7'",
    "what is after a cursor": "SELECT id FROM outbox WHERE address_id = 7 AND id > 7 ORDER BY id",
    "the last of a talk": "SELECT turn_id FROM outbox WHERE address_id = 7 ORDER BY id DESC LIMIT 60",
    "what waits too long": "SELECT id FROM outbox WHERE status = 'waiting' AND at < '2020-01-01T00:00:00.000000+00:00'",
    "a person's questions": "SELECT max(id) FROM questions WHERE person_id = 7 AND text = 'x'",
}


@pytest.mark.parametrize("question", HOT, ids=str)
def test_a_hot_question_has_its_index(url: str, question: str) -> None:
    database = open_database(url)
    with database.writer.begin() as connection:
        _fill(connection, database.is_sqlite)
    plan = _plan(database, HOT[question])
    database.close()

    assert "SCAN" not in plan.upper().replace("INDEX SCAN", "").replace("INDEX ONLY SCAN", "").replace(
        "BITMAP HEAP SCAN", ""
    ), plan


def _hand(url: str, router: SeatsRouter) -> Hand:
    hand = Hand(url, router)
    with hand.database.writer.begin() as connection:
        create_tables(connection)
    return hand


def _plan(database: Any, question: str) -> str:
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.reader.connect() as connection:
        return "\n".join(str(tuple(row)) for row in connection.execute(sa.text(explain + question)))


def _fill(connection: sa.Connection, sqlite: bool) -> None:
    """A few thousand rows, so that PostgreSQL has a reason to use an index."""
    series = (
        "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) SELECT i FROM n)"
        if sqlite
        else "(SELECT generate_series(1, 4000) AS i)"
    )
    at = "'2026-01-01T00:00:00.000000+00:00'"
    for statement in (
        f"INSERT INTO people (id, created_at, seen_at, language, language_chosen, greeted) SELECT i, {at}, {at}, 'vi', false, false FROM {series} n",
        f"INSERT INTO addresses (id, person_id, channel, address, created_at) SELECT i, i, 'web', 'x' || i, {at} FROM {series} n",
        f"INSERT INTO turns (id, channel, update_key, address_id, at, kind, text) SELECT i, 'web', 'k' || i, i, {at}, 'text', '' FROM {series} n",
        f"INSERT INTO outbox (address_id, turn_id, position, status, at, message) SELECT i, i, 0, 'sent', {at}, '' FROM {series} n",
        f"INSERT INTO questions (person_id, at, language, text, status) SELECT i, {at}, 'vi', 'x', 'unanswered' FROM {series} n",
    ):
        connection.execute(sa.text(statement))
    connection.execute(sa.text("ANALYZE"))


def _limit_pages(hand: Hand, more: int) -> None:
    with hand.database.writer.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [used] = raw.execute("PRAGMA page_count").fetchone()
        raw.execute(f"PRAGMA max_page_count = {used + more}")


def _stamp(url: str, revision: str) -> None:
    database = open_database(url)
    with database.writer.begin() as connection:
        connection.execute(
            sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision}
        )
    database.close()
