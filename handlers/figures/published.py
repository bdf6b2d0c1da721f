"""What may be seen of a survey: the sums of a `Tally` without any number that would point at fewer than five.

Every figure is safe by itself, and so are those of one question beside each other: a sum by kind is there only where
the kind may be seen, and sums of sums (fields of measurement, group 2) are made of what is seen anyway.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from content.forms import ChoiceRow, Question
from handlers.figures.counting import STATES, Added, Chosen, Dated, Numbers, State, Tally
from handlers.figures.hiding import FEWEST, Count, bounded, hidden

Grain = Literal["month", "quarter", "year"]

_GRAINS: Mapping[Grain, int] = {"month": 1, "quarter": 3, "year": 12}
_MOST_SPANS = 24
_MOST_HIDDEN = 0.25  # of those who gave a date, before a coarser grain is better
_FAR_OFF = 0.04  # of the dates at either end may be slips of the pen


@dataclass(frozen=True, slots=True)
class Missing:
    """Who gave no answer, and why, where a reason has five or more; `others` had other reasons."""

    reasons: tuple[tuple[State, int], ...] = ()
    others: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """One choice, and how many enterprises it has."""

    name: str
    choice: ChoiceRow | None  # None: a name no version knows any more, or a computed one
    count: Count


@dataclass(frozen=True, slots=True)
class Distribution:
    """A question with choices. `answered` None: fewer than five, so that nothing else is there, either.

    Of one choice each, those that may not be seen are together in `rest`; of several each, a share says so itself.
    """

    question: Question
    answered: int | None
    several: bool = False
    shares: tuple[Share, ...] = ()
    rest: int = 0
    rest_of: tuple[tuple[str, ChoiceRow | None], ...] = ()  # which these are
    missing: Missing = Missing()


@dataclass(frozen=True, slots=True)
class Amount:
    """A number added up, for one chosen name; `total` None: it may not be seen, or nobody knows it.

    `rough`: five or more gave it roughly. `unknown`: how many did not know it, where these are five or more.
    """

    name: str
    choice: ChoiceRow | None
    firms: Count
    total: Decimal | None
    unknown: int = 0
    rough: bool = False


@dataclass(frozen=True, slots=True)
class Amounts:
    """A number asked for each chosen name; `whole` is what is seen of it added up, None where nothing is."""

    question: Question
    of: Question
    answered: int | None  # enterprises that chose
    rows: tuple[Amount, ...] = ()

    @property
    def whole(self) -> Decimal | None:
        """What the rows that are seen make together."""
        seen = [row.total for row in self.rows if row.total is not None]
        return sum(seen, Decimal(0)) if seen else None


@dataclass(frozen=True, slots=True)
class Total:
    """A number asked once, added up."""

    question: Question
    answered: int | None
    total: Decimal | None = None
    rough: bool = False
    missing: Missing = Missing()


@dataclass(frozen=True, slots=True)
class Span:
    """A month, quarter or year by its first month; `count` None: it may not be seen.

    `amount`: what falls due then, where the date was asked for a number; None: it may not be seen, or nobody knows.
    """

    first: str  # 2027-03
    count: int | None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """When something falls due, in as short spans as may be seen; `hidden` are in spans that may not."""

    question: Question
    answered: int | None
    grain: Grain = "month"
    spans: tuple[Span, ...] = ()
    hidden: int = 0
    missing: Missing = Missing()
    beside: Question | None = None  # what the amounts are of


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that may be seen, in the order of the form; by the name of the question."""

    responses: int
    distributions: Mapping[str, Distribution]
    amounts: Mapping[str, Amounts]
    totals: Mapping[str, Total]
    calendars: Mapping[str, Calendar]


def published(tally: Tally) -> Figures:
    """The figures that may be seen."""
    numbers = tally.numbers
    vague = frozenset(name for name, chosen in tally.chosen.items() if _is_vague(chosen))
    return Figures(
        tally.responses,
        {name: _distribution(chosen, tally, vague) for name, chosen in tally.chosen.items()},
        {
            name: _amounts(one, tally.chosen[one.of])
            for name, one in numbers.items()
            if one.of in tally.chosen
        },
        {name: _total(one, tally, vague) for name, one in numbers.items() if one.of not in tally.chosen},
        {name: _calendar(dated, tally, vague) for name, dated in tally.dated.items()},
    )


def _is_vague(chosen: Chosen) -> bool:
    """Whether a choice has a hidden number that another question, asked of who chose it, would tell."""
    if chosen.several:
        return chosen.states["answered"] < 2 * FEWEST
    return bool(hidden([chosen.counts[name] for name in _names(chosen)]))


def by_filter(amounts: Amounts, column: str) -> dict[str, tuple[Amount, ...]]:
    """The rows that are seen, by what their choices have in a column, such as the field of measurement."""
    found: dict[str, list[Amount]] = {}
    for row in amounts.rows:
        value = row.choice.filter.get(column) if row.choice else None
        if value and row.total is not None:
            found.setdefault(value, []).append(row)
    return {value: tuple(rows) for value, rows in found.items()}


# Distributions


def _distribution(chosen: Chosen, tally: Tally, vague: frozenset[str]) -> Distribution:
    """One question's shares that may be seen, the largest first."""
    answered = chosen.states["answered"]
    if answered < FEWEST:
        return Distribution(chosen.question, None, chosen.several)
    missing = _missing(chosen.question, chosen.states, tally, vague)
    if chosen.several:
        return Distribution(
            chosen.question, answered, True, _largest_first(_several(chosen)), missing=missing
        )
    names = _names(chosen)
    gone = hidden([chosen.counts[name] for name in names])
    seen = [
        Share(name, chosen.choices.get(name), Count(chosen.counts[name]))
        for at, name in enumerate(names)
        if at not in gone
    ]
    rest_of = tuple((names[at], chosen.choices.get(names[at])) for at in sorted(gone))
    rest = sum(chosen.counts[names[at]] for at in gone)
    return Distribution(chosen.question, answered, False, _largest_first(seen), rest, rest_of, missing)


def _names(chosen: Chosen) -> list[str]:
    """The choices as the form has them, then names that no version knows."""
    return [*chosen.choices, *sorted(chosen.counts.keys() - chosen.choices.keys())]


def _several(chosen: Chosen) -> list[Share]:
    """The shares of a question that several may be chosen of: the same in every figure that has them."""
    answered = chosen.states["answered"]
    return [
        Share(name, chosen.choices.get(name), bounded(chosen.counts[name], answered))
        for name in _names(chosen)
    ]


def _largest_first(shares: Iterable[Share]) -> tuple[Share, ...]:
    """By size; what may not be seen comes last, as the form has it, so that its order tells nothing."""
    return tuple(
        sorted(
            shares,
            key=lambda share: (
                share.count.bound in ("under", "unseen"),
                -share.count.value,
                not share.count.bound,
            ),
        )
    )


def _missing(question: Question, states: Mapping[State, int], tally: Tally, vague: frozenset[str]) -> Missing:
    """Why there is no answer. To how many it did not apply is left out where that tells what others hide."""
    counts = {state: states.get(state, 0) for state in STATES} | {"not_asked": tally.not_asked(states)}
    folds = bool(tally.looks_at(question) & vague)
    told = [state for state in STATES if not (folds and state == "not_applicable")]
    gone = hidden([counts[state] for state in told], least=0)
    if folds and not gone:  # alone it would follow from the others
        gone = frozenset({min(range(len(told)), key=lambda at: counts[told[at]])})
    reasons = tuple((state, counts[state]) for at, state in enumerate(told) if at not in gone)
    return Missing(reasons, sum(counts.values()) - sum(count for _, count in reasons))


# Numbers


def _amounts(numbers: Numbers, chosen: Chosen) -> Amounts:
    if chosen.states["answered"] < FEWEST:
        return Amounts(numbers.question, chosen.question, None)
    shares = [share for share in _several(chosen) if share.choice is None or not share.choice.exclusive]
    rows = [_amount(share, numbers.each.get(share.name, Added())) for share in shares]
    rows.sort(key=lambda row: -1 if row.total is None else row.total, reverse=True)
    return Amounts(numbers.question, chosen.question, chosen.states["answered"], tuple(rows))


def _amount(share: Share, added: Added) -> Amount:
    known, unknown = added.states["answered"], added.states["unknown"]
    if share.count.bound in ("under", "unseen") or known < FEWEST:
        return Amount(share.name, share.choice, share.count, None)
    firms = sum(added.states.values())
    tells_unknown = unknown >= FEWEST and firms - unknown >= FEWEST
    return Amount(
        share.name,
        share.choice,
        share.count,
        added.total,
        unknown if tells_unknown else 0,
        added.rough >= FEWEST,
    )


def _total(numbers: Numbers, tally: Tally, vague: frozenset[str]) -> Total:
    added = numbers.each.get("", Added())
    answered = added.states["answered"]
    if answered < FEWEST:
        return Total(numbers.question, None)
    missing = _missing(numbers.question, added.states, tally, vague)
    return Total(numbers.question, answered, added.total, added.rough >= FEWEST, missing)


# Dates


def _calendar(dated: Dated, tally: Tally, vague: frozenset[str]) -> Calendar:
    answered = dated.states["answered"]
    if answered < FEWEST or dated.question.repeat:
        return Calendar(dated.question, None)
    grain, spans, unseen = _finest(dated.months)
    missing = _missing(dated.question, dated.states, tally, vague)
    if dated.beside is None:
        return Calendar(dated.question, answered, grain, spans, unseen, missing)
    whole = tally.numbers[dated.beside.name].added().states["answered"]
    spans = _with_amounts(spans, dated.numbers, _GRAINS[grain], whole)
    return Calendar(dated.question, answered, grain, spans, unseen, missing, dated.beside)


def _with_amounts(
    spans: tuple[Span, ...], numbers: Mapping[str, Added], size: int, whole: int
) -> tuple[Span, ...]:
    """The spans with what falls due in each, as far as it may be seen beside the sum of all (`whole` gave one)."""
    known = dict.fromkeys((span.first for span in spans), 0)
    sums = dict.fromkeys(known, Decimal(0))
    for month, added in numbers.items():
        first = _month(_ordinal(month) // size * size)
        if first in known:
            known[first] += added.states["answered"]
            sums[first] += added.total
    seen = [span.first for span in spans if span.count is not None and known[span.first] >= FEWEST]
    seen.sort(key=lambda first: known[first], reverse=True)
    # What is not seen is the sum of all minus what is: that, too, is nobody's or that of five.
    while seen and 0 < whole - sum(known[first] for first in seen) < FEWEST:
        seen.pop()
    return tuple(replace(span, amount=sums[span.first] if span.first in seen else None) for span in spans)


def _finest(months: Mapping[str, int]) -> tuple[Grain, tuple[Span, ...], int]:
    """The shortest spans of which enough may be seen; where none has, those of which most may be."""
    whole = sum(months.values())
    best: tuple[Grain, tuple[Span, ...], int] = ("year", (), whole)
    for grain, size in _GRAINS.items():
        counts = _spans(months, size)
        outside = whole - sum(counts.values())
        gone = hidden([*counts.values(), *([outside] if outside else [])])
        spans = [
            Span(first, None if at in gone else count) for at, (first, count) in enumerate(counts.items())
        ]
        unseen = whole - sum(span.count or 0 for span in spans)
        if len(spans) <= _MOST_SPANS and unseen < best[2]:
            best = grain, _trimmed(spans), unseen
        if best[2] <= whole * _MOST_HIDDEN:
            break
    return best


def _spans(months: Mapping[str, int], size: int) -> dict[str, int]:
    """How many fall in each span of so many months, without gaps; what lies far off all others is left out."""
    dates = sorted((_ordinal(month), count) for month, count in months.items())
    whole = sum(months.values())
    middle, before = [], 0
    for month, count in dates:
        if before + count > whole * _FAR_OFF and before < whole * (1 - _FAR_OFF):
            middle.append(month)
        before += count
    first, last = middle[0] // size, middle[-1] // size
    found = dict.fromkeys((_month(span * size) for span in range(first, last + 1)), 0)
    for month, count in dates:
        if first <= month // size <= last:
            found[_month(month // size * size)] += count
    return found


def _trimmed(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Without what may not be seen at both ends: it would say nothing."""
    seen = [at for at, span in enumerate(spans) if span.count is not None]
    return tuple(spans[seen[0] : seen[-1] + 1]) if seen else ()


def _ordinal(month: str) -> int:
    """Months since the year 0."""
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def _month(ordinal: int) -> str:
    return f"{ordinal // 12:04}-{ordinal % 12 + 1:02}"
