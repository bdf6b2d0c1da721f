"""Random walks through random forms never raise, never lose an answer, never ask what does not apply, and always end.

The long run is `make prove WHAT=forms`; this is the same with small counts.
"""

from collections.abc import Callable

import pytest

from tests.forms.random_forms import RandomForm
from tests.forms.stage import DatabaseStage, House, MemoryStage
from tests.forms.walks import COUNTED, MUTANTS, NewStage, caught, walks
from tests.world import Sqlite

SEED = 996
WALKS = 150
ON_SQLITE = 6
MOST = 150  # walks within which a mutant must be caught


@pytest.fixture(scope="module")
def house() -> House:
    return House()


@pytest.fixture(scope="module")
def in_memory(house: House) -> NewStage:
    return lambda form: MemoryStage(house, form)


def test_random_walks_are_as_the_oracle_says(in_memory: NewStage) -> None:
    outcome = walks(SEED, WALKS, in_memory, _quiet)

    assert not outcome.sentences, "\n".join(outcome.sentences)
    assert not [what for what in COUNTED if not outcome.counts[what]]


def test_random_walks_on_a_database_are_as_the_oracle_says(house: House, sqlite: Sqlite) -> None:
    def on_sqlite(form: RandomForm) -> DatabaseStage:
        return DatabaseStage(house, form, sqlite.new())

    assert not walks(SEED, ON_SQLITE, on_sqlite, _quiet).sentences


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_caught(mutant: str, in_memory: NewStage) -> None:
    assert caught(mutant, SEED, MOST, in_memory)


_quiet: Callable[[str], None] = lambda line: None  # noqa: E731
