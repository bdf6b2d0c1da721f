"""How a survey stands: who answered, who opened the form, who did not yet; and what to tell the boss.

That somebody has not answered is no answer: how many these are may be told. How many answered in one place is told
from five up, as in every other figure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from content.catalogue import Catalogue
from content.model import Language
from handlers.figures.charts import Bar, Bars, Chart, Line, Part, Stack, Table
from handlers.figures.hiding import FEWEST, hidden
from handlers.figures.spoken import day, listed, number, percent

WEEK = timedelta(days=7)
LOWEST = 3  # places that are named
By = Literal["commune", "sector", "size"]

_BY: Mapping[By, str] = {
    "commune": "figures_by_commune", "sector": "figures_by_sector", "size": "figures_by_size",
}  # fmt: skip

_ENOUGH = 10  # invited, before a place can be the lowest
_TWO_WEEKS = 14
_MOST_AHEAD = 45  # days to the deadline, before anything else may happen
_FEWEST_LATELY = 20  # responses of two weeks, before their pace is one
_STEADY = 2  # how many times as many one week may have as the other


@dataclass(frozen=True, slots=True)
class Place:
    """A commune, a sector or another group of invited enterprises; `label` "": nobody knows which."""

    label: str
    invited: int
    answered: int
    opened: int = 0  # and not answered

    @property
    def rate(self) -> float:
        """The share that answered."""
        return self.answered / self.invited if self.invited else 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a survey stands at the end of `today`; `days`: how many answered on each day, of those invited."""

    places: tuple[Place, ...]
    days: Mapping[date, int]
    today: date
    opens: date | None = None
    deadline: date | None = None
    twins: int = 0  # tax codes with more than one response

    @property
    def whole(self) -> Place:
        """Everybody."""
        return Place(
            "",
            sum(place.invited for place in self.places),
            sum(place.answered for place in self.places),
            sum(place.opened for place in self.places),
        )

    @property
    def left(self) -> int | None:
        """Days to the deadline; less than 0 after it."""
        return (self.deadline - self.today).days if self.deadline else None

    def lately(self, days: int, before: int = 0) -> int:
        """How many answered in so many days that ended so many days ago."""
        last = self.today - timedelta(days=before)
        return sum(self.days.get(last - timedelta(days=back), 0) for back in range(days))

    def lowest(self, most: int = LOWEST) -> list[Place]:
        """The places below the average, the lowest first; too small ones have none worth the name."""
        rate = self.whole.rate
        below = [
            place for place in self.places if place.label and place.invited >= _ENOUGH and place.rate < rate
        ]
        return sorted(below, key=lambda place: (place.rate, -place.invited, place.label))[:most]


class Forecast(NamedTuple):
    """Between how many and how many will have answered by the deadline."""

    low: int
    high: int


def forecast(standing: Standing) -> Forecast | None:
    """What the pace of the last two weeks comes to at the deadline; None where it has no pace one may go by.

    Two whole weeks since the opening, twenty responses in them, neither week twice the other, and a deadline within
    45 days; otherwise a number would say more than anybody knows.
    """
    whole, left = standing.whole, standing.left
    if left is None or not 0 < left <= _MOST_AHEAD or not standing.days:
        return None
    first = min(standing.days)
    if (standing.today - max(first, standing.opens or first)).days < _TWO_WEEKS:
        return None
    weeks = sorted((standing.lately(7), standing.lately(7, before=7)))
    if sum(weeks) < _FEWEST_LATELY or weeks[1] > _STEADY * weeks[0]:
        return None
    low, high = (min(whole.answered + round(week * left / 7), whole.invited) for week in weeks)
    return Forecast(low, high)


class Telling:
    """Tells how a survey stands, in one language."""

    def __init__(self, say: Catalogue, language: Language) -> None:
        self._say, self._language = say, language

    # The text to paste

    def text(self, standing: Standing, title: str, year: int, now: datetime) -> str:
        """The lines for the boss; `now` in the office's time zone."""
        clock = f"{now.hour:02}:{now.minute:02}"
        lines = [self._tell("progress_head", title=title, year=year, time=clock, day=day(now))]
        whole = standing.whole
        if not whole.invited:
            return "\n".join([*lines, self._tell("progress_none")])
        lines.append(self._answered(standing))
        waiting = whole.invited - whole.answered - whole.opened
        if waiting or whole.opened:
            values = {"opened": self._number(whole.opened), "waiting": self._number(waiting)}
            lines.append(self._tell("progress_opened", **values))
        if lowest := standing.lowest():
            places = listed(self._say, self._language, [self._place(standing, place) for place in lowest])
            lines.append(self._tell("progress_lowest", places=places))
        lines += self._deadline(standing)
        if standing.twins:
            lines.append(self._tell("progress_twins", count=self._number(standing.twins)))
        return "\n".join(lines)

    def _answered(self, standing: Standing) -> str:
        whole, more = standing.whole, standing.lately(7)
        values = {
            "answered": self._number(whole.answered),
            "invited": self._number(whole.invited),
            "percent": self._percent(whole.answered, whole.invited),
        }
        if not standing.days or min(standing.days) > standing.today - WEEK:
            return self._tell("progress_answered", **values)  # there is no week ago
        key = "progress_answered_more" if more else "progress_answered_same"
        more_of = {"more": self._number(more)} if more else {}
        return self._tell(key, **values, **more_of)

    def _place(self, standing: Standing, place: Place) -> str:
        if place in _seen(standing.places):
            return self._tell(
                "progress_place",
                label=self._label(place),
                percent=self._percent(place.answered, place.invited),
            )
        if place.answered < FEWEST:
            return self._tell("progress_place_few", label=place.label, fewest=FEWEST)
        return place.label

    def _deadline(self, standing: Standing) -> list[str]:
        left = standing.left
        if left is None or standing.deadline is None:
            return []
        when = day(standing.deadline)
        if left < 0:
            return [self._tell("progress_deadline_over", day=when, over=self._number(-left))]
        if left == 0:
            return [self._tell("progress_deadline_today", day=when)]
        lines = [self._tell("progress_deadline", day=when, left=self._number(left))]
        if found := forecast(standing):
            if found.low == standing.whole.invited:
                lines.append(self._tell("progress_forecast_all"))
            else:
                low, high = self._number(found.low), self._number(found.high)
                lines.append(self._tell("progress_forecast", low=low, high=high))
        return lines

    # Charts

    def standing(self, standing: Standing) -> Chart:
        """Answered, opened, not yet, of everybody."""
        whole = standing.whole
        parts = (
            ("figures_answered", whole.answered, "full"),
            ("figures_opened", whole.opened, "half"),
            ("figures_waiting", whole.invited - whole.answered - whole.opened, "none"),
        )
        made = tuple(
            Part(self._tell(key), value, self._part_text(value, whole.invited), tone)  # type: ignore[arg-type]
            for key, value, tone in parts
        )
        heads = tuple(map(self._tell, ("figures_what", "figures_firms", "figures_percent")))
        rows = tuple(
            (part.label, self._number(part.value), self._percent(part.value, whole.invited)) for part in made
        )
        return Chart(
            id="standing",
            title=self._standing_title(standing),
            base=self._tell("figures_standing_base", invited=self._number(whole.invited)),
            body=Stack(made) if whole.invited else None,
            table=Table(heads, rows) if whole.invited else None,
        )

    def _standing_title(self, standing: Standing) -> str:
        whole = standing.whole
        if not whole.invited:
            return self._tell("figures_standing_title_none")
        if whole.answered == whole.invited:
            return self._tell("figures_standing_title_all")
        share = self._percent(whole.answered, whole.invited)
        lowest = standing.lowest(1)
        if not lowest or not whole.answered:
            return self._tell("figures_standing_title_even", percent=share)
        return self._tell("figures_standing_title", percent=share, label=lowest[0].label)

    def places(self, standing: Standing, by: By = "commune") -> Chart:
        """The share that answered in each place; the places may as well be sectors or sizes."""
        seen = sorted(_seen(standing.places), key=lambda place: (-place.rate, place.label))
        rest = [place for place in standing.places if place not in seen and place.invited]
        bars = [self._place_bar(place, self._label(place)) for place in seen]
        if rest:
            label = self._tell("figures_rest", count=len(rest))
            whole = Place(label, sum(one.invited for one in rest), sum(one.answered for one in rest))
            bars.append(self._place_bar(whole, label, quiet=True))
        heads = map(self._tell, (_BY[by], "figures_percent", "figures_answered", "figures_invited"))
        return Chart(
            id=f"places-{by}",
            title=self._places_title(standing, seen, by),
            base=self._tell("figures_standing_base", invited=self._number(standing.whole.invited)),
            body=Bars(tuple(bar for bar, _ in bars)) if seen else None,
            table=Table(tuple(heads), tuple(row for _, row in bars)) if seen else None,
            note=self._tell("figures_places_note", fewest=FEWEST) if rest and seen else "",
        )

    def _place_bar(self, place: Place, label: str, *, quiet: bool = False) -> tuple[Bar, tuple[str, ...]]:
        values = {
            "percent": self._percent(place.answered, place.invited),
            "answered": self._number(place.answered),
            "invited": self._number(place.invited),
        }
        text = self._tell("figures_place_text", **values)
        return Bar(label, 100 * place.rate, text, "quiet" if quiet else "full"), (label, *values.values())

    def _places_title(self, standing: Standing, seen: Sequence[Place], by: By) -> str:
        if not standing.whole.invited:
            return self._standing_title(standing)
        if not seen:
            return self._tell("figures_places_title_none", by=self._tell(_BY[by]), fewest=FEWEST)
        lowest = next(iter(standing.lowest(1)), seen[-1])
        if seen[0].rate <= lowest.rate:
            share = self._percent(seen[0].answered, seen[0].invited)
            return self._tell("figures_places_title_one", label=self._label(seen[0]), percent=share)
        highest, lowest_place = self._place(standing, seen[0]), self._place(standing, lowest)
        return self._tell("figures_places_title", highest=highest, lowest=lowest_place)

    def _label(self, place: Place) -> str:
        return place.label or self._tell("figures_place_unknown")

    def line(self, standing: Standing) -> Chart:
        """How the answers grew, against the deadline."""
        invited = self._number(standing.whole.invited)
        base = self._tell("figures_line_base", invited=invited)
        if not standing.days:
            return Chart("line", self._tell("figures_line_title_none"), base, None)
        first = min(*standing.days, standing.opens) if standing.opens else min(standing.days)
        days = [first + timedelta(days=at) for at in range((standing.today - first).days + 1)]
        values: list[int] = []
        for one in days:
            values.append((values[-1] if values else 0) + standing.days.get(one, 0))
        last = max(standing.today, standing.deadline or standing.today)
        body = Line(
            first=first,
            values=tuple(values),
            last_text=self._number(values[-1]),
            deadline=standing.deadline,
            deadline_text=self._deadline_text(standing.deadline),
            target=standing.whole.invited,
            target_text=self._tell("figures_line_target", invited=invited),
            day_texts=(day(first), day(last)),
        )
        title = self._line_title(standing, values[-1], len(days))
        return Chart("line", title, base, body, self._line_table(days, values))

    def _deadline_text(self, deadline: date | None) -> str:
        return self._tell("figures_line_deadline", day=day(deadline)) if deadline else ""

    def _line_title(self, standing: Standing, answered: int, days: int) -> str:
        left, values = standing.left, {"count": self._number(answered)}
        if left is None:
            return self._tell("figures_line_title_free", **values, days=self._number(days))
        if left > 0:
            return self._tell(
                "figures_line_title_open", **values, days=self._number(days), left=self._number(left)
            )
        if left == 0:
            return self._tell("figures_line_title_today", **values)
        return self._tell("figures_line_title_over", **values, over=self._number(-left))

    def _line_table(self, days: Sequence[date], values: Sequence[int]) -> Table:
        """The days on which something came, and the last."""
        heads = tuple(map(self._tell, ("figures_line_day", "figures_line_new", "figures_line_sum")))
        new = [value - before for value, before in zip(values, (0, *values), strict=False)]
        rows = tuple(
            (day(one), self._number(came), self._number(value))
            for one, came, value in zip(days, new, values, strict=True)
            if came or one == days[-1]
        )
        return Table(heads, rows)

    def _part_text(self, part: int, whole: int) -> str:
        return self._tell("figures_part_text", percent=self._percent(part, whole), count=self._number(part))

    def _tell(self, key: str, **values: object) -> str:
        return self._say(self._language, key, **values)

    def _number(self, value: float) -> str:
        return number(self._language, value)

    def _percent(self, part: float, whole: float) -> str:
        return percent(self._language, part, whole)


def _seen(places: Sequence[Place]) -> list[Place]:
    """The places whose number of answers may be seen."""
    gone = hidden([place.answered for place in places])
    return [place for at, place in enumerate(places) if at not in gone]
