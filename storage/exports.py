"""Reads responses for an export: one moment of the database, row after row, whatever their number."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from handlers.columns import Answered
from storage.database import Database
from storage.tables import forms, personal_values, responses

AT_ONCE = 500  # rows in memory

Status = Literal["partial", "submitted"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which responses: those of one form, handed in (or, while not finished, last changed) in [since, until)."""

    form_id: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many responses there are; what was given up counts nowhere."""

    submitted: int = 0
    partial: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.submitted + self.partial


_EXPORTED: tuple[Status, ...] = ("submitted", "partial")
_WHEN = sa.func.coalesce(responses.c.submitted_at, responses.c.updated_at)

_another = responses.alias("another")
_OTHER = (
    sa.select(sa.literal(1))
    .where(
        _another.c.form_id == responses.c.form_id,
        _another.c.year == responses.c.year,
        _another.c.tax_code == responses.c.tax_code,
        _another.c.id != responses.c.id,
        _another.c.status.in_(("submitted", "partial")),
    )
    .exists()
)
_COLUMNS = (
    responses.c.code,
    responses.c.version,
    responses.c.year,
    responses.c.status,
    responses.c.last_question,
    (responses.c.rival | _OTHER).label("rival"),
    responses.c.started_at,
    responses.c.updated_at,
    responses.c.submitted_at,
    sa.cast(responses.c.answers, sa.Text),  # orjson reads it faster than the driver does
)


class Snapshot:
    """The database as it was at one moment, whatever is written meanwhile."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def form_ids(self) -> list[str]:
        """Every form that was ever open."""
        found = self._connection.execute(sa.select(forms.c.form_id).distinct().order_by(forms.c.form_id))
        return list(found.scalars())

    def definitions(self, form_id: str) -> list[tuple[str, str]]:
        """The versions of a form with their definitions, newest first."""
        statement = (
            sa.select(forms.c.version, forms.c.definition)
            .where(forms.c.form_id == form_id)
            .order_by(forms.c.version.desc())
        )
        return [(version, definition) for version, definition in self._connection.execute(statement)]

    def counts(self, wanted: Wanted) -> Counts:
        """How many responses an export will have."""
        statement = (
            sa.select(responses.c.status, sa.func.count().label("number"))
            .where(_among(wanted))
            .group_by(responses.c.status)
        )
        return Counts(**{row.status: row.number for row in self._connection.execute(statement)})

    def largest(self, wanted: Wanted, names: Iterable[str]) -> dict[str, int]:
        """The last instance, by number, that anybody answered of each of these questions."""
        asked = set(names)
        largest: dict[str, int] = {}
        for place in self._places_in_repeats(wanted) if asked else ():
            name, _, instance = place.partition(".")
            if name in asked and instance.isdecimal():
                largest[name] = max(largest.get(name, 0), int(instance))
        return largest

    def responses(self, wanted: Wanted, *statuses: Status, personal: bool) -> Iterator[Answered]:
        """The responses of these statuses, or all, as they were begun; `personal` values only when asked for."""
        statement = (
            sa.select(*_COLUMNS, self._personal() if personal else sa.null())
            .where(_among(wanted), responses.c.status.in_(statuses or _EXPORTED))
            .order_by(responses.c.id)
        )
        found = self._connection.execute(statement, execution_options={"yield_per": AT_ONCE})
        for code, version, year, status, last, rival, started, updated, submitted, answers, kept in found:
            yield Answered(
                code=code,
                form_id=wanted.form_id,
                version=version,
                year=year,
                status=status,
                last_question=last,
                rival=bool(rival),
                started_at=started,
                updated_at=updated,
                submitted_at=submitted,
                answers=orjson.loads(answers),
                personal=orjson.loads(kept) if kept else {},
            )

    @property
    def _is_sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"

    def _places_in_repeats(self, wanted: Wanted) -> Iterator[str]:
        if self._is_sqlite:
            keys = sa.func.json_each(responses.c.answers).table_valued("key", name="places")
        else:
            keys = (
                sa.func.jsonb_object_keys(responses.c.answers)
                .table_valued("key", name="places")
                .render_derived()
            )
        statement = (
            sa.select(keys.c.key)
            .select_from(responses.join(keys, sa.true()))
            .where(_among(wanted), keys.c.key.like("%.%"))
            .distinct()
        )
        yield from self._connection.execute(statement).scalars()

    def _personal(self) -> sa.ColumnElement[Any]:
        """A response's personal values as one JSON object, so that a response stays one row."""
        gather = sa.func.json_group_object if self._is_sqlite else sa.func.json_object_agg
        return (
            sa.select(sa.cast(gather(personal_values.c.name, personal_values.c.value), sa.Text))
            .where(personal_values.c.response_id == responses.c.id)
            .scalar_subquery()
        )


@contextmanager
def snapshot(database: Database) -> Iterator[Snapshot]:
    """One moment of the database, on a connection that cannot write."""
    # Without it every statement on PostgreSQL sees a moment of its own.
    options = {} if database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
    with database.reader.connect() as connection:
        yield Snapshot(connection.execution_options(**options))


def _among(wanted: Wanted) -> sa.ColumnElement[bool]:
    conditions = [responses.c.form_id == wanted.form_id, responses.c.status.in_(_EXPORTED)]
    if wanted.since:
        conditions.append(wanted.since <= _WHEN)
    if wanted.until:
        conditions.append(wanted.until > _WHEN)
    return sa.and_(*conditions)
