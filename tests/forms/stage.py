"""Stages for walks: the real router over a shelf in memory that keeps everything as text, or the whole assistant on SQLite."""

import asyncio
import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import orjson
import sqlalchemy as sa

from bot.app import App, assemble
from bot.conversation import Inbound
from content.forms import Form, stored_form
from handlers.dialogue import Cue, Said, Tapped, View
from handlers.effects import Asking, Effect, Outcome, Query
from handlers.fills import Fills, load_fill
from handlers.hearing import Hearing
from handlers.messages import Message
from handlers.people import Person
from handlers.responses import (
    Draft,
    DraftOf,
    Joined,
    KeepPersonal,
    NotJoined,
    OpenByCode,
    OpenResponse,
    PersonalOf,
    RecordConsent,
    SaveFills,
    SetStatus,
    Status,
)
from handlers.router import SURVEY_FORM, Place, Router
from handlers.survey import Survey
from storage.tables import addresses, people, personal_values, responses
from tests import world
from tests.forms.oracle import Fill
from tests.forms.random_forms import RandomForm

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
TODAY = NOW.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()
_NUMBERS = set("0123456789 ,.;?~")
_SOME_NUMBERS = "12 3"
_SOME_CHOICES = "Đèo Cả, Sông Lam"


@dataclass(frozen=True)
class Kept:
    """A response as it is stored: answers by place, and what somebody said of themselves by question."""

    version: str
    status: str
    answers: Mapping[str, Fill]
    personal: Mapping[str, str]


class Stage(Protocol):
    """Somebody who fills in one form, and the service they talk to."""

    @property
    def code(self) -> str | None:
        """The code of the response in hand."""
        ...

    def kept(self, code: str) -> Kept:
        """The response of that code as it is stored."""
        ...

    def says(self, text: str) -> tuple[Message, ...]:
        """Write something."""
        ...

    def taps(self, value: str) -> tuple[Message, ...]:
        """Press a button."""
        ...

    def moves(self) -> None:
        """Somebody else sits down at another machine, where nothing was said yet."""
        ...

    def publish(self, form: RandomForm) -> None:
        """A version of the form becomes the one that new responses get."""
        ...

    def restart(self, *, whole: bool) -> None:
        """The service ends and starts: what is not stored is gone; `whole`: all of it is built anew."""
        ...

    def end(self) -> None:
        """The walk is over."""
        ...


class House:
    """What is built once for many walks: content, understanding, and a router to copy."""

    def __init__(self) -> None:
        self.hearing: Hearing = world.hearing()
        self.router = self.new_router()
        self._heard = lru_cache(maxsize=4096)(self.hearing)

    def new_router(self) -> Router:
        """A router as a start of the service makes it."""
        return Router(self.hearing.content, self.hearing, place=Place(demo=True))

    def hear(self, text: str) -> Said:
        """The words as a cue; one list means what another does, so that understanding it costs nothing."""
        if len(text) > len(_SOME_NUMBERS) and set(text) <= _NUMBERS:
            return replace(self._heard(_SOME_NUMBERS), text=text)
        if text.count(", "):
            return replace(self._heard(_SOME_CHOICES), text=text)
        return self._heard(text)


# In memory


@dataclass
class _Response:
    """A response as a database holds it: in text."""

    form_id: str
    version: str
    year: int
    status: Status = "partial"
    answers: str = "{}"
    consented: bool = False
    personal: dict[str, str] = field(default_factory=dict)


class MemoryStage:
    """The router alone, driven as the unit of work drives it."""

    def __init__(self, house: House, form: RandomForm) -> None:
        self._house = house
        self._definitions: dict[tuple[str, str], str] = {}
        self._ready: dict[tuple[str, str], Form] = {}
        self._responses: dict[str, _Response] = {}
        self._turns = 0
        self._person, self._state = Person(1, greeted=True), ""
        self.publish(form)

    def publish(self, form: RandomForm) -> None:
        """Store the form's text, and survey with it."""
        settings = form.file.settings
        self._current = (settings.form_id, settings.version)
        self._definitions[self._current] = form.file.dump()
        self._open(self._house.router)

    def restart(self, *, whole: bool) -> None:
        """Forget whatever is not text."""
        self._ready.clear()
        self._open(self._house.new_router() if whole else self._house.router)

    def _open(self, like: Router) -> None:
        """A router whose survey is the form: building one for each walk would take longer than the walk."""
        router, old = copy.copy(like), like._survey
        survey = Survey(
            self._house.hearing.content,
            self._form(*self._current),
            router._filling,
            old._notices,
            router._elsewhere,
            old._zone,
            is_open=True,
        )
        router._survey = survey
        router._dialogues = {**router._dialogues, survey.name: survey}
        self._router = router

    def _form(self, form_id: str, version: str) -> Form:
        key = form_id, version
        if key not in self._ready:
            self._ready[key] = stored_form(self._definitions[key])
        return self._ready[key]

    def moves(self) -> None:
        """A new person."""
        self._person, self._state = Person(self._person.id + 1, greeted=True), ""

    def end(self) -> None:
        """Nothing is left behind."""

    def says(self, text: str) -> tuple[Message, ...]:
        """Write something."""
        return self._turn(self._house.hear(text))

    def taps(self, value: str) -> tuple[Message, ...]:
        """Press a button."""
        return self._turn(Tapped(value))

    def _turn(self, cue: Cue) -> tuple[Message, ...]:
        """One turn, as the unit of work makes it."""
        self._turns += 1
        stored = self._state or None
        route = self._router.route(cue, stored, self._person)
        answers = {query: self._read(query) for query in route.queries}
        view = View(
            self._person,
            NOW,
            answers={query: answer for query, answer in answers.items() if answer is not None},
            channel="terminal",
            address="somebody",
            chance=f"{self._turns * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128:032x}",
        )
        step = route.step(view)
        replies, effects = step.replies, list(step.effects)
        for asked in [effect for effect in effects if isinstance(effect, Asking)]:
            effects.remove(asked)
            route = self._router.route(self._decided(asked), step.state.dump(), step.person)
            step = route.step(replace(view, person=step.person))
            replies, effects = replies + step.replies, [*effects, *step.effects]
        self._person, self._state = step.person, step.state.dump()
        for effect in effects:
            self._write(effect)
        return replies

    @property
    def code(self) -> str | None:
        """The code of the response in hand."""
        return self._person.draft

    def kept(self, code: str) -> Kept:
        """The response as it is stored."""
        stored = self._responses[code]
        return Kept(stored.version, stored.status, orjson.loads(stored.answers), stored.personal)

    def _read(self, query: Query) -> object:
        match query:
            case DraftOf(code) if code in self._responses:
                return self._draft(code)
            case PersonalOf(code) if code in self._responses:
                return dict(self._responses[code].personal) or None
        return None

    def _draft(self, code: str) -> Draft:
        stored = self._responses[code]
        form, fills = self._form(stored.form_id, stored.version), _fills(stored.answers)
        return Draft(code, form, stored.year, stored.status, fills, consented=stored.consented)

    def _decided(self, asked: Asking) -> Outcome:
        if isinstance(asked, OpenByCode) and asked.code in self._responses:
            return Joined(self._draft(asked.code))
        return NotJoined("unknown")

    def _write(self, effect: Effect) -> None:
        match effect:
            case OpenResponse(code, form_id, version, year):
                self._responses[code] = _Response(form_id, version, year)
            case SaveFills(code, fills):
                answers = orjson.loads(self._responses[code].answers)
                answers |= {place: fill and fill.dump() for place, fill in fills}
                kept = {place: fill for place, fill in answers.items() if fill is not None}
                self._responses[code].answers = orjson.dumps(kept).decode()
            case KeepPersonal(code, name, value):
                self._responses[code].personal[name] = value
                if not value:
                    del self._responses[code].personal[name]
            case SetStatus(code, status):
                self._responses[code].status = status
            case RecordConsent(answer=answer, code=str(code)):
                self._responses[code].consented = answer == "yes"


def _fills(stored: str) -> Fills:
    return {place: load_fill(fill) for place, fill in orjson.loads(stored).items()}


# On a database

_KEPT = sa.select(responses.c.id, responses.c.version, responses.c.status, responses.c.answers).where(
    responses.c.code == sa.bindparam("of_code")
)
_PERSONAL = sa.select(personal_values.c.name, personal_values.c.value).where(
    personal_values.c.response_id == sa.bindparam("response")
)
_IN_HAND = (
    sa.select(people.c.draft)
    .join(addresses, addresses.c.person_id == people.c.id)
    .where(addresses.c.address == sa.bindparam("somebody"))
)


class DatabaseStage:
    """The whole assistant on a database of its own; a restart closes it and opens another on the same."""

    def __init__(self, house: House, form: RandomForm, url: str) -> None:
        self._house, self._url = house, url
        self._machine = self._updates = 0
        self._runner = asyncio.Runner()
        self._app: App | None = None
        self.publish(form)

    def publish(self, form: RandomForm) -> None:
        """Start the version of the program that has this form."""
        self._form = stored_form(form.file.dump())
        self.restart(whole=True)

    def restart(self, *, whole: bool) -> None:
        """Close the service, if it runs, and start another."""
        self.end_service()
        hearing = copy.copy(self._house.hearing)
        hearing.content = replace(hearing.content, forms={SURVEY_FORM: self._form})
        settings = world.settings_for(self._url, demo=True)
        self._app = assemble(settings, hearing=hearing, now=world.Clock(NOW))
        self._app.open()
        self._runner.run(self._started())

    async def _started(self) -> None:
        self._running.conversation.start()

    @property
    def _running(self) -> App:
        assert self._app
        return self._app

    def end_service(self) -> None:
        """Stop what runs."""
        if self._app:
            self._runner.run(self._app.conversation.stop())
            self._app.database.close()
            self._app = None

    def end(self) -> None:
        """Stop the service and the loop it ran in."""
        self.end_service()
        self._runner.close()

    def moves(self) -> None:
        """Another address, whose person is not known yet."""
        self._machine += 1

    def says(self, text: str) -> tuple[Message, ...]:
        """Write something."""
        return self._turn(text=text)

    def taps(self, value: str) -> tuple[Message, ...]:
        """Press a button."""
        return self._turn(tap=value, label=value)

    def _turn(self, **what: Any) -> tuple[Message, ...]:
        self._updates += 1
        inbound = Inbound("terminal", self._somebody, f"update {self._updates}", **what)
        done = self._runner.run(self._running.conversation.take(inbound))
        assert not done.failed, "the turn failed and was kept as it came"
        return tuple(message for _, message in done.lines)

    @property
    def _somebody(self) -> str:
        return f"machine {self._machine}"

    @property
    def code(self) -> str | None:
        """The code of the response in hand."""
        with self._running.database.reader.connect() as connection:
            found: str | None = connection.execute(_IN_HAND, {"somebody": self._somebody}).scalar()
            return found

    def kept(self, code: str) -> Kept:
        """The response as it is stored."""
        with self._running.database.reader.connect() as connection:
            [(number, version, status, answers)] = connection.execute(_KEPT, {"of_code": code}).all()
            personal = connection.execute(_PERSONAL, {"response": number}).all()
        return Kept(version, status, answers, {row.name: row.value for row in personal})
