"""What staff did: only ever added to, in the transaction of the act itself."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from storage.responses import as_json
from storage.tables import Id, Instant, audit, staff

AT_ONCE = 1_000  # rows of one read


@dataclass(frozen=True, slots=True)
class Act:
    """One act: what was done to which thing. `details` hold no personal value, only names of fields, counts, states."""

    act: str
    kind: str
    ref: str = ""
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class By:
    """Who did it, when, and from where; `staff_id` is None for a command, `remote` a keyed hash."""

    staff_id: int | None
    at: datetime
    remote: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the audit; `name` is None for a command."""

    id: int
    at: datetime
    name: str | None
    act: str
    kind: str
    ref: str
    details: Mapping[str, Any]
    remote: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines are wanted; `staff_ref` is an officer's ref, or «command»."""

    staff_ref: str = ""
    act: str = ""
    kind: str = ""
    ref: str = ""
    since: datetime | None = None
    until: datetime | None = None


COMMAND = "command"


_ADD = sa.insert(audit).values(
    at=sa.bindparam("now", type_=Instant),
    staff_id=sa.bindparam("who", type_=Id),
    act=sa.bindparam("done"),
    object_kind=sa.bindparam("what"),
    object_ref=sa.bindparam("which"),
    details=as_json(sa.bindparam("said", type_=sa.Text)),
    remote=sa.bindparam("whence"),
)


def add(connection: sa.Connection, by: By, acts: Iterable[Act]) -> None:
    """Write down what was done."""
    for one in acts:
        said = orjson.dumps(dict(one.details)).decode()
        did = {"done": one.act, "what": one.kind, "which": one.ref, "said": said}
        connection.execute(_ADD, {"now": by.at, "who": by.staff_id, "whence": by.remote, **did})


_COLUMNS = (
    audit.c.id,
    audit.c.at,
    staff.c.name,
    audit.c.act,
    audit.c.object_kind,
    audit.c.object_ref,
    audit.c.details,
    audit.c.remote,
)


def read(connection: sa.Connection, asked: Asked, before: int | None = None, most: int = 50) -> list[Entry]:
    """The newest lines that are wanted, those before line `before` where it is given."""
    statement = sa.select(*_COLUMNS).select_from(audit.outerjoin(staff, staff.c.id == audit.c.staff_id))
    statement = statement.where(*_among(asked)).order_by(audit.c.id.desc()).limit(most)
    if before is not None:
        statement = statement.where(audit.c.id < before)
    return [Entry(*row) for row in connection.execute(statement)]


def acts(connection: sa.Connection) -> list[str]:
    """Every kind of act that was ever done."""
    return list(connection.execute(sa.select(audit.c.act).distinct().order_by(audit.c.act)).scalars())


def total(connection: sa.Connection) -> int:
    """How many lines there are."""
    return connection.execute(sa.select(sa.func.count()).select_from(audit)).scalar_one()


def every(connection: sa.Connection) -> Iterator[Entry]:
    """Every line, oldest first, some at a time."""
    after = 0
    statement = (
        sa.select(*_COLUMNS)
        .select_from(audit.outerjoin(staff, staff.c.id == audit.c.staff_id))
        .where(audit.c.id > sa.bindparam("after"))
        .order_by(audit.c.id)
        .limit(AT_ONCE)
    )
    while found := [Entry(*row) for row in connection.execute(statement, {"after": after})]:
        yield from found
        after = found[-1].id


def _among(asked: Asked) -> Iterator[sa.ColumnElement[bool]]:
    if asked.staff_ref == COMMAND:
        yield audit.c.staff_id.is_(None)
    elif asked.staff_ref:
        yield (
            audit.c.staff_id == sa.select(staff.c.id).where(staff.c.ref == asked.staff_ref).scalar_subquery()
        )
    for column, value in (
        (audit.c.act, asked.act),
        (audit.c.object_kind, asked.kind),
        (audit.c.object_ref, asked.ref),
    ):
        if value:
            yield column == value
    if asked.since:
        yield audit.c.at >= asked.since
    if asked.until:
        yield audit.c.at < asked.until
