"""People and the addresses they are met on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from handlers.effects import KeepState
from handlers.people import Person
from storage.rows import bound, rows
from storage.tables import Id, Instant, addresses, instant, kept_states, people

Met = tuple[str, str]  # a channel and an address in it


@dataclass(slots=True)
class Standing:
    """A person under lock, as the transaction sees them; `stored` is their state as text."""

    person: Person
    stored: str | None
    seen_at: datetime  # now, for whoever is met now


@dataclass(frozen=True, slots=True)
class Place:
    """An address and the person behind it; a closed one is no longer answered, a blocked one let nothing through."""

    address_id: int
    closed: bool
    standing: Standing
    blocked: bool = False


_given_met = rows(channel=sa.String, address=sa.String)
_FIND = (
    sa.select(
        addresses.c.channel,
        addresses.c.address,
        addresses.c.id,
        addresses.c.closed_at.is_not(None),
        addresses.c.blocked_at.is_not(None),
        people.c.id,
        people.c.language,
        people.c.language_chosen,
        people.c.greeted,
        people.c.state,
        people.c.draft,
        people.c.stopped,
    )
    .select_from(
        _given_met.join(
            addresses,
            (addresses.c.channel == _given_met.c.channel) & (addresses.c.address == _given_met.c.address),
        ).join(people, people.c.id == addresses.c.person_id)
    )
    .order_by(people.c.id)  # two processes lock the same people in the same order
    .with_for_update(of=people)
)

_given_new = rows(place=sa.Integer, at=Instant)
_CREATE_PEOPLE = (
    sa.insert(people)
    .from_select(
        ["created_at", "seen_at", "language", "language_chosen", "greeted", "stopped"],
        sa.select(
            _given_new.c.at,
            _given_new.c.at,
            sa.literal_column("'vi'"),
            sa.false(),
            sa.false(),
            sa.false(),
        ).order_by(_given_new.c.place),
        include_defaults=False,
    )
    .returning(people.c.id)
)

_given_addresses = rows(place=sa.Integer, person_id=Id, channel=sa.String, address=sa.String, at=Instant)
_CREATE_ADDRESSES = (
    sa.insert(addresses)
    .from_select(
        ["person_id", "channel", "address", "created_at"],
        sa.select(
            _given_addresses.c.person_id,
            _given_addresses.c.channel,
            _given_addresses.c.address,
            _given_addresses.c.at,
        ).order_by(_given_addresses.c.place),
        include_defaults=False,
    )
    .returning(addresses.c.id, addresses.c.channel, addresses.c.address, addresses.c.person_id)
)

_given_people = rows(
    id=Id,
    language=sa.String,
    language_chosen=sa.Boolean,
    greeted=sa.Boolean,
    state=sa.Text,
    draft=sa.String,
    stopped=sa.Boolean,
    seen_at=Instant,
)
_WRITE = (
    sa.update(people)
    .where(people.c.id == _given_people.c.id)
    .values(
        language=_given_people.c.language,
        language_chosen=_given_people.c.language_chosen,
        greeted=_given_people.c.greeted,
        state=_given_people.c.state,
        draft=_given_people.c.draft,
        stopped=_given_people.c.stopped,
        seen_at=_given_people.c.seen_at,
    )
)


def lock(connection: sa.Connection, met: Iterable[Met], now: datetime) -> dict[Met, Place]:
    """Lock the people behind these addresses, making those who are new; one person met twice is one Standing."""
    wanted = sorted(set(met))
    places = _find(connection, wanted, now)
    new = [one for one in wanted if one not in places]
    if new:
        places |= _create(connection, new, now)
    return places


def _find(connection: sa.Connection, wanted: Sequence[Met], now: datetime) -> dict[Met, Place]:
    values = bound({"channel": channel, "address": address} for channel, address in wanted)
    standings: dict[int, Standing] = {}
    places: dict[Met, Place] = {}
    for row in connection.execute(_FIND, values).all():
        channel, address, address_id, closed, blocked, person_id, language, chosen, greeted, *more = row
        state, draft, stopped = more
        person = Person(person_id, language, bool(chosen), bool(greeted), draft, bool(stopped))
        standing = standings.setdefault(person_id, Standing(person, state, now))
        places[channel, address] = Place(address_id, bool(closed), standing, bool(blocked))
    return places


def _create(connection: sa.Connection, new: Sequence[Met], now: datetime) -> dict[Met, Place]:
    at = instant(now)
    made = connection.execute(
        _CREATE_PEOPLE, bound({"place": n, "at": at} for n in range(len(new)))
    ).scalars()
    rows_ = (
        {"place": place, "person_id": person_id, "channel": channel, "address": address, "at": at}
        for place, (person_id, (channel, address)) in enumerate(zip(made.all(), new, strict=True))
    )
    found = connection.execute(_CREATE_ADDRESSES, bound(rows_))
    return {
        (channel, address): Place(address_id, closed=False, standing=Standing(Person(person_id), None, now))
        for address_id, channel, address, person_id in found
    }


def write(connection: sa.Connection, standings: Iterable[Standing]) -> None:
    """Write the people a group has changed."""
    values = [
        {
            "id": one.person.id,
            "language": one.person.language,
            "language_chosen": one.person.language_chosen,
            "greeted": one.person.greeted,
            "state": one.stored,
            "draft": one.person.draft,
            "stopped": one.person.stopped,
            "seen_at": instant(one.seen_at),
        }
        for one in standings
    ]
    if values:
        connection.execute(_WRITE, bound(values))


_given_free = rows(id=Id)
_FREE = (
    sa.update(addresses)
    .where(addresses.c.id.in_(sa.select(_given_free.c.id).scalar_subquery()))
    .values(blocked_at=sa.null())
)


def unblock(connection: sa.Connection, places: Iterable[Place]) -> None:
    """Whoever writes or taps lets the assistant through again, also where that was never told."""
    blocked = {place.address_id for place in places if place.blocked}
    if blocked:
        connection.execute(_FREE, bound({"id": address_id} for address_id in sorted(blocked)))


_given_kept = rows(person_id=Id, at=Instant, state=sa.Text, reason=sa.Text)
_KEEP = sa.insert(kept_states).from_select(
    ["person_id", "at", "state", "reason"],
    sa.select(_given_kept.c.person_id, _given_kept.c.at, _given_kept.c.state, _given_kept.c.reason),
    include_defaults=False,
)


def keep_states(connection: sa.Connection, effects: Sequence[tuple[Person, datetime, KeepState]]) -> None:
    """Set aside states that could not be read."""
    connection.execute(
        _KEEP,
        bound(
            {"person_id": person.id, "at": instant(at), "state": effect.state, "reason": effect.reason}
            for person, at, effect in effects
        ),
    )


_CLOSED = sa.select(addresses.c.closed_at).where(
    addresses.c.channel == sa.bindparam("met_channel"), addresses.c.address == sa.bindparam("met_address")
)


def is_closed(connection: sa.Connection, channel: str, address: str) -> bool:
    """Whether «không phải tôi» was said here."""
    closed_at = connection.execute(_CLOSED, {"met_channel": channel, "met_address": address}).scalar()
    return closed_at is not None


_CLOSE = (
    sa.update(addresses)
    .where(
        addresses.c.channel == sa.bindparam("met_channel"),
        addresses.c.address == sa.bindparam("met_address"),
        addresses.c.closed_at.is_(None),
    )
    .values(closed_at=sa.bindparam("now", type_=Instant))
)


def close(connection: sa.Connection, channel: str, address: str, now: datetime) -> None:
    """«Không phải tôi»: this address is answered no more and its talk is shown to nobody."""
    connection.execute(_CLOSE, {"met_channel": channel, "met_address": address, "now": now})
