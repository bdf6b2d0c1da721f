"""What a benchmark found: the product beside its peer, the ratio, and the goal."""

import gc
import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

FILE = Path("build/bench.json")

Taken = TypeVar("Taken")


@dataclass(frozen=True)
class Measure:
    """One line of the table; without a peer the value itself is held against the goal."""

    name: str
    value: float
    unit: str
    peer: str | None
    peer_value: float | None
    ratio: float | None
    goal: float | None
    met: bool | None


def beside_peer(
    name: str, unit: str, peer: str, pairs: Sequence[tuple[float, ...]], goal: float | None = None
) -> Measure:
    """Product and peer from the same rounds: their medians, and the median of the ratios inside each round."""
    value, peer_value = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    return Measure(name, value, unit, peer, peer_value, ratio, goal, None if goal is None else ratio <= goal)


def alone(name: str, unit: str, values: Sequence[float], goal: float | None = None) -> Measure:
    """The median of what was measured, against a limit of its own unit."""
    value = statistics.median(values)
    return Measure(name, value, unit, None, None, None, goal, None if goal is None else value <= goal)


def interleaved(
    rounds: int, contenders: Callable[[], Sequence[Callable[[], Taken]]]
) -> list[tuple[Taken, ...]]:
    """What each contender of each round took; another goes first each time, and a round to warm up is not counted."""
    found = []
    for number in range(rounds + 1):
        measured = contenders()
        taken = {}
        for place in range(len(measured)):
            one = (place + number) % len(measured)
            gc.collect()
            taken[one] = measured[one]()
        found.append(tuple(taken[one] for one in range(len(measured))))
    return found[1:]


def write(measures: Sequence[Measure]) -> None:
    """Keep the measures for programs to read."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps([asdict(one) for one in measures], indent=1, ensure_ascii=False) + "\n")


def table(measures: Sequence[Measure]) -> str:
    """The measures for people to read."""
    head = ("what", "value", "unit", "peer", "its value", "ratio", "goal", "")
    lines = [head, *(_cells(one) for one in measures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(one: Measure) -> tuple[str, ...]:
    verdict = {None: "", True: "met", False: "MISSED"}[one.met]
    return (
        one.name,
        _number(one.value),
        one.unit,
        one.peer or "",
        _number(one.peer_value),
        _number(one.ratio),
        "" if one.goal is None else f"≤ {_number(one.goal)}",
        verdict,
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
