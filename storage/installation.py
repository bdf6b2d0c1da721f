"""Which installation a database belongs to: a copy of production must not speak to anybody."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert  # its ON CONFLICT compiles on SQLite as well

from storage.tables import Instant, installation

_NAMED = sa.select(installation.c.name)
_ADOPT = insert(installation).values(
    id=1, name=sa.bindparam("named"), adopted_at=sa.bindparam("now", type_=Instant)
)
_FIRST = _ADOPT.on_conflict_do_nothing(index_elements=[installation.c.id])
_AGAIN = _ADOPT.on_conflict_do_update(
    index_elements=[installation.c.id],
    set_={"name": sa.bindparam("named"), "adopted_at": sa.bindparam("now", type_=Instant)},
)


def belongs_to(connection: sa.Connection, name: str, now: datetime) -> bool:
    """Whether the database is this installation's; one that nobody has yet becomes it."""
    connection.execute(_FIRST, {"named": name, "now": now})
    return bool(connection.scalar(_NAMED) == name)


def adopt(connection: sa.Connection, name: str, now: datetime) -> None:
    """Make the database this installation's, on purpose."""
    connection.execute(_AGAIN, {"named": name, "now": now})
