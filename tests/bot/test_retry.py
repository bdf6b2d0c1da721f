"""What happens after each kind of failure, as a table."""

from datetime import timedelta

import pytest

from bot.channels.base import Failure, Trouble
from bot.retry import GIVE_UP, LONGEST_WAIT, TOO_MANY, Decision, decide

NOW = timedelta(0)
OLD = GIVE_UP + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("failure", "tries", "age", "bulk", "decision"),
    [
        pytest.param(
            Failure(Trouble.REFUSED, "text is too long"),
            0, NOW, False, Decision("failed", "text is too long", 1),
            id="what is refused once is refused always",
        ),
        pytest.param(
            Failure(Trouble.GONE, "blocked"),
            0, NOW, False, Decision("skipped", "blocked", 1, blocks=True),
            id="who blocked us is left alone",
        ),
        pytest.param(
            Failure(Trouble.MOVED, "moved", to="-100"),
            0, NOW, False, Decision("retry_at", "moved", 1),
            id="who moved is written to at once",
        ),
        pytest.param(
            Failure(Trouble.LIMITED, "too many", seconds=7),
            3, NOW, False, Decision("retry_at", TOO_MANY, 3, wait=7, park=7),
            id="a limit parks the channel and is no try",
        ),
        pytest.param(
            Failure(Trouble.CLOSED, "token"),
            3, NOW, False, Decision("retry_at", "token", 3, wait=60, park=60),
            id="a channel that does not know us is asked again, without end",
        ),
        pytest.param(
            Failure(Trouble.NOT_TAKEN, "away"),
            0, NOW, False, Decision("retry_at", "away", 1, wait=1),
            id="what was surely not taken is tried after a second",
        ),
        pytest.param(
            Failure(Trouble.NOT_TAKEN, "away"),
            3, NOW, True, Decision("retry_at", "away", 4, wait=8),
            id="and ever later, bulk as well",
        ),
        pytest.param(
            Failure(Trouble.NOT_TAKEN, "away"),
            30, NOW, False, Decision("retry_at", "away", 31, wait=LONGEST_WAIT),
            id="but not later than this",
        ),
        pytest.param(
            Failure(Trouble.IN_DOUBT, "time-out"),
            0, NOW, False, Decision("retry_at", "time-out", 1, wait=1),
            id="a reply in doubt is said again",
        ),
        pytest.param(
            Failure(Trouble.IN_DOUBT, "time-out"),
            0, NOW, True, Decision("unknown", "time-out", 1),
            id="bulk in doubt is for staff to look at",
        ),
        pytest.param(
            Failure(Trouble.NOT_TAKEN, "away"),
            9, OLD, False, Decision("failed", "gave up: away", 10),
            id="an answer of yesterday is given up",
        ),
        pytest.param(
            Failure(Trouble.CLOSED, "token"),
            0, OLD, False, Decision("failed", "gave up: token", 1),
            id="also when the channel was closed all the time",
        ),
    ],
)  # fmt: skip
def test_a_failure_decides_alone(
    failure: Failure, tries: int, age: timedelta, bulk: bool, decision: Decision
) -> None:
    assert decide(failure, tries, age, bulk=bulk) == decision


def test_reasons_fit_their_column() -> None:
    decision = decide(Failure(Trouble.NOT_TAKEN, "x" * 200), 0, OLD, bulk=False)

    assert len(decision.reason) == 64
