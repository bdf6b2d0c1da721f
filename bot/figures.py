"""The figures of a survey, from the database to what may be seen."""

from collections.abc import Collection
from dataclasses import dataclass

from content.forms import stored_form
from handlers.figures.counting import Tally
from handlers.figures.published import Figures, published
from storage.database import Database
from storage.figures import Twins, survey

SORTED_BY = ("commune", "sector", "size")  # the questions by which enterprises are told apart
COMPUTED = ("size",)


@dataclass(frozen=True, slots=True)
class Found:
    """What a survey found, and which of its responses staff have to choose between."""

    figures: Figures
    twins: tuple[Twins, ...]


def read_figures(database: Database, form_id: str, year: int, set_aside: Collection[int] = ()) -> Found:
    """Count every response of a form and year; raises ContentError for a version this program cannot use."""
    with survey(database, form_id, year, set_aside) as found:
        forms = [stored_form(definition) for _, definition in found.definitions()]
        tally = Tally(forms, COMPUTED)
        for version, answers in found.answers():
            tally.add(version, answers)
        return Found(published(tally), tuple(found.twins()))
