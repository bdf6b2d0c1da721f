"""What is to be said: written with the turn, fetched by a cursor, marked when the cursor has passed.

What is sent rather than fetched is written here as well; how it leaves stands in storage/posts.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from handlers.messages import Attachment, Choice, Control, Message
from storage.rows import bound, rows
from storage.tables import Id, Instant, addresses, instant, outbox, turns

MOST_AT_ONCE = 1_000  # messages read in one statement


@dataclass(frozen=True, slots=True)
class Line:
    """One message in somebody's outbox; its cursor grows with every message to the same address."""

    cursor: int
    message: Message
    at: datetime
    said: tuple[str, str] | None = None  # update key and words of the turn whose first answer this is


def dump(message: Message) -> str:
    """A message as JSON text for storage; what only a form's questions carry is written where there is any."""
    choices = [[choice.label, choice.value, choice.url] for choice in message.choices]
    attachments = [[one.name, one.media_type, one.path] for one in message.attachments]
    carried = _carried(message)
    return orjson.dumps([message.text, choices, attachments, *([carried] if carried else [])]).decode()


def load(text: str) -> Message:
    """Read what `dump` wrote."""
    said, choices, attachments, *carried = orjson.loads(text)
    return _with_carried(
        Message(said, tuple(Choice(*one) for one in choices), tuple(Attachment(*one) for one in attachments)),
        carried[0] if carried else {},
    )


def _carried(message: Message) -> dict[str, Any]:
    carried = {
        "aside": [place for place, choice in enumerate(message.choices) if choice.aside],
        "control": _dump_control(message.control) if message.control else None,
        "progress": message.progress,
        "counted": message.counted,
        "withdraws": message.withdraws,
    }
    return {key: value for key, value in carried.items() if value}


def _with_carried(message: Message, carried: dict[str, Any]) -> Message:
    if not carried:
        return message
    aside = carried.get("aside", ())
    progress, control = carried.get("progress"), carried.get("control")
    return replace(
        message,
        choices=tuple(replace(one, aside=place in aside) for place, one in enumerate(message.choices)),
        control=_load_control(control) if control else None,
        progress=tuple(progress) if progress else None,
        counted=carried.get("counted", ""),
        withdraws=carried.get("withdraws", ""),
    )


_CONTROL = tuple(field.name for field in fields(Control))


def _dump_control(control: Control) -> dict[str, Any]:
    return {name: value for name in _CONTROL if (value := getattr(control, name))}


def _load_control(given: dict[str, Any]) -> Control:
    parts: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in given.items()
    }
    return Control(**parts)


_given_lines = rows(
    place=sa.Integer,
    address_id=Id,
    turn_id=Id,
    position=sa.Integer,
    status=sa.String,
    at=Instant,
    message=sa.Text,
    channel=sa.String,
    bulk=sa.Boolean,
    owner=sa.String,
    due_at=Instant,
    replaces=sa.String,
)
_ADD = (
    sa.insert(outbox)
    .from_select(
        [column.name for column in _given_lines.c if column.name != "place"],
        sa.select(*(column for column in _given_lines.c if column.name != "place")).order_by(
            _given_lines.c.place
        ),
        include_defaults=False,
    )
    .returning(outbox.c.id, outbox.c.turn_id, outbox.c.position)
)


@dataclass(frozen=True, slots=True)
class Lease:
    """A row in a process's hands: who sends it and where, and until when nobody else takes it up."""

    channel: str
    owner: str
    until: datetime
    replaces: str | None = None  # the channel's own id of the message it takes the place of


@dataclass(frozen=True, slots=True)
class NewLine:
    """A message about to stand in the outbox; without a lease its reader fetches it."""

    address_id: int
    turn_id: int
    position: int
    at: datetime
    message: Message
    lease: Lease | None = None


def add(connection: sa.Connection, lines: Sequence[NewLine]) -> dict[tuple[int, int], int]:
    """Write the messages; gives back their cursors by (turn, position)."""
    if not lines:
        return {}
    values = ({"place": place, **_row(line)} for place, line in enumerate(lines))
    found = connection.execute(_ADD, bound(values)).all()
    return {(turn_id, position): cursor for cursor, turn_id, position in found}


def _row(line: NewLine) -> dict[str, Any]:
    row = {
        "address_id": line.address_id,
        "turn_id": line.turn_id,
        "position": line.position,
        "status": "leased" if line.lease else "waiting",
        "at": instant(line.at),
        "message": dump(line.message),
        "bulk": False,
    }
    if line.lease is None:
        return row
    lease = line.lease
    return row | {
        "channel": lease.channel,
        "owner": lease.owner,
        "due_at": instant(lease.until),
        "replaces": lease.replaces,
    }


_BEGIN = sa.insert(outbox).values(
    address_id=sa.bindparam("place"),
    position=0,
    status=sa.bindparam("becomes"),
    at=sa.bindparam("now", type_=Instant),
    message=sa.bindparam("said"),
    channel=sa.bindparam("through"),
    due_at=sa.bindparam("due", type_=Instant),
)


def begin(
    connection: sa.Connection, address_id: int, channel: str | None, message: Message, at: datetime
) -> None:
    """Say what answers nobody's turn: a process of `channel` sends it, or with None its reader fetches it."""
    values = {"place": address_id, "now": at, "said": dump(message), "through": channel}
    sent = {"becomes": "queued", "due": at} if channel else {"becomes": "waiting", "due": None}
    connection.execute(_BEGIN, values | sent)


_given_readers = rows(channel=sa.String, address=sa.String, after=Id)
_AFTER = (
    sa.select(
        addresses.c.address,
        outbox.c.id,
        outbox.c.message,
        outbox.c.at,
        outbox.c.position,
        turns.c.update_key,
        turns.c.text,
    )
    .select_from(
        _given_readers.join(
            addresses,
            (addresses.c.channel == _given_readers.c.channel)
            & (addresses.c.address == _given_readers.c.address),
        )
        .join(outbox, (outbox.c.address_id == addresses.c.id) & (outbox.c.id > _given_readers.c.after))
        .outerjoin(turns, turns.c.id == outbox.c.turn_id)
    )
    .where(addresses.c.closed_at.is_(None))
    .order_by(outbox.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def after(
    connection: sa.Connection, channel: str, cursors: Iterable[tuple[str, int]], most: int = MOST_AT_ONCE
) -> dict[str, list[Line]]:
    """For each (address, cursor) the messages after it, oldest first, `most` rows in all."""
    wanted: Any = bound(
        {"channel": channel, "address": address, "after": cursor} for address, cursor in cursors
    )
    lines: dict[str, list[Line]] = {}
    for address, cursor, message, at, position, key, text in connection.execute(
        _AFTER, {**wanted, "most": most}
    ):
        said = (key, text) if text and position == 0 else None
        lines.setdefault(address, []).append(Line(cursor, load(message), at, said))
    return lines


_given_seen = rows(channel=sa.String, address=sa.String, upto=Id)
_MARK_SEEN = (
    sa.update(outbox)
    .values(status=sa.literal_column("'sent'"), sent_at=sa.bindparam("now", type_=Instant))
    .where(
        outbox.c.status == sa.literal_column("'waiting'"),
        outbox.c.id.in_(
            sa.select(outbox.c.id)
            .select_from(
                _given_seen.join(
                    addresses,
                    (addresses.c.channel == _given_seen.c.channel)
                    & (addresses.c.address == _given_seen.c.address),
                ).join(outbox, (outbox.c.address_id == addresses.c.id) & (outbox.c.id <= _given_seen.c.upto))
            )
            .where(outbox.c.status == sa.literal_column("'waiting'"))
            .scalar_subquery()
        ),
    )
)


def mark_seen(
    connection: sa.Connection, channel: str, cursors: Iterable[tuple[str, int]], now: datetime
) -> int:
    """Mark as sent what each reader's cursor has passed; gives back how many messages that were."""
    values = bound({"channel": channel, "address": address, "upto": upto} for address, upto in cursors)
    return connection.execute(_MARK_SEEN, {**values, "now": now}).rowcount


_SKIP_OLD = (
    sa.update(outbox)
    .values(status=sa.literal_column("'skipped'"), reason=sa.literal_column("'too old'"))
    .where(
        outbox.c.status == sa.literal_column("'waiting'"), outbox.c.at < sa.bindparam("before", type_=Instant)
    )
)


def skip_old(connection: sa.Connection, before: datetime) -> int:
    """Give up what nobody came for since `before`; gives back how many messages that were."""
    return connection.execute(_SKIP_OLD, {"before": before}).rowcount


_FETCH_WAITING = (
    sa.update(outbox)
    .where(
        outbox.c.status == sa.literal_column("'waiting'"),
        outbox.c.address_id
        == sa.select(addresses.c.id)
        .where(
            addresses.c.channel == sa.bindparam("met_channel"),
            addresses.c.address == sa.bindparam("met_address"),
        )
        .scalar_subquery(),
    )
    .values(status=sa.literal_column("'sent'"), sent_at=sa.bindparam("now", type_=Instant))
    .returning(outbox.c.id, outbox.c.message, outbox.c.at)
)


def fetch_waiting(connection: sa.Connection, channel: str, address: str, now: datetime) -> list[Line]:
    """Take everything that waits for a reader who reads at once, oldest first, and mark it sent."""
    found = connection.execute(_FETCH_WAITING, {"met_channel": channel, "met_address": address, "now": now})
    return sorted(
        (Line(cursor, load(message), at) for cursor, message, at in found), key=lambda line: line.cursor
    )
