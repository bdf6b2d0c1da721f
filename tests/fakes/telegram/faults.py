"""What goes wrong, by a schedule that can be repeated.

A fault comes from a plan (the nth request, or whatever a predicate says yes to) or by chance from a seed. The nth
counts requests other than getUpdates, which a long poll makes uncountable; for faults of updates it counts updates.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.fakes.telegram.calls import Call


class Kind(StrEnum):
    """The kinds of faults; the first are of requests, the last four of updates."""

    TOO_MANY = "429"  # seconds: retry_after
    INTERNAL = "500"
    BAD_GATEWAY = "502"  # with a body of HTML
    GATEWAY_TIMEOUT = "504"
    UNAUTHORIZED = "401"
    CONFLICT = "409"
    RESET_BEFORE = "reset before the request was taken"
    RESET_AFTER = "reset after the request was taken"
    SLOW = "slow"  # seconds pass, then it is taken and answered
    LATE = "late"  # taken at once, answered after seconds
    TRUNCATED = "truncated"  # taken; half of the JSON is answered
    DUPLICATE = "duplicate"  # the same update_id is given twice
    SWAP = "swap"  # this update and the next, of another chat, come in the other order
    SWAP_WITHIN = "swap within a chat"
    REPEAT = "repeat"  # a webhook is called again although it answered 200


OF_UPDATES = frozenset({Kind.DUPLICATE, Kind.SWAP, Kind.SWAP_WITHIN, Kind.REPEAT})
SECONDS = {Kind.TOO_MANY: 1.0, Kind.SLOW: 0.2, Kind.LATE: 0.2}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `taken` makes a 5xx one whose request was carried out all the same."""

    kind: Kind
    seconds: float = -1
    taken: bool = False

    @property
    def lasting(self) -> float:
        """Its seconds, or those usual for its kind."""
        return self.seconds if self.seconds >= 0 else SECONDS.get(self.kind, 0)


@dataclass(frozen=True, slots=True)
class Event:
    """An update as a predicate sees it."""

    number: int
    kind: str
    chat_id: int


When = int | Callable[[Call], bool] | Callable[[Event], bool]


@dataclass
class Faults:
    """The schedule. `plan` entries are used once when they name a number, always when they are a predicate.

    `rates` gives for each kind, or fault, how often it strikes, 0 to 1. `quiet()` ends all of it.
    """

    seed: int = 0
    rates: Mapping[Kind | Fault, float] = field(default_factory=dict)
    plan: Sequence[tuple[When, Fault | Kind]] = ()
    counts: Counter[Kind] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.wake()

    def wake(self) -> None:
        """Begin, or begin again, as the seed and the plan have it."""
        self._chance = random.Random(self.seed)
        self._calls = self._events = 0
        rates = [(_fault(what), rate) for what, rate in self.rates.items()]
        plan = [(when, _fault(what)) for when, what in self.plan]
        self._of_calls = [(fault, rate) for fault, rate in rates if fault.kind not in OF_UPDATES]
        self._of_events = [(fault, rate) for fault, rate in rates if fault.kind in OF_UPDATES]
        self._call_plan = [(when, fault) for when, fault in plan if fault.kind not in OF_UPDATES]
        self._event_plan = [(when, fault) for when, fault in plan if fault.kind in OF_UPDATES]

    def add(self, when: When, what: Fault | Kind) -> None:
        """One more entry of the plan."""
        fault = _fault(what)
        (self._event_plan if fault.kind in OF_UPDATES else self._call_plan).append((when, fault))

    def next(self, what: Fault | Kind, method: str = "") -> None:
        """Let it strike the next request (of a method), once; or the next update."""
        fault = _fault(what)
        used: list[bool] = []

        def once(seen: Call | Event) -> bool:
            fits = isinstance(seen, Event) or method.lower() in {"", seen.method}
            if used or not fits:
                return False
            used.append(True)
            return True

        self.add(once, fault)

    def quiet(self) -> None:
        """Nothing goes wrong any more."""
        for schedule in (self._of_calls, self._of_events, self._call_plan, self._event_plan):
            schedule.clear()

    def of_call(self, call: Call) -> Fault | None:
        """The fault that strikes this request."""
        if call.method != "getupdates":
            self._calls += 1
            call.number = self._calls
        if not self._call_plan and not self._of_calls:
            return None
        fault = self._struck(call, call.number, self._call_plan, self._of_calls)
        if fault is not None:
            self.applied(fault.kind)
        return fault

    def of_event(self, kind: str, chat_id: int) -> Fault | None:
        """The fault that strikes this update."""
        self._events += 1
        if not self._event_plan and not self._of_events:
            return None
        event = Event(self._events, kind, chat_id)
        return self._struck(event, self._events, self._event_plan, self._of_events)

    def applied(self, kind: Kind) -> None:
        """Count one that came to pass; faults of updates may find no occasion (no neighbour to swap with)."""
        self.counts[kind] += 1

    def _struck(
        self,
        seen: Call | Event,
        number: int,
        plan: list[tuple[When, Fault]],
        rates: list[tuple[Fault, float]],
    ) -> Fault | None:
        for when, fault in plan:
            if when == number if isinstance(when, int) else when(seen):  # type: ignore[arg-type]
                return fault
        return next((fault for fault, rate in rates if self._chance.random() < rate), None)


def _fault(what: Fault | Kind) -> Fault:
    return what if isinstance(what, Fault) else Fault(what)
