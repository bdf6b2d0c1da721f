"""What the store promises, on both databases."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.app import _apology
from handlers.dialogue import Cue, Edited, Tapped, Unreadable
from storage import outbox, people, posts
from storage.errors import StoreUnavailable, TooManyRounds
from storage.tables import metadata
from storage.unit_of_work import Done, settle_as_failed
from storage.writer import Job
from tests.storage.conftest import Hand, texts, turn
from tests.storage.seats import CAPACITY, SeatsRouter, create_tables
from tests.world import EXAMPLES, START, new_app


def test_a_turn_is_kept_with_its_answer(hand: Hand) -> None:
    [done] = hand.say(("an", "hello"))

    assert [message.text for _, message in done.lines][-1] == "noted hello after 0, turn 1"
    assert hand.all("SELECT channel, kind, text FROM turns") == [("terminal", "text", "hello")]
    assert hand.one("SELECT count(*) FROM outbox WHERE status = 'waiting'") == len(done.lines)
    assert hand.one("SELECT text FROM test_notes") == "hello"


def test_the_same_update_twice_is_one_turn(hand: Hand) -> None:
    first, second = turn("an", "hello", key="k"), turn("an", "hello", key="k")

    hand.give(first)
    [again] = hand.give(second)

    assert again == Done(repeated=True)
    assert hand.one("SELECT count(*) FROM turns") == 1
    assert hand.one("SELECT count(*) FROM test_notes") == 1


def test_the_same_update_twice_in_one_group_is_one_turn(hand: Hand) -> None:
    first, second = turn("an", "hello", key="k"), turn("an", "hello", key="k")

    done, again = hand.give(first, second)

    assert done.lines
    assert again.repeated
    assert hand.one("SELECT count(*) FROM test_notes") == 1


def test_one_persons_turns_in_a_group_are_decided_in_order(hand: Hand) -> None:
    results = hand.say(("an", "a"), ("binh", "b"), ("an", "c"), ("an", "d"))

    assert [said[-1].rpartition(" ")[2] for said in texts(results)] == ["1", "1", "2", "3"]
    assert hand.one("SELECT count(*) FROM people") == 2


def test_cursors_grow_with_every_message_to_one_person(hand: Hand) -> None:
    results = hand.say(("an", "a"), ("binh", "b"), ("an", "c")) + hand.say(("an", "d"))

    cursors = [cursor for number in (0, 2, 3) for cursor, _ in results[number].lines]
    assert cursors == sorted(set(cursors))


def test_an_outcome_comes_back_as_the_next_cue(hand: Hand) -> None:
    results = hand.say(*((f"person {n}", "seat") for n in range(CAPACITY + 1)))

    assert [said[-1] for said in texts(results)] == ["seat 1", "seat 2", "seat 3", "full"]
    assert hand.one("SELECT count(*) FROM test_seats") == CAPACITY
    assert hand.one("SELECT count(*) FROM turns") == CAPACITY + 1


def test_turns_after_one_with_an_outcome_keep_their_order(hand: Hand) -> None:
    """«seat» is settled apart from the group; what the same person said next waits for it."""
    results = hand.say(("an", "a"), ("an", "seat"), ("an", "b"), ("binh", "x"))

    last = [said[-1] for said in texts(results)]
    assert last == ["noted a after 0, turn 1", "seat 1", "noted b after 2, turn 4", "noted x after 0, turn 1"]


def test_a_repeat_of_a_turn_settled_apart_is_a_repeat(hand: Hand) -> None:
    one, two = turn("an", "seat", key="k"), turn("an", "seat", key="k")

    results = hand.give(one, two)

    assert [result.repeated for result in results] == [False, True]
    assert hand.one("SELECT count(*) FROM test_seats") == 1


def test_outcomes_without_end_fail_the_turn_and_nobody_else(hand: Hand) -> None:
    forever, fine = hand.say(("an", "forever"), ("binh", "hello"))

    assert forever.failed
    assert not fine.failed
    assert isinstance(hand.failed[0], TooManyRounds)


def test_a_turn_that_always_fails_is_kept_and_apologised_for(hand: Hand) -> None:
    """Its neighbours in the group are answered as if it had not been there."""
    before, boom, after = hand.say(("an", "a"), ("binh", "boom"), ("chi", "c"))

    assert texts([boom]) == [["sorry"]]
    assert (before.failed, boom.failed, after.failed) == (False, True, False)
    assert hand.all("SELECT raw, error FROM failed_turns") == [("boom", "RuntimeError: boom")]
    assert hand.one("SELECT count(*) FROM turns") == 3
    assert hand.one("SELECT count(*) FROM test_notes") == 2
    [failure] = hand.failed
    assert str(failure) == "boom"


def test_a_failing_turn_is_not_overtaken_by_the_same_persons_next(hand: Hand) -> None:
    hand.say(("an", "boom"), ("binh", "x"), ("an", "a"))

    assert hand.all("SELECT text FROM turns WHERE text != 'x' ORDER BY id") == [("boom",), ("a",)]


def test_a_failed_turn_that_comes_again_is_a_repeat(hand: Hand) -> None:
    hand.give(turn("an", "boom", key="k"))

    [again] = hand.give(turn("an", "boom", key="k"))

    assert again.repeated
    assert hand.one("SELECT count(*) FROM failed_turns") == 1


def test_a_job_that_fails_leaves_its_neighbours_whole(hand: Hand) -> None:
    def write(text: str, *, fail: bool = False) -> Callable[[sa.Connection], int]:
        def work(connection: sa.Connection) -> int:
            connection.execute(sa.text("INSERT INTO test_notes VALUES (0, :text)"), {"text": text})
            if fail:
                raise ValueError(text)
            return 7

        return work

    good, bad, other = hand.give(Job(write("a")), Job(write("b", fail=True)), Job(write("c")))

    assert (good, other) == (7, 7)
    assert isinstance(bad, ValueError)
    assert hand.all("SELECT text FROM test_notes ORDER BY text") == [("a",), ("c",)]


def test_releasing_a_savepoint_commits_nothing(hand: Hand) -> None:
    """With the driver's own transactions, SQLite committed at the first RELEASE (an outer rollback lost nothing)."""
    with hand.database.writer.connect() as connection:
        outer = connection.begin()
        with connection.begin_nested():
            connection.execute(sa.text("INSERT INTO test_notes VALUES (0, 'inside')"))
        raw: Any = connection.connection.dbapi_connection
        if hand.database.is_sqlite:
            assert raw.in_transaction
        outer.rollback()

    assert hand.one("SELECT count(*) FROM test_notes") == 0


def test_a_state_from_another_version_goes_to_the_menu_and_is_kept(hand: Hand) -> None:
    hand.say(("an", "a"))
    with hand.database.writer.begin() as connection:
        connection.execute(sa.text("UPDATE people SET state = '[\"gone\", 3, {}, []]'"))

    [done] = hand.say(("an", "b"))

    [(_, message)] = done.lines
    assert message.choices[0].value == "ask:examples"
    assert hand.all("SELECT state, reason FROM kept_states") == [('["gone", 3, {}, []]', "gone 3")]


@pytest.mark.parametrize(
    "stored", ["", "not json", "[]", "{}", '["ask"]', '["ask", "x", {}, []]', '["ask", 1, {}, [7]]']
)
def test_a_state_that_cannot_be_read_harms_nothing(hand: Hand, stored: str) -> None:
    hand.say(("an", "a"))
    with hand.database.writer.begin() as connection:
        connection.execute(sa.text("UPDATE people SET state = :stored"), {"stored": stored})

    [done] = hand.say(("an", "b"))

    assert not done.failed
    assert hand.one("SELECT state FROM kept_states") == stored


def test_a_closed_address_is_answered_no_more(hand: Hand) -> None:
    hand.say(("an", "a"))
    hand.give(Job(lambda connection: people.close(connection, "terminal", "an", START)))

    [done] = hand.say(("an", "b"))

    assert done == Done(closed=True)
    assert hand.one("SELECT count(*) FROM turns") == 1


@pytest.mark.parametrize("cue", [None, Tapped("home:menu"), Edited()], ids=["words", "a tap", "an edit"])
@pytest.mark.parametrize("text", ["a", "boom"], ids=["answered", "failed"])
def test_whoever_does_anything_is_blocked_no_more(hand: Hand, cue: Cue | None, text: str) -> None:
    hand.say(("an", "a"), ("binh", "b"))
    for who in ("an", "binh"):
        hand.give(Job(partial(posts.block, channel="terminal", address=who, reason="blocked", now=START)))

    hand.give(turn("an", text, cue=cue))

    found = hand.all("SELECT address, blocked_at IS NOT NULL FROM addresses ORDER BY address")
    assert [(who, bool(blocked)) for who, blocked in found] == [("an", False), ("binh", True)]


def test_what_came_from_nobody_is_kept_and_answered_by_nothing(url: str) -> None:
    app = new_app(url)
    with app.database.writer.begin() as connection:
        come = replace(turn("unknown", "?", cue=Unreadable("KeyError", from_nobody=True)), sender="a process")
        apology = _apology(app.content)(come)

        done = settle_as_failed(connection, come, "KeyError", apology)

        assert done == Done(failed=True)
        assert connection.scalar(sa.text("SELECT count(*) FROM failed_turns")) == 1
        assert connection.scalar(sa.text("SELECT count(*) FROM outbox")) == 0
    app.database.close()


def test_readers_fetch_what_is_after_their_cursor(hand: Hand) -> None:
    first, second, other = hand.say(("an", "a"), ("an", "b"), ("binh", "x"))
    cursor = first.lines[-1][0]

    with hand.database.reader.connect() as connection:
        found = outbox.after(connection, "terminal", [("an", cursor), ("binh", 0), ("nobody", 0)])

    assert [line.cursor for line in found["an"]] == [cursor for cursor, _ in second.lines]
    assert [line.message for line in found["binh"]] == [message for _, message in other.lines]
    assert "nobody" not in found


def test_what_a_cursor_has_passed_becomes_sent(hand: Hand) -> None:
    [first] = hand.say(("an", "a"))
    hand.say(("an", "b"), ("binh", "x"))
    cursor = first.lines[-1][0]

    hand.give(Job(lambda connection: outbox.mark_seen(connection, "terminal", [("an", cursor)], START)))

    assert hand.one("SELECT max(id) FROM outbox WHERE status = 'sent'") == cursor
    assert hand.one("SELECT min(id) FROM outbox WHERE status = 'waiting'") == cursor + 1


def test_what_nobody_came_for_is_skipped_with_its_reason(hand: Hand) -> None:
    hand.say(("an", "a"))

    from datetime import timedelta

    hand.give(Job(lambda connection: outbox.skip_old(connection, START)))
    assert hand.one("SELECT count(*) FROM outbox WHERE status = 'skipped'") == 0
    hand.give(Job(lambda connection: outbox.skip_old(connection, START + timedelta(seconds=1))))

    assert hand.all("SELECT DISTINCT status, reason FROM outbox") == [("skipped", "too old")]


def test_two_processes_on_one_database_fail_nobodys_turn(url: str, router: SeatsRouter) -> None:
    """Four writers, each with its own connection, same people and new people mixed: every turn is answered once."""
    hands = [Hand(url, router, busy_seconds=20) for _ in range(4)]
    with hands[0].database.writer.begin() as connection:
        create_tables(connection)
    results: list[list[Any]] = [[] for _ in hands]

    def work(number: int) -> None:
        for k in range(12):
            said = [
                (f"person {(k * 5 + j) % 7}", "seat" if j == 3 else f"{number} {k} {j}") for j in range(4)
            ]
            results[number] += hands[number].say(*said)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(hands))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    done = [result for group in results for result in group]
    assert [result for result in done if not isinstance(result, Done) or result.failed] == []
    assert hands[0].one("SELECT count(*) FROM people") == 7
    assert hands[0].one("SELECT count(*) FROM turns") == 4 * 12 * 4
    assert hands[0].one("SELECT count(*) FROM test_seats") == CAPACITY
    for one in hands:
        one.database.close()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    script=st.lists(
        st.tuples(
            st.sampled_from(["an", "binh", "chi"]),
            st.sampled_from(["seat", "boom", "hello", "thế nào", "forever"]),
            st.integers(0, 6),
        ),
        min_size=1,
        max_size=14,
    ),
    cuts=st.lists(st.integers(1, 5), min_size=1, max_size=6),
)
def test_groups_decide_what_single_turns_decide(
    url: str, router: SeatsRouter, script: list[tuple[str, str, int]], cuts: list[int]
) -> None:
    """However turns fall into groups, each person hears and keeps the same as with one turn at a time."""
    assert _played(url, router, script, [1]) == _played(url, router, script, cuts)


def _played(url: str, router: SeatsRouter, script: list[tuple[str, str, int]], cuts: list[int]) -> Any:
    hand = Hand(url, router)
    with hand.database.writer.begin() as connection:
        create_tables(connection)
        _clear(connection)
    turns = [turn(who, text, key=f"{who}{text}{key}") for who, text, key in script]
    heard: dict[str, list[tuple[bool, bool, str]]] = {}
    position = step = 0
    while position < len(turns):
        batch = turns[position : position + cuts[step % len(cuts)]]
        for one, result in zip(batch, hand.give(*batch), strict=True):
            said = "\n".join(message.text for _, message in result.lines)
            # Which number a seat has depends on who came first, and that is not promised between people.
            heard.setdefault(one.address, []).append((result.repeated, result.failed, said.rstrip("123")))
        position, step = position + len(batch), step + 1
    kept = hand.all(
        "SELECT a.address, t.text FROM turns t JOIN addresses a ON a.id = t.address_id ORDER BY a.address, t.id"
    )
    seats = hand.one("SELECT count(*) FROM test_seats")
    hand.database.close()
    return (
        {
            who: [h for h in lines if "full" not in h[2] and "seat" not in h[2]]
            for who, lines in heard.items()
        },
        kept,
        seats,
    )


def _clear(connection: sa.Connection) -> None:
    """Begin anew in the same database: making another for every example would cost more than the example."""
    tables = [
        table.name for table in reversed(metadata.sorted_tables) if table.name != "audit"
    ]  # only added to
    for table in ("test_seats", "test_notes", *tables):
        connection.execute(sa.text(f"DELETE FROM {table}"))


def test_busy_under_the_time_out_waits(url: str, router: SeatsRouter) -> None:
    """Another process holds the people; the turn waits and is then settled."""
    hand = Hand(url, router, busy_seconds=10)
    with hand.database.writer.begin() as connection:
        create_tables(connection)
    hand.say(("an", "a"))
    other = Hand(url, router)
    holding = other.database.writer.connect()
    held = holding.begin()
    holding.execute(sa.text("UPDATE people SET greeted = greeted"))
    threading.Timer(0.3, held.commit).start()

    [done] = hand.say(("an", "b"))

    assert isinstance(done, Done)
    holding.close()
    other.database.close()
    hand.database.close()


def test_busy_beyond_the_time_out_is_refused_and_comes_again(url: str, router: SeatsRouter) -> None:
    hand = Hand(url, router, busy_seconds=0.3)
    with hand.database.writer.begin() as connection:
        create_tables(connection)
    hand.say(("an", "a"))
    other = Hand(url, router)
    with other.database.writer.connect() as holding, holding.begin():
        holding.execute(sa.text("UPDATE people SET greeted = greeted"))
        one, two = hand.give(turn("an", "b", key="k"), turn("an", "c", key="l"))

    assert isinstance(one, StoreUnavailable)
    assert isinstance(two, StoreUnavailable)
    again, _ = hand.give(turn("an", "b", key="k"), turn("an", "c", key="l"))
    assert texts([again]) == [["noted b after 1, turn 2"]]
    other.database.close()
    hand.database.close()
