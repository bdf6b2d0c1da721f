"""Limits are obeyed before they are hit, whatever is asked and when."""

from bisect import bisect_left

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.budget import Budget
from bot.channels.base import Rates
from tests.world import EXAMPLES

RATES = Rates(per_second=30, per_chat=1, chat_burst=3, group_per_minute=20)
CHATS = ["1", "2", "-3"]


def sent(asks: list[tuple[float, int, bool]]) -> list[tuple[float, str, bool]]:
    """When each of these is sent by somebody who always waits as long as told; an ask is a pause, a chat, bulk or not."""
    budget, now, found = Budget(RATES), 0.0, []
    for pause, which, bulk in asks:
        now, chat = now + pause, CHATS[which]
        while wait := max(budget.wait(now, bulk=bulk), budget.wait_for(chat, now)):
            now += wait
        budget.spend(chat, now, group=chat.startswith("-"), bulk=bulk)
        found.append((now, chat, bulk))
    return found


def most_in(times: list[float], seconds: float) -> int:
    """The most in any span of so many seconds."""
    return max((bisect_left(times, start + seconds) - place for place, start in enumerate(times)), default=0)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 2), st.booleans()), max_size=150))
def test_no_span_holds_more_than_is_allowed(asks: list[tuple[float, int, bool]]) -> None:
    found = sent(asks)

    assert most_in([at for at, _, _ in found], 1.0) <= 30
    for chat in ("1", "2"):
        times = [at for at, where, _ in found if where == chat]
        assert most_in(times, 1.0) <= 3
        assert most_in(times, 60.0) <= 60 + 3
    assert most_in([at for at, where, _ in found if where == "-3"], 60.0) <= 20


def test_bulk_is_spread_over_each_second_so_that_a_reply_finds_room() -> None:
    budget, now = Budget(RATES), 0.0
    for number in range(300):
        now += budget.wait(now, bulk=True)
        budget.spend(str(number), now, group=False, bulk=True)

    assert 9.9 <= now <= 10.2
    assert budget.wait(now, bulk=False) <= 1 / 30 + 0.01


def test_a_reply_after_a_rest_goes_at_once() -> None:
    budget = Budget(RATES)

    assert budget.wait(0.0, bulk=False) == budget.wait_for("1", 0.0) == 0.0


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.integers(1, 5), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 4), st.booleans()), max_size=200)
)
def test_processes_that_share_keep_together_to_what_is_allowed(
    among: int, asks: list[tuple[float, int, bool]]
) -> None:
    budgets = [Budget(RATES) for _ in range(among)]
    clocks, times = [0.0] * among, []
    for budget in budgets:
        budget.share(among)
    for number, (pause, which, bulk) in enumerate(asks):
        mine = which % among
        now = clocks[mine] + pause / 10
        while wait := budgets[mine].wait(now, bulk=bulk):
            now += wait
        budgets[mine].spend(str(number), now, group=False, bulk=bulk)
        clocks[mine] = now
        times.append(now)

    assert most_in(sorted(times), 1.0) <= 30


def test_processes_that_share_keep_together_to_what_one_chat_is_allowed() -> None:
    budgets = [Budget(RATES) for _ in range(3)]
    times = []
    for budget in budgets:
        budget.share(3)
        now = 0.0
        while now < 60:
            now += budget.wait_for("1", now)
            budget.spend("1", now, group=False, bulk=False)
            times.append(now)

    assert most_in(sorted(times), 1.0) <= 3
    assert most_in(sorted(times), 60.0) <= 60 + 3
