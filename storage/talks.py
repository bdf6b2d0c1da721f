"""A conversation as it was: what the person wrote and what was answered, in order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from handlers.messages import Message
from storage.outbox import load
from storage.tables import addresses, outbox, people, questions, turns


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said; `message` is set for the assistant's, `key` for the person's own."""

    at: datetime
    text: str
    key: str | None = None
    message: Message | None = None
    cursor: int | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """The last part of a conversation, oldest first; `cursor` is the last message in it, 0 for none."""

    entries: tuple[Entry, ...]
    cursor: int
    language: str
    seen_at: datetime
    closed: bool


_WHO = (
    sa.select(addresses.c.id, addresses.c.closed_at, people.c.language, people.c.seen_at)
    .join(people, people.c.id == addresses.c.person_id)
    .where(
        addresses.c.channel == sa.bindparam("met_channel"), addresses.c.address == sa.bindparam("met_address")
    )
)
_SAID = sa.select(turns.c.id, turns.c.at, turns.c.text, turns.c.update_key).where(
    turns.c.id.in_(sa.bindparam("answered", expanding=True)), turns.c.text != ""
)
_ANSWERED = (
    sa.select(outbox.c.id, outbox.c.at, outbox.c.message, outbox.c.turn_id)
    .where(outbox.c.address_id == sa.bindparam("place"))
    .order_by(outbox.c.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def recent(connection: sa.Connection, channel: str, address: str, most: int = 60) -> Talk | None:
    """The last `most` answers here and what they answered, or None for an address nobody wrote from."""
    who = connection.execute(_WHO, {"met_channel": channel, "met_address": address}).first()
    if who is None:
        return None
    answered = connection.execute(_ANSWERED, {"place": who.id, "most": most}).all()
    # The turns are found by what answered them: an index of their own would cost every turn a page of writing.
    said = connection.execute(_SAID, {"answered": [row.turn_id for row in answered if row.turn_id]}).all()
    # A turn and its answers carry the same moment; the person's words come first.
    ordered = sorted(
        [((row.at, 0, row.id), Entry(row.at, row.text, key=row.update_key)) for row in said]
        + [((row.at, 1, row.id), _answer(row.id, row.at, row.message)) for row in answered],
        key=lambda pair: pair[0],
    )
    cursor = max((row.id for row in answered), default=0)
    return Talk(
        tuple(entry for _, entry in ordered), cursor, who.language, who.seen_at, who.closed_at is not None
    )


_STANDING = (
    sa.select(people.c.language, people.c.language_chosen, people.c.greeted, people.c.state)
    .join(addresses, people.c.id == addresses.c.person_id)
    .where(
        addresses.c.channel == sa.bindparam("met_channel"), addresses.c.address == sa.bindparam("met_address")
    )
)


_HANDED = (
    sa.select(questions.c.id, questions.c.at, questions.c.text)
    .join(addresses, addresses.c.person_id == questions.c.person_id)
    .where(
        addresses.c.channel == sa.bindparam("met_channel"),
        addresses.c.address == sa.bindparam("met_address"),
        questions.c.status == sa.literal_column("'handed'"),
    )
    .order_by(questions.c.id)
)


def standing(connection: sa.Connection, channel: str, address: str) -> dict[str, Any] | None:
    """Where a conversation stands, for a transcript to begin from; None for a newcomer."""
    met = {"met_channel": channel, "met_address": address}
    found = connection.execute(_STANDING, met).mappings().first()
    if found is None:
        return None
    handed = [
        {"ticket": f"Q{number}", "at": at.isoformat(), "text": text}
        for number, at, text in connection.execute(_HANDED, met)
    ]
    return {**{str(name): value for name, value in found.items()}, "handed": handed}


def _answer(cursor: int, at: datetime, stored: str) -> Entry:
    message = load(stored)
    return Entry(at, message.text, message=message, cursor=cursor)
