"""Figures are what a slow plain count finds, and nothing that may be seen points at fewer than five enterprises."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content.forms import Form, compile_form
from handlers.figures.counting import Tally
from handlers.figures.hiding import FEWEST, Count, bounded, hidden
from handlers.figures.published import Figures, by_filter, published
from tests.figures import demand
from tests.storage.answered import NEW, OLD, small_form
from tests.world import EXAMPLES

Answers = Mapping[str, list[Any]]


def compiled(version: str) -> Form:
    def complain(row: int, column: str, problem: str) -> Exception:
        return AssertionError((row, column, problem))

    return compile_form(small_form(version), complain)  # type: ignore[arg-type]


FORMS = [compiled(NEW), compiled(OLD)]

# What is hidden


@pytest.mark.parametrize(
    ("parts", "gone"),
    [
        ((), ()),
        ((7, 9), ()),
        ((3, 40), (0, 1)),  # one of two: the other would tell it
        ((3, 4, 40), (0, 1)),
        ((0, 4, 40), (0, 1, 2)),  # together still fewer than five
        ((2, 40, 9, 30), (0, 2)),  # the smallest other goes with it
        ((0, 0, 60), (0, 1, 2)),  # all of one kind: that says what each answered
        ((5, 5, 5), ()),
        ((4, 5), (0, 1)),
    ],
)
def test_what_would_point_at_few_is_hidden(parts: tuple[int, ...], gone: tuple[int, ...]) -> None:
    assert hidden(parts) == set(gone)


@pytest.mark.parametrize("cells", [2, 3, 4])
def test_who_knows_the_method_cannot_tell_a_hidden_part(cells: int) -> None:
    """Every way to fill the parts, put together by what would be seen: each hidden part may have been several numbers."""
    alike: dict[tuple[object, ...], list[tuple[int, ...]]] = defaultdict(list)
    for parts in itertools.product(range(14), repeat=cells):
        if sum(parts) >= FEWEST:
            gone = hidden(parts)
            seen = tuple(None if at in gone else count for at, count in enumerate(parts))
            alike[sum(parts), seen].append(parts)

    for (_, seen), ways in alike.items():
        assert not [count for count in seen if count is not None and count < FEWEST]  # type: ignore[attr-defined]
        for at, count in enumerate(seen):  # type: ignore[arg-type]
            assert count is not None or len({way[at] for way in ways}) > 1, (seen, ways)


def test_why_few_gave_no_answer_cannot_be_told() -> None:
    """That nobody had a reason may be told."""
    alike: dict[tuple[object, ...], list[tuple[int, ...]]] = defaultdict(list)
    for parts in itertools.product(range(14), repeat=4):
        gone = hidden(parts, least=0)
        seen = tuple(None if at in gone else count for at, count in enumerate(parts))
        alike[sum(parts), seen].append(parts)

    for (_, seen), ways in alike.items():
        for at, count in enumerate(seen):  # type: ignore[arg-type]
            few = {way[at] for way in ways}
            assert count is not None or len(few) > 1 or few == {0}, (seen, ways)


def test_of_several_choices_neither_those_who_chose_nor_the_others_are_few() -> None:
    for whole in range(FEWEST, 40):
        alike: dict[Count, set[int]] = defaultdict(set)
        for count in range(whole + 1):
            alike[bounded(count, whole)].add(count)
        for seen, ways in alike.items():
            if seen.exact is None:
                assert len(ways) > 1
            else:
                assert ways == {seen.exact}
                assert FEWEST <= seen.exact <= whole - FEWEST
            if seen.bound == "over":
                assert ways == set(range(seen.value, whole + 1))
            if seen.bound == "under":
                assert ways == set(range(seen.value))


# What is counted

_MARKS = st.sampled_from([["", "?"], ["", "-"], ["", "n"]])


def _fill(answers: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[list[Any] | None]:
    return st.one_of(answers, answers, answers, _MARKS, st.none())


def _number(most: int) -> st.SearchStrategy[list[Any]]:
    exact = st.integers(0, most).map(lambda number: [number])
    return st.one_of(exact, exact, st.integers(0, most).map(lambda number: [number, "~"]))


@st.composite
def _responses(draw: st.DrawFn) -> list[tuple[str, Answers]]:
    """Responses to either version; what is answered need not fit together."""
    few = st.sampled_from(["training", "checks", "none", "fax"])
    places: dict[str, st.SearchStrategy[list[Any] | None]] = {
        "kind": _fill(st.sampled_from([["fuel"], ["fuel"], ["other", "", "Dầu ăn"], ["gone"]])),
        "needs": _fill(st.lists(few, unique=True, max_size=3).map(lambda names: [names])),
        "devices": _fill(
            st.lists(st.sampled_from(["scale", "meter"]), unique=True).map(lambda names: [names])
        ),
        "how_many.scale": _fill(_number(9)),
        "how_many.meter": _fill(_number(9)),
        "branches": _fill(_number(3)),
        "cost": _fill(st.sampled_from([["2.5"], ["0"], ["10.25", "~"]])),
        "due": _fill(st.sampled_from([["2027-03"], ["2027-04"], ["2027-12"], ["2026-12"], ["2099-01"]])),
        "opened": _fill(st.sampled_from([["2020-03-05"], ["2021-07-31"]])),
    }
    one = st.fixed_dictionaries(places)  # type: ignore[arg-type]
    count = draw(st.integers(0, 60))
    made = [draw(one) for _ in range(min(count, 12))] or [{}]
    numbers = draw(st.lists(st.integers(0, len(made) - 1), min_size=count, max_size=count))
    old = draw(st.sampled_from([(), (0,), (0, 1)]))
    found: list[tuple[str, Answers]] = []
    for number in numbers:
        answers = {place: fill for place, fill in made[number].items() if fill is not None}
        is_old = number in old
        found.append(
            (
                OLD if is_old else NEW,
                {"needs": answers["needs"]} if is_old and "needs" in answers else answers,
            )
            if not is_old or "needs" in answers
            else (OLD, {})
        )
    return found


def tallied(responses: Sequence[tuple[str, Answers]]) -> Tally:
    tally = Tally(FORMS)
    for version, answers in responses:
        tally.add(version, answers)
    return tally


def _state(fill: list[Any] | None) -> str:
    if fill is None:
        return "not_asked"
    return {"?": "unknown", "-": "skipped", "n": "not_applicable"}.get(
        fill[1] if len(fill) > 1 else "", "answered"
    )


_PROVED = settings(
    max_examples=4 * EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@_PROVED
@given(_responses())
def test_sums_are_those_of_a_slow_plain_count(responses: list[tuple[str, Answers]]) -> None:
    tally = tallied(responses)

    assert tally.responses == len(responses)
    for name in ("kind", "needs", "devices"):
        chosen = tally.chosen[name]
        fills = [answers.get(name) for _, answers in responses]
        states = Counter(_state(fill) for fill in fills)
        given = [fill[0] for fill in fills if fill and _state(fill) == "answered"]
        names = [one for value in given for one in ([value] if isinstance(value, str) else value)]
        assert chosen.counts == Counter(names)
        assert chosen.states["answered"] == states["answered"]
        assert tally.not_asked(chosen.states) == states["not_asked"]
        for state in ("unknown", "skipped", "not_applicable"):
            assert chosen.states[state] == states[state]  # type: ignore[index]
    for name in ("branches", "cost"):
        fills = [answers.get(name) for _, answers in responses]
        total = sum((Decimal(fill[0]) for fill in fills if fill and _state(fill) == "answered"), Decimal(0))
        assert tally.numbers[name].added().total == total
    for device in ("scale", "meter"):
        owners = [
            answers
            for _, answers in responses
            if _state(answers.get("devices")) == "answered" and device in answers["devices"][0]
        ]
        known = [
            answers[f"how_many.{device}"]
            for answers in owners
            if _state(answers.get(f"how_many.{device}")) == "answered"
        ]
        added = tally.numbers["how_many"].added(device)
        assert sum(added.states.values()) == len(owners)
        assert added.states["answered"] == len(known)
        assert added.total == sum(fill[0] for fill in known)
        assert added.rough == sum(len(fill) > 1 for fill in known)
    due = [answers["due"][0] for _, answers in responses if _state(answers.get("due")) == "answered"]
    assert tally.dated["due"].months == Counter(due)


@_PROVED
@given(_responses())
def test_what_is_seen_is_true_and_points_at_nobody(responses: list[tuple[str, Answers]]) -> None:
    tally = tallied(responses)

    figures = published(tally)

    for name, figure in figures.distributions.items():
        chosen = tally.chosen[name]
        if figure.answered is None:
            assert chosen.states["answered"] < FEWEST
            assert (figure.shares, figure.rest, figure.missing.reasons) == ((), 0, ())
            continue
        assert figure.answered == chosen.states["answered"]
        for share in figure.shares:
            _is_true(share.count, chosen.counts[share.name])
        if not figure.several:
            exact = sum(share.count.value for share in figure.shares)
            assert exact + figure.rest == figure.answered
            assert (
                not figure.rest_of or (figure.rest >= FEWEST and len(figure.rest_of) > 1) or not figure.shares
            )
        reasons = sum(count for _, count in figure.missing.reasons)
        assert reasons + figure.missing.others + figure.answered == len(responses)
    _check_amounts(figures, tally)
    for name, calendar in figures.calendars.items():
        counts = [span.count for span in calendar.spans if span.count is not None]
        assert all(count >= FEWEST for count in counts)
        if calendar.answered is not None:
            assert sum(counts) + calendar.hidden == calendar.answered
            assert calendar.hidden == 0 or calendar.hidden >= FEWEST
            assert calendar.answered == sum(tally.dated[name].months.values())


def _check_amounts(figures: Figures, tally: Tally) -> None:
    amounts = figures.amounts["how_many"]
    devices = {share.name: share.count for share in figures.distributions["devices"].shares}
    for row in amounts.rows:
        added = tally.numbers["how_many"].added(row.name)
        assert row.firms == devices[row.name]  # one number for one thing, wherever it stands
        if row.total is not None:
            assert (row.total, added.states["answered"] >= FEWEST) == (added.total, True)
        assert row.unknown in (0, added.states["unknown"])
        assert row.unknown == 0 or row.unknown >= FEWEST
        assert not row.unknown or sum(added.states.values()) - row.unknown >= FEWEST


def _is_true(seen: Count, count: int) -> None:
    match seen.bound:
        case "":
            assert seen.value == count
        case "under":
            assert count < seen.value
        case "over":
            assert count >= seen.value


@pytest.mark.parametrize(
    ("forms", "told"),
    [
        (
            {"llc": 40, "cooperative": 3, "service_body": 6},
            False,
        ),  # to how many it applies would tell the three
        (dict.fromkeys((choice.name for choice in demand().by_name["legal_form"].choices), 9), True),
    ],
)
def test_to_how_many_a_question_applies_does_not_tell_what_another_hides(
    forms: dict[str, int], told: bool
) -> None:
    tally = Tally([demand()])
    for name in (name for name, count in forms.items() for _ in range(count)):
        accredited = ["yes"] if name == "service_body" else ["", "n"]
        tally.add(demand().version, {"legal_form": [name], "accredited": accredited})

    figures = published(tally)

    applies = forms["service_body"]
    accredited_figure = figures.distributions["accredited"]
    assert accredited_figure.answered == applies
    assert ("not_applicable" in dict(accredited_figure.missing.reasons)) == told
    assert bool(figures.distributions["legal_form"].rest_of) != told


_DUE = st.tuples(
    _fill(st.integers(0, 9).map(lambda number: [number])),
    _fill(st.sampled_from([["2027-01"], ["2027-01"], ["2027-02"], ["2027-03"]])),
    st.integers(1, 9),
)


@_PROVED
@given(st.lists(_DUE, max_size=12))
def test_what_falls_due_is_added_up_and_the_rest_is_nobodys_or_that_of_five(
    drawn: list[tuple[list[Any] | None, list[Any] | None, int]],
) -> None:
    """The date is asked of who gave a number: what is due then is that number, beside the sum of all."""
    tally = Tally([demand()])
    firms = [(number, month) for number, month, times in drawn for _ in range(times)]
    for number, month in firms:
        answers = {"due_12_months": number, "next_expiry": month}
        tally.add(demand().version, {name: fill for name, fill in answers.items() if fill is not None})

    figures = published(tally)

    given = [(number, month) for number, month in firms if number and _state(number) == "answered"]
    calendar, seen = figures.calendars["next_expiry"], 0
    for span in calendar.spans if calendar.grain == "month" else ():
        here = [number[0] for number, month in given if month and month[0] == span.first]
        assert span.amount is None or (span.count is not None and span.amount == sum(here))
        if span.amount is not None:
            assert len(here) >= FEWEST
            seen += len(here)
    if seen:
        assert len(given) - seen == 0 or len(given) - seen >= FEWEST
        assert figures.totals["due_12_months"].total == sum(number[0] for number, _ in given)


def test_a_date_far_off_all_others_does_not_stretch_the_months() -> None:
    months = ["2027-01"] * 30 + ["2027-02"] * 20 + ["2099-12"]
    tally = tallied([(NEW, {"due": [month]}) for month in months])

    calendar = published(tally).calendars["due"]

    assert [(span.first, span.count) for span in calendar.spans] == [("2027-01", 30)]
    assert (calendar.grain, calendar.hidden) == ("month", 21)


def test_months_in_which_few_fall_become_quarters() -> None:
    months = [f"2027-{month:02}" for month in range(1, 13) for _ in range(3)]
    tally = tallied([(NEW, {"due": [month]}) for month in months])

    calendar = published(tally).calendars["due"]

    assert calendar.grain == "quarter"
    assert [(span.first, span.count) for span in calendar.spans] == [
        ("2027-01", 9), ("2027-04", 9), ("2027-07", 9), ("2027-10", 9),
    ]  # fmt: skip


def test_sums_by_a_column_are_made_of_what_is_seen() -> None:
    assert by_filter(published(tallied([])).amounts["how_many"], "field") == {}
