"""What is held about a person, and how it is erased: every table that may hold anything of theirs stands here."""

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Any

import orjson
import sqlalchemy as sa

from content.model import Language
from handlers.fills import KEPT_APART
from handlers.people import Person
from handlers.responses import Erased, EraseMe, Held, HeldConsent, HeldValue, MyData
from storage.consents import subject
from storage.database import ERASED
from storage.forms import FormShelf
from storage.responses import as_json
from storage.tables import (
    Instant,
    addresses,
    answer_log,
    consents,
    erasures,
    failed_turns,
    guesses,
    handovers,
    kept_states,
    outbox,
    participants,
    people,
    personal_values,
    questions,
    responses,
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
    .where(participants.c.person_id == _WHO, responses.c.status != sa.literal_column("'cancelled'"))
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

_ERASING: tuple[tuple[str, sa.Update | sa.Delete], ...] = (
    ("personal_values", sa.delete(personal_values).where(personal_values.c.person_id == _WHO)),
    ("outbox", sa.update(outbox).where(outbox.c.address_id.in_(_OWN_ADDRESSES)).values(
        message=sa.literal_column("""'["",[],[]]'"""),
        status=sa.case(
            (outbox.c.status == sa.literal_column("'waiting'"), sa.literal_column("'skipped'")),
            else_=outbox.c.status,
        ),
        reason=sa.literal_column("'erased'"),
    )),
    ("turns", sa.update(turns).where(turns.c.address_id.in_(_OWN_ADDRESSES)).values(text="")),
    ("failed_turns", sa.update(failed_turns).where(failed_turns.c.turn_id.in_(_OWN_TURNS)).values(raw="", error="")),
    ("questions", sa.update(questions).where(questions.c.person_id == _WHO).values(text="")),
    ("kept_states", sa.delete(kept_states).where(kept_states.c.person_id == _WHO)),
    ("guesses", sa.delete(guesses).where(guesses.c.person_id == _WHO)),
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
        """Take out of the answers what names the person all the same: a household's name, a name in a free text."""
        who = {"who": person.id}
        own = [value.casefold() for value in connection.execute(_OWN_VALUES, who).scalars()]
        for response_id, answers in connection.execute(_OWN_ANSWERS, who).all():
            named = [place for place, fill in answers.items() if _names(fill, own)]
            if answers.get("legal_form") == ["household"] and "enterprise" in answers:
                named.append("enterprise")
            if named:
                kept = {**answers, **dict.fromkeys(named, KEPT_APART.dump())}
                given = {"which": response_id, "kept": orjson.dumps(kept).decode(), "places": named}
                connection.execute(_REPLACE_ANSWERS, given)
                connection.execute(_REPLACE_HISTORY, given)


def _names(fill: list[Any], own: list[str]) -> bool:
    """Whether words of an answer hold something the person said of themselves."""
    said = [one.casefold() for one in fill if isinstance(one, str)]
    return any(value in text for value in own for text in said if len(value) >= _SHORTEST_NAME)


_SHORTEST_NAME = 4  # characters; a shorter word names nobody by itself
_OWN_VALUES = sa.select(personal_values.c.value).where(personal_values.c.person_id == _WHO)
_OWN_ANSWERS = (
    sa.select(responses.c.id, responses.c.answers)
    .join(participants, participants.c.response_id == responses.c.id)
    .where(participants.c.person_id == _WHO)
)
_REPLACE_ANSWERS = (
    sa.update(responses)
    .where(responses.c.id == sa.bindparam("which"))
    .values(answers=as_json(sa.bindparam("kept", type_=sa.Text)))
)
_REPLACE_HISTORY = (
    sa.update(answer_log)
    .where(
        answer_log.c.response_id == sa.bindparam("which"),
        answer_log.c.place.in_(sa.bindparam("places", expanding=True)),
    )
    .values(fill=None)
)
