"""What is sent rather than fetched: taken up by a process, sent, marked; taken up by another when that one is gone.

A reply is born in the hands of the process that answered. Everything here is a statement over a set, so that a batch
costs what one costs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from handlers.messages import Message
from storage.outbox import load
from storage.rows import bound, rows
from storage.tables import OPEN, Id, Instant, addresses, instant, outbox, people, turns

End = Literal["sent", "failed", "skipped", "unknown", "retry_at"]


@dataclass(frozen=True, slots=True)
class Post:
    """A row to be sent; `bulk` waits for replies and is never sent again when in doubt."""

    id: int
    address: str
    message: Message
    at: datetime
    bulk: bool = False
    tries: int = 0
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of a row at `at`; `due_at` is when a row that failed for a while is tried again."""

    id: int
    status: End
    at: datetime
    tries: int = 0
    reason: str | None = None
    due_at: datetime | None = None


_is_open = sa.text(OPEN)
_MINE = outbox.c.owner == sa.bindparam("me")
_older = outbox.alias("older")
_held_up = sa.exists().where(  # something said before it to the same address is in another's hand, or waits for its time
    _older.c.address_id == outbox.c.address_id,
    _older.c.id < outbox.c.id,
    sa.text(OPEN.replace("status", "older.status")),
    _older.c.bulk == outbox.c.bulk,
    _older.c.due_at > sa.bindparam("before", type_=Instant),
)
# A common table expression, so that PostgreSQL never looks for the rows, and locks them, more than once.
_due = (
    sa.select(outbox.c.id)
    .where(
        _is_open,
        outbox.c.channel == sa.bindparam("through"),
        outbox.c.bulk == sa.bindparam("is_bulk"),
        outbox.c.due_at <= sa.bindparam("before", type_=Instant),
        outbox.c.status != sa.literal_column("'sending'"),
        ~_held_up,
    )
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True, of=outbox)
    .cte("due")
)
_TAKE_UP = (
    sa.update(outbox)
    .where(outbox.c.id.in_(sa.select(_due.c.id)))
    .values(
        status=sa.literal_column("'leased'"),
        owner=sa.bindparam("me"),
        due_at=sa.bindparam("until", type_=Instant),
    )
    .returning(outbox.c.id)
)
_OWN = sa.select(outbox.c.id).where(
    _is_open,
    outbox.c.channel == sa.bindparam("through"),
    outbox.c.bulk == sa.bindparam("is_bulk"),
    _MINE,
    outbox.c.status != sa.literal_column("'sending'"),
)
_given_ids = rows(id=Id)
_ids = sa.select(_given_ids.c.id).scalar_subquery()
_READ = (
    sa.select(
        outbox.c.id,
        addresses.c.address,
        outbox.c.message,
        outbox.c.at,
        outbox.c.bulk,
        outbox.c.tries,
        outbox.c.replaces,
    )
    .select_from(
        _given_ids.join(outbox, outbox.c.id == _given_ids.c.id).join(
            addresses, addresses.c.id == outbox.c.address_id
        )
    )
    .order_by(outbox.c.id)
)


def take_up(
    connection: sa.Connection,
    channel: str,
    me: str,
    now: datetime,
    until: datetime,
    *,
    bulk: bool,
    most: int,
) -> list[Post]:
    """Up to `most` rows nobody has in hand at `now`, oldest due first; they are this process's until `until`."""
    given = {"through": channel, "is_bulk": bulk, "before": now, "until": until, "me": me, "most": most}
    return _read(connection, connection.execute(_TAKE_UP, given).scalars())


_WAIT_FOR_WRITERS = sa.text("LOCK TABLE outbox IN SHARE MODE")


def let_finish(connection: sa.Connection) -> None:
    """Wait until what others are writing is written: a process that was killed may leave a commit under way.

    Only PostgreSQL's servers outlive their clients.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_WAIT_FOR_WRITERS)


def take_up_own(connection: sa.Connection, channel: str, me: str) -> list[Post]:
    """What a process of this name had in hand and never finished: at a start it goes on with it at once."""
    given = {"through": channel, "me": me}
    return [
        post
        for bulk in (False, True)
        for post in _read(connection, connection.execute(_OWN, {**given, "is_bulk": bulk}).scalars())
    ]


def _read(connection: sa.Connection, ids: Iterable[int]) -> list[Post]:
    wanted = [{"id": number} for number in ids]
    if not wanted:
        return []
    found = connection.execute(_READ, bound(wanted))
    return [
        Post(number, address, load(message), at, bool(bulk), tries, replaces)
        for number, address, message, at, bulk, tries, replaces in found
    ]


_MOST_RECALLED = 5_000  # rows looked at from the newest on; more than any channel lets through in a minute
_SENT_SINCE = (
    sa.select(addresses.c.address, outbox.c.sent_at, outbox.c.message)
    .join(outbox, outbox.c.address_id == addresses.c.id)
    .where(
        outbox.c.id > sa.select(sa.func.max(outbox.c.id) - _MOST_RECALLED).scalar_subquery(),
        outbox.c.channel == sa.bindparam("through"),
        outbox.c.sent_at >= sa.bindparam("since", type_=Instant),
    )
    .order_by(outbox.c.sent_at)
)
_TOLD_TO_WAIT = sa.select(sa.func.max(outbox.c.due_at)).where(
    _is_open,
    outbox.c.channel == sa.bindparam("through"),
    outbox.c.status == sa.literal_column("'retry_at'"),
    outbox.c.reason == sa.bindparam("why"),
)


def sent_since(
    connection: sa.Connection, channel: str, since: datetime
) -> list[tuple[str, datetime, Message]]:
    """To which addresses messages went, when, and which, oldest first: a channel's limits outlive a process."""
    found = connection.execute(_SENT_SINCE, {"through": channel, "since": since})
    return [(address, sent_at, load(message)) for address, sent_at, message in found]


def told_to_wait(connection: sa.Connection, channel: str, reason: str) -> datetime | None:
    """When the last of the rows that failed for this reason is due."""
    until: datetime | None = connection.scalar(_TOLD_TO_WAIT, {"through": channel, "why": reason})
    return until


_RENEW = (
    sa.update(outbox)
    .where(outbox.c.id.in_(_ids), _MINE, _is_open)
    .values(
        due_at=sa.case(  # what waits longer for its time than a lease lasts goes on waiting
            (outbox.c.due_at > sa.bindparam("until", type_=Instant), outbox.c.due_at),
            else_=sa.bindparam("until", type_=Instant),
        )
    )
)
_BEGIN = (
    sa.update(outbox)
    .where(outbox.c.id.in_(_ids), _MINE, outbox.c.status == sa.literal_column("'leased'"))
    .values(status=sa.literal_column("'sending'"))
    .returning(outbox.c.id)
)


def renew(connection: sa.Connection, me: str, ids: Iterable[int], until: datetime) -> None:
    """Keep rows in hand that could not be sent yet."""
    connection.execute(_RENEW, {**_bound_ids(ids), "me": me, "until": until})


def begin_sending(connection: sa.Connection, me: str, ids: Iterable[int]) -> set[int]:
    """Say that these are about to be sent, before they are; gives back those that still are this process's."""
    return set(connection.execute(_BEGIN, {**_bound_ids(ids), "me": me}).scalars())


def _bound_ids(ids: Iterable[int]) -> dict[str, str]:
    return bound({"id": number} for number in ids)


_DOUBT = (
    sa.update(outbox)
    .where(
        _is_open,
        outbox.c.status == sa.literal_column("'sending'"),
        outbox.c.channel == sa.bindparam("through"),
        _MINE | (outbox.c.due_at <= sa.bindparam("before", type_=Instant)),
    )
    .values(status=sa.literal_column("'unknown'"), reason=sa.literal_column("'interrupted'"))
)


def doubt(connection: sa.Connection, channel: str, me: str | None, now: datetime) -> int:
    """Rows in the middle of being sent when their process ended: nobody knows; gives back how many.

    They are those whose lease ended by `now`, and all of `me`, a process that has only begun.
    """
    return connection.execute(_DOUBT, {"through": channel, "me": me, "before": now}).rowcount


_given_marks = rows(
    id=Id, status=sa.String, at=Instant, tries=sa.Integer, reason=sa.String, due_at=Instant, sent_at=Instant
)
_MARK = (
    sa.update(outbox)
    .where(
        outbox.c.id == _given_marks.c.id,
        outbox.c.status.not_in(sa.literal_column(f"'{end}'") for end in ("sent", "skipped")),
    )
    .values(
        status=_given_marks.c.status,
        tries=_given_marks.c.tries,
        reason=_given_marks.c.reason,
        due_at=_given_marks.c.due_at,
        sent_at=_given_marks.c.sent_at,
    )
)


def mark(connection: sa.Connection, marks: Sequence[Mark]) -> None:
    """Write what became of these rows; what was sent stays sent."""
    values = (
        {
            "id": one.id,
            "status": one.status,
            "at": instant(one.at),
            "tries": one.tries,
            "reason": one.reason,
            "due_at": instant(one.due_at) if one.due_at else None,
            "sent_at": instant(one.at) if one.status == "sent" else None,
        }
        for one in marks
    )
    connection.execute(_MARK, bound(values))


_PLACE = (
    sa.select(addresses.c.id)
    .where(addresses.c.channel == sa.bindparam("met_channel"), addresses.c.address == sa.bindparam("met"))
    .scalar_subquery()
)
_FREE = sa.update(addresses).where(addresses.c.id == _PLACE).values(blocked_at=sa.null())
_BLOCK = (
    sa.update(addresses)
    .where(
        addresses.c.id == _PLACE,
        ~sa.exists().where(
            people.c.id == addresses.c.person_id, people.c.seen_at > sa.bindparam("as_of", type_=Instant)
        ),
    )
    .values(blocked_at=sa.bindparam("now", type_=Instant))
)
_SKIP = (
    sa.update(outbox)
    .where(outbox.c.address_id == _PLACE, _is_open, outbox.c.at <= sa.bindparam("as_of", type_=Instant))
    .values(status=sa.literal_column("'skipped'"), reason=sa.bindparam("why"))
)


def block(
    connection: sa.Connection,
    channel: str,
    address: str,
    reason: str,
    now: datetime,
    as_of: datetime | None = None,
) -> int:
    """Leave an address alone from now on, and what waits for it; gives back how many messages that were.

    `as_of` is when it let nothing through, where that is told late: who wrote since then lets through again.
    """
    met: dict[str, Any] = {"met_channel": channel, "met": address, "as_of": as_of or now}
    connection.execute(_BLOCK, {**met, "now": now})
    return connection.execute(_SKIP, {**met, "why": reason}).rowcount


_LAST_KEY = (
    sa.select(turns.c.update_key)
    .join(outbox, outbox.c.turn_id == turns.c.id)
    .where(outbox.c.address_id == _PLACE)
    .order_by(outbox.c.id.desc())
    .limit(1)
)


def last_key(connection: sa.Connection, channel: str, address: str) -> str | None:
    """The key of the update from this address that was answered last, None if none was."""
    key: str | None = connection.scalar(_LAST_KEY, {"met_channel": channel, "met": address})
    return key


def unblock(connection: sa.Connection, channel: str, address: str) -> None:
    """An address lets us through again."""
    connection.execute(_FREE, {"met_channel": channel, "met": address})


_other = addresses.alias("other")
_MOVE = (
    sa.update(addresses)
    .where(
        addresses.c.id == _PLACE,
        ~sa.exists().where(
            _other.c.channel == sa.bindparam("met_channel"), _other.c.address == sa.bindparam("moved_to")
        ),
    )
    .values(address=sa.bindparam("moved_to"))
)


def move(connection: sa.Connection, channel: str, address: str, to: str) -> None:
    """An address has a new name, as a group that became a supergroup; one that is known by itself stays as it is."""
    connection.execute(_MOVE, {"met_channel": channel, "met": address, "moved_to": to})


_WAITING = (
    sa.select(outbox.c.status, sa.func.count())
    .where(_is_open, outbox.c.channel == sa.bindparam("through"))
    .group_by(outbox.c.status)
)


def waiting(connection: sa.Connection, channel: str) -> dict[str, int]:
    """How many rows still have to be sent, by status."""
    found = connection.execute(_WAITING, {"through": channel}).all()
    return {str(status): int(count) for status, count in found}
