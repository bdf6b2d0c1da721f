"""Many random walks, and the mutants that must be caught by the very same judge.

`python -m tests.forms.walks 1234-56` shows walk 56 of seed 1234 with its form.
"""

import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from unittest.mock import patch

from handlers.fills import Fill
from handlers.walk import Change, Place, Walk
from tests.forms.judge import Fault
from tests.forms.random_forms import RandomForm, random_form
from tests.forms.stage import House, MemoryStage, Stage
from tests.forms.walker import Walker

NewStage = Callable[[RandomForm], Stage]
Tell = Callable[[str], None]

# What every proof must have counted; a walk in which nothing of a kind happened proves nothing about it.
COUNTED = (
    "walks", "answers given", "edits", "withdrawals", "backs", "skips", "skips refused", "unknown", "garbage refused",
    "old buttons", "restarts", "version changes", "resumed", "resumed by code", "cancels", "submitted",
)  # fmt: skip


@dataclass
class Outcome:
    """What was counted, and of each kind of fault how often it was met and where first."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Each kind of fault, the most frequent first."""
        return tuple(f"{count} × {kind}: {self.first[kind]}" for kind, count in self.faults.most_common())


def walk(name: str, new_stage: NewStage, counts: Counter[str]) -> tuple[Walker, BaseException | None]:
    """One walk, drawn from its name; the fault is what was wrong with it."""
    chance = Random(name)
    form = random_form(chance)
    stage = new_stage(form)
    walker = Walker(stage, form, chance, counts)
    try:
        walker.walk()
    except Exception as fault:  # noqa: BLE001  whatever the engine raises is a fault of it
        return walker, fault
    finally:
        stage.end()
    return walker, None


def walks(seed: int, count: int, new_stage: NewStage, tell: Tell, *, every: int = 500) -> Outcome:
    """So many walks; `tell` hears how it goes."""
    outcome = Outcome()
    for number in range(1, count + 1):
        name = f"{seed}-{number}"
        _, fault = walk(name, new_stage, outcome.counts)
        if fault:
            kind = fault.kind if isinstance(fault, Fault) else f"raises {type(fault).__name__}"
            outcome.faults[kind] += 1
            outcome.first.setdefault(kind, f"{fault} (walk {name})")
        if number % every == 0:
            given = outcome.counts["answers given"]
            tell(f"{number} walks, {given} answers, {outcome.faults.total()} walks with a fault")
    return outcome


# Mutants


@contextmanager
def deaf_to_one_relevant() -> Iterator[None]:
    """An engine that ignores one `relevant`: of each form, that of the first question that has one."""
    real = Walk._is_relevant

    def is_relevant(self: Walk, place: Place) -> bool:
        conditional = (
            one for one in self.form.questions if one.relevant and one.kind not in ("note", "calculate")
        )
        return place.question is next(conditional, None) or real(self, place)

    with patch.object(Walk, "_is_relevant", is_relevant):
        yield


@contextmanager
def forgetful_of_edits() -> Iterator[None]:
    """An engine that says it took a changed answer, and stores what stood there before."""
    real = Walk.after

    def after(self: Walk, given: Mapping[str, Fill | None]) -> tuple[Walk, Change]:
        went, change = real(self, given)
        edited = {name for name in given if name in self.fills and self.fills[name].is_answer}
        stored = {name: fill for name, fill in change.fills.items() if name not in edited}
        return went, Change(stored, change.withdrawn)

    with patch.object(Walk, "after", after):
        yield


MUTANTS = {"ignores one relevant": deaf_to_one_relevant, "forgets edits": forgetful_of_edits}


def caught(mutant: str, seed: int, most: int, new_stage: NewStage) -> str | None:
    """How a mutant was caught, within so many walks; None when it lives.

    A fault counts only when the real engine does not have it on the same walk.
    """
    for number in range(1, most + 1):
        name = f"{seed}-{number}"
        with MUTANTS[mutant]():
            _, fault = walk(name, new_stage, Counter())
        if fault and walk(name, new_stage, Counter())[1] is None:
            return f"{fault} (walk {name})"
    return None


def _show(name: str) -> int:
    house = House()
    walker, fault = walk(name, lambda form: MemoryStage(house, form), Counter())
    for row in walker.form.file.survey:
        print(
            {
                column: value
                for column, value in row.model_dump(exclude_defaults=True).items()
                if column != "hint"
            }
        )
    print(*walker.talk, sep="\n")
    if fault:
        traceback.print_exception(fault)
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(_show(sys.argv[1]))
