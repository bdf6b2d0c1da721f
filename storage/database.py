"""Opens the database: SQLite or PostgreSQL, each in the one way that keeps what was promised."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from storage.errors import StoreUnavailable

ERASED = "erased"  # a connection's note that its transaction erased somebody
CACHE_KIB = 8_000  # a larger page cache cost memory and bought nothing


@dataclass(frozen=True)
class Database:
    """Two ways into one database: `writer` for the one writing thread, `reader` for pages and exports.

    On SQLite the writer begins every transaction with BEGIN IMMEDIATE, so that two processes wait for each other
    instead of failing half-way, and commits with synchronous=FULL; the reader cannot write at all.
    """

    url: sa.URL
    writer: sa.Engine
    reader: sa.Engine

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.url.get_backend_name() == "sqlite"

    def close(self) -> None:
        """Close every connection."""
        self.writer.dispose()
        self.reader.dispose()


def open_database(url: str, *, busy_seconds: float = 5.0) -> Database:
    """Open without connecting; raises ValueError for a URL that is neither SQLite nor PostgreSQL.

    `busy_seconds`: how long a writer waits for another process before it gives up.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(
            parsed, _sqlite(parsed, busy_seconds, reads=False), _sqlite(parsed, busy_seconds, reads=True)
        )
    return Database(
        parsed, _postgresql(parsed, busy_seconds, reads=False), _postgresql(parsed, busy_seconds, reads=True)
    )


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError("the database URL cannot be read; it looks like sqlite:///data/doluong.db") from None
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ValueError("the database must be a file: sqlite:///data/doluong.db")
        return parsed.set(drivername="sqlite+pysqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise ValueError(f"the database must be SQLite or PostgreSQL, not {backend}")


def _sqlite(url: sa.URL, busy_seconds: float, *, reads: bool) -> sa.Engine:
    path = Path(url.database or "").absolute()
    file = str(path)
    engine = sa.create_engine(
        # mode=rw: a file that has gone must be missed, not silently begun anew; `create_file` makes the first one
        url.set(database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"}),
        poolclass=QueuePool,
        pool_size=4 if reads else 1,
        max_overflow=4 if reads else 0,
        hide_parameters=True,  # what people wrote has no place in an error message
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
    )

    # Python 3.11's sqlite3 opens a transaction only before a write, and a released savepoint then commits it.
    # So the driver is kept out of it (isolation_level=None) and the transaction is begun by hand.
    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        record.info["file"] = _inode(file)
        for pragma in _pragmas(reads=reads):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        if _inode(file) != connection.info["file"]:
            # SQLite would go on writing into the file that was taken away, and lose it all at the end
            connection.invalidate()
            raise StoreUnavailable(f"the database file {path.name} is gone or was replaced")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    @sa.event.listens_for(engine, "checkin")
    def _forget(connection: Any, record: Any) -> None:
        """After an erasure the write-ahead log must go too: it still holds the pages as they were."""
        if connection is not None and record.info.get(ERASED):
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            record.info[ERASED] = bool(busy)  # somebody reads: tried again after the next transaction

    return engine


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino  # noqa: PTH116  asked once a transaction
    except FileNotFoundError:
        return None


def create_file(database: Database) -> None:
    """Make the file of a new SQLite database, readable by its owner only; PostgreSQL's is made by its operator."""
    if database.is_sqlite:
        path = Path(database.url.database or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)


def _pragmas(*, reads: bool) -> tuple[str, ...]:
    if reads:
        return ("query_only=ON", f"cache_size=-{CACHE_KIB}")
    # secure_delete: what was erased is overwritten, not only forgotten
    own = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
    return (*own, f"cache_size=-{CACHE_KIB}")


def _postgresql(url: sa.URL, busy_seconds: float, *, reads: bool) -> sa.Engine:
    options = f"-c lock_timeout={round(busy_seconds * 1000)} -c timezone=UTC"
    if reads:
        options += " -c default_transaction_read_only=on"
    return sa.create_engine(
        url,
        pool_size=4 if reads else 1,
        max_overflow=4 if reads else 0,
        hide_parameters=True,
        pool_pre_ping=reads,
        connect_args={"options": options, "connect_timeout": max(1, round(busy_seconds))},
    )
