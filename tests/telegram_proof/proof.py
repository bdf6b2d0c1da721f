"""The proof of the Telegram channel: many conversations under a schedule of faults, and `kill -9` in between.

The fake Telegram and the people live here; the service is a process that dies again and again. What is acknowledged
must be in the database right after each death (promises 1 and 2); at the end every update must have been answered, in
order, and by what belongs to it; and the fake must have noted nothing that was sent too early or too much (promise 5).

Mutants that acknowledge before they commit, that mark a reply as sent before it was sent, or that do not hear «retry
after» must be caught by the very same look.
"""

import asyncio
import itertools
import random
import socket
import time
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from content.everything import load_content
from handlers.router import SURVEY_FORM
from tests.crash.ledger import ask
from tests.crash.service import Broken, Instant, Kill, Point, Service, told
from tests.crash.victim import MOMENTS
from tests.fakes.telegram import FakeTelegram, Fault, Faults, Kind, Limits
from tests.fakes.telegram.calls import Call
from tests.fakes.telegram.faults import When
from tests.telegram_proof.judge import OPEN, Deaths, Manners, judge, look
from tests.telegram_proof.people import PATIENCE, Asker, InVain, Somebody, Taken
from tests.telegram_proof.survey import Respondent
from tests.telegram_proof.victim import OUT, OUT_MOMENTS, WAYS

VICTIM = "tests.telegram_proof.victim"
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
AT_ONCE = 300  # people who talk at the same time
REAL = 30.0  # messages a second that Telegram takes
MANY = 500.0  # and as many as two cores never reach
A_TALK, AN_ANSWER = 6.0, 1.9  # updates, on average, of a conversation and of one answer of a survey
LONGEST_WAY = 8.0  # seconds to a fault point
SETTLED = 90.0  # seconds in which all is quiet at the end
Tell = Callable[[str], None]

SENDING = frozenset({"sendmessage", "editmessagetext", "senddocument"})
# How often a call of a kind goes wrong, by what.
ON_THE_WAY_OUT: tuple[tuple[Fault | Kind, float], ...] = (
    (Fault(Kind.TOO_MANY, 1), 0.0005),
    (Fault(Kind.TOO_MANY, 3), 0.0005),
    (Kind.INTERNAL, 0.003),
    (Fault(Kind.INTERNAL, taken=True), 0.003),
    (Kind.BAD_GATEWAY, 0.003),
    (Fault(Kind.BAD_GATEWAY, taken=True), 0.003),
    (Kind.GATEWAY_TIMEOUT, 0.003),
    (Fault(Kind.GATEWAY_TIMEOUT, taken=True), 0.003),
    (Kind.RESET_BEFORE, 0.005),
    (Kind.RESET_AFTER, 0.005),
    (Fault(Kind.SLOW, 0.3), 0.005),
    (Fault(Kind.LATE, 0.3), 0.005),
    (Kind.TRUNCATED, 0.005),
)
ON_THE_WAY_IN: tuple[tuple[Fault | Kind, float], ...] = (
    (Kind.CONFLICT, 0.002),
    *((what, rate) for what, rate in ((fault, 0.001) for fault, _ in ON_THE_WAY_OUT[2:])),
)
OF_UPDATES = {Kind.DUPLICATE: 0.03, Kind.REPEAT: 0.03, Kind.SWAP: 0.03}


def schedule(seed: int, often: float, told_to_wait: int = 0) -> Faults:
    """What goes wrong; `often` multiplies how often, `told_to_wait` adds a «retry after» at every so many-th message."""
    chance = random.Random(seed)
    plan: list[tuple[When, Fault | Kind]] = [
        (_by_chance(chance, rate * often, fetching=fetching), what)
        for fetching, rates in ((False, ON_THE_WAY_OUT), (True, ON_THE_WAY_IN))
        for what, rate in rates
    ]
    if told_to_wait:
        plan.append((_at_every(told_to_wait), Fault(Kind.TOO_MANY, 3)))
    rates: dict[Kind | Fault, float] = {kind: min(1.0, rate * often) for kind, rate in OF_UPDATES.items()}
    return Faults(seed=seed, rates=rates, plan=plan)


def _by_chance(chance: random.Random, rate: float, *, fetching: bool) -> Callable[[Call], bool]:
    def strikes(call: Call) -> bool:
        fits = call.method == "getupdates" if fetching else call.method in SENDING
        return fits and chance.random() < rate

    return strikes


def _at_every(nth: int) -> Callable[[Call], bool]:
    left = itertools.cycle(range(nth))

    def strikes(call: Call) -> bool:
        return call.method in SENDING and next(left) == nth - 1

    return strikes


@dataclass(frozen=True)
class Part:
    """A number of people on one database with one way of fetching, and how often the service dies under them."""

    database: str
    mode: str
    askers: int
    respondents: int
    kills: int
    answers: int = 45  # at most, of one respondent
    rate: float = MANY  # messages a second, over all
    often: float = 1.0  # how much more often than usual something goes wrong
    told_to_wait: int = 0  # after so many messages each time

    def __str__(self) -> str:
        return (
            f"{self.mode} on {self.database}, {self.askers + self.respondents} people, {self.kills} kills,"
            f" {self.rate:g} messages a second"
        )


@dataclass(frozen=True)
class Outcome:
    """How a part went."""

    part: Part
    counts: Counter[str]
    faults: tuple[str, ...]
    after: str
    seconds: float

    @property
    def sentence(self) -> str:
        """All in one line."""
        counted = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        if not self.faults:
            return f"held in {self.seconds:.0f} s: {counted}"
        return f"FAILED ({self.after}): {len(self.faults)} faults, such as: {self.faults[0]}; {counted}"


def _silent(_line: str) -> None:
    """Tell nobody."""


def drawn(count: int, chance: random.Random) -> list[Kill]:
    """So many deaths: two of three at fault points, each of them in turn, the others at random instants."""
    points = [(way, moment) for way in WAYS for moment in MOMENTS] + [(OUT, moment) for moment in OUT_MOMENTS]
    chance.shuffle(points)
    return [
        Instant(chance.uniform(0, 0.5))
        if number % 3 == 2
        else Point(*points[(number - number // 3) % len(points)], chance.randint(1, 3))
        for number in range(count)
    ]


class Trial:
    """One part: a Telegram, its people, a database, and one service after another."""

    def __init__(
        self, part: Part, url: str, seed: int, *, writer: str = "real", patience: float = PATIENCE
    ) -> None:
        self._part = part
        self._url = url
        self._seed = seed
        self._chance = random.Random(seed)
        self._writer = writer
        self._patience = patience
        self._form = load_content().forms[SURVEY_FORM]
        self._today = datetime.now(UTC).astimezone(ZONE).date()
        self._people: list[Somebody] = []
        self._deaths = Deaths()
        self._died = asyncio.Event()  # set for a moment at each death, and for good after the last
        self._moved = asyncio.Event()
        self._updates = 0
        self._counts: Counter[str] = Counter()
        self._now = "at the start"

    async def run(self, kills: Sequence[Kill] | None = None, tell: Tell = _silent) -> Outcome:
        """Go through it; ends at the first fault that shows."""
        began, part = time.monotonic(), self._part
        limits = Limits(overall_rate=part.rate, overall_burst=part.rate)
        kills = drawn(part.kills, self._chance) if kills is None else kills
        faults: list[str] = []
        plan = schedule(self._seed, part.often, part.told_to_wait)
        async with FakeTelegram(limits=limits, faults=plan, seed=self._seed) as telegram:
            telegram.meter = self._manners = Manners(limits, telegram.clock)
            settings = _settings(telegram, part)
            async with Service(self._url, self._writer, victim=VICTIM, settings=settings) as service:
                try:
                    faults = await self._lives(telegram, service, kills, tell)
                except* (Broken, InVain, TimeoutError) as trouble:
                    faults = [f"{told(trouble)} {service.last_words()}"]
        self._count(telegram)
        return Outcome(part, self._counts, tuple(faults), self._now, time.monotonic() - began)

    async def _lives(
        self, telegram: FakeTelegram, service: Service, kills: Sequence[Kill], tell: Tell
    ) -> list[str]:
        """The people talk, and one life comes after the other."""
        self._people = self._gather(telegram)
        if not kills:
            self._died.set()
        spare = await service.spawn(kills[0] if kills else None)
        async with asyncio.TaskGroup() as group:
            talking = group.create_task(self._all_talk())
            dying = group.create_task(self._all_die(telegram, service, spare, kills, talking, tell))
        last, faults = dying.result()
        if faults:
            return faults
        self._now = "at the end"
        telegram.faults.quiet()
        await telegram.settled(SETTLED)
        await self._nothing_is_open()
        last.terminate()
        await service.gone(last, 0)
        verdict = judge(self._url, telegram, self._people, self._deaths)
        self._counts.update(verdict.counts)
        return [*verdict.faults, *self._wrong_manners(telegram)]

    # The people

    def _gather(self, telegram: FakeTelegram) -> list[Somebody]:
        people: list[Somebody] = []
        taken = Taken(telegram)
        for number in range(self._part.respondents):
            most = self._chance.randint(self._part.answers // 4, self._part.answers)
            people.append(
                Respondent(
                    telegram.person(f"Bình {number}"),
                    random.Random(self._chance.random()),
                    taken,
                    self._came,
                    form=self._form,
                    today=self._today,
                    most=most,
                    died=self._next_death,
                    patience=self._patience,
                )
            )
        for number in range(self._part.askers):
            chance = random.Random(self._chance.random())
            people.append(Asker(telegram.person(f"An {number}"), chance, taken, self._came, self._patience))
        return people

    def _came(self) -> None:
        self._updates += 1
        self._moved.set()

    async def _all_talk(self) -> None:
        """So many at once; those with a survey begin first, for theirs take longest."""
        room = asyncio.Semaphore(AT_ONCE)

        async def one(somebody: Somebody) -> None:
            if isinstance(somebody, Respondent):
                await somebody.pauses(5.0)
                await somebody.talks()
                return
            async with room:
                await somebody.talks()

        async with asyncio.TaskGroup() as group:
            for somebody in self._people:
                group.create_task(one(somebody))

    async def _next_death(self) -> None:
        await self._died.wait()

    # The service

    async def _all_die(
        self,
        telegram: FakeTelegram,
        service: Service,
        spare: Process,
        kills: Sequence[Kill],
        talking: "asyncio.Task[None]",
        tell: Tell,
    ) -> tuple[Process, list[str]]:
        """Every death when it is its time, the look after it, and the last life; gives back who lives it."""
        for number, (kill, following) in enumerate(zip(kills, (*kills[1:], None), strict=False), 1):
            process, spare = spare, await service.spawn(following)
            self._now = f"kill {number}, {kill}"
            await service.wake(process)
            await self._until(self._expected() * number / (len(kills) + 1), talking)
            await self._die(process, service, kill)
            self._deaths.died.append(telegram.clock())
            await asyncio.sleep(0.05)  # what the dead had sent arrives
            faults = [*look(self._url, telegram, self._people), *self._wrong_manners(telegram)]
            if faults:
                talking.cancel()
                return process, faults
            self._deaths.at.append(telegram.clock())
            self._counts["kills"] += 1
            self._wake_the_resting(last=following is None)
            if number % 5 == 0 or number == len(kills):
                tell(f"kill {number}/{len(kills)}, {len(set(telegram.acknowledged)):,} updates taken")
        await service.wake(spare)
        self._now = "in the last life"
        await talking
        return spare, []

    async def _die(self, process: Process, service: Service, kill: Kill) -> None:
        """At a fault point the service dies by itself; where nobody gives it an occasion, it is killed."""
        assert process.stdin
        process.stdin.write(b"arm\n")
        try:
            await asyncio.wait_for(process.wait(), kill.seconds if isinstance(kill, Instant) else LONGEST_WAY)
        except TimeoutError:
            self._counts["fault points not reached"] += isinstance(kill, Point)
            process.kill()
        await service.gone(process)

    def _wake_the_resting(self, *, last: bool) -> None:
        self._died.set()
        if not last:
            self._died.clear()

    def _expected(self) -> float:
        """Roughly how many updates there will be."""
        answers = sum(one.most for one in self._people if isinstance(one, Respondent))
        return 0.85 * (A_TALK * self._part.askers + AN_ANSWER * answers)

    async def _until(self, updates: float, talking: "asyncio.Task[None]") -> None:
        """Until so many updates came about."""
        while self._updates < updates:
            if talking.done():
                raise Broken(f"all was said with {self._updates} updates, before the service was to die")
            self._moved.clear()
            await asyncio.wait_for(self._moved.wait(), self._patience)

    async def _nothing_is_open(self) -> None:
        """Wait until every message has come to its end; what has not is told by the judge."""
        states = ", ".join(f"'{state}'" for state in OPEN)
        until = time.monotonic() + SETTLED
        while time.monotonic() < until:
            [[(count,)]] = ask(self._url, f"SELECT count(*) FROM outbox WHERE status IN ({states})")
            if not count:
                return
            await asyncio.sleep(0.2)

    def _wrong_manners(self, telegram: FakeTelegram) -> list[str]:
        suspicious = (f"suspicious: {sentence}" for sentence in telegram.suspicions)
        return [*self._manners.wrong(self._deaths), *suspicious]

    def _count(self, telegram: FakeTelegram) -> None:
        counts = self._counts
        counts["people"] = len(self._people)
        counts["answers of surveys"] = sum(one.moves for one in self._people if isinstance(one, Respondent))
        counts["surveys sent"] = sum(
            one.record.status == "submitted" for one in self._people if isinstance(one, Respondent)
        )
        counts["surveys left and come back to"] = sum(
            one.resumed for one in self._people if isinstance(one, Respondent)
        )
        counts["messages taken"] = len(telegram.sent)
        counts["updates given again"] = sum(times - 1 for times in telegram.deliveries.values())
        unknown = len(self._manners.noted) - len(self._manners.wrong(self._deaths))
        counts["sent too early as the one who was told had died"] = unknown
        counts["taps never acknowledged"] = len(telegram.unanswered)
        for kind, count in telegram.faults.counts.items():
            counts[f"faults: {kind}"] = count


def _settings(telegram: FakeTelegram, part: Part) -> dict[str, str]:
    port = _free_port()
    return {
        "DOLUONG_SECRET_KEY": "k" * 32,
        "DOLUONG_INSTANCE": "proof",
        "DOLUONG_PROCESS_NAME": "proof",
        "DOLUONG_TELEGRAM_TOKEN": telegram.token,
        "DOLUONG_TELEGRAM_BASE_URL": telegram.address,
        "DOLUONG_TELEGRAM_MODE": part.mode,
        "DOLUONG_TELEGRAM_PER_SECOND": f"{part.rate:g}",
        "DOLUONG_PORT": f"{port}",
        "DOLUONG_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


SMALL = (
    Part("sqlite", "polling", askers=20, respondents=3, kills=4, answers=10, often=5),
    Part("postgresql", "webhook", askers=20, respondents=3, kills=4, answers=10, often=5),
)
FULL = (
    Part("sqlite", "polling", askers=720, respondents=80, kills=18),
    Part("sqlite", "webhook", askers=520, respondents=60, kills=14),
    Part("postgresql", "polling", askers=220, respondents=30, kills=7),
    Part("postgresql", "webhook", askers=220, respondents=30, kills=7),
    Part("sqlite", "polling", askers=120, respondents=0, kills=4, rate=REAL),
)


async def survive(part: Part, url: str, seed: int, tell: Tell = _silent) -> Outcome:
    """The product through one part."""
    return await Trial(part, url, seed).run(tell=tell)


@dataclass(frozen=True)
class Mutant:
    """A service that breaks a promise, what it is tried with, and the words that tell it was caught for that."""

    writer: str
    fault: str
    part: Part
    kills: tuple[Kill, ...] = ()


A_FEW = Part("sqlite", "polling", askers=25, respondents=0, kills=0)
MUTANTS = {
    "acknowledges before its commit": Mutant(
        # Of two such deaths about one comes after the next fetch has acknowledged what is not committed.
        "early",
        "acknowledged and lost",
        replace(A_FEW, askers=80),
        (Point("together", "before commit", 2),) * 12,
    ),
    "marks a reply as sent before it was sent": Mutant(
        "hasty", "marked as sent", A_FEW, (Point(OUT, "before request", 2),) * 3
    ),
    "does not hear «retry after»": Mutant("deaf", "too early", replace(A_FEW, askers=10, told_to_wait=12)),
}


async def catch(mutant: str, url: str, seed: int) -> str:
    """The fault by which a mutant is caught, empty if it lives."""
    one = MUTANTS[mutant]
    outcome = await Trial(one.part, url, seed, writer=one.writer, patience=15.0).run(one.kills)
    return next((fault for fault in outcome.faults if one.fault in fault), "")
