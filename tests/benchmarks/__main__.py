"""`python -m tests.benchmarks [NAME…]`: measure, print one table, write build/bench.json."""

import sys
from collections.abc import Callable, Iterator

from tests.benchmarks import answers, export, page, report, scale, start, store, telegram

BENCHMARKS: dict[str, Callable[[], Iterator[report.Measure]]] = {
    "store": store.measure,
    "start": start.measure,
    "page": page.measure,
    "scale": scale.measure,
    "export": export.measure,
    "answers": answers.measure,
    "telegram": telegram.measure,
}


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise SystemExit(f"no benchmark is called {unknown[0]}; there are: {' '.join(BENCHMARKS)}")
    measures = []
    for name in names or BENCHMARKS:
        for one in BENCHMARKS[name]():
            print(f"{name}: {one.name}", file=sys.stderr, flush=True)
            measures.append(one)
    report.write(measures)
    print(report.table(measures))


main(sys.argv[1:])
