"""Reads what a survey's figures are counted from: one moment of the database, one response after another."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any

import orjson
import sqlalchemy as sa

from storage.database import Database
from storage.exports import AT_ONCE
from storage.tables import forms, responses

# Staff's own tries count nowhere; a database of before they were told apart has none.
_TRIAL = responses.c.get("trial")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A response of several with one tax code, by its id."""

    id: int
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Twins:
    """Responses of one year with the same tax code, as they were submitted: the last one counts until staff choose."""

    tax_code: str
    responses: tuple[Submitted, ...]

    @property
    def counted(self) -> Submitted:
        """The one that counts."""
        return self.responses[-1]


@dataclass(frozen=True, slots=True)
class Counted:
    """A response that counts; `answers` are stored fills by place."""

    version: str
    submitted_at: datetime
    answers: dict[str, list[Any]]


class Survey:
    """The responses of one form and year at one moment, whatever is written meanwhile."""

    def __init__(
        self, connection: sa.Connection, form_id: str, year: int, set_aside: Collection[int] = ()
    ) -> None:
        """`set_aside`: ids of responses that staff chose another for; they count nowhere."""
        self._connection = connection
        self._form_id = form_id
        self._among = sa.and_(
            responses.c.form_id == form_id,
            responses.c.year == year,
            responses.c.status == "submitted",
            *([] if _TRIAL is None else [_TRIAL.is_(False)]),
        )
        self._set_aside = frozenset(set_aside)

    def definitions(self) -> list[tuple[str, str]]:
        """Every version of the form that was ever open, with its definition, newest first."""
        statement = (
            sa.select(forms.c.version, forms.c.definition)
            .where(forms.c.form_id == self._form_id)
            .order_by(forms.c.version.desc())
        )
        return [(version, definition) for version, definition in self._connection.execute(statement)]

    @cached_property
    def twins(self) -> tuple[Twins, ...]:
        """The pairs that staff have to choose from, by tax code."""
        # Counted over one pass: a join with itself takes minutes where PostgreSQL has no statistics yet.
        alike = sa.func.count().over(partition_by=responses.c.tax_code).label("alike")
        coded = (
            sa.select(responses.c.tax_code, responses.c.id, responses.c.submitted_at, alike)
            .where(self._among, responses.c.tax_code.is_not(None))
            .subquery()
        )
        statement = (
            sa.select(coded.c.tax_code, coded.c.id, coded.c.submitted_at)
            .where(coded.c.alike > 1)
            .order_by(coded.c.tax_code, coded.c.submitted_at, coded.c.id)
        )
        found = []
        for tax_code, rows in groupby(self._connection.execute(statement), key=lambda row: row.tax_code):
            left = [Submitted(row.id, row.submitted_at) for row in rows if row.id not in self._set_aside]
            if len(left) > 1:
                found.append(Twins(tax_code, tuple(left)))
        return tuple(found)

    def answers(self) -> Iterator[Counted]:
        """Every response that counts: one of each tax code."""
        gone = {one.id for twins in self.twins for one in twins.responses[:-1]} | self._set_aside
        statement = (
            # orjson reads text faster than the driver does
            sa.select(
                responses.c.id,
                responses.c.version,
                responses.c.submitted_at,
                sa.cast(responses.c.answers, sa.Text),
            )
            .where(self._among)
            .order_by(responses.c.id)
        )
        found = self._connection.execute(statement, execution_options={"yield_per": AT_ONCE})
        for number, version, submitted_at, answers in found:
            if number not in gone:
                yield Counted(version, submitted_at, orjson.loads(answers))


@contextmanager
def survey(database: Database, form_id: str, year: int, set_aside: Collection[int] = ()) -> Iterator[Survey]:
    """One moment of the database, on a connection that cannot write."""
    # Without it every statement on PostgreSQL sees a moment of its own.
    options = {} if database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
    with database.reader.connect() as connection:
        yield Survey(connection.execution_options(**options), form_id, year, set_aside)
