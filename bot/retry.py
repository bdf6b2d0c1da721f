"""What happens to a message that did not get through: a function of what went wrong, and of nothing else."""

from dataclasses import dataclass
from datetime import timedelta

from bot.channels.base import Failure, Trouble
from storage.posts import End

LONGEST_WAIT = 300.0  # seconds between two tries
CLOSED_WAIT = 60.0  # seconds until a channel that does not know us is asked again
TOO_MANY = "too many requests"  # the reason of what a channel told to wait for, in every channel
GIVE_UP = timedelta(days=1)  # an answer later than that confuses more than it helps


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write of the row, and how long to leave it (`wait`) and the whole channel (`park`) alone, in seconds.

    `blocks`: the address is left alone from now on.
    """

    status: End
    reason: str
    tries: int
    wait: float = 0
    park: float = 0
    blocks: bool = False


def decide(failure: Failure, tries: int, age: timedelta, *, bulk: bool) -> Decision:
    """What to do after a failure; `tries` are those before it, `age` is how long the message has waited."""
    reason = failure.reason[:64]
    match failure.trouble:
        case Trouble.REFUSED:
            return Decision("failed", reason, tries + 1)
        case Trouble.GONE:
            return Decision("skipped", reason, tries + 1, blocks=True)
        case Trouble.IN_DOUBT if bulk:
            return Decision("unknown", reason, tries + 1)
    if age > GIVE_UP:
        return Decision("failed", f"gave up: {reason}"[:64], tries + 1)
    match failure.trouble:
        case Trouble.MOVED:
            return Decision("retry_at", reason, tries + 1)
        case Trouble.LIMITED:
            return Decision("retry_at", TOO_MANY, tries, failure.seconds, failure.seconds)
        case Trouble.CLOSED:
            return Decision("retry_at", reason, tries, CLOSED_WAIT, CLOSED_WAIT)
    return Decision("retry_at", reason, tries + 1, min(LONGEST_WAIT, 2.0**tries))
