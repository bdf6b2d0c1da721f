"""Shows at a terminal what a list would do, before anybody is asked."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.register.files import Opened
from content.catalogue import Catalogue
from handlers.register.found import Candidate, Fault, Note, Remark, Repair
from handlers.register.planning import Known, Plan, Twin
from handlers.register.rows import ListRead

EXAMPLES = 3  # of each repair and each fault
SHOWN = 12  # changes, twins
_WIDTH = 150  # where the terminal does not say its own


def sentence(say: Catalogue, one: Remark) -> str:
    """A repair, fault or note as people are told it."""
    values = dict(one.values)
    match one:
        case Repair():
            return say("vi", f"register_repair_{one.why}", **values)
        case Fault():
            return say("vi", f"register_fault_{one.reason}", **values)
        case Note():
            return say("vi", f"register_note_{one.why}", **values)


def reasons(say: Catalogue, faults: Iterable[Fault]) -> str:
    """Why a row goes back, in one cell."""
    return "; ".join(dict.fromkeys(sentence(say, one) for one in faults))


class Preview:
    """Prints one list's preview."""

    def __init__(self, say: Catalogue, console: Console | None = None) -> None:
        self._say = say
        plain = Console(highlight=False, markup=False)
        self._console = console or (plain if plain.is_terminal else Console(width=_WIDTH, markup=False))

    def show(self, opened: Opened, read: ListRead, plan: Plan) -> None:
        """Everything an officer should see."""
        self._line(self._said("register_title", file=opened.file_name, sheet=opened.table.name))
        for about in opened.about:
            self._line(about)
        self._columns(read)
        self._repairs(read.candidates)
        self._notes(read.candidates)
        self._faults(plan)
        self._updates(plan)
        self._twins(plan.twins)
        self._line(counts(self._say, read, plan))

    def _said(self, key: str, **values: object) -> str:
        return self._say("vi", key, **values)

    def _line(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=not self._console.is_terminal)

    def _table(self, title: str, *headings: str) -> Table:
        table = Table(box=SIMPLE, title=Text(self._said(title)), title_justify="left")
        for heading in headings:
            table.add_column(self._said(heading), overflow="fold")
        return table

    def _columns(self, read: ListRead) -> None:
        table = self._table("register_columns", "register_column", "register_heading", "register_holds")
        for place, one in enumerate(read.headings.columns):
            if one.text:
                held = self._said(f"register_field_{one.field or 'other'}")
                table.add_row(letters(place), Text(one.text), Text(held))
        self._console.print(table)

    def _repairs(self, candidates: Sequence[Candidate]) -> None:
        found: dict[str, list[tuple[int, Repair]]] = defaultdict(list)
        for candidate in candidates:
            for one in candidate.repairs:
                found[one.why].append((candidate.row, one))
        groups = [
            (
                self._say("vi", f"register_repair_{why}", **_summed(one for _, one in some)),
                [
                    self._said("register_example", row=row, before=one.before, after=one.after)
                    for row, one in some
                ],
            )
            for why, some in found.items()
        ]
        self._groups("register_repairs", groups)

    def _notes(self, candidates: Sequence[Candidate]) -> None:
        said = [(candidate.row, one.why, one) for candidate in candidates for one in candidate.notes]
        self._groups("register_notes", self._by_reason(said))

    def _faults(self, plan: Plan) -> None:
        said = [(held.candidate.row, one.reason, one) for held in plan.held for one in held.faults]
        self._groups("register_faults", self._by_reason(said))

    def _by_reason(self, said: Iterable[tuple[int, str, Fault | Note]]) -> list[tuple[str, list[str]]]:
        """What is said of rows, one reason's together, each under its field."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row, reason, one in said:
            told = self._said("register_example_row", row=row, why=sentence(self._say, one))
            found[self._field(one.field), reason].append(told)
        return [(named, some) for (named, _), some in found.items()]

    def _groups(self, title: str, found: Sequence[tuple[str, Sequence[str]]]) -> None:
        """What was said in groups: how often, and some examples; the largest first."""
        if not found:
            return
        table = self._table(title, "register_why", "register_examples")
        for named, examples in sorted(found, key=lambda one: -len(one[1])):
            shown = list(examples[:EXAMPLES])
            if len(examples) > EXAMPLES:
                shown.append(self._said("register_and_more", more=len(examples) - EXAMPLES))
            times = self._said("register_times", times=len(examples))
            table.add_row(Text(f"{named} ({times})"), Text("\n".join(shown)))
        self._console.print(table)

    def _updates(self, plan: Plan) -> None:
        if not plan.updates:
            return
        table = self._table(
            "register_updates", "register_row", "register_field_name", "register_heading", "register_before",
            "register_after",
        )  # fmt: skip
        for update in islice(plan.updates, SHOWN):
            for number, change in enumerate(update.changes):
                begins = (str(update.candidate.row), update.known.name) if number == 0 else ("", "")
                named = self._field(change.field)
                table.add_row(*map(Text, (*begins, named, change.before, change.after)))
        self._console.print(table)
        self._more(len(plan.updates))

    def _twins(self, twins: Sequence[Twin]) -> None:
        if not twins:
            return
        table = self._table("register_twins", "register_this", "register_that", "register_why")
        for one in twins[:SHOWN]:
            why = self._said(f"register_by_{one.by}", likeness=round(one.likeness))
            table.add_row(Text(self._side(one.candidate)), Text(self._side(one.other)), Text(why))
        self._console.print(table)
        self._more(len(twins))

    def _side(self, one: Candidate | Known) -> str:
        where = one.row if isinstance(one, Candidate) else self._said("register_in_register")
        told = (one.name, one.tax_code, one.address, one.commune_text, ", ".join(one.phones))
        return f"[{where}] " + " · ".join(filter(None, told))

    def _field(self, name: str) -> str:
        key = f"register_field_{name}"
        return self._said(key) if key in self._say.keys() else name  # noqa: SIM118  a catalogue is no dict

    def _more(self, number: int) -> None:
        if number > SHOWN:
            self._line(self._said("register_and_more", more=number - SHOWN))


def _summed(repairs: Iterable[Repair]) -> dict[str, int]:
    """The evidence of several repairs of one kind, together."""
    total: Counter[str] = Counter()
    for one in repairs:
        total.update({name: int(value) for name, value in one.values if value.isdecimal()})
    return dict(total)


def counts(say: Catalogue, read: ListRead, plan: Plan) -> str:
    """The numbers of a list in one sentence."""
    return say("vi", "register_counts", rows=len(read.candidates), skipped=len(read.skipped), **plan.counts())


def letters(place: int) -> str:
    """A column's letters, as a spreadsheet names it; `place` from 0."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
