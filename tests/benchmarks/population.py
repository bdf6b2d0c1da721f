"""Databases in which many people have already talked: one question and its answer each."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from content.everything import Content
from handlers.dialogue import Said, View
from handlers.hearing import Hearing
from handlers.people import Person
from handlers.router import Router
from storage.database import Database, open_database
from storage.outbox import dump
from storage.tables import instant
from storage.unit_of_work import Turn
from tests.world import START

CHANNEL = "web"


@dataclass(frozen=True)
class Asked:
    """A question of a person, understood beforehand, with the state and the message that follow it."""

    said: Said
    state: str
    message: str


def questions(content: Content, hearing: Hearing, router: Router) -> list[Asked]:
    """Questions that the plan answers with one message."""
    found = []
    for text in content.menu.examples["vi"]:
        said = hearing(text)
        person = Person(1, greeted=True)
        step = router.route(said, None, person).step(View(person, START))
        [message] = step.replies
        assert not step.effects
        assert step.state.dialogue == "ask"
        found.append(Asked(said, step.state.dump(), dump(message)))
    return found


def address(number: int) -> str:
    """The address of a person by number: scattered over the index like the hash of a cookie."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def turn(number: int, key: int, asked: Asked) -> Turn:
    """What this person asks next."""
    where = address(number)
    return Turn(
        CHANNEL,
        where,
        f"{key:016x}:{where[:24]}",
        asked.said,
        START + timedelta(microseconds=key),
        "text",
        asked.said.text,
        asked.said.text,
        shows_greeting=True,
    )


Further = Callable[[Database, int], list[str]]  # for so many people


def fill(
    url: str, people: int, asked: Sequence[Asked], further: Further = lambda _database, _people: []
) -> None:
    """Make people 1 … `people`, each with an address, a turn and its answer, a statement a table.

    `further` are statements for what else they have.
    """
    database = open_database(url)
    raw = database.writer.raw_connection()
    try:
        _prepare(database, raw)
        cursor = raw.cursor()
        for statement in [*_statements(database, people, asked), *further(database, people)]:
            cursor.execute(statement)
        raw.commit()
        _finish(database, raw)
    finally:
        raw.close()
        database.close()


def _prepare(database: Database, raw: Any) -> None:
    if not database.is_sqlite:
        return
    raw.driver_connection.create_function("address", 1, address, deterministic=True)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-1000000"):
        raw.driver_connection.execute(f"PRAGMA {pragma}")


def _finish(database: Database, raw: Any) -> None:
    """Leave a settled database: journal as in service, statistics as autovacuum would make them."""
    if database.is_sqlite:
        raw.driver_connection.execute("PRAGMA journal_mode=WAL")
    else:
        raw.driver_connection.autocommit = True
        raw.cursor().execute("VACUUM ANALYZE")


def _statements(database: Database, people: int, asked: Sequence[Asked]) -> list[str]:
    if database.is_sqlite:
        numbers = f"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {people}) SELECT n FROM c)"
        where, false, true = "address(n)", "0", "1"
    else:
        numbers = f"(SELECT n FROM generate_series(1, {people}) AS s(n)) AS c"
        where, false, true = "encode(sha256(CAST(CAST(n AS text) AS bytea)), 'hex')", "false", "true"
    at = quoted(instant(START))
    state = one_of([one.state for one in asked])
    text = one_of([one.said.text for one in asked])
    message = one_of([one.message for one in asked])
    filled = [
        f"""INSERT INTO people (id, created_at, seen_at, language, language_chosen, greeted, state)
            SELECT n, {at}, {at}, 'vi', {false}, {true}, {state} FROM {numbers}""",
        f"""INSERT INTO addresses (id, person_id, channel, address, created_at)
            SELECT n, n, '{CHANNEL}', {where}, {at} FROM {numbers}""",
        f"""INSERT INTO turns (id, channel, update_key, address_id, at, kind, text)
            SELECT n, '{CHANNEL}', '0:' || substr(address, 1, 24), n, {at}, 'text', {text}
            FROM {numbers} JOIN addresses ON addresses.id = n""",
        f"""INSERT INTO outbox (id, address_id, turn_id, position, status, at, sent_at, message)
            SELECT n, n, n, 0, 'sent', {at}, {at}, {message} FROM {numbers}""",
    ]
    if not database.is_sqlite:
        filled += [counted(table) for table in ("people", "addresses", "turns", "outbox")]
    return filled


def counted(table: str) -> str:
    """What makes PostgreSQL count on from the ids that are there."""
    return f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"


def one_of(texts: Sequence[str]) -> str:
    """An SQL expression that deals these texts out to the people in turn, by the remainder of their number n."""
    whens = " ".join(f"WHEN {number} THEN {quoted(text)}" for number, text in enumerate(texts))
    return f"CASE n % {len(texts)} {whens} END"


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
