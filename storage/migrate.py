"""Brings a database to the present shape, and refuses one from the future."""

from enum import Enum
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storage.database import Database, create_file
from storage.errors import DatabaseTooNew, DatabaseTooOld

FOLDER = Path(__file__).parent / "migrations"

# One lock for all who migrate the same PostgreSQL database at once; the number is arbitrary and ours.
_ADVISORY_LOCK = 996_2001


class Shape(Enum):
    """How a database compares with this program."""

    NEW = "has no tables yet"
    OLD = "wants a migration"
    CURRENT = "fits"
    NEWER = "was made by a later version"


def revisions() -> list[str]:
    """Every revision this program knows, oldest first; a file's name begins with its revision."""
    return sorted(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def shape(database: Database) -> Shape:
    """Compare the database with this program; creates the file of a new SQLite database."""
    create_file(database)
    with database.reader.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return Shape.NEW
        revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return _compare(revision)


def _compare(revision: str | None) -> Shape:
    known = revisions()
    if revision is None:
        return Shape.NEW
    if revision not in known:
        return Shape.NEWER
    return Shape.CURRENT if revision == known[-1] else Shape.OLD


def ready(database: Database) -> None:
    """Migrate a new database; raises DatabaseTooNew or DatabaseTooOld for one that does not fit."""
    match shape(database):
        case Shape.NEW:
            migrate(database)
        case Shape.OLD:
            raise DatabaseTooOld("the database wants: python -m bot migrate")
        case Shape.NEWER:
            raise DatabaseTooNew("the database was made by a later version of this program; run that one")
        case Shape.CURRENT:
            pass


def migrate(database: Database) -> list[str]:
    """Apply what is missing, in one transaction under a lock; gives back the revisions applied.

    Raises DatabaseTooNew. Safe to run from several processes at once: the second finds nothing left to do.
    """
    create_file(database)
    with database.writer.begin() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        return _apply(connection)


def _apply(connection: sa.Connection) -> list[str]:
    # Alembic costs 0.15 s to import, and most starts have nothing to migrate.
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext

    before = MigrationContext.configure(connection).get_current_revision()
    if _compare(before) is Shape.NEWER:
        raise DatabaseTooNew("the database was made by a later version of this program; run that one")
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    attributes: dict[str, Any] = config.attributes
    attributes["connection"] = connection
    command.upgrade(config, "head")
    known = revisions()
    return known[known.index(before) + 1 :] if before else known
