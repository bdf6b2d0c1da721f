"""What the database must hold when the service has just died, read with the plain drivers.

The service has no part in it. SQLite is opened read-only, which leaves its log for the next service to recover.
"""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.crash.load import Sending, Visitor

Row = tuple[Any, ...]

_TURNS = """
    SELECT a.address, t.update_key, t.id, count(o.id), count(DISTINCT o.position), max(o.position), max(o.id)
    FROM turns t
    JOIN addresses a ON a.id = t.address_id
    LEFT JOIN outbox o ON o.turn_id = t.id AND o.address_id = t.address_id
    GROUP BY a.address, t.update_key, t.id
"""
_LAST = """
    SELECT a.address, t.update_key, p.seen_at = t.at, p.state, o.message
    FROM addresses a
    JOIN people p ON p.id = a.person_id
    JOIN turns t ON t.id = (SELECT max(id) FROM turns WHERE address_id = a.id)
    JOIN outbox o ON o.id = (SELECT max(id) FROM outbox WHERE turn_id = t.id)
"""
_QUESTIONS = """
    SELECT a.address, q.text, q.status, q.id
    FROM questions q JOIN addresses a ON a.person_id = q.person_id
"""
_TICKETS = (
    "SELECT t.update_key, o.message FROM turns t JOIN outbox o ON o.turn_id = t.id WHERE t.kind = 'tap'"
)
_TOTALS = """
    SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM addresses), (SELECT count(DISTINCT address_id) FROM turns),
           (SELECT count(*) FROM failed_turns), (SELECT count(*) FROM kept_states),
           (SELECT count(*) FROM outbox), (SELECT count(*) FROM outbox o JOIN turns t ON t.id = o.turn_id)
"""
_SAID = """
    SELECT o.id, o.message FROM outbox o JOIN addresses a ON a.id = o.address_id
    WHERE a.address = '{address}' ORDER BY o.id
"""


def ask(url: str, *statements: str) -> list[list[Row]]:
    """The rows of each statement, all seen at one moment."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True)) as file:
            file.execute("BEGIN")
            return [file.execute(statement).fetchall() for statement in statements]
    with psycopg.connect(url) as server:
        server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return [server.execute(statement).fetchall() for statement in statements]


@dataclass(frozen=True)
class Found:
    """What a look at the database found: sentences about what is wrong, and what became of unacknowledged messages."""

    faults: tuple[str, ...]
    open_kept: int = 0
    open_gone: int = 0


def look(url: str, visitors: Sequence[Visitor]) -> Found:
    """Compare the database with what the visitors know."""
    turns, last, questions, tickets, [totals] = ask(url, _TURNS, _LAST, _QUESTIONS, _TICKETS, _TOTALS)
    sent = {name: sending for visitor in visitors for name, sending in visitor.sent.items()}
    kept = {_name(row[1]) for row in turns}
    faults = (
        *_wrong_turns(turns, visitors),
        *_wrong_states(last, sent),
        *_wrong_questions(questions, tickets, kept, visitors),
        *_wrong_totals(totals),
    )
    pending = [visitor.pending.id in kept for visitor in visitors if visitor.pending]
    return Found(faults, pending.count(True), pending.count(False))


def said(url: str, visitor: Visitor) -> list[tuple[int, str]]:
    """Everything in a visitor's outbox: cursor and text."""
    [rows] = ask(url, _SAID.format(address=visitor.address))
    return [(cursor, json.loads(message)[0]) for cursor, message in rows]


def _name(key: str) -> str:
    """The client-made id in an update key: its 32 hexadecimal digits, wherever they stand."""
    found = re.search("[0-9a-f]{32}", key)
    return found[0] if found else key


def _wrong_turns(turns: Sequence[Row], visitors: Sequence[Visitor]) -> Iterator[str]:
    """Every acknowledged message has one turn and its answer once; nothing else is there but what was sent."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in turns:
        found.setdefault((row[0], _name(row[1])), []).append(row)
    for visitor in visitors:
        for name, cursor in visitor.acknowledged.items():
            yield from _wrong_answer(visitor.sent[name], cursor, found.get((visitor.address, name), []))
    sent = {(visitor.address, name) for visitor in visitors for name in visitor.sent}
    yield from (f"a turn nobody sent: {where}" for where in found.keys() - sent)
    yield from (
        f"{len(rows)} turns for one message: {where}" for where, rows in found.items() if len(rows) > 1
    )
    for _, _, turn, lines, positions, highest, _ in turns:
        if not lines == positions == (-1 if highest is None else highest) + 1 >= 1:
            yield f"turn {turn} has {lines} messages, {positions} positions, the highest {highest}"


def _wrong_answer(sending: Sending, cursor: int, rows: Sequence[Row]) -> Iterator[str]:
    """What was acknowledged is there, and its last message where the acknowledgement said; a repeat says 0."""
    if not rows:
        yield f"acknowledged and lost: {sending.body}"
    elif cursor and cursor != rows[0][6]:
        yield f"acknowledged with cursor {cursor}, its last message is {rows[0][6]}: {sending.body}"


def _wrong_states(last: Sequence[Row], sent: dict[str, Sending]) -> Iterator[str]:
    """Every person stands where their last turn left them: its moment, its choices, its question."""
    for address, key, same_moment, state, message in last:
        _, _, data, screen = json.loads(state)
        sending = sent.get(_name(key))
        if not same_moment:
            yield f"the state of {address[:8]} is not of their last turn"
        if [choice[:3] for choice in screen] != json.loads(message)[
            1
        ]:  # other words that pick it stay in the state
            yield f"the screen of {address[:8]} is not their last message's"
        if sending and sending.kind == "unknown" and data.get("question") != sending.about:
            yield f"the state of {address[:8]} has lost its question"


def _wrong_questions(
    questions: Sequence[Row], tickets: Sequence[Row], kept: set[str], visitors: Sequence[Visitor]
) -> Iterator[str]:
    """Every question that was asked is kept once, and handed on exactly if its turn is there, under its own ticket."""
    stored = {(address, text): (status, number) for address, text, status, number in questions}
    for (address, text), count in Counter(row[:2] for row in questions).items():
        if count > 1:
            yield f"{count} times the same question of {address[:8]}: {text}"
    expected: dict[tuple[str, str], str] = {}
    numbers: dict[str, int] = {}
    for visitor in visitors:
        for sending in visitor.sent.values():
            if sending.id in kept and sending.about:
                place = (visitor.address, sending.about)
                expected[place] = "handed" if sending.kind == "hand" else "unanswered"
                if sending.kind == "hand":
                    numbers[sending.id] = stored.get(place, ("", 0))[1]
    if {place: status for place, (status, _) in stored.items()} != expected:
        yield f"questions kept: {_counted(stored)}, asked and handed on: {Counter(expected.values())}"
    for key, message in tickets:
        named = [int(number) for number in re.findall(r"\bQ(\d+)\b", json.loads(message)[0])]
        if set(named) != {numbers.get(_name(key))}:
            yield f"a question was handed on as {numbers.get(_name(key))} and its sender told {named}"


def _counted(stored: dict[Any, tuple[str, int]]) -> Counter[str]:
    return Counter(status for status, _ in stored.values())


def _wrong_totals(totals: Row) -> Iterator[str]:
    people, addresses, talking, failed, unreadable, lines, lines_of_turns = totals
    if not people == addresses == talking:
        yield f"{people} people on {addresses} addresses, {talking} of them with a turn"
    if failed or unreadable:
        yield f"{failed} failed turns, {unreadable} unreadable states"
    if lines != lines_of_turns:
        yield f"{lines - lines_of_turns} messages belong to no turn"
