"""What must hold on Telegram's side and in the database; the service has no part in it.

A chat is read like this: the rows of the outbox give what is to be said there, in order; what the fake took must be
exactly that. Said again may only be what nobody can know to have arrived: after a death the last few messages, in
order, and after a failure that left it open the message that failed. Such repeats are counted.
"""

import itertools
import json
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.channels.base import parts
from bot.channels.telegram.can import TELEGRAM
from bot.channels.telegram.render import text_parameters
from storage.outbox import load
from tests.crash.ledger import Row, ask
from tests.crash.persona import Record, screen_of
from tests.crash.survey import wrong_log, wrong_response
from tests.fakes.telegram import FakeTelegram, Sent
from tests.fakes.telegram.limits import ANY, Meter
from tests.telegram_proof.people import Said, Somebody
from tests.telegram_proof.survey import Respondent

STRAYS = 2.0  # seconds after a death in which a request of the dead may still arrive
UNWRITTEN = (
    0.5  # seconds for which what was heard may not be written: marks are gathered, deaths have a pause
)
REPLACED = "replaced"  # by the answer to a later tap on the same message
OPEN = ("queued", "leased", "sending", "retry_at")

_TURNS = """
    SELECT t.update_key, a.address, t.kind, t.text, t.id FROM turns t JOIN addresses a ON a.id = t.address_id
    ORDER BY t.id
"""
_KEYS = "SELECT update_key FROM turns"
_MARKED = """
    SELECT a.address, count(*) FROM outbox o JOIN addresses a ON a.id = o.address_id
    WHERE o.status = 'sent' AND o.replaces IS NULL GROUP BY a.address
"""
_OUTBOX = """
    SELECT a.address, o.turn_id, o.id, o.status, o.reason, o.message, o.replaces
    FROM outbox o JOIN addresses a ON a.id = o.address_id ORDER BY o.id
"""
_RESPONSES = """
    SELECT a.address, r.status, CAST(r.answers AS text), r.last_question, r.code = p.draft
    FROM responses r JOIN participants t ON t.response_id = r.id JOIN people p ON p.id = t.person_id
    JOIN addresses a ON a.person_id = p.id
"""
_LOG = """
    SELECT a.address, l.at, l.place, l.fill FROM answer_log l JOIN addresses a ON a.person_id = l.person_id
    ORDER BY l.id
"""
_OWN = (
    "SELECT a.address, v.name, v.value FROM personal_values v JOIN addresses a ON a.person_id = v.person_id"
)
_MOMENTS = "SELECT a.address, t.at FROM turns t JOIN addresses a ON a.id = t.address_id"
_STATES = "SELECT a.address, p.state FROM people p JOIN addresses a ON a.person_id = p.id"
_CONSENTS = "SELECT purpose, answer, count(*) FROM consents GROUP BY purpose, answer"
_TOTALS = """
    SELECT (SELECT count(*) FROM failed_turns), (SELECT count(*) FROM kept_states)
"""
_BLOCKED = "SELECT address, blocked_at IS NOT NULL FROM addresses"


@dataclass
class Deaths:
    """When the service died; `at`: when all it had sent had arrived, and the next one began."""

    died: list[float] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    def soon_after(self, moment: float) -> bool:
        """Whether the service died before it could have written what it heard at this moment."""
        return any(moment <= died < moment + UNWRITTEN for died in self.died)

    def life(self, moment: float) -> int:
        """Which life of the service this was in."""
        return bisect(self.at, moment)

    def after(self, moment: float) -> float:
        """Seconds since the last death."""
        life = self.life(moment)
        return moment - self.at[life - 1] if life else float("inf")


@dataclass
class Manners(Meter):
    """The fake's meter, which notes who was told to wait when, and each violation with its moment."""

    told: list[tuple[int, float, float]] = field(default_factory=list)
    noted: list[tuple[int, float, str]] = field(default_factory=list)

    def park(self, key: int, seconds: int) -> int:
        """Tell to wait, and note it."""
        self.told.append((key, self.clock(), self.clock() + seconds))
        return super().park(key, seconds)

    def charge(self, chat_id: int, what: str, *, private: bool) -> int:
        """Count one message, and note what was wrong with it."""
        before = len(self.violations)
        seconds = super().charge(chat_id, what, private=private)
        self.noted += [(chat_id, self.clock(), sentence) for sentence in self.violations[before:]]
        return seconds

    def wrong(self, deaths: Deaths) -> list[str]:
        """What was sent too early or too much, but for what nobody alive could know."""
        return [
            sentence
            for chat_id, at, sentence in self.noted
            if not self._is_unknown(chat_id, at, sentence, deaths)
        ]

    def _is_unknown(self, chat_id: int, at: float, sentence: str, deaths: Deaths) -> bool:
        """Whether who was told to wait died right then."""
        told = [since for key, since, until in self.told if key in (ANY, chat_id) and since <= at < until]
        return "too early" in sentence and bool(told) and all(map(deaths.soon_after, told))


@dataclass(frozen=True, slots=True)
class Piece:
    """One message that is to be said; `since`: not before its update came. `may_lack`: it need not arrive."""

    text: str
    since: float
    row: int
    status: str
    edits: bool
    may_lack: bool = False


# After each death


def look(url: str, telegram: FakeTelegram, people: Sequence[Somebody]) -> list[str]:
    """What is wrong right after a death, before anybody can repair it."""
    keys, marked, *survey = ask(url, _KEYS, _MARKED, *_SURVEY)
    kept = Counter(int(key.partition(":")[2]) for (key,) in keys)
    said = {update: one for somebody in people for update, one in somebody.said.items()}
    return [
        *_wrong_turns(kept, telegram, said),
        *_wrong_marks(marked, telegram),
        *_wrong_surveys(kept, [one for one in people if isinstance(one, Respondent)], survey),
    ]


def _wrong_turns(kept: Counter[int], telegram: FakeTelegram, said: Mapping[int, Said]) -> Iterator[str]:
    for update in set(telegram.acknowledged):
        if said[update].kind and update not in kept:
            yield f"acknowledged and lost: update {update}, {said[update].kind} {said[update].text!r}"
    yield from (f"{count} turns for update {update}" for update, count in kept.items() if count > 1)
    yield from (
        f"a turn nobody made: {update}" for update in kept if update not in said or not said[update].kind
    )


def _wrong_marks(marked: Iterable[Row], telegram: FakeTelegram) -> Iterator[str]:
    """Nothing is marked as sent that was not; whether it is the right thing is seen at the end."""
    taken = Counter(str(sent.chat_id) for sent in telegram.sent)
    for address, count in marked:
        if count > taken[address]:
            yield f"{count} messages to {address} are marked as sent, {taken[address]} were taken"


_SURVEY = (_RESPONSES, _LOG, _OWN, _MOMENTS, _STATES)


def _wrong_surveys(
    kept: Mapping[int, int], respondents: Sequence[Respondent], found: Sequence[Sequence[Row]]
) -> Iterator[str]:
    """Every answer that was taken stands there, and the person stands before the next question."""
    responses, log, own, moments, states = ({} for _ in _SURVEY)  # type: ignore[var-annotated]
    for table, rows in zip((responses, log, own, moments, states), found, strict=True):
        for address, *row in rows:
            table.setdefault(address, []).append(tuple(row))
    for one in respondents:
        record, where = expected(one, kept), one.address
        faults = (
            *wrong_response(record, responses.get(where, [])),
            *wrong_log(record, [at for (at,) in moments.get(where, [])], log.get(where, [])),
            *_wrong_own(record, own.get(where, [])),
            *_wrong_state(record, states.get(where, [])),
        )
        if faults:
            last = [(said.update in kept, said.kind, said.text) for said in list(one.said.values())[-4:]]
            yield f"survey of {where}: {'; '.join(faults)}; said last, and kept: {last}"


def expected(one: Respondent, kept: Mapping[int, int]) -> Record:
    """What must be kept: what was answered, and what is pending if its turn is there."""
    if one.pending and one.pending[0] in kept:
        return one.pending[1]
    return one.record


def _wrong_own(record: Record, own: Sequence[Row]) -> Iterator[str]:
    if dict(own) != record.own or len(own) != len(record.own):
        yield f"{len(own)} own values are kept, not the {len(record.own)} that were given"


def _wrong_state(record: Record, states: Sequence[Row]) -> Iterator[str]:
    if record.walk is None:
        return
    _, _, _, screen, *_ = json.loads(states[0][0])
    stands = screen_of([choice[1] for choice in screen])
    if stands != record.screen:
        yield f"the state is {stands}, expected is {record.screen}"


# At the end


@dataclass
class Verdict:
    """What is wrong, and what was counted."""

    faults: list[str]
    counts: Counter[str]


def judge(url: str, telegram: FakeTelegram, people: Sequence[Somebody], deaths: Deaths) -> Verdict:
    """Everything, when all is quiet and the service has ended."""
    faults = look(url, telegram, people)
    turns, outbox, consents, totals, blocked = ask(url, _TURNS, _OUTBOX, _CONSENTS, _TOTALS, _BLOCKED)
    counts: Counter[str] = Counter()
    faults += _wrong_words(turns, people)
    faults += _wrong_order(turns, telegram)
    faults += _wrong_ends(outbox, people, counts)
    faults += _wrong_answers(turns, outbox, people)
    faults += _wrong_chats(turns, outbox, telegram, people, deaths, counts)
    faults += _wrong_consents(consents, people)
    faults += _wrong_blocks(blocked, people)
    if totals[0] != (0, 0):
        faults.append(f"failed turns, unreadable states: {totals[0]}")
    if not telegram.inbox.idle:
        faults.append(f"{telegram.inbox.waiting} updates were never acknowledged")
    if telegram.forgotten:
        faults.append(f"{len(telegram.forgotten)} updates were dropped unread")
    counts["updates"] = sum(len(one.said) for one in people)
    counts["turns"] = len(turns)
    return Verdict(faults, counts)


def _update(key: str) -> int:
    return int(key.partition(":")[2])


def _wrong_words(turns: Sequence[Row], people: Sequence[Somebody]) -> Iterator[str]:
    """Every update that is a turn has one, at its address, with its words."""
    found = {_update(key): (address, kind, text) for key, address, kind, text, _ in turns}
    for somebody in people:
        for update, said in somebody.said.items():
            if not said.kind:
                continue
            address, kind, text = found.get(update, ("", "", ""))
            if (address, kind) != (somebody.address, said.kind) or said.text not in (None, text):
                yield f"update {update} is {said.kind} {said.text!r}, its turn {kind} {text!r} of {address}"


def _wrong_order(turns: Sequence[Row], telegram: FakeTelegram) -> Iterator[str]:
    """The turns of a chat stand in the order of its updates, as far as Telegram itself keeps one."""
    last: dict[tuple[str, str], int] = {}
    for key, address, kind, _, _ in turns:  # a webhook keeps each kind of update in order by itself
        queue = "" if telegram.webhook is None else {"tap": "tap", "other": "other"}.get(kind, "message")
        update = _update(key)
        if update < last.get((address, queue), 0):
            yield f"update {update} of {address} was taken after {last[address, queue]}"
        last[address, queue] = update


def _wrong_ends(outbox: Sequence[Row], people: Sequence[Somebody], counts: Counter[str]) -> Iterator[str]:
    """No message is left open, and none has failed; only what was replaced, or stood before a blocked door, may lack."""
    blocked = {one.address for one in people if any(not said.kind for said in one.said.values())}
    for address, _, row, status, reason, *_ in outbox:
        counts[f"messages {status}{f' ({reason})' if status == 'skipped' else ''}"] += 1
        lawful = status == "sent" or (status == "skipped" and (reason == REPLACED or address in blocked))
        if not lawful:
            yield f"message {row} to {address} is {status}: {reason}"


def _wrong_answers(turns: Sequence[Row], outbox: Sequence[Row], people: Sequence[Somebody]) -> Iterator[str]:
    """Every turn has an answer, with the words that belong to it."""
    answers: dict[int, list[str]] = {}
    for _, turn, _, _, _, message, _ in outbox:
        answers.setdefault(turn, []).append(json.loads(message)[0])
    said = {update: one for somebody in people for update, one in somebody.said.items()}
    for key, address, kind, text, turn in turns:
        wants = said[_update(key)].wants
        if not any(wants in answer for answer in answers.get(turn, [])):
            yield f"{kind} {text!r} of {address} was answered with {answers.get(turn)}, not with {wants!r}"


def _wrong_consents(consents: Sequence[Row], people: Sequence[Somebody]) -> Iterator[str]:
    records = [one.record for one in people if isinstance(one, Respondent)]
    given = Counter(itertools.chain.from_iterable(record.consents for record in records))
    found = {(purpose, answer): count for purpose, answer, count in consents}
    if found != given:
        yield f"consents are {found}, not {dict(given)}"


def _wrong_blocks(blocked: Sequence[Row], people: Sequence[Somebody]) -> Iterator[str]:
    found = {address: bool(is_blocked) for address, is_blocked in blocked}
    for somebody in people:
        if found.get(somebody.address) != somebody.person.blocked:
            yield f"{somebody.address} is {'' if somebody.person.blocked else 'not '}blocked, the service knows otherwise"


# Chats


def _wrong_chats(
    turns: Sequence[Row],
    outbox: Sequence[Row],
    telegram: FakeTelegram,
    people: Sequence[Somebody],
    deaths: Deaths,
    counts: Counter[str],
) -> Iterator[str]:
    came = {turn: _update(key) for key, _, _, _, turn in turns}
    since = {update: one.at for somebody in people for update, one in somebody.said.items()}
    planned: dict[str, list[Piece]] = {}
    for address, turn, *row in outbox:
        planned.setdefault(address, []).extend(_parts(row, since[came[turn]], telegram))
    taken: dict[str, list[Sent]] = {}
    for sent in telegram.sent:
        taken.setdefault(str(sent.chat_id), []).append(sent)
    for address in planned.keys() | taken.keys():
        reading = read(_with_lacks(planned.get(address, [])), taken.get(address, []), deaths)
        counts.update(reading.counts)
        if reading.fault:
            yield f"chat {address}: {reading.fault}"


def _parts(row: Sequence[Any], since: float, telegram: FakeTelegram) -> Iterator[Piece]:
    number, status, _, message, replaces = row
    for part in parts(load(message), TELEGRAM):
        text = text_parameters(part, telegram.world.bot["username"])["text"] if part.text else ""
        yield Piece(text.strip(), since, number, status, bool(replaces), may_lack=status == "skipped")


def _with_lacks(planned: Sequence[Piece]) -> list[Piece]:
    """An edit that changes nothing is refused as such and never taken."""
    pairs = zip(planned, ("", *(part.text for part in planned)), strict=False)
    return [
        replace(part, may_lack=part.may_lack or (part.edits and part.text == before))
        for part, before in pairs
    ]


@dataclass(frozen=True)
class Reading:
    """How a chat reads: what is wrong with it, and what was said again."""

    fault: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


def read(planned: Sequence[Piece], taken: Sequence[Sent], deaths: Deaths) -> Reading:
    """Whether what was taken is what was planned. Several ways to read it are followed at once, the plainest wins."""
    ways: dict[int, Counter[str]] = {0: Counter()}  # how far it was read → what was said again
    before: Sent | None = None
    for sent in taken:
        further: dict[int, Counter[str]] = {}
        for at, again in ways.items():
            for to, more in _steps(planned, at, sent, before, deaths):
                counted = again + more
                if to not in further or counted.total() < further[to].total():
                    further[to] = counted
        if not further:
            said = [part.text[:60] for part in planned[max(0, max(ways) - 2) : max(ways) + 2]]
            return Reading(
                f"{sent.method} of {sent.text[:60]!r}, where {said} is said, life {deaths.life(sent.at)}"
            )
        ways, before = further, sent
    ends = [again for at, again in ways.items() if all(part.may_lack for part in planned[at:])]
    if not ends:
        lacking = next(part for part in planned[max(ways) :] if not part.may_lack)
        return Reading(f"message {lacking.row}, {lacking.status}, was never taken: {lacking.text[:60]!r}")
    plainest = min(ends, key=lambda again: again.total())
    return Reading(counts=plainest)


def _steps(
    planned: Sequence[Piece], at: int, sent: Sent, before: Sent | None, deaths: Deaths
) -> Iterator[tuple[int, Counter[str]]]:
    """How far one may have read after this, and what is said again by that, or is about to be."""
    text = sent.text.strip()
    for ahead in range(at, len(planned)):
        if planned[ahead].text == text and planned[ahead].since <= sent.at:
            yield ahead + 1, Counter()
        if not planned[ahead].may_lack:
            break
    if before is None:
        return
    if deaths.life(sent.at) > deaths.life(before.at):
        for back in range(at):
            if planned[back].text == text:
                yield back + 1, Counter({"again after a death": at - back})
    elif not before.answered and at and planned[at - 1].text == text:
        yield at, Counter({"again after a failure that left it open": 1})
    if not sent.answered and deaths.after(sent.at) < STRAYS and any(one.text == text for one in planned[:at]):
        yield at, Counter({"late requests of the dead": 1})
