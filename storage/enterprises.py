"""The register of enterprises: found by a few letters, read, merged and parted again, contacts erased."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert  # its ON CONFLICT compiles on SQLite as well

from handlers.register.planning import Known
from handlers.register.twins import Named, where
from handlers.register.words import plain
from handlers.values import Refusal, phone
from storage.database import ERASED
from storage.errors import StoreError
from storage.keys import keyed
from storage.rows import bound, rows
from storage.tables import Id, Instant, enterprise_contacts, enterprise_words, enterprises, merges

AT_ONCE = 1000  # rows of one statement
MOST_WORDS = 5  # of what is looked for
LOOKED_AT = 300  # enterprises among which the best are picked
COUNTED = 2500  # of a word's enterprises: more is many
LONGEST_WORD = 40
LONGEST_SEARCH = 400
_LEAST_DIGITS = 3  # of a tax code

_LAST = "\U0010ffff"  # sorts after whatever a word goes on with


class NoSuchEnterprise(StoreError):
    """There is no such enterprise, or it was merged into another one."""


class NoSuchMerge(StoreError):
    """There is no such merge, or it was undone, or one of the two was merged again since."""


# Finding

_lookup_asked: sa.BindParameter[str] = sa.bindparam("lookup")
_SEEN = (
    sa.func.coalesce(enterprises.c.merged_into, enterprises.c.id),
    enterprises.c.search,
    enterprises.c.tax_code,
)
_COUNT = sa.select(sa.func.count()).select_from(
    sa.select(sa.literal_column("1"))
    .select_from(enterprise_words)
    .where(enterprise_words.c.word >= sa.bindparam("a0"), enterprise_words.c.word < sa.bindparam("b0"))
    .limit(COUNTED)
    .subquery()
)
BY_TAX_CODE = (
    sa.select(*_SEEN)
    .where(enterprises.c.tax_code >= sa.bindparam("a0"), enterprises.c.tax_code < sa.bindparam("b0"))
    .order_by(enterprises.c.tax_code)
    .limit(LOOKED_AT)
)
BY_NAME = (
    sa.select(*_SEEN)
    .where(enterprises.c.search >= sa.bindparam("a0"), enterprises.c.search < sa.bindparam("b0"))
    .order_by(enterprises.c.search)
    .limit(LOOKED_AT)
)
BY_LOOKUP = (
    sa.select(*_SEEN)
    .select_from(
        enterprise_contacts.join(enterprises, enterprises.c.id == enterprise_contacts.c.enterprise_id)
    )
    .where(enterprise_contacts.c.lookup == _lookup_asked)
    .limit(LOOKED_AT)
)


@lru_cache(maxsize=MOST_WORDS)
def by_words(number: int) -> sa.Select[Any]:
    """Enterprises with a word that begins with each of `number` beginnings, the rarest of which is the first.

    Each subquery has its limit, so that no plan can be worse than COUNTED rows of an index.
    """
    words = enterprise_words.alias("w0")
    rarest = (
        sa.select(words.c.enterprise_id, words.c.word)
        .where(_begins(words, 0))
        .order_by(words.c.word, words.c.enterprise_id)
        .limit(COUNTED)
        .subquery("rarest")
    )
    fitting = sa.select(rarest.c.enterprise_id)
    for place in range(1, number):
        other = enterprise_words.alias(f"w{place}")
        among: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
            other.c.enterprise_id == rarest.c.enterprise_id, _begins(other, place)
        )
        fitting = fitting.where(among.exists())
    found = fitting.order_by(rarest.c.word, rarest.c.enterprise_id).limit(LOOKED_AT).subquery("found")
    return sa.select(*_SEEN).select_from(found.join(enterprises, enterprises.c.id == found.c.enterprise_id))


def _begins(words: sa.FromClause, place: int) -> sa.ColumnElement[bool]:
    return sa.and_(words.c.word >= sa.bindparam(f"a{place}"), words.c.word < sa.bindparam(f"b{place}"))


def find(connection: sa.Connection, text: str, limit: int = 20, *, key: bytes | None = None) -> list[Known]:
    """Enterprises found by beginnings of words of their names, of a tax code, or by a whole telephone or mail address.

    The best come first. `key` is the installation's, without which telephones and mail addresses are not found. Where
    every word asked for is one of COUNTED enterprises or more, only that many are looked at.
    """
    folded = plain(text)
    words = [word[:LONGEST_WORD] for word in folded.split()][:MOST_WORDS]
    if not words:
        return []
    found: dict[int, tuple[Any, ...]] = {}
    for statement, values in _searches(connection, text, words, key):
        for number, search, code in connection.execute(statement, values):
            rank = _rank(search, code, folded, words)
            found[number] = min(rank, found.get(number, rank))
    best = sorted(found, key=lambda number: (*found[number], number))[:limit]
    known = read(connection, best)
    return [known[number] for number in best]


def _searches(
    connection: sa.Connection, text: str, words: list[str], key: bytes | None
) -> Iterator[tuple[sa.Select[Any], dict[str, Any]]]:
    digits = "".join(sign for sign in text if sign.isdecimal() and sign.isascii())
    if len(digits) >= _LEAST_DIGITS and not any(map(str.isalpha, text)):
        code = digits if len(digits) <= 10 else f"{digits[:10]}-{digits[10:13]}"
        yield BY_TAX_CODE, _between(0, code)
    if key and (value := _contact(text)):
        yield BY_LOOKUP, {"lookup": keyed(key, "value", value.casefold())}
    yield BY_NAME, _between(0, " ".join(words))
    rarest = sorted(words, key=lambda word: connection.execute(_COUNT, _between(0, word)).scalar_one())
    values: dict[str, str] = {}
    for place, word in enumerate(rarest):
        values |= _between(place, word)
    yield by_words(len(rarest)), values


def _between(place: int, begins: str) -> dict[str, str]:
    return {f"a{place}": begins, f"b{place}": begins + _LAST}


def _contact(text: str) -> str | None:
    """The whole telephone or mail address that is looked for."""
    if "@" in text:
        return text.strip()
    number = phone(text) if any(map(str.isdecimal, text)) else Refusal("")
    return None if isinstance(number, Refusal) else number


def _rank(search: str, code: str | None, folded: str, words: Sequence[str]) -> tuple[Any, ...]:
    """What comes first: a tax code, the text as it stands, whole words, short names."""
    own = search.split()
    return (
        not (code or "").startswith("".join(words)),
        folded not in search,
        -sum(word in own for word in words),
        len(search),
        search,
    )


# Reading

_given_ids = rows(id=Id)
_COLUMNS = (
    enterprises.c.id,
    enterprises.c.name,
    enterprises.c.tax_code,
    enterprises.c.kind,
    enterprises.c.address,
    enterprises.c.commune,
    enterprises.c.commune_text,
    enterprises.c.sector,
    enterprises.c.employees,
    enterprises.c.note,
    enterprises.c.ref,
    enterprises.c.size_band,
    enterprises.c.more,
    enterprises.c.source,
    enterprises.c.created_at,
    enterprises.c.updated_at,
)
_READ = sa.select(*_COLUMNS).select_from(_given_ids.join(enterprises, enterprises.c.id == _given_ids.c.id))
_CONTACTS = (
    sa.select(enterprise_contacts.c.enterprise_id, enterprise_contacts.c.kind, enterprise_contacts.c.value)
    .select_from(_given_ids.join(enterprise_contacts, enterprise_contacts.c.enterprise_id == _given_ids.c.id))
    .order_by(enterprise_contacts.c.id)
)
_NAMES = sa.select(
    sa.func.coalesce(enterprises.c.merged_into, enterprises.c.id),
    enterprises.c.name,
    enterprises.c.tax_code,
    enterprises.c.commune,
    enterprises.c.commune_text,
).order_by(enterprises.c.id)
_EVERY = (
    sa.select(enterprises.c.id)
    .where(enterprises.c.merged_into.is_(None), enterprises.c.id > sa.bindparam("after"))
    .order_by(enterprises.c.id)
    .limit(AT_ONCE)
)
_TOTAL = sa.select(sa.func.count()).select_from(enterprises).where(enterprises.c.merged_into.is_(None))
_ID_OF = sa.select(sa.func.coalesce(enterprises.c.merged_into, enterprises.c.id)).where(
    enterprises.c.ref == sa.bindparam("asked")
)


def read(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Known]:
    """Enterprises by id, with how they are reached."""
    found: dict[int, Known] = {}
    for some in _batched(ids):
        asked = bound({"id": one} for one in some)
        contacts: dict[tuple[int, str], list[str]] = {}
        for number, kind, value in connection.execute(_CONTACTS, asked):
            contacts.setdefault((number, kind), []).append(value)
        for row in connection.execute(_READ, asked):
            found[row.id] = _known(row, contacts)
    return found


def read_by_ref(connection: sa.Connection, ref: str) -> Known | None:
    """The enterprise a link names, or the one it was merged into."""
    found = connection.execute(_ID_OF, {"asked": ref}).scalar()
    return read(connection, [found]).get(found) if found is not None else None


def names(connection: sa.Connection) -> list[Named]:
    """Every enterprise by what twins are told by; merged ones under what they were merged into."""
    return [
        Named(number, name, code, where(commune, text))
        for number, name, code, commune, text in connection.execute(_NAMES)
    ]


def total(connection: sa.Connection) -> int:
    """How many enterprises there are."""
    return connection.execute(_TOTAL).scalar_one()


def every(connection: sa.Connection) -> Iterator[Known]:
    """Every enterprise, as they were added, some at a time."""
    after = 0
    while ids := list(connection.execute(_EVERY, {"after": after}).scalars()):
        found = read(connection, ids)
        yield from (found[number] for number in ids)
        after = ids[-1]


def _known(row: Any, contacts: Mapping[tuple[int, str], Sequence[str]]) -> Known:
    def reached(kind: str) -> tuple[str, ...]:
        return tuple(contacts.get((row.id, kind), ()))

    values = dict(row._mapping)  # noqa: SLF001  SQLAlchemy's public way to a row by name
    return Known(**values, phones=reached("phone"), emails=reached("email"), persons=reached("person"))


def _batched(ids: Iterable[int]) -> Iterator[Sequence[int]]:
    some = list(dict.fromkeys(ids))
    return (some[start : start + AT_ONCE] for start in range(0, len(some), AT_ONCE))


# Merging

_PAIR = sa.select(enterprises).where(
    enterprises.c.id.in_((sa.bindparam("kept"), sa.bindparam("gone"))), enterprises.c.merged_into.is_(None)
)
_LOCKED_PAIR = _PAIR.order_by(enterprises.c.id).with_for_update()
_own = enterprise_contacts.alias("own")
_MOVABLE = sa.select(enterprise_contacts.c.id).where(
    enterprise_contacts.c.enterprise_id == sa.bindparam("gone"),
    ~sa.select(sa.literal_column("1"))
    .where(
        _own.c.enterprise_id == sa.bindparam("kept"),
        _own.c.kind == enterprise_contacts.c.kind,
        _own.c.lookup == enterprise_contacts.c.lookup,
    )
    .exists(),
)
_MOVE = (
    sa.update(enterprise_contacts)
    .where(enterprise_contacts.c.id == _given_ids.c.id)
    .values(enterprise_id=sa.bindparam("to_whom"))
)
_FOLLOWERS = sa.select(enterprises.c.id).where(enterprises.c.merged_into == sa.bindparam("gone"))
_FOLLOW = (
    sa.update(enterprises)
    .where(enterprises.c.id == _given_ids.c.id)
    .values(merged_into=sa.bindparam("into_whom", type_=Id))
)
_FILLABLE = (
    "tax_code",
    "kind",
    "commune",
    "commune_text",
    "address",
    "sector",
    "employees",
    "size_band",
    "note",
)
_MERGE = sa.insert(merges).values(
    at=sa.bindparam("now", type_=Instant),
    who=sa.bindparam("by"),
    kept_id=sa.bindparam("kept"),
    gone_id=sa.bindparam("gone"),
    moved=sa.bindparam("what"),
)
_THE_MERGE = sa.select(merges).where(merges.c.id == sa.bindparam("which"), merges.c.undone_at.is_(None))
_LATER = sa.select(merges.c.id).where(
    merges.c.id > sa.bindparam("which"),
    merges.c.undone_at.is_(None),
    sa.or_(
        merges.c.kept_id.in_((sa.bindparam("kept"), sa.bindparam("gone"))),
        merges.c.gone_id.in_((sa.bindparam("kept"), sa.bindparam("gone"))),
    ),
)
_UNDONE = (
    sa.update(merges)
    .where(merges.c.id == sa.bindparam("which"))
    .values(undone_at=sa.bindparam("now", type_=Instant))
)


def merge(connection: sa.Connection, kept: int, gone: int, *, who: str, at: datetime) -> int:
    """Make two enterprises one; gives back what `part` wants. Raises NoSuchEnterprise.

    What the kept one lacks is taken from the other; its names still find it.
    """
    pair = {row.id: row for row in connection.execute(_LOCKED_PAIR, {"kept": kept, "gone": gone})}
    if kept == gone or len(pair) < 2:
        raise NoSuchEnterprise(f"enterprises {kept} and {gone} cannot be merged")
    both = {"kept": kept, "gone": gone}
    contacts = list(connection.execute(_MOVABLE, both).scalars())
    followers = [*connection.execute(_FOLLOWERS, both).scalars(), gone]
    filled = _filled(pair[kept], pair[gone])
    _move(connection, contacts, kept)
    _follow(connection, followers, kept)
    _set(connection, gone, {"tax_code": None} if "tax_code" in filled else {}, at)
    _set(connection, kept, filled, at)
    moved = {"contacts": contacts, "followers": followers, "filled": filled}
    values = {**both, "now": at, "by": who, "what": orjson.dumps(moved).decode()}
    made = connection.execute(_MERGE.returning(merges.c.id), values).scalar_one()
    return int(made)


def part(connection: sa.Connection, merge_id: int, *, at: datetime) -> None:
    """Undo a merge: what was taken over goes back, what was written since stays. Raises NoSuchMerge."""
    row = connection.execute(_THE_MERGE, {"which": merge_id}).first()
    if row is None:
        raise NoSuchMerge(f"there is no merge {merge_id} to undo")
    both = {"kept": row.kept_id, "gone": row.gone_id}
    if connection.execute(_LATER, {"which": merge_id, **both}).first():
        raise NoSuchMerge(f"merge {merge_id} is followed by another one of the same enterprises")
    moved = row.moved
    now = connection.execute(sa.select(enterprises).where(enterprises.c.id == row.kept_id)).one()
    back = {name: value for name, value in moved["filled"].items() if getattr(now, name) == value}
    _set(connection, row.kept_id, {name: "" if name in _TEXTS else None for name in back}, at)
    _set(connection, row.gone_id, {"tax_code": back["tax_code"]} if "tax_code" in back else {}, at)
    _move(connection, moved["contacts"], row.gone_id)
    _follow(connection, [one for one in moved["followers"] if one != row.gone_id], row.gone_id)
    _follow(connection, [row.gone_id], None)
    connection.execute(_UNDONE, {"which": merge_id, "now": at})


_TEXTS = frozenset(["commune_text", "address", "sector", "note"])


def _filled(kept: Any, gone: Any) -> dict[str, Any]:
    """What the kept one lacks and the other has; a place is taken whole or not at all."""
    filled = {
        name: getattr(gone, name)
        for name in _FILLABLE
        if getattr(kept, name) in (None, "") and getattr(gone, name) not in (None, "")
    }
    if kept.commune or kept.commune_text:
        filled.pop("commune", None)
        filled.pop("commune_text", None)
    return filled


def _set(connection: sa.Connection, number: int, values: Mapping[str, Any], at: datetime) -> None:
    statement = sa.update(enterprises).where(enterprises.c.id == number).values(**values, updated_at=at)
    connection.execute(statement)


def _move(connection: sa.Connection, contacts: Sequence[int], to_whom: int) -> None:
    if contacts:
        connection.execute(_MOVE, {**bound({"id": one} for one in contacts), "to_whom": to_whom})


def _follow(connection: sa.Connection, ids: Sequence[int], into: int | None) -> None:
    if ids:
        connection.execute(_FOLLOW, {**bound({"id": one} for one in ids), "into_whom": into})


# How somebody is reached, one by one

_ADD_CONTACT = (
    insert(enterprise_contacts)
    .on_conflict_do_nothing(
        index_elements=[
            enterprise_contacts.c.enterprise_id,
            enterprise_contacts.c.kind,
            enterprise_contacts.c.lookup,
        ]
    )
    .returning(enterprise_contacts.c.id)
)
_REMOVE_CONTACT = sa.delete(enterprise_contacts).where(
    enterprise_contacts.c.enterprise_id == sa.bindparam("whose"),
    enterprise_contacts.c.kind == sa.bindparam("of_kind"),
    enterprise_contacts.c.lookup == _lookup_asked,
)


def add_contact(
    connection: sa.Connection, key: bytes, enterprise_id: int, kind: str, value: str, at: datetime
) -> bool:
    """Know one more telephone (E.164), mail address or person of an enterprise; whether it is new."""
    lookup = keyed(key, "value", value.casefold())
    values = {"enterprise_id": enterprise_id, "kind": kind, "value": value, "lookup": lookup, "at": at}
    return connection.execute(_ADD_CONTACT, values).first() is not None


def remove_contact(connection: sa.Connection, key: bytes, enterprise_id: int, kind: str, value: str) -> bool:
    """Erase one telephone, mail address or person of an enterprise; whether it was there."""
    asked = {"whose": enterprise_id, "of_kind": kind, "lookup": keyed(key, "value", value.casefold())}
    return _erased(connection, connection.execute(_REMOVE_CONTACT, asked).rowcount) > 0


# Erasing

_ERASE_OF = sa.delete(enterprise_contacts).where(enterprise_contacts.c.enterprise_id == sa.bindparam("whose"))
_ERASE_VALUE = sa.delete(enterprise_contacts).where(enterprise_contacts.c.lookup == _lookup_asked)


def erase_contacts(connection: sa.Connection, enterprise_id: int) -> int:
    """Erase how an enterprise is reached; gives back how many values went."""
    return _erased(connection, connection.execute(_ERASE_OF, {"whose": enterprise_id}).rowcount)


def erase_value(connection: sa.Connection, key: bytes, value: str) -> int:
    """Erase a telephone (E.164), a mail address or a name wherever it stands as a contact; gives back how many went."""
    lookup = keyed(key, "value", value.casefold())
    return _erased(connection, connection.execute(_ERASE_VALUE, {"lookup": lookup}).rowcount)


def _erased(connection: sa.Connection, number: int) -> int:
    if number:
        connection.info[ERASED] = True
    return number
