"""Turns become true: a group of them in one transaction, statement by statement over the whole set.

    lock the people  →  take the update keys  →  read what the dialogues need  →  step each, one person's in order
    →  write each kind of effect once  →  people  →  outbox          (the writer commits and releases)

A dialogue that asks for an outcome (a seat, a ticket) cannot be settled in a set: its turn is put apart, together
with that person's later turns, and settled alone right after, in a savepoint. So is a person's second turn in a group
when it needs rows that the first may have changed, and a second person's turn on what two people share.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert  # its ON CONFLICT compiles on SQLite as well

from handlers.dialogue import Cue, Step, Tapped, View
from handlers.effects import Asking, Effect, Outcome, Query
from handlers.messages import Message
from handlers.people import Person
from storage import outbox, people
from storage.errors import TooManyRounds
from storage.people import Place, Standing
from storage.rows import bound, rows
from storage.tables import Id, Instant, failed_turns, instant, turns

MOST_ROUNDS = 8
LEASE = timedelta(seconds=60)  # how long a process has what it answered to itself


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One thing that came in, understood and ready to be decided; `at` is when it came (aware)."""

    channel: str
    address: str
    key: str  # unique in its channel: the same update twice is one turn
    cue: Cue
    at: datetime
    kind: str
    text: str
    raw: str  # as it came, kept when the turn fails
    shows_greeting: bool = False
    chance: str = ""  # 128 random bits in hexadecimal, drawn before the transaction: for codes and links
    sender: str | None = None  # the process that sends what is answered; None where a reader fetches it
    tapped_on: str | None = None  # the channel's own id of the message whose button was tapped


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a turn, true from the commit on.

    `lines` are its messages with their cursors; a repeat has none, they were said the first time. A closed address
    has none either. `replaces` is the channel's own id of the message whose place the first of them takes.
    """

    lines: tuple[tuple[int, Message], ...] = ()
    replaces: str | None = None
    repeated: bool = False
    closed: bool = False
    failed: bool = False


class Route(Protocol):
    """Where one cue leads."""

    @property
    def queries(self) -> tuple[Query, ...]:
        """What must be read before the step."""
        ...

    def step(self, view: View) -> Step:
        """The decision."""
        ...


class Router(Protocol):
    """The pure side of a turn, as handlers.router.Router provides it."""

    def route(self, cue: Cue, stored: str | None, person: Person) -> Route:
        """Where a cue leads for somebody whose state is `stored`."""
        ...


Writer = Callable[[sa.Connection, Sequence[tuple[Person, datetime, Any]]], None]
Decider = Callable[[sa.Connection, Person, datetime, Any], Outcome]
Reader = Callable[[sa.Connection, Sequence[tuple[Person, Any]]], Mapping[tuple[int, Any], object]]


@dataclass(frozen=True)
class Registry:
    """Who makes which effect happen, decides which outcome, answers which query.

    The order of `writers` is the order in which a group's effects are written: what makes a row stands before what
    changes it.
    """

    writers: Mapping[type[Effect], Writer]
    deciders: Mapping[type[Asking], Decider]
    readers: Mapping[type[Query], Reader]

    def with_more(
        self,
        writers: Mapping[type[Effect], Writer] | None = None,
        deciders: Mapping[type[Asking], Decider] | None = None,
        readers: Mapping[type[Query], Reader] | None = None,
    ) -> "Registry":
        """The same registry knowing more kinds."""
        return Registry(
            {**self.writers, **(writers or {})},
            {**self.deciders, **(deciders or {})},
            {**self.readers, **(readers or {})},
        )


_given_turns = rows(
    place=sa.Integer,
    channel=sa.String,
    update_key=sa.String,
    address_id=Id,
    at=Instant,
    kind=sa.String,
    text=sa.Text,
)
_TAKE_KEYS = (
    insert(turns)
    .from_select(
        ["channel", "update_key", "address_id", "at", "kind", "text"],
        sa.select(
            _given_turns.c.channel,
            _given_turns.c.update_key,
            _given_turns.c.address_id,
            _given_turns.c.at,
            _given_turns.c.kind,
            _given_turns.c.text,
        )
        .where(sa.true())  # SQLite reads ON CONFLICT after a SELECT only behind a WHERE
        .order_by(_given_turns.c.place),
        include_defaults=False,
    )
    .on_conflict_do_nothing(index_elements=[turns.c.channel, turns.c.update_key])
    .returning(turns.c.id, turns.c.channel, turns.c.update_key)
)
_given_ids = rows(id=Id)
_GIVE_BACK_KEYS = sa.delete(turns).where(turns.c.id.in_(sa.select(_given_ids.c.id).scalar_subquery()))
_KEEP_FAILED = sa.insert(failed_turns).values(
    turn_id=sa.bindparam("turn"),
    raw=sa.bindparam("as_it_came"),
    error=sa.bindparam("why"),
    at=sa.bindparam("now", type_=Instant),
)
COUNT_FAILED = sa.select(sa.func.count()).select_from(failed_turns)


@dataclass(slots=True)
class _Work:
    """What one transaction has decided so far."""

    effects: dict[type[Effect], list[tuple[Person, datetime, Effect]]] = field(default_factory=dict)
    lines: dict[int, list[outbox.NewLine]] = field(default_factory=dict)  # by turn
    changed: dict[int, Standing] = field(default_factory=dict)  # by person
    apart: set[int] = field(default_factory=set)  # people whose further turns are settled alone
    undecided: dict[tuple[str, str], int] = field(default_factory=dict)  # those turns, by key


Answers = Mapping[int, Mapping[Query, object]]  # what the dialogues asked, by person


def settle(
    connection: sa.Connection,
    group: Sequence[Turn],
    router: Router,
    registry: Registry,
    *,
    alone: bool = False,
) -> list[Done | None]:
    """Settle a group inside the caller's transaction; None for a turn that must be settled alone.

    With `alone` outcomes are decided here and no turn comes back as None; raises TooManyRounds.
    """
    places = people.lock(connection, ((turn.channel, turn.address) for turn in group), group[0].at)
    fresh = _take_keys(connection, group, places)
    routes = _routes(fresh, places, router)
    answers, contested = _read(connection, routes, places, registry)
    work = _Work(apart=contested)
    for turn, turn_id in fresh.items():
        place = _place(places, turn)
        route = routes.get(turn)
        step = _decide(connection, turn, route, place.standing, answers, router, registry, work, alone=alone)
        if step is None:
            work.apart.add(place.standing.person.id)
            work.undecided[turn.channel, turn.key] = turn_id
        else:
            _note(turn, turn_id, place, step, work)
    if work.undecided:
        connection.execute(_GIVE_BACK_KEYS, bound({"id": turn_id} for turn_id in work.undecided.values()))
    cursors = _write(connection, work, registry)
    people.unblock(connection, (_place(places, turn) for turn in fresh))
    return [_done(turn, fresh, places, work, cursors) for turn in group]


def settle_as_failed(connection: sa.Connection, turn: Turn, error: str, apology: Message | None) -> Done:
    """Keep a turn that always fails as it came, apologise where somebody is there, and count it as taken."""
    places = people.lock(connection, [(turn.channel, turn.address)], turn.at)
    fresh = _take_keys(connection, [turn], places)
    if turn not in fresh:
        return Done(repeated=True)
    turn_id = fresh[turn]
    place = _place(places, turn)
    connection.execute(_KEEP_FAILED, {"turn": turn_id, "as_it_came": turn.raw, "why": error, "now": turn.at})
    people.unblock(connection, [place])
    if apology is None:
        return Done(failed=True)
    cursors = outbox.add(connection, [_line(turn, turn_id, place, 0, apology)])
    return Done(((cursors[turn_id, 0], apology),), failed=True)


def _place(places: Mapping[people.Met, Place], turn: Turn) -> Place:
    return places[turn.channel, turn.address]


def _take_keys(
    connection: sa.Connection, group: Sequence[Turn], places: Mapping[people.Met, Place]
) -> dict[Turn, int]:
    """The turns never seen before, in order, with their ids; the first of two with one key wins."""
    first: dict[tuple[str, str], Turn] = {}
    for turn in group:
        if not _place(places, turn).closed:
            first.setdefault((turn.channel, turn.key), turn)
    if not first:
        return {}
    values = (
        {
            "place": place,
            "channel": turn.channel,
            "update_key": turn.key,
            "address_id": _place(places, turn).address_id,
            "at": instant(turn.at),
            "kind": turn.kind,
            "text": turn.text,
        }
        for place, turn in enumerate(first.values())
    )
    taken = {(channel, key): number for number, channel, key in connection.execute(_TAKE_KEYS, bound(values))}
    return {turn: taken[key] for key, turn in first.items() if key in taken}


def _routes(group: Iterable[Turn], places: Mapping[people.Met, Place], router: Router) -> dict[Turn, Route]:
    """Where each person's first turn leads; where a further one does, the turns before it decide."""
    routes: dict[Turn, Route] = {}
    first: set[int] = set()
    for turn in group:
        standing = _place(places, turn).standing
        if standing.person.id not in first:
            first.add(standing.person.id)
            routes[turn] = router.route(turn.cue, standing.stored, standing.person)
    return routes


def _read(
    connection: sa.Connection,
    routes: Mapping[Turn, Route],
    places: Mapping[people.Met, Place],
    registry: Registry,
) -> tuple[Answers, set[int]]:
    """The rows that each person's first turn asks for, one statement a kind of query.

    And the people who ask for what somebody before them in the group may be about to change: they are settled after.
    """
    asked: dict[type[Query], list[tuple[Person, Query]]] = {}
    holders: dict[Query, int] = {}
    contested: set[int] = set()
    for turn, route in routes.items():
        person = _place(places, turn).standing.person
        for query in route.queries:
            asked.setdefault(type(query), []).append((person, query))
            if query.shared and holders.setdefault(query, person.id) != person.id:
                contested.add(person.id)
    answers: dict[int, dict[Query, object]] = {}
    for kind, queries in asked.items():
        for (person_id, query), answer in registry.readers[kind](connection, queries).items():
            answers.setdefault(person_id, {})[query] = answer
    return answers, contested


def _decide(
    connection: sa.Connection,
    turn: Turn,
    route: Route | None,
    standing: Standing,
    answers: Answers,
    router: Router,
    registry: Registry,
    work: _Work,
    *,
    alone: bool,
) -> Step | None:
    """Step one turn; None when it, or an earlier one of the same person, must be settled alone."""
    person_id = standing.person.id
    if person_id in work.apart:
        return None
    if route is None:
        route = router.route(turn.cue, standing.stored, standing.person)
        if route.queries:
            return None  # the rows it needs were not read, and this person's earlier turn is not written yet
    view = View(
        standing.person,
        turn.at,
        answers=answers.get(person_id, {}) if person_id not in work.changed else {},
        shows_greeting=turn.shows_greeting,
        channel=turn.channel,
        address=turn.address,
        chance=turn.chance,
    )
    step = route.step(view)
    if not any(isinstance(effect, Asking) for effect in step.effects):
        return step
    return _with_outcomes(connection, view, step, router, registry) if alone else None


def _with_outcomes(
    connection: sa.Connection, view: View, step: Step, router: Router, registry: Registry
) -> Step:
    """Decide what the step asked, hand each outcome back as the next cue, until nothing more is asked."""
    for _ in range(MOST_ROUNDS):
        asking = [effect for effect in step.effects if isinstance(effect, Asking)]
        if not asking:
            return step
        step = replace(
            step, effects=tuple(effect for effect in step.effects if not isinstance(effect, Asking))
        )
        for effect in asking:
            outcome = registry.deciders[type(effect)](connection, step.person, view.now, effect)
            route = router.route(outcome, step.state.dump(), step.person)
            further = route.step(replace(view, person=step.person))
            step = replace(
                further, effects=step.effects + further.effects, replies=step.replies + further.replies
            )
    raise TooManyRounds(f"more than {MOST_ROUNDS} rounds of outcomes in one turn")


def _note(turn: Turn, turn_id: int, place: Place, step: Step, work: _Work) -> None:
    standing = place.standing
    standing.person, standing.stored, standing.seen_at = step.person, step.state.dump(), turn.at
    work.changed[step.person.id] = standing
    for effect in step.effects:
        work.effects.setdefault(type(effect), []).append((step.person, turn.at, effect))
    replaces = turn.tapped_on if _takes_its_place(turn, step) else None
    work.lines[turn_id] = [
        _line(turn, turn_id, place, position, message, None if position else replaces)
        for position, message in enumerate(step.replies)
    ]


def _takes_its_place(turn: Turn, step: Step) -> bool:
    """Whether a question follows the one whose button was tapped: a form is one message that moves on, not a flood."""
    if not isinstance(turn.cue, Tapped) or not step.replies or not step.replies[0].progress:
        return False
    return turn.cue.value.partition(":")[0] == step.state.dialogue


def _line(
    turn: Turn, turn_id: int, place: Place, position: int, message: Message, replaces: str | None = None
) -> outbox.NewLine:
    lease = outbox.Lease(turn.channel, turn.sender, turn.at + LEASE, replaces) if turn.sender else None
    return outbox.NewLine(place.address_id, turn_id, position, turn.at, message, lease)


def _write(connection: sa.Connection, work: _Work, registry: Registry) -> dict[tuple[int, int], int]:
    for kind, write in registry.writers.items():  # in their order: one person's response is opened before
        if effects := work.effects.get(kind):  # anybody's answers are saved, whoever came first
            write(connection, effects)
    people.write(connection, work.changed.values())
    return outbox.add(connection, [line for lines in work.lines.values() for line in lines])


def _done(
    turn: Turn,
    fresh: Mapping[Turn, int],
    places: Mapping[people.Met, Place],
    work: _Work,
    cursors: Mapping[tuple[int, int], int],
) -> Done | None:
    if _place(places, turn).closed:
        return Done(closed=True)
    if (turn.channel, turn.key) in work.undecided:
        return None  # a second copy of it too: it is only a repeat once the first is true
    if turn not in fresh:
        return Done(repeated=True)
    turn_id = fresh[turn]
    lines = work.lines[turn_id]
    replaces = lines[0].lease.replaces if lines and lines[0].lease else None
    return Done(tuple((cursors[turn_id, line.position], line.message) for line in lines), replaces)
