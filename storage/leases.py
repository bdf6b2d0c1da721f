"""Who does what only one process may do at a time: a lease by the database's own clock, taken again before it ends."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert  # its ON CONFLICT compiles on SQLite as well
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from storage.tables import Instant, leases


class database_time(GenericFunction[Any]):  # noqa: N801  it is written like a function of SQL
    """The database's clock, this many seconds on."""

    type = Instant()
    inherit_cache = True


@compiles(database_time, "sqlite")
def _sqlite(element: database_time, compiler: SQLCompiler, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now', ({seconds}) || ' seconds')"


@compiles(database_time, "postgresql")
def _postgresql(element: database_time, compiler: SQLCompiler, **options: Any) -> str:
    return f"(clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **options)}))"


_SECONDS = sa.bindparam("seconds", type_=sa.Float)
_TAKE = (
    insert(leases)
    .values(duty=sa.bindparam("what"), holder=sa.bindparam("who"), until=database_time(_SECONDS))
    .on_conflict_do_update(
        index_elements=[leases.c.duty],
        set_={"holder": sa.bindparam("who"), "until": database_time(_SECONDS)},
        where=(leases.c.holder == sa.bindparam("who"))
        | (leases.c.until < database_time(sa.literal_column("0"))),
    )
    .returning(leases.c.holder)
)
_COUNT = sa.select(sa.func.count()).where(
    leases.c.duty.startswith(sa.bindparam("beginning"), autoescape=False),
    leases.c.until >= database_time(sa.literal_column("0")),
)
_GIVE_UP = sa.delete(leases).where(
    leases.c.duty == sa.bindparam("what"), leases.c.holder == sa.bindparam("who")
)


def take(connection: sa.Connection, duty: str, holder: str, seconds: float) -> bool:
    """Have a duty for so many seconds, anew or longer; False while another holder has it."""
    found = connection.execute(_TAKE, {"what": duty, "who": holder, "seconds": seconds})
    return found.first() is not None


def count(connection: sa.Connection, beginning: str) -> int:
    """How many duties whose name begins so are held now."""
    return connection.scalar(_COUNT, {"beginning": beginning}) or 0


def give_up(connection: sa.Connection, duty: str, holder: str) -> None:
    """Let another have it at once."""
    connection.execute(_GIVE_UP, {"what": duty, "who": holder})
