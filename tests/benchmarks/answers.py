"""An answer to a question beside ten thousand others that officers have answered."""

import gc
import random
import time
from collections.abc import Iterator

from content.everything import load_content
from handlers.faq import Entry
from handlers.hearing import Hearing
from tests.benchmarks.report import Measure, alone
from tests.questions import HERE, questions

ENTRIES, ROUNDS = 10_000, 5
SEED = 996
P99, BUILT = 5.0, 1.0  # ms, s


def measure() -> Iterator[Measure]:
    """The slowest of a hundred answers, and how long the index takes to build anew."""
    content, entries = load_content(), _entries()
    built, slowest, empty = [], [], []
    for _ in range(ROUNDS):
        gc.collect()
        began = time.perf_counter()
        hearing = Hearing(content, entries)
        built.append(time.perf_counter() - began)
        slowest.append(_p99(hearing))
        empty.append(_p99(Hearing(content)))
    yield alone(f"an answer beside {ENTRIES:,} FAQ entries: p99", "ms", slowest, P99)
    yield alone("an answer beside the facts of the content alone: p99", "ms", empty, P99)
    yield alone(f"understanding and an index of {ENTRIES:,} FAQ entries built", "s", built, BUILT)


def _p99(hearing: Hearing) -> float:
    """Milliseconds below which ninety-nine of a hundred answers stay; none is remembered from an earlier one."""
    asked = [f"{one.ask} " for path in sorted(HERE.glob("*.yaml")) for one in questions(path.stem)]
    took = []
    for text in asked:
        padded = text.ljust(41)  # longer than what is remembered
        began = time.perf_counter()
        hearing(padded)
        took.append((time.perf_counter() - began) * 1_000)
    return sorted(took)[int(0.99 * len(took))]


def _entries() -> list[Entry]:
    """Entries put together from what people ask, so that they share its words; every fifth has three phrasings."""
    chance = random.Random(SEED)
    asked = [ask for item in load_content().knowledge.items for ask in item.ask]
    return [
        Entry(
            id=f"faq-{number}",
            ask=tuple(_mixed(chance, asked, number) for _ in range(3 if number % 5 == 0 else 1)),
            answer="…",
            document=f"{number}/SKHCN",
            dated="2026-11-25",
        )
        for number in range(ENTRIES)
    ]


def _mixed(chance: random.Random, asked: list[str], number: int) -> str:
    first, second = (chance.choice(asked).split() for _ in range(2))
    return " ".join((*first[: len(first) // 2 + 1], *second[len(second) // 2 :], f"số{number}"))
