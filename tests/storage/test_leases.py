"""One holder of a duty at a time, by the database's clock; and to whom a database belongs."""

from datetime import UTC, datetime

import sqlalchemy as sa

from storage import installation, leases
from storage.database import Database, open_database
from storage.tables import leases as table

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def take(database: Database, holder: str, seconds: float = 30) -> bool:
    with database.writer.begin() as connection:
        return leases.take(connection, "poll", holder, seconds)


def test_one_holds_a_duty_until_the_lease_ends(url: str) -> None:
    database = open_database(url)

    assert take(database, "here")
    assert not take(database, "there")
    assert take(database, "here"), "longer"
    take(database, "here", seconds=-1)
    assert take(database, "there"), "it ended"
    assert not take(database, "here")
    database.close()


def test_a_duty_given_up_is_free_at_once(url: str) -> None:
    database = open_database(url)
    take(database, "here")
    with database.writer.begin() as connection:
        leases.give_up(connection, "poll", "there")
    assert not take(database, "there"), "nobody gives up what another holds"

    with database.writer.begin() as connection:
        leases.give_up(connection, "poll", "here")

    assert take(database, "there")
    database.close()


def test_a_lease_ends_by_the_databases_clock(url: str) -> None:
    database = open_database(url)
    take(database, "here", seconds=3600)

    with database.reader.connect() as connection:
        until = connection.execute(sa.select(table.c.until)).scalar_one()

    assert 3590 < (until - datetime.now(UTC)).total_seconds() < 3610
    database.close()


def test_a_database_belongs_to_the_first_who_names_it_until_it_is_adopted(url: str) -> None:
    database = open_database(url)
    with database.writer.begin() as connection:
        assert installation.belongs_to(connection, "gialai", NOW)
        assert installation.belongs_to(connection, "gialai", NOW)
        assert not installation.belongs_to(connection, "copy", NOW)
        installation.adopt(connection, "copy", NOW)
        assert installation.belongs_to(connection, "copy", NOW)
        assert not installation.belongs_to(connection, "gialai", NOW)
    database.close()
