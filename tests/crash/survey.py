"""`kill -9` in the middle of a survey: every acknowledged answer is there, nothing twice, and the next question is right.

One visitor answers one survey on one database, through any number of deaths: at the writer's fault points and at
random instants around an answer. After each death, and before anything is repaired, the database is read with the
plain drivers and compared with the visitor's own record.
"""

import asyncio
import itertools
import json
import random
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

from content.everything import load_content
from handlers.router import SURVEY_FORM
from tests.crash.ledger import Row, ask
from tests.crash.load import Refused, connected
from tests.crash.persona import Persona, Record, screen_of
from tests.crash.proof import LEAKS, Outcome, Tell
from tests.crash.service import Broken, Instant, Kill, Point, Service, told
from tests.crash.victim import MOMENTS

FULL = 50  # kills in one survey
LATEST = 0.06  # seconds after an answer was sent within which a random kill falls
MOST_ANSWERS = 4  # of one life
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

_TURNS = "SELECT update_key, at FROM turns ORDER BY id"
_RESPONSES = """
    SELECT r.status, CAST(r.answers AS text), r.last_question, r.code = p.draft
    FROM responses r JOIN participants t ON t.response_id = r.id JOIN people p ON p.id = t.person_id
"""
_LOG = "SELECT at, place, fill FROM answer_log ORDER BY id"
_OWN = "SELECT name, value FROM personal_values"
_CONSENTS = "SELECT purpose, answer FROM consents ORDER BY id"
_SAID = "SELECT o.message, p.state FROM outbox o, people p ORDER BY o.id DESC LIMIT 1"
_TOTALS = """
    SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM failed_turns), (SELECT count(*) FROM kept_states)
"""


def look(url: str, persona: Persona) -> tuple[tuple[str, ...], bool]:
    """What is wrong, in sentences; and whether the message that was not acknowledged is kept."""
    turns, *rest = ask(url, _TURNS, _RESPONSES, _LOG, _OWN, _CONSENTS, _SAID, _TOTALS)
    kept = Counter(key.partition(":")[0] for key, _ in turns)
    pending = persona.pending
    is_kept = pending is not None and pending.id in kept
    record = pending.after if pending and is_kept else persona.record
    faults = [*_wrong_turns(kept, persona), *_wrong_rest(record, [at for _, at in turns], *rest)]
    return tuple(faults), is_kept


def _wrong_turns(kept: Counter[str], persona: Persona) -> Iterator[str]:
    lost = persona.acknowledged - kept.keys()
    yield from (f"acknowledged and lost: {persona.sent[name].body}" for name in lost)
    yield from (f"a turn nobody sent: {name}" for name in kept.keys() - persona.sent.keys())
    yield from (f"{count} turns for one message: {name}" for name, count in kept.items() if count > 1)


def _wrong_rest(
    record: Record,
    moments: Sequence[Any],
    responses: list[Row],
    log: list[Row],
    own: list[Row],
    consents: list[Row],
    said: list[Row],
    totals: list[Row],
) -> Iterator[str]:
    yield from wrong_response(record, responses)
    yield from wrong_log(record, moments, log)
    if dict(own) != record.own or len(own) != len(record.own):
        yield f"{len(own)} own values are kept, not the {len(record.own)} that were given"
    if tuple(consents) != record.consents:
        yield f"the consents are {consents}, not {record.consents}"
    yield from _wrong_screen(record, said)
    if totals[0] not in ((0, 0, 0), (1, 0, 0)):
        yield f"people, failed turns, unreadable states: {totals[0]}"


def wrong_response(record: Record, responses: list[Row]) -> Iterator[str]:
    """Every answer that was acknowledged stands in the response, and nothing else."""
    if record.walk is None or len(responses) != 1:
        if len(responses) != (record.walk is not None):
            yield f"{len(responses)} responses"
        return
    status, text, last_question, in_hand = responses[0]
    answers = json.loads(text)
    for place in sorted(answers.keys() | record.answers.keys()):
        found, expected = answers.get(place), record.answers.get(place)
        if found != expected:
            yield f"{place} is {found}, not {expected}"
    if (status, last_question, bool(in_hand)) != (record.status, record.last_question, True):
        yield f"the response is {(status, last_question, in_hand)}, not {(record.status, record.last_question)}"


def wrong_log(record: Record, moments: Sequence[Any], log: list[Row]) -> Iterator[str]:
    """The history is what was given, turn by turn; each row is of a turn, and no turn has two for one place."""
    found = [
        [(place, json.loads(fill) if fill else None) for _, place, fill in rows]
        for _, rows in itertools.groupby(log, key=lambda row: row[0])
    ]
    for rows, expected in itertools.zip_longest(found, record.log, fillvalue=()):
        if dict(rows) != dict(expected) or len(rows) != len(expected):
            yield f"a turn's history is {rows}, not {expected}"
            break
    if not {at for at, _, _ in log} <= set(moments):
        yield "a row of the history is of no turn"


def _wrong_screen(record: Record, said: list[Row]) -> Iterator[str]:
    """The question that was said last, and the one under which the person stands, are the expected ones."""
    shown = state = screen_of([])
    for message, stored in said:
        shown = screen_of([value for _, value, _ in json.loads(message)[1]])
        _, _, _, screen, *_ = json.loads(stored)
        state = screen_of([choice[1] for choice in screen])
    if not shown == state == record.screen:
        yield f"{shown} was said, the state is {state}, expected is {record.screen}"


class Survey:
    """One survey on one database, through any number of deaths of the service."""

    def __init__(self, url: str, chance: random.Random, *, writer: str = "real") -> None:
        self._url, self._service = url, Service(url, writer)
        today = datetime.now(UTC).astimezone(_ZONE).date()  # the persona's own days are years away from it
        self._persona = Persona(load_content().forms[SURVEY_FORM], today, chance)
        self._counts: Counter[str] = Counter()
        self._now = "at the start"

    async def run(self, kills: Sequence[Kill], tell: Tell = lambda _line: None) -> Outcome:
        """Go through these deaths, looking after each; then answer what is open and send the survey."""
        async with self._service:
            try:
                faults = await self._lives(kills, tell)
            except (Broken, Refused, TimeoutError, aiohttp.ClientError, ExceptionGroup) as trouble:
                faults = (f"{told(trouble)} {self._service.last_words()}",)
        return Outcome(self._counted(), faults, self._now)

    async def _lives(self, kills: Sequence[Kill], tell: Tell) -> tuple[str, ...]:
        spare = await self._service.spawn(kills[0])
        for number, (kill, following) in enumerate(zip(kills, [*kills[1:], None], strict=True), 1):
            process, spare = spare, await self._service.spawn(following)
            self._now = f"kill {number}, {kill}"
            if faults := await self._die(process, kill):
                return faults
            if number % 10 == 0 or number == len(kills):
                tell(f"kill {number}/{len(kills)}, {len(self._persona.acknowledged)} acknowledged")
        self._now = "at the end"
        return await self._end(spare)

    async def _die(self, process: Process, kill: Kill) -> tuple[str, ...]:
        """One life up to its death, then the look before anybody can repair anything."""
        address = await self._service.wake(process)
        begun = asyncio.Event()
        nth = kill.nth if isinstance(kill, Instant) else 0
        async with connected(address) as session, asyncio.TaskGroup() as group:
            group.create_task(self._service.end(process, kill, begun))
            group.create_task(self._persona.talk(session, _after(nth, begun)))
        await self._service.gone(process)
        pending = self._persona.pending
        faults, is_kept = look(self._url, self._persona)
        self._counts["kills"] += 1
        self._counts["open at a kill and kept"] += is_kept
        self._counts["open at a kill and not kept"] += pending is not None and not is_kept
        return faults

    async def _end(self, process: Process) -> tuple[str, ...]:
        address = await self._service.wake(process)
        async with connected(address) as session:
            await self._persona.finish(session)
        process.terminate()
        await self._service.gone(process, 0)
        faults, _ = look(self._url, self._persona)
        return faults

    def _counted(self) -> dict[str, int]:
        persona = self._persona
        edits = sum(persona.sent[name].edits for name in persona.acknowledged)
        return {
            **{name: self._counts[name] for name in _COUNTED},
            "acknowledged": len(persona.acknowledged),
            "answers edited": edits,
            "sent again after a kill": persona.sent_again,
            "answers in the end": len(persona.record.answers),
            "rows of history": sum(map(len, persona.record.log)),
        }


_COUNTED = ("kills", "open at a kill and kept", "open at a kill and not kept")


def _after(nth: int, begun: asyncio.Event) -> Callable[[], None]:
    """Sets `begun` when the n-th message of a life is sent."""
    left = nth

    def posting() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            begun.set()

    return posting


def drawn(count: int, chance: random.Random) -> list[Kill]:
    """So many deaths: half of them at fault points, half at random instants around an answer."""
    return [_drawn(chance, at_point=number % 2 == 0) for number in range(count)]


def _drawn(chance: random.Random, *, at_point: bool) -> Kill:
    nth = chance.randint(1, MOST_ANSWERS)
    if at_point:
        return Point("together", chance.choice(MOMENTS), nth)
    return Instant(chance.uniform(0, LATEST), nth)


# A few deaths, each well into the survey.
SMALL: tuple[Kill, ...] = (
    Point("together", "before commit", 8),
    Point("together", "after commit", 6),
    Instant(0.01, 6),
    Instant(0.03, 6),
)


async def survive(
    url: str, kills: Sequence[Kill], chance: random.Random, tell: Tell = lambda _line: None
) -> Outcome:
    """The product through these deaths in one survey."""
    return await Survey(url, chance).run(kills, tell)


async def catch_early(new: Callable[[], str], chance: random.Random) -> dict[str, Outcome]:
    """The mutant that answers before it commits, where that shows, each on a database of its own."""
    return {
        moment: await Survey(new(), chance, writer="early").run([Point("together", moment, 6)])
        for moment in LEAKS
    }
