"""A dialogue whose answer depends on the database: the smallest thing with an outcome, for the contract suite."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from content.everything import Content
from handlers.dialogue import Cue, Said, Step, View
from handlers.effects import Asking, Effect, Outcome, Query
from handlers.hearing import Hearing
from handlers.messages import Message
from handlers.people import Person, State
from handlers.router import Router
from storage.unit_of_work import Registry

CAPACITY = 3


@dataclass(frozen=True)
class TakeSeat(Asking):
    """Take one of the seats."""


@dataclass(frozen=True)
class SeatTaken(Outcome):
    number: int


@dataclass(frozen=True)
class Full(Outcome):
    pass


@dataclass(frozen=True)
class Note(Effect):
    """Something written for every turn, to see that effects and turns agree."""

    text: str


@dataclass(frozen=True)
class NotesSoFar(Query):
    """How many notes the person has."""


class Seats:
    """«seat» takes a seat, «forever» asks for outcomes without end, «boom» fails, anything else is noted."""

    name = "seats"
    version = 1

    def needs(self, cue: Cue, state: State, person: Person) -> tuple[Query, ...]:
        return (NotesSoFar(),) if isinstance(cue, Said) else ()

    def anytime(self, value: str) -> bool:
        return False

    def step(self, cue: Cue, view: View) -> Step:
        here = State(self.name, self.version, (("count", str(int(view.state.get("count") or 0) + 1)),))
        match cue:
            case SeatTaken(number):
                return Step(view.person, here, (Message(f"seat {number}"),), (Note(f"seat {number}"),))
            case Full():
                return Step(view.person, here, (Message("full"),))
            case Said(text="seat"):
                return Step(view.person, here, effects=(TakeSeat(),))
            case Said(text="forever"):
                return Step(view.person, here, effects=(Again(),))
            case Asked():
                return Step(view.person, here, effects=(Again(),))
            case Said(text="boom"):
                raise RuntimeError("boom")
            case Said(text=text):
                notes = view.answers.get(NotesSoFar(), 0)
                said = Message(f"noted {text} after {notes}, turn {here.get('count')}")
                return Step(view.person, here, (said,), (Note(text),))
            case _:
                return Step(view.person, here, (Message("?"),))


@dataclass(frozen=True)
class Again(Asking):
    """Asks for an outcome that asks again."""


@dataclass(frozen=True)
class Asked(Outcome):
    pass


class SeatsRouter(Router):
    """The real router, with everything said going to Seats."""

    def __init__(self, content: Content, hearing: Hearing) -> None:
        super().__init__(content, hearing, [Seats()])

    def _load(self, stored: str | None, person):  # type: ignore[no-untyped-def]
        if stored is None:
            return State("seats", 1), None
        return super()._load(stored, person)


TABLES = """
CREATE TABLE IF NOT EXISTS test_seats (number INTEGER PRIMARY KEY, person_id BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS test_notes (person_id BIGINT NOT NULL, text TEXT NOT NULL)
"""


def create_tables(connection: sa.Connection) -> None:
    for statement in TABLES.split(";"):
        connection.exec_driver_sql(statement)


def _take(connection: sa.Connection, person: Person, at: datetime, effect: TakeSeat) -> Outcome:
    if not connection.engine.url.get_backend_name().startswith("sqlite"):
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(1)")
    taken = connection.exec_driver_sql("SELECT count(*) FROM test_seats").scalar_one()
    if taken >= CAPACITY:
        return Full()
    seat = sa.text("INSERT INTO test_seats (number, person_id) VALUES (:number, :person)")
    connection.execute(seat, {"number": taken + 1, "person": person.id})
    return SeatTaken(taken + 1)


def _note(connection: sa.Connection, effects: Sequence[tuple[Person, datetime, Note]]) -> None:
    note = sa.text("INSERT INTO test_notes (person_id, text) VALUES (:person, :text)")
    connection.execute(note, [{"person": person.id, "text": effect.text} for person, _, effect in effects])


def _count(
    connection: sa.Connection, asked: Sequence[tuple[Person, NotesSoFar]]
) -> dict[tuple[int, NotesSoFar], int]:
    counted = sa.text("SELECT count(*) FROM test_notes WHERE person_id = :person")
    return {
        (person.id, query): connection.execute(counted, {"person": person.id}).scalar_one()
        for person, query in asked
    }


def with_seats(registry: Registry) -> Registry:
    return registry.with_more(
        writers={Note: _note},
        deciders={TakeSeat: _take, Again: lambda *_: Asked()},
        readers={NotesSoFar: _count},
    )
