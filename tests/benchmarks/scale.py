"""A turn among a million people beside a turn among a thousand: its CPU and the memory of its process."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import psutil

from content.everything import load_content
from handlers.hearing import Hearing
from handlers.router import Router
from tests.benchmarks.population import Asked, fill, questions
from tests.benchmarks.report import Measure, beside_peer, interleaved
from tests.world import Postgres, Sqlite

FEW = 1_000
MANY = {"SQLite": 1_000_000, "PostgreSQL": 200_000}  # filling a million takes PostgreSQL minutes
ROUNDS = 11
MB = 1_000_000


class Taker:
    """A process that takes turns on one database."""

    def __init__(self, url: str, people: int) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.taker", url, str(people), "1"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self._process.communicate()

    def take(self) -> float:
        """One round: microseconds of CPU a turn."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        return float(self._process.stdout.readline())

    def resident(self) -> float:
        """Megabytes the process holds."""
        held: int = psutil.Process(self._process.pid).memory_info().rss
        return held / MB


def measure() -> Iterator[Measure]:
    """Both databases."""
    content = load_content()
    hearing = Hearing(content)
    asked = questions(content, hearing, Router(content, hearing))
    with tempfile.TemporaryDirectory() as folder:
        files = Sqlite(Path(folder))
        yield from _on("SQLite", files.new(), files.new(), asked, (1.15, 1.1))
    server = Postgres()
    try:
        yield from _on("PostgreSQL", server.new(), server.new(), asked, (None, None))
    finally:
        server.stop()


def _on(
    name: str, few_url: str, many_url: str, asked: Sequence[Asked], goals: tuple[float | None, float | None]
) -> Iterator[Measure]:
    many = MANY[name]
    fill(few_url, FEW, asked)
    fill(many_url, many, asked)
    with ExitStack() as stack:
        large, small = (stack.enter_context(Taker(*where)) for where in ((many_url, many), (few_url, FEW)))
        costs = interleaved(ROUNDS, lambda: [large.take, small.take])
        held = [(large.resident(), small.resident())]
    among, peer = f"among {many:,} people, {name}", f"among {FEW:,}"
    yield beside_peer(f"turn {among}", "µs CPU a turn", peer, costs, goals[0])
    yield beside_peer(f"memory {among}", "MB resident", peer, held, goals[1])
