"""Makes charts and tables of figures: each says one thing, in its title, computed from what it shows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from content.catalogue import Catalogue
from content.forms import ChoiceRow, Form, Group, Question
from content.model import Language
from handlers.figures.charts import Bar, Bars, Chart, Column, Columns, Table
from handlers.figures.hiding import FEWEST
from handlers.figures.published import (
    Amount,
    Amounts,
    Calendar,
    Distribution,
    Figures,
    Grain,
    Missing,
    Share,
    Span,
    by_filter,
)
from handlers.figures.spoken import count, listed, number, percent, span

FIELD, GROUP2, POSSIBLE = "field", "group2", "possible"  # columns of the choices of instruments
_MOST_EVEN = 3  # choices that are named together when none is ahead
_MOST_UNSEEN = 3  # of which nothing is seen, and which have a row of their own all the same
_MINUS = Decimal(-1)


class Drawing:
    """Draws in one language."""

    def __init__(self, say: Catalogue, language: Language) -> None:
        self._say, self._language = say, language

    def all(self, figures: Figures, form: Form) -> Iterator[Chart]:
        """Every chart, in the order of the form; one without an answer is left out. `form`: its newest version."""
        for question in form.questions:
            name = question.name
            if name in figures.distributions:
                yield self.shares(figures.distributions[name])
            if name in figures.amounts:
                yield from self.amounts_and_sums(figures.amounts[name], form)
            if name in figures.calendars:
                yield from self.dates(figures.calendars[name])
        if any(one.total is not None for one in figures.totals.values()):
            yield self.totals(figures)

    def amounts_and_sums(self, amounts: Amounts, form: Form) -> Iterator[Chart]:
        """A number by kind; and, where kinds have a field of measurement or a group, by these."""
        yield self.amounts(amounts)
        if by_filter(amounts, FIELD):
            yield self.fields(amounts, form)
        if POSSIBLE in by_filter(amounts, GROUP2):
            yield self.group2(amounts)

    # Choices

    def shares(self, figure: Distribution) -> Chart:
        """How often each choice was chosen."""
        words = self._question(figure.question)
        if figure.answered is None:
            return self._empty(figure.question, "figures_few")
        bars = [self._share_bar(figure, share) for share in _worth_a_bar(figure)]
        rows = [self._share_row(figure, share) for share in figure.shares]
        if figure.rest_of:
            label = self._tell("figures_rest", count=len(figure.rest_of))
            text = self._share_text(figure.rest, figure.answered)
            bars.append(Bar(label, figure.rest, text, "quiet"))
            rows.append((label, self._number(figure.rest), self._percent(figure.rest, figure.answered)))
        title = self._share_title(figure, words)
        heads = ("figures_choice", "figures_firms", "figures_percent")
        return Chart(
            id=figure.question.name,
            title=title,
            base=self._base(figure.answered, figure.missing),
            body=Bars(tuple(bars)) if figure.shares else None,
            table=self._table(heads, rows),
            note=self._share_note(figure),
        )

    def _share_bar(self, figure: Distribution, share: Share) -> Bar:
        assert figure.answered is not None
        label = self._choice(figure.question, share.name, share.choice)
        if share.count.bound in ("under", "unseen"):
            return Bar(label, None, count(self._say, self._language, share.count))
        if share.count.bound == "over":
            return Bar(label, share.count.value, count(self._say, self._language, share.count))
        return Bar(label, share.count.value, self._share_text(share.count.value, figure.answered))

    def _share_text(self, part: int, whole: int) -> str:
        return self._tell("figures_share_text", percent=self._percent(part, whole), count=self._number(part))

    def _share_row(self, figure: Distribution, share: Share) -> tuple[str, ...]:
        exact = share.count.exact
        assert figure.answered is not None
        share_of = "" if exact is None else self._percent(exact, figure.answered)
        label = self._choice(figure.question, share.name, share.choice)
        return (label, count(self._say, self._language, share.count), share_of)

    def _share_title(self, figure: Distribution, words: str) -> str:
        assert figure.answered is not None
        seen = [share for share in figure.shares if share.count.bound in ("", "over")]
        if not seen:
            return self._tell("figures_not_shown", question=words, fewest=FEWEST)
        most = seen[0].count
        labels = [
            self._choice(figure.question, share.name, share.choice) for share in seen if share.count == most
        ]
        if most.bound:
            return self._tell("figures_share_title_over", question=words, labels=self._quoted(labels))
        share_of = self._percent(most.value, figure.answered)
        if 1 < len(labels) <= _MOST_EVEN:
            return self._tell(
                "figures_share_title_even", question=words, labels=self._quoted(labels), percent=share_of
            )
        return self._tell("figures_share_title", question=words, label=labels[0], percent=share_of)

    def _share_note(self, figure: Distribution) -> str:
        notes = [self._tell("figures_several")] if figure.several else []
        if figure.rest_of and figure.shares:
            labels = "; ".join(self._choice(figure.question, *one) for one in figure.rest_of)
            notes.append(self._tell("figures_rest_note", fewest=FEWEST, labels=labels))
        elif any(share.count.bound for share in figure.shares):
            notes.append(self._tell("figures_hidden_note", fewest=FEWEST))
        drawn = _worth_a_bar(figure)
        if left := [share for share in figure.shares if share not in drawn]:
            labels = "; ".join(self._choice(figure.question, share.name, share.choice) for share in left)
            notes.append(self._tell("figures_under_note", fewest=FEWEST, labels=labels))
        return " ".join(notes)

    # Numbers

    def amounts(self, figure: Amounts) -> Chart:
        """A number added up for each chosen name, with how many enterprises stand behind it."""
        words = self._question(figure.question.repeat or figure.question)
        if figure.answered is None:
            return self._empty(figure.question, "figures_few", words)
        if figure.whole is None:
            return self._empty(figure.question, "figures_not_shown", words)
        top = figure.rows[0]
        assert top.total is not None
        notes = [self._tell("figures_amount_known")]
        notes += [self._tell("figures_amount_rough")] if any(row.rough for row in figure.rows) else []
        notes += [self._tell("figures_hidden_note", fewest=FEWEST)] if _hides(figure.rows) else []
        drawn, left = _worth_drawing(figure.rows)
        if left:
            labels = "; ".join(self._choice(figure.of, row.name, row.choice) for row in left)
            notes.append(self._tell("figures_left_note", labels=labels))
        values = {"count": self._number(figure.answered), "whole": self._number(figure.whole)}
        label = self._choice(figure.of, top.name, top.choice)
        heads = ("figures_choice", "figures_sum", "figures_firms", "figures_not_known")
        return Chart(
            id=figure.question.name,
            title=self._tell(
                "figures_amount_title", question=words, label=label, total=self._number(top.total)
            ),
            base=self._tell("figures_amount_base", **values),
            body=Bars(tuple(self._amount_bar(figure.of, row) for row in drawn)),
            table=self._table(heads, [self._amount_row(figure.of, row) for row in figure.rows]),
            note=" ".join(notes),
        )

    def fields(self, figure: Amounts, form: Form) -> Chart:
        """The numbers by field of measurement, made of the kinds that are seen."""
        sums = _summed(by_filter(figure, FIELD))
        labels = self._list_of({name for name, _ in sums}, form)
        rows = [(labels.get(name, name), total) for name, total in sums]
        title = self._tell("figures_field_title", label=rows[0][0], total=self._number(rows[0][1]))
        return self._sums(figure, "field", title, rows, "figures_field_note")

    def _list_of(self, names: set[str], form: Form) -> dict[str, str]:
        """The labels of the list of choices that has all these names."""
        for choices in form.file.choices.values():
            labels = {choice.name: choice.label[self._language] for choice in choices}
            if names <= labels.keys():
                return labels
        return {}

    def group2(self, figure: Amounts) -> Chart:
        """The kinds that may belong to group 2."""
        kinds = sorted(by_filter(figure, GROUP2)[POSSIBLE], key=_total, reverse=True)
        rows = [(self._choice(figure.of, kind.name, kind.choice), _total(kind)) for kind in kinds]
        whole = self._number(sum((total for _, total in rows), Decimal(0)))
        title = self._tell("figures_group2_title", total=whole, label=rows[0][0])
        return self._sums(figure, "group2", title, rows, "figures_group2_note")

    def _sums(
        self, figure: Amounts, name: str, title: str, rows: Sequence[tuple[str, Decimal]], note: str
    ) -> Chart:
        whole = sum((total for _, total in rows), Decimal(0))
        values = {"count": self._number(figure.answered or 0), "whole": self._number(whole)}
        return Chart(
            id=f"{figure.question.name}-{name}",
            title=title,
            base=self._tell("figures_kinds_base", **values),
            body=Bars(tuple(Bar(label, float(total), self._number(total)) for label, total in rows)),
            table=self._table(
                ("figures_what", "figures_sum"), [(label, self._number(total)) for label, total in rows]
            ),
            note=self._tell(note),
        )

    def _amount_bar(self, of: Question, row: Amount) -> Bar:
        label = self._choice(of, row.name, row.choice)
        if row.total is None:
            return Bar(label, None, self._tell("figures_unseen"))
        firms = count(self._say, self._language, row.firms)
        text = self._tell("figures_amount_text", total=self._number(row.total), firms=firms)
        return Bar(label, float(row.total), text)

    def _amount_row(self, of: Question, row: Amount) -> tuple[str, ...]:
        return (
            self._choice(of, row.name, row.choice),
            self._tell("figures_unseen") if row.total is None else self._number(row.total),
            count(self._say, self._language, row.firms),
            self._number(row.unknown) if row.unknown else "",
        )

    def totals(self, figures: Figures) -> Chart:
        """The numbers that were asked once, added up: their units differ, so they are a table and no drawing."""
        rows = [
            (
                self._question(one.question),
                self._number(one.total),
                self._number(one.answered),
                "".join(self._number(firms) for state, firms in one.missing.reasons if state == "unknown"),
            )
            for one in figures.totals.values()
            if one.answered is not None and one.total is not None
        ]
        heads = ("figures_what", "figures_sum", "figures_firms", "figures_not_known")
        return Chart("totals", self._tell("figures_totals_title"), "", None, self._table(heads, rows))

    # Dates

    def dates(self, figure: Calendar) -> Iterator[Chart]:
        """How many enterprises have something due when; and how much, where that was asked."""
        yield self.calendar(figure)
        if any(one.amount is not None for one in figure.spans):
            yield self.load(figure)

    def load(self, figure: Calendar) -> Chart:
        """How much falls due when."""
        assert figure.beside is not None
        spans = [
            replace(one, count=None if one.amount is None else round(one.amount)) for one in figure.spans
        ]
        most = max(spans, key=_in_span)
        words, named = (
            self._question(figure.beside),
            span(self._say, self._language, most.first, figure.grain),
        )
        heads = ("figures_time", "figures_sum", "figures_firms")
        rows = [
            (*self._span_row(one, figure.grain), self._span_row(of, figure.grain)[1])
            for one, of in zip(spans, figure.spans, strict=True)
        ]
        return Chart(
            id=f"{figure.question.name}-load",
            title=self._tell(
                "figures_load_title", question=words, span=named, total=self._number(_in_span(most))
            ),
            base=self._tell("figures_load_base", total=self._number(sum(map(_in_span, spans)))),
            body=Columns(tuple(self._columns(spans, figure.grain))),
            table=self._table(heads, rows),
            note=self._tell("figures_load_note"),
        )

    def calendar(self, figure: Calendar) -> Chart:
        """How many enterprises have something due when."""
        words = self._question(figure.question)
        if figure.answered is None:
            return self._empty(figure.question, "figures_few")
        seen = [one for one in figure.spans if one.count is not None]
        if not seen:
            return self._empty(figure.question, "figures_not_shown")
        most = max(seen, key=_in_span)
        named = span(self._say, self._language, most.first, figure.grain)
        note = self._tell("figures_calendar_hidden", count=self._number(figure.hidden), fewest=FEWEST)
        return Chart(
            id=figure.question.name,
            title=self._tell(
                "figures_calendar_title", question=words, span=named, count=self._number(_in_span(most))
            ),
            base=self._base(figure.answered, figure.missing),
            body=Columns(tuple(self._columns(figure.spans, figure.grain))),
            table=self._table(
                ("figures_time", "figures_firms"), [self._span_row(one, figure.grain) for one in figure.spans]
            ),
            note=note if figure.hidden else "",
        )

    def _columns(self, spans: Iterable[Span], grain: Grain) -> Iterator[Column]:
        before = ""
        for one in spans:
            year, month = one.first[:4], int(one.first[5:7])
            match grain:
                case "month":
                    label = self._tell("figures_month_short", month=month)
                case "quarter":
                    label = self._tell("figures_quarter_short", quarter=(month + 2) // 3)
                case "year":
                    label = year
            text = self._tell("figures_unseen") if one.count is None else self._number(one.count)
            group = "" if year == before or grain == "year" else year
            yield Column(label, group, one.count, text)
            before = year

    def _span_row(self, one: Span, grain: Grain) -> tuple[str, ...]:
        shown = self._tell("figures_unseen") if one.count is None else self._number(one.count)
        return (span(self._say, self._language, one.first, grain), shown)

    # Words

    def _empty(self, question: Question, key: str, words: str = "") -> Chart:
        title = self._tell(key, question=words or self._question(question), fewest=FEWEST)
        return Chart(question.name, title, "", None)

    def _base(self, answered: int | None, missing: Missing) -> str:
        """Whom a figure is about, and why others are not in it."""
        said = [self._tell("figures_base", count=self._number(answered or 0))]
        said += [
            self._tell(f"figures_missing_{state}", count=self._number(firms))
            for state, firms in missing.reasons
        ]
        if missing.others:
            key = "figures_missing_others" if missing.reasons else "figures_missing_all"
            said.append(self._tell(key, count=self._number(missing.others)))
        return ", ".join(said)

    def _question(self, asked: Question | Group) -> str:
        words = asked.row.short or asked.row.label
        if words:
            return words[self._language]
        key = f"figures_question_{asked.name}"
        return self._tell(key) if key in self._say.keys() else asked.name  # noqa: SIM118  a catalogue is no dict

    def _choice(self, question: Question, name: str, choice: ChoiceRow | None) -> str:
        if choice:
            return choice.label[self._language]
        key = f"export_computed_{question.name}_{name}"
        return self._tell(key) if key in self._say.keys() else name  # noqa: SIM118

    def _quoted(self, labels: Iterable[str]) -> str:
        return listed(
            self._say, self._language, [self._tell("figures_quoted", label=label) for label in labels]
        )

    def _table(self, heads: Iterable[str], rows: Sequence[tuple[str, ...]]) -> Table:
        return Table(tuple(self._tell(head) for head in heads), tuple(rows))

    def _tell(self, key: str, **values: object) -> str:
        return self._say(self._language, key, **values)

    def _number(self, value: Decimal | float) -> str:
        return number(self._language, value)

    def _percent(self, part: float, whole: float) -> str:
        return percent(self._language, part, whole)


def _worth_a_bar(figure: Distribution) -> list[Share]:
    """The shares that are drawn: many of which nothing is seen are named in one sentence instead."""
    shares = _in_order(figure)
    seen = [share for share in shares if share.count.bound != "under"]
    return seen if seen and len(shares) - len(seen) > _MOST_UNSEEN else shares


def _in_order(figure: Distribution) -> list[Share]:
    """The largest first; a scale, of which most labels have numbers, as its form has it."""
    names = [choice.name for choice in figure.question.choices]
    numbered = [choice for choice in figure.question.choices if any(map(str.isdecimal, choice.label.vi))]
    is_scale = figure.question.kind == "select_one" and 2 * len(numbered) > len(names)
    if not is_scale:
        return list(figure.shares)
    return sorted(figure.shares, key=lambda one: names.index(one.name) if one.name in names else len(names))


def _worth_drawing(rows: Sequence[Amount]) -> tuple[list[Amount], list[Amount]]:
    """The rows that are drawn, and those that are only named because there are many of them."""
    unseen = [row for row in rows if row.total is None]
    if len(unseen) <= _MOST_UNSEEN:
        return list(rows), []
    return [row for row in rows if row.total is not None], unseen


def _hides(rows: Iterable[Amount]) -> bool:
    return any(row.total is None or row.firms.bound for row in rows)


def _total(row: Amount) -> Decimal:
    return _MINUS if row.total is None else row.total


def _summed(rows: Mapping[str, Sequence[Amount]]) -> list[tuple[str, Decimal]]:
    sums = {name: sum((_total(row) for row in some), Decimal(0)) for name, some in rows.items()}
    return sorted(sums.items(), key=lambda item: item[1], reverse=True)


def _in_span(one: Span) -> int:
    return one.count or 0
