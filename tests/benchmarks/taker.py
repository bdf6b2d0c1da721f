"""A process of its own that takes turns on one database: `python -m tests.benchmarks.taker URL PEOPLE FIRST-KEY`.

For each line it reads it takes one round of groups and prints the microseconds of CPU a turn.
"""

import itertools
import random
import sys

from content.everything import load_content
from handlers.hearing import Hearing
from handlers.router import Router
from tests.benchmarks.population import questions
from tests.benchmarks.store import Product, cost, groups_of

SIZE, COUNT = 16, 60  # turns in a group, groups in a round


def main(url: str, people: int, first_key: int) -> None:
    """Take rounds until the input ends."""
    content = load_content()
    hearing = Hearing(content)
    router = Router(content, hearing)
    asked = questions(content, hearing, router)
    product = Product(url, router)
    chance, keys = random.Random(first_key), itertools.count(first_key)
    for _ in sys.stdin:
        groups = groups_of(SIZE, COUNT, people, chance, keys, asked)
        print(cost(product.take, groups) / (SIZE * COUNT), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
