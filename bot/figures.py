"""The figures of a survey, from the database to what may be seen."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from content.forms import Form, stored_form
from handlers.figures.counting import Tally
from handlers.figures.published import Figures, published
from storage.database import Database
from storage.figures import Twins, survey

COMPUTED = ("size",)  # the calculations by which enterprises are told apart, as by a choice


@dataclass(frozen=True, slots=True)
class Found:
    """What a survey found, and which of its responses staff have to choose between.

    `form` is its newest version, None where it was never open; `days`: how many responses came on each day.
    """

    form: Form | None
    figures: Figures
    days: Mapping[date, int]
    twins: tuple[Twins, ...]


def read_figures(
    database: Database, form_id: str, year: int, zone: ZoneInfo, set_aside: Collection[int] = ()
) -> Found:
    """Count every response of a form and year; raises ContentError for a version this program cannot use."""
    with survey(database, form_id, year, set_aside) as found:
        forms = [stored_form(definition) for _, definition in found.definitions()]
        tally = Tally(forms, COMPUTED)
        days: Counter[date] = Counter()
        for one in found.answers():
            tally.add(one.version, one.answers)
            days[one.submitted_at.astimezone(zone).date()] += 1
        return Found(forms[0] if forms else None, published(tally), days, found.twins)
