"""Takes the right rows of a list into the register, all in one transaction, and takes them out again."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa

from handlers.register.found import Candidate, size_band
from handlers.register.planning import Known, Update
from storage.database import ERASED
from storage.enterprises import AT_ONCE, LONGEST_SEARCH, LONGEST_WORD, NoSuchEnterprise, read
from storage.errors import StoreError
from storage.keys import keyed
from storage.responses import as_json
from storage.rows import Rows, bound, rows
from storage.tables import (
    Id,
    Instant,
    enterprise_contacts,
    enterprise_words,
    enterprises,
    import_rows,
    imports,
    instant,
    merges,
)

Tick = Callable[[int], None]
Words = Callable[[str], Sequence[str]]
T = TypeVar("T")

# What an import may change of an enterprise, and so what undoing it puts back.
_FIELDS = (
    "name",
    "tax_code",
    "kind",
    "commune",
    "commune_text",
    "address",
    "sector",
    "employees",
    "note",
    "more",
)


class AlreadyTaken(StoreError):
    """The same sheet of the same file was taken before."""

    def __init__(self, import_id: int, at: datetime) -> None:
        super().__init__(f"the list was taken as import {import_id}")
        self.import_id, self.at = import_id, at


class RegisterChanged(StoreError):
    """Somebody changed the register since the list was compared with it; nothing was taken."""


class CodeTaken(StoreError):
    """Another enterprise has this tax code."""


class NoSuchImport(StoreError):
    """There is no such import to undo."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list: whose import it is, and which sheet of which file."""

    who: str
    file_name: str
    sheet: str
    sha256: str


@dataclass(frozen=True, slots=True)
class New:
    """A row that becomes an enterprise; `ref` is drawn before, `search` is its name written out."""

    ref: str
    candidate: Candidate
    search: str


@dataclass(frozen=True, slots=True)
class Undone:
    """How many enterprises an undone import took out and put back, and how many were changed since and stay."""

    removed: int
    restored: int
    stayed: int


# What is known of imports

_DONE = (
    sa.select(imports.c.id, imports.c.done_at)
    .where(
        imports.c.sha256 == sa.bindparam("hash"),
        imports.c.sheet == sa.bindparam("named"),
        imports.c.status == sa.literal_column("'done'"),
    )
    .order_by(imports.c.id.desc())
)
_NOTE = sa.insert(imports).values(
    at=sa.bindparam("now", type_=Instant),
    who=sa.bindparam("by"),
    file_name=sa.bindparam("file"),
    sheet=sa.bindparam("named"),
    sha256=sa.bindparam("hash"),
    counts=sa.bindparam("numbers"),
    status=sa.bindparam("what"),
    done_at=sa.bindparam("done", type_=Instant),
)


def taken(connection: sa.Connection, sha256: str, sheet: str) -> tuple[int, datetime] | None:
    """The import by which a sheet of a file was taken, and when; None for one that was not, or was undone."""
    found = connection.execute(_DONE, {"hash": sha256, "named": sheet}).first()
    return (found.id, found.done_at) if found else None


def note_preview(connection: sa.Connection, listed: Listed, counts: Mapping[str, int], at: datetime) -> int:
    """Keep that somebody looked at a list; gives back the import's number."""
    return _note(connection, listed, counts, at, "previewed")


def _note(
    connection: sa.Connection, listed: Listed, counts: Mapping[str, int], at: datetime, what: str
) -> int:
    values = {
        "now": at,
        "by": listed.who[:80],
        "file": listed.file_name[-200:],
        "named": listed.sheet[:80],
        "hash": listed.sha256,
        "numbers": orjson.dumps(dict(counts)).decode(),
        "what": what,
        "done": at if what == "done" else None,
    }
    return int(connection.execute(_NOTE.returning(imports.c.id), values).scalar_one())


# Taking a list

_given_codes = rows(tax_code=sa.String)
_TAKEN_CODES = sa.select(enterprises.c.tax_code).select_from(
    _given_codes.join(enterprises, enterprises.c.tax_code == _given_codes.c.tax_code)
)
_given_new = rows(
    number=sa.Integer, ref=sa.String, tax_code=sa.String, name=sa.Text, search=sa.Text, kind=sa.String,
    commune=sa.String, commune_text=sa.Text, address=sa.Text, sector=sa.Text, employees=sa.Integer,
    size_band=sa.String, note=sa.Text, more=sa.Text, source=sa.String, at=Instant,
)  # fmt: skip
_CREATE = (
    sa.insert(enterprises)
    .from_select(
        [
            "ref", "tax_code", "name", "search", "kind", "commune", "commune_text", "address", "sector", "employees",
            "size_band", "note", "more", "source", "created_at", "updated_at",
        ],
        sa.select(
            _given_new.c.ref, _given_new.c.tax_code, _given_new.c.name, _given_new.c.search, _given_new.c.kind,
            _given_new.c.commune, _given_new.c.commune_text, _given_new.c.address, _given_new.c.sector,
            _given_new.c.employees, _given_new.c.size_band, _given_new.c.note, as_json(_given_new.c.more),
            _given_new.c.source, _given_new.c.at, _given_new.c.at,
        ).order_by(_given_new.c.number),
        include_defaults=False,
    )
    .returning(enterprises.c.id, enterprises.c.ref)
)  # fmt: skip


def _inserting(given: Rows, table: sa.Table, *as_documents: str) -> sa.Insert:
    """An INSERT of a set whose columns are called as the table's."""
    named = [column.name for column in given.columns]
    values = [as_json(given.c[name]) if name in as_documents else given.c[name] for name in named]
    return sa.insert(table).from_select(named, sa.select(*values), include_defaults=False)


_INSERT_WORDS = _inserting(rows(enterprise_id=Id, word=sa.String), enterprise_words)
_INSERT_CONTACTS = _inserting(
    rows(enterprise_id=Id, kind=sa.String, value=sa.Text, lookup=sa.String, import_id=Id, at=Instant),
    enterprise_contacts,
)
_INSERT_ROWS = _inserting(
    rows(import_id=Id, number=sa.Integer, enterprise_id=Id, action=sa.String, before=sa.Text, after=sa.Text),
    import_rows,
    "before",
    "after",
)
_given_changed = rows(
    id=Id, name=sa.Text, search=sa.Text, tax_code=sa.String, kind=sa.String, commune=sa.String, commune_text=sa.Text,
    address=sa.Text, sector=sa.Text, employees=sa.Integer, size_band=sa.String, note=sa.Text, more=sa.Text, at=Instant,
)  # fmt: skip
_CHANGED = (*_FIELDS, "search", "size_band")
_CHANGE = (
    sa.update(enterprises)
    .where(enterprises.c.id == _given_changed.c.id)
    .values(
        **{name: _given_changed.c[name] for name in _CHANGED if name != "more"},
        more=as_json(_given_changed.c.more),
        updated_at=_given_changed.c.at,
    )
)
_LOCKED = (
    sa.select(enterprises.c.updated_at)
    .where(enterprises.c.id == sa.bindparam("which"), enterprises.c.merged_into.is_(None))
    .with_for_update()
)
_given_ids = rows(id=Id)
_FORGET_WORDS = sa.delete(enterprise_words).where(
    enterprise_words.c.enterprise_id.in_(sa.select(_given_ids.c.id))
)


class Importer:
    """Takes lists; `words` are those an enterprise is found by, `written_out` is its name to search."""

    def __init__(self, key: bytes, words: Words, written_out: Callable[[str], str]) -> None:
        self._key, self._words, self._written_out = key, words, written_out

    def take(
        self,
        connection: sa.Connection,
        listed: Listed,
        new: Sequence[New],
        updates: Sequence[Update],
        counts: Mapping[str, int],
        at: datetime,
        tick: Tick = lambda _rows: None,
    ) -> int:
        """Write everything inside the caller's transaction; gives back the import's number.

        Raises AlreadyTaken and RegisterChanged, and then nothing may be committed.
        """
        if found := taken(connection, listed.sha256, listed.sheet):
            raise AlreadyTaken(*found)
        import_id = _note(connection, listed, counts, at, "done")
        done = 0
        for some in _chunks(new):
            self._create(connection, import_id, some, at)
            done += len(some)
            tick(done)
        for changed in _chunks(updates):
            self._update(connection, import_id, changed, at)
            done += len(changed)
            tick(done)
        return import_id

    def _create(self, connection: sa.Connection, import_id: int, some: Sequence[New], at: datetime) -> None:
        _check_codes(connection, (one.candidate.tax_code for one in some))
        values = ({**_created(one), "source": f"import {import_id}", "at": instant(at)} for one in some)
        ids = {ref: number for number, ref in connection.execute(_CREATE, bound(values))}
        self._write_words(connection, ((ids[one.ref], one.candidate.name) for one in some))
        contacts = (
            (ids[one.ref], kind, value) for one in some for kind, value in _contacts_of(one.candidate)
        )
        self._write_contacts(connection, import_id, contacts, at)
        self._write_rows(
            connection,
            import_id,
            ((one.candidate.row, ids[one.ref], "created", {}, _fields_of(one.candidate)) for one in some),
        )

    def _update(
        self, connection: sa.Connection, import_id: int, some: Sequence[Update], at: datetime
    ) -> None:
        now = read(connection, [one.known.id for one in some])
        if any(now.get(one.known.id) != one.known for one in some):
            raise RegisterChanged("an enterprise was changed since the list was compared with it")
        after = {one.known.id: _fields_after(one) for one in some}
        codes = (after[one.known.id]["tax_code"] for one in some if not one.known.tax_code)
        _check_codes(connection, codes)
        self._change(connection, after, at)
        renamed = [one for one in some if after[one.known.id]["name"] != one.known.name]
        self.write_names(connection, [(one.known.id, one.candidate.name) for one in renamed])
        contacts = (
            (one.known.id, kind, value)
            for one in some
            for kind, value in _contacts_of(one.candidate)
            if value.casefold() not in _reached(one.known)
        )
        self._write_contacts(connection, import_id, contacts, at)
        self._write_rows(
            connection,
            import_id,
            (
                (
                    one.candidate.row,
                    one.known.id,
                    "updated",
                    *_difference(_fields_of(one.known), after[one.known.id]),
                )
                for one in some
            ),
        )

    def _change(
        self, connection: sa.Connection, fields: Mapping[int, Mapping[str, Any]], at: datetime
    ) -> None:
        """Set every field of some enterprises."""
        values = (
            {
                "id": number,
                **one,
                "search": self._written_out(one["name"])[:LONGEST_SEARCH],
                "size_band": size_band(one["employees"]),
                "more": orjson.dumps(one["more"]).decode(),
                "at": instant(at),
            }
            for number, one in fields.items()
        )
        if fields:
            connection.execute(_CHANGE, bound(values))

    def change(
        self,
        connection: sa.Connection,
        enterprise_id: int,
        seen: datetime,
        fields: Mapping[str, Any],
        at: datetime,
    ) -> list[str]:
        """Change one enterprise as an officer wants it; gives back the names of the fields that are other now.

        `seen` is its `updated_at` as the officer saw it. Raises RegisterChanged where somebody changed it since,
        CodeTaken, and NoSuchEnterprise.
        """
        locked = connection.execute(_LOCKED, {"which": enterprise_id}).first()
        if locked is None:
            raise NoSuchEnterprise(f"enterprise {enterprise_id}")
        if locked.updated_at != seen:
            raise RegisterChanged("the enterprise was changed since it was looked at")
        now = read(connection, [enterprise_id])[enterprise_id]
        after = {**_fields_of(now), **fields}
        before, _ = _difference(_fields_of(now), after)
        if "tax_code" in before and after["tax_code"]:
            asked = bound([{"tax_code": after["tax_code"]}])
            if connection.execute(_TAKEN_CODES, asked).first():
                raise CodeTaken("another enterprise has this tax code")
        if before:
            self._change(connection, {enterprise_id: after}, at)
        if "name" in before:
            self.write_names(connection, [(enterprise_id, after["name"])])
        return sorted(before)

    def write_names(self, connection: sa.Connection, named: Sequence[tuple[int, str]]) -> None:
        """Have enterprises found by these names from now on."""
        if named:
            connection.execute(_FORGET_WORDS, bound({"id": number} for number, _ in named))
            self._write_words(connection, named)

    def _write_words(self, connection: sa.Connection, named: Iterable[tuple[int, str]]) -> None:
        values = [
            {"enterprise_id": number, "word": word}
            for number, name in named
            for word in sorted({word[:LONGEST_WORD] for word in self._words(name)})
        ]
        if values:
            connection.execute(_INSERT_WORDS, bound(values))

    def _write_contacts(
        self,
        connection: sa.Connection,
        import_id: int,
        contacts: Iterable[tuple[int, str, str]],
        at: datetime,
    ) -> None:
        """Keep how enterprises are reached, each value once."""
        values = {
            (number, kind, lookup): {
                "enterprise_id": number,
                "kind": kind,
                "value": value,
                "lookup": lookup,
                "import_id": import_id,
                "at": instant(at),
            }
            for number, kind, value in contacts
            for lookup in [keyed(self._key, "value", value.casefold())]
        }
        if values:
            connection.execute(_INSERT_CONTACTS, bound(values.values()))

    def _write_rows(
        self,
        connection: sa.Connection,
        import_id: int,
        done: Iterable[tuple[int, int, str, Mapping[str, Any], Mapping[str, Any]]],
    ) -> None:
        values = (
            {
                "import_id": import_id,
                "number": number,
                "enterprise_id": enterprise_id,
                "action": action,
                "before": orjson.dumps(before).decode(),
                "after": orjson.dumps(after).decode(),
            }
            for number, enterprise_id, action, before, after in done
        )
        connection.execute(_INSERT_ROWS, bound(values))

    # Undoing

    def undo(self, connection: sa.Connection, import_id: int, at: datetime) -> Undone:
        """Take an import out of the register; what was changed since stays as it is. Raises NoSuchImport.

        Fields go back where they still are as the import wrote them; contacts it brought are erased.
        """
        which = {"which": import_id}
        if connection.execute(_OPEN_IMPORT, which).first() is None:
            raise NoSuchImport(f"there is no import {import_id} to undo")
        connection.execute(_FORGET_CONTACTS, which)
        connection.info[ERASED] = True
        created = list(connection.execute(_REMOVABLE, which).scalars())
        for some in _chunks(created):
            ids = bound({"id": one} for one in some)
            for statement in (_FORGET_WORDS, _FORGET_ROW_IDS, _FORGET_OTHER_CONTACTS, _REMOVE):
                connection.execute(statement, ids)
        restored = self._restore(connection, import_id, at)
        count = connection.execute(_COUNT_ROWS, which).scalar_one()
        connection.execute(_UNDONE, {**which, "now": at})
        return Undone(len(created), restored, count - len(created) - restored)

    def _restore(self, connection: sa.Connection, import_id: int, at: datetime) -> int:
        """Put back the fields that an import changed and nobody since."""
        restored = 0
        for some in _chunks(connection.execute(_CHANGED_ROWS, {"which": import_id}).all()):
            now = read(connection, [row.enterprise_id for row in some])
            back = {
                row.enterprise_id: {**_fields_of(one), **row.before}
                for row in some
                if (one := now.get(row.enterprise_id)) and _is_as(one, row.after)
            }
            self._change(connection, back, at)
            renamed = [
                (number, one["name"]) for number, one in back.items() if one["name"] != now[number].name
            ]
            self.write_names(connection, renamed)
            restored += len(back)
        return restored


_WHICH: sa.BindParameter[int] = sa.bindparam("which")
_OPEN_IMPORT = (
    sa.select(imports.c.id)
    .where(imports.c.id == _WHICH, imports.c.status == sa.literal_column("'done'"))
    .with_for_update()
)
_FORGET_CONTACTS = sa.delete(enterprise_contacts).where(enterprise_contacts.c.import_id == _WHICH)
_FORGET_OTHER_CONTACTS = sa.delete(enterprise_contacts).where(
    enterprise_contacts.c.enterprise_id.in_(sa.select(_given_ids.c.id))
)
_REMOVABLE = (
    sa.select(enterprises.c.id)
    .select_from(
        import_rows.join(enterprises, enterprises.c.id == import_rows.c.enterprise_id).join(
            imports, imports.c.id == import_rows.c.import_id
        )
    )
    .where(
        import_rows.c.import_id == _WHICH,
        import_rows.c.action == sa.literal_column("'created'"),
        enterprises.c.updated_at == imports.c.done_at,
        ~sa.select(sa.literal_column("1"))
        .where(sa.or_(merges.c.kept_id == enterprises.c.id, merges.c.gone_id == enterprises.c.id))
        .exists(),
    )
)
_FORGET_ROW_IDS = (
    sa.update(import_rows)
    .where(import_rows.c.enterprise_id.in_(sa.select(_given_ids.c.id)))
    .values(enterprise_id=None)
)
_REMOVE = sa.delete(enterprises).where(enterprises.c.id.in_(sa.select(_given_ids.c.id)))
_CHANGED_ROWS = (
    sa.select(import_rows.c.enterprise_id, import_rows.c.before, import_rows.c.after)
    .where(import_rows.c.import_id == _WHICH, import_rows.c.action == sa.literal_column("'updated'"))
    .order_by(import_rows.c.number)
)
_COUNT_ROWS = sa.select(sa.func.count()).select_from(import_rows).where(import_rows.c.import_id == _WHICH)
_UNDONE = (
    sa.update(imports)
    .where(imports.c.id == _WHICH)
    .values(status=sa.literal_column("'undone'"), undone_at=sa.bindparam("now", type_=Instant))
)


def _check_codes(connection: sa.Connection, codes: Iterable[str | None]) -> None:
    """That no enterprise has one of these tax codes."""
    asked = bound({"tax_code": code} for code in codes if code)
    if connection.execute(_TAKEN_CODES, asked).first():
        raise RegisterChanged("an enterprise with one of these tax codes was added meanwhile")


def _chunks(every: Sequence[T]) -> Iterator[Sequence[T]]:
    return (every[start : start + AT_ONCE] for start in range(0, len(every), AT_ONCE))


def _fields_of(one: Candidate | Known) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _FIELDS}


def _fields_after(update: Update) -> dict[str, Any]:
    """The fields of an enterprise with what a row says laid over them; a known place is no text any more."""
    own = {name: value for name, value in _fields_of(update.candidate).items() if value not in (None, "")}
    after = {**_fields_of(update.known), **own}
    return {
        **after,
        "commune_text": "" if after["commune"] else after["commune_text"],
        "more": {**update.known.more, **update.candidate.more},
    }


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    changed = [name for name in before if before[name] != after[name]]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def _is_as(one: Known, after: Mapping[str, Any]) -> bool:
    return all(getattr(one, name) == value for name, value in after.items())


def _created(one: New) -> dict[str, Any]:
    candidate = one.candidate
    return {
        **_fields_of(candidate),
        "number": candidate.row,
        "ref": one.ref,
        "search": one.search[:LONGEST_SEARCH],
        "size_band": candidate.size_band,
        "more": orjson.dumps(candidate.more).decode(),
    }


def _contacts_of(one: Candidate) -> list[tuple[str, str]]:
    return [
        *(("phone", value) for value in one.phones),
        *(("email", value) for value in one.emails),
        *(("person", value) for value in [one.person] if value),
    ]


def _reached(one: Known) -> frozenset[str]:
    return frozenset(value.casefold() for value in (*one.phones, *one.emails, *one.persons))
