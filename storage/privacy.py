"""What is held about a person, and how it is erased: every table that may hold anything of theirs stands here."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import orjson
import sqlalchemy as sa

from content.forms import Form
from content.model import Language
from handlers.naming import ENTERPRISE, Naming, Own, Stored, household_names, names_household, without
from handlers.people import Person
from handlers.responses import Erased, EraseMe, Held, HeldConsent, HeldValue, MyData
from storage.consents import subject
from storage.database import ERASED
from storage.forms import FormShelf
from storage.responses import merged
from storage.rows import bound, rows
from storage.tables import (
    Id,
    Instant,
    addresses,
    answer_log,
    consents,
    erasures,
    failed_turns,
    handovers,
    kept_states,
    outbox,
    participants,
    people,
    personal_values,
    questions,
    responses,
    staff_addresses,
    turns,
)

_WHO: sa.BindParameter[int] = sa.bindparam("who")
_OWN_ADDRESSES = sa.select(addresses.c.id).where(addresses.c.person_id == _WHO).scalar_subquery()
_OWN_TURNS = sa.select(turns.c.id).where(turns.c.address_id.in_(_OWN_ADDRESSES)).scalar_subquery()

# What is held

_VALUES = (
    sa.select(
        responses.c.form_id,
        responses.c.version,
        responses.c.year,
        personal_values.c.name,
        personal_values.c.value,
    )
    .join(responses, responses.c.id == personal_values.c.response_id)
    .where(personal_values.c.person_id == _WHO)
    .order_by(personal_values.c.id)
)
_CODES = (
    sa.select(responses.c.code)
    .join(participants, participants.c.response_id == responses.c.id)
    .where(participants.c.person_id == _WHO)
    .order_by(responses.c.id)
)
_EVIDENCE = (
    sa.select(consents.c.purpose, consents.c.answer, consents.c.at, consents.c.notice_version)
    .where(consents.c.subject == sa.bindparam("whose"))
    .order_by(consents.c.id)
)
_MESSAGES = sa.select(sa.func.count()).where(outbox.c.address_id.in_(_OWN_ADDRESSES))


class HeldReader:
    """Tells people what is held about them."""

    def __init__(self, shelf: FormShelf, key: bytes, zone: tzinfo) -> None:
        self._shelf = shelf
        self._key = key
        self._zone = zone

    def __call__(
        self, connection: sa.Connection, asked: Sequence[tuple[Person, MyData]]
    ) -> dict[tuple[int, MyData], Held]:
        """What is held about each of them; asked rarely, so person by person."""
        return {
            (person.id, query): self.held(connection, person.id, person.language) for person, query in asked
        }

    def held(self, connection: sa.Connection, person_id: int, language: Language) -> Held:
        """What is held about one person."""
        who = {"who": person_id}
        values = tuple(
            self._value(connection, language, *row) for row in connection.execute(_VALUES, who).all()
        )
        whose = {"whose": subject(self._key, person_id)}
        last = {
            purpose: HeldConsent(purpose, answer, at.astimezone(self._zone).date(), version)
            for purpose, answer, at, version in connection.execute(_EVIDENCE, whose)
        }
        codes = tuple(connection.execute(_CODES, who).scalars())
        messages = connection.execute(_MESSAGES, who).scalar_one()
        return Held(values, tuple(last.values()), codes, messages)

    def _value(
        self, connection: sa.Connection, language: Language, form_id: str, version: str, *rest: object
    ) -> HeldValue:
        year, name, value = rest
        form = self._shelf.form(connection, form_id, version)
        row = form.by_name[str(name)].row
        words = row.short or row.label
        title = form.file.settings.title[language]
        return HeldValue(title, int(str(year)), words[language] if words else str(name), str(value))


# Erasing: the rows stay where they count something, what they say goes

_UNSENT = ("waiting", "queued", "leased", "retry_at")
# Wrong codes stay counted: they say nothing of anybody, and whoever erases may not try five more.
_ERASING: tuple[tuple[str, sa.Update | sa.Delete], ...] = (
    ("personal_values", sa.delete(personal_values).where(personal_values.c.person_id == _WHO)),
    ("outbox", sa.update(outbox).where(outbox.c.address_id.in_(_OWN_ADDRESSES)).values(
        message=sa.literal_column("""'["",[],[]]'"""),
        status=sa.case(
            (outbox.c.status.in_((sa.literal_column(f"'{one}'") for one in _UNSENT)), sa.literal_column("'skipped'")),
            else_=outbox.c.status,
        ),
        reason=sa.literal_column("'erased'"),
    )),
    ("turns", sa.update(turns).where(turns.c.address_id.in_(_OWN_ADDRESSES)).values(text="")),
    ("failed_turns", sa.update(failed_turns).where(failed_turns.c.turn_id.in_(_OWN_TURNS)).values(raw="", error="")),
    ("questions", sa.update(questions).where(questions.c.person_id == _WHO).values(text="")),
    ("staff_addresses", sa.delete(staff_addresses).where(staff_addresses.c.address_id.in_(_OWN_ADDRESSES))),
    ("kept_states", sa.delete(kept_states).where(kept_states.c.person_id == _WHO)),
    ("answer_log", sa.update(answer_log).where(answer_log.c.person_id == _WHO).values(person_id=None)),
    ("handovers", sa.delete(handovers).where(
        handovers.c.used_at.is_(None),
        handovers.c.response_id.in_(
            sa.select(participants.c.response_id).where(participants.c.person_id == _WHO).scalar_subquery()
        ),
    )),
    ("participants", sa.delete(participants).where(participants.c.person_id == _WHO)),
)  # fmt: skip
_FORGET_DRAFT = sa.update(people).where(people.c.id == _WHO).values(draft=None, state=None)
_PROVE = sa.insert(erasures).values(
    subject=sa.bindparam("whose"), at=sa.bindparam("now", type_=Instant), what=sa.bindparam("counted")
)


Forget = Callable[[list[str], int], None]  # codes of responses, and the person's id


class Eraser:
    """Erases a person: nothing that names them is left, the answers stay without them, one row proves it."""

    def __init__(self, key: bytes, erased: Forget = lambda _codes, _person: None) -> None:
        """`erased` removes files kept for these responses and this person; doing it again does no harm."""
        self._key = key
        self._erased = erased
        self._shelf = FormShelf()

    def __call__(self, connection: sa.Connection, person: Person, at: datetime, effect: EraseMe) -> Erased:
        """Erase; runs inside the turn's own transaction."""
        who = {"who": person.id}
        codes = list(connection.execute(_CODES, who).scalars())
        self._forget_in_answers(connection, person)
        counted = {name: connection.execute(statement, who).rowcount for name, statement in _ERASING}
        connection.execute(_FORGET_DRAFT, who)
        proof = {
            "whose": subject(self._key, person.id),
            "now": at,
            "counted": orjson.dumps(counted).decode(),
        }
        connection.execute(_PROVE, proof)
        connection.info[ERASED] = True
        self._erased(codes, person.id)
        return Erased(counted["personal_values"], counted["outbox"])

    def _forget_in_answers(self, connection: sa.Connection, person: Person) -> None:
        """Take out of answers what names the person all the same: a household's name, a name in a free text.

        Out of all that was ever answered, out of last year's answers, and out of what other readers were told.
        """
        who = {"who": person.id}
        # Locked, or what a colleague answers meanwhile would be written over.
        found = connection.execute(_OWN_RESPONSES, who).all()
        forms = {row.id: self._shelf.form(connection, row.form_id, row.version) for row in found}
        own = [
            (forms[number].by_name.get(name) if number in forms else None, value)
            for number, name, value in connection.execute(_OWN_VALUES, who)
        ]
        gone: set[str] = set()
        for row in found:
            log = connection.execute(_HISTORY, {"which": row.id})
            history = [
                _Given(number, place, orjson.loads(fill) if fill else None) for number, place, fill in log
            ]
            response = _Response(row.id, forms[row.id], row.answers, row.known or {}, history)
            gone |= response.forget(connection, own, is_owner=row.role == "owner")
        if gone:
            _forget_among_others(connection, person, gone)


_OWN_VALUES = sa.select(personal_values.c.response_id, personal_values.c.name, personal_values.c.value).where(
    personal_values.c.person_id == _WHO
)
_OWN_RESPONSES = (
    sa.select(
        responses.c.id,
        responses.c.form_id,
        responses.c.version,
        responses.c.answers,
        responses.c.known,
        participants.c.role,
    )
    .join(participants, participants.c.response_id == responses.c.id)
    .where(participants.c.person_id == _WHO)
    .order_by(responses.c.id)
    .with_for_update(of=responses)
)
_HISTORY = (
    sa.select(answer_log.c.id, answer_log.c.place, answer_log.c.fill)
    .where(answer_log.c.response_id == sa.bindparam("which"))
    .order_by(answer_log.c.id)
)
_REPLACE_ANSWERS = (
    sa.update(responses)
    .where(responses.c.id == sa.bindparam("which"))
    .values(
        answers=merged(responses.c.answers, sa.bindparam("in_answers", type_=sa.Text)),
        known=merged(responses.c.known, sa.bindparam("in_known", type_=sa.Text)),
    )
)
_given_history = rows(id=Id, fill=sa.Text)
_REPLACE_HISTORY = (
    sa.update(answer_log).where(answer_log.c.id == _given_history.c.id).values(fill=_given_history.c.fill)
)


@dataclass(frozen=True, slots=True)
class _Given:
    """An answer as it was once given."""

    id: int
    place: str
    fill: list[Any] | None


@dataclass(frozen=True, slots=True)
class _Response:
    """All that a response holds: its answers, those offered from before, and each answer ever given."""

    id: int
    form: Form
    answers: Stored
    known: Stored
    history: Sequence[_Given]

    def forget(self, connection: sa.Connection, own: Own, *, is_owner: bool) -> set[str]:
        """Take out what names somebody who said that of themselves; gives back the texts that went."""
        households = {name for name in self._households() if is_owner or Naming(own).stands_in(name)}
        goes = Naming(own, households)
        answers, known = (self._changed(fills, goes) for fills in (self.answers, self.known))
        if answers or known:
            patches = {"in_answers": _dumped(answers), "in_known": _dumped(known)}
            connection.execute(_REPLACE_ANSWERS, {"which": self.id, **patches})
        former = [
            one for one in self.history if one.fill and self._kept(one.place, one.fill, goes) != one.fill
        ]
        log = [(one, self._kept(one.place, one.fill or [], goes)) for one in former]
        if log:
            kept = ({"id": one.id, "fill": _dumped(fill)} for one, fill in log)
            connection.execute(_REPLACE_HISTORY, bound(kept))
        both = [(self.answers[place], fill) for place, fill in answers.items()]
        both += [(self.known[place], fill) for place, fill in known.items()]
        both += [(one.fill or [], fill) for one, fill in log]
        return households.union(*(_texts(before) - _texts(after) for before, after in both))

    def _households(self) -> set[str]:
        """Every name of a household here, or of what may be one; the name of what is a firm now is no such name."""
        found = set(household_names(self.form, [(one.place, one.fill) for one in self.history]))
        for fills in (self.known, self.answers):
            names = _texts(fills.get(ENTERPRISE, []))
            found = found | names if names_household(self.form, fills) else found - names
        return found

    def _changed(self, fills: Stored, goes: Naming) -> dict[str, list[Any]]:
        kept = {place: self._kept(place, fill, goes) for place, fill in fills.items()}
        return {place: fill for place, fill in kept.items() if fill != fills[place]}

    def _kept(self, place: str, fill: list[Any], goes: Naming) -> list[Any]:
        return without(self.form, place, fill, goes)


def _texts(fill: list[Any]) -> set[str]:
    """The words in a fill: its value, and what «other» is."""
    return {text for text in (*fill[:1], *fill[2:]) if text and isinstance(text, str)}


def _dumped(value: object) -> str:
    return orjson.dumps(value).decode()


# What other readers of the same responses were told, and told us

_OTHERS = (
    sa.select(participants.c.person_id)
    .where(
        participants.c.person_id != _WHO,
        participants.c.response_id.in_(
            sa.select(participants.c.response_id).where(participants.c.person_id == _WHO).scalar_subquery()
        ),
    )
    .scalar_subquery()
)
_THEIR_ADDRESSES = sa.select(addresses.c.id).where(addresses.c.person_id.in_(_OTHERS)).scalar_subquery()
_given_texts = rows(id=Id, text=sa.Text)


def _column_of_others(
    column: sa.Column[str], is_theirs: sa.ColumnElement[bool]
) -> tuple[sa.Select[Any], sa.Update]:
    """How what stands there is read, and replaced."""
    number = column.table.c.id
    return (
        sa.select(number, column).where(is_theirs),
        sa.update(column.table).where(number == _given_texts.c.id).values({column.name: _given_texts.c.text}),
    )


_TOLD_OTHERS = _column_of_others(outbox.c.message, outbox.c.address_id.in_(_THEIR_ADDRESSES))
_SAID_BY_OTHERS = (
    _column_of_others(turns.c.text, turns.c.address_id.in_(_THEIR_ADDRESSES)),
    _column_of_others(questions.c.text, questions.c.person_id.in_(_OTHERS)),
)
_GONE = "…"  # stands where something was erased


def _forget_among_others(connection: sa.Connection, person: Person, gone: Iterable[str]) -> None:
    """Erase these texts from messages to and from others who take part in the person's responses."""
    longest_first = sorted(gone, key=len, reverse=True)
    named = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
    who = {"who": person.id}
    for (read, replace), is_message in ((_TOLD_OTHERS, True), *((one, False) for one in _SAID_BY_OTHERS)):
        found = connection.execute(read, who).all()
        less = ((number, text, _lessened(text, named, is_message=is_message)) for number, text in found)
        changed = [{"id": number, "text": kept} for number, text, kept in less if kept != text]
        if changed:
            connection.execute(replace, bound(changed))


def _lessened(text: str, named: re.Pattern[str], *, is_message: bool) -> str:
    return _dumped(_without(orjson.loads(text), named)) if is_message else named.sub(_GONE, text)


def _without(told: Any, named: re.Pattern[str]) -> Any:
    """A message as it is stored, with each of its texts without what is erased."""
    match told:
        case str():
            return named.sub(_GONE, told)
        case list():
            return [_without(one, named) for one in told]
        case dict():
            return {key: _without(one, named) for key, one in told.items()}
    return told
