"""Questions the plan does not answer, and those handed to staff."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import sqlalchemy as sa

from handlers.effects import HandedQuestion, HandToStaff, QuestionByTicket, QuestionHanded, StoreQuestion
from handlers.people import Person
from storage.rows import bound, rows
from storage.tables import Id, Instant, instant, questions

_given_questions = rows(
    place=sa.Integer, person_id=Id, at=Instant, language=sa.String, text=sa.Text, topic=sa.String
)
_STORE = sa.insert(questions).from_select(
    ["person_id", "at", "language", "text", "topic", "status"],
    sa.select(
        _given_questions.c.person_id,
        _given_questions.c.at,
        _given_questions.c.language,
        _given_questions.c.text,
        _given_questions.c.topic,
        sa.literal_column("'unanswered'"),
    ).order_by(_given_questions.c.place),
    include_defaults=False,
)


def store(connection: sa.Connection, effects: Sequence[tuple[Person, datetime, StoreQuestion]]) -> None:
    """Keep questions the plan does not answer."""
    values = (
        {
            "place": place,
            "person_id": person.id,
            "at": instant(at),
            "language": effect.language,
            "text": effect.text,
            "topic": effect.topic,
        }
        for place, (person, at, effect) in enumerate(effects)
    )
    connection.execute(_STORE, bound(values))


_LATEST_SAME = (
    sa.select(sa.func.max(questions.c.id))
    .where(questions.c.person_id == sa.bindparam("asker"), questions.c.text == sa.bindparam("said"))
    .scalar_subquery()
)
_HAND_STORED = (
    sa.update(questions)
    .where(questions.c.id == _LATEST_SAME)
    .values(status=sa.literal_column("'handed'"))
    .returning(questions.c.id)
)
_HAND_NEW = (
    sa.insert(questions)
    .values(
        person_id=sa.bindparam("asker"),
        at=sa.bindparam("now", type_=Instant),
        language=sa.bindparam("spoken"),
        text=sa.bindparam("said"),
        status=sa.literal_column("'handed'"),
    )
    .returning(questions.c.id)
)


def hand(connection: sa.Connection, person: Person, at: datetime, effect: HandToStaff) -> QuestionHanded:
    """Put the question on the staff's list: the stored one where it stands already, else a new one."""
    said = {"asker": person.id, "said": effect.text}
    number = connection.execute(_HAND_STORED, said).scalar()
    if number is None:
        number = connection.execute(_HAND_NEW, {**said, "now": at, "spoken": effect.language}).scalar_one()
    return QuestionHanded(f"Q{number}")


_given_tickets = rows(person_id=Id, number=Id)
_BY_TICKET = sa.select(questions.c.person_id, questions.c.id, questions.c.text, questions.c.at).select_from(
    _given_tickets.join(
        questions,
        (questions.c.id == _given_tickets.c.number)
        & (questions.c.person_id == _given_tickets.c.person_id)
        & (questions.c.status == sa.literal_column("'handed'")),
    )
)


class TicketReader:
    """Finds people's own handed questions; nobody sees another's by guessing a number."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def __call__(
        self, connection: sa.Connection, asked: Sequence[tuple[Person, QuestionByTicket]]
    ) -> dict[tuple[int, QuestionByTicket], HandedQuestion]:
        """The questions that exist, by (person id, query)."""
        wanted = bound({"person_id": person.id, "number": int(query.ticket[1:])} for person, query in asked)
        found = {}
        for person_id, number, text, at in connection.execute(_BY_TICKET, wanted):
            ticket = f"Q{number}"
            day = at.astimezone(self._zone).strftime("%d/%m/%Y")
            found[person_id, QuestionByTicket(ticket)] = HandedQuestion(ticket, text, day)
        return found
