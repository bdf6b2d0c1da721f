"""The proof of the Telegram channel in a small count; `make prove WHAT=telegram` does more.

Of 2,000 people 46 and of 50 deaths eight: polling on SQLite, webhook on PostgreSQL.
"""

import asyncio

import pytest

from tests.fakes.telegram import Sent
from tests.telegram_proof.judge import Deaths, Piece, read
from tests.telegram_proof.proof import MUTANTS, SMALL, catch, survive
from tests.world import Postgres, Sqlite

SEED = 996


async def test_every_update_is_answered_whatever_dies(sqlite: Sqlite, postgres: Postgres) -> None:
    """Faults all the time, and the service is killed under way; each person is answered, in order, within the limits."""
    databases = {"sqlite": sqlite, "postgresql": postgres}

    outcomes = await asyncio.gather(*(survive(part, databases[part.database].new(), SEED) for part in SMALL))

    for part, outcome in zip(SMALL, outcomes, strict=True):
        assert outcome.faults == (), outcome.sentence
        assert outcome.counts["kills"] == part.kills
        assert outcome.counts["updates given again"] > 0


async def test_mutants_are_caught(sqlite: Sqlite) -> None:
    """The proof proves something: whoever breaks a promise of the channel is caught by it."""
    caught = await asyncio.gather(*(catch(mutant, sqlite.new(), SEED) for mutant in MUTANTS))

    assert all(caught), dict(zip(MUTANTS, caught, strict=True))


# How a chat is read


def said(text: str, *, at: float = 1.0, answered: bool = True) -> Sent:
    return Sent(0, "sendmessage", 1, 1, text, at, answered)


def planned(*texts: str, since: float = 0.0) -> list[Piece]:
    return [Piece(text, since, number, "sent", edits=False) for number, text in enumerate(texts)]


DIED_AT_5 = Deaths(died=[4.9], at=[5.0])


@pytest.mark.parametrize(
    ("taken", "again"),
    [
        ([said("a"), said("b"), said("c")], {}),
        (
            [said("a"), said("b", answered=False), said("b"), said("c")],
            {"again after a failure that left it open": 1},
        ),
        (
            [said("a"), said("b"), said("a", at=6), said("b", at=6), said("c", at=6)],
            {"again after a death": 2},
        ),
        (
            [said("a"), said("b"), said("c", at=5.1), said("b", at=5.3, answered=False)],
            {"late requests of the dead": 1},
        ),
    ],
    ids=["as planned", "again when in doubt", "again after a death", "the dead arrive late"],
)
def test_a_lawful_chat(taken: list[Sent], again: dict[str, int]) -> None:
    reading = read(planned("a", "b", "c"), taken, DIED_AT_5)

    assert reading.fault == ""
    assert reading.counts == again


@pytest.mark.parametrize(
    ("taken", "fault"),
    [
        ([said("a"), said("c"), said("b")], "'c', where"),
        ([said("a"), said("b")], "was never taken: 'c'"),
        ([said("a"), said("a"), said("b"), said("c")], "'a', where"),
        ([said("a"), said("x"), said("b"), said("c")], "'x', where"),
        ([said("a", at=6), said("b", at=6), said("a", at=6), said("b", at=6), said("c", at=6)], "'a', where"),
    ],
    ids=["out of order", "lost", "twice for nothing", "of somebody else", "twice, long after a death"],
)
def test_an_unlawful_chat(taken: list[Sent], fault: str) -> None:
    assert fault in read(planned("a", "b", "c"), taken, DIED_AT_5).fault


def test_no_answer_comes_before_its_question() -> None:
    assert "where" in read(planned("a", since=2.0), [said("a", at=1.0)], Deaths()).fault


def test_what_need_not_arrive_may_lack() -> None:
    skipped = Piece("b", 0.0, 1, "skipped", edits=False, may_lack=True)
    first, last = planned("a", "c")

    assert read([first, skipped, last], [said("a"), said("c")], Deaths()).fault == ""


def test_deaths_divide_lives() -> None:
    deaths = Deaths(died=[1.9, 3.9], at=[2.0, 4.0])

    assert [deaths.life(moment) for moment in (1, 3, 5)] == [0, 1, 2]
    assert [deaths.soon_after(moment) for moment in (1.0, 1.6, 3.0)] == [False, True, False]
