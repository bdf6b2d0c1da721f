"""Responses and their answers: read, kept, joined, handed over."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from handlers.effects import Outcome
from handlers.fills import Fill, load_fill
from handlers.people import Person
from handlers.responses import (
    MOST_GUESSES,
    AgreedBeside,
    Draft,
    DraftOf,
    Earlier,
    HandOver,
    Joined,
    KeepPersonal,
    LastResponse,
    NotJoined,
    OpenByCode,
    OpenResponse,
    PersonalOf,
    SaveFills,
    SetStatus,
    TakeOver,
    TaxCodeTaken,
)
from storage.errors import AnswersUnsaved
from storage.forms import FormShelf
from storage.keys import hashed, keyed
from storage.rows import bound, rows
from storage.tables import (
    Id,
    Instant,
    answer_log,
    guesses,
    handovers,
    instant,
    participants,
    personal_values,
    responses,
)

GUESSES_WITHIN = timedelta(hours=1)


class merged(sa.sql.functions.GenericFunction[Any]):  # noqa: N801  an SQL function is written like one
    """A JSON object with another laid over it; null takes a key away."""

    type = sa.Text()
    inherit_cache = True


@compiles(merged, "sqlite")
def _merged_sqlite(call: merged, compiler: SQLCompiler, **options: Any) -> str:
    old, new = (compiler.process(one, **options) for one in call.clauses)
    return f"json_patch({old}, {new})"


@compiles(merged, "postgresql")
def _merged_postgresql(call: merged, compiler: SQLCompiler, **options: Any) -> str:
    old, new = (compiler.process(one, **options) for one in call.clauses)
    return f"jsonb_strip_nulls({old} || CAST({new} AS jsonb))"


class as_json(sa.sql.functions.GenericFunction[Any]):  # noqa: N801  an SQL function is written like one
    """Text as the JSON it is."""

    type = sa.Text()
    inherit_cache = True


@compiles(as_json, "sqlite")
def _json_sqlite(call: as_json, compiler: SQLCompiler, **options: Any) -> str:
    [text] = (compiler.process(one, **options) for one in call.clauses)
    return text


@compiles(as_json, "postgresql")
def _json_postgresql(call: as_json, compiler: SQLCompiler, **options: Any) -> str:
    [text] = (compiler.process(one, **options) for one in call.clauses)
    return f"CAST({text} AS jsonb)"


# Reading

_given_drafts = rows(person_id=Id, code=sa.String)
_DRAFTS = sa.select(
    participants.c.person_id,
    participants.c.role,
    participants.c.consented,
    responses.c.code,
    responses.c.form_id,
    responses.c.version,
    responses.c.year,
    responses.c.status,
    responses.c.answers,
    responses.c.known,
    responses.c.submitted_at.is_not(None),
    participants.c.refused,
).select_from(
    _given_drafts.join(responses, responses.c.code == _given_drafts.c.code).join(
        participants,
        (participants.c.response_id == responses.c.id)
        & (participants.c.person_id == _given_drafts.c.person_id),
    )
)


_LOCKED_DRAFTS = _DRAFTS.order_by(responses.c.id).with_for_update(of=responses)


class DraftReader:
    """Finds the responses people take part in; nobody gets another's by naming its code.

    With `locks` nobody else may change what was read until the transaction ends.
    """

    def __init__(self, shelf: FormShelf, *, locks: bool = False) -> None:
        self._shelf = shelf
        self._statement = _LOCKED_DRAFTS if locks else _DRAFTS

    def __call__(
        self, connection: sa.Connection, asked: Sequence[tuple[Person, DraftOf]]
    ) -> dict[tuple[int, DraftOf], Draft]:
        """The responses that exist, by (person id, query)."""
        wanted = bound({"person_id": person.id, "code": query.code} for person, query in asked)
        found = {}
        for person_id, role, consented, code, form_id, version, *more in connection.execute(
            self._statement, wanted
        ):
            year, status, answers, known, sent, refused = more
            form = self._shelf.form(connection, form_id, version)
            draft = Draft(
                code,
                form,
                year,
                status,
                _fills(answers),
                _fills(known or {}),
                bool(consented),
                role,
                bool(sent),
                bool(refused),
            )
            found[person_id, DraftOf(code)] = draft
        return found


def _fills(stored: Mapping[str, list[Any]]) -> dict[str, Fill]:
    return {place: load_fill(fill) for place, fill in stored.items()}


_given_personal = rows(person_id=Id, code=sa.String)
_PERSONAL = sa.select(
    personal_values.c.person_id, responses.c.code, personal_values.c.name, personal_values.c.value
).select_from(
    _given_personal.join(responses, responses.c.code == _given_personal.c.code).join(
        personal_values,
        (personal_values.c.response_id == responses.c.id)
        & (personal_values.c.person_id == _given_personal.c.person_id),
    )
)


def read_personal(
    connection: sa.Connection, asked: Sequence[tuple[Person, PersonalOf]]
) -> dict[tuple[int, PersonalOf], dict[str, str]]:
    """What each person said of themselves, and nobody else's."""
    wanted = bound({"person_id": person.id, "code": query.code} for person, query in asked)
    found: dict[tuple[int, PersonalOf], dict[str, str]] = {}
    for person_id, code, name, value in connection.execute(_PERSONAL, wanted):
        found.setdefault((person_id, PersonalOf(code)), {})[name] = value
    return found


_given_taken = rows(person_id=Id, form_id=sa.String, year=sa.Integer, tax_code=sa.String, but=sa.String)
_TAKEN = (
    sa.select(
        _given_taken.c.person_id,
        _given_taken.c.form_id,
        _given_taken.c.year,
        _given_taken.c.tax_code,
        _given_taken.c.but,
    )
    .select_from(
        _given_taken.join(
            responses,
            (responses.c.form_id == _given_taken.c.form_id)
            & (responses.c.year == _given_taken.c.year)
            & (responses.c.tax_code == _given_taken.c.tax_code)
            & (responses.c.code != _given_taken.c.but)
            & (responses.c.status != sa.literal_column("'cancelled'")),
        )
    )
    .distinct()
)


def read_taken(
    connection: sa.Connection, asked: Sequence[tuple[Person, TaxCodeTaken]]
) -> dict[tuple[int, TaxCodeTaken], bool]:
    """Which tax codes stand on another response of the year."""
    wanted = bound(
        {
            "person_id": person.id,
            "form_id": query.form_id,
            "year": query.year,
            "tax_code": query.tax_code,
            "but": query.but,
        }
        for person, query in asked
    )
    return {
        (person_id, TaxCodeTaken(form_id, year, tax_code, but)): True
        for person_id, form_id, year, tax_code, but in connection.execute(_TAKEN, wanted)
    }


_given_beside = rows(person_id=Id, code=sa.String)
_AGREED_BESIDE = (
    sa.select(_given_beside.c.person_id, _given_beside.c.code)
    .select_from(
        _given_beside.join(responses, responses.c.code == _given_beside.c.code).join(
            participants,
            (participants.c.response_id == responses.c.id)
            & (participants.c.person_id != _given_beside.c.person_id)
            & participants.c.consented,
        )
    )
    .distinct()
)


def read_agreed_beside(
    connection: sa.Connection, asked: Sequence[tuple[Person, AgreedBeside]]
) -> dict[tuple[int, AgreedBeside], bool]:
    """Which responses somebody else has agreed to."""
    wanted = bound({"person_id": person.id, "code": query.code} for person, query in asked)
    found = connection.execute(_AGREED_BESIDE, wanted)
    return {(person_id, AgreedBeside(code)): True for person_id, code in found}


_given_last = rows(person_id=Id, form_id=sa.String)
_LAST = (
    sa.select(
        _given_last.c.person_id,
        _given_last.c.form_id,
        responses.c.year,
        responses.c.answers,
    )
    .select_from(
        _given_last.join(participants, participants.c.person_id == _given_last.c.person_id).join(
            responses,
            (responses.c.id == participants.c.response_id)
            & (participants.c.role == sa.literal_column("'owner'"))
            & (responses.c.form_id == _given_last.c.form_id)
            & (responses.c.status == sa.literal_column("'submitted'")),
        )
    )
    .order_by(responses.c.year, responses.c.id)
)


def read_last(
    connection: sa.Connection, asked: Sequence[tuple[Person, LastResponse]]
) -> dict[tuple[int, LastResponse], Earlier]:
    """Each person's newest submitted response, of those they own: whoever came by a code answered for another."""
    wanted = bound({"person_id": person.id, "form_id": query.form_id} for person, query in asked)
    return {  # the newest comes last and stays
        (person_id, LastResponse(form_id)): Earlier(year, _fills(answers))
        for person_id, form_id, year, answers in connection.execute(_LAST, wanted)
    }


# Writing

_given_new = rows(
    place=sa.Integer,
    code=sa.String,
    form_id=sa.String,
    version=sa.String,
    year=sa.Integer,
    known=sa.Text,
    at=Instant,
)
_OPEN = (
    sa.insert(responses)
    .from_select(
        [
            "code", "form_id", "version", "year", "status", "answers", "known", "last_question", "rival",
            "started_at", "updated_at",
        ],
        sa.select(
            _given_new.c.code,
            _given_new.c.form_id,
            _given_new.c.version,
            _given_new.c.year,
            sa.literal_column("'partial'"),
            as_json(sa.literal_column("'{}'")),
            as_json(_given_new.c.known),
            sa.literal_column("''"),
            sa.false(),
            _given_new.c.at,
            _given_new.c.at,
        ).order_by(_given_new.c.place),
        include_defaults=False,
    )
    .returning(responses.c.id, responses.c.code)
)  # fmt: skip
_given_joining = rows(response_id=Id, person_id=Id, role=sa.String, consented=sa.Boolean, at=Instant)
_JOIN = sa.insert(participants).from_select(
    ["response_id", "person_id", "role", "consented", "joined_at"],
    sa.select(
        _given_joining.c.response_id,
        _given_joining.c.person_id,
        _given_joining.c.role,
        _given_joining.c.consented,
        _given_joining.c.at,
    ),
    include_defaults=False,
)


def open_responses(
    connection: sa.Connection, effects: Sequence[tuple[Person, datetime, OpenResponse]]
) -> None:
    """Begin responses; whoever begins one owns it."""
    values = (
        {
            "place": place,
            "code": effect.code,
            "form_id": effect.form_id,
            "version": effect.version,
            "year": effect.year,
            "known": _dumped(effect.known.items()),
            "at": instant(at),
        }
        for place, (_, at, effect) in enumerate(effects)
    )
    made = {code: number for number, code in connection.execute(_OPEN, bound(values))}
    joining = (
        {
            "response_id": made[effect.code],
            "person_id": person.id,
            "role": "owner",
            "consented": False,
            "at": instant(at),
        }
        for person, at, effect in effects
    )
    connection.execute(_JOIN, bound(joining))


def _dumped(fills: Iterable[tuple[str, Fill | None]]) -> str:
    return orjson.dumps({place: fill.dump() if fill else None for place, fill in fills}).decode()


_given_saved = rows(
    code=sa.String, patch=sa.Text, last_question=sa.String, tax_code=sa.String, rival=sa.Boolean, at=Instant
)
_SAVE = (
    sa.update(responses)
    .where(responses.c.code == _given_saved.c.code)
    .values(
        answers=merged(responses.c.answers, _given_saved.c.patch),
        last_question=_given_saved.c.last_question,
        tax_code=sa.func.nullif(
            sa.func.coalesce(_given_saved.c.tax_code, responses.c.tax_code), sa.literal_column("''")
        ),
        rival=sa.case((_given_saved.c.tax_code.is_(None), responses.c.rival), else_=_given_saved.c.rival),
        updated_at=_given_saved.c.at,
    )
)
_given_log = rows(number=sa.Integer, code=sa.String, person_id=Id, at=Instant, place=sa.String, fill=sa.Text)
_LOG = sa.insert(answer_log).from_select(
    ["response_id", "person_id", "at", "place", "fill"],
    sa.select(responses.c.id, _given_log.c.person_id, _given_log.c.at, _given_log.c.place, _given_log.c.fill)
    .select_from(_given_log.join(responses, responses.c.code == _given_log.c.code))
    .order_by(_given_log.c.number),
    include_defaults=False,
)


def save_fills(connection: sa.Connection, effects: Sequence[tuple[Person, datetime, SaveFills]]) -> None:
    """Keep answers and their history; what two people answer at once in one response is laid one over the other.

    Raises AnswersUnsaved rather than lose an answer to a response that does not exist.
    """
    folded = _folded(effects)
    saved = connection.execute(_SAVE, bound(folded)).rowcount
    if saved != len(folded):
        raise AnswersUnsaved(f"{len(folded) - saved} of {len(folded)} responses are not there")
    logged = [
        {
            "code": effect.code,
            "person_id": person.id,
            "at": instant(at),
            "place": place,
            "fill": orjson.dumps(fill.dump()).decode() if fill else None,
        }
        for person, at, effect in effects
        for place, fill in effect.fills
        if fill is None or fill.mark != "n"  # that a question is not theirs follows from the others
    ]
    if logged:
        connection.execute(_LOG, bound({"number": number, **row} for number, row in enumerate(logged)))


def _folded(effects: Sequence[tuple[Person, datetime, SaveFills]]) -> list[dict[str, Any]]:
    """One row a response: an UPDATE takes a row once, however often it is named."""
    one_each: dict[str, dict[str, Any]] = {}
    patches: dict[str, dict[str, Any]] = {}
    for _, at, effect in effects:
        patch = patches.setdefault(effect.code, {})
        patch.update((place, fill.dump() if fill else None) for place, fill in effect.fills)
        before = one_each.get(effect.code, {})
        one_each[effect.code] = {
            "code": effect.code,
            "last_question": effect.last_question,
            "tax_code": before.get("tax_code") if effect.tax_code is None else effect.tax_code,
            "rival": before.get("rival", False) if effect.tax_code is None else effect.rival,
            "at": instant(at),
        }
    return [{**row, "patch": orjson.dumps(patches[code]).decode()} for code, row in one_each.items()]


_given_kept = rows(code=sa.String, person_id=Id, name=sa.String, value=sa.Text, lookup=sa.String, at=Instant)
_FORGET_FORMER = sa.delete(personal_values).where(
    sa.tuple_(personal_values.c.response_id, personal_values.c.name).in_(
        sa.select(responses.c.id, _given_kept.c.name).select_from(
            _given_kept.join(responses, responses.c.code == _given_kept.c.code)
        )
    )
)
_KEEP = sa.insert(personal_values).from_select(
    ["response_id", "person_id", "name", "value", "lookup", "at"],
    sa.select(
        responses.c.id,
        _given_kept.c.person_id,
        _given_kept.c.name,
        _given_kept.c.value,
        _given_kept.c.lookup,
        _given_kept.c.at,
    )
    .select_from(_given_kept.join(responses, responses.c.code == _given_kept.c.code))
    .where(_given_kept.c.value != sa.literal_column("''")),
    include_defaults=False,
)


class PersonalWriter:
    """Keeps what people say of themselves where it can be found by a keyed hash, and erased."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(
        self, connection: sa.Connection, effects: Sequence[tuple[Person, datetime, KeepPersonal]]
    ) -> None:
        """Write the values; a former one of the same question is gone."""
        newest = {(effect.code, effect.name): (person, at, effect) for person, at, effect in effects}
        values = bound(
            {
                "code": effect.code,
                "person_id": person.id,
                "name": effect.name,
                "value": effect.value,
                "lookup": keyed(self._key, "value", effect.value.casefold()),
                "at": instant(at),
            }
            for person, at, effect in newest.values()
        )
        connection.execute(_FORGET_FORMER, values)
        connection.execute(_KEEP, values)


_given_status = rows(code=sa.String, status=sa.String, again=sa.Boolean, at=Instant)
_SET_STATUS = (
    sa.update(responses)
    .where(responses.c.code == _given_status.c.code)
    .values(
        status=_given_status.c.status,
        updated_at=_given_status.c.at,
        submitted_at=sa.case(
            (
                (_given_status.c.status == sa.literal_column("'submitted'")) & ~_given_status.c.again,
                sa.func.coalesce(responses.c.submitted_at, _given_status.c.at),  # the day it was first sent
            ),
            else_=responses.c.submitted_at,
        ),
    )
)


def set_status(connection: sa.Connection, effects: Sequence[tuple[Person, datetime, SetStatus]]) -> None:
    """Submit, take up again, or give up."""
    last = {
        effect.code: {"code": effect.code, "status": effect.status, "again": effect.again, "at": instant(at)}
        for _, at, effect in effects
    }
    connection.execute(_SET_STATUS, bound(last.values()))


_given_handed = rows(code=sa.String, token_hash=sa.String, expires_at=Instant)
_HAND_OVER = sa.insert(handovers).from_select(
    ["response_id", "token_hash", "expires_at"],
    sa.select(responses.c.id, _given_handed.c.token_hash, _given_handed.c.expires_at).select_from(
        _given_handed.join(responses, responses.c.code == _given_handed.c.code)
    ),
    include_defaults=False,
)


def hand_over(connection: sa.Connection, effects: Sequence[tuple[Person, datetime, HandOver]]) -> None:
    """Make one-time links; the database knows only their hashes."""
    values = (
        {
            "code": effect.code,
            "token_hash": hashed(effect.token),
            "expires_at": instant(effect.expires_at),
        }
        for _, _, effect in effects
    )
    connection.execute(_HAND_OVER, bound(values))


# Joining

_BY_TOKEN = (
    sa.select(
        handovers.c.id,
        handovers.c.response_id,
        handovers.c.expires_at,
        handovers.c.used_at,
        responses.c.code,
        responses.c.status,
    )
    .select_from(handovers.join(responses, responses.c.id == handovers.c.response_id))
    .where(handovers.c.token_hash == sa.bindparam("digest"))
)
_USE = (
    sa.update(handovers)
    .where(handovers.c.id == sa.bindparam("which"), handovers.c.used_at.is_(None))
    .values(used_at=sa.bindparam("now", type_=Instant))
)
_BY_CODE = sa.select(responses.c.id, responses.c.status).where(responses.c.code == sa.bindparam("typed"))
_TAKES_PART = sa.select(participants.c.role).where(
    participants.c.response_id == sa.bindparam("which"), participants.c.person_id == sa.bindparam("who")
)
_GUESSED = sa.select(sa.func.count()).where(
    guesses.c.person_id == sa.bindparam("who"), guesses.c.at > sa.bindparam("since", type_=Instant)
)
_NOTE_GUESS = sa.insert(guesses).values(person_id=sa.bindparam("who"), at=sa.bindparam("now", type_=Instant))


class Door:
    """Lets people into a response: by its code, or once by a link."""

    def __init__(self, reader: DraftReader) -> None:
        self._reader = reader

    def open_by_code(
        self, connection: sa.Connection, person: Person, at: datetime, effect: OpenByCode
    ) -> Outcome:
        """Join by code; wrong ones are counted, and too many within an hour are not looked at."""
        since = {"who": person.id, "since": at - GUESSES_WITHIN}
        if connection.execute(_GUESSED, since).scalar_one() >= MOST_GUESSES:
            return NotJoined("too_many")
        found = connection.execute(_BY_CODE, {"typed": effect.code}).first()
        if found is None or self._is_closed_to(connection, person, found.id, found.status):
            connection.execute(_NOTE_GUESS, {"who": person.id, "now": at})
            return NotJoined("unknown")
        return self._joined(connection, person, at, found.id, effect.code, "code")

    def take_over(self, connection: sa.Connection, person: Person, at: datetime, effect: TakeOver) -> Outcome:
        """Join by a link that nobody has used and that has not run out; its own user may come again."""
        found = connection.execute(_BY_TOKEN, {"digest": hashed(effect.token)}).first()
        if found is None or self._is_closed_to(connection, person, found.response_id, found.status):
            return NotJoined("unknown")
        if self._takes_part(connection, person, found.response_id):
            return self._joined(connection, person, at, found.response_id, found.code, "link")
        if found.used_at is not None:
            return NotJoined("used")
        if found.expires_at <= at:
            return NotJoined("expired")
        if connection.execute(_USE, {"which": found.id, "now": at}).rowcount != 1:
            return NotJoined("used")
        return self._joined(connection, person, at, found.response_id, found.code, "link")

    def _is_closed_to(self, connection: sa.Connection, person: Person, response_id: int, status: str) -> bool:
        """Whether the response was given up and is not the person's to take up again: to them it is not there."""
        return status == "cancelled" and not self._takes_part(connection, person, response_id)

    def _joined(
        self, connection: sa.Connection, person: Person, at: datetime, response_id: int, code: str, role: str
    ) -> Outcome:
        if not self._takes_part(connection, person, response_id):
            row = {
                "response_id": response_id,
                "person_id": person.id,
                "role": role,
                "consented": False,
                "at": instant(at),
            }
            connection.execute(_JOIN, bound([row]))
        query = DraftOf(code)
        return Joined(self._reader(connection, [(person, query)])[person.id, query])

    def _takes_part(self, connection: sa.Connection, person: Person, response_id: int) -> bool:
        return connection.execute(_TAKES_PART, {"which": response_id, "who": person.id}).first() is not None
