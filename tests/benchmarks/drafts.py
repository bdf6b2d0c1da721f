"""People in the middle of the demand survey: each has a draft with its answers, and answers its next question."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from content.everything import Content
from content.forms import Form
from handlers.dialogue import Cue, Said, Step, View
from handlers.effects import Effect, Query
from handlers.fills import Fill
from handlers.hearing import Hearing
from handlers.people import Person
from handlers.responses import Draft, DraftOf, SaveFills
from handlers.router import SURVEY_FORM, Place, Router
from storage.database import Database, open_database
from storage.forms import publish
from storage.outbox import dump
from storage.tables import instant
from tests.benchmarks.population import Asked, counted, one_of, quoted
from tests.world import START

CODE = "0123456789AB"  # stands for each person's own until their turn
YEAR = 2026

# A joiner's way through the survey, as far as the middle.
WAY = (
    "khảo sát", "đồng ý", "Công ty TNHH Gỗ Hoài Nhơn", "công ty tnhh", "0100109106", "phường bồng sơn", "3", "2",
    "1, 3 và 5", "12 3 4", "đúng", "7", "6/2027", "không", "1 và 2", "1",
)  # fmt: skip
ANSWERED = (
    "7",
    "6/2027",
    "1 và 2",
    "1",
)  # when instruments fall due, until when they run, who verifies, what is hard


@dataclass(frozen=True)
class Answering(Asked):
    """A draft, what its owner answers to the question on the screen, and all that comes of it."""

    fills: dict[str, Fill]
    last_question: str
    needed: tuple[Query, ...]
    step: Step

    @property
    def answers(self) -> str:
        """The draft as it is stored."""
        return orjson.dumps({place: fill.dump() for place, fill in self.fills.items()}).decode()


def survey_router(content: Content, hearing: Hearing) -> Router:
    """The router of a service whose survey is open."""
    return Router(content, hearing, place=Place(demo=True))


def answering(content: Content, hearing: Hearing, router: Router) -> list[Answering]:
    """The answers in the middle of the survey; each is kept with one message and one effect."""
    form, found = content.forms[SURVEY_FORM], []
    person, state, message, fills, last = Person(1, greeted=True), None, "", dict[str, Fill](), ""
    for text in WAY:
        said = hearing(text)
        route = router.route(said, state, person)
        step = route.step(_view(person, form, fills))
        if text in ANSWERED:
            assert state
            assert [type(effect) for effect in step.effects] == [SaveFills]
            assert len(step.replies) == 1
            found.append(Answering(said, state, message, dict(fills), last, route.queries, step))
        fills, last = _after(fills, last, step.effects)
        person, state = replace(step.person, draft=CODE if step.person.draft else None), step.state.dump()
        message = dump(step.replies[-1])
    return found


def _view(person: Person, form: Form, fills: dict[str, Fill]) -> View:
    draft = Draft(CODE, form, YEAR, "partial", dict(fills), consented=True)
    return View(person, START, answers={DraftOf(CODE): draft}, chance="0" * 32)


def _after(fills: dict[str, Fill], last: str, effects: Sequence[Effect]) -> tuple[dict[str, Fill], str]:
    """The answers when these effects are kept, and what is asked next."""
    fills = dict(fills)
    for effect in effects:
        if isinstance(effect, SaveFills):
            last = effect.last_question
            fills |= {place: fill for place, fill in effect.fills if fill}
    return fills, last


class Decided:
    """A router that decided every answer before the turn: it reads and writes what the real one does."""

    def __init__(self, points: Sequence[Answering]) -> None:
        self._points = {point.said.text: point for point in points}

    def route(self, cue: Cue, stored: str | None, person: Person) -> "DecidedRoute":
        """What the real router needs, for this person."""
        assert isinstance(cue, Said)
        point = self._points[cue.text]
        return DecidedRoute(tuple(_owned(query, person) for query in point.needed), point.step)


@dataclass(frozen=True, slots=True)
class DecidedRoute:
    """Where a cue was led beforehand."""

    queries: tuple[Query, ...]
    decided: Step

    def step(self, view: View) -> Step:
        """The step decided beforehand, for this person."""
        effects = tuple(_owned(effect, view.person) for effect in self.decided.effects)
        return Step(view.person, self.decided.state, self.decided.replies, effects)


def _owned(one: Any, person: Person) -> Any:
    """A query or an effect of this person's own response."""
    return replace(one, code=person.draft)


def published(url: str, content: Content) -> None:
    """Store the forms, as a start of the service does."""
    database = open_database(url)
    with database.writer.begin() as connection:
        publish(connection, content.forms.values(), datetime.now(UTC))
    database.close()


def drafts(form: Form, points: Sequence[Answering], database: Database, people: int) -> list[str]:
    """The statements that give each person the draft of their point, with its history."""
    return [*_statements(form, points, database, people), *(_counting() if not database.is_sqlite else ())]


def _statements(form: Form, points: Sequence[Answering], database: Database, people: int) -> Iterator[str]:
    at, false = quoted(instant(START)), "0" if database.is_sqlite else "false"
    answers = one_of([point.answers for point in points])
    nothing, each, fill = "'{}'", "json_each(answers)", "e.value"
    if not database.is_sqlite:
        answers, nothing = f"CAST({answers} AS jsonb)", "CAST('{}' AS jsonb)"
        each, fill = "jsonb_each(answers)", "CAST(e.value AS text)"
    yield f"""
        INSERT INTO responses (id, code, form_id, version, year, status, answers, known, last_question, tax_code,
                               rival, started_at, updated_at)
        SELECT n, upper(substr(address, 1, 12)), '{form.id}', '{form.version}', {YEAR}, 'partial', {answers},
               {nothing}, {one_of([point.last_question for point in points])}, '0100109106', {false}, {at}, {at}
        FROM (SELECT id AS n, address FROM addresses WHERE id <= {people}) AS met"""
    yield f"""
        INSERT INTO participants (response_id, person_id, role, consented, joined_at)
        SELECT id, id, 'owner', {"1" if database.is_sqlite else "true"}, {at} FROM responses"""
    yield f"""
        INSERT INTO answer_log (response_id, person_id, at, place, fill)
        SELECT r.id, r.id, {at}, e.key, {fill} FROM responses AS r, {each.replace("answers", "r.answers")} AS e"""
    yield "UPDATE people SET draft = (SELECT code FROM responses WHERE responses.id = people.id)"


def _counting() -> list[str]:
    return [counted(table) for table in ("responses", "answer_log")]
