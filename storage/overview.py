"""What the desk shows at a glance: counts, and what belongs to one enterprise."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.tables import Letters, enterprises, merges, questions, responses

MOST = 50  # rows of one page


@dataclass(frozen=True, slots=True)
class Answers:
    """How many responses to a form in a year there are."""

    submitted: int
    partial: int
    new: int  # submitted since a moment


@dataclass(frozen=True, slots=True)
class Given:
    """A response as a list shows it; its code, which opens it, is not in it."""

    id: int
    form_id: str
    version: str
    year: int
    status: str
    last_question: str
    is_rival: bool
    started_at: datetime
    updated_at: datetime
    submitted_at: datetime | None


def answers(connection: sa.Connection, form_id: str, year: int, since: datetime) -> Answers:
    """How a form stands in a year."""
    is_new = (responses.c.status == "submitted") & (responses.c.submitted_at >= since)
    statement = (
        sa.select(responses.c.status, sa.func.count(), sa.func.sum(sa.case((is_new, 1), else_=0)))
        .where(responses.c.form_id == form_id, responses.c.year == year)
        .group_by(responses.c.status)
    )
    found = {status: (int(count), int(new or 0)) for status, count, new in connection.execute(statement)}
    submitted, new = found.get("submitted", (0, 0))
    return Answers(submitted, found.get("partial", (0, 0))[0], new)


def years(connection: sa.Connection, form_id: str) -> list[int]:
    """The years in which a form was answered."""
    statement = sa.select(responses.c.year).where(responses.c.form_id == form_id).distinct()
    return list(connection.execute(statement).scalars())


def handed(connection: sa.Connection) -> int:
    """How many questions were handed to staff."""
    statement = sa.select(sa.func.count()).select_from(questions).where(questions.c.status == "handed")
    return connection.execute(statement).scalar_one()


def given_by(connection: sa.Connection, tax_code: str, forms: Sequence[str], year: int) -> list[Given]:
    """The responses of the last ten years that claim this tax code, newest first."""
    statement: sa.Select[Any] = (
        sa.select(
            responses.c.id,
            responses.c.form_id,
            responses.c.version,
            responses.c.year,
            responses.c.status,
            responses.c.last_question,
            responses.c.rival,
            responses.c.started_at,
            responses.c.updated_at,
            responses.c.submitted_at,
        )
        .where(
            responses.c.form_id.in_(forms),
            responses.c.year.in_(range(year - 9, year + 1)),
            responses.c.tax_code == tax_code,
            responses.c.status != "cancelled",
        )
        .order_by(responses.c.year.desc(), responses.c.id.desc())
    )
    return [Given(*row) for row in connection.execute(statement)]


@dataclass(frozen=True, slots=True)
class Merged:
    """An enterprise that turned out to be another one, and the merge that can be undone."""

    merge_id: int
    name: str
    tax_code: str | None
    at: datetime
    who: str


def merged_into(connection: sa.Connection, enterprise_id: int) -> list[Merged]:
    """What was merged into an enterprise, newest first."""
    statement = (
        sa.select(merges.c.id, enterprises.c.name, enterprises.c.tax_code, merges.c.at, merges.c.who)
        .join(enterprises, enterprises.c.id == merges.c.gone_id)
        .where(merges.c.kept_id == enterprise_id, merges.c.undone_at.is_(None))
        .order_by(merges.c.id.desc())
    )
    return [Merged(*row) for row in connection.execute(statement)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which enterprises a list shows, in which order, and after which place."""

    commune: str = ""
    kind: str = ""
    is_newest: bool = False  # what was changed last comes first; else by name
    after: tuple[str, int] | None = None  # the `search` or the moment of the last one seen, and its id


def listed(connection: sa.Connection, wanted: Wanted, most: int = MOST) -> list[tuple[int, str]]:
    """Ids of enterprises, each with the place after which the next page begins."""
    column: sa.ColumnElement[Any] = enterprises.c.updated_at if wanted.is_newest else enterprises.c.search
    statement = sa.select(enterprises.c.id, column).where(enterprises.c.merged_into.is_(None))
    if wanted.commune:
        statement = statement.where(enterprises.c.commune == wanted.commune)
    if wanted.kind:
        statement = statement.where(enterprises.c.kind == wanted.kind)
    if wanted.after:
        statement = statement.where(_beyond(column, wanted))
    order = [column.desc(), enterprises.c.id.desc()] if wanted.is_newest else [column, enterprises.c.id]
    found = connection.execute(statement.order_by(*order).limit(most))
    return [(number, _text(place)) for number, place in found]


def _beyond(column: sa.ColumnElement[Any], wanted: Wanted) -> sa.ColumnElement[bool]:
    assert wanted.after is not None
    text, number = wanted.after
    # What bounds the index stands by itself: an OR alone would begin at its first entry again.
    if wanted.is_newest:
        moment = datetime.fromisoformat(text)
        return sa.and_(column <= moment, sa.or_(column < moment, enterprises.c.id < number))
    name = sa.literal(text, Letters(400))
    return sa.and_(column >= name, sa.or_(column > name, enterprises.c.id > number))


def _text(place: Any) -> str:
    return place.isoformat() if isinstance(place, datetime) else str(place)
